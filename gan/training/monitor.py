"""What training tells while it runs: figures, samples, and trouble in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from gan.spec import RollSpec
from gan.statistics import DataStatistics
from gan.training.batches import Heard

SILENT_SHARE = 0.05
"""A track with less than this share of the data's notes is called silent."""
PATIENCE = 10
"""Reports in a row before one side is said to win, or the generator to make few phrases over and over."""
FEW = 0.25
"""Generated phrases that differ from each other by less than this share of what real ones do are called few."""
SUDDEN = 30.0
"""A figure that is so many times its usual size is said to explode."""
WATCHED = ("generator_gradient", "discriminator_gradient", "generator_loss")
MEMORY = 0.9
"""How much of a figure's usual size is what it was a report before."""


class TrainingFailed(RuntimeError):  # noqa: N818 - reads as the sentence it raises
    """Training cannot go on; the message says why."""


class Watch:
    """Looks at every report for trouble; part of the state, so that a resumed log is equal.

    Parameters
    ----------
    spec, statistics
        Of the data.
    bounds
        The discriminator's loss below which it wins and above which it loses; `None` where no number tells.
    """

    def __init__(self, spec: RollSpec, statistics: DataStatistics, bounds: tuple[float, float] | None) -> None:
        self.spec, self.statistics, self.bounds = spec, statistics, bounds
        self.in_a_row = {"winning": 0, "losing": 0, "few": 0}
        self.usual: dict[str, float] = {}
        self.num_reports = 0

    def troubles(self, figures: Mapping[str, float], notes: Mapping[str, float]) -> list[str]:
        """Sentences, each beginning with its subject and a colon or the like; none when all is well.

        Parameters
        ----------
        figures
            Means since the last report.
        notes
            Notes a bar of each track.
        """
        self.num_reports += 1
        return [*self._silent_tracks(notes), *self._winners(figures), *self._few(figures), *self._explosions(figures)]

    def _silent_tracks(self, notes: Mapping[str, float]) -> list[str]:
        """Tracks that hardly play."""
        warnings = []
        for (name, rate), wanted in zip(notes.items(), self.statistics.notes_per_bar, strict=True):
            if rate < SILENT_SHARE * wanted:
                warnings.append(f"{name} has fallen silent: {rate:.2f} notes a bar, the data has {wanted:.2f}")
        return warnings

    def _count(self, what: str, now: bool) -> int:
        """For how many reports in a row it has been so."""
        self.in_a_row[what] = self.in_a_row[what] + 1 if now else 0
        return self.in_a_row[what]

    def _winners(self, figures: Mapping[str, float]) -> list[str]:
        """Whether one side wins."""
        if self.bounds is None:
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

    def _few(self, figures: Mapping[str, float]) -> list[str]:
        """Whether the generator makes a few phrases over and over."""
        made, real = figures.get("variety"), figures.get("variety_real")
        if made is None or real is None or self._count("few", made < FEW * real) < PATIENCE:
            return []
        return [
            f"the generator makes few phrases over and over: they differ by {made:.2f} from each other, real ones by "
            f"{real:.2f}; a larger train.batch_size or train.gamma helps"
        ]

    def _explosions(self, figures: Mapping[str, float]) -> list[str]:
        """Figures that are suddenly many times what they usually are."""
        warnings = []
        for name in WATCHED if self.bounds else WATCHED[:2]:
            size = math.log(max(abs(figures[name]), 1e-12))
            usual = self.usual.get(name, size)
            if self.num_reports > PATIENCE and size - usual > math.log(SUDDEN):
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
class Report:
    """The state of training after a step.

    Attributes
    ----------
    step, seconds
        Steps done, and seconds of training in all, earlier runs included.
    figures
        Means since the last report: `discriminator_loss`, `generator_loss`, `real_logit`, `fake_logit`, `told_apart`
        (share of pairs whose real phrase scores higher), the penalties of the loss (`r1` and `r2`, or
        `gradient_penalty`), the lengths of the gradients, `generator_gradient` and `discriminator_gradient`, `variety`
        and `variety_real` (`gan.training.batches.Heard.variety`), and at this step `learning_rate`, `noise`.
    notes_per_bar
        Of the training generator, by track, since the last report; compare `statistics.notes_per_bar`.
    warnings
        Trouble in words; empty when all is well.
    samples
        At a tick: rolls `[16, *spec.shape]` of the same latents each time, from the averaged weights; else `None`.
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
    """Collects figures between two reports and watches for trouble; part of the state, so a resumed log is equal.

    Parameters
    ----------
    spec, statistics
        Of the data.
    bounds
        The discriminator's loss below which it wins and above which it loses; `None` where no number tells.
    """

    def __init__(self, spec: RollSpec, statistics: DataStatistics, bounds: tuple[float, float] | None) -> None:
        self.spec = spec
        self.watch = Watch(spec, statistics, bounds)
        self.sums: dict[str, float] = {}
        self.counts: dict[str, int] = {}

    def add(self, figures: dict[str, float], made: Heard, real: Heard) -> None:
        """Take in one step: its figures, and what is heard of generated and real phrases."""
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
        noise: float,
        samples: Tensor | None,
        checkpoint_due: bool,
    ) -> Report:
        """The means since the last report; starts anew."""
        means = {name: total / self.counts[name] for name, total in self.sums.items()}
        self.sums, self.counts = {}, {}
        notes = {name: means.pop(f"notes/{name}", 0.0) for name in self.spec.names}
        warnings = self.watch.troubles(means, notes)
        figures = means | {"learning_rate": learning_rate, "noise": noise}
        return Report(step, seconds, figures, notes, warnings, samples, checkpoint_due)

    def state_dict(self) -> dict[str, Any]:
        """Plain values for a checkpoint."""
        return {"sums": dict(self.sums), "counts": dict(self.counts), "watch": self.watch.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.sums, self.counts = dict(state["sums"]), dict(state["counts"])
        self.watch.load_state_dict(state["watch"])
