"""What surrounds a note and tells how loud and how late it is played: place in the bar, chord, line, density.

Notes are told apart by what plays them, their *voice*: a drum of the set, or a pitched track that is a bass, a melody
or has chords.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan.spec import RollSpec
from pipeline.scores.notes import Notes


class PlayedVoice(IntEnum):
    """What plays a note; the numbers are those of the tables of weights."""

    KICK = 0
    SNARE = 1
    HAT = 2
    CYMBAL = 3
    TOM = 4
    OTHER_DRUM = 5
    BASS = 6
    MELODY = 7
    CHORDS = 8


DRUM_VOICES = {
    **dict.fromkeys((35, 36), PlayedVoice.KICK),
    **dict.fromkeys((38, 40), PlayedVoice.SNARE),
    **dict.fromkeys((42, 44, 46, 22, 26), PlayedVoice.HAT),
    **dict.fromkeys((49, 51, 52, 53, 55, 57, 59), PlayedVoice.CYMBAL),
    **dict.fromkeys((41, 43, 45, 47, 48, 50, 58), PlayedVoice.TOM),
}
"""Of General MIDI's percussion, with the pitches that Roland's sets have for the edge of the hi-hat."""
PLACES = 16
"""Places in a bar that have accents of their own: four beats of four parts."""
MOST_CHORDS = 0.15
"""The share of onsets with more than one note up to which a track is one line."""
HIGHEST_BASS = 50
"""Median pitch up to which a line is a bass."""
LINE = 8
"""Notes over which the middle of a line is taken."""
FEATURES = (
    "beats around",  # onsets of the voice in the beat around, log2
    "notes around",  # notes of all tracks in the bar around, log2
    "gap before",
    "gap after",
    "length",
    "chord size",
    "is top",
    "is bottom",
    "above the line",
    "move",
    "leap",
    "is peak",
    "is repeated",
    "other drums",
    "with kick or crash",
    "phrase begins",
    "phrase ends",
)
"""Beside the place in the bar; times in steps of a quarter of a beat, as logarithms."""


def voices_of(notes: Notes, spec: RollSpec) -> NDArray[np.int8]:
    """The `PlayedVoice` of each track, int8 `[tracks]`; of drums `KICK`, which stands for the set."""
    voices = np.full(spec.num_tracks, PlayedVoice.CHORDS, np.int8)
    for track, kind in enumerate(spec.tracks):
        own = notes[notes["track"] == track]
        if kind.is_drum:
            voices[track] = PlayedVoice.KICK
        elif len(own):
            counts = np.unique(own["onset"], return_counts=True)[1]
            if np.mean(counts > 1) <= MOST_CHORDS:
                is_bass = np.median(own["pitch"]) <= HIGHEST_BASS
                voices[track] = PlayedVoice.BASS if is_bass else PlayedVoice.MELODY
    return voices


def note_voices(notes: Notes, voices: NDArray[np.int8], spec: RollSpec) -> NDArray[np.int8]:
    """The `PlayedVoice` of each note, given those of the tracks."""
    drums = np.full(256, PlayedVoice.OTHER_DRUM, np.int8)
    for pitch, voice in DRUM_VOICES.items():
        drums[pitch] = voice
    is_drum = np.array([track.is_drum for track in spec.tracks], bool)[notes["track"]]
    of_notes = np.where(is_drum, drums[np.clip(notes["pitch"], 0, 127)], voices[notes["track"]])
    return np.asarray(of_notes, dtype=np.int8)


def places_of(steps: NDArray[np.int64], spec: RollSpec) -> NDArray[np.int64]:
    """The place of each step in its bar, 0 to 15, as in a bar of 4/4 in sixteenths.

    The first and the middle beat of a bar are the first and third of 4/4, the others its second or fourth. Of a beat
    the second eighth is place 2, also in 6/8, where each of its later eighths is; what comes between is 1 or 3.
    """
    beat, within = np.divmod(steps % spec.steps_per_bar, spec.steps_per_beat)
    middle = spec.beats_per_bar // 2 if spec.beats_per_bar % 2 == 0 else -1
    of_bar = np.where(beat == 0, 0, np.where(beat == middle, 2, np.where(beat > spec.beats_per_bar / 2, 3, 1)))
    is_eighth = within * spec.eighths_per_beat % spec.steps_per_beat == 0
    of_beat = np.where(within == 0, 0, np.where(is_eighth, 2, np.where(2 * within < spec.steps_per_beat, 1, 3)))
    return np.asarray(4 * of_bar + of_beat)


def note_context(notes: Notes, voices: NDArray[np.int8], spec: RollSpec) -> NDArray[np.float32]:
    """Features of each note, float32 `[notes, len(FEATURES)]`.

    Parameters
    ----------
    notes
        A stretch of music in canonical order whose first bar begins a phrase.
    voices
        `[notes]`, see `note_voices`.
    spec
        Tracks and grid.
    """
    count = len(notes)
    found: dict[str, NDArray[Any]] = dict.fromkeys(FEATURES, np.zeros(count))
    if not count:
        return np.zeros((0, len(FEATURES)), np.float32)
    step = notes["onset"].astype(np.int64)
    units = 4 / spec.steps_per_beat
    line = notes["track"].astype(np.int64) * len(PlayedVoice) + voices
    order = np.lexsort((notes["pitch"], step, line))
    line_here, step_here, pitch_here = line[order], step[order], notes["pitch"][order].astype(np.float64)
    begins = np.r_[True, (line_here[1:] != line_here[:-1]) | (step_here[1:] != step_here[:-1])]
    group = np.cumsum(begins) - 1
    first = np.flatnonzero(begins)
    size = np.diff(np.r_[first, count])
    top, group_line, group_step = pitch_here[first + size - 1], line_here[first], step_here[first]
    same_before = np.r_[False, group_line[1:] == group_line[:-1]]
    same_after = np.r_[same_before[1:], False]
    far = 4.0 * spec.steps_per_beat
    before = np.where(same_before, np.r_[far, np.diff(group_step)], far)
    after = np.where(same_after, np.r_[np.diff(group_step), far], far)
    move = np.where(same_before, np.r_[0.0, np.diff(top)], 0.0)
    next_move = np.where(same_after, np.r_[np.diff(top), 0.0], 0.0)

    def scattered(of_groups: NDArray[Any]) -> NDArray[np.float64]:
        spread = np.empty(count)
        spread[order] = of_groups[group]
        return spread

    def log_steps(steps: NDArray[Any]) -> NDArray[np.float64]:
        return np.asarray(np.log2(np.clip(steps * units, 0.5, 16)))

    is_drum = voices < PlayedVoice.BASS
    found["gap before"], found["gap after"] = scattered(log_steps(before)), scattered(log_steps(after))
    found["length"] = np.where(is_drum, 0, log_steps(notes["length"].astype(np.float64)))
    found["chord size"] = np.asarray(np.log2(scattered(size.astype(np.float64))))
    last = np.zeros(count, bool)
    last[order] = np.r_[begins[1:], True]
    lowest = np.zeros(count, bool)
    lowest[order] = begins
    several = found["chord size"] > 0
    found["is top"], found["is bottom"] = (last & several) * 1.0, (lowest & several) * 1.0
    middle = np.concatenate([_running_mean(top[group_line == one]) for one in np.unique(group_line)])
    found["above the line"] = np.where(is_drum, 0, np.clip(notes["pitch"] - scattered(middle), -24, 24) / 12)
    found["move"] = np.where(is_drum, 0, np.clip(scattered(move), -12, 12) / 12)
    found["leap"] = np.abs(found["move"])
    found["is peak"] = np.where(is_drum, 0, scattered(((move > 0) & (next_move < 0)) * 1.0))
    found["is repeated"] = np.where(is_drum, 0, scattered((same_before & (move == 0)) * 1.0))
    found["beats around"] = np.log2(1 + scattered(_around(group_line, group_step, spec.steps_per_beat)))
    found["notes around"] = np.log2(1 + _around(np.zeros(count, np.int64), step, spec.steps_per_bar / 2))
    for voice, weight in ((PlayedVoice.KICK, 1.0), (PlayedVoice.CYMBAL, 1.0)):
        found["with kick or crash"] = found["with kick or crash"] + weight * (
            is_drum & (voices != voice) & np.isin(step, step[voices == voice])
        )
    struck = np.bincount(step[is_drum], minlength=int(step.max()) + 1)
    found["other drums"] = np.where(is_drum, np.log2(np.maximum(struck[step], 1)), 0)
    bar = step // spec.steps_per_bar % 4
    found["phrase begins"], found["phrase ends"] = (bar == 0) * 1.0, (bar == 3) * 1.0
    return np.stack([found[name] for name in FEATURES], axis=1).astype(np.float32)


def _running_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of up to `LINE` values before each and after it."""
    total = np.r_[0.0, np.cumsum(values)]
    at = np.arange(len(values))
    low, high = np.maximum(at - LINE, 0), np.minimum(at + LINE + 1, len(values))
    return np.asarray((total[high] - total[low]) / (high - low))


def _around(lines: NDArray[np.int64], steps: NDArray[np.int64], reach: float) -> NDArray[np.float64]:
    """How many others of the same line there are within `reach` steps of each."""
    span = int(steps.max(initial=0) + 2 * reach + 2)
    keys = lines * span + steps
    ordered = np.sort(keys)
    most, least = np.searchsorted(ordered, keys + reach, side="right"), np.searchsorted(ordered, keys - reach)
    return (most - least - 1).astype(np.float64)
