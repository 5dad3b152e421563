"""What is selected of a song, what is requested for it, and the versions that come of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gan.spec import RollSpec
from pipeline.errors import UserError
from pipeline.songs.inpaint.mask import BarMask
from pipeline.songs.request import match_track
from pipeline.songs.song import Song

ANEW, LIKE, BUSIER, SPARSER = MODES = ("anew", "like", "busier", "sparser")
"""Whatever fits; near what is there; with more notes than that; with fewer."""
MOST_VERSIONS = 12


@dataclass(frozen=True)
class Selection:
    """Bars of tracks: the tracks by index, the bars from `first_bar` to before `end_bar`, counted from 0."""

    tracks: tuple[int, ...]
    first_bar: int
    end_bar: int

    @classmethod
    def of_names(cls, names: list[str], first_bar: int, end_bar: int, spec: RollSpec) -> Selection:
        """The selection of tracks by name. Raises `UserError` for a name that is no track's."""
        return cls(tuple(sorted({match_track(name, spec, "tracks") for name in names})), first_bar, end_bar)

    def cells(self, song: Song) -> BarMask:
        """Bool `[tracks, bars]`: what is selected. Raises `UserError` for what lies outside the song."""
        num_tracks, bars = song.spec.num_tracks, song.num_bars
        if not self.tracks or not all(0 <= track < num_tracks for track in self.tracks):
            raise UserError(f"Select at least one of the tracks {', '.join(song.spec.names)}.")
        if not 0 <= self.first_bar < self.end_bar <= bars:
            raise UserError(
                f"Select bars of the song, which has bars 1 to {bars}, not {self.first_bar + 1} to {self.end_bar}."
            )
        cells = np.zeros((num_tracks, bars), np.bool_)
        cells[list(self.tracks), self.first_bar : self.end_bar] = True
        return cells


@dataclass(frozen=True)
class VersionRequest:
    """What versions are to be like.

    Attributes
    ----------
    mode
        One of `MODES`.
    count
        Versions, at most; fewer come where the generator finds no more that differ.
    seed
        Decides on all that is left to chance: the first version is made with it. None draws one.
    chords
        A progression such as `Am F C G`, repeated from the first bar to the last; None keeps the song's chords.
    key
        Such as `E minor`; None keeps the song's.
    density
        Notes a bar by name of the track; None leaves them to the mode.
    temperature
        0 makes what is most likely, 1 is as learnt.
    condition_strength
        How strongly all that is requested counts, from 0 to 1.
    tempo_bpm
        The tempo that it is made for; None is the song's.
    """

    mode: str = ANEW
    count: int = 5
    seed: int | None = None
    chords: str | None = None
    key: str | None = None
    density: dict[str, float] | None = None
    temperature: float = 1.0
    condition_strength: float = 1.0
    tempo_bpm: float | None = None


@dataclass(frozen=True, eq=False)
class Version:
    """A version of a selection: the whole song as it would be; other cells are untouched.

    Attributes
    ----------
    id
        Names it until the song's next edit.
    seed
        Makes it again as the first version of the same request.
    """

    id: str
    seed: int
    song: Song
