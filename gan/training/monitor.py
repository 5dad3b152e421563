"""What training tells while it runs: figures, samples, and trouble in words."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from gan.spec import RollSpec
from gan.statistics import DataStatistics
from gan.training.batches import Heard
from gan.training.trouble import Watch


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
        `slope_penalty`), the lengths of the gradients, `generator_gradient` and `discriminator_gradient`, `variety`
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
