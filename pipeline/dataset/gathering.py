"""The files of a catalog to one stored data set: read in parallel, put together in the catalog's order."""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.csv import write_rows
from pipeline.dataset.cutting import Reading, Recipe, Reject, Song, Source, prepare_file
from pipeline.dataset.journal import FORMAT, Journal, decode, encode
from pipeline.dataset.near_duplicates import find_copies
from pipeline.dataset.splits import SPLITS, choose_splits, find_kin
from pipeline.dataset.statistics import describe
from pipeline.dataset.store import PHRASES, REJECTS, ROLLS, SONGS, STATISTICS, PlaceRow, RejectRow, SongRow
from pipeline.files import atomic_path, fingerprint, write_json
from pipeline.parallel import TookTooLongError, limited, work_on
from pipeline.settings.music import ExecutorSettings

CRASHED = "broken file: reading it crashed the reader"
TOO_SLOW = "takes too long to read"
LIMIT_SECONDS = 120.0
"""Processor time that one file may take."""


def read_all(
    sources: Sequence[Source],
    recipe: Recipe,
    executor: ExecutorSettings,
    read: Callable[[Source, Recipe], Reading] = prepare_file,
    limit_seconds: float = LIMIT_SECONDS,
) -> Iterator[Reading]:
    """What came of each file by `read`, in order; a file that kills its reader, or keeps it busy, is rejected."""
    task = partial(_read_one, read, recipe, limit_seconds, os.getpid())
    return map(decode, work_on(sources, task, _crashed, executor))


def read_on(
    sources: Sequence[Source],
    recipe: Recipe,
    executor: ExecutorSettings,
    journal_path: Path,
    read: Callable[[Source, Recipe], Reading] = prepare_file,
) -> Iterator[Reading]:
    """As `read_all`, and whatever becomes of this program, files that were read once are not read again.

    The readings are kept in the file `journal_path`; whoever has made use of them all removes it.
    """
    task = partial(_read_one, read, recipe, LIMIT_SECONDS, os.getpid())
    keys = [_hash(asdict(source)) for source in sources]
    with Journal(journal_path, _hash([FORMAT, asdict(recipe)])) as journal:
        known = [key in journal for key in keys]
        left = [source for source, is_known in zip(sources, known, strict=True) if not is_known]
        found = work_on(left, task, _crashed, executor)
        for key, is_known in zip(keys, known, strict=True):
            if is_known:
                content = journal.read(key)
            else:
                content = next(found)
                journal.write(key, content)
            yield decode(content)


def _hash(values: object) -> bytes:
    return bytes.fromhex(fingerprint(values)[:32])


def _read_one(
    read: Callable[[Source, Recipe], Reading], recipe: Recipe, limit_seconds: float, home: int, source: Source
) -> bytes:
    try:
        with limited(limit_seconds, home):
            reading = read(source, recipe)
    except TookTooLongError:
        reading = Reading(rejects=[Reject(source.path, f"{TOO_SLOW}: more than {limit_seconds:g} s")])
    return encode(reading)


