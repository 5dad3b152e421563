"""Settings of the stage `train`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gan.settings import TrainSettings


@dataclass
class TrainStageSettings(TrainSettings):
    """The trainer's settings, and what only the stage around it needs."""

    init: str | None = None
    """A checkpoint to fine-tune: a `checkpoint.pt`, its folder, or the `name` of a run. Tracks are found by their
    names; ranges, drums and styles may differ, sizes may not. null begins with nothing."""
    tensorboard: bool = False
    """Whether curves, pictures and sounds also go to `outputs/NAME/train/tensorboard/`."""

    def to_dict(self) -> dict[str, Any]:
        """The trainer's settings for a checkpoint, without those of the stage."""
        return {key: value for key, value in super().to_dict().items() if key not in ("init", "tensorboard")}
