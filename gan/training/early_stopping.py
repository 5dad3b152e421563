"""Early stopping: the weights of a network at the step where the loss of validation phrases was lowest."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor, nn


class EarlyStopping:
    """Keeps the best weights, and tells when to stop.

    Parameters
    ----------
    patience
        Stops once the loss has not fallen for so many offers; at least 1.

    Attributes
    ----------
    best_step
        The step of the lowest loss so far.
    stopped_at
        The step after which it stopped, None before.
    """

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self.lowest, self.best_step, self.waited = math.inf, 0, 0
        self.weights: dict[str, Tensor] = {}
        self.stopped_at: int | None = None

    def offer(self, step: int, loss: float, network: nn.Module) -> None:
        """Keep these weights if the loss is the lowest so far."""
        if loss < self.lowest:
            self.lowest, self.best_step, self.waited = loss, step, 0
            self.weights = {name: values.clone() for name, values in network.state_dict().items()}
            return
        self.waited += 1
        if self.waited >= self.patience:
            self.stopped_at = step

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain values; `load_state_dict` takes them back."""
        names = ("lowest", "best_step", "waited", "weights", "stopped_at")
        return {name: getattr(self, name) for name in names}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        for name, value in state.items():
            setattr(self, name, value)
