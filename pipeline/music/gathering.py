"""The files of a catalog to one stored data set: read in parallel, put together in the catalog's order."""

from __future__ import annotations

import math
import os
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np

from pipeline.artefacts import atomic_path, write_json
from pipeline.music.phrases import phrase_digest
from pipeline.music.preparing import Reading, Recipe, Reject, Song, Source, prepare_file
from pipeline.music.settings import ExecutorSettings
from pipeline.music.splits import SPLITS, choose_splits, find_kin
from pipeline.music.statistics import describe
from pipeline.music.store import PHRASES, REJECTS, ROLLS, SONGS, STATISTICS, PlaceRow, RejectRow, SongRow
from pipeline.music.tables import write_rows
from pipeline.parallel import work_on

CRASHED = "broken file: reading it crashed the reader"


def read_all(
    sources: Sequence[Source],
    recipe: Recipe,
    executor: ExecutorSettings,
    read: Callable[[Source, Recipe], Reading] = prepare_file,
) -> Iterator[Reading]:
    """What came of each file by `read`, in order; a file that kills its reader is rejected."""
    return work_on(sources, partial(_read_one, read, recipe), _crashed, executor)


def _read_one(read: Callable[[Source, Recipe], Reading], recipe: Recipe, source: Source) -> Reading:
    return read(source, recipe)


def _crashed(source: Source) -> Reading:
    return Reading(rejects=[Reject(source.path, CRASHED)])


@dataclass(frozen=True)
class Summary:
    """What became of the files."""

    songs: int
    phrases: dict[str, int]
    """By split."""
    rejects: list[Reject]

    def reasons(self) -> Counter[str]:
        """Rejects by the kind of reason, without what is particular to a file."""
        return Counter(kind_of_reason(reject.reason) for reject in self.rejects)


def kind_of_reason(reason: str) -> str:
    """A reason without what is particular to one file: `broken file`, `not 4/4`, `duplicate`."""
    if reason.startswith("duplicate of "):
        return "duplicate"
    return re.sub(r"^has \d+ parts?,.*", "another number of parts", reason).split(":")[0].split(" (")[0]


def gather(readings: Iterator[Reading], recipe: Recipe, directory: Path) -> Summary:
    """Write the store's files into `directory` and say what became of the files.

    Of songs and phrases that are the same music (songs in whatever key) the first is kept. Phrases go to disk as they
    come, so memory holds little more than one song at a time. With no songs, nothing is written.
    """
    songs: list[Song] = []
    rejects: list[Reject] = []
    song_of: dict[str, Song] = {}
    first_of: dict[bytes, str] = {}
    raw = directory / "phrases.partial"
    with raw.open("wb") as file:
        for reading in readings:
            rejects += reading.rejects
            for song in reading.songs:
                twin = song_of.setdefault(song.digest, song)
                if twin is not song:
                    rejects.append(Reject(song.path, f"duplicate of {twin.path}"))
                    continue
                kept = _write_new_phrases(song, first_of, file)
                if kept.starts:
                    songs.append(kept)
                else:
                    rejects.append(Reject(song.path, f"duplicate of {first_of[phrase_digest(song.phrases[0])]}"))
    if songs:
        groups = find_kin([song.turns for song in songs])
        splits = choose_splits([song.digest for song in songs], groups)
        _write_rolls(raw, directory / ROLLS, songs, splits, recipe)
        _write_tables(directory, songs, groups, splits, rejects)
        write_json(directory / STATISTICS, describe(songs, splits, recipe.spec))
        phrases = {split: sum(len(song.starts) for song in _of_split(songs, splits, split)) for split in SPLITS}
    else:
        phrases = dict.fromkeys(SPLITS, 0)
    raw.unlink()
    return Summary(len(songs), phrases, rejects)


def _write_new_phrases(song: Song, first_of: dict[bytes, str], file: BinaryIO) -> Song:
    """Append the phrases that no song before had; the song with those only, no longer holding them in memory."""
    starts = []
    for start, phrase in zip(song.starts, song.phrases, strict=True):
        digest = phrase_digest(phrase)
        if first_of.setdefault(digest, song.path) == song.path:
            starts.append(start)
            file.write(phrase.tobytes())
    return replace(song, starts=tuple(starts), phrases=song.phrases[:0].copy())


def _of_split(songs: list[Song], splits: list[str], split: str) -> list[Song]:
    return [song for song, its in zip(songs, splits, strict=True) if its == split]


def _write_rolls(raw: Path, path: Path, songs: list[Song], splits: list[str], recipe: Recipe) -> None:
    """Copy the phrases into `rolls.npy`, split by split."""
    counts = [len(song.starts) for song in songs]
    shape = (sum(counts), *recipe.spec.shape[:-1], -(-recipe.spec.num_pitches // 8))
    sizes = [count * math.prod(shape[1:]) for count in counts]
    begins = (np.cumsum(sizes) - sizes).tolist()
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    with atomic_path(path) as temporary, temporary.open("wb") as target, raw.open("rb") as source:
        np.lib.format.write_array_header_1_0(target, header)
        for split in SPLITS:
            for begin, size, its in zip(begins, sizes, splits, strict=True):
                if its == split:
                    source.seek(begin)
                    target.write(source.read(size))


def _write_tables(
    directory: Path, songs: list[Song], groups: list[int], splits: list[str], rejects: list[Reject]
) -> None:
    """Write `phrases.csv`, `songs.csv` and `rejects.csv`."""
    phrase_rows, song_rows = [], []
    for split in SPLITS:
        for song, group, its in zip(songs, groups, splits, strict=True):
            if its != split:
                continue
            for start in song.starts:
                phrase_rows.append(PlaceRow(song.id, start, bisect_right(song.sections, start) - 1))
            song_rows.append(
                SongRow(
                    song=song.id,
                    title=song.title,
                    source=song.path,
                    group=songs[group].id,
                    split=split,
                    bars=song.bars,
                    phrases=len(song.starts),
                    shift=song.shift,
                    key=song.key,
                    tempo_bpm=song.tempo_bpm,
                    sections=" ".join(map(str, song.sections)),
                )
            )
    write_rows(directory / PHRASES, phrase_rows, PlaceRow)
    write_rows(directory / SONGS, song_rows, SongRow)
    reject_rows = [RejectRow(one.path, one.reason) for one in sorted(rejects, key=lambda one: os.fsencode(one.path))]
    write_rows(directory / REJECTS, reject_rows, RejectRow)
