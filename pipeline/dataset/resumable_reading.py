"""Files to phrases in parallel, and on from where a stopped run left off: what was read lies in a journal."""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from pipeline.dataset.cutting import CuttingSettings, PreparedFile, PreparedSong, SourceFile, prepare_file
from pipeline.dataset.performances import PLAYED
from pipeline.dataset.store import Reject
from pipeline.files import fingerprint
from pipeline.parallel import TookTooLongError, limited, work_on
from pipeline.scores.structure.song_plan import pack_plans, unpack_plans
from pipeline.settings.data import ExecutorSettings

FORMAT = 9
"""Counted up when files are read otherwise than before, or what was read is written otherwise."""
HEAD = struct.Struct("<16sII")
"""Before each record: its key, the number of its bytes, and their checksum with the key's."""
PLAIN = tuple(
    field.name
    for field in fields(PreparedSong)
    if field.name not in ("phrases", "signatures", "ngrams", "programs", "plan", "chords", "played")
)
CRASHED = "broken file: reading it crashed the reader"
TOO_SLOW = "takes too long to read"
LIMIT_SECONDS = 120.0
"""Processor time that one file may take."""


def read_files(
    sources: Sequence[SourceFile],
    settings: CuttingSettings,
    executor: ExecutorSettings,
    read: Callable[[SourceFile, CuttingSettings], PreparedFile] = prepare_file,
    limit_seconds: float = LIMIT_SECONDS,
) -> Iterator[PreparedFile]:
    """What came of each file by `read`, in order; a file that kills its reader, or keeps it busy, is rejected."""
    task = partial(_read_one, read, settings, limit_seconds, os.getpid())
    return map(from_bytes, work_on(sources, task, _crashed, executor))


def read_files_resuming(
    sources: Sequence[SourceFile],
    settings: CuttingSettings,
    executor: ExecutorSettings,
    journal_path: Path,
    read: Callable[[SourceFile, CuttingSettings], PreparedFile] = prepare_file,
) -> Iterator[PreparedFile]:
    """As `read_files`, and whatever becomes of this program, files that were read once are not read again.

    What was read is kept in the file `journal_path`; whoever has made use of it all removes it.
    """
    task = partial(_read_one, read, settings, LIMIT_SECONDS, os.getpid())
    keys = [_hash(asdict(source)) for source in sources]
    with Journal(journal_path, _hash([FORMAT, asdict(settings)])) as journal:
        known = [key in journal for key in keys]
        left = [source for source, is_known in zip(sources, known, strict=True) if not is_known]
        found = work_on(left, task, _crashed, executor)
        for key, is_known in zip(keys, known, strict=True):
            if is_known:
                content = journal.read(key)
            else:
                content = next(found)
                journal.write(key, content)
            yield from_bytes(content)


def _hash(values: object) -> bytes:
    return bytes.fromhex(fingerprint(values)[:32])


def _read_one(
    read: Callable[[SourceFile, CuttingSettings], PreparedFile],
    settings: CuttingSettings,
    limit_seconds: float,
    home: int,
    source: SourceFile,
) -> bytes:
    try:
        with limited(limit_seconds, home):
            prepared = read(source, settings)
    except TookTooLongError:
        prepared = PreparedFile(rejects=[Reject(source.path, f"{TOO_SLOW}: more than {limit_seconds:g} s")])
    return to_bytes(prepared)


def _crashed(source: SourceFile) -> bytes:
    return to_bytes(PreparedFile(rejects=[Reject(source.path, CRASHED)]))


def to_bytes(prepared: PreparedFile) -> bytes:
    """A prepared file as bytes: JSON and arrays, compressed by zlib."""
    songs, parts = [], []
    for song in prepared.songs:
        plan = pack_plans([song.plan])
        columns = (song.phrases, song.signatures, song.chords, song.played.view(np.uint8), *song.ngrams, *plan.values())
        arrays = [np.ascontiguousarray(one) for one in columns]
        shapes = [[array.dtype.str, array.shape] for array in arrays]
        plan_names = list(plan)
        programs = [list(own.items()) for own in song.programs]
        songs.append(
            {name: getattr(song, name) for name in PLAIN} | {"programs": programs, "arrays": shapes, "plan": plan_names}
        )
        parts += [array.tobytes() for array in arrays]
    rejects = [[reject.path, reject.reason] for reject in prepared.rejects]
    text = json.dumps({"songs": songs, "rejects": rejects}).encode()
    return zlib.compress(b"".join([struct.pack("<I", len(text)), text, *parts]), 1)


def from_bytes(content: bytes) -> PreparedFile:
    """What `to_bytes` was given."""
    content = zlib.decompress(content)
    end = 4 + struct.unpack_from("<I", content)[0]
    values = json.loads(content[4:end])
    songs = []
    for song in values["songs"]:
        arrays = []
        for dtype, shape in song.pop("arrays"):
            arrays.append(np.frombuffer(content, dtype, int(np.prod(shape)), end).reshape(shape))
            end += arrays[-1].nbytes
        names = song.pop("plan")
        programs = tuple(Counter(dict(map(tuple, own))) for own in song.pop("programs"))
        fields_of: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in song.items()
        }
        phrases, signatures, chords, played, *ngrams = arrays[: -len(names)]
        (plan,) = unpack_plans(dict(zip(names, arrays[-len(names) :], strict=True)))
        # what stays in memory for long must not hold the phrases there
        fields_of |= {
            "signatures": signatures.copy(),
            "chords": chords.copy(),
            "played": played.copy().view(PLAYED),
            "ngrams": tuple(one.copy() for one in ngrams),
        }
        songs.append(PreparedSong(**fields_of, programs=programs, phrases=phrases, plan=plan))
    return PreparedFile(songs, [Reject(*reject) for reject in values["rejects"]])


class Journal:
    """Append-only log of prepared files, by key. What a killed program left half written at its end is dropped.

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
