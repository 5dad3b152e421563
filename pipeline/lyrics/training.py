"""Training of the language model: truncated backpropagation through time, a checkpoint that resumes exactly.

    trainer = Trainer(Texts.of(corpus), settings, "cpu")
    for report in trainer.run():
        ...  # write report, save trainer.state_dict()

All chance comes from (seed, step), so nothing is lost between two processes.
"""

from __future__ import annotations

import copy
import hashlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.lyrics.corpus import Corpus
from pipeline.lyrics.model import LanguageModel, detached
from pipeline.lyrics.settings import LanguageModelSettings
from pipeline.lyrics.verse import Speller

FORMAT = 1
"""Number of the checkpoint's layout."""
UNKNOWN = "\ufffd"
"""Stands for characters that the training text lacks."""
REPORT_STEPS = 50
"""Steps from one look at the validation text to the next."""


@dataclass(frozen=True)
class Texts:
    """A corpus as the model reads it."""

    training: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    @classmethod
    def of(cls, corpus: Corpus) -> Texts:
        """Spell all documents by what the training side teaches about names."""
        speller = Speller.of(corpus.training)
        sides = (corpus.training, corpus.validation, corpus.test)
        return cls(*(tuple(map(speller.document, side)) for side in sides))

    @property
    def symbols(self) -> str:
        """The vocabulary: `UNKNOWN`, then the characters of the training text in order."""
        return UNKNOWN + "".join(sorted(set().union(*self.training)))

    @property
    def digest(self) -> str:
        """Hash of all three sides."""
        return hashlib.sha256(repr((self.training, self.validation, self.test)).encode()).hexdigest()


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
    """

    def __init__(self, texts: Texts, settings: LanguageModelSettings, device: str = "cpu") -> None:
        self.texts, self.settings, self.device = texts, settings, torch.device(device)
        self.symbols = texts.symbols
        self.model = build_model(len(self.symbols), settings).to(self.device)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.step, self.seconds = 0, 0.0
        self.extended_at = 0
        """The step at which more steps were asked for: patience begins anew."""
        self.best_bits, self.best_step = math.inf, 0
        self.best = copy.deepcopy(self.model.state_dict())
        self.state = self.model.initial_state(settings.batch_size)
        self.losses = torch.zeros(2, dtype=torch.float64)
        self._training = [encode(text, self.symbols) for text in texts.training]
        self._lanes: tuple[int, Tensor] | None = None

    @property
    def is_late(self) -> bool:
        """Whether the time is used up."""
        return self.seconds >= 60 * self.settings.minutes

    @property
    def is_stale(self) -> bool:
        """Whether validation has stopped improving."""
        return self.step - max(self.best_step, self.extended_at) >= self.settings.patience * REPORT_STEPS

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
            due = self.step % REPORT_STEPS == 0 or self.step == self.settings.steps or self.is_late
            yield self._report() if due else None

    def train_step(self) -> None:
        """One stretch of text in every lane: `batch_size x sequence_length` characters."""
        settings = self.settings
        length = settings.sequence_length
        draws = _random(settings.seed, 1, self.step)
        total = sum(map(len, self._training)) // settings.batch_size
        stretches = max(1, (total - 1) // length)
        epoch, index = divmod(self.step, stretches)
        if self._lanes is None or self._lanes[0] != epoch:
            self._lanes = epoch, lanes(self._training, settings.batch_size, _random(settings.seed, 2, epoch))
        if index == 0:
            self.state = self.model.initial_state(settings.batch_size)
        stretch = self._lanes[1][:, index * length : (index + 1) * length + 1].to(self.device)
        for group in self.optimizer.param_groups:
            group["lr"] = settings.learning_rate * 0.5 * (1 + math.cos(math.pi * self.step / settings.steps))
        logits, state = self.model(stretch[:, :-1], self.state, draws)
        loss = F.cross_entropy(logits.flatten(0, 1), stretch[:, 1:].flatten())
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.state = detached(state)
        self.losses += torch.tensor([loss.item() / math.log(2), 1.0], dtype=torch.float64)
        self.step += 1

    def _report(self) -> Report:
        validation = bits_per_character(self.model, self.texts.validation, self.symbols)
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
            "settings": asdict(self.settings),
            "texts": self.texts.digest,
            "symbols": self.symbols,
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
        """Go on from where `saved` was taken, of the same settings and texts."""
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.step, self.seconds, self.extended_at = saved["step"], saved["seconds"], saved["extended_at"]
        if self.settings.steps > saved["settings"]["steps"]:
            self.extended_at = self.step
        self.state = [(hidden.to(self.device), cell.to(self.device)) for hidden, cell in saved["state"]]
        self.losses = saved["losses"]
        best = saved["best"]
        self.best_bits, self.best_step, self.best = best["bits"], best["step"], best["model"]


def build_model(num_symbols: int, settings: LanguageModelSettings) -> LanguageModel:
    """An untrained model; its first weights come from the seed."""
    return LanguageModel(
        num_symbols,
        settings.hidden_size,
        settings.num_layers,
        settings.dropout,
        settings.weight_drop,
        _random(settings.seed, 0, 0),
    )


def encode(text: str, symbols: str) -> Tensor:
    """Indices `[characters]` of a text's characters in `symbols`, `UNKNOWN` for others."""
    index = {symbol: number for number, symbol in enumerate(symbols)}
    return torch.tensor([index.get(character, 0) for character in text], dtype=torch.long)


def lanes(documents: Sequence[Tensor], num_lanes: int, draws: torch.Generator) -> Tensor:
    """All documents in a new order, one after the other, cut into `num_lanes` lanes of equal length."""
    order = torch.randperm(len(documents), generator=draws).tolist()
    stream = torch.cat([documents[number] for number in order])
    length = len(stream) // num_lanes
    return stream[: num_lanes * length].view(num_lanes, length)


@torch.no_grad()
def bits_per_character(model: LanguageModel, documents: Sequence[str], symbols: str, batch: int = 32) -> float:
    """Mean of -log2 p over all characters of `documents` but their first, each read from a fresh state."""
    device = model.bias.device
    encoded = sorted((encode(text, symbols) for text in documents), key=len)
    total, count = 0.0, 0
    for at in range(0, len(encoded), batch):
        group = encoded[at : at + batch]
        padded = torch.nn.utils.rnn.pad_sequence(group, batch_first=True, padding_value=-1).to(device)
        state = model.initial_state(len(group))
        for start in range(0, padded.shape[1] - 1, 256):
            stretch = padded[:, start : start + 257]
            logits, state = model(stretch[:, :-1].clamp_min(0), state)
            targets = stretch[:, 1:].flatten()
            total += F.cross_entropy(logits.flatten(0, 1), targets, ignore_index=-1, reduction="sum").item()
            count += int((targets >= 0).sum())
    return total / count / math.log(2)


def _random(seed: int, purpose: int, number: int) -> torch.Generator:
    """A stream of chance that depends on these three alone."""
    mixed = hashlib.sha256(f"{seed}/{purpose}/{number}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(mixed[:8], "big") >> 1)
