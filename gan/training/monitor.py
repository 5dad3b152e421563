"""Training monitor: figures, onset statistics, samples, and warnings when something goes wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from gan.context import mask_of_steps
from gan.interface import PhraseGenerator
from gan.spec import RollSpec
from gan.statistics import DataStatistics
from gan.training.batches import PhrasePair
from gan.training.distributed import ALONE, Team

SILENT_SHARE = 0.05
"""A track with less than this share of the data's notes is called silent."""
PATIENCE = 10
"""Reports in a row before one side is said to win, or the generator to make few phrases over and over."""
COLLAPSE_SHARE = 0.25
"""Mode collapse: generated phrases differ from each other by less than this share of what real ones do."""
EXPLOSION_FACTOR = 30.0
"""A figure that is so many times its usual size is said to explode."""
WATCHED = ("generator_gradient_norm", "discriminator_gradient_norm", "generator_loss")
MEMORY = 0.9
"""How much of a figure's usual size is what it was a report before."""


class TrainingFailed(RuntimeError):  # noqa: N818 - reads as the sentence it raises
    """Training cannot go on; the message says why."""


@dataclass(frozen=True)
class OnsetCounts:
    """In how many phrases of a batch a note begins at each place, as sums over the phrases of all processes.

    Attributes
    ----------
    onsets
        `[time, tracks, pitches]`: in how many phrases a note begins here.
    phrases
        `[time, tracks]`: how many phrases count here; where notes were given, a phrase does not.
    """

    onsets: Tensor
    phrases: Tensor

    @classmethod
    def of(cls, onsets: Tensor, made: Tensor | None = None, team: Team = ALONE) -> OnsetCounts:
        """Sums of onsets `[batch, time, tracks, pitches]` where `made`, bool `[batch, time, tracks]`; or of all."""
        if made is None:
            sums, phrases = onsets.sum(0), onsets.new_full(onsets.shape[1:3], len(onsets))
        else:
            sums, phrases = (onsets * made.unsqueeze(3)).sum(0), made.sum(0).to(onsets)
        return cls(team.sum(sums), team.sum(phrases))

    def notes_per_bar(self, bars: int) -> Tensor:
        """Mean number of notes, `[tracks]`, as if every track had counted everywhere; NaN where one counted nowhere."""
        return self.onsets.sum((0, 2)) / self.phrases.mean(0) / bars

    def variety(self) -> float:
        """How different the phrases are from each other: 1 where no two begin a note alike, 0 where all are the same.

        `sum of p (1 - p) n / (n - 1)` over `sum of p`, p the share of the n phrases in which a note begins at a step
        and pitch. NaN where no note begins.
        """
        count = self.phrases.unsqueeze(2)
        share = self.onsets / count.clamp(min=1)
        apart = share * (1 - share) * count / (count - 1).clamp(min=1)
        several = count >= 2
        return float((apart * several).sum() / (share * several).sum())


def count_onsets(pair: PhrasePair, generator: PhraseGenerator, team: Team) -> tuple[OnsetCounts, OnsetCounts] | None:
    """Onsets of generated phrases and of real ones; `None` where none were generated.

    Both without tracks that the phrases know nothing of, and the generated ones without what was given.
    """
    if pair.fake is None:
        return None
    fake, real = (generator.onsets(phrases) for phrases in (pair.fake, pair.real))
    if pair.conditioning is None:
        return OnsetCounts.of(fake, team=team), OnsetCounts.of(real, team=team)
    made = ~mask_of_steps(pair.conditioning.mask, pair.spec)
    known = torch.ones_like(made)
    if pair.conditioning.known is not None:
        known = known & pair.conditioning.known.unsqueeze(1)
    return OnsetCounts.of(fake, made & known, team), OnsetCounts.of(real, known, team)