def _crashed(source: Source) -> bytes:
    return encode(Reading(rejects=[Reject(source.path, CRASHED)]))


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

    Of songs that are the same music in whatever key, and of phrases that are next to the same, the first is kept.
    Phrases go to disk as they come, so memory holds some kilobytes a song. With no songs, nothing is written.
    """
    songs: list[Song] = []
    rejects: list[Reject] = []
    place_of: dict[str, int] = {}
    ids: Counter[str] = Counter()
    raw = directory / "phrases.partial"
    with raw.open("wb") as file:
        for reading in readings:
            rejects += reading.rejects
            for song in reading.songs:
                place = place_of.setdefault(song.digest, len(songs))
                if place < len(songs):
                    rejects.append(Reject(song.path, f"duplicate of {songs[place].path}"))
                    songs[place] = replace(songs[place], split=songs[place].split or song.split)
                    continue
                song.phrases.tofile(file)
                ids[song.id] += 1
                own_id = song.id if ids[song.id] == 1 else f"{song.id}-again-{ids[song.id]}"
                songs.append(replace(song, id=own_id, phrases=song.phrases[:0].copy()))
    kept, phrases = _without_copies(raw, songs, rejects, recipe)
    if kept:
        table = _Table(kept)
        _write_rolls(phrases, directory / ROLLS, table)
        _write_tables(directory, table, rejects)
        write_json(directory / STATISTICS, describe(table.songs, table.splits, recipe.spec))
        counts = {split: sum(len(song.starts) for song in table.of(split)) for split in SPLITS}
    else:
        counts = dict.fromkeys(SPLITS, 0)
    raw.unlink()
    return Summary(len(kept), counts, rejects)


def _without_copies(
    raw: Path, songs: list[Song], rejects: list[Reject], recipe: Recipe
) -> tuple[list[tuple[Song, NDArray[np.int64]]], NDArray[np.uint8]]:
    """The songs without phrases that came before, each with the places in `raw` of those that are left.

    A song of which none is left goes to `rejects`. Beside the songs come all phrases of `raw`, mapped from disk.
    """
    counts = [len(song.starts) for song in songs]
    shape = (sum(counts), *recipe.spec.shape[:-1], -(-recipe.spec.num_pitches // 8))
    if not songs:
        return [], np.zeros(shape, np.uint8)
    phrases = np.memmap(raw, np.uint8, "r", shape=shape)
    copy_of = find_copies(np.concatenate([song.sketches for song in songs]), phrases)
    ends = np.cumsum(counts)
    kept = []
    for song, end, count in zip(songs, ends.tolist(), counts, strict=True):
        own = np.arange(end - count, end)
        stays = copy_of[own] == own
        if stays.any():
            starts = tuple(start for start, stay in zip(song.starts, stays.tolist(), strict=True) if stay)
            kept.append((replace(song, starts=starts, sketches=song.sketches[:0].copy()), own[stays]))
        else:
            first = songs[int(np.searchsorted(ends, copy_of[own[0]], side="right"))]
            rejects.append(Reject(song.path, f"duplicate of {first.path}"))
    return kept, phrases


class _Table:
    """The songs of a set, and what they were given beside one another: group, split, remark."""

    def __init__(self, kept: list[tuple[Song, NDArray[np.int64]]]) -> None:
        self.songs = [song for song, _ in kept]
        self.places = [places for _, places in kept]
        self.groups = find_kin([song.turns for song in self.songs])
        self.splits = choose_splits(
            [song.digest for song in self.songs], self.groups, [song.split for song in self.songs]
        )

    def of(self, split: str) -> list[Song]:
        return [song for song, its in zip(self.songs, self.splits, strict=True) if its == split]

    def remark(self, number: int) -> str:
        """Why a song does not lie in the split that the catalog names."""
        song, group, split = self.songs[number], self.groups[number], self.splits[number]
        if song.split in ("", split):
            return ""
        kin = next(one for one, its in zip(self.songs, self.groups, strict=True) if its == group and one.split == split)
        return f"in {split} instead of {song.split}, like {kin.path}, which has the same tune"


def _write_rolls(phrases: NDArray[np.uint8], path: Path, table: _Table) -> None:
    """Copy the phrases into `rolls.npy`, split by split."""
    shape = (sum(map(len, table.places)), *phrases.shape[1:])
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    with atomic_path(path) as temporary, temporary.open("wb") as target:
        np.lib.format.write_array_header_1_0(target, header)
        for split in SPLITS:
            for places, its in zip(table.places, table.splits, strict=True):
                if its == split:
                    phrases[places].tofile(target)


def _write_tables(directory: Path, table: _Table, rejects: list[Reject]) -> None:
    """Write `phrases.csv`, `songs.csv` and `rejects.csv`."""
    phrase_rows, song_rows = [], []
    for split in SPLITS:
        for number, (song, its) in enumerate(zip(table.songs, table.splits, strict=True)):
            if its != split:
                continue
            for start in song.starts:
                phrase_rows.append(PlaceRow(song.id, start, bisect_right(song.sections, start) - 1))
            song_rows.append(
                SongRow(
                    song=song.id,
                    title=song.title,
                    source=song.path,
                    group=table.songs[table.groups[number]].id,
                    split=split,
                    bars=song.bars,
                    phrases=len(song.starts),
                    shift=song.shift,
                    key=song.key,
                    tempo_bpm=song.tempo_bpm,
                    sections=" ".join(map(str, song.sections)),
                    remark=table.remark(number),
                )
            )
    write_rows(directory / PHRASES, phrase_rows, PlaceRow)
    write_rows(directory / SONGS, song_rows, SongRow)
    reject_rows = [RejectRow(one.path, one.reason) for one in sorted(rejects, key=lambda one: os.fsencode(one.path))]
    write_rows(directory / REJECTS, reject_rows, RejectRow)
