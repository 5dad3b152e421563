"""The files of a catalog to one stored data set: read in parallel, put together in the catalog's order."""

from __future__ import annotations

import json
import os
import re
import struct
import zlib
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.csv import write_rows
from pipeline.dataset.cutting import Reading, Recipe, Reject, Song, Source, prepare_file
from pipeline.dataset.near_duplicates import find_copies
from pipeline.dataset.splits import SPLITS, choose_splits, find_kin
from pipeline.dataset.statistics import describe
from pipeline.dataset.store import PHRASES, REJECTS, ROLLS, SONGS, STATISTICS, PlaceRow, RejectRow, SongRow
from pipeline.files import atomic_path, fingerprint, write_json
from pipeline.parallel import TookTooLongError, limited, work_on
from pipeline.settings.music import ExecutorSettings

FORMAT = 1
"""Counted up when files are read otherwise than before, or readings written otherwise."""
HEAD = struct.Struct("<16sII")
"""Before each record: its key, the number of its bytes, and their checksum with the key's."""
PLAIN = tuple(field.name for field in fields(Song) if field.name not in ("phrases", "sketches", "turns", "programs"))


def encode(reading: Reading) -> bytes:
    """A reading as bytes, compressed."""
    songs, parts = [], []
    for song in reading.songs:
        arrays = [np.ascontiguousarray(one) for one in (song.phrases, song.sketches, *song.turns)]
        shapes = [[array.dtype.str, array.shape] for array in arrays]
        programs = [list(own.items()) for own in song.programs]
        songs.append({name: getattr(song, name) for name in PLAIN} | {"programs": programs, "arrays": shapes})
        parts += [array.tobytes() for array in arrays]
    rejects = [[reject.path, reject.reason] for reject in reading.rejects]
    text = json.dumps({"songs": songs, "rejects": rejects}).encode()
    return zlib.compress(b"".join([struct.pack("<I", len(text)), text, *parts]), 1)


def decode(content: bytes) -> Reading:
    """What `encode` was given."""
    content = zlib.decompress(content)
    end = 4 + struct.unpack_from("<I", content)[0]
    values = json.loads(content[4:end])
    songs = []
    for song in values["songs"]:
        arrays = []
        for dtype, shape in song.pop("arrays"):
            arrays.append(np.frombuffer(content, dtype, int(np.prod(shape)), end).reshape(shape))
            end += arrays[-1].nbytes
        programs = tuple(Counter(dict(map(tuple, own))) for own in song.pop("programs"))
        fields_of: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in song.items()
        }
        phrases, sketches, *turns = arrays
        # what stays in memory for long must not hold the phrases there
        fields_of |= {"sketches": sketches.copy(), "turns": tuple(one.copy() for one in turns)}
        songs.append(Song(**fields_of, programs=programs, phrases=phrases))
    return Reading(songs, [Reject(*reject) for reject in values["rejects"]])


class Journal:
    """Encoded readings in a file, by key. What a killed program left half written at its end is dropped.

    Parameters
    ----------
    path
        The file; made where it is not there.
    purpose
        16 bytes that stand for how files are read; what was written for another purpose is dropped.
    """

    def __init__(self, path: Path, purpose: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._places: dict[bytes, tuple[int, int]] = {}
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        self._end = self._find_records(purpose)
        os.ftruncate(self._file, self._end)
        if self._end == 0:
            self._append(purpose, b"")

    def _find_records(self, purpose: bytes) -> int:
        """Note where the records lie; where the last whole one ends."""
        end = 0
        while len(head := os.pread(self._file, HEAD.size, end)) == HEAD.size:
            key, size, checksum = HEAD.unpack(head)
            content = os.pread(self._file, size, end + HEAD.size)
            if len(content) < size or zlib.crc32(key + content) != checksum or (end == 0 and key != purpose):
                break
            if end > 0:
                self._places[key] = (end + HEAD.size, size)
            end += HEAD.size + size
        return end

    def _append(self, key: bytes, content: bytes) -> None:
        record = HEAD.pack(key, len(content), zlib.crc32(key + content)) + content
        while record:  # a nearly full disk takes a part
            written = os.write(self._file, record) if os.lseek(self._file, self._end, os.SEEK_SET) >= 0 else 0
            self._end += written
            record = record[written:]

    def __contains__(self, key: bytes) -> bool:
        return key in self._places

    def __len__(self) -> int:
        return len(self._places)

    def read(self, key: bytes) -> bytes:
        """The content that was written under `key`."""
        begin, size = self._places[key]
        return os.pread(self._file, size, begin)

    def write(self, key: bytes, content: bytes) -> None:
        """Keep `content` under `key` (16 bytes). The system has it when this returns, whatever becomes of us."""
        begin = self._end + HEAD.size
        self._append(key, content)
        self._places[key] = (begin, len(content))

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Any:
        os.close(self._file)


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

    A song of which none is left goes to `rejects`. Beside the songs come all phrases of `raw`, mapped from
    disk.
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