class Monitor:
    """Looks at every report for signs of failure; part of the state, so that a resumed log is equal.

    Parameters
    ----------
    spec, statistics
        Of the data.
    bounds
        The discriminator's loss below which it wins and above which it loses; `None` where no number tells.
    """

    def __init__(self, spec: RollSpec, statistics: DataStatistics, bounds: tuple[float, float] | None) -> None:
        self.spec, self.statistics, self.bounds = spec, statistics, bounds
        self.in_a_row = {"winning": 0, "losing": 0, "mode_collapse": 0}
        self.usual: dict[str, float] = {}
        self.num_reports = 0

    def warnings(self, figures: Mapping[str, float], notes: Mapping[str, float]) -> list[str]:
        """Sentences, each beginning with what it is about and a colon or the like; none when all is well.

        Parameters
        ----------
        figures
            Means since the last report.
        notes
            Notes a bar of each track.
        """
        self.num_reports += 1
        return [
            *self._silent_tracks(notes),
            *self._winners(figures),
            *self._mode_collapse(figures),
            *self._explosions(figures),
        ]

    def _silent_tracks(self, notes: Mapping[str, float]) -> list[str]:
        """Tracks that hardly play."""
        warnings = []
        for name, wanted in zip(self.spec.names, self.statistics.notes_per_bar, strict=True):
            rate = notes.get(name, wanted)
            if rate < SILENT_SHARE * wanted:
                warnings.append(f"{name} has fallen silent: {rate:.2f} notes a bar, the data has {wanted:.2f}")
        return warnings

    def _count(self, what: str, now: bool) -> int:
        """For how many reports in a row it has been so."""
        self.in_a_row[what] = self.in_a_row[what] + 1 if now else 0
        return self.in_a_row[what]

    def _winners(self, figures: Mapping[str, float]) -> list[str]:
        """Whether one side wins."""
        if self.bounds is None or "discriminator_loss" not in figures:
            return []
        warnings = []
        loss = figures["discriminator_loss"]
        winning, losing = self._count("winning", loss < self.bounds[0]), self._count("losing", loss > self.bounds[1])
        if winning >= PATIENCE:
            warnings.append(
                f"the discriminator wins: for {winning} reports its loss has been low, now {loss:.2f}, and the "
                "generator learns little; a smaller train.learning_rate or a larger train.gamma helps"
            )
        if losing >= PATIENCE:
            warnings.append(
                f"the generator wins: for {losing} reports the discriminator's loss has been high, now {loss:.2f}, and "
                "it learns little; a smaller train.gamma helps"
            )
        return warnings

    def _mode_collapse(self, figures: Mapping[str, float]) -> list[str]:
        """Whether the generator makes a few phrases over and over (mode collapse)."""
        made, real = figures.get("variety"), figures.get("variety_real")
        if made is None or real is None or self._count("mode_collapse", made < COLLAPSE_SHARE * real) < PATIENCE:
            return []
        return [
            f"the generator makes few phrases over and over: they differ by {made:.2f} from each other, real ones by "
            f"{real:.2f}; a larger train.batch_size or train.gamma helps"
        ]

    def _explosions(self, figures: Mapping[str, float]) -> list[str]:
        """Figures that are suddenly many times what they usually are."""
        warnings = []
        for name in (name for name in (WATCHED if self.bounds else WATCHED[:2]) if name in figures):
            size = math.log(max(abs(figures[name]), 1e-12))
            usual = self.usual.get(name, size)
            if self.num_reports > PATIENCE and size - usual > math.log(EXPLOSION_FACTOR):
                warnings.append(
                    f"{name.replace('_', ' ')} explodes: it is {figures[name]:.3g}, "
                    f"{math.exp(size - usual):,.0f} times its usual size; a smaller train.learning_rate helps"
                )
            self.usual[name] = MEMORY * usual + (1 - MEMORY) * size
        return warnings

    def state_dict(self) -> dict[str, Any]:
        """Plain values for a checkpoint."""
        return {"in_a_row": dict(self.in_a_row), "usual": dict(self.usual), "num_reports": self.num_reports}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.in_a_row, self.usual = dict(state["in_a_row"]), dict(state["usual"])
        self.num_reports = state["num_reports"]


