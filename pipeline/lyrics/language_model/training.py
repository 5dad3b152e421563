"""Training of the language model: truncated backpropagation through time, a checkpoint that resumes exactly.

    trainer = LanguageModelTrainer(texts, settings, "cpu")
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
from enum import Enum
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.lyrics.corpus.encoded_texts import EncodedTexts, TokenStreams
from pipeline.lyrics.language_model.evaluation import bits_per_character
from pipeline.lyrics.language_model.lstm import LanguageModel, detached
from pipeline.lyrics.language_model.pretrained import pretrained_weights, weights_hash
from pipeline.settings.lyrics import LanguageModelSettings

CHECKPOINT_FORMAT = 2
"""Number of the checkpoint's layout."""
REPORT_STEPS = 50
"""At least so many steps lie between two validations."""
VALIDATION_SHARE = 0.03
"""Share of the operations that validation may take; a token that is only read takes a third of one learnt."""
MOST_VALIDATION_TOKENS = 20_000
"""Tokens of validation text read each time."""
BETAS = (0.9, 0.99)
"""Of AdamW."""
LAST_SHARE = 0.2
"""In this last share of the time the learning rate falls to nothing, where the time ends before the steps do."""
FRESH_READINGS, DROPOUT_PER_READING, MOST_DROPOUT = 3, 0.05, 0.25
"""Where `dropout` is null: it grows with each time that the text is read again after the first ones."""
FINE_TUNING_SHARE, WARM_UP = 0.5, 50
"""A model that has learnt before takes this share of the learning rate, and so many steps to rise to it."""
FINE_TUNING_DROPOUT = 1 / 3
"""Such a model takes this share of the dropout that goes by readings: it forgets what it knows under more."""


class TrainingDraw(Enum):
    """What a random stream of training is for; the numbers are part of what a seed means and never change."""

    WEIGHTS = 0
    DROPOUT = 1
    ORDER = 2


@dataclass(frozen=True)
class LanguageModelReport:
    """Where training stands: steps, seconds, bits a character in training since the last report and in validation."""

    step: int
    seconds: float
    training_bits: float
    validation_bits: float
    best_bits: float
    last: bool


class LanguageModelTrainer:
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
    pretrained
        From `pretrained.load_pretrained`: the model begins as that one, whose vocabulary that of `texts` goes on from.
    """

    def __init__(
        self,
        texts: EncodedTexts,
        settings: LanguageModelSettings,
        device: str = "cpu",
        kind: str = "song",
        pretrained: Mapping[str, Any] | None = None,
    ) -> None:
        self.texts, self.settings, self.device, self.kind = texts, settings, torch.device(device), kind
        self.vocabulary = texts.vocabulary
        self.model = build_model(len(self.vocabulary), with_dropout(settings, texts, pretrained is not None)).to(
            self.device
        )
        self.origin = None if pretrained is None else weights_hash(pretrained)
        """What tells one model to start from from another."""
        if pretrained is not None:
            self.model.load_state_dict(pretrained_weights(pretrained, self.vocabulary))
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(),
            lr=settings.learning_rate,
            betas=BETAS,
            weight_decay=settings.weight_decay,
            fused=True,
        )
        num_read = min(MOST_VALIDATION_TOKENS, len(texts.validation.tokens))
        learnt = settings.batch_size * settings.sequence_length
        self.report_steps = max(REPORT_STEPS, math.ceil(num_read / (3 * VALIDATION_SHARE * learnt)))
        """Steps from one validation to the next."""
        self.step, self.seconds = 0, 0.0
        self.extended_at = 0
        """The step at which more steps were asked for: patience begins anew."""
        self.best_bits, self.best_step = math.inf, 0
        self.best = copy.deepcopy(self.model.state_dict())
        self.state = self.model.initial_state(settings.batch_size)
        self.losses = torch.zeros(2, dtype=torch.float64)
        self._streams: tuple[int, TokenStreams] | None = None

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

    def run(self, stopped: Callable[[], bool] = lambda: False) -> Iterator[LanguageModelReport | None]:
        """Train until done or `stopped`; gives a `LanguageModelReport` where one is due, None after the other steps."""
        while not self.is_done and not stopped():
            started = time.monotonic()
            self.train_step()
            self.seconds += time.monotonic() - started
            due = self.step % self.report_steps == 0 or self.step == self.settings.steps or self.is_late
            yield self.validate() if due else None

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
        """One step of truncated backpropagation through time: `batch_size x sequence_length` tokens."""
        settings = self.settings
        length = settings.sequence_length
        draws = training_stream(settings.seed, TrainingDraw.DROPOUT, self.step)
        total = len(self.texts.training.tokens) // settings.batch_size
        stretches = max(1, (total - 1) // length)
        epoch, index = divmod(self.step, stretches)
        if self._streams is None or self._streams[0] != epoch:
            order = training_stream(settings.seed, TrainingDraw.ORDER, epoch)
            self._streams = epoch, TokenStreams(self.texts.training, settings.batch_size, order)
        if index == 0:
            self.state = self.model.initial_state(settings.batch_size)
        stretch = self._streams[1].stretch(index * length, (index + 1) * length + 1).to(self.device)
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

    def validate(self) -> LanguageModelReport:
        """Bits a character of validation text; keep the weights if they are the best so far."""
        validation = bits_per_character(self.model, self.texts.validation, self.vocabulary, MOST_VALIDATION_TOKENS)
        if validation < self.best_bits:
            self.best_bits, self.best_step = validation, self.step
            self.best = copy.deepcopy(self.model.state_dict())
        training = (self.losses[0] / self.losses[1]).item()
        self.losses.zero_()
        return LanguageModelReport(
            self.step, round(self.seconds, 2), training, validation, self.best_bits, self.is_done
        )

    def state_dict(self) -> dict[str, Any]:
        """All that resuming and writing need, in types that `torch.load(weights_only=True)` reads."""
        return {
            "format": CHECKPOINT_FORMAT,
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


def with_dropout(settings: LanguageModelSettings, texts: EncodedTexts, is_fine_tuning: bool) -> LanguageModelSettings:
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
        training_stream(settings.seed, TrainingDraw.WEIGHTS, 0),
    )


def encode_characters(text: str, symbols: str) -> Tensor:
    """Indices `[characters]` of a text's characters in `symbols`, 0 for others."""
    index = {symbol: number for number, symbol in enumerate(symbols)}
    return torch.tensor([index.get(character, 0) for character in text], dtype=torch.long)


def training_stream(seed: int, purpose: TrainingDraw, number: int) -> torch.Generator:
    """A random stream that depends on these three alone."""
    mixed = hashlib.sha256(f"{seed}/{purpose.value}/{number}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(mixed[:8], "big") >> 1)
