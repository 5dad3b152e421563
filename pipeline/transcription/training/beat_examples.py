"""Training examples for beats and downbeats: MIDI files whose beats are known, rendered and transcribed again.

Each piece gives the onsets of its own transcription, with and without drums, those of its notes with simulated
transcription errors, and some of its beats alone.
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
from pipeline.scores.reading.score_files import read_scores
from pipeline.scores.score import Score
from pipeline.transcription.beats.downbeats import PHASES_PER_BEAT
from pipeline.transcription.beats.metrical_levels import RATIOS, MetricalLevel, find_levels
from pipeline.transcription.beats.onsets import Floats, Onsets, find_onsets
from pipeline.transcription.beats.pulse_tracking import find_pulse
from pipeline.transcription.drums.drum_map import HIT
from pipeline.transcription.drums.hits import find_drum_hits
from pipeline.transcription.pitches import PITCH, find_pitches

EXCERPT_SECONDS = 42.0
"""So much of each piece is rendered, from its beginning."""

_FEWEST_ONSETS, _SHORTEST_SECONDS = 16, 8.0  # a piece of less gives no example
_LEVEL_ERROR = 0.04  # of the beat
_BESIDE_SECONDS = 0.03


@dataclass(frozen=True)
class AnnotatedPiece:
    """A piece whose beats are known.

    Attributes
    ----------
    notes, hits
        As `find_pitches` and `find_drum_hits` would give them, without error.
    beats
        `[beats]` seconds, the first a bar line where `knows_bars` is set.
    beats_per_bar
        Beats a bar, 4 where it isn't known.
    knows_beats
        Whether the beats themselves are known, or only how long they are.
    knows_bars
        Whether bar lines are known.
    """

    notes: NDArray[np.void]
    hits: NDArray[np.void]
    beats: Floats
    beats_per_bar: int
    knows_beats: bool
    knows_bars: bool


@dataclass(frozen=True)
class MetreExample:
    """One training example: the metrical levels of a piece, and which of them and of their phases are right.

    Attributes
    ----------
    levels
        With their features.
    right_levels
        `[levels]`; at least one of them is right.
    right_phases
        `[phases]` of the first right level; none of them where the piece does not know its beats.
    weight
        How much the example counts.
    """

    levels: list[MetricalLevel]
    right_levels: NDArray[np.bool_]
    right_phases: NDArray[np.bool_]
    weight: float


def annotate(score: Score, longest_seconds: float = EXCERPT_SECONDS) -> AnnotatedPiece:
    """Annotated beats of a score: its notes and hits in seconds, cut after `longest_seconds`, and its beats.

    The bar lines of a score whose metre is another than n/4, or changes, count as unknown, as do the beats of one in
    which most notes fall beside them.
    """
    notes, hits = [], []
    for part in score.parts:
        events = part.events
        begins = score.seconds_at(events["onset"])
        keep = (begins < longest_seconds) & (events["velocity"] > 0)
        rows = np.zeros(keep.sum(), HIT if part.is_drum else PITCH)
        if part.is_drum:
            hits.append(rows)
        else:
            rows["end"] = score.seconds_at(events["onset"] + events["duration"])[keep]
            notes.append(rows)
        rows["start"], rows["pitch"], rows["velocity"] = begins[keep], events["pitch"][keep], events["velocity"][keep]
    beats = score.seconds_at(np.arange(np.ceil(score.end + 8), dtype=np.float64))
    metres = {(one.numerator, one.denominator) for one in score.metres}
    onsets = np.concatenate([part.events["onset"] for part in score.parts])
    fine = np.bincount(np.round(onsets * 12).astype(int) % 12, minlength=12)
    knows_beats = bool(fine[0] == fine.max())
    knows_bars = knows_beats and len(metres) == 1 and next(iter(metres))[1] == 4 and next(iter(metres))[0] > 2
    return AnnotatedPiece(
        np.sort(np.concatenate([np.zeros(0, PITCH), *notes]), order="start", kind="stable"),
        np.sort(np.concatenate([np.zeros(0, HIT), *hits]), order="start", kind="stable"),
        beats[beats < longest_seconds + 4],
        next(iter(metres))[0] if knows_bars else 4,
        knows_beats,
        knows_bars,
    )


def find_pieces(
    folder: Path, most: int, without: Sequence[str], training: bool = True
) -> list[tuple[Path, AnnotatedPiece]]:
    """Annotated pieces below a folder, `most` at most: of the half for training, or of the half for evaluation.

    Which ones is drawn by a hash of their names, so that it doesn't change with the files beside them. Pieces of less
    than 16 onsets in 8 seconds are passed over, as are those named in `without`.
    """
    paths = [path for path in folder.rglob("*.mid") if path.stem not in without and is_for_training(path) == training]
    pieces: list[tuple[Path, AnnotatedPiece]] = []
    for path in sorted(paths, key=lambda path: hashlib.sha256(b"beats " + path.name.encode()).digest()):
        if len(pieces) == most:
            break
        try:
            piece = annotate(read_scores(path, 10)[0])
        except UnusableError:
            continue
        struck = np.concatenate([piece.notes["start"], piece.hits["start"]])
        if len(struck) >= _FEWEST_ONSETS and np.ptp(struck) >= _SHORTEST_SECONDS:
            pieces.append((path, piece))
    return pieces


def is_for_training(path: Path) -> bool:
    """Whether a file belongs to the half for training, by a hash of its name."""
    return hashlib.sha256(path.name.encode()).digest()[0] % 2 == 0


def transcribe_piece(path: Path, piece: AnnotatedPiece, soundfont: Path, cache: Path | None) -> AnnotatedPiece:
    """The piece with the notes and hits that are transcribed from its sound; kept in the folder `cache`, if any."""
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


def with_errors(piece: AnnotatedPiece, rng: np.random.Generator) -> AnnotatedPiece:
    """Simulated transcription errors: the piece as a bad transcription has it.

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


