"""Checkpoint selection: which step's weights a training keeps for generating."""

from __future__ import annotations

from typing import Any

from torch import nn


class CheckpointSelection:
    """The averaged weights of the step whose phrases are most like the validation songs.

    Attributes
    ----------
    chosen
        `step`, `final_phase` (whether the trainer was in it), `overlap` of features with the validation songs, and
        `average`, the weights; no weights before the first step is offered.
    """

    def __init__(self) -> None:
        self.chosen: dict[str, Any] = {"step": 0, "final_phase": False, "overlap": -1.0}

    def offer(self, step: int, final_phase: bool, overlap: float, average: nn.Module) -> None:
        """Keep these weights if they are better; steps of the final phase come before all others."""
        if (final_phase, overlap) > (self.chosen["final_phase"], self.chosen["overlap"]):
            weights = {name: value.clone() for name, value in average.state_dict().items()}
            self.chosen = {"step": step, "final_phase": final_phase, "overlap": overlap, "average": weights}
