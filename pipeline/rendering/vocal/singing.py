"""The guide vocal: the words of a song, spoken by espeak-ng and sung on their notes with the WORLD vocoder.

Source: M. Morise, F. Yokomori, K. Ozawa, "WORLD: a vocoder-based high-quality speech synthesis system for real-time
applications", IEICE Transactions E99-D, 2016. Its two packages come with the optional extra `vocal`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from pipeline.audio.synthesizers import Sound
from pipeline.errors import UserError
from pipeline.rendering.vocal.effects import produced
from pipeline.rendering.vocal.speech import Speech, speak, utterance
from pipeline.rendering.vocal.timing import (
    FRAME_SECONDS,
    Nucleus,
    SungNote,
    TimeMap,
    loudness_curve,
    nuclei_of,
    octaves_into_range,
    pitch_curve,
    time_map_of,
)
from pipeline.songs.song import Song
from pipeline.songs.sung_syllables import SungSyllable, lines_of, seconds_of

Floats = NDArray[np.float64]

VOCAL = "Guide vocal"
"""What the stem is called."""
PACKAGES = {"espeakng_loader": "espeakng-loader==0.2.4", "pyworld": "pyworld-prebuilt==0.3.6.post1"}
"""What must be installed, by the name that is imported."""
LOWEST_PITCH, HIGHEST_PITCH = 48, 67
"""131 to 392 Hz, where the voice sounds best."""
SPEECH_HZ = (60.0, 250.0)
"""Where the pitch of the spoken voice is looked for."""
EVENED = 0.7
"""How far loud and soft vowels of the speech are brought together, in decibels: 1 makes them equal."""
ABOVE_MELODY_LU = 3.0
"""How much louder the voice is than the track that it doubles."""
LONGEST_LEAD = 0.25
"""Of the last note of a line, what the consonants of the next line may take where no rest lies between."""


def check_vocal(voice: str) -> None:
    """Raise `UserError` where the guide vocal's packages are missing, or espeak-ng has no such voice."""
    if any(find_spec(name) is None for name in PACKAGES):
        wanted = " ".join(f'"{package}"' for package in PACKAGES.values())
        raise UserError(
            f"render.vocal=true needs packages that are not there: python -m pip install {wanted}, or leave "
            "render.vocal=false."
        )
    speak([], voice)


@dataclass(frozen=True)
class Timbre:
    """A spoken line as WORLD takes it apart, a frame each `FRAME_SECONDS`.

    Attributes
    ----------
    voiced
        bool `[frames]`.
    envelope
        Natural logarithm of the power spectrum, `[frames, bins]`.
    aperiodicity
        Share of noise, `[frames, bins]`.
    """

    voiced: NDArray[np.bool_]
    envelope: Floats
    aperiodicity: Floats


def analyse(speech: Speech) -> Timbre:
    """Take a spoken line apart."""
    import pyworld as world

    samples, rate_hz = np.ascontiguousarray(speech.samples), speech.rate_hz
    period = 1000 * FRAME_SECONDS
    hertz, times = world.harvest(samples, rate_hz, *SPEECH_HZ, period)
    envelope = world.cheaptrick(samples, hertz, times, rate_hz)
    aperiodicity = world.d4c(samples, hertz, times, rate_hz)
    return Timbre(hertz > 0, np.log(envelope), aperiodicity)


def evened(timbre: Timbre, nuclei: Sequence[Nucleus]) -> Floats:
    """The envelope with vowels nearly equally loud, `[frames, bins]`; consonants go with the vowels beside them."""
    centres = np.array([(one.start + one.end) / 2 for one in nuclei]) / FRAME_SECONDS
    power = np.log(np.exp(timbre.envelope).sum(axis=1))
    levels = np.interp(centres, np.arange(len(power)), uniform_filter1d(power, 9))
    gains = EVENED * (levels.mean() - levels)
    result: Floats = timbre.envelope + np.interp(np.arange(len(power)), centres, gains)[:, None]
    return result


