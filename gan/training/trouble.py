"""Training that goes wrong, in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from gan.spec import RollSpec
from gan.statistics import DataStatistics

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
