"""Texts as the language model reads them: tokens of documents by side of the split, in memory or mapped from files."""

from __future__ import annotations

import hashlib
import json
import math
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.files import replaced_directory, write_json
from pipeline.lyrics.corpus.vocabulary import Characters, Subwords, Tokens, Vocabulary


@dataclass(frozen=True)
class TextSplit:
    """The documents of one side of the split: training, validation or test.

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
    def of(cls, texts: Iterable[str], vocabulary: Vocabulary) -> TextSplit:
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
class EncodedTexts:
    """Encoded documents by side; the model never trains on validation and test."""

    vocabulary: Vocabulary
    training: TextSplit
    validation: TextSplit
    test: TextSplit

    @classmethod
    def of(
        cls,
        training: Sequence[str],
        validation: Sequence[str],
        test: Sequence[str],
        vocabulary: Vocabulary | None = None,
    ) -> EncodedTexts:
        """Texts that are in memory, by default with the characters of the training side."""
        if vocabulary is None:
            vocabulary = Characters.of(Counter("".join(training)))
        return cls(vocabulary, *(TextSplit.of(side, vocabulary) for side in (training, validation, test)))

    @cached_property
    def digest(self) -> str:
        """Hash of the vocabulary and all three sides."""
        known = self.vocabulary.state()
        values = [(key, value.tolist() if isinstance(value, Tensor) else value) for key, value in sorted(known.items())]
        found = hashlib.sha256(repr(values).encode())
        for side in (self.training, self.validation, self.test):
            found.update(side.ends.tobytes())
            for start in range(0, len(side.tokens), 1 << 24):
                found.update(side.tokens[start : start + (1 << 24)].tobytes())
        return found.hexdigest()

    def read(self, side: TextSplit, most: int) -> Iterator[str]:
        """Documents of a side as text: all, or some evenly spread over it with about `most` characters together."""
        if not len(side):
            return
        widths, sample = self.vocabulary.widths, side.tokens[: 1 << 20]
        characters = len(side.tokens) * float(widths[sample].mean())
        for number in range(0, len(side), max(1, math.ceil(characters / most))):
            yield self.vocabulary.decode(side.document(number).tolist())


class TokenStreams:
    """Parallel token streams for truncated backpropagation through time: a batch's rows go on from batch to batch.

    The documents of a side stand one after the other in the order of an epoch, cut into streams of equal length. Only
    what is asked for is read, so a side may be larger than memory.

    Parameters
    ----------
    side
        The documents.
    num_streams
        How many of them.
    draws
        Decides on the order.
    """

    def __init__(self, side: TextSplit, num_streams: int, draws: torch.Generator) -> None:
        self.side, self.num_streams = side, num_streams
        self.order = torch.randperm(len(side), generator=draws).numpy()
        sizes = (side.ends - side.starts)[self.order]
        self.ends = np.cumsum(sizes)
        self.length = int(self.ends[-1]) // num_streams

    def stretch(self, start: int, stop: int) -> Tensor:
        """Tokens `start` to `stop` of every stream `[streams, tokens]`, fewer where the streams end."""
        stop = min(stop, self.length)
        begins = [number * self.length for number in range(self.num_streams)]
        return torch.from_numpy(np.stack([self._read(at + start, at + stop) for at in begins]).astype(np.int64))

    def _read(self, start: int, stop: int) -> Tokens:
        """Tokens `start` to `stop` of the reordered documents."""
        parts = []
        place = int(np.searchsorted(self.ends, start, side="right"))
        while start < stop:
            end = int(self.ends[place])
            number = self.order[place]
            at = int(self.side.ends[number]) - (end - start)
            parts.append(self.side.tokens[at : at + min(end, stop) - start])
            start, place = min(end, stop), place + 1
        return np.concatenate(parts)


SIDES = ("training", "validation", "test")
FACTS = "texts.json"
"""The file that is written last: without it the others count for nothing."""
PIECES = "pieces.model"
"""What SentencePiece has learnt, where the tokens are subwords."""


def _write_split(texts: Iterable[str], vocabulary: Vocabulary, file: IO[bytes]) -> array[int]:
    """Encode `texts` into `file`, 16 bits a token; gives where each document ends."""
    ends, end = array("q"), 0
    for text in texts:
        tokens = vocabulary.encode(text)
        file.write(tokens.tobytes())
        end += len(tokens)
        ends.append(end)
    return ends


@dataclass(frozen=True)
class StoredTexts:
    """Texts in a folder, and what is to be known about them (plain JSON types)."""

    texts: EncodedTexts
    facts: dict[str, Any]


def load_texts(folder: Path, key: str) -> StoredTexts | None:
    """What `store_texts` left in `folder` under `key`; None where there is nothing whole of that key."""
    try:
        saved = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        if saved["key"] != key:
            return None
        symbols = saved["symbols"]
        vocabulary: Vocabulary = Subwords((folder / PIECES).read_bytes()) if symbols is None else Characters(symbols)
        return StoredTexts(
            EncodedTexts(vocabulary, *(_load_split(folder, name, saved["tokens"][name]) for name in SIDES)),
            saved["facts"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _load_split(folder: Path, name: str, num_tokens: int) -> TextSplit:
    tokens = np.memmap(folder / f"{name}.tokens", dtype=np.uint16, mode="r")
    if len(tokens) != num_tokens:
        raise ValueError(f"{name} is not whole")
    return TextSplit(tokens, np.load(folder / f"{name}.ends.npy"))


def store_texts(
    folder: Path, key: str, sides: Iterable[Iterable[str]], vocabulary: Vocabulary, facts: dict[str, Any]
) -> StoredTexts:
    """Encode training, validation and test into `folder`, which takes the place of what was there when it is whole."""
    with replaced_directory(folder) as fresh:
        tokens = {}
        for name, texts in zip(SIDES, sides, strict=True):
            with (fresh / f"{name}.tokens").open("wb") as file:
                ends = _write_split(texts, vocabulary, file)
            np.save(fresh / f"{name}.ends.npy", np.array(ends, dtype=np.int64))
            tokens[name] = ends[-1]
        symbols = vocabulary.symbols if isinstance(vocabulary, Characters) else None
        if isinstance(vocabulary, Subwords):
            (fresh / PIECES).write_bytes(vocabulary.model)
        write_json(fresh / FACTS, {"key": key, "symbols": symbols, "tokens": tokens, "facts": facts})
    stored = load_texts(folder, key)
    if stored is None:
        raise OSError(f"{folder} can't be read again")
    return stored
