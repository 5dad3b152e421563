"""Automatic music transcription: a recording to notes on a grid of beats, as the parts of a band, and its chords."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.errors import UnusableError
from pipeline.scores.chords.symbols import ChordRows, unknown_chords
from pipeline.scores.score import Events, Part, make_events
from pipeline.scores.tracks import UNSURE_PART
from pipeline.settings.transcribe import FAMILY_PROGRAMS
from pipeline.transcription.beats.bar_length import BarLength, divides_in_three, divides_in_two, find_bar_length
from pipeline.transcription.beats.grid import Beats, find_beats
from pipeline.transcription.beats.tempo_changes import tempo_remarks
from pipeline.transcription.chords import recognise_chords
from pipeline.transcription.corrections.correction_files import Corrections
from pipeline.transcription.corrections.given_beats import BarHints, grid_of_beats
from pipeline.transcription.corrections.given_notes import GivenNotes, lay_notes
from pipeline.transcription.corrections.stems import hear_stems
from pipeline.transcription.drums.bandwidth import band_limit, limit_hz
from pipeline.transcription.drums.features import band_power
from pipeline.transcription.drums.hits import hits_of_power
from pipeline.transcription.instruments.decoding import STEP_SECONDS
from pipeline.transcription.instruments.features import spectral_features
from pipeline.transcription.instruments.network import label_points, load_network
from pipeline.transcription.instruments.parts import HeardPart, hear_parts
from pipeline.transcription.pitches.loudness import are_loud, loudness_floor
from pipeline.transcription.pitches.multipitch import (
    NoteDecoding,
    Pitches,
    decode_notes,
    find_pitches,
    pitch_activations,
)
from pipeline.transcription.repeated_bars import repeated_bars

HIT_BEATS = 0.25
"""How long a drum hit lasts in a score, which says nothing of its sound."""
SHORTEST_BEATS = 1 / 24
STEM_PROGRAMS = FAMILY_PROGRAMS | {"Lead": 53}
"""General MIDI programs, from 0, of tracks that have stems of their own; vocals are the tune."""
STEM_NOTES_RIGHT = 0.65
"""The share of the notes of stems that are right, as measured on rendered pieces."""
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
        The family of all pitched notes that are neither the tune nor bass: Piano, Guitar or Strings. None tells them
        apart by their sound.
    bpm, downbeat_seconds
        Tempo and where a bar begins, None where they are to be found.
    beats_per_bar
        Beats (quarter notes, or dotted ones in 6/8) of each bar.
    recognise_metre
        Whether bars of another length are recognised.
    is_compound
        Whether the beats are to divide in three, as in 6/8.
    """

    rest: str | None = None
    bpm: float | None = None
    downbeat_seconds: float | None = None
    beats_per_bar: int = 4
    recognise_metre: bool = True
    is_compound: bool = False


@dataclass(frozen=True, eq=False)
class Transcription:
    """The notes, chords and beats of a recording.

    Attributes
    ----------
    parts
        Those that have notes, drums first, in quarter notes from the first bar line; `UNSURE_PART` is the name of the
        part that holds what nobody can tell the instrument of.
    beats
        The grid.
    timed_notes
        For each part the notes or hits in seconds: dtypes `PITCH`, and `HIT` for drums.
    seconds
        How long the recording is.
    remarks
        What was guessed, a sentence part each.
    given
        The MIDI file that these notes were given in, where they were not heard.
    right
        For each part the probability that each note is right, float64 `[notes]`; empty where nobody asked.
    known
        Tracks of the track set `pop` that the recording teaches; what the others play is not known. None where nobody
        asked.
    confidence
        How surely the notes of each bar were heard, 0 to 1, float64 `[bars]`; empty where nobody asked.
    returns
        For each bar the earlier one that it sounds like, `NEW` where it sounds like none, int64 `[bars]`; empty where
        nobody asked.
    chords, chord_confidence
        The chord of each half bar, int8 `[2 * bars, 3]`, and how surely it was heard, 0 to 1, float64 `[2 * bars]`;
        empty where nobody listened for chords.
    """

    parts: tuple[Part, ...]
    beats: Beats
    timed_notes: tuple[NDArray[np.void], ...]
    seconds: float
    remarks: tuple[str, ...] = ()
    given: GivenNotes | None = None
    right: tuple[NDArray[np.float64], ...] = ()
    known: tuple[str, ...] | None = None
    confidence: NDArray[np.float64] = field(default_factory=lambda: np.ones(0))
    returns: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    chords: ChordRows = field(default_factory=lambda: unknown_chords(0))
    chord_confidence: NDArray[np.float64] = field(default_factory=lambda: np.ones(0))

    @property
    def counts(self) -> dict[str, int]:
        """Notes by the name of the part."""
        counts: Counter[str] = Counter()
        for part in self.parts:
            counts[part.name or ("Drums" if part.is_drum else "unnamed")] += len(part.events)
        return dict(counts)

    @property
    def bars(self) -> int:
        """Bars from the first bar line to the end of the last note."""
        end = max(float((part.events["onset"] + part.events["duration"]).max()) for part in self.parts)
        return math.ceil(end / self.beats.beats_per_bar)


