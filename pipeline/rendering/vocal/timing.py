"""Timing, pitch curve and loudness curve of the guide vocal: when each sound of a line is heard, how high, how loud.

A syllable's vowel begins with its note and fills it; consonants keep the length that they have in speech and lie before
the next vowel, or at the end of the note where a rest follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.rendering.vocal.speech import Phoneme

Floats = NDArray[np.float64]

FRAME_SECONDS = 0.005
REST_SECONDS = 0.1
"""A shorter gap between two notes is sung through."""
CONSONANT_SHARE = 0.45
"""Most of a note that the consonants at its end may take."""
HEAD, TAIL = 0.3, 0.35
"""What of a vowel keeps the speed of speech at its begin and end; the rest is held."""
MOVING_HEAD, MOVING_TAIL = 0.2, 0.6
"""The same of a diphthong, which is held on its first vowel."""
GLIDE_SECONDS, GLIDE_LATE = 0.06, 0.015
"""How long the voice takes from note to note, and how much of that comes after the beginning of the second."""
SCOOP_SEMITONES, SCOOP_SECONDS = 0.7, 0.1
"""How far below its first note a phrase begins, and how soon it is there."""
VIBRATO_HZ, VIBRATO_SEMITONES = 5.5, 0.3
VIBRATO_AFTER, VIBRATO_GROWS = 0.3, 0.35
"""Seconds into a note after which vibrato begins, and in which it grows."""
VIBRATO_ENDS = 0.1
ATTACK_SECONDS, RELEASE_SECONDS = 0.03, 0.06
SOFTER = 0.8
"""Amplitude at the end of a long note beside that at its begin."""


@dataclass(frozen=True)
class Nucleus:
    """The vowel of a syllable in speech, and the consonants before it.

    Attributes
    ----------
    cut
        Seconds in the speech where the consonants that belong to this syllable begin; those between the vowel before
        and here belong to the syllable before.
    start, end
        Of the vowel, in seconds of the speech.
    moves
        Whether it is a diphthong.
    """

    cut: float
    start: float
    end: float
    moves: bool


@dataclass(frozen=True)
class SungNote:
    """A note of a syllable: begin and end in seconds of the song, pitch in MIDI numbers."""

    start: float
    end: float
    pitch: float


@dataclass(frozen=True)
class TimeMap:
    """Which moment of the speech is heard when: both in seconds, rising, of the same length.

    `sounding` holds the stretches of the song, in seconds, in which there is something to hear.
    """

    song: Floats
    speech: Floats
    sounding: tuple[tuple[float, float], ...]


def nuclei_of(phonemes: Sequence[Phoneme], syllables: Sequence[int]) -> tuple[list[Nucleus], float]:
    """The vowels that syllables are sung on, and the end of the last consonant.

    Parameters
    ----------
    phonemes
        Sounds of a line.
    syllables
        How many each word has. Where a word has more vowels than that, the longest of each group is held; where it has
        fewer, one is divided.
    """
    found: list[Nucleus] = []
    for word, count in enumerate(syllables):
        mine = [one for one in phonemes if one.word == word]
        if not mine:  # not spoken: the end of the word before is sung on
            last = phonemes[-1] if word and phonemes else Phoneme("@", 0, 0.0, 0.0)
            edge = max((one.end for one in phonemes if one.word < word), default=last.start)
            mine = [Phoneme("@", word, edge, edge)]
        vowels = [one for one in mine if one.is_vowel] or [max(mine, key=_length)]
        shares = np.array_split(np.arange(len(vowels)), count) if len(vowels) >= count else None
        if shares is not None:
            chosen = [max((vowels[at] for at in share), key=_length) for share in shares]
            spans = [(one.start, one.end, one.moves) for one in chosen]
        else:
            spans = _divided(vowels, count)
        for number, (start, end, moves) in enumerate(spans):
            before = found[-1].end if number else mine[0].start
            found.append(Nucleus(min(before, start), start, end, moves))
    return found, max((one.end for one in phonemes), default=0.0)


def _length(phoneme: Phoneme) -> float:
    return phoneme.end - phoneme.start


def _divided(vowels: Sequence[Phoneme], count: int) -> list[tuple[float, float, bool]]:
    """Begin, end and `moves` of `count` vowels, made of fewer by dividing the longest."""
    longest = max(vowels, key=_length)
    spans: list[tuple[float, float, bool]] = []
    for one in vowels:
        parts = count - len(vowels) + 1 if one is longest else 1
        edges = np.linspace(one.start, one.end, parts + 1).tolist()
        spans += [(start, end, one.moves) for start, end in pairwise(edges)]
    return spans


def time_map_of(
    nuclei: Sequence[Nucleus],
    speech_end: float,
    notes: Sequence[tuple[float, float]],
    earliest: float = 0.0,
    latest: float = np.inf,
) -> TimeMap:
    """Lay the sounds of a line on its notes.

    Parameters
    ----------
    nuclei, speech_end
        What `nuclei_of` gives.
    notes
        Begin and end of each syllable in seconds of the song.
    earliest, latest
        What the line must stay within: where the line before it ended, and where the one after it begins.
    """
    song: list[float] = []
    speech: list[float] = []
    sounding: list[tuple[float, float]] = []
    first = nuclei[0]
    lead = min(first.start - first.cut, max(notes[0][0] - earliest, 0.4 * (first.start - first.cut)))
    begun = max(earliest, notes[0][0] - lead)
    song.append(begun)
    speech.append(first.cut)
    onset = begun + lead
    for number, nucleus in enumerate(nuclei):
        last = number + 1 == len(nuclei)
        end = notes[number][1]
        following = latest if last else notes[number + 1][0]
        cut = speech_end if last else nuclei[number + 1].cut
        coda, after = cut - nucleus.end, 0.0 if last else nuclei[number + 1].start - cut
        room = following - onset
        rests = last or following - end > REST_SECONDS
        if rests:
            coda = min(coda, CONSONANT_SHARE * (end - onset))
            closed = min(end + coda / 2, following)  # a final consonant leans over the end of the note
            after = min(after, 0.8 * max(following - closed, 0.0))
        else:
            scale = min(1.0, CONSONANT_SHARE * room / max(coda + after, 1e-9))
            coda, after = coda * scale, after * scale
            closed = following - after
        _hold(nucleus, onset, max(closed - coda, onset + 1e-3), song, speech)
        song.append(closed)
        speech.append(cut)
        if rests:
            sounding.append((begun, closed))
        if not last:
            onset = following
            if rests:
                begun = following - after
                song.append(begun)
                speech.append(cut)
    return TimeMap(np.maximum.accumulate(song), np.maximum.accumulate(speech), tuple(sounding))


def _hold(nucleus: Nucleus, start: float, end: float, song: list[float], speech: list[float]) -> None:
    """Add the points of a vowel that sounds from `start` to `end`: as fast as spoken at both ends, held between."""
    spoken = nucleus.end - nucleus.start
    head, tail = ((MOVING_HEAD, MOVING_TAIL) if nucleus.moves else (HEAD, TAIL)) if spoken < end - start else (0.5, 0.5)
    scale = min(1.0, (end - start) / max(spoken, 1e-9))
    song += [start, start + head * spoken * scale, end - tail * spoken * scale, end]
    speech += [nucleus.start, nucleus.start + head * spoken, nucleus.end - tail * spoken, nucleus.end]


def pitch_curve(times: Floats, notes: Sequence[SungNote]) -> Floats:
    """The pitch that is sung at these times, in MIDI numbers with fractions.

    The voice glides from note to note, begins below the first note of a phrase, and long notes get vibrato that grows.
    """
    curve = np.full(len(times), float(notes[0].pitch))
    for before, note in zip([None, *notes[:-1]], notes, strict=True):
        if before is not None:
            at = (times - note.start + GLIDE_SECONDS - GLIDE_LATE) / GLIDE_SECONDS
            curve += (note.pitch - before.pitch) * _smoothstep(at)
        if before is None or note.start - before.end > REST_SECONDS:
            inside = (times >= note.start - REST_SECONDS) & (times < note.end)
            curve -= SCOOP_SEMITONES * (1 - _smoothstep((times - note.start) / SCOOP_SECONDS)) * inside
        rise = np.clip((times - note.start - VIBRATO_AFTER) / VIBRATO_GROWS, 0, 1)
        fall = np.clip((note.end - times) / VIBRATO_ENDS, 0, 1)
        wave = np.sin(2 * np.pi * VIBRATO_HZ * (times - note.start - VIBRATO_AFTER))
        curve += VIBRATO_SEMITONES * rise * fall * wave * ((times >= note.start) & (times < note.end))
    return curve


def loudness_curve(times: Floats, timing: TimeMap, notes: Sequence[SungNote]) -> Floats:
    """Amplitude at these times: nothing in rests, edges that don't click, notes that grow softer while they last."""
    curve = np.zeros(len(times))
    for start, end in timing.sounding:
        rise = np.clip((times - start) / ATTACK_SECONDS, 0, 1)
        fall = np.clip((end - times) / RELEASE_SECONDS, 0, 1)
        curve = np.maximum(curve, _smoothstep(rise) * _smoothstep(fall))
    for note in notes:
        inside = (times >= note.start) & (times < note.end)
        curve[inside] *= 1 - (1 - SOFTER) * np.clip((times[inside] - note.start - 0.2) / 1.0, 0, 1)
    return curve


def _smoothstep(share: Floats) -> Floats:
    """Smoothstep: from 0 to 1 without a corner."""
    share = np.clip(share, 0, 1)
    smooth: Floats = share * share * (3 - 2 * share)
    return smooth


def octaves_into_range(pitches: Sequence[float], lowest: float, highest: float) -> int:
    """By how many octaves to move a whole melody so that as much as can be lies in the range of a voice.

    Of equals the one is taken that moves it least.
    """
    line = np.asarray(pitches)

    def outside(number: int) -> float:
        moved = line + 12 * number
        return float(np.sum(np.maximum(0, lowest - moved) + np.maximum(0, moved - highest)))

    return min(range(-5, 6), key=lambda number: (outside(number), abs(number)))
