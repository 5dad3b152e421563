"""Nucleus sampling within rules, token after token, several texts side by side.

Each token comes from the likeliest ones (top-k; nucleus: Holtzman et al. 2020, arXiv 1904.09751) of those that are
allowed. Where a rule refuses the one that was drawn, and what else could follow there is unlikely, the whole word is
taken back and another one is drawn: a text that was forced off in the middle of a word would hold words that are none.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.lyrics.language_model.lstm import LanguageModel, State
from pipeline.lyrics.prose.training_text import APOSTROPHES

Scores = NDArray[np.float64]
"""Log-probabilities `[tokens]`."""

LEAST_SHARE = 0.1
"""Where less probability than this is left after a refusal inside a word, the word is taken back."""
HISTORY = 64
"""Tokens that can be taken back."""
MOST_REFUSALS = 500
"""Refusals without a step forward after which a text ends."""


def likeliest(scores: Scores, temperature: float, top_k: int | None, top_p: float) -> Scores:
    """Top-k and nucleus filtering at a temperature: the chances of each token, which sum to 1.

    Kept are the `top_k` likeliest tokens, and of those the fewest that together hold `top_p` of the probability; at
    least one. Tokens whose score is minus infinity have no chance.

    >>> likeliest(np.log([0.5, 0.3, 0.15, 0.05]), 1.0, None, 0.75).round(3).tolist()
    [0.625, 0.375, 0.0, 0.0]
    """
    with np.errstate(over="ignore"):
        chances: Scores = np.exp((scores - scores.max()) / temperature)
    if top_k is None and top_p >= 1:
        return _whole(chances)
    order = np.argsort(-chances, kind="stable")
    chances[order[top_k:] if top_k is not None else order[:0]] = 0
    ordered = _whole(chances)[order]
    chances[order[np.cumsum(ordered) - ordered >= top_p]] = 0
    return _whole(chances)


def _in_word(text: str) -> bool:
    return text[-1:].isalnum() or text.endswith(tuple(APOSTROPHES))


def _whole(chances: Scores) -> Scores:
    """The chances made to sum to 1."""
    found: Scores = chances / chances.sum()
    return found


class SamplingRules(Protocol):
    """What a text may become."""

    def forbidden(self, text: str) -> NDArray[np.bool_]:
        """The tokens that can't follow `text` whatever they lead to `[tokens]`."""

    def refuses(self, text: str, piece: str) -> bool:
        """Whether `piece` must not follow `text`."""

    def ends(self, text: str, piece: str) -> bool:
        """Whether the text is complete before `piece`."""


@dataclass
class Prediction:
    """The next token's log-probabilities at a place in a text, the model's state there, and the tokens refused."""

    scores: Scores
    state: State
    refused: list[int] = field(default_factory=list)

    def left(self, forbidden: NDArray[np.bool_]) -> Scores:
        """The scores, minus infinity where a token is forbidden or was refused."""
        scores = np.where(forbidden, -np.inf, self.scores)
        scores[self.refused] = -np.inf
        return scores


class UnfinishedText:
    """One text that is being written.

    Parameters
    ----------
    given
        What stands before it.
    first
        What the model makes of that.
    pieces
        The text of each token.
    rules
        What it may become.
    to_chances
        From scores to chances.
    draws
        Where its chances come from.
    """

    def __init__(
        self,
        given: str,
        first: Prediction,
        pieces: Sequence[str],
        rules: SamplingRules,
        to_chances: Callable[[Scores], Scores],
        draws: random.Random,
    ) -> None:
        self.text, self.pieces, self.rules, self.to_chances, self.draws = given, pieces, rules, to_chances, draws
        self.predictions = deque([first], maxlen=HISTORY)
        self.tokens: list[int] = []
        self.scores: list[float] = []
        """The log-probability of each token under the model, before temperature and cuts."""
        self.over = False
        self._refusals = self._furthest = 0

    def advance(self) -> None:
        """Add a token, or end the text where it is complete or nothing can follow."""
        while not self.over:
            prediction = self.predictions[-1]
            left = prediction.left(self.rules.forbidden(self.text))
            share = np.exp(left).sum()
            if (share < LEAST_SHARE and _in_word(self.text) and len(self.predictions) > 1) or not share:
                self._step_back()
                continue
            ladder = np.cumsum(self.to_chances(left))
            token = int(np.searchsorted(ladder, self.draws.random() * ladder[-1], side="right"))
            if self.rules.refuses(self.text, self.pieces[token]):
                self._refuse(token)
            elif self.rules.ends(self.text, self.pieces[token]):
                self.over = True
            else:
                self._append(token, prediction)
                return

    def _append(self, token: int, prediction: Prediction) -> None:
        self.text += self.pieces[token]
        self.tokens.append(token)
        self.scores.append(float(prediction.scores[token]))
        if len(self.tokens) > self._furthest:
            self._furthest, self._refusals = len(self.tokens), 0

    def _step_back(self) -> None:
        """Take the last token back and refuse it where it stood; without one the text is over."""
        if len(self.predictions) == 1:
            self.over = True
            return
        self.predictions.pop()
        self.scores.pop()
        token = self.tokens.pop()
        self.text = self.text[: len(self.text) - len(self.pieces[token])]
        self._refuse(token)

    def _refuse(self, token: int) -> None:
        self.predictions[-1].refused.append(token)
        self._refusals += 1
        self.over = self._refusals > MOST_REFUSALS


@torch.no_grad()
def read_tokens(model: LanguageModel, tokens: Sequence[int]) -> Prediction:
    """What the model makes of a text from its start; `tokens` holds at least one."""
    device = model.bias.device
    state = model.initial_state(1)
    logits = model.bias.new_zeros(1, 1, len(model.bias))
    for start in range(0, len(tokens), 256):
        stretch = torch.tensor([tokens[start : start + 256]], dtype=torch.long, device=device)
        logits, state = model(stretch, state)
    return Prediction(_scores(logits)[0], state)


@torch.no_grad()
def finish_texts(model: LanguageModel, rows: Sequence[UnfinishedText]) -> None:
    """Write all rows to their ends, each from the place that it has."""
    while True:
        for row in rows:
            row.advance()
        rows = [row for row in rows if not row.over]
        if not rows:
            return
        tokens = torch.tensor([[row.tokens[-1]] for row in rows], device=model.bias.device)
        logits, state = model(tokens, _gathered([row.predictions[-1].state for row in rows]))
        scores = _scores(logits)
        for at, row in enumerate(rows):
            own = [(hidden[:, at : at + 1], cell[:, at : at + 1]) for hidden, cell in state]
            row.predictions.append(Prediction(scores[at], own))


def _gathered(states: Sequence[State]) -> State:
    """The states of single texts as one of a batch."""
    return [
        (torch.cat([hidden for hidden, _ in layer], dim=1), torch.cat([cell for _, cell in layer], dim=1))
        for layer in zip(*states, strict=True)
    ]


def _scores(logits: Tensor) -> Scores:
    """Log-probabilities `[rows, tokens]` after the last token."""
    scores: Scores = logits[:, -1].double().log_softmax(-1).cpu().numpy()
    return scores
