"""Disk buffer of documents on their way to tokens: in memory while they are few, in a temporary file when many."""

from __future__ import annotations

import hashlib
import tempfile
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

IN_MEMORY = 32_000_000
"""Bytes of text that are held in memory; more lie on the disk until they are read."""
HELD_OUT_SHARE = 0.05
"""Share of the documents held out for validation, and again for test."""
MOST_TITLES = 100_000
"""Titles that are remembered."""

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class DocumentSplit:
    """Which documents are on which side: training in the order of reading, the others in that of their hashes."""

    training: Numbers
    validation: Numbers
    test: Numbers


class DiskBuffer:
    """A buffer of documents in the order in which they were added, on the disk when there are many.

    Parameters
    ----------
    folder
        Where the file without a name lies; it is gone when the process ends, however it does.
    """

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, dir=str(folder))  # noqa: SIM115
        self._ends = array("q", [0])
        self._hashes = array("Q")
        self._sizes = array("q")
        self._titles: dict[int, str] = {}

    def __enter__(self) -> DiskBuffer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._hashes)

    @property
    def sizes(self) -> Numbers:
        """Characters of each document `[documents]`."""
        return np.frombuffer(self._sizes, dtype=np.int64)

    def add(self, title: str, text: str) -> None:
        """One more document."""
        data = text.encode("utf-8", "replace")
        if title and len(self._titles) < MOST_TITLES:
            self._titles[len(self)] = title
        self._file.write(data)
        self._ends.append(self._ends[-1] + len(data))
        self._hashes.append(int.from_bytes(hashlib.sha256(data.lower()).digest()[:8], "big"))
        self._sizes.append(len(text))

    def cut(self, length: int) -> None:
        """Forget all documents but the first `length`."""
        del self._ends[length + 1 :], self._hashes[length:], self._sizes[length:]
        self._titles = {number: title for number, title in self._titles.items() if number < length}
        self._file.seek(self._ends[-1])
        self._file.truncate()

    def different(self) -> Numbers:
        """The documents in the order of their hashes; of those that are the same, whatever their case, the first."""
        hashes = np.frombuffer(self._hashes, dtype=np.uint64)
        return np.unique(hashes, return_index=True)[1].astype(np.int64)

    def split(self) -> DocumentSplit:
        """90/5/5 of the different documents in the order of their hashes, at least one each held out."""
        ranked = self.different()
        held = max(1, round(HELD_OUT_SHARE * len(ranked)))
        return DocumentSplit(np.sort(ranked[2 * held :]), ranked[:held], ranked[held : 2 * held])

    def spread(self, numbers: Numbers, most: int) -> Numbers:
        """Documents of about `most` characters in all, evenly out of `numbers`; all where these are fewer."""
        return numbers[:: max(1, -(-int(self.sizes[numbers].sum()) // most))]

    def titles(self, numbers: Numbers) -> set[str]:
        """Titles of the documents, as far as they have some."""
        return {self._titles[number] for number in numbers.tolist() if number in self._titles}

    def texts(self, numbers: Numbers) -> Iterator[str]:
        """The documents' texts."""
        for number in numbers.tolist():
            start, end = self._ends[number], self._ends[number + 1]
            self._file.seek(start)
            yield self._file.read(end - start).decode()