def bar_confidence(
    parts: Sequence[Part], right: Sequence[NDArray[np.float64]], bars: int, beats_per_bar: int
) -> NDArray[np.float64]:
    """Mean probability of the pitched notes that sound in each bar, weighted by how long they do, `[bars]`."""
    total, seconds = np.zeros(bars), np.zeros(bars)
    for part, own in zip(parts, right, strict=True):
        if part.is_drum:
            continue
        begin = part.events["onset"] / beats_per_bar
        end = begin + part.events["duration"] / beats_per_bar
        for bar in range(bars):
            inside = (np.minimum(end, bar + 1) - np.maximum(begin, bar)).clip(0)
            total[bar] += inside @ own
            seconds[bar] += inside.sum()
    mean = float(total.sum() / seconds.sum()) if seconds.any() else 1.0
    return np.where(seconds > 0, total / np.maximum(seconds, 1e-9), mean)


def transcribe_samples(
    samples: NDArray[np.float32], hints: TranscriptionHints, corrections: Corrections | None = None
) -> Transcription:
    """Transcribe sound: float32 `[samples]`, mono at 44,100 Hz.

    Parameters
    ----------
    samples
        The recording.
    hints
        What is known of it.
    corrections
        Notes or beats from elsewhere, and its stems.

    Raises
    ------
    UnusableError
        There are no notes in it, or its corrections are none of this recording.
    UserError
        A package that this takes is missing.
    """
    corrections = corrections or Corrections()
    seconds = len(samples) / SAMPLE_RATE_HZ
    power = band_power(samples)
    heard = _hear(samples, power, corrections.stems, hints.rest)
    pitches, hits = heard.pitches, heard.hits
    if corrections.notes is not None:
        laid = lay_notes(corrections.notes, pitches, hits, seconds)
        return Transcription(laid.parts, laid.beats, laid.timed_notes, seconds, laid.remarks, corrections.notes)
    if not len(hits) and not (len(pitches) and heard.parts):
        raise UnusableError("no notes are found in it")
    remarks = list(heard.remarks)
    limit = band_limit(power)
    if limit is not None and limit_hz(limit) < TREBLE_HZ:
        remarks.append(f"nothing sounds above {round(limit_hz(limit) / 1000)} kHz: its snare and cymbals are guessed")
    if corrections.beats is not None:
        bars = BarHints(hints.downbeat_seconds, hints.beats_per_bar, hints.recognise_metre, hints.is_compound)
        beats, said = grid_of_beats(corrections.beats, pitches, hits, seconds, bars)
        remarks += said
    else:
        beats = find_beats(samples, pitches, hits, hints.bpm, hints.downbeat_seconds, hints.beats_per_bar)
    if hints.recognise_metre and corrections.beats is None:
        beats = in_recognised_bars(samples, pitches, hits, beats, hints)
        remarks += _metre_remarks(beats, hints, divides_in_three(pitches, hits, beats))
    remarks += tempo_remarks(beats)
    if not len(hits) and {part.name for part in heard.parts} == {UNSURE_PART}:
        remarks.append("no instrument is heard surely: nothing is learnt from it")
    found = on_beats(heard.parts, hits, beats, seconds, tuple(remarks))
    return with_chords(replace(found, returns=repeated_bars(heard.spectrum, beats, found.bars)), heard.labels)


@dataclass(frozen=True, eq=False)
class _HeardMusic:
    """What sounds when, before there are beats.

    Attributes
    ----------
    pitches, hits
        All pitched notes by which beats are found, and drum hits, in seconds.
    parts
        The pitched notes told apart.
    labels
        The instrument network's posterior for the whole recording, `[steps, 88, 2, 5]`.
    spectrum
        Levels of its semitones, `[frames, NUM_BINS]`.
    remarks
        Sentence parts.
    """

    pitches: Pitches
    hits: NDArray[np.void]
    parts: list[HeardPart]
    labels: NDArray[np.float32]
    spectrum: NDArray[np.uint8]
    remarks: tuple[str, ...]


