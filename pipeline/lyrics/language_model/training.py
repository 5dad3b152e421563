"""Training of the language model: truncated backpropagation through time, a checkpoint that resumes exactly.

    trainer = Trainer(texts, settings, "cpu")
    for report in trainer.run():
        ...  # write report, save trainer.state_dict()

All chance comes from (seed, step), so nothing is lost between two processes.
"""

from __future__ import annotations

import copy
import hashlib
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.lyrics.corpus.encoded_texts import Lanes, Side, Texts
from pipeline.lyrics.corpus.vocabulary import Vocabulary
from pipeline.lyrics.language_model.lstm import LanguageModel, State, detached
from pipeline.lyrics.language_model.pretrained import origin_of, starting_weights
from pipeline.settings.lyrics import LanguageModelSettings

FORMAT = 2
"""Number of the checkpoint's layout."""
REPORT_STEPS = 50
"""At least so many steps lie between two looks at the validation text."""
LOOK_SHARE = 0.03
"""Share of the operations that looks may take at the most; a token that is only read takes a third of one learnt."""
MOST_LOOKED_AT, MOST_JUDGED = 20_000, 1_000_000
"""Tokens of validation text read at each look, and of test text at the end."""
BETAS = (0.9, 0.99)
"""Of AdamW."""
LAST_SHARE = 0.2
"""In this last share of the time the learning rate falls to nothing, where the time ends before the steps do."""
FRESH_READINGS, DROPOUT_PER_READING, MOST_DROPOUT = 3, 0.05, 0.25
"""Where `dropout` is null: it grows with each time that the text is read again after the first ones."""
FINE_TUNING_SHARE, WARM_UP = 0.3, 50
"""A model that has learnt before takes this share of the learning rate, and so many steps to rise to it."""
FINE_TUNING_DROPOUT = 1 / 3
"""Such a model takes this share of the dropout that goes by readings: it forgets what it knows under more."""


@dataclass(frozen=True)
class Report:
    """Where training stands: steps, seconds, bits a character in training since the last report and in validation."""

    step: int
    seconds: float
    training_bits: float
    validation_bits: float
    best_bits: float
    last: bool


class Trainer:
    """A language model that learns from `texts`.

    Parameters
    ----------
    texts
        Documents by side; the model never sees validation and test.
    settings
        Sizes and how long.
    device
        Where it runs; one thread on the CPU gives the same bits again.
    kind
        Whose texts these are, one of `settings.KINDS`; kept in the checkpoint for those that start from it.
    start
        From `starting.starting_point`: the model begins as that one, whose vocabulary that of `texts` goes on from.
    """

    def __init__(
        self,
        texts: Texts,
        settings: LanguageModelSettings,
        device: str = "cpu",
        kind: str = "song",
        start: Mapping[str, Any] | None = None,
    ) -> None:
        self.texts, self.settings, self.device, self.kind = texts, settings, torch.device(device), kind
        self.vocabulary = texts.vocabulary
        self.model = build_model(len(self.vocabulary), with_dropout(settings, texts, start is not None)).to(self.device)
        self.origin = None if start is None else origin_of(start)
        """What tells one model to start from from another."""
        if start is not None:
            self.model.load_state_dict(starting_weights(start, self.vocabulary))
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(),
            lr=settings.learning_rate,
            betas=BETAS,
            weight_decay=settings.weight_decay,
            fused=True,
        )
        looked_at = min(MOST_LOOKED_AT, len(texts.validation.tokens))
        learnt = settings.batch_size * settings.sequence_length
        self.report_steps = max(REPORT_STEPS, math.ceil(looked_at / (3 * LOOK_SHARE * learnt)))
        """Steps from one look at the validation text to the next."""
        self.step, self.seconds = 0, 0.0
        self.extended_at = 0
        """The step at which more steps were asked for: patience begins anew."""
        self.best_bits, self.best_step = math.inf, 0
        self.best = copy.deepcopy(self.model.state_dict())
        self.state = self.model.initial_state(settings.batch_size)
        self.losses = torch.zeros(2, dtype=torch.float64)
        self._lanes: tuple[int, Lanes] | None = None

    @property
    def symbols(self) -> str:
        """The characters of the vocabulary in order."""
        return str(self.vocabulary.state()["symbols"])

    @property
    def is_late(self) -> bool:
        """Whether the time is used up."""
        return self.seconds >= 60 * self.settings.minutes

    @property
    def is_stale(self) -> bool:
        """Whether validation has stopped improving."""
        return self.step - max(self.best_step, self.extended_at) >= self.settings.patience * self.report_steps

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left to train."""
        return self.step >= self.settings.steps or self.is_late or self.is_stale

    def run(self, stopped: Callable[[], bool] = lambda: False) -> Iterator[Report | None]:
        """Train until done or `stopped`; gives a `Report` where one is due, None after the other steps."""
        while not self.is_done and not stopped():
            started = time.monotonic()
            self.train_step()
            self.seconds += time.monotonic() - started
            due = self.step % self.report_steps == 0 or self.step == self.settings.steps or self.is_late
            yield self.look() if due else None

    @property
    def learning_rate(self) -> float:
        """That of the next step: half a cosine over the steps (Loshchilov and Hutter 2017, arXiv 1608.03983)."""
        settings = self.settings
        share = 0.5 * (1 + math.cos(math.pi * self.step / settings.steps))
        left = 1 - self.seconds / (60 * settings.minutes)
        share = min(share, max(0.0, left) / LAST_SHARE)
        if self.origin is not None:
            share *= FINE_TUNING_SHARE * min(1, (self.step + 1) / WARM_UP)
        return settings.learning_rate * share

    def train_step(self) -> None:
        """One stretch of text in every lane: `batch_size x sequence_length` characters."""
        settings = self.settings
        length = settings.sequence_length
        draws = _random(settings.seed, 1, self.step)
        total = len(self.texts.training.tokens) // settings.batch_size
        stretches = max(1, (total - 1) // length)
        epoch, index = divmod(self.step, stretches)
        if self._lanes is None or self._lanes[0] != epoch:
            order = _random(settings.seed, 2, epoch)
            self._lanes = epoch, Lanes(self.texts.training, settings.batch_size, order)
        if index == 0:
            self.state = self.model.initial_state(settings.batch_size)
        stretch = self._lanes[1].stretch(index * length, (index + 1) * length + 1).to(self.device)
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate
        logits, state = self.model(stretch[:, :-1], self.state, draws)
        loss = F.cross_entropy(logits.flatten(0, 1), stretch[:, 1:].flatten())
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.state = detached(state)
        self.losses += torch.tensor([loss.item() / math.log(2), 1.0], dtype=torch.float64)
        self.step += 1

    def look(self) -> Report:
        """Read validation text, and keep the weights if they are the best so far."""
        validation = bits_per_character(self.model, self.texts.validation, self.vocabulary, MOST_LOOKED_AT)
        if validation < self.best_bits:
            self.best_bits, self.best_step = validation, self.step
            self.best = copy.deepcopy(self.model.state_dict())
        training = (self.losses[0] / self.losses[1]).item()
        self.losses.zero_()
        return Report(self.step, round(self.seconds, 2), training, validation, self.best_bits, self.is_done)

    def state_dict(self) -> dict[str, Any]:
        """All that resuming and writing need, in types that `torch.load(weights_only=True)` reads."""
        return {
            "format": FORMAT,
            "kind": self.kind,
            "settings": asdict(self.settings),
            "texts": self.texts.digest,
            "origin": self.origin,
            "vocabulary": self.vocabulary.state(),
            "step": self.step,
            "seconds": self.seconds,
            "extended_at": self.extended_at,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "state": self.state,
            "losses": self.losses,
            "best": {"bits": self.best_bits, "step": self.best_step, "model": self.best},
        }

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Go on from where `saved` was taken, of the same settings and texts.

        Raises
        ------
        ValueError
            When it started from another model, or its weights have other shapes (`RuntimeError`).
        """
        if saved.get("origin") != self.origin:
            raise ValueError("it started from another lyrics.init")
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.step, self.seconds, self.extended_at = saved["step"], saved["seconds"], saved["extended_at"]
        if self.settings.steps > saved["settings"]["steps"]:
            self.extended_at = self.step
        self.state = [(hidden.to(self.device), cell.to(self.device)) for hidden, cell in saved["state"]]
        self.losses = saved["losses"]
        best = saved["best"]
        self.best_bits, self.best_step, self.best = best["bits"], best["step"], best["model"]


