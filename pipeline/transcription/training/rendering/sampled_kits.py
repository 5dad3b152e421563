"""Sampled drums: one-shot samples of Hydrogen drum kits, sample folders and SoundFonts, and hits played with them.

A Hydrogen kit is a folder with a `drumkit.xml` (instruments, each with one sound file or one for every range of
strength) beside its sound files. Such kits, and folders of single sounds, say by name only which drum an instrument is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.audio.synthesizers import RATE_HZ, play
from pipeline.errors import UserError
from pipeline.formats import RECORDINGS
from pipeline.transcription.drums.drum_map import (
    CLOSED_HAT,
    CRASH,
    DRUMS,
    HIGH_TOM,
    KICK,
    LOW_TOM,
    OPEN_HAT,
    RIDE,
    SAME_DRUM,
    SNARE,
)
from pipeline.transcription.training.rendering.midi_rendering import midi_of

OTHER_PERCUSSION = -1
"""What stands for percussion that is no part of a drum kit: tambourines, shakers, congas and so on."""

DRUM_PATTERNS = (
    (r"roll|choke|swish|flam|loop|vinyl|glitch", None),
    (r"tambourine|conga|bongo|cow.?bell|maraca|shaker|clave?|wood|agogo|whistle|triangle|cajon|snap", OTHER_PERCUSSION),
    (r"djembe|dunun|kenkeni|sangban|tabla|waterglass|perc_|elec_(bell|bong|chime|ping|tick|pop)", OTHER_PERCUSSION),
    (r"kick|bass ?drum|drum_bass|bd_", KICK),
    (r"snare|clap|rim|stick|\bsn_", SNARE),
    (r"(hat|hh|cymbal_).*(op|free)|op.*(hat|hh)|ohh", OPEN_HAT),
    (r"(hat|hh|cymbal_).*(cl|pd|ped)|(cl|ped).*(hat|hh)", CLOSED_HAT),
    (r"tom.?(hi|1)|high tom", HIGH_TOM),
    (r"(?<!cus)tom", LOW_TOM),
    (r"crash|splash|china|cymbal", CRASH),
    (r"ride|\bbell|\bcup", RIDE),
)
"""Which of `drum_map.DRUMS` an instrument is, by the first pattern in its name; others are left out."""

LONGEST_SECONDS = 4.0
"""Sounds are cut here."""

SOFTEST = 0.03
"""Amplitude of the softest hit where a kit has one sound for all strengths (-30 decibels)."""

CHOKE_SECONDS = 0.03
"""An open hi-hat dies away within this time once the closed one is struck."""

DETUNED_OCTAVES = 0.3
"""At most so much higher or lower than it was recorded is a drum played."""

KIT_PROGRAMS = (0, 8, 16, 24, 25, 32)
"""Programs of channel 10 that General MIDI drums have: standard, room, power, electronic, TR-808 and jazz kit."""

LAYERED, DAMPED = 0.25, 0.25
"""Share of the drums that play two sounds at once, and of those that are damped or gated."""

DAMPED_SECONDS = (0.02, 0.4)
"""Time constants of damping."""

GENERAL_MIDI_KEYS = range(35, 82)
SAMPLED_VELOCITIES = (50, 110)
SAMPLED_SECONDS = 2.5
"""Keys, velocities and length of the one-shots of a SoundFont."""

Instrument = list[NDArray[np.float32]]
"""The samples of an instrument, softest first."""


@dataclass(frozen=True)
class SampledKit:
    """The instruments of a drum kit, by `drum_map.DRUMS` and `OTHER_PERCUSSION`."""

    drums: dict[int, list[Instrument]]


def drum_named(name: str) -> int | None:
    """The General MIDI drum that an instrument of this name is, or `OTHER_PERCUSSION`, if any."""
    for pattern, drum in DRUM_PATTERNS:
        if re.search(pattern, name.lower()):
            return drum
    return None


def find_kits(directory: Path) -> list[Path]:
    """Every `drumkit.xml` below a directory, sorted; or the directory itself, where it holds single sounds.

    Raises
    ------
    UserError
        There is neither.
    """
    found = sorted(directory.rglob("drumkit.xml"))
    if not found and directory.is_dir() and any(path.suffix.lower() in RECORDINGS for path in directory.iterdir()):
        return [directory]
    if not found:
        raise UserError(f"There is no drum kit (drumkit.xml) and no sound file below {directory}.")
    return found


def read_kit(path: Path) -> SampledKit:
    """Read the drums of a `drumkit.xml`, of a folder of single sounds, or of a General MIDI SoundFont.

    Raises
    ------
    UserError
        A `drumkit.xml` is not XML.
    """
    if path.is_dir():
        return _read_folder(path)
    return _read_soundfont(path) if path.suffix.lower() == ".sf2" else _read_hydrogen(path)


def mixed_kit(kits: list[SampledKit], random: np.random.Generator) -> SampledKit:
    """A kit whose drums are each drawn from one of `kits`; other percussion is drawn from all of them."""
    drums: dict[int, list[Instrument]] = {}
    for drum in DRUMS:
        having = [kit.drums[drum] for kit in kits if drum in kit.drums]
        if having:
            choices = having[int(random.integers(len(having)))]
            drums[drum] = [choices[int(random.integers(len(choices)))]]
    drums[OTHER_PERCUSSION] = [one for kit in kits for one in kit.drums.get(OTHER_PERCUSSION, [])]
    return SampledKit(drums)


def play_kit(
    kit: SampledKit,
    start: NDArray[np.float64],
    drum: NDArray[np.int16],
    velocity: NDArray[np.int16],
    random: np.random.Generator,
) -> NDArray[np.float32]:
    """Render hits to mono sound at `SAMPLE_RATE_HZ`, one detuned instrument a drum; drums the kit lacks are silent.

    Parameters
    ----------
    kit
        What is played.
    start, velocity
        Seconds and strength (1 to 127) of each hit.
    drum
        One of `DRUMS` for each hit; negative numbers are other percussion, an instrument a number.
    random
        Draws instruments, their levels and how much they are detuned.
    """
    sounds: dict[int, Instrument] = {}
    level: dict[int, float] = {}
    for number in np.unique(drum).tolist():
        choices = kit.drums.get(max(number, OTHER_PERCUSSION), [])
        if choices:
            sounds[number] = _varied(choices, random)
            level[number] = 10 ** float(random.uniform(-0.7, 0.1))
    length = (float(start.max(initial=0)) + 2 * LONGEST_SECONDS) * SAMPLE_RATE_HZ
    sound = np.zeros(int(length) + 1, np.float32)
    closed = np.sort(start[drum == CLOSED_HAT])
    for when, number, strength in zip(start, drum.tolist(), velocity / 127, strict=True):
        if number not in sounds:
            continue
        layers = sounds[number]
        one = layers[min(int(strength * len(layers)), len(layers) - 1)]
        if number == OPEN_HAT:
            one = _choked(one, float(np.append(closed[closed > when], np.inf)[0] - when))
        gain = level[number] * (strength if len(layers) > 1 else SOFTEST ** (1 - strength))
        first = round(float(when) * SAMPLE_RATE_HZ)
        sound[first : first + len(one)] += np.float32(gain) * one
    return sound


def _varied(choices: list[Instrument], random: np.random.Generator) -> Instrument:
    """One of the instruments, detuned; now and then damped, or with a softer one that plays the same."""
    ratio = 2 ** random.uniform(-DETUNED_OCTAVES, DETUNED_OCTAVES)
    instrument = [_detuned(one, ratio) for one in choices[int(random.integers(len(choices)))]]
    if random.random() < LAYERED:
        other = _detuned(choices[int(random.integers(len(choices)))][-1], 2 ** random.uniform(-0.2, 0.2))
        instrument = [_sum(one, np.float32(random.uniform(0.2, 0.8)) * other) for one in instrument]
    if random.random() < DAMPED:
        constant = np.exp(random.uniform(*np.log(DAMPED_SECONDS))) * SAMPLE_RATE_HZ
        instrument = [one * np.exp(-np.arange(len(one)) / constant).astype(np.float32) for one in instrument]
    return instrument


def _sum(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """Two sounds at once."""
    total = np.zeros(max(len(one), len(other)), np.float32)
    total[: len(one)] += one
    total[: len(other)] += other
    return total


def _detuned(sound: NDArray[np.float32], ratio: float) -> NDArray[np.float32]:
    """A sound at `ratio` times its speed, by linear interpolation."""
    places = np.arange(0, len(sound) - 1 + 1e-9, ratio)
    detuned: NDArray[np.float32] = np.interp(places, np.arange(len(sound)), sound).astype(np.float32)
    return detuned


def _choked(sound: NDArray[np.float32], seconds: float) -> NDArray[np.float32]:
    """A sound that is damped after so many seconds."""
    if seconds * SAMPLE_RATE_HZ >= len(sound):
        return sound
    first, fade = round(seconds * SAMPLE_RATE_HZ), round(CHOKE_SECONDS * SAMPLE_RATE_HZ)
    shorter = sound[: first + fade].copy()
    shorter[first:] *= np.linspace(1, 0, len(shorter) - first, dtype=np.float32)
    return shorter


def _read_hydrogen(path: Path) -> SampledKit:
    """The kit that a `drumkit.xml` describes, without the instruments whose samples are missing."""
    try:
        root = ElementTree.fromstring(path.read_bytes())
    except ElementTree.ParseError as error:
        raise UserError(f"{path} is no drum kit: {error}.") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    drums: dict[int, list[Instrument]] = {}
    for instrument in root.iter("instrument"):
        drum = drum_named(instrument.findtext("name") or "")
        layers = sorted(
            (float(one.findtext("min") or 0), path.parent / name)
            for one in instrument.iter()
            if (name := one.findtext("filename"))
        )
        sounds = [_read_sample(sound) for _, sound in layers if sound.is_file()]
        if drum is not None and sounds:
            drums.setdefault(drum, []).append(sounds)
    return SampledKit(drums)


def _read_folder(directory: Path) -> SampledKit:
    """The sounds of a folder whose file names say a drum, one strength each; files that can't be read are left out."""
    import soundfile

    drums: dict[int, list[Instrument]] = {}
    for path in sorted(directory.iterdir()):
        drum = drum_named(path.stem) if path.suffix.lower() in RECORDINGS else None
        if drum is None:
            continue
        try:
            sound = _read_sample(path)
        except soundfile.SoundFileError:
            continue
        drums.setdefault(drum, []).append([sound])
    return SampledKit(drums)


