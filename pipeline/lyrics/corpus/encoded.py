"""Encoded texts in a folder: flat files of tokens, mapped when they are read."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from pipeline.files import replaced_directory, write_json
from pipeline.lyrics.corpus.encoded_texts import Side, Texts
from pipeline.lyrics.corpus.vocabulary import Characters, Subwords, Vocabulary

SIDES = ("training", "validation", "test")
FACTS = "texts.json"
"""The file that is written last: without it the others count for nothing."""
PIECES = "pieces.model"
"""What SentencePiece has learnt, where the tokens are subwords."""


def write_side(texts: Iterable[str], vocabulary: Vocabulary, file: IO[bytes]) -> array[int]:
    """Encode `texts` into `file`, 16 bits a token; gives where each document ends."""
    ends, end = array("q"), 0
    for text in texts:
        tokens = vocabulary.encode(text)
        file.write(tokens.tobytes())
        end += len(tokens)
        ends.append(end)
    return ends


@dataclass(frozen=True)
class Stored:
    """Texts in a folder, and what is to be known about them (plain JSON types)."""

    texts: Texts
    facts: dict[str, Any]


def load(folder: Path, key: str) -> Stored | None:
    """What `store` left in `folder` under `key`; None where there is nothing whole of that key."""
    try:
        saved = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        if saved["key"] != key:
            return None
        symbols = saved["symbols"]
        vocabulary: Vocabulary = Subwords((folder / PIECES).read_bytes()) if symbols is None else Characters(symbols)
        return Stored(
            Texts(vocabulary, *(_side(folder, name, saved["tokens"][name]) for name in SIDES)), saved["facts"]
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _side(folder: Path, name: str, num_tokens: int) -> Side:
    tokens = np.memmap(folder / f"{name}.tokens", dtype=np.uint16, mode="r")
    if len(tokens) != num_tokens:
        raise ValueError(f"{name} is not whole")
    return Side(tokens, np.load(folder / f"{name}.ends.npy"))


def store(
    folder: Path, key: str, sides: Iterable[Iterable[str]], vocabulary: Vocabulary, facts: dict[str, Any]
) -> Stored:
    """Encode training, validation and test into `folder`, which takes the place of what was there when it is whole."""
    with replaced_directory(folder) as fresh:
        tokens = {}
        for name, texts in zip(SIDES, sides, strict=True):
            with (fresh / f"{name}.tokens").open("wb") as file:
                ends = write_side(texts, vocabulary, file)
            np.save(fresh / f"{name}.ends.npy", np.array(ends, dtype=np.int64))
            tokens[name] = ends[-1]
        symbols = vocabulary.symbols if isinstance(vocabulary, Characters) else None
        if isinstance(vocabulary, Subwords):
            (fresh / PIECES).write_bytes(vocabulary.model)
        write_json(fresh / FACTS, {"key": key, "symbols": symbols, "tokens": tokens, "facts": facts})
    stored = load(folder, key)
    if stored is None:
        raise OSError(f"{folder} can't be read again")
    return stored
