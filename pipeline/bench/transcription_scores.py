"""How well a transcription fits the music that a recording was made from.

All figures are F1: the harmonic mean of precision and recall, 1 is perfect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan.spec import RollSpec
from pipeline.scores.quantisation import BarSpan, quantise
from pipeline.scores.reading import read_scores
from pipeline.scores.score import DEFAULT_BPM, Metre, Part, Score
from pipeline.scores.tracks import assign
from pipeline.settings.music import TracksSettings
from pipeline.transcription.beats.tracking import Beats
from pipeline.transcription.pitches import PITCH, Pitches
from pipeline.transcription.transcriber import Transcription

BEATS_PER_BAR = 4
MOST_SECONDS = 10.0
"""A recording begins at most this much before or after its MIDI file."""
BIN_SECONDS = 0.01


@dataclass(frozen=True, eq=False)
class Truth:
    """The music of one recording.

    Attributes
    ----------
    parts
        Its parts, in quarter notes from the MIDI file's beginning.
    notes, hits
        Pitched notes and drum hits at the recording's times, dtype `PITCH`.
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
    bars: int
    bar_seconds: NDArray[np.float64]
    beats_seconds: NDArray[np.float64]
    first_beat: int


def read_truth(path: Path, heard: Pitches, seconds: float) -> Truth:
    """Read the MIDI file of a recording.

    Parameters
    ----------
    path
        The MIDI file.
    heard
        Notes that were heard in the recording, by which the two are laid on one another.
    seconds
        How long the recording is.
    """
    score = read_scores(path, 100)[0]
    notes, hits = _in_seconds(score, False), _in_seconds(score, True)
    offset = find_offset(heard, notes)
    last = min(float(np.max(np.concatenate([notes["start"], hits["start"]]))), seconds - offset)
    first = float(np.min(np.concatenate([notes["start"], hits["start"]])))
    quarters = np.arange(int(np.ceil(score.end)) + BEATS_PER_BAR)
    moments = seconds_at(score, quarters.astype(float))
    inside = np.flatnonzero((moments >= first - 1e-3) & (moments <= last + 1e-3))
    bars = int((inside[-1] + 1) // BEATS_PER_BAR)
    for table in (notes, hits):
        table["start"] += offset
        table["end"] += offset
    return Truth(
        parts=score.parts,
        notes=notes[notes["start"] < seconds],
        hits=hits[hits["start"] < seconds],
        bars=bars,
        bar_seconds=moments[: bars * BEATS_PER_BAR : BEATS_PER_BAR] + offset,
        beats_seconds=moments[inside] + offset,
        first_beat=int(inside[0]),
    )


def seconds_at(score: Score, quarters: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quarter notes in seconds, by the tempi of a score."""
    tempos = [(0.0, DEFAULT_BPM), *score.tempos]
    starts, bpms = np.array([start for start, _ in tempos]), np.array([bpm for _, bpm in tempos])
    reached = np.concatenate([[0.0], np.cumsum(np.diff(starts) * 60 / bpms[:-1])])
    at = np.searchsorted(starts, quarters, side="right") - 1
    seconds: NDArray[np.float64] = reached[at] + (quarters - starts[at]) * 60 / bpms[at]
    return seconds


def find_offset(heard: Pitches, true: Pitches) -> float:
    """Seconds by which heard notes come after the true ones: the difference that most pairs of one pitch have."""
    edges = np.arange(-MOST_SECONDS, MOST_SECONDS + BIN_SECONDS, BIN_SECONDS)
    counts = np.zeros(len(edges) - 1)
    pairs = []
    for pitch in np.unique(heard["pitch"]):
        mine, own = heard["start"][heard["pitch"] == pitch], true["start"][true["pitch"] == pitch]
        differences = (mine[:, None] - own).ravel()
        differences = differences[np.abs(differences) < MOST_SECONDS]
        counts += np.histogram(differences, edges)[0]
        pairs.append(differences)
    smooth = np.convolve(counts, np.ones(5), "same")
    coarse = edges[int(np.argmax(smooth))] + BIN_SECONDS / 2
    near = np.concatenate(pairs) if pairs else np.zeros(0)
    near = near[np.abs(near - coarse) < 3 * BIN_SECONDS]
    return float(np.median(near)) if len(near) else 0.0


def _in_seconds(score: Score, drums: bool) -> Pitches:
    """The notes of a score, drums or all others, in seconds, sorted by start."""
    parts = [part.events for part in score.parts if part.is_drum == drums and len(part.events)]
    if not parts:
        return np.zeros(0, PITCH)
    events = np.concatenate(parts)
    table = np.zeros(len(events), PITCH)
    table["start"] = seconds_at(score, events["onset"])
    table["end"] = seconds_at(score, events["onset"] + events["duration"])
    table["pitch"], table["velocity"] = events["pitch"], events["velocity"]
    return np.sort(table, order=("start", "pitch"))


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

Moments = NDArray[np.float64]
Roll = NDArray[np.bool_]


@dataclass
class Tally:
    """Counts of which F1 is made; they add up over pieces."""

    hits: int = 0
    found: int = 0
    true: int = 0

    def add(self, hits: int, found: int, true: int) -> None:
        """Count more."""
        self.hits, self.found, self.true = self.hits + hits, self.found + found, self.true + true

    @property
    def f1(self) -> float | None:
        """None where there is nothing to find and nothing was found."""
        both = self.found + self.true
        return 2 * self.hits / both if both else None


def num_matched(found: Moments, true: Moments, tolerance: float) -> int:
    """Pairs of a found and a true moment at most `tolerance` apart, each in one pair at most; as many as can be."""
    found, true = np.sort(found), np.sort(true)
    count = at = 0
    for moment in found.tolist():
        while at < len(true) and true[at] < moment - tolerance:
            at += 1
        if at < len(true) and true[at] <= moment + tolerance:
            count, at = count + 1, at + 1
    return count


def note_tally(transcription: Transcription, truth: Truth) -> Tally:
    """Pitched notes: the right pitch, and an onset at most 50 ms off."""
    found = [notes for part, notes in _families(transcription) if not part.is_drum]
    notes = (
        np.concatenate([np.stack([one["start"], one["pitch"]]) for one in found], axis=1) if found else np.zeros((2, 0))
    )
    tally = Tally(0, notes.shape[1], len(truth.notes))
    for pitch in np.unique(notes[1]):
        own = truth.notes["start"][truth.notes["pitch"] == pitch]
        tally.hits += num_matched(notes[0][notes[1] == pitch], own, NOTE_SECONDS)
    return tally


def drum_tallies(transcription: Transcription, truth: Truth) -> dict[str, Tally]:
    """Drum hits by class, at most 50 ms off."""
    found = [notes for part, notes in _families(transcription) if part.is_drum]
    tallies = {}
    for name, keys in DRUM_CLASSES.items():
        mine = np.concatenate([one["start"][np.isin(one["pitch"], keys)] for one in found]) if found else np.zeros(0)
        own = truth.hits["start"][np.isin(truth.hits["pitch"], keys)]
        tallies[name] = Tally(num_matched(mine, own, DRUM_SECONDS), len(mine), len(own))
    return tallies


def beat_tally(beats: Beats, truth: Truth) -> Tally:
    """Beats from the first true note to the last, at most 70 ms off."""
    own = truth.beats_seconds
    mine = beats.seconds[(beats.seconds > own[0] - BEAT_SECONDS) & (beats.seconds < own[-1] + BEAT_SECONDS)]
    return Tally(num_matched(mine, own, BEAT_SECONDS), len(mine), len(own))


def roll_of(parts: Sequence[Part], bars: int, spec: RollSpec, tracks: TracksSettings) -> Roll:
    """Which pitches sound, as `prepare` reads a score: bool `[tracks, steps, 128]`; drums by class."""
    roll = np.zeros((spec.num_tracks, bars * spec.steps_per_bar, 128), bool)
    score = Score("", tuple(parts), (Metre(0.0, spec.beats_per_bar, 4),))
    notes = quantise(assign(score, tracks), BarSpan(0.0, bars, 0), spec)
    for track, pitch, onset, length in notes.tolist():
        if spec.tracks[track].is_drum:
            pitch = next((keys[0] for keys in DRUM_CLASSES.values() if pitch in keys), pitch)
        roll[track, onset : onset + length, pitch] = True
    return roll


def laid_by_bars(roll: Roll, beats: Beats, truth: Truth, spec: RollSpec) -> Roll:
    """A transcription's roll laid over the true one, bar by bar.

    Each true bar is compared with as many steps of the transcription, from its beat nearest to where the true bar
    begins. So a wrong tempo counts within the bar, and a beat too many or too few does not spoil the bars after it.
    """
    laid = np.zeros((roll.shape[0], truth.bars * spec.steps_per_bar, 128), bool)
    for bar, seconds in enumerate(truth.bar_seconds.tolist()):
        first = int(np.rint(beats.position(seconds))) * spec.steps_per_beat
        steps = np.arange(first, first + spec.steps_per_bar)
        inside = (steps >= 0) & (steps < roll.shape[1])
        laid[:, bar * spec.steps_per_bar + np.flatnonzero(inside)] = roll[:, steps[inside]]
    return laid


def laid_by_count(roll: Roll, beats: Beats, truth: Truth, spec: RollSpec) -> Roll:
    """A transcription's roll laid over the true one by counting from the first common beat.

    That is the first true beat with a beat of the transcription at most 70 ms away (without one, the first).
    """
    own = truth.beats_seconds
    mine = np.rint(beats.position(own)).astype(int)
    near = np.abs(beats.seconds[np.clip(mine, 0, len(beats.seconds) - 1)] - own) <= BEAT_SECONDS
    first = int(np.argmax(near))
    shift = (truth.first_beat + first - int(mine[first])) * spec.steps_per_beat
    laid = np.zeros((roll.shape[0], truth.bars * spec.steps_per_bar, 128), bool)
    steps = np.arange(laid.shape[1]) - shift
    inside = (steps >= 0) & (steps < roll.shape[1])
    laid[:, inside] = roll[:, steps[inside]]
    return laid


def roll_tallies(
    transcription: Transcription, truth: Truth, spec: RollSpec, tracks: TracksSettings
) -> dict[str, Tally]:
    """Sounding steps of sixteenth-note rolls: of each family by itself, and of all pitches together."""
    end = max(float((part.events["onset"] + part.events["duration"]).max()) for part in transcription.parts)
    mine = roll_of(transcription.parts, int(np.ceil(end / spec.beats_per_bar)) + 1, spec, tracks)
    own = roll_of(truth.parts, truth.bars, spec, tracks)
    pitched = list(spec.pitched)
    tallies = {}
    for name, lay in (("bars", laid_by_bars), ("count", laid_by_count)):
        laid = lay(mine, transcription.beats, truth, spec)
        tallies[f"families by {name}"] = _overlap(laid, own)
        tallies[f"pitches by {name}"] = _overlap(np.any(laid[pitched], axis=0), np.any(own[pitched], axis=0))
    return tallies


def _overlap(found: Any, true: Any) -> Tally:
    return Tally(int((found & true).sum()), int(found.sum()), int(true.sum()))


def _families(transcription: Transcription) -> list[tuple[Part, NDArray[np.void]]]:
    return list(zip(transcription.parts, transcription.families, strict=True))