def _read_soundfont(path: Path) -> SampledKit:
    """The drums of a SoundFont: each key of each drum kit at two strengths; kits that sound alike count once."""
    drums: dict[int, list[Instrument]] = {}
    known = set()
    moments = [(key, velocity) for key in GENERAL_MIDI_KEYS for velocity in SAMPLED_VELOCITIES]
    for program in KIT_PROGRAMS:
        rows = [
            (index * SAMPLED_SECONDS, (index + 0.8) * SAMPLED_SECONDS, key, velocity, program)
            for index, (key, velocity) in enumerate(moments)
        ]
        sound = _mono(play(midi_of(np.array(rows, np.float64), drums=True), path, "midirenderer"), RATE_HZ)
        length = int(SAMPLED_SECONDS * SAMPLE_RATE_HZ)
        shots = [_trimmed(sound[index * length : (index + 1) * length]) for index in range(len(moments))]
        for index, key in enumerate(GENERAL_MIDI_KEYS):
            layers = shots[index * len(SAMPLED_VELOCITIES) : (index + 1) * len(SAMPLED_VELOCITIES)]
            identity = layers[-1].tobytes()
            if len(layers[-1]) > 1 and identity not in known:
                known.add(identity)
                drums.setdefault(SAME_DRUM.get(key, OTHER_PERCUSSION), []).append(layers)
    return SampledKit(drums)


def _read_sample(path: Path) -> NDArray[np.float32]:
    """A sound file from where it begins to sound, its peak at 1."""
    import soundfile

    data, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return _trimmed(_mono(data, rate)[: int(LONGEST_SECONDS * SAMPLE_RATE_HZ)])


def _mono(sound: NDArray[np.float32], rate_hz: int) -> NDArray[np.float32]:
    """The mean of the channels of `[samples, channels]`, at `SAMPLE_RATE_HZ`."""
    import soxr

    return np.asarray(soxr.resample(sound.mean(axis=1), rate_hz, SAMPLE_RATE_HZ), np.float32)


def _trimmed(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """A sound from where it begins to where it ends, its peak at 1; one sample of silence where there is none."""
    peak = float(np.abs(sound).max(initial=0))
    if peak < 1e-4:
        return np.zeros(1, np.float32)
    begins = int(np.argmax(np.abs(sound) > 0.02 * peak))
    ends = int(np.flatnonzero(np.abs(sound) > 1e-4 * peak)[-1]) + 1
    trimmed: NDArray[np.float32] = np.asarray(sound[begins:ends] / peak, np.float32)
    return trimmed
