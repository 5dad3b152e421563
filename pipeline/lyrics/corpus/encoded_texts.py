"""Texts as the language model reads them: encoded documents by side of the split, in memory or mapped from a file."""

from __future__ import annotations

import hashlib
import math
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.lyrics.corpus.vocabulary import Characters, Tokens, Vocabulary


@dataclass(frozen=True)
class Side:
    """The documents of one side of the split.

    Attributes
    ----------
    tokens
        All documents one after another `[tokens]`.
    ends
        Where each document ends `[documents]`.
    """

    tokens: Tokens
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, texts: Iterable[str], vocabulary: Vocabulary) -> Side:
        """Encode `texts`."""
        ends, tokens = array("q"), array("H")
        for text in texts:
            tokens.frombytes(vocabulary.encode(text).tobytes())
            ends.append(len(tokens))
        return cls(np.array(tokens, dtype=np.uint16), np.array(ends, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.ends)

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """Where each document starts `[documents]`."""
        return np.concatenate([[0], self.ends[:-1]]).astype(np.int64)

    def document(self, number: int) -> Tokens:
        """The tokens of one document."""
        return self.tokens[self.starts[number] : self.ends[number]]


@dataclass(frozen=True)
class Texts:
    """Encoded documents by side; the model never trains on validation and test."""

    vocabulary: Vocabulary
    training: Side
    validation: Side
    test: Side

    @classmethod
    def of(
        cls,
        training: Sequence[str],
        validation: Sequence[str],
        test: Sequence[str],
        vocabulary: Vocabulary | None = None,
    ) -> Texts:
        """Texts that are in memory, by default with the characters of the training side."""
        if vocabulary is None:
            vocabulary = Characters.of(Counter("".join(training)))
        return cls(vocabulary, *(Side.of(side, vocabulary) for side in (training, validation, test)))

    @cached_property
    def digest(self) -> str:
        """Hash of the vocabulary and all three sides."""
        known = self.vocabulary.state()
        told = [(key, value.tolist() if isinstance(value, Tensor) else value) for key, value in sorted(known.items())]
        found = hashlib.sha256(repr(told).encode())
        for side in (self.training, self.validation, self.test):
            found.update(side.ends.tobytes())
            for start in range(0, len(side.tokens), 1 << 24):
                found.update(side.tokens[start : start + (1 << 24)].tobytes())
        return found.hexdigest()

    def read(self, side: Side, most: int) -> Iterator[str]:
        """Documents of a side as text: all, or some evenly spread over it with about `most` characters together."""
        if not len(side):
            return
        widths, sample = self.vocabulary.widths, side.tokens[: 1 << 20]
        characters = len(side.tokens) * float(widths[sample].mean())
        for number in range(0, len(side), max(1, math.ceil(characters / most))):
            yield self.vocabulary.decode(side.document(number).tolist())


class Lanes:
    """The documents of a side in an order of an epoch, one after the other, cut into lanes of equal length.

    Only what is asked for is read, so a side may be larger than memory.

    Parameters
    ----------
    side
        The documents.
    num_lanes
        How many lanes.
    draws
        Decides on the order.
    """

    def __init__(self, side: Side, num_lanes: int, draws: torch.Generator) -> None:
        self.side, self.num_lanes = side, num_lanes
        self.order = torch.randperm(len(side), generator=draws).numpy()
        sizes = (side.ends - side.starts)[self.order]
        self.ends = np.cumsum(sizes)
        self.length = int(self.ends[-1]) // num_lanes

    def stretch(self, start: int, stop: int) -> Tensor:
        """Tokens `start` to `stop` of every lane `[lanes, tokens]`, fewer where the lanes end."""
        stop = min(stop, self.length)
        lanes = [self._read(lane * self.length + start, lane * self.length + stop) for lane in range(self.num_lanes)]
        return torch.from_numpy(np.stack(lanes).astype(np.int64))

    def _read(self, start: int, stop: int) -> Tokens:
        """A run of the reordered stream."""
        parts = []
        place = int(np.searchsorted(self.ends, start, side="right"))
        while start < stop:
            end = int(self.ends[place])
            number = self.order[place]
            at = int(self.side.ends[number]) - (end - start)
            parts.append(self.side.tokens[at : at + min(end, stop) - start])
            start, place = min(end, stop), place + 1
        return np.concatenate(parts)