@dataclass(frozen=True)
class TrainingReport:
    """The state of training after a step.

    Attributes
    ----------
    step, seconds
        Steps done, and seconds of training in all, earlier runs included.
    figures
        Means since the last report: `discriminator_loss`, `generator_loss`, `real_logit`, `fake_logit`,
        `discriminator_accuracy` (share of pairs whose real phrase scores higher), `likelihood_loss` (nats of a track
        at a step, of real phrases), `validation_loss` (the same of validation phrases), `sharpness` (factor that
        calibrates logits), the penalties (`r1` and `r2`, or `gradient_penalty`), the gradients' norms
        `generator_gradient_norm` and `discriminator_gradient_norm`,
        `variety` and `variety_real` (`OnsetCounts.variety`), and at this step `learning_rate`.
    notes_per_bar
        Of the training generator, by track, since the last report; compare `statistics.notes_per_bar`.
    warnings
        What goes wrong, in words; empty when all is well.
    samples
        At a checkpoint: rolls `[16, *spec.shape]` of the same latents each time, from averaged weights; else `None`.
    checkpoint_due
        Whether `trainer.state_dict()` should be saved now.
    """

    step: int
    seconds: float
    figures: dict[str, float]
    notes_per_bar: dict[str, float]
    warnings: list[str] = field(default_factory=list)
    samples: Tensor | None = None
    checkpoint_due: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain values for one line of a log, samples left out."""
        rates = {f"notes_per_bar/{name}": value for name, value in self.notes_per_bar.items()}
        return {"step": self.step, "seconds": self.seconds, **self.figures, **rates, "warnings": self.warnings}


class Meter:
    """Collects figures between two reports and has them monitored; part of the state, so a resumed log is equal.

    Parameters
    ----------
    spec, statistics
        Of the data.
    bounds
        The discriminator's loss below which it wins and above which it loses; `None` where no number tells.
    """

    def __init__(self, spec: RollSpec, statistics: DataStatistics, bounds: tuple[float, float] | None) -> None:
        self.spec = spec
        self.monitor = Monitor(spec, statistics, bounds)
        self.sums: dict[str, float] = {}
        self.counts: dict[str, int] = {}

    def add(self, figures: dict[str, float], onsets: tuple[OnsetCounts, OnsetCounts] | None) -> None:
        """Take in one step: its figures, and the onsets of generated and real phrases, where there were any."""
        if onsets is not None:
            made, real = onsets
            rates = zip(self.spec.names, made.notes_per_bar(self.spec.bars).tolist(), strict=True)
            figures = figures | {f"notes/{name}": rate for name, rate in rates}
            figures |= {"variety": made.variety(), "variety_real": real.variety()}
        for name, value in figures.items():
            if math.isfinite(value):  # of silence there is no variety
                self.sums[name] = self.sums.get(name, 0.0) + value
                self.counts[name] = self.counts.get(name, 0) + 1

    def report(
        self,
        step: int,
        seconds: float,
        learning_rate: float,
        samples: Tensor | None,
        checkpoint_due: bool,
    ) -> TrainingReport:
        """The means since the last report; starts anew."""
        means = {name: total / self.counts[name] for name, total in self.sums.items()}
        self.sums, self.counts = {}, {}
        notes = {name: means.pop(f"notes/{name}") for name in self.spec.names if f"notes/{name}" in means}
        warnings = self.monitor.warnings(means, notes)
        figures = means | {"learning_rate": learning_rate}
        return TrainingReport(step, seconds, figures, notes, warnings, samples, checkpoint_due)

    def state_dict(self) -> dict[str, Any]:
        """Plain values for a checkpoint."""
        return {"sums": dict(self.sums), "counts": dict(self.counts), "monitor": self.monitor.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.sums, self.counts = dict(state["sums"]), dict(state["counts"])
        self.monitor.load_state_dict(state["monitor"])
