"""Excerpts of pieces whose beats are known, from anywhere in them, rendered and transcribed again.

Beats and bars are those of the MIDI file; where its folder `NAME` has a folder `NAME_labels` beside it, they are those
of `NAME_labels/PIECE.beats.txt` as POP909 has them (seconds, whether a bar of two or three beats begins, one of four).
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
from pipeline.transcription.beats.onsets import Floats
from pipeline.transcription.drums.drum_map import HIT
from pipeline.transcription.drums.hits import find_drum_hits
from pipeline.transcription.pitches.multipitch import PITCH, find_pitches
from pipeline.transcription.training.beat_examples import AnnotatedPiece

EXCERPT_SECONDS = (42.0, 60.0)
"""How long excerpts are, at least and at most."""

AT_START = 0.25
"""The share of excerpts that begin where the piece does."""

FEWEST_ONSETS, SHORTEST_SECONDS = 30, 20.0
"""An excerpt in which less is struck says too little."""

ON_GRID = 0.6
"""Beats are known where at least so many notes start on a sixteenth or a triplet of them."""

WITH_DRUMS = 0.5
"""Of so many excerpts without drums that could have some, they are played along."""

DRUM_FOLD = 1.4
"""A drummer's performance is played at most so many times faster or slower."""

BORNE_OUT_BEATS, BORNE_OUT_BARS = 0.9, 0.8
"""A MIDI file's beats (or bars) are believed where its notes bear them out: where at least so many start on them as on
any other sixteenth of the beat (or of the bar). Some files begin an eighth early, or with a pickup in a whole bar."""

_TICKS = 960  # a second, at 120 bpm


@dataclass(frozen=True)
class Excerpt:
    """Some seconds of a MIDI file, and what plays them.

    Attributes
    ----------
    path
        The MIDI file.
    start, seconds
        Where the excerpt begins in it, and how long it is.
    drums
        A MIDI file of drums in 4/4 that is played along on the piece's beats, if any.
    """

    path: Path
    start: float
    seconds: float
    drums: Path | None = None

    @property
    def name(self) -> str:
        """A name that tells it from others."""
        drums = "" if self.drums is None else "-" + self.drums.stem[:24]
        return f"{self.path.parent.name}-{self.path.stem}-{self.start:.0f}-{self.seconds:.0f}{drums}"


def files_of(folder: Path, training: bool = True) -> list[Path]:
    """MIDI files below a folder: three quarters of them for training, or the quarter for evaluation, in a fixed order.

    Both are drawn by a hash of their names, so that they don't change with the files beside them.
    """
    paths = [path for path in folder.rglob("*.mid") if is_for_training(path) == training]
    return sorted(paths, key=lambda path: hashlib.sha256(b"beats " + path.name.encode()).digest())


def is_for_training(path: Path) -> bool:
    """Whether a file belongs to the three quarters for training, by a hash of its name."""
    return hashlib.sha256(path.name.encode()).digest()[0] % 4 != 1


def drum_files(folder: Path, training: bool = True) -> list[Path]:
    """Performances in 4/4 of the Groove MIDI Dataset that are no fills, in a fixed order."""
    return sorted(path for path in files_of(folder, training) if path.stem.endswith("_beat_4-4"))


def draw_excerpt(path: Path, number: int, drummers: Sequence[Path] = ()) -> tuple[Excerpt, AnnotatedPiece] | None:
    """The excerpt of a MIDI file of that number, 0 or more, and what is known of it; None where it says too little.

    Where there are `drummers`, drums of a tempo near the piece's are played along in half of those that have none.
    """
    seed = hashlib.sha256(f"excerpt {number} {path.name}".encode()).digest()[:4]
    rng = np.random.default_rng(int.from_bytes(seed, "big"))
    try:
        score = read_scores(path, 100)[0]
    except UnusableError:
        return None
    whole = float(score.seconds_at(np.array([score.end]))[0])
    seconds = float(rng.uniform(*EXCERPT_SECONDS))
    start = 0.0 if rng.random() < AT_START else float(rng.uniform(0, max(whole - seconds, 0)))
    excerpt = Excerpt(path, start, seconds)
    piece = annotate_excerpt(score, excerpt)
    if piece is None:
        return None
    takes_drums = not len(piece.hits) and piece.beats_per_bar == 4 and piece.knows_bars
    if len(drummers) and takes_drums and rng.random() < WITH_DRUMS:
        bpm = 60 / float(np.median(np.diff(piece.beats)))
        near = [one for one in drummers if max(bpm / drum_bpm(one), drum_bpm(one) / bpm) < DRUM_FOLD]
        if near:
            drums = near[int(rng.integers(len(near)))]
            excerpt = replace(excerpt, drums=drums)
            piece = replace(piece, hits=drums_on_beats(drums, piece.beats, seconds))
    return excerpt, piece


