"""Training: steps of discriminator and generator, averaged weights (EMA), a state that resumes exactly.

    trainer = Trainer(spec, statistics, AlbumGANSettings(), settings := TrainSettings(), seed=0)
    for report in trainer.run(batches_from(rolls, spec, settings.phrases_per_step, 0, start_step=trainer.step)):
        ...  # write report, save trainer.state_dict() when report.checkpoint_due

Nothing is written here. All randomness is a function of (seed, step), so nothing is lost between two processes.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn

from gan.networks.checkpoint import FORMAT, check_format
from gan.networks.designs import NETWORKS
from gan.networks.generator import Generator
from gan.networks.transfer import Networks, transfer
from gan.seeds import RandomStream, mix_seed, random_stream
from gan.settings import ModelSettings, TrainSettings, check_together
from gan.spec import RollSpec
from gan.statistics import DataStatistics
from gan.training.batches import Batch, PhrasePair, RandomStreams, make_pair, make_pairs
from gan.training.distributed import ALONE, Team
from gan.training.early_stopping import EarlyStopping
from gan.training.ema import update_average
from gan.training.losses import LOSSES, Figures
from gan.training.monitor import Meter, TrainingFailed, TrainingReport, count_onsets
from gan.training.precision import accelerate, uses_bfloat16
from gan.training.sequence_step import SequenceStep, log_probs
from gan.training.step import AdversarialStep

NUM_FIXED = 16
"""Phrases in the picture of fixed latents."""
LIKELIHOOD_BETAS = (0.9, 0.98)
"""Of Adam, where the generator learns by likelihood; with an adversary alone there is no momentum."""
WARM_UP_STEPS = 8
"""Over which the learning rate of that generator rises."""


def scheduled_learning_rate(settings: TrainSettings, step: int, steps: int) -> float:
    """The learning rate at one of so many steps: constant, then falling to zero."""
    last = settings.decay_share * steps
    left = (steps - step) / last if last > 0 else 1.0
    return settings.learning_rate * max(0.0, min(1.0, left))


def means_of(figures: Mapping[str, Sequence[Tensor]]) -> dict[str, float]:
    """The mean of each figure over the batches of a step, all fetched from the device at once."""
    numbers = iter(torch.stack([value.double() for values in figures.values() for value in values]).tolist())
    return {name: sum(islice(numbers, len(values))) / len(values) for name, values in figures.items()}


def on_host(state: Any) -> Any:
    """Plain values and tensors, in dictionaries and lists, with all tensors on the CPU."""
    if isinstance(state, dict):
        return {name: on_host(value) for name, value in state.items()}
    if isinstance(state, list):
        return [on_host(value) for value in state]
    return state.cpu() if isinstance(state, Tensor) else state


class Trainer:
    """A generator and a discriminator that learn from each other.

    Parameters
    ----------
    spec, statistics
        The shape of the rolls and what the data looks like.
    model_settings, train_settings
        Sizes, and how long and how fast to train.
    seed
        Decides on first weights, latents and noise. With one thread the same seed and steps give the same bits.
    device
        Where the networks live, such as `cpu` or `cuda`.
    team
        The processes that train together; each has a trainer and is given the same batches.

    Attributes
    ----------
    learning_rate_scale
        Factor of the learning rate, less than 1 after a breakdown.

    Raises
    ------
    ValueError
        When a setting cannot work, or the design can't be trained by several processes; the sentence names its key.
    """

    def __init__(
        self,
        spec: RollSpec,
        statistics: DataStatistics,
        model_settings: ModelSettings,
        train_settings: TrainSettings,
        seed: int = 0,
        device: str | torch.device = "cpu",
        team: Team = ALONE,
    ) -> None:
        check_together(model_settings, train_settings)
        self.team = team
        self.spec, self.statistics = spec, statistics
        self.model_settings, self.settings = model_settings, train_settings
        self.seed, self.device = seed, torch.device(device)
        self.step, self.seconds, self.learning_rate_scale = 0, 0.0, 1.0
        with torch.random.fork_rng(devices=[]):  # first weights come from our seed; the global stream stays as it was
            torch.manual_seed(mix_seed(seed, RandomStream.WEIGHTS))
            make_generator, make_discriminator = NETWORKS[model_settings.design]
            self.generator = make_generator(spec, statistics, model_settings).to(self.device)
            self.discriminator = make_discriminator(spec, statistics, model_settings).to(self.device)
        self._check_team()
        self.average = copy.deepcopy(self.generator).requires_grad_(False).eval()
        self.optimizers = {"generator": self._adam(self.generator), "discriminator": self._adam(self.discriminator)}
        if isinstance(self.generator, Generator):
            self.optimizers["generator"] = torch.optim.AdamW(
                self.generator.parameters(),
                betas=LIKELIHOOD_BETAS,
                weight_decay=train_settings.weight_decay,
                fused=True,
            )
        self.loss = LOSSES[train_settings.loss](train_settings.gamma, train_settings.penalty_steps)
        kind = SequenceStep if model_settings.design == "albumgan" else AdversarialStep
        networks = (self.generator, self.discriminator)
        self.adversarial = kind(*networks, self.optimizers, self.loss, train_settings, seed, team)
        random = random_stream(seed, RandomStream.FIXED_LATENTS)
        self.fixed_latents = self.average.sample_latents(NUM_FIXED, random)
        self.early_stopping = EarlyStopping(train_settings.patience)
        self.meter = Meter(spec, statistics, self.loss.bounds)
        bfloat16 = uses_bfloat16(train_settings.precision, self.device)
        self.accelerated = [
            accelerate(network, self.device, bfloat16, train_settings.compile)
            for network in (self.generator, self.discriminator)
        ]

    def _check_team(self) -> None:
        """Refuse what several processes can't do alike."""
        size, settings = self.team.size, self.settings
        if settings.batch_size % size:
            raise ValueError(f"train.batch_size={settings.batch_size} can't be divided among {size} processes")
        layers = [*self.generator.modules(), *self.discriminator.modules()]
        if size > 1 and any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in layers):
            raise ValueError(
                f"model.design={self.model_settings.design} normalises over its batch and trains in one process only"
            )

    def _adam(self, network: nn.Module) -> torch.optim.Adam:
        settings = self.settings
        return torch.optim.Adam(
            network.parameters(), lr=settings.learning_rate, betas=(settings.beta1, settings.beta2), fused=True
        )

    def learning_rate(self, side: str = "discriminator", settings: TrainSettings | None = None) -> float:
        """The learning rate of a side at this step: constant, then falling to zero; less after a breakdown.

        Generator and discriminator learn one after the other where the generator learns by likelihood, and its rate
        rises first. With `settings` of another run it is what they would have here.
        """
        settings = settings or self.settings
        step, steps, scale = self.step, settings.steps, self.learning_rate_scale
        if isinstance(self.generator, Generator):
            if side == "generator":
                scale *= settings.generator_speed * min(1.0, (1 + step) / WARM_UP_STEPS)
                steps = steps if settings.policy_weight else min(settings.pretrain_steps, steps)
            else:
                begin = self.early_stopping.stopped_at or settings.pretrain_steps
                step, steps = step - begin, steps - begin
        return scale * scheduled_learning_rate(settings, step, steps)

    @property
    def pretraining(self) -> bool:
        """Whether the generator still learns real phrases alone."""
        return self.step < self.settings.pretrain_steps and self.early_stopping.stopped_at is None

    def run(self, batches: Iterable[Batch], validation: Batch | None = None) -> Iterator[TrainingReport]:
        """Train until `steps` or `minutes` are reached, yielding a `TrainingReport` whenever one is due.

        Parameters
        ----------
        batches
            Of `phrases_per_step` phrases each, beginning with the batch of step `trainer.step`.
        validation
            Phrases that nothing is learnt from, for `patience`.

        Raises
        ------
        TrainingFailed
            When a loss or a weight is not a number any more, in all processes at once. Where a report said that a
            checkpoint is due, all weights were numbers.
        """
        settings = self.settings
        started, before = time.monotonic(), self.seconds
        for batch in batches:
            self.seconds = self.team.of_first(before + time.monotonic() - started)
            if self.step >= settings.steps or self.seconds >= 60 * settings.minutes:
                break
            self.train_step(batch)
            self.seconds = self.team.of_first(before + time.monotonic() - started)
            last = self.step >= settings.steps or self.seconds >= 60 * settings.minutes
            if settings.patience and validation is not None:
                self._stop_early(validation)
            if last or self.step % settings.report_steps == 0:
                yield self._report(last)

    @torch.no_grad()
    def _stop_early(self, validation: Batch) -> None:
        """Look at the likelihood of validation phrases, and end the pretraining where it rises no more."""
        assert isinstance(self.generator, Generator) and isinstance(self.average, Generator)
        stopping, end = self.early_stopping, self.settings.pretrain_steps
        looks = self.step <= end and stopping.stopped_at is None
        if looks and (self.step == end or self.step % self.settings.report_steps == 0):
            pair = make_pairs(self.average, [validation], 0, [self._random(0)], real_alone=True)[0]
            loss = -log_probs(self.average, pair, [pair.real])[0].mean().item()
            stopping.offer(self.step, loss, self.average)
            self.meter.add({"validation_loss": loss}, None)
            if self.step == end or stopping.stopped_at is not None:
                self.average.load_state_dict(stopping.weights)
                self.generator.load_state_dict(stopping.weights)

    @property
    def final_phase(self) -> bool:
        """Whether samples are made as they will be at the end.

        The design is in its last stage, and the learning rate falls, where it ever does.
        """
        settings = self.settings
        falls = round((1 - settings.decay_share) * settings.steps) if settings.decay_share else 0
        if self.early_stopping.stopped_at is not None:
            return True
        return self.step >= max(settings.pretrain_steps, falls, self.generator.final_phase_start)

    def train_step(self, batch: Batch) -> None:
        """Learn from `phrases_per_step` phrases."""
        for side, optimizer in self.optimizers.items():
            optimizer.param_groups[0]["lr"] = self.learning_rate(side)
        self.generator.begin_step(self.step)
        learn = self._sequence_step if isinstance(self.generator, Generator) else self._adversarial_step
        collected: dict[str, list[Tensor]] = {}
        for pair, figures in learn(batch):
            last_pair = pair
            for name, value in figures.items():
                collected.setdefault(name, []).append(value)
        means = self.team.mean(means_of(collected))
        self._check_figures(means)
        self.step += 1
        self.meter.add(means, count_onsets(last_pair, self.generator, self.team))

    def _check_figures(self, figures: dict[str, float]) -> None:
        bad = ", ".join(name for name, value in figures.items() if not math.isfinite(value))
        if bad:
            raise TrainingFailed(f"training broke down at step {self.step}: {bad} is not a number any more")

    def _sequence_step(self, batch: Batch) -> Iterator[tuple[PhrasePair, Figures]]:
        """Steps of an autoregressive generator and, once it has one, its adversary: one for each of several batches."""
        assert isinstance(self.adversarial, SequenceStep)
        assert isinstance(self.generator, Generator) and isinstance(self.average, Generator)
        count = self.settings.batches_per_step
        numbers = [self.step * count + part for part in range(count)]
        reported = (self.step + 1) % self.settings.report_steps == 0
        pairs = make_pairs(
            self.generator if self.settings.policy_weight else self.average,
            batch.chunk(count),
            self.settings.max_transposition,
            [self._random(number) for number in numbers],
            self.team,
            real_alone=self.pretraining and not reported,
        )
        for number, pair in zip(numbers, pairs, strict=True):
            if self.pretraining:
                figures = self.adversarial.likelihood_step(pair, number)
            else:
                figures = self.adversarial.simultaneous_step(pair, number)
            if self.pretraining or self.settings.policy_weight:
                update_average(self.average, self.generator, number, self.settings.ema_decay)
            yield pair, figures

    def _adversarial_step(self, batch: Batch) -> Iterator[tuple[PhrasePair, Figures]]:
        """Steps of the discriminator and one of the generator, through whose notes gradients flow."""
        count = self.settings.discriminator_steps
        for substep, part in enumerate(batch.chunk(count)):
            last = substep == count - 1
            with torch.set_grad_enabled(last):
                random = self._random(self.step * count + substep)
                pair = make_pair(self.generator, part, self.settings.max_transposition, random, self.team)
            if last and self.loss.simultaneous:
                figures = self.adversarial.simultaneous_step(pair, self.step, substep)
            else:
                figures = self.adversarial.discriminator_step(pair, self.step, substep)
                figures |= self.adversarial.generator_step(pair) if last else {}
            if last:
                update_average(self.average, self.generator, self.step, self.settings.ema_decay)
            yield pair, figures

    def _random(self, number: int) -> RandomStreams:
        """The random streams of a batch."""

        def random(purpose: RandomStream, device: torch.device | str) -> torch.Generator:
            return random_stream(self.seed, purpose, number, device=device)

        return random

    def _report(self, last: bool) -> TrainingReport:
        """What happened since the last report."""
        checkpoint_due = last or self.step % self.settings.checkpoint_steps == 0
        if checkpoint_due:
            self.check_weights()
        report = self.meter.report(
            step=self.step,
            seconds=self.seconds,
            learning_rate=self.learning_rate(),
            samples=self.average.sample(self.fixed_latents).cpu() if checkpoint_due and self.team.leads else None,
            checkpoint_due=checkpoint_due,
        )
        for part in filter(None, self.accelerated):
            if part.warning and part.warning not in report.warnings:
                report.warnings.append(part.warning)
            part.warning = ""
        return report

    def check_weights(self) -> None:
        """Raise `TrainingFailed` where a network has weights that are not numbers."""
        for side, network in (("generator", self.generator), ("discriminator", self.discriminator)):
            if not all(weight.isfinite().all() for weight in network.parameters()):
                raise TrainingFailed(
                    f"training broke down at step {self.step}: weights of the {side} are not numbers any more"
                )

    @torch.no_grad()
    def begin_with(self, networks: Networks) -> None:
        """Begin with the weights of other networks, as far as they fit. Raises `ValueError` where they do not."""
        transfer(networks, (self.generator, self.discriminator))
        self.average.load_state_dict(self.generator.state_dict())

    def align(self) -> None:
        """Take over the state of the first of several processes."""
        if self.team.size > 1:
            state = self.team.share(on_host(self.state_dict()) if self.team.leads else None)
            self.load_state_dict(state)

    def state_dict(self) -> dict[str, Any]:
        """Everything a resumed run needs: tensors and plain values only (`torch.load(weights_only=True)` reads it)."""
        return {
            "format": FORMAT,
            "spec": self.spec.to_dict(),
            "statistics": self.statistics.to_dict(),
            "model_settings": self.model_settings.to_dict(),
            "train_settings": self.settings.to_dict(),
            "seed": self.seed,
            "step": self.step,
            "seconds": self.seconds,
            "learning_rate_scale": self.learning_rate_scale,
            "generator": self.generator.state_dict(),
            "average": self.average.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "optimizers": {side: optimizer.state_dict() for side, optimizer in self.optimizers.items()},
            "early_stopping": self.early_stopping.state_dict(),
            "meter": self.meter.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state. Raises `ValueError` when it is of another format, spec, model or seed."""
        check_format(state)
        mine = {"spec": self.spec.to_dict(), "model_settings": self.model_settings.to_dict(), "seed": self.seed}
        for name, value in mine.items():
            if state[name] != value:
                raise ValueError(f"this checkpoint was made with another {name}: {state[name]}, not {value}")
        self.generator.load_state_dict(state["generator"])
        self.average.load_state_dict(state["average"])
        self.discriminator.load_state_dict(state["discriminator"])
        for side, optimizer in self.optimizers.items():
            optimizer.load_state_dict(copy.deepcopy(state["optimizers"][side]))
        self.early_stopping.load_state_dict(state["early_stopping"])
        self.meter.load_state_dict(state["meter"])
        self.step, self.seconds = state["step"], state["seconds"]
        self.learning_rate_scale = state["learning_rate_scale"]