def _hear(
    samples: NDArray[np.float32], power: NDArray[np.float32], stems: Mapping[str, Path], rest: str | None
) -> _HeardMusic:
    """Notes and hits of a recording, of its stems where there are some."""
    network, _ = load_network()
    activations = pitch_activations(samples)
    features = spectral_features(samples, activations)
    labels = label_points(network, features)
    if not stems:
        pitches = decode_notes(activations, NoteDecoding())
        pitches = pitches[are_loud(pitches, samples, loudness_floor(samples))]
        parts = loud_parts(hear_parts(activations, labels, rest), samples)
        return _HeardMusic(pitches, hits_of_power(power), parts, labels, features.spectrum, ())
    heard = hear_stems(stems, samples, find_pitches)
    if heard.rest_sound is samples:
        parts = loud_parts(hear_parts(activations, labels, rest), samples)
    else:
        activations = pitch_activations(heard.rest_sound)
        own = label_points(network, spectral_features(heard.rest_sound, activations))
        parts = hear_parts(activations, own, rest, without_lead="Lead" in heard.tracks)
    told = [part for part in parts if part.name not in heard.tracks]
    given = [
        HeardPart(name, STEM_PROGRAMS[name], notes, np.full(len(notes), STEM_NOTES_RIGHT))
        for name, notes in heard.tracks.items()
        if len(notes)
    ]
    hits = hits_of_power(power) if heard.hits is None else heard.hits
    return _HeardMusic(heard.pitches, hits, [*given, *told], labels, features.spectrum, heard.remarks)


def loud_parts(parts: Sequence[HeardPart], samples: NDArray[np.float32]) -> list[HeardPart]:
    """The parts without notes in what is all but silent, such as the hiss before a song begins."""
    floor = loudness_floor(samples)
    found = []
    for part in parts:
        loud = are_loud(part.notes, samples, floor)
        if loud.any():
            found.append(replace(part, notes=part.notes[loud], right=part.right[loud]))
    return found


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


def on_beats(
    heard: Sequence[HeardPart], hits: NDArray[np.void], beats: Beats, seconds: float, remarks: tuple[str, ...] = ()
) -> Transcription:
    """Quantisation to beats: notes and hits in seconds as parts in quarter notes."""
    found = [
        (Part(one.name, one.program, False, _note_events(one.notes, beats)), one.notes, one.right) for one in heard
    ]
    if len(hits):
        found.insert(0, (Part("Drums", 0, True, _hit_events(hits, beats)), hits, np.ones(len(hits))))
    parts, notes, right = zip(*found, strict=True)
    known = tuple(part.name for part in parts if part.name != UNSURE_PART)
    bare = Transcription(parts, beats, notes, seconds, remarks, right=right, known=known)
    return replace(bare, confidence=bar_confidence(parts, right, bare.bars, beats.beats_per_bar))


def with_chords(transcription: Transcription, labels: NDArray[np.float32]) -> Transcription:
    """A transcription with the chord of each half bar, by the instrument network's posterior `[steps, 88, 2, 5]`."""
    bars = transcription.bars
    steps = np.rint(half_bar_seconds(transcription.beats, bars) / STEP_SECONDS).astype(np.int64)
    chords = recognise_chords(labels, np.clip(steps, 0, len(labels)), np.arange(2 * bars) % 2 == 0)
    return replace(transcription, chords=chords.rows, chord_confidence=chords.confidence)


def half_bar_seconds(beats: Beats, bars: int) -> NDArray[np.float64]:
    """Where each half bar begins and the last ends, in seconds, `[2 * bars + 1]`; of three beats the first has two."""
    first = -(-beats.beats_per_bar // 2)
    places = (np.arange(bars)[:, None] * beats.beats_per_bar + np.array([0, first])).reshape(-1)
    return beats.moments(np.append(places, bars * beats.beats_per_bar))


def _note_events(notes: Pitches, beats: Beats) -> Events:
    """Notes in quarter notes."""
    onset = beats.position(notes["start"])
    duration = np.maximum(beats.position(notes["end"]) - onset, SHORTEST_BEATS)
    return make_events(np.maximum(onset, 0), duration, notes["pitch"], notes["velocity"])


def _hit_events(hits: NDArray[np.void], beats: Beats) -> Events:
    """Drum hits in quarter notes."""
    onset = np.maximum(beats.position(hits["start"]), 0)
    return make_events(onset, np.full(len(hits), HIT_BEATS), hits["pitch"], hits["velocity"])
