"""Transcription evaluation: notes, beats, drum hits and rolls matched with the music that a recording was made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan.spec import RollSpec
from pipeline.scores.quantisation import BarSpan, quantise
from pipeline.scores.reading.score_files import read_scores
from pipeline.scores.score import Metre, Part, Score
from pipeline.scores.tracks import assign
from pipeline.settings.data import TracksSettings
from pipeline.transcription.beats.grid import Beats
from pipeline.transcription.corrections.alignment import notes_in_seconds, offset_by_notes
from pipeline.transcription.drums.drum_map import HIT
from pipeline.transcription.pitches.multipitch import PITCH, Pitches
from pipeline.transcription.training.f1_scores import MatchCounts
from pipeline.transcription.transcriber import Transcription

BEATS_PER_BAR = 4


@dataclass(frozen=True, eq=False)
class ReferenceMusic:
    """The music that a recording was made from, laid on the recording.

    Attributes
    ----------
    parts
        Its parts, in quarter notes from the MIDI file's beginning.
    notes, hits
        Pitched notes and drum hits at the recording's times, dtype `PITCH`.
    offset
        Seconds by which the recording begins before the MIDI file.
    bars
        Whole bars of four quarter notes that lie within the recording.
    bar_seconds, beats_seconds
        Where bars begin, and the beats from the first note to the last.
    first_beat
        Quarter notes from the MIDI file's beginning to the first of `beats_seconds`.
    """

    parts: tuple[Part, ...]
    notes: Pitches
    hits: Pitches
    offset: float
    bars: int
    bar_seconds: NDArray[np.float64]
    beats_seconds: NDArray[np.float64]
    first_beat: int


def read_reference(path: Path, estimated: Pitches, seconds: float) -> ReferenceMusic:
    """Read the MIDI file of a recording.

    Parameters
    ----------
    path
        The MIDI file.
    estimated
        Notes that were transcribed from the recording, by which the two are laid on one another.
    seconds
        How long the recording is.
    """
    score = read_scores(path, 100)[0]
    notes, hits = notes_in_seconds(score, False, PITCH), notes_in_seconds(score, True, PITCH)
    offset = offset_by_notes(estimated, notes)
    last = min(float(np.max(np.concatenate([notes["start"], hits["start"]]))), seconds - offset)
    first = float(np.min(np.concatenate([notes["start"], hits["start"]])))
    quarters = np.arange(int(np.ceil(score.end)) + BEATS_PER_BAR)
    moments = score.seconds_at(quarters.astype(float))
    inside = np.flatnonzero((moments >= first - 1e-3) & (moments <= last + 1e-3))
    bars = int((inside[-1] + 1) // BEATS_PER_BAR)
    for table in (notes, hits):
        table["start"] += offset
        table["end"] += offset
    return ReferenceMusic(
        parts=score.parts,
        notes=notes[notes["start"] < seconds],
        hits=hits[hits["start"] < seconds],
        offset=offset,
        bars=bars,
        bar_seconds=moments[: bars * BEATS_PER_BAR : BEATS_PER_BAR] + offset,
        beats_seconds=moments[inside] + offset,
        first_beat=int(inside[0]),
    )


NOTE_SECONDS, DRUM_SECONDS, BEAT_SECONDS = 0.05, 0.05, 0.07
"""How far an onset, a hit, a beat may be off, as is usual in the field."""

DRUM_CLASSES = {
    "kick": (36, 35),
    "snare": (38, 37, 39, 40),
    "hi-hat": (42, 44, 46),
    "cymbal": (49, 51, 52, 53, 55, 57, 59),
    "tom": (45, 41, 43, 47, 48, 50),
}
"""General MIDI percussion keys; the first stands for all in rolls."""

SoundingRoll = NDArray[np.bool_]


def all_counts(
    found: Transcription, reference: ReferenceMusic, spec: RollSpec, tracks: TracksSettings
) -> dict[str, MatchCounts]:
    """Matches of notes, beats, drums and rolls of one transcription."""
    drums = {f"drums, {name}": one for name, one in drum_counts(found, reference).items()}
    notes, beats = note_counts(found, reference), beat_counts(found.beats, reference)
    return {"notes": notes, "beats": beats, **drums, **roll_counts(found, reference, spec, tracks)}


def note_counts(transcription: Transcription, reference: ReferenceMusic) -> MatchCounts:
    """Pitched notes: the right pitch, and an onset at most 50 ms off."""
    notes = [notes for part, notes in timed_parts(transcription) if not part.is_drum]
    counts = MatchCounts()
    counts.add_notes(np.concatenate([np.zeros(0, PITCH), *notes]), reference.notes, NOTE_SECONDS)
    return counts


def drum_counts(transcription: Transcription, reference: ReferenceMusic) -> dict[str, MatchCounts]:
    """Drum hits by class, at most 50 ms off."""
    hits = np.concatenate([np.zeros(0, HIT), *(hits for part, hits in timed_parts(transcription) if part.is_drum)])
    counts = {name: MatchCounts() for name in DRUM_CLASSES}
    for name, keys in DRUM_CLASSES.items():
        estimated, own = (one["start"][np.isin(one["pitch"], keys)] for one in (hits, reference.hits))
        counts[name].add(estimated, own, DRUM_SECONDS)
    return counts


def beat_counts(beats: Beats, reference: ReferenceMusic) -> MatchCounts:
    """Beats from the first reference note to the last, at most 70 ms off."""
    own = reference.beats_seconds
    counts = MatchCounts()
    inside = (beats.seconds > own[0] - BEAT_SECONDS) & (beats.seconds < own[-1] + BEAT_SECONDS)
    counts.add(beats.seconds[inside], own, BEAT_SECONDS)
    return counts


def roll_of(parts: Sequence[Part], bars: int, spec: RollSpec, tracks: TracksSettings) -> SoundingRoll:
    """Sounding pitches of a score as `prepare` reads it: bool `[tracks, steps, 128]`; drums by class."""
    roll = np.zeros((spec.num_tracks, bars * spec.steps_per_bar, 128), bool)
    score = Score("", tuple(parts), (Metre(0.0, spec.beats_per_bar, 4),))
    notes = quantise(assign(score, tracks), BarSpan(0.0, bars, 0), spec)
    for track, pitch, onset, length in notes.tolist():
        if spec.tracks[track].is_drum:
            pitch = next((keys[0] for keys in DRUM_CLASSES.values() if pitch in keys), pitch)
        roll[track, onset : onset + length, pitch] = True
    return roll


def laid_by_bars(roll: SoundingRoll, beats: Beats, reference: ReferenceMusic, spec: RollSpec) -> SoundingRoll:
    """A transcription's roll laid over the true one, bar by bar.

    Each true bar is compared with as many steps of the transcription, from its beat nearest to where the true bar
    begins. So a wrong tempo counts within the bar, and a beat too many or too few does not spoil the bars after it.
    """
    laid = np.zeros((roll.shape[0], reference.bars * spec.steps_per_bar, 128), bool)
    for bar, seconds in enumerate(reference.bar_seconds.tolist()):
        first = int(np.rint(beats.position(seconds))) * spec.steps_per_beat
        steps = np.arange(first, first + spec.steps_per_bar)
        inside = (steps >= 0) & (steps < roll.shape[1])
        laid[:, bar * spec.steps_per_bar + np.flatnonzero(inside)] = roll[:, steps[inside]]
    return laid


def laid_by_count(roll: SoundingRoll, beats: Beats, reference: ReferenceMusic, spec: RollSpec) -> SoundingRoll:
    """A transcription's roll laid over the true one by counting from the first common beat.

    That is the first true beat with a beat of the transcription at most 70 ms away (without one, the first).
    """
    own = reference.beats_seconds
    mine = np.rint(beats.position(own)).astype(int)
    near = np.abs(beats.seconds[np.clip(mine, 0, len(beats.seconds) - 1)] - own) <= BEAT_SECONDS
    first = int(np.argmax(near))
    shift = (reference.first_beat + first - int(mine[first])) * spec.steps_per_beat
    laid = np.zeros((roll.shape[0], reference.bars * spec.steps_per_bar, 128), bool)
    steps = np.arange(laid.shape[1]) - shift
    inside = (steps >= 0) & (steps < roll.shape[1])
    laid[:, inside] = roll[:, steps[inside]]
    return laid


def roll_counts(
    transcription: Transcription, reference: ReferenceMusic, spec: RollSpec, tracks: TracksSettings
) -> dict[str, MatchCounts]:
    """Sounding steps of sixteenth-note rolls: of each family by itself, and of all pitches together."""
    end = max(float((part.events["onset"] + part.events["duration"]).max()) for part in transcription.parts)
    mine = roll_of(transcription.parts, int(np.ceil(end / spec.beats_per_bar)) + 1, spec, tracks)
    own = roll_of(reference.parts, reference.bars, spec, tracks)
    pitched = list(spec.pitched)
    counts = {}
    for name, lay in (("bars", laid_by_bars), ("count", laid_by_count)):
        laid = lay(mine, transcription.beats, reference, spec)
        counts[f"families by {name}"] = _overlap(laid, own)
        counts[f"pitches by {name}"] = _overlap(np.any(laid[pitched], axis=0), np.any(own[pitched], axis=0))
    return counts


def _overlap(estimated: Any, reference: Any) -> MatchCounts:
    return MatchCounts(int((estimated & reference).sum()), int(estimated.sum()), int(reference.sum()))


def timed_parts(transcription: Transcription) -> list[tuple[Part, NDArray[np.void]]]:
    """The parts and their notes or hits in seconds."""
    return list(zip(transcription.parts, transcription.timed_notes, strict=True))
