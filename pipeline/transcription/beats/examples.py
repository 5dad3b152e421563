"""What the judges of beats and bars learn from: MIDI files, played and written down again, and their notes with faults.

Each piece is heard as sound from which notes and drum hits are found, as that without its drums, as the notes of the
file with the faults that transcribing leaves, and some as little but their beats.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.audio.synthesizers import RATE_HZ, play
from pipeline.errors import UnusableError
from pipeline.scores.reading import read_scores
from pipeline.scores.score import Score
from pipeline.transcription.beats.metre import FINE, RATIOS, Level, find_levels
from pipeline.transcription.beats.onsets import Floats, Onsets, find_onsets
from pipeline.transcription.beats.pulse import find_pulse
from pipeline.transcription.drums.hits import find_drum_hits
from pipeline.transcription.pitches import find_pitches

PITCH = np.dtype([("start", "f8"), ("end", "f8"), ("pitch", "i2"), ("velocity", "i2")])
HIT = np.dtype([("start", "f8"), ("pitch", "i2"), ("velocity", "i2")])

EXCERPT_SECONDS = 42.0
"""So much of each piece is heard, from its beginning."""

_FEWEST_ONSETS, _SHORTEST_SECONDS = 16, 8.0  # a piece of less teaches nothing
_LEVEL_ERROR = 0.04  # of the beat
_BESIDE_SECONDS = 0.03


@dataclass(frozen=True)
class Truth:
    """A piece whose beats are known.

    Attributes
    ----------
    notes, hits
        As `find_pitches` and `find_drum_hits` would give them, without fault.
    beats
        `[beats]` seconds, the first a bar line where `bars` is set.
    beats_per_bar
        Beats a bar, 4 where it isn't known.
    phase
        Whether the beats themselves are known, or only how long they are.
    bars
        Whether bar lines are known.
    """

    notes: NDArray[np.void]
    hits: NDArray[np.void]
    beats: Floats
    beats_per_bar: int
    phase: bool
    bars: bool


@dataclass(frozen=True)
class Lesson:
    """The levels of a piece, and which of them and of their phases are right.

    Attributes
    ----------
    levels
        What is heard of them.
    right_levels
        `[levels]`; at least one of them is right.
    right_phases
        `[phases]` of the first right level; none of them where the piece doesn't tell.
    weight
        How much the lesson counts.
    """

    levels: list[Level]
    right_levels: NDArray[np.bool_]
    right_phases: NDArray[np.bool_]
    weight: float


def known_piece(score: Score, longest_seconds: float = EXCERPT_SECONDS) -> Truth:
    """A score as sound would tell it: notes and hits in seconds, cut after `longest_seconds`, and its beats.

    A score whose metre is another than n/4, or changes, doesn't tell bar lines. One in which most notes fall beside
    the beats that it counts doesn't tell the beats.
    """
    end = score.end + 8
    starts = np.array([0.0, *(start for start, _ in score.tempos if start > 0), max(end, 1e6)])
    rates = [120.0, *(bpm for start, bpm in score.tempos if start > 0)]
    rates[0] = next((bpm for start, bpm in reversed(score.tempos) if start <= 0), rates[0])
    seconds = np.concatenate([[0.0], np.cumsum(np.diff(starts) * 60 / np.array(rates))])
    notes, hits = [], []
    for part in score.parts:
        events = part.events
        begins = np.interp(events["onset"], starts, seconds)
        keep = (begins < longest_seconds) & (events["velocity"] > 0)
        if part.is_drum:
            rows = np.zeros(keep.sum(), HIT)
            hits.append(rows)
        else:
            rows = np.zeros(keep.sum(), PITCH)
            rows["end"] = np.interp(events["onset"] + events["duration"], starts, seconds)[keep]
            notes.append(rows)
        rows["start"], rows["pitch"], rows["velocity"] = begins[keep], events["pitch"][keep], events["velocity"][keep]
    beats = np.interp(np.arange(np.ceil(end)), starts, seconds)
    metres = {(one.numerator, one.denominator) for one in score.metres}
    onsets = np.concatenate([part.events["onset"] for part in score.parts])
    fine = np.bincount(np.round(onsets * 12).astype(int) % 12, minlength=12)
    phase = bool(fine[0] == fine.max())
    bars = phase and len(metres) == 1 and next(iter(metres))[1] == 4 and next(iter(metres))[0] > 2
    return Truth(
        np.sort(np.concatenate([np.zeros(0, PITCH), *notes]), order="start", kind="stable"),
        np.sort(np.concatenate([np.zeros(0, HIT), *hits]), order="start", kind="stable"),
        beats[beats < longest_seconds + 4],
        next(iter(metres))[0] if bars else 4,
        phase,
        bars,
    )


def known_pieces(folder: Path, most: int, without: Sequence[str], learned: bool = True) -> list[tuple[Path, Truth]]:
    """Pieces below a folder, `most` at most: of the half that is learned from, or of the other.

    Which ones is drawn by a hash of their names, so that it doesn't change with the files beside them. Pieces of less
    than 16 onsets in 8 seconds are passed over, as are those named in `without`.
    """
    paths = [path for path in folder.rglob("*.mid") if path.stem not in without and is_learned_from(path) == learned]
    pieces: list[tuple[Path, Truth]] = []
    for path in sorted(paths, key=lambda path: hashlib.sha256(b"beats " + path.name.encode()).digest()):
        if len(pieces) == most:
            break
        try:
            piece = known_piece(read_scores(path, 10)[0])
        except UnusableError:
            continue
        struck = np.concatenate([piece.notes["start"], piece.hits["start"]])
        if len(struck) >= _FEWEST_ONSETS and np.ptp(struck) >= _SHORTEST_SECONDS:
            pieces.append((path, piece))
    return pieces


def is_learned_from(path: Path) -> bool:
    """Whether a file belongs to the half that is learned from."""
    return hashlib.sha256(path.name.encode()).digest()[0] % 2 == 0


def transcribed(path: Path, piece: Truth, soundfont: Path, cache: Path | None) -> Truth:
    """The piece with the notes and hits that are found in its sound; kept in the folder `cache`, where there is one."""
    import soxr

    kept = None if cache is None else cache / f"{path.parent.name}-{path.stem}-{soundfont.stem}.pkl"
    if kept is not None and kept.is_file():
        notes, hits = pickle.loads(kept.read_bytes())
        return replace(piece, notes=notes, hits=hits)
    sound = play(_beginning(path), soundfont, "midirenderer")[: int(EXCERPT_SECONDS * RATE_HZ)].mean(axis=1)
    samples = np.asarray(soxr.resample(sound, RATE_HZ, SAMPLE_RATE_HZ), np.float32)
    samples *= 0.8 / max(float(np.abs(samples).max()), 1e-3)
    notes, hits = find_pitches(samples), find_drum_hits(samples)
    if kept is not None:
        kept.write_bytes(pickle.dumps((notes, hits)))
    return replace(piece, notes=notes, hits=hits)


def _beginning(path: Path) -> bytes:
    """The MIDI file cut off soon after the excerpt, as all of it takes long to play."""
    import symusic

    whole: Any = symusic.Score(str(path))
    left, last, rate = EXCERPT_SECONDS + 2, 0, 120.0  # seconds to go from the tick `last` on, at so many bpm
    for tempo in whole.tempos:
        seconds = (tempo.time - last) * 60 / rate / whole.ticks_per_quarter
        if seconds > left:
            break
        left, last, rate = left - seconds, tempo.time, tempo.qpm
    end = last + int(left * rate / 60 * whole.ticks_per_quarter)
    part = whole.clip(0, end)
    part.tempos = type(whole.tempos)([tempo for tempo in whole.tempos if tempo.time < end])
    midi: bytes = part.dumps_midi()
    return midi


def with_faults(piece: Truth, rng: np.random.Generator) -> Truth:
    """The piece as a bad transcription has it.

    25 % of the notes are lost and 15 % invented, 20 to 45 % of the hits are lost, up to a quarter as many as there are
    notes invented, where there are hits at all; all are moved.
    """
    jitter = rng.uniform(0.010, 0.020)
    notes = piece.notes[rng.random(len(piece.notes)) > 0.25].copy()
    false = notes[rng.random(len(notes)) < 0.10].copy()  # octave errors
    false["pitch"] += rng.choice([-12, 12, 12, 19], len(false)).astype(np.int16)
    stray = notes[rng.random(len(notes)) < 0.05].copy()
    lengths = stray["end"] - stray["start"]
    stray["start"] = rng.uniform(0, notes["start"].max() if len(notes) else 1.0, len(stray))
    stray["end"] = stray["start"] + lengths
    notes = np.concatenate([notes, false, stray])
    lengths = np.maximum((notes["end"] - notes["start"]) * rng.uniform(0.7, 1.1, len(notes)), 0.05)
    notes["start"] = np.maximum(notes["start"] + rng.normal(0, jitter, len(notes)), 0)
    notes["end"] = notes["start"] + lengths
    notes["velocity"] = np.clip(notes["velocity"] + rng.normal(0, 12, len(notes)), 10, 127)
    notes = notes[(notes["pitch"] >= 21) & (notes["pitch"] <= 108)]
    hits = piece.hits[rng.random(len(piece.hits)) > rng.uniform(0.2, 0.45)].copy()
    confused = rng.random(len(hits)) < 0.08
    hits["pitch"][confused] = rng.choice([36, 38, 42, 45, 49], int(confused.sum())).astype(np.int16)
    if len(hits) and len(notes):
        invented = np.zeros(int(rng.uniform(0, 0.25) * len(notes)), HIT)
        invented["start"] = rng.choice(notes["start"], len(invented))
        invented["pitch"] = rng.choice([36, 38, 42, 42, 45, 49], len(invented))
        invented["velocity"] = rng.integers(20, 110, len(invented))
        hits = np.concatenate([hits, invented])
    hits["start"] = np.maximum(hits["start"] + rng.normal(0, jitter / 2, len(hits)), 0)
    return replace(piece, notes=np.sort(notes, order="start"), hits=np.sort(hits, order="start"))


def begun_late(piece: Truth, seconds: float) -> Truth:
    """The piece without what starts in its first seconds: not all music begins with a bar."""
    return replace(
        piece, notes=piece.notes[piece.notes["start"] >= seconds], hits=piece.hits[piece.hits["start"] >= seconds]
    )


def on_beats_only(piece: Truth) -> Truth:
    """The piece as plainly as can be: what starts within 30 ms of a beat."""
    notes, hits = (
        rows[np.abs(rows["start"][:, None] - piece.beats).min(axis=1, initial=1e9) < _BESIDE_SECONDS]
        for rows in (piece.notes, piece.hits)
    )
    return replace(piece, notes=notes, hits=hits)


def bare(onsets: Onsets) -> Onsets:
    """Onsets without what they are of, as `onsets_of_sound` finds them."""
    empty = {name: (np.zeros(0), np.zeros(0)) for name in onsets.layers}
    return replace(onsets, layers=empty | {"any": (onsets.seconds, np.clip(onsets.weights, 0, 1))})


def make_lesson(piece: Truth, onsets: Onsets, weight: float) -> Lesson | None:
    """What the onsets of a piece teach; null where they are too few, or where no level of their pulse is right."""
    if len(onsets.seconds) < _FEWEST_ONSETS or np.ptp(onsets.seconds) < _SHORTEST_SECONDS:
        return None
    pulse = find_pulse(onsets)
    levels = find_levels(onsets, pulse, piece.beats_per_bar, RATIOS)
    right = right_levels(levels, pulse, piece)
    if not right.any():
        return None
    return Lesson(levels, right, right_phases(levels[int(right.argmax())], pulse, piece), weight)


def onsets_of(piece: Truth, drums: bool = True) -> Onsets:
    """The onsets of its notes, and of its hits if wished."""
    return find_onsets(piece.notes, piece.hits if drums else piece.hits[:0])


def right_levels(levels: list[Level], pulse: Floats, piece: Truth) -> NDArray[np.bool_]:
    """`[levels]`: those whose beat is as long as the piece's."""
    inside = piece.beats[(piece.beats > pulse[0]) & (piece.beats < pulse[-1])]
    if len(inside) < 4:
        return np.zeros(len(levels), bool)
    apart = float(np.median(np.diff(np.interp(inside, pulse, np.arange(len(pulse))))))
    return np.array([abs(apart / level.ratio - 1) <= _LEVEL_ERROR for level in levels])


def right_phases(level: Level, pulse: Floats, piece: Truth) -> NDArray[np.bool_]:
    """`[phases]`: those that mean the beats of the piece, and its bar lines where they are known."""
    inside = (piece.beats > pulse[0]) & (piece.beats < pulse[-1])
    if not piece.phase:
        return np.zeros(len(level.phases), bool)
    at = np.interp(piece.beats[inside], pulse, np.arange(len(pulse)))
    counted = at / level.ratio - np.arange(len(level.phases))[:, None] / FINE
    turn = np.exp(2j * np.pi * counted).mean(axis=1)
    near: NDArray[np.bool_] = (np.abs(turn) > 0.7) & (np.abs(np.angle(turn)) <= 2 * np.pi * (1 / 24 + 1e-6))
    if piece.bars:
        ahead = np.round(counted - np.flatnonzero(inside)).astype(int) % piece.beats_per_bar == 0
        near &= ahead.mean(axis=1) > 0.7
    return near
