"""Settings of the stage `train`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gan.settings import TrainSettings


@dataclass
class TrainStageSettings(TrainSettings):
    """The trainer's settings, and what only the stage around it needs."""

    tensorboard: bool = False
    """Whether curves, pictures and sounds also go to `outputs/NAME/train/tensorboard/`."""

    def to_dict(self) -> dict[str, Any]:
        """The trainer's settings for a checkpoint, which is the same with and without TensorBoard."""
        return {key: value for key, value in super().to_dict().items() if key != "tensorboard"}
