"""The stored data set: packed phrases on disk, mapped into memory when opened, and the tables that describe them.

`data/prepared/SET/` holds `rolls.npy` (uint8 `[phrases, 2, tracks, bars, steps, ceil(pitches / 8)]`: all of train, then
validation, then test), in the same order `chords.npy` (int8 `[phrases, half_bars, 3]`, see `gan.chords`) and
`phrases.csv` (which bars of which song each phrase is, and how much it counts), `songs.csv` (what is known of each
song), `plans.npz` (the plan of each, in the order of `songs.csv`), `performance.npz` (how notes of some of them are
played, see `pipeline.dataset.performances`), `rejects.csv` and `statistics.json`. Where songs play samples of the
catalog, `sampled.csv` says in which phrases a track holds the notes of one.
"""

from __future__ import annotations

import re
import zipfile
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from gan.chords import CHORD_NUMBERS
from gan.spec import RollSpec
from pipeline.csv import damaged, iterate_rows, read_rows
from pipeline.dataset.performances import PlayedTable, unpack_performances
from pipeline.dataset.splits import SPLITS
from pipeline.files import read_json
from pipeline.scores.chords.symbols import ChordRows
from pipeline.scores.notes import Planes, unpack_rolls
from pipeline.scores.structure.song_plan import SongPlan, unpack_plans

ROLLS, PHRASES, SONGS, REJECTS, STATISTICS = "rolls.npy", "phrases.csv", "songs.csv", "rejects.csv", "statistics.json"
PLANS, PERFORMANCE, CHORDS = "plans.npz", "performance.npz", "chords.npy"
SAMPLED = "sampled.csv"
WRITTEN, RECOGNISED = "written", "recognised"
"""Where the chords of a song come from."""
T = TypeVar("T")
KNOWN_SEPARATOR = "; "
"""Between the names of known tracks in `songs.csv`."""


@dataclass(frozen=True)
class SongRow:
    """One song of the set."""

    song: str
    title: str
    source: str
    group: str
    """The first song that shares its tune, perhaps itself; a group lies in one split."""
    split: str
    bars: int
    phrases: int
    shift: int
    key: str
    tempo_bpm: float
    chords: str
    """`written` where its chord symbols name them, else `recognised`."""
    sections: str
    """The bars at which its sections begin, such as `0 8 16`; one alone where nobody looked for them."""
    known: str
    """The tracks of which the song says what they play, such as `Lead; Piano`; empty where it says so of all."""
    remark: str
    """What was mended or guessed when it was read, and what was not done as the catalog says; empty where nothing."""


@dataclass(frozen=True)
class PhraseIndexRow:
    """A line of `phrases.csv`: where a phrase comes from; what else is known of it, the line of its song says."""

    song: str
    first_bar: int
    """Of the song."""
    section: int
    """Which section of the song it lies in, counted from 0."""
    weight: float
    """How much it counts in training, 1 or less: of a transcription, how surely it was heard."""


@dataclass(frozen=True)
class SamplePhrase:
    """A line of `sampled.csv`: a phrase in which a track holds the moved notes of a sample that its song plays."""

    song: str
    first_bar: int
    track: str


@dataclass(frozen=True)
class PhraseIndex:
    """Where phrases come from, as arrays, in the order of `PhraseStore.packed`.

    Attributes
    ----------
    songs
        The place of each phrase's song in `PhraseStore.songs`, int64 `[phrases]`.
    first_bars
        Which bar of its song each begins at, int64 `[phrases]`.
    sections
        Which section of its song each lies in, counted from 0, int64 `[phrases]`.
    weights
        How much each counts in training, float64 `[phrases]`, more than 0 and 1 at most.
    """

    songs: NDArray[np.int64]
    first_bars: NDArray[np.int64]
    sections: NDArray[np.int64]
    weights: NDArray[np.float64]

    def __getitem__(self, some: slice) -> PhraseIndex:
        """Those of some phrases."""
        return PhraseIndex(self.songs[some], self.first_bars[some], self.sections[some], self.weights[some])

    def __len__(self) -> int:
        return len(self.songs)

    def of(self, song: int) -> dict[int, int]:
        """The number of each phrase of a song by the bar that it begins at."""
        return {int(self.first_bars[place]): int(place) for place in np.flatnonzero(self.songs == song)}


