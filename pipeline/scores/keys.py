"""Krumhansl-Kessler key finding, transposition to a common key, and names of keys.

C. L. Krumhansl, "Cognitive Foundations of Musical Pitch", Oxford University Press 1990, chapters 2 and 4: the key is
the one whose profile (how well each pitch class fits the key, as listeners rated it) correlates best with the time
that each pitch class sounds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from gan.spec import RollSpec
from pipeline.errors import UserError
from pipeline.scores.notes import Notes, in_order

MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


@dataclass(frozen=True)
class Key:
    """A major or minor key; `tonic` is a pitch class, C being 0."""

    tonic: int
    is_minor: bool

    def __str__(self) -> str:
        return f"{NAMES[self.tonic]} {'minor' if self.is_minor else 'major'}"

    @property
    def shift_to_common(self) -> int:
        """Semitones, -6 to 5, that move music in this key to C major or A minor."""
        return (int(9 * self.is_minor) - self.tonic + 6) % 12 - 6


def estimate_key(durations: NDArray[np.float64]) -> Key | None:
    """Krumhansl-Schmuckler key finding: the key for the time that each pitch class sounds, `[12]`.

    None where no pitch stands out.
    """
    if np.ptp(durations) == 0:
        return None
    best = int(np.argmax(key_profiles() @ (durations - durations.mean())))
    return Key(best % 12, best >= 12)


@cache
def key_profiles() -> NDArray[np.float64]:
    """Krumhansl-Kessler profiles of the 12 major and 12 minor keys, `[24, 12]`, each of mean 0 and length 1."""
    profiles = np.array([np.roll(profile, tonic) for profile in (MAJOR, MINOR) for tonic in range(12)])
    profiles -= profiles.mean(axis=1, keepdims=True)
    profiles /= np.linalg.norm(profiles, axis=1, keepdims=True)
    return profiles


def pitch_class_durations(notes: Notes, spec: RollSpec) -> NDArray[np.float64]:
    """Steps that each pitch class sounds, `[12]`, drums left out."""
    pitched = notes[np.isin(notes["track"], spec.pitched)]
    return np.bincount(pitched["pitch"] % 12, weights=pitched["length"], minlength=12).astype(np.float64)


def transpose_notes(notes: Notes, semitones: int, spec: RollSpec) -> Notes:
    """The notes with the pitched tracks moved by `semitones`, drums where they are."""
    moved = notes.copy()
    moved["pitch"] += np.where(np.isin(notes["track"], spec.pitched), semitones, 0)
    return in_order(moved)


def into_range(notes: Notes, spec: RollSpec) -> Notes:
    """The notes moved by octaves into the range of `spec`; drums outside it are left out."""
    low, high = spec.lowest_pitch, spec.lowest_pitch + spec.num_pitches - 1
    moved = notes.copy()
    pitch = moved["pitch"]
    octaves = np.where(pitch < low, -((pitch - low) // 12), np.where(pitch > high, (high - pitch) // 12, 0))
    pitch += 12 * np.where(np.isin(notes["track"], spec.pitched), octaves, 0)
    return in_order(moved[(moved["pitch"] >= low) & (moved["pitch"] <= high)])


def read_key(text: str) -> Key:
    """`G major`, `eb minor`, `F# minor` or just `G`. Raises `UserError` naming `generate.key`."""
    match = re.fullmatch(r"([A-Ga-g])([b#]?)\s*(major|minor|)", text.strip())
    if not match:
        raise UserError(f"generate.key={text} is no key; write it like G major or F# minor.")
    tonic = PITCH_CLASSES[match[1].upper()] + {"": 0, "b": -1, "#": 1}[match[2]]
    return Key(tonic % 12, match[3] == "minor")


def key_name(key: Key) -> str:
    """A key with the fewest accidentals: `Db major`, but `C# minor`."""
    return f"{SPELLING[key.is_minor][key.tonic]} {'minor' if key.is_minor else 'major'}"


SPELLING = {
    False: ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"),
    True: ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B"),
}
"""Tonics with the fewest accidentals, for major (False) and minor (True)."""


PITCH_CLASSES = dict(zip("CDEFGAB", (0, 2, 4, 5, 7, 9, 11), strict=True))
