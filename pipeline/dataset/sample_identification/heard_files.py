"""Samples and songs, of sound or scores: decoded, or played by a synthesizer, with their bars and notes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gan.spec import RollSpec
from pipeline.audio.decoding import SAMPLE_RATE_HZ, read_recording
from pipeline.audio.synthesizers import RATE_HZ, play, soundfont_path
from pipeline.dataset.sample_identification.loops import Floats
from pipeline.dataset.sample_identification.matching import HeardRecording, heard_recording
from pipeline.errors import UnusableError
from pipeline.scores.midi.score_midi import score_midi
from pipeline.scores.quantisation import BarSpan, mend_metre, usable_spans
from pipeline.scores.reading.score_files import read_scores
from pipeline.scores.score import Score
from pipeline.sources.catalog import locate

MAX_MEGABYTES = 32.0

SecondsAt = Callable[[Floats], Floats]
"""When moments in quarter notes come."""
HEARD_NOTE = np.dtype([("start", np.float64), ("end", np.float64), ("pitch", np.int64)])
"""A pitched note in seconds."""


@dataclass(frozen=True)
class MusicFile:
    """A sample or a song to be heard.

    Attributes
    ----------
    id, title
        As the catalog has them.
    where
        Where it lies, as the catalog says it.
    sha256
        Of its bytes.
    beats, beats_per_bar
        Of a recording: its beats in seconds, the first a bar line; empty for a score.
    transcription
        Of a recording: the MIDI file of its transcription.
    max_minutes
        Longer recordings are refused.
    """

    id: str
    title: str
    where: str
    sha256: str
    beats: tuple[float, ...] = ()
    beats_per_bar: int = 4
    transcription: str = ""
    max_minutes: float = 20.0


@dataclass(frozen=True, eq=False)
class HeardFile:
    """A file's sound and notes.

    Attributes
    ----------
    recording
        Its features and bars.
    notes
        Its pitched notes, dtype `HEARD_NOTE`, in seconds of the sound.
    first_bar
        The number of the bar that its first bar line begins.
    """

    recording: HeardRecording
    notes: NDArray[np.void]
    first_bar: int


def hear_file(file: MusicFile, spec: RollSpec, trust_metre: bool, pair_bars: bool) -> HeardFile:
    """Read a file. Raises `UnusableError` with one plain reason where it can't be read.

    Bars of a score are those of its longest stretch in the metre of `spec`, as phrases count them.
    """
    if file.beats:
        samples = read_recording(Path(file.where), file.max_minutes).samples
        beats = np.array(file.beats)
        (score,) = read_scores(Path(file.transcription), MAX_MEGABYTES)
        at = np.arange(len(beats), dtype=np.float64)
        notes = _pitched_notes(score, lambda quarters: np.interp(quarters, at, beats))
        return HeardFile(heard_recording(samples, beats, file.beats_per_bar), notes, 0)
    score = read_scores(locate(file.where), MAX_MEGABYTES)[0]
    span = _bars_of(score, spec, trust_metre, pair_bars)
    beats_per_bar = max(round(spec.quarters_per_bar), 1)
    quarters = span.start + np.arange(span.bars * beats_per_bar + 1) * spec.quarters_per_bar / beats_per_bar
    recording = heard_recording(play_score(score), score.seconds_at(quarters), beats_per_bar)
    return HeardFile(recording, _pitched_notes(score, score.seconds_at), span.first_bar)


def _bars_of(score: Score, spec: RollSpec, trust_metre: bool, pair_bars: bool) -> BarSpan:
    """The bars of a score: its longest stretch in the metre; of one that is too short, all counted from its start."""
    mended = mend_metre(score, spec) if trust_metre else score
    try:
        return max(usable_spans(mended, spec, trust_metre, pair_bars), key=lambda span: span.bars)
    except UnusableError:
        return BarSpan(0.0, max(int(np.ceil(score.end / spec.quarters_per_bar)), 1), 0)


def play_score(score: Score) -> NDArray[np.float32]:
    """A score as the synthesizer plays it, float32 `[samples]` at 44,100 Hz. Raises `UnusableError` without notes."""
    import soxr

    if not any(len(part.events) for part in score.parts):
        raise UnusableError("no notes")
    sound = play(score_midi(score), _soundfont(), "midirenderer").mean(axis=1)
    return np.asarray(soxr.resample(sound, RATE_HZ, SAMPLE_RATE_HZ), np.float32)


@cache
def _soundfont() -> Path:
    return soundfont_path(None)


def _pitched_notes(score: Score, seconds_at: SecondsAt) -> NDArray[np.void]:
    """All notes of pitched parts, by their start."""
    rows = [np.zeros(0, HEARD_NOTE)]
    for part in score.parts:
        if part.is_drum:
            continue
        own = np.zeros(len(part.events), HEARD_NOTE)
        own["start"] = seconds_at(part.events["onset"])
        own["end"] = seconds_at(part.events["onset"] + part.events["duration"])
        own["pitch"] = part.events["pitch"]
        rows.append(own)
    return np.sort(np.concatenate(rows), order=["start", "pitch"])
