"""Hydrogen drum kits: sampled drums read from `drumkit.xml`, and hits played with them.

A kit is a folder with a `drumkit.xml` (instruments, each with one sound file or one for every range of strength) beside
its sound files. Kits say by name only which drum an instrument is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.errors import UserError
from pipeline.transcription.drums.drum_map import CLOSED_HAT, CRASH, HIGH_TOM, KICK, LOW_TOM, OPEN_HAT, RIDE, SNARE

DRUM_PATTERNS = (
    (r"roll|choke|swish|tambourine|conga|flam", None),
    (r"kick|bass ?drum", KICK),
    (r"snare|clap|rim|stick", SNARE),
    (r"(hat|hh).*(op|free)|op.*(hat|hh)|ohh", OPEN_HAT),
    (r"(hat|hh).*(cl|pd|ped)|(cl|ped).*(hat|hh)", CLOSED_HAT),
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


@dataclass(frozen=True)
class SampledKit:
    """The samples of a drum kit: for each drum a list of instruments, for each of these its samples, softest first."""

    drums: dict[int, list[list[NDArray[np.float32]]]]


def drum_named(name: str) -> int | None:
    """The General MIDI drum that an instrument of this name is, if any."""
    for pattern, drum in DRUM_PATTERNS:
        if re.search(pattern, name.lower()):
            return drum
    return None


def find_kits(directory: Path) -> list[Path]:
    """Every `drumkit.xml` below a directory, sorted. Raises `UserError` when there is none."""
    found = sorted(directory.rglob("drumkit.xml"))
    if not found:
        raise UserError(f"There is no drum kit (drumkit.xml) below {directory}.")
    return found


def read_kit(path: Path) -> SampledKit:
    """Read the kit that a `drumkit.xml` describes, without the instruments whose samples are missing.

    Raises
    ------
    UserError
        The file is not XML.
    """
    try:
        root = ElementTree.fromstring(path.read_bytes())
    except ElementTree.ParseError as error:
        raise UserError(f"{path} is no drum kit: {error}.") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    drums: dict[int, list[list[NDArray[np.float32]]]] = {}
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


def play_kit(
    kit: SampledKit,
    start: NDArray[np.float64],
    drum: NDArray[np.int16],
    velocity: NDArray[np.int16],
    random: np.random.Generator,
) -> NDArray[np.float32]:
    """Render hits (seconds, drum, velocity) to mono sound, one instrument a drum; drums the kit lacks are silent."""
    chosen = {pitch: choices[int(random.integers(len(choices)))] for pitch, choices in kit.drums.items()}
    level = {pitch: float(random.uniform(0.5, 1.5)) for pitch in chosen}
    length = (float(start.max(initial=0)) + LONGEST_SECONDS) * SAMPLE_RATE_HZ
    sound = np.zeros(int(length) + 1, np.float32)
    for when, pitch, strength in zip(start, drum, velocity / 127, strict=True):
        if int(pitch) in chosen:
            layers = chosen[int(pitch)]
            one = layers[min(int(strength * len(layers)), len(layers) - 1)]
            gain = level[int(pitch)] * (strength if len(layers) > 1 else SOFTEST ** (1 - strength))
            first = round(float(when) * SAMPLE_RATE_HZ)
            sound[first : first + len(one)] += gain * one
    return sound


def _read_sample(path: Path) -> NDArray[np.float32]:
    """A sound file from where it begins to sound, its peak at 1."""
    import soundfile
    import soxr

    data, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = soxr.resample(data.mean(axis=1), rate, SAMPLE_RATE_HZ)[: int(LONGEST_SECONDS * SAMPLE_RATE_HZ)]
    peak = float(np.abs(mono).max(initial=0))
    if peak == 0:
        return np.zeros(1, np.float32)
    begins = int(np.argmax(np.abs(mono) > 0.02 * peak))
    sound: NDArray[np.float32] = np.asarray(mono[begins:] / peak, np.float32)
    return sound
