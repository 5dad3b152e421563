"""Settings of the data set, its tracks and grid, and of the stages `collect` and `prepare`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gan.spec import RollSpec, Track
from pipeline.errors import UserError
from pipeline.settings.metre import read_metre


@dataclass
class DataSettings:
    """A data set (`conf/data/`)."""

    name: str
    """Names the prepared set on disk."""
    source: str
    """`chorales` (music21's corpus), `originals` (the songs in `data/songs/`), `folder` (files under `path`), `catalog`
    (a spreadsheet at `path`), `lpd5` (the `.npz` files of that data set under `path`) or `debian` (music inside Debian
    packages)."""
    title: str
    """How the album's credits call the data set."""
    licence: str
    """What the data set's licence says, for the credits."""
    path: str | None = None
    """The folder or spreadsheet of the user's music."""
    columns: Any = None
    """Column names of the spreadsheet by ours, such as `{where: Link}`, where they are not found by themselves."""
    packages: list[str] = field(default_factory=list)
    """Debian packages that hold the music, where `source` is `debian`."""
    metre: str = "4/4"
    """The metre that music is taken in and made in: `4/4`, `3/4` and the like, or `6/8`, `9/8`, `12/8` by beats of
    three eighths. What is in another falls out. 2/2 and 8/8 count as 4/4, a bar of 8/4 as two, but 6/8 not as 3/4."""
    pair_bars: bool = False
    """True takes two bars as one where they are half as long: 2/4 as 4/4, 3/8 as 6/8, 6/8 as 12/8, 7/8 as 7/4."""
    trust_metre: bool = True
    """False where headers name a wrong metre although the music is in `metre`; bar lines are then estimated."""
    tempo_bpm: float | None = None
    """The tempo of generated songs in quarter notes a minute, where the files name none worth keeping; null takes the
    files' own."""


@dataclass
class TrackSettings:
    """One track of a track set."""

    name: str
    """What pages, scores and settings call it; where tracks are assigned by name, what files call it too."""
    programs: list[int] = field(default_factory=list)
    """General MIDI programs (0 to 127) whose notes land here, where tracks are assigned by program."""
    names: list[str] = field(default_factory=list)
    """Names of parts whose notes land here whatever their program, where the tune is found (`assign: melody`)."""
    is_drum: bool = False
    """Hits instead of pitches: never transposed, on MIDI channel 10."""
    pan: float = 0.0
    """Place between the loudspeakers, -1 left to 1 right."""
    volume: float = 1.0
    """Loudness of the track beside the others, 0 to 1 (1 is the loudest), whatever instrument plays it."""
    voice: bool = False
    """The lyrics belong to this track."""


@dataclass
class ArrangementSettings:
    """Which instruments play the tracks; the songs of an album take the arrangements in turn."""

    name: str
    """What the album page calls it."""
    programs: list[int] = field(default_factory=list)
    """One General MIDI program (0 to 127) a track; of drums the kit (0 standard, 8 room, 16 power, 24 electronic, 25
    TR-808, 32 jazz, 40 brush), where the SoundFont has it."""
    styles: list[str] = field(default_factory=list)
    """Styles that it is for (folders of the data, such as `boom-bap`); empty is for all others."""
    volumes: list[float] = field(default_factory=list)
    """Loudness of each track, 0 to 1, in place of the tracks' own; empty leaves those."""


@dataclass
class TracksSettings:
    """A track set (`conf/tracks/`)."""

    name: str
    """Names the track set in messages and on pages."""
    assign: str
    """How notes find their track: `program` (General MIDI family), `register` (as many parts as tracks, highest
    first; a hymn on two staves gives its four voices), `name` (the name of the MIDI track or part) or `melody` (the
    tune, found by lyrics, names, register and how it moves, to the track with `voice`; the rest by program)."""
    tracks: list[TrackSettings]
    """Its tracks: `name`, `programs`, `names`, `is_drum`, `pan` (-1 to 1), `volume` (0 to 1), `voice` (it carries the
    words)."""
    arrangements: list[ArrangementSettings]
    """Instruments that the songs of an album take in turn: `name`, `programs`, one for each track, and for which
    `styles` with which `volumes`."""

    @property
    def lead(self) -> int | None:
        """The first track that is a voice, or None."""
        return next((index for index, track in enumerate(self.tracks) if track.voice), None)

    @property
    def pans(self) -> tuple[float, ...]:
        """Place of each track in the stereo field, from -1 (left) to 1."""
        return tuple(track.pan for track in self.tracks)

    @property
    def volumes(self) -> tuple[float, ...]:
        """Loudness of each track, from 0 to 1."""
        return tuple(track.volume for track in self.tracks)


@dataclass
class RollSettings:
    """The grid of a phrase; its beats a bar are those of `data.metre`. See `gan.spec.RollSpec`."""

    bars: int = 4
    """Bars of a phrase."""
    steps_per_beat: int | None = None
    """Null is sixteenths: 4, or 6 where beats are three eighths (a multiple of 3 there); 12 or 24 are finer."""


@dataclass
class CollectSettings:
    """Gathering the files."""

    max_file_megabytes: float = 32.0
    """Larger scores and texts are rejected unread: none needs that much."""
    max_recording_megabytes: float = 1000.0
    """Larger recordings are rejected unread; also the most that one download may have."""
    max_archive_megabytes: float = 4000.0
    """What the files of one zip archive may come to when they are unpacked."""
    max_archive_files: int = 100000
    """How many files one zip archive may hold."""
    timeout_seconds: float = 30.0
    """A server that sends (almost) nothing for so long is given up."""
    retries: int = 2
    """How often a download is tried again after the connection failed."""


@dataclass
class PrepareSettings:
    """Scores to phrases."""

    hop_bars: int = 1
    """Bars between the starts of two phrases; less than `roll.bars` makes them overlap."""
    min_tracks: int = 2
    """Tracks that must sound in a phrase for it to count."""
    unknown: list[str] | None = None
    """Tracks of which songs say nothing where they do not play, such as `[Drums, Bass]`, so that networks do not learn
    that they rest. Null takes all that a transcription does not hear and, with `tracks=pop`, all that are missing from
    a score without drums and bass; `[]` takes every rest as meant."""
    key: str = "common"
    """`common` moves every song to C major or A minor; `original` leaves it."""
    cut: str = "structure"
    """`structure` cuts at the boundaries of sections, found by self-similarity; `grid` every `hop_bars` bars."""
    play_repeats: bool = True
    """Repeats, endings (voltas), D.C. and D.S. of MusicXML and ABC are played out; false leaves the written bars."""


@dataclass
class ExecutorSettings:
    """Who does the work on many files (`conf/executor/`). Never changes a result."""

    kind: str = "local"
    """`local` (processes of this machine), `dask` or `ray` (a cluster)."""
    workers: int | None = None
    """Processes that work at once; null takes all cores, or all that the cluster has."""
    address: str | None = None
    """Where the cluster's scheduler listens, such as `tcp://10.0.0.1:8786`; null starts one on this machine."""


def steps_of(roll: RollSettings, metre: str) -> int:
    """Steps of a beat. Raises `UserError` for a metre that can't be taken, or steps that do not fit it."""
    found = read_metre(metre)
    steps = found.usual_steps if roll.steps_per_beat is None else roll.steps_per_beat
    if found.is_compound and steps % 3:
        raise UserError(
            f"roll.steps_per_beat must be a multiple of 3 in {metre}, whose beats are three eighth notes (such as 6 or "
            f"12), not {steps}."
        )
    return steps


def roll_spec(roll: RollSettings, tracks: TracksSettings, metre: str) -> RollSpec:
    """The RollSpec that the settings describe; a `UserError` names the key that is off."""
    found, steps = read_metre(metre), steps_of(roll, metre)
    try:
        return RollSpec(
            tracks=tuple(Track(track.name, track.is_drum) for track in tracks.tracks),
            bars=roll.bars,
            beats_per_bar=found.beats_per_bar,
            steps_per_beat=steps,
            is_compound=found.is_compound,
        )
    except ValueError as error:
        raise UserError(f"roll/tracks settings: {error}.") from error
