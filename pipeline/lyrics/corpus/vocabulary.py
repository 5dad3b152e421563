"""Tokenisation: characters, or subwords by byte-pair encoding."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.errors import UserError

Tokens = NDArray[np.uint16]
"""Indices of tokens in a vocabulary."""

UNKNOWN = "\ufffd"
"""Stands for characters that the training text lacks."""
MOST_SYMBOLS = 2_000
"""Different characters that are told apart; the rarer ones are unknown."""
MOST_SUBWORDS = 1 << 16
"""A token is 16 bits."""
SUBWORD_SAMPLE = 10_000_000
"""Characters of the training text that subwords are learnt from."""


class Vocabulary(Protocol):
    """A tokeniser: tokens, and how text is spelt with them."""

    def __len__(self) -> int:
        """How many different tokens there are."""

    @property
    def widths(self) -> NDArray[np.int64]:
        """Characters of each token `[tokens]`."""

    def encode(self, text: str) -> Tokens:
        """The tokens of a text, in order."""

    def decode(self, tokens: Iterable[int]) -> str:
        """The text of tokens."""

    def state(self) -> dict[str, Any]:
        """All of it, in types that `torch.load(weights_only=True)` reads."""


class Characters:
    """One token a character; the first stands for all unknown ones.

    Parameters
    ----------
    symbols
        The characters, `UNKNOWN` first.
    """

    def __init__(self, symbols: str) -> None:
        self.symbols = symbols
        codes = np.array([ord(symbol) for symbol in symbols], dtype=np.int64)
        self._of_code = np.zeros(int(codes.max(initial=0)) + 2, dtype=np.uint16)
        self._of_code[codes] = np.arange(len(symbols))

    @classmethod
    def of(cls, counts: Mapping[str, int], known: str = UNKNOWN) -> Characters:
        """The characters counted in a training text, the most frequent `MOST_SYMBOLS`, in order after `known`."""
        frequent = Counter(counts).most_common(MOST_SYMBOLS)
        return cls(known + "".join(sorted({symbol for symbol, _ in frequent} - set(known))))

    def __len__(self) -> int:
        return len(self.symbols)

    @cached_property
    def widths(self) -> NDArray[np.int64]:
        """One for each."""
        return np.ones(len(self), dtype=np.int64)

    def encode(self, text: str) -> Tokens:
        """Indices `[characters]`; 0 for unknown ones."""
        codes = np.frombuffer(text.encode("utf-32-le", "replace"), dtype="<u4")
        tokens: Tokens = self._of_code[np.minimum(codes, len(self._of_code) - 1)]
        return tokens

    def decode(self, tokens: Iterable[int]) -> str:
        """The characters one after another."""
        return "".join(self.symbols[token] for token in tokens)

    def state(self) -> dict[str, Any]:
        """The characters."""
        return {"symbols": self.symbols}


class Subwords:
    """Pieces of words by byte-pair encoding, as SentencePiece learns them (Kudo and Richardson 2018).

    Parameters
    ----------
    model
        What SentencePiece has learnt, serialised.
    """

    def __init__(self, model: bytes) -> None:
        from sentencepiece import SentencePieceProcessor

        self.model = model
        self._processor = SentencePieceProcessor(model_proto=model)

    @classmethod
    def of(cls, texts: Iterable[str], size: int) -> Subwords:
        """Learn at most `size` pieces from `texts`; a piece never crosses a space or a line's end."""
        from sentencepiece import SentencePieceTrainer

        if size > MOST_SUBWORDS:
            raise UserError(f"lyrics.model.vocabulary_size must be at most {MOST_SUBWORDS:,}, not {size:,}.")
        made = io.BytesIO()
        try:
            SentencePieceTrainer.train(
                sentence_iterator=(line[:4000] for text in _sample(texts) for line in text.split("\n") if line.strip()),
                model_writer=made,
                model_type="bpe",
                vocab_size=size,
                max_sentence_length=16_000,
                hard_vocab_limit=False,
                character_coverage=1.0,
                byte_fallback=True,
                normalization_rule_name="identity",
                remove_extra_whitespaces=False,
                add_dummy_prefix=False,
                user_defined_symbols=["\n", "\x02"],
                bos_id=-1,
                eos_id=-1,
                num_threads=1,
                minloglevel=2,
            )
        except (RuntimeError, OSError) as error:
            raise UserError(
                f"lyrics.model.vocabulary_size={size} subwords can't be learnt from this text; give another number, "
                "or lyrics.model.tokens=characters."
            ) from error
        return cls(made.getvalue())

    def __len__(self) -> int:
        return int(self._processor.get_piece_size())

    @cached_property
    def widths(self) -> NDArray[np.int64]:
        """Characters of each piece; a byte of a rare character counts as none but the first one."""
        return np.array([len(self._text(number)) for number in range(len(self))], dtype=np.int64)

    def _text(self, number: int) -> str:
        if self._processor.is_byte(number):
            first = int(self._processor.id_to_piece(number)[3:5], 16)
            return "" if 0x80 <= first < 0xC0 else UNKNOWN
        return str(self._processor.id_to_piece(number)).replace("\u2581", " ")

    def encode(self, text: str) -> Tokens:
        """Indices of the pieces."""
        return np.array(self._processor.encode(text), dtype=np.uint16)

    def decode(self, tokens: Iterable[int]) -> str:
        """The text of the pieces."""
        return str(self._processor.decode([int(token) for token in tokens]))

    def state(self) -> dict[str, Any]:
        """What SentencePiece has learnt, as bytes in a tensor."""
        return {"pieces": torch.frombuffer(bytearray(self.model), dtype=torch.uint8)}


def _sample(texts: Iterable[str]) -> Iterable[str]:
    """Texts until there are `SUBWORD_SAMPLE` characters."""
    seen = 0
    for text in texts:
        yield text[: SUBWORD_SAMPLE - seen]
        seen += len(text)
        if seen >= SUBWORD_SAMPLE:
            return


def vocabulary_from(state: Mapping[str, Any]) -> Characters | Subwords:
    """The vocabulary that gave `state`."""
    if "pieces" in state:
        return Subwords(state["pieces"].numpy().tobytes())
    return Characters(state["symbols"])
