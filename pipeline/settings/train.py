"""Settings of the stage `train`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from gan.settings import AlbumGANSettings, ModelSettings, TrainSettings
from gan.spec import RollSpec, Track

AUTO, BASE = "auto", "base"
"""What `train.init` may be beside a file: take the base model where it fits; take it in any case."""
BASE_TRACKS = (
    Track("Lead"),
    Track("Drums", is_drum=True),
    Track("Piano"),
    Track("Guitar"),
    Track("Bass"),
    Track("Strings"),
)
"""The tracks that the base model knows: those of `tracks=pop`."""
FREE = ("dropout", "rhythm_temperature", "pitch_temperature")
"""Settings of a model that do not decide on its weights."""
FINE_TUNING: dict[str, Any] = {
    "steps": 80,
    "pretrain_share": 0.6,
    "patience": 2,
    "generator_speed": 0.15,
    "max_transposition": 3,
    "report_steps": 8,
}
"""Defaults of a run that begins with a checkpoint; what else it has are those of one that begins with nothing."""


@dataclass
class TrainStageSettings(TrainSettings):
    """The trainer's settings, and what only the stage around it needs."""

    init: str | None = AUTO
    """A checkpoint to fine-tune: `base`, which comes along, a `checkpoint.pt`, its folder, or the `name` of a run.
    Tracks are found by their names; ranges, drums and styles may differ, sizes may not. null begins with nothing.
    `auto` takes `base` for tracks that it knows in phrases like its own. Beginning with a checkpoint, the defaults are
    `steps=80 pretrain_share=0.6 patience=2 generator_speed=0.15 max_transposition=3 report_steps=8`."""
    tensorboard: bool = False
    """Whether curves, pictures and sounds also go to `outputs/NAME/train/tensorboard/`."""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> TrainStageSettings:
        """The settings that `values` name; None is the default, which a checkpoint to begin with decides."""
        usual = FINE_TUNING if values.get("init") is not None else {}
        said = {key: value for key, value in values.items() if value is not None or key not in FINE_TUNING}
        return cls(**(usual | said))

    def to_dict(self) -> dict[str, Any]:
        """The trainer's settings for a checkpoint, without those of the stage."""
        return {key: value for key, value in super().to_dict().items() if key not in ("init", "tensorboard")}


def suits_base(spec: RollSpec, key: str, model: ModelSettings) -> bool:
    """Whether the base model knows all tracks, in phrases like its own, and has networks of these sizes.

    `key` is the setting `prepare.key`.
    """
    usual = AlbumGANSettings()
    sizes = [one.name for one in fields(usual) if one.name not in FREE]
    same_size = isinstance(model, AlbumGANSettings) and all(getattr(model, one) == getattr(usual, one) for one in sizes)
    same_grid = replace(spec, tracks=BASE_TRACKS) == RollSpec(BASE_TRACKS)
    return same_size and same_grid and set(spec.tracks) <= set(BASE_TRACKS) and key == "common"
