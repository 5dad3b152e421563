"""What training tells while it runs: figures, samples, and trouble in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from gan.spec import RollSpec
from gan.statistics import DataStatistics

SILENT_SHARE = 0.05
"""A track with less than this share of the data's notes is called silent."""
PATIENCE = 10
"""Reports in a row before one side is said to win."""


class TrainingFailed(RuntimeError):  # noqa: N818 - reads as the sentence it raises
    """Training cannot go on; the message says why and what to do."""


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
        `slope_penalty`), and at this step `learning_rate`, `noise`.
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
        self.spec, self.statistics, self.bounds = spec, statistics, bounds
        self.sums: dict[str, float] = {}
        self.counts: dict[str, int] = {}
        self.winning, self.losing = 0, 0

    def add(self, figures: dict[str, float], strikes: Tensor) -> None:
        """Take in one step: its figures and the generated onsets `[batch, time, tracks, pitches]`."""
        notes = strikes.sum((1, 3)).mean(0) / self.spec.bars
        rates = {f"notes/{name}": rate for name, rate in zip(self.spec.names, notes.tolist(), strict=True)}
        for name, value in (figures | rates).items():
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
        figures = means | {"learning_rate": learning_rate, "noise": noise}
        warnings = self._silent_tracks(notes) + self._watch(means["discriminator_loss"])
        return Report(step, seconds, figures, notes, warnings, samples, checkpoint_due)

    def _silent_tracks(self, notes: dict[str, float]) -> list[str]:
        """Tracks that hardly play, in words."""
        warnings = []
        for (name, rate), wanted in zip(notes.items(), self.statistics.notes_per_bar, strict=True):
            if rate < SILENT_SHARE * wanted:
                warnings.append(f"{name} has fallen silent: {rate:.2f} notes a bar, the data has {wanted:.2f}")
        return warnings

    def _watch(self, loss: float) -> list[str]:
        """Whether one side wins, in words."""
        if self.bounds is None:
            return []
        warnings = []
        self.winning = self.winning + 1 if loss < self.bounds[0] else 0
        self.losing = self.losing + 1 if loss > self.bounds[1] else 0
        if self.winning >= PATIENCE:
            warnings.append(
                f"the discriminator has won for {self.winning} reports (its loss is {loss:.2f}): the generator learns "
                "little; a smaller train.learning_rate or a larger train.gamma helps"
            )
        if self.losing >= PATIENCE:
            warnings.append(
                f"the generator has won for {self.losing} reports (the discriminator's loss is {loss:.2f}): the "
                "discriminator learns little; a smaller train.gamma helps"
            )
        return warnings

    def state_dict(self) -> dict[str, Any]:
        """Plain values for a checkpoint."""
        return {
            "sums": dict(self.sums),
            "counts": dict(self.counts),
            "winning": self.winning,
            "losing": self.losing,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.sums, self.counts = dict(state["sums"]), dict(state["counts"])
        self.winning, self.losing = state["winning"], state["losing"]