class Predictor(Protocol):
    """What predicts the next token: a `LanguageModel`, or anything that is called alike."""

    def __call__(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Logits `[batch, time, tokens]` after tokens `[batch, time]`, and the state."""

    def initial_state(self, batch: int) -> State:
        """That before the first token of `batch` texts."""


def with_dropout(settings: LanguageModelSettings, texts: Texts, is_fine_tuning: bool) -> LanguageModelSettings:
    """`settings` with numbers for dropout and weight drop where they are null."""
    readings = settings.steps * settings.batch_size * settings.sequence_length / max(1, len(texts.training.tokens))
    dropout, weight_drop = settings.dropout, settings.weight_drop
    if dropout is None:
        dropout = min(MOST_DROPOUT, max(0.0, DROPOUT_PER_READING * (readings - FRESH_READINGS)))
        dropout *= FINE_TUNING_DROPOUT if is_fine_tuning else 1
    return replace(settings, dropout=dropout, weight_drop=dropout / 2 if weight_drop is None else weight_drop)


def build_model(num_tokens: int, settings: LanguageModelSettings) -> LanguageModel:
    """An untrained model; its first weights come from the seed."""
    return LanguageModel(
        num_tokens,
        settings.hidden_size,
        settings.num_layers,
        settings.dropout or 0,
        settings.weight_drop or 0,
        _random(settings.seed, 0, 0),
    )


def encode(text: str, symbols: str) -> Tensor:
    """Indices `[characters]` of a text's characters in `symbols`, 0 for others."""
    index = {symbol: number for number, symbol in enumerate(symbols)}
    return torch.tensor([index.get(character, 0) for character in text], dtype=torch.long)


@torch.no_grad()
def bits_per_character(
    model: Predictor, side: Side, vocabulary: Vocabulary, most: int = MOST_JUDGED, batch: int = 32
) -> float:
    """Mean of -log2 p over the characters of documents, each read from a fresh state; its first token is given.

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


def _random(seed: int, purpose: int, number: int) -> torch.Generator:
    """A stream of chance that depends on these three alone."""
    mixed = hashlib.sha256(f"{seed}/{purpose}/{number}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(mixed[:8], "big") >> 1)
