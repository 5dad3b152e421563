"""Baselines of the language model: an interpolated character trigram (Witten and Bell 1991), and xz."""

from __future__ import annotations

import lzma
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.lyrics.corpus.encoded_texts import EncodedTexts
from pipeline.lyrics.corpus.song_lyrics import START

MOST_TRAINING, MOST_HELD_OUT = 8_000_000, 1_000_000
"""Characters of training and of held-out text that the baselines read: xz's window of 8 MB sees no more."""
CHUNK = 1 << 21
"""Characters whose trigrams are counted at once."""

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Baselines:
    """Bits a character of two models that need no training, on the same split as the language model.

    Attributes
    ----------
    trigram_bits, xz_bits
        See the functions of these names.
    training_characters, held_out_characters
        How much of both sides they read.
    """

    trigram_bits: float
    xz_bits: float
    training_characters: int
    held_out_characters: int


def baselines(texts: EncodedTexts) -> Baselines:
    """Both baselines on the test side, of at most `MOST_TRAINING` and `MOST_HELD_OUT` characters.

    The documents' first token is left out: the language model is given it, too.
    """
    training, held_out = (
        "".join(texts.read(side, most)).replace(START, "")[:most]
        for side, most in ((texts.training, MOST_TRAINING), (texts.test, MOST_HELD_OUT))
    )
    return Baselines(trigram_bits(training, held_out), xz_bits(training, held_out), len(training), len(held_out))


def trigram_bits(training: str, held_out: str) -> float:
    """Character trigram, interpolated by Witten-Bell smoothing: bits a character.

    The probability of a character is a mean of trigram, bigram, unigram and uniform estimates:
    p_n = (count + d p_{n-1}) / (total + d), where d is the number of different characters seen after the context.
    """
    symbols, (seen, wanted) = _numbered(training, held_out)
    base = len(symbols)
    chance = np.full(len(wanted), 1 / base)
    for order in range(3):
        grams, counts = _count_runs(seen, order + 1, base)
        contexts, first = np.unique(grams // base, return_index=True)
        if not len(grams):
            break
        totals = np.add.reduceat(counts, first)
        kinds = np.diff([*first, len(grams)])
        runs = _runs(wanted, order + 1, base)
        place, known = _look_up(contexts, runs // base)
        at, there = _look_up(grams, runs)
        count = np.where(there, counts[at], 0)
        before = chance[order:]
        chance[order:] = np.where(known, (count + kinds[place] * before) / (totals[place] + kinds[place]), before)
    return float(-np.log2(chance).sum()) / len(held_out)


def _numbered(*texts: str) -> tuple[NDArray[np.uint32], list[Codes]]:
    """The different characters of all texts, and each text as indices among them `[characters]`."""
    codes = [np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4") for text in texts]
    symbols = np.unique(np.concatenate([np.unique(one) for one in codes])).astype(np.uint32)
    return symbols, [np.searchsorted(symbols, one).astype(np.int64) for one in codes]


def _runs(codes: Codes, size: int, base: int) -> Codes:
    """Each run of `size` indices as one number `[characters - size + 1]`."""
    count = max(0, len(codes) - size + 1)
    found = np.zeros(count, dtype=np.int64)
    for at in range(size):
        found = found * base + codes[at : at + count]
    return found


def _count_runs(codes: Codes, size: int, base: int) -> tuple[Codes, Codes]:
    """The different runs of `size` indices in order, and how often each stands in `codes`."""
    grams, counts = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for start in range(0, len(codes), CHUNK):
        # a chunk at a time and merged: sorting all of a large text at once takes many times its memory
        more = np.unique(_runs(codes[start : start + CHUNK + size - 1], size, base), return_counts=True)
        both = np.concatenate([grams, more[0]])
        grams, place = np.unique(both, return_inverse=True)
        counts = np.bincount(place, np.concatenate([counts, more[1]]), len(grams)).astype(np.int64)
    return grams, counts


def _look_up(known: Codes, wanted: Codes) -> tuple[Codes, NDArray[np.bool_]]:
    """Where each of `wanted` stands in the sorted `known`, and whether it does."""
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return place, known[place] == wanted


def xz_bits(training: str, held_out: str) -> float:
    """Compression baseline: bits a character that xz needs more for both texts than for the training text alone.

    At its strongest preset, with a window that holds all of the text up to 8 MB: the preset's own takes 700 MB.
    """
    first = training.encode()
    data = first + held_out.encode()
    window = min(1 << max(12, math.ceil(math.log2(len(data)))), 1 << 23)
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": window}]
    alone, both = (len(lzma.compress(text, filters=filters)) for text in (first, data))
    return 8 * (both - alone) / len(held_out)
