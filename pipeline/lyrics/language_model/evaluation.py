"""How well a language model predicts text: bits a character."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.lyrics.corpus.encoded_texts import TextSplit
from pipeline.lyrics.corpus.vocabulary import Vocabulary
from pipeline.lyrics.language_model.lstm import State

MOST_TEST_TOKENS = 1_000_000
"""Tokens that are read of test text."""


class Predictor(Protocol):
    """What predicts the next token: a `LanguageModel`, or anything that is called alike."""

    def __call__(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Logits `[batch, time, tokens]` after tokens `[batch, time]`, and the state."""

    def initial_state(self, batch: int) -> State:
        """That before the first token of `batch` texts."""


@torch.no_grad()
def bits_per_character(
    model: Predictor, side: TextSplit, vocabulary: Vocabulary, most: int = MOST_TEST_TOKENS, batch: int = 32
) -> float:
    """Cross-entropy in bits a character: the mean of -log2 p over the characters of documents.

    Each is read from a fresh state; its first token is given.

    Parameters
    ----------
    model
        The language model.
    side
        The documents; the first ones are read until there are `most` tokens.
    vocabulary
        What the tokens stand for: bits a token become bits a character by their widths.
    most
        Tokens to read.
    batch
        Documents read side by side.
    """
    device = model.initial_state(1)[0][0].device
    count = max(1, int(np.searchsorted(side.ends, most)) + 1)
    documents = [torch.from_numpy(side.document(number).astype(np.int64)) for number in range(min(count, len(side)))]
    documents.sort(key=len)
    widths = torch.from_numpy(vocabulary.widths)
    total, characters = 0.0, 0
    for at in range(0, len(documents), batch):
        group = documents[at : at + batch]
        padded = torch.nn.utils.rnn.pad_sequence(group, batch_first=True, padding_value=-1)
        state = model.initial_state(len(group))
        for start in range(0, padded.shape[1] - 1, 256):
            stretch = padded[:, start : start + 257]
            logits, state = model(stretch[:, :-1].clamp_min(0).to(device), state)
            targets = stretch[:, 1:].flatten()
            loss = F.cross_entropy(logits.flatten(0, 1), targets.to(device), ignore_index=-1, reduction="sum")
            total += loss.item()
            characters += int(widths[targets[targets >= 0]].sum())
    return total / max(1, characters) / math.log(2)