def without_start(piece: AnnotatedPiece, seconds: float) -> AnnotatedPiece:
    """The piece without what starts in its first seconds: not all music begins with a bar."""
    return replace(
        piece, notes=piece.notes[piece.notes["start"] >= seconds], hits=piece.hits[piece.hits["start"] >= seconds]
    )


def on_beats_only(piece: AnnotatedPiece) -> AnnotatedPiece:
    """The piece without what starts more than 30 ms from a beat."""
    notes, hits = (
        rows[np.abs(rows["start"][:, None] - piece.beats).min(axis=1, initial=1e9) < _BESIDE_SECONDS]
        for rows in (piece.notes, piece.hits)
    )
    return replace(piece, notes=notes, hits=hits)


def without_kinds(onsets: Onsets) -> Onsets:
    """Onsets of which nothing but the strength is known, as `flux_onsets` finds them."""
    empty = {name: (np.zeros(0), np.zeros(0)) for name in onsets.layers}
    return replace(onsets, layers=empty | {"any": (onsets.seconds, np.clip(onsets.weights, 0, 1))})


def make_example(piece: AnnotatedPiece, onsets: Onsets, weight: float) -> MetreExample | None:
    """Example from onsets of a piece; none where they are too few, or where no level of their pulse is right."""
    if len(onsets.seconds) < _FEWEST_ONSETS or np.ptp(onsets.seconds) < _SHORTEST_SECONDS:
        return None
    pulse = find_pulse(onsets)
    levels = find_levels(onsets, pulse, piece.beats_per_bar, RATIOS)
    right = right_levels(levels, pulse, piece)
    if not right.any():
        return None
    return MetreExample(levels, right, right_phases(levels[int(right.argmax())], pulse, piece), weight)


def onsets_of(piece: AnnotatedPiece, drums: bool = True) -> Onsets:
    """The onsets of its notes and, unless `drums` is false, of its hits."""
    return find_onsets(piece.notes, piece.hits if drums else piece.hits[:0])


def right_levels(levels: list[MetricalLevel], pulse: Floats, piece: AnnotatedPiece) -> NDArray[np.bool_]:
    """`[levels]`: those whose beat is as long as the piece's."""
    inside = piece.beats[(piece.beats > pulse[0]) & (piece.beats < pulse[-1])]
    if len(inside) < 4:
        return np.zeros(len(levels), bool)
    apart = float(np.median(np.diff(np.interp(inside, pulse, np.arange(len(pulse))))))
    return np.array([abs(apart / level.ratio - 1) <= _LEVEL_ERROR for level in levels])


def right_phases(level: MetricalLevel, pulse: Floats, piece: AnnotatedPiece) -> NDArray[np.bool_]:
    """`[phases]`: those that mean the beats of the piece, and its bar lines where they are known."""
    inside = (piece.beats > pulse[0]) & (piece.beats < pulse[-1])
    if not piece.knows_beats:
        return np.zeros(len(level.phases), bool)
    at = np.interp(piece.beats[inside], pulse, np.arange(len(pulse)))
    counted = at / level.ratio - np.arange(len(level.phases))[:, None] / PHASES_PER_BEAT
    mean_phasor = np.exp(2j * np.pi * counted).mean(axis=1)
    near: NDArray[np.bool_] = (np.abs(mean_phasor) > 0.7) & (
        np.abs(np.angle(mean_phasor)) <= 2 * np.pi * (1 / 24 + 1e-6)
    )
    if piece.knows_bars:
        ahead = np.round(counted - np.flatnonzero(inside)).astype(int) % piece.beats_per_bar == 0
        near &= ahead.mean(axis=1) > 0.7
    return near