def sing_line(
    timbre: Timbre, nuclei: Sequence[Nucleus], timing: TimeMap, notes: Sequence[SungNote], rate_hz: int
) -> Floats:
    """The sound of a line, `[samples]`, from `timing.song[0]` on. The pitches of `notes` are those of the voice."""
    times = np.arange(timing.song[0], timing.song[-1] + 2 * FRAME_SECONDS, FRAME_SECONDS)
    spoken = np.interp(times, timing.song, timing.speech)
    place = np.clip(spoken / FRAME_SECONDS, 0, len(timbre.voiced) - 1)
    before = np.floor(place).astype(int)
    after, share = np.minimum(before + 1, len(timbre.voiced) - 1), (place - np.floor(place))[:, None]
    envelope = evened(timbre, nuclei)
    power = np.exp((1 - share) * envelope[before] + share * envelope[after])
    noise = (1 - share) * timbre.aperiodicity[before] + share * timbre.aperiodicity[after]
    voiced = timbre.voiced[np.round(place).astype(int)]
    for one in nuclei:
        edge = 0.15 * (one.end - one.start)
        voiced |= (spoken > one.start + edge) & (spoken < one.end - edge)
    hertz = np.where(voiced, 440 * 2 ** ((pitch_curve(times, notes) - 69) / 12), 0.0)
    power *= np.square(uniform_filter1d(loudness_curve(times, timing, notes), 5))[:, None]
    import pyworld as world

    sound: Floats = world.synthesize(
        hertz, np.ascontiguousarray(power), np.ascontiguousarray(noise), rate_hz, 1000 * FRAME_SECONDS
    )
    return sound


def sing(song: Song, words: Sequence[SungSyllable], voice: str) -> Sound:
    """All words of a song on their notes, `[samples, 2]` at `RATE_HZ`, as long as the song and its last consonant.

    Parameters
    ----------
    song
        The song that `with_words` gave.
    words
        Its syllables, at least one.
    voice
        The name of one of espeak-ng's voices.
    """
    lines = lines_of(words)
    bounds = [seconds_of(song, line) for line in lines]
    moved = 12 * octaves_into_range([pitch for one in words for pitch, _, _ in one.notes], LOWEST_PITCH, HIGHEST_PITCH)
    told = [utterance(*words_in(line), voice) for line in lines]
    texts = sorted(set(told))
    known = {text: (speech, analyse(speech)) for text, speech in zip(texts, speak(texts, voice), strict=True)}
    spoken = [
        (*known[text], *nuclei_of(known[text][0].phonemes, words_in(line)[1]))
        for text, line in zip(told, lines, strict=True)
    ]
    rate_hz = spoken[0][0].rate_hz
    sound = np.zeros(math.ceil((song.seconds + 1) * rate_hz))
    earliest = 0.0
    for number, (speech, timbre, nuclei, speech_end) in enumerate(spoken):
        latest = song.seconds + 0.3
        if number + 1 < len(lines):
            begins, last = bounds[number + 1][0][0], bounds[number][-1][0]
            opening = spoken[number + 1][2][0]
            latest = begins - min(opening.start - opening.cut, LONGEST_LEAD * (begins - last))
        timing = time_map_of(nuclei, speech_end, bounds[number], earliest, latest)
        heard = sing_line(timbre, nuclei, timing, _notes(song, lines[number], moved), speech.rate_hz)
        start = round(float(timing.song[0]) * rate_hz)
        heard = heard[: len(sound) - start]
        sound[start : start + len(heard)] += heard
        earliest = float(timing.song[-1])
    return produced(sound, rate_hz)


def words_in(line: Sequence[SungSyllable]) -> tuple[list[str], list[int]]:
    """The words of a line and how many syllables each is sung in."""
    groups = [list(group) for _, group in groupby(line, key=lambda one: one.word)]
    return ["".join(one.text for one in group) for group in groups], [len(group) for group in groups]


def _notes(song: Song, line: Sequence[SungSyllable], moved: int) -> list[SungNote]:
    """The notes of a line, those of melismas one by one, `moved` semitones up."""
    single = [replace(one, notes=(note,), pitch=note[0]) for one in line for note in one.notes]
    return [
        SungNote(start, end, one.pitch + moved)
        for one, (start, end) in zip(single, seconds_of(song, single), strict=True)
    ]