def drum_bpm(path: Path) -> float:
    """The tempo in the name of a file of the Groove MIDI Dataset."""
    return float(path.stem.split("_")[-3])


def drums_on_beats(path: Path, beats: Floats, seconds: float) -> NDArray[np.void]:
    """Drum hits of a performance in 4/4, over and over, on beats of which the first is a bar line."""
    score = read_scores(path, 10)[0]
    events = np.concatenate([part.events for part in score.parts if part.is_drum])
    bars = max(int(score.end // 4), 1)
    events = events[(events["onset"] < 4 * bars) & (events["velocity"] > 0)]
    turns = np.arange(-(-len(beats) // (4 * bars)) + 1)
    at = (events["onset"] + 4 * bars * turns[:, None]).ravel()
    hits = np.zeros(len(at), HIT)
    hits["start"] = np.interp(at, np.arange(len(beats)), beats, right=np.inf)
    hits["pitch"], hits["velocity"] = np.tile(events["pitch"], len(turns)), np.tile(events["velocity"], len(turns))
    return np.sort(hits[(hits["start"] >= 0) & (hits["start"] < seconds)], order="start")


def annotate_excerpt(score: Score, excerpt: Excerpt) -> AnnotatedPiece | None:
    """Notes, hits, beats and bars of an excerpt; None where too little is struck, or the metre is compound.

    The first beat is the bar line at or before its beginning where bars are known: where all bar lines within it are
    evenly apart, three or four beats or more.
    """
    notes: list[NDArray[np.void]] = []
    hits: list[NDArray[np.void]] = []
    for part in score.parts:
        events = part.events
        begins = score.seconds_at(events["onset"]) - excerpt.start
        keep = (begins >= 0) & (begins < excerpt.seconds) & (events["velocity"] > 0)
        rows = np.zeros(keep.sum(), HIT if part.is_drum else PITCH)
        (hits if part.is_drum else notes).append(rows)
        if not part.is_drum:
            rows["end"] = score.seconds_at(events["onset"] + events["duration"])[keep] - excerpt.start
        rows["start"], rows["pitch"], rows["velocity"] = begins[keep], events["pitch"][keep], events["velocity"][keep]
    struck = np.concatenate([rows["start"] for rows in (*notes, *hits)])
    if len(struck) < FEWEST_ONSETS or np.ptp(struck) < SHORTEST_SECONDS:
        return None
    labels = excerpt.path.parent.with_name(excerpt.path.parent.name + "_labels") / f"{excerpt.path.stem}.beats.txt"
    found = labelled_beats(labels) if labels.is_file() else written_beats(score)
    if found is None:
        return None
    beats, lines = found[0] - excerpt.start, np.flatnonzero(found[1])
    inside = lines[(beats[lines] >= 0) & (beats[lines] < excerpt.seconds)]
    lengths = np.diff(inside)
    even = len(lengths) > 1 and bool(np.all(lengths == lengths[0])) and lengths[0] > 2
    if even:
        first = int(inside[0] - lengths[0]) if beats[inside[0]] > 0 else int(inside[0])
        if first < 0:  # a bar that the file doesn't have is before its first
            ahead = beats[0] - (beats[1] - beats[0]) * np.arange(-first, 0, -1)
            beats, first = np.concatenate([ahead, beats]), 0
    else:
        first = int(np.searchsorted(beats, 0.0))
    beats = beats[first:]
    beats = beats[beats < excerpt.seconds + 4]
    places = np.interp(struck, beats, np.arange(len(beats))) % 1
    off = np.abs(places[:, None] - np.arange(13) / 12)[:, [0, 3, 4, 6, 8, 9, 12]].min(axis=1)
    known = bool((off < 0.04).mean() > ON_GRID)
    if not labels.is_file():
        length = int(lengths[0]) if even else 1
        bars_borne_out, beats_borne_out = borne_out(struck, beats, length)
        known, even = known and beats_borne_out, even and bars_borne_out
    return AnnotatedPiece(
        _sorted(np.concatenate([np.zeros(0, PITCH), *notes])),
        _sorted(np.concatenate([np.zeros(0, HIT), *hits])),
        beats,
        int(lengths[0]) if even else 4,
        known,
        known and even,
    )


def _sorted(rows: NDArray[np.void]) -> NDArray[np.void]:
    """Notes or hits by their start."""
    return rows[np.argsort(rows["start"], kind="stable")]


def borne_out(struck: Floats, beats: Floats, beats_per_bar: int) -> tuple[bool, bool]:
    """Whether notes bear out bar lines and beats: whether about as many start on them as on any other sixteenth."""
    sixteenths = np.rint(4 * np.interp(struck, beats, np.arange(len(beats)))).astype(int) % (4 * beats_per_bar)
    counts = np.bincount(sixteenths, minlength=4 * beats_per_bar)
    by_beat = counts.reshape(-1, 4).sum(axis=0)
    return bool(counts[0] >= BORNE_OUT_BARS * counts.max()), bool(by_beat[0] >= BORNE_OUT_BEATS * by_beat.max())


def labelled_beats(path: Path) -> tuple[Floats, NDArray[np.bool_]] | None:
    """Beats of a file of POP909's labels in seconds, and at which of them a bar of three or four begins."""
    table = np.loadtxt(path, ndmin=2)
    twos = np.diff(np.flatnonzero(table[:, 1]))
    in_three = len(twos) > 0 and float(np.median(twos)) == 3
    return table[:, 0], table[:, 1 if in_three else 2] > 0


def written_beats(score: Score) -> tuple[Floats, NDArray[np.bool_]] | None:
    """Quarter notes of a score in seconds, and at which of them a bar begins; None in a metre of eighths."""
    if any(metre.denominator != 4 for metre in score.metres):
        return None
    quarters = np.arange(np.ceil(score.end + 8), dtype=np.float64)
    is_line = np.zeros(len(quarters), bool)
    for metre, end in zip(score.metres, [*(one.start for one in score.metres[1:]), quarters[-1] + 1], strict=False):
        is_line[np.ceil(metre.start).astype(int) : int(np.ceil(end)) : metre.numerator] = True
    return score.seconds_at(quarters), is_line


def excerpt_midi(excerpt: Excerpt, hits: NDArray[np.void] | None = None) -> bytes:
    """A MIDI file of the excerpt at 120 bpm, with the last controls before it, and drum `hits` if any."""
    import symusic

    read: Any = symusic.Score(str(excerpt.path))
    whole = read.to("second")
    part: Any = symusic.Score(_TICKS // 2)
    part.tempos.append(symusic.Tempo(0, 120.0))
    for source in whole.tracks:
        track: Any = symusic.Track(source.name, source.program, source.is_drum)
        for note in source.notes:
            at = note.time - excerpt.start
            if 0 <= at < excerpt.seconds:
                length = max(round(min(note.duration, 30.0) * _TICKS), 1)
                track.notes.append(symusic.Note(round(at * _TICKS), length, note.pitch, note.velocity))
        for control in source.controls:
            if control.time < excerpt.start + excerpt.seconds:
                at = max(round((control.time - excerpt.start) * _TICKS), 0)
                track.controls.append(symusic.ControlChange(at, control.number, control.value))
        for bend in source.pitch_bends:
            if excerpt.start <= bend.time < excerpt.start + excerpt.seconds:
                track.pitch_bends.append(symusic.PitchBend(round((bend.time - excerpt.start) * _TICKS), bend.value))
        part.tracks.append(track)
    if hits is not None:
        drums: Any = symusic.Track("drums", 0, True)
        for hit in hits:
            at = round(float(hit["start"]) * _TICKS)
            drums.notes.append(symusic.Note(at, _TICKS // 8, int(hit["pitch"]), int(hit["velocity"])))
        part.tracks.append(drums)
    midi: bytes = part.dumps_midi()
    return midi


def transcribe_excerpt(excerpt: Excerpt, piece: AnnotatedPiece, soundfont: Path, cache: Path | None) -> AnnotatedPiece:
    """The piece with the notes and hits that are transcribed from its sound; kept in the folder `cache`, if any."""
    import soxr

    kept = None if cache is None else cache / f"{excerpt.name}-{soundfont.stem}.pkl"
    if kept is not None and kept.is_file():
        notes, hits = pickle.loads(kept.read_bytes())
        return replace(piece, notes=notes, hits=hits)
    midi = excerpt_midi(excerpt, None if excerpt.drums is None else piece.hits)
    sound = play(midi, soundfont, "midirenderer")[: int(excerpt.seconds * RATE_HZ)].mean(axis=1)
    samples = np.asarray(soxr.resample(sound, RATE_HZ, SAMPLE_RATE_HZ), np.float32)
    samples *= 0.8 / max(float(np.abs(samples).max()), 1e-3)
    notes, hits = find_pitches(samples), find_drum_hits(samples)
    if kept is not None:
        kept.write_bytes(pickle.dumps((notes, hits)))
    return replace(piece, notes=notes, hits=hits)
