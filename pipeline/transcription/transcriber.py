"""Automatic music transcription: a recording to notes on a grid of beats, as drums, bass and the rest."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.errors import UnusableError
from pipeline.scores.score import Events, Part, make_events
from pipeline.settings.transcribe import REST_FAMILIES
from pipeline.transcription.bass import BASS_PROGRAM, bass_line
from pipeline.transcription.beats.bar_length import BarLength, divides_in_three, divides_in_two, find_bar_length
from pipeline.transcription.beats.grid import Beats, find_beats
from pipeline.transcription.beats.tempo_changes import tempo_remarks
from pipeline.transcription.drums.bandwidth import band_limit, limit_hz
from pipeline.transcription.drums.features import band_power
from pipeline.transcription.drums.hits import hits_of_power
from pipeline.transcription.pitches import Pitches, find_pitches

HIT_BEATS = 0.25
"""How long a drum hit lasts in a score, which says nothing of its sound."""
SHORTEST_BEATS = 1 / 24
WITH_DOTTED = (2, 3, 4)
"""Bars of so many beats there are with dotted beats too: 6/8, 9/8, 12/8."""
USUAL_DOTTED_BPM = 85.0
"""A usual tempo of dotted beats."""
TREBLE_HZ = 9000.0
"""A recording that ends below has too little of snare and cymbals."""


@dataclass(frozen=True)
class TranscriptionHints:
    """What is known of a recording besides its sound, and where its notes are to go.

    Attributes
    ----------
    rest
        The family that pitched notes go to which are no bass: one of `REST_FAMILIES`.
    bpm, downbeat_seconds
        Tempo and where a bar begins, None where they are to be found.
    beats_per_bar
        Beats (quarter notes, or dotted ones in 6/8) of each bar.
    recognise_metre
        Whether bars of another length are recognised.
    is_compound
        Whether the beats are to divide in three, as in 6/8.
    """

    rest: str = "Piano"
    bpm: float | None = None
    downbeat_seconds: float | None = None
    beats_per_bar: int = 4
    recognise_metre: bool = True
    is_compound: bool = False


@dataclass(frozen=True, eq=False)
class Transcription:
    """The notes and beats of a recording.

    Attributes
    ----------
    parts
        Those that have notes: drums, bass, and the rest, in quarter notes from the first bar line.
    beats
        The grid.
    timed_notes
        For each part the notes or hits in seconds: dtypes `PITCH`, and `HIT` for drums.
    seconds
        How long the recording is.
    remarks
        What was guessed, a sentence part each.
    """

    parts: tuple[Part, ...]
    beats: Beats
    timed_notes: tuple[NDArray[np.void], ...]
    seconds: float
    remarks: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """Notes by the name of the part."""
        return {part.name: len(part.events) for part in self.parts}


def transcribe_samples(samples: NDArray[np.float32], hints: TranscriptionHints) -> Transcription:
    """Transcribe sound: float32 `[samples]`, mono at 44,100 Hz.

    Raises
    ------
    UnusableError
        There are no notes in it.
    UserError
        A package that this takes is missing.
    """
    power = band_power(samples)
    hits = hits_of_power(power)
    pitches = find_pitches(samples)
    if not len(pitches) and not len(hits):
        raise UnusableError("no notes are found in it")
    remarks = []
    limit = band_limit(power)
    if limit is not None and limit_hz(limit) < TREBLE_HZ:
        remarks.append(f"nothing sounds above {round(limit_hz(limit) / 1000)} kHz: its snare and cymbals are guessed")
    beats = find_beats(samples, pitches, hits, hints.bpm, hints.downbeat_seconds, hints.beats_per_bar)
    if hints.recognise_metre:
        beats = in_recognised_bars(samples, pitches, hits, beats, hints)
        remarks += _metre_remarks(beats, hints, divides_in_three(pitches, hits, beats))
    remarks += tempo_remarks(beats)
    found = on_beats(pitches, hits, beats, hints.rest, len(samples) / SAMPLE_RATE_HZ)
    return replace(found, remarks=tuple(remarks))


def in_recognised_bars(
    samples: NDArray[np.float32], pitches: Pitches, hits: NDArray[np.void], beats: Beats, hints: TranscriptionHints
) -> Beats:
    """The beats again, in bars of the length that the music repeats itself at; as they are where that is theirs."""
    found = find_bar_length(pitches, hits, beats)
    length, bpm = found.beats_per_bar, hints.bpm
    if hints.is_compound:
        if length != 3 or bpm is not None:
            return beats
        # what was found are quarter or eighth notes: a dotted beat is one and a half or three of them
        bpm = min(beats.bpm / 1.5, beats.bpm / 3, key=lambda dotted: abs(np.log(dotted / USUAL_DOTTED_BPM)))
        length = hints.beats_per_bar
    elif found == BarLength(beats.beats_per_bar, 1) or (bpm is not None and found.beats_per_found_beat > 1):
        return beats
    elif length == 3 and bpm is None:
        # four beats whose tempo was taken for one and a half of it come back after three as well
        slower = find_beats(
            samples, pitches, hits, beats.bpm / 1.5, hints.downbeat_seconds, beats_per_bar=hints.beats_per_bar
        )
        if divides_in_two(pitches, hits, slower):
            return slower
    bpm = bpm or beats.bpm * found.beats_per_found_beat
    return find_beats(samples, pitches, hits, bpm, hints.downbeat_seconds, length)


def _metre_remarks(beats: Beats, hints: TranscriptionHints, in_three: bool) -> list[str]:
    """What is to be said of a recording that is in another metre than was asked for."""
    taken, asked = beats.beats_per_bar, hints.beats_per_bar
    if hints.is_compound:
        return [] if in_three else ["its beats do not divide in three: data.metre=4/4 takes such music"]
    if taken != asked:
        advice = f"data.metre={taken}/4 takes such music, transcribe.recognise_metre=false keeps {asked}/4"
        return [f"sounds like {taken}/4 and not {asked}/4: {advice}"]
    if in_three and taken in WITH_DOTTED:
        return [f"its beats divide in three: data.metre={3 * taken}/8 takes such music"]
    return []


def on_beats(pitches: Pitches, hits: NDArray[np.void], beats: Beats, rest: str, seconds: float) -> Transcription:
    """Quantisation to beats: notes and hits in seconds as parts in quarter notes."""
    is_bass = bass_line(pitches)
    found = (
        (Part("Drums", 0, True, _hit_events(hits, beats)), hits),
        (Part("Bass", BASS_PROGRAM, False, _note_events(pitches[is_bass], beats)), pitches[is_bass]),
        (Part(rest, REST_FAMILIES[rest], False, _note_events(pitches[~is_bass], beats)), pitches[~is_bass]),
    )
    kept = [(part, notes) for part, notes in found if len(notes)]
    return Transcription(tuple(part for part, _ in kept), beats, tuple(notes for _, notes in kept), seconds)


def _note_events(notes: Pitches, beats: Beats) -> Events:
    """Notes in quarter notes."""
    onset = beats.position(notes["start"])
    duration = np.maximum(beats.position(notes["end"]) - onset, SHORTEST_BEATS)
    return make_events(np.maximum(onset, 0), duration, notes["pitch"], notes["velocity"])


def _hit_events(hits: NDArray[np.void], beats: Beats) -> Events:
    """Drum hits in quarter notes."""
    onset = np.maximum(beats.position(hits["start"]), 0)
    return make_events(onset, np.full(len(hits), HIT_BEATS), hits["pitch"], hits["velocity"])
