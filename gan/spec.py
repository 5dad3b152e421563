"""Piano-roll specification: tracks, bars, steps and pitches.

It is the one description that generator, discriminator and data share.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

ONSET, HOLD = 0, 1
"""The two planes of a roll: the first step of a note, and its later steps."""


@dataclass(frozen=True)
class Track:
    """One row of the score. `is_drum` tracks have hits instead of pitches: never transposed, left out of harmony."""

    name: str
    is_drum: bool = False


@dataclass(frozen=True)
class RollSpec:
    """The shape and meaning of a roll, bool `[2, tracks, bars, steps, pitches]` with any batch axes in front.

    Plane 0 (`ONSET`) marks the first step of a note, plane 1 (`HOLD`) its later steps only, so two notes of the same
    pitch that touch stay two notes. `steps` counts the steps of one bar.

    A beat is a quarter note, or where `is_compound` a dotted one of three eighths: 6/8 has two such beats a bar.
    """

    tracks: tuple[Track, ...]
    bars: int = 4
    beats_per_bar: int = 4
    steps_per_beat: int = 4
    num_pitches: int = 84
    lowest_pitch: int = 24
    is_compound: bool = False

    def __post_init__(self) -> None:
        """Refuse a description that no roll can have."""
        if not self.tracks:
            raise ValueError("a RollSpec needs at least one track")
        if len({track.name for track in self.tracks}) != len(self.tracks):
            raise ValueError(f"track names must differ: {', '.join(self.names)}")
        for field in ("bars", "beats_per_bar", "steps_per_beat", "num_pitches"):
            if getattr(self, field) < 1:
                raise ValueError(f"{field} must be at least 1, not {getattr(self, field)}")
        if self.is_compound and self.steps_per_beat % 3:
            raise ValueError(
                f"steps_per_beat must be a multiple of 3 in {self.metre}, whose beats are three eighth notes, not "
                f"{self.steps_per_beat}"
            )
        if not 0 <= self.lowest_pitch <= 128 - self.num_pitches:
            raise ValueError(
                f"pitches {self.lowest_pitch} to {self.lowest_pitch + self.num_pitches - 1} leave MIDI's 0 to 127"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The track names, in order."""
        return tuple(track.name for track in self.tracks)

    @property
    def num_tracks(self) -> int:
        """How many tracks a roll has."""
        return len(self.tracks)

    @property
    def steps_per_bar(self) -> int:
        """Time steps in one bar."""
        return self.beats_per_bar * self.steps_per_beat

    @property
    def metre(self) -> str:
        """The time signature: `4/4`, or `6/8` for two compound beats."""
        return f"{3 * self.beats_per_bar}/8" if self.is_compound else f"{self.beats_per_bar}/4"

    @property
    def quarters_per_beat(self) -> float:
        """Length of a beat in quarter notes: 1, or 1.5 in compound metres."""
        return 1.5 if self.is_compound else 1.0

    @property
    def eighths_per_beat(self) -> int:
        """Parts of a beat that come after it in strength: 2, or 3 in compound metres."""
        return 3 if self.is_compound else 2

    @property
    def quarters_per_bar(self) -> float:
        """Length of a bar in quarter notes."""
        return self.beats_per_bar * self.quarters_per_beat

    @property
    def steps_per_quarter(self) -> int:
        """Time steps in a quarter note, which tempi and the times of files are counted in."""
        return self.steps_per_beat * 2 // 3 if self.is_compound else self.steps_per_beat

    @property
    def num_steps(self) -> int:
        """Time steps in the whole phrase."""
        return self.bars * self.steps_per_bar

    @property
    def half_bars(self) -> int:
        """Half bars in the whole phrase: each has a chord."""
        return 2 * self.bars

    @property
    def half_bar_of_beats(self) -> tuple[int, ...]:
        """For each beat of the phrase its half bar; of an odd number of beats the first half has one more."""
        beats = self.beats_per_bar
        return tuple(2 * bar + 2 * beat // beats for bar in range(self.bars) for beat in range(beats))

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        """`(2, tracks, bars, steps, pitches)`."""
        return (2, self.num_tracks, self.bars, self.steps_per_bar, self.num_pitches)

    @property
    def pitched(self) -> tuple[int, ...]:
        """Indices of the tracks that have pitches (all but drums)."""
        return tuple(index for index, track in enumerate(self.tracks) if not track.is_drum)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a JSON file or a checkpoint; `from_dict` reads them back; `is_compound` only where it is."""
        values = asdict(self) | {"tracks": [asdict(track) for track in self.tracks]}
        if not self.is_compound:
            del values["is_compound"]
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RollSpec:
        """The spec that `to_dict` wrote. Raises `TypeError` or `ValueError` when the values describe none."""
        return cls(**values | {"tracks": tuple(Track(**track) for track in values["tracks"])})