@dataclass(frozen=True)
class Reject:
    """A file that gave no phrases, and why."""

    path: str
    reason: str


def kind_of_reason(reason: str) -> str:
    """A reason without what is particular to one file: `broken file`, `is in 3/4`, `one track only`, `duplicate`."""
    if reason.startswith("duplicate of "):
        return "duplicate"
    kind = re.sub(r"^has \d+ parts?,.*", "another number of parts", reason)
    return re.split(r":|;| \(", kind, maxsplit=1)[0]


class PhraseStore:
    """A prepared data set. Opening it reads a page of JSON; rolls are read from disk as they are used."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.statistics: dict[str, Any] = read_json(directory / STATISTICS)
        try:
            self.spec = RollSpec.from_dict(self.statistics["spec"])
            counts = {split: int(self.statistics["phrases"][split]) for split in SPLITS}
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(directory / STATISTICS, f"{error!r}", "prepare") from error
        self._all = self._map(sum(counts.values()))
        ends = np.cumsum([counts[split] for split in SPLITS]).tolist()
        self._slices = {split: slice(end - counts[split], end) for split, end in zip(SPLITS, ends, strict=True)}

    def _map(self, count: int) -> NDArray[np.uint8]:
        wanted = (count, *self.spec.shape[:-1], -(-self.spec.num_pitches // 8))
        rolls: NDArray[np.uint8] = self._load(ROLLS, np.dtype(np.uint8), wanted, "c" if count else None)
        return rolls

    def _load(self, name: str, dtype: np.dtype[Any], shape: tuple[int, ...], mode: Literal["c"] | None) -> Any:
        """The array of a file, checked. Raises `UserError`."""
        path = self.directory / name
        try:
            array = np.load(path, mmap_mode=mode, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise damaged(path, str(error), "prepare") from error
        if array.dtype != dtype or array.shape != shape:
            kind = "bytes" if dtype == np.uint8 else str(dtype)
            raise damaged(path, f"holds {array.dtype} of shape {array.shape}, not {kind} of shape {shape}", "prepare")
        return array

    @cached_property
    def _chords(self) -> ChordRows:
        chords: ChordRows = self._load(CHORDS, np.dtype(np.int8), (len(self), self.spec.half_bars, CHORD_NUMBERS), None)
        return chords

    def chords(self, split: str) -> ChordRows:
        """The chords of the phrases of a split, int8 `[phrases, half_bars, 3]`; -1 in all three is unknown."""
        return self._chords[self._slices[split]]

    def __len__(self) -> int:
        return len(self._all)

    def packed(self, split: str) -> NDArray[np.uint8]:
        """The phrases of `train`, `validation` or `test`, packed along pitches and mapped from disk (copy on write).

        uint8 `[phrases, 2, tracks, bars, steps, ceil(pitches / 8)]`; `torch.from_numpy` and `gan.training.batches` take
        it as it is.
        """
        return self._all[self._slices[split]]

    def rolls(self, split: str) -> Planes:
        """The phrases of a split in memory: bool `[phrases, 2, tracks, bars, steps, pitches]`."""
        return unpack_rolls(np.ascontiguousarray(self.packed(split)), self.spec.num_pitches)

    def known(self, split: str) -> NDArray[np.bool_]:
        """Which tracks the song of each phrase of a split says something of: bool `[phrases, tracks]`.

        A track that is not known is silent in the roll for want of knowledge. One that holds the notes of a sample is
        known in that phrase.
        """
        index = self.index(split)
        known: NDArray[np.bool_] = self._known_by_song[index.songs]
        for one in self.sampled:
            track = self.spec.names.index(one.track)
            known[(index.songs == self._place_of[one.song]) & (index.first_bars == one.first_bar), track] = True
        return known

    @cached_property
    def sampled(self) -> list[SamplePhrase]:
        """The phrases that hold the notes of a sample; none where the catalog had no samples."""
        path = self.directory / SAMPLED
        rows = read_rows(path, SamplePhrase, "prepare") if path.is_file() else []
        strange = [one for one in rows if one.track not in self.spec.names]
        if strange:
            raise damaged(path, f"it has a track {strange[0].track!r}", "prepare")
        return [one for one in rows if one.song in self._place_of]

    @cached_property
    def _place_of(self) -> dict[str, int]:
        """The place of each song in `songs`."""
        return {row.song: place for place, row in enumerate(self.songs)}

    def known_by_song(self, split: str) -> NDArray[np.bool_]:
        """The same of the songs of a split, in the order of `songs`: bool `[songs, tracks]`."""
        own = np.array([song.split == split for song in self.songs], bool)
        known: NDArray[np.bool_] = self._known_by_song[own]
        return known

    @property
    def known_by_any_song(self) -> NDArray[np.bool_]:
        """Which tracks some song of any split knows: bool `[tracks]`."""
        return np.asarray(self._known_by_song.any(axis=0))

    @cached_property
    def _known_by_song(self) -> NDArray[np.bool_]:
        return np.array([self._known_tracks(row) for row in self.songs], bool).reshape(-1, self.spec.num_tracks)

    def _known_tracks(self, song: SongRow) -> list[bool]:
        named = song.known.split(KNOWN_SEPARATOR)
        if unknown := set(named) - {"", *self.spec.names}:
            raise damaged(self.directory / SONGS, f"it has no track {', '.join(sorted(unknown))}", "prepare")
        return [not song.known or name in named for name in self.spec.names]

    def index(self, split: str | None = None) -> PhraseIndex:
        """Where the phrases of a split, or all phrases, come from."""
        return self._index if split is None else self._index[self._slices[split]]

    @cached_property
    def _index(self) -> PhraseIndex:
        """Where all phrases come from."""
        path = self.directory / PHRASES
        places = {row.song: place for place, row in enumerate(self.songs)}
        songs, first_bars, sections, weights = array("q"), array("q"), array("q"), array("d")
        for row in iterate_rows(path, PhraseIndexRow, "prepare"):
            if row.song not in places:
                raise damaged(self.directory / SONGS, f"it has no song {row.song!r}", "prepare")
            if not 0 < row.weight <= 1:
                raise damaged(path, f"it has a weight of {row.weight:g}", "prepare")
            songs.append(places[row.song])
            first_bars.append(row.first_bar)
            sections.append(row.section)
            weights.append(row.weight)
        if len(songs) != len(self):
            raise damaged(path, f"it has {len(songs)} rows for {len(self)} phrases", "prepare")
        return PhraseIndex(np.array(songs), np.array(first_bars), np.array(sections), np.array(weights))

    @cached_property
    def songs(self) -> list[SongRow]:
        """A row a song."""
        return read_rows(self.directory / SONGS, SongRow, "prepare")

    def plans(self, split: str) -> list[SongPlan]:
        """The plans of the songs of a split, in the order of `songs`."""
        return self._of_songs(PLANS, unpack_plans, split)

    def played(self, split: str) -> list[PlayedTable]:
        """How notes of the songs of a split are played, in the order of `songs`; empty where nothing is known of it."""
        return self._of_songs(PERFORMANCE, unpack_performances, split)

    def _of_songs(self, name: str, unpack: Callable[[dict[str, Any]], list[T]], split: str) -> list[T]:
        """What a file of arrays holds of each song of a split."""
        path = self.directory / name
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                values = unpack({name: arrays[name] for name in arrays.files})
            return [value for value, song in zip(values, self.songs, strict=True) if song.split == split]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise damaged(path, str(error), "prepare") from error

    @cached_property
    def rejects(self) -> list[Reject]:
        """The files that gave no phrases."""
        return read_rows(self.directory / REJECTS, Reject, "prepare")


def open_store(directory: Path) -> PhraseStore:
    """Open the data set in `directory`; a missing or damaged file raises `UserError` that names it."""
    return PhraseStore(directory)
