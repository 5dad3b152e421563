"""A trained model, read from its checkpoint: the two networks and what is known of the data they learned from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gan.interface import PhraseDiscriminator, PhraseGenerator
from gan.networks.checkpoint import load_discriminator, load_generator
from gan.spec import RollSpec
from gan.statistics import DataStatistics
from pipeline.config import Config
from pipeline.dataset.sample_identification.flip_transforms import FlipTransform, unpack_transforms
from pipeline.devices import choose_device, load_checkpoint
from pipeline.errors import UserError
from pipeline.scores.structure.song_plan import SongPlan, unpack_plans
from pipeline.settings.data import roll_spec
from pipeline.songs.performance.model import PerformanceModel, bundled_model, completed_performance, performance_from


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """What a checkpoint holds.

    Attributes
    ----------
    generator, discriminator
        On the device that the settings name.
    statistics
        Of the data.
    music
        Of the data: `tempo_bpm`, quantiles by share; `modes`, songs in major and minor.
    dissonance
        Of real phrases, see `gan.metrics.features.dissonance`.
    styles
        Names of the data's styles, in the order of their numbers.
    in_common_key
        Whether the data was moved to C major or A minor.
    performance
        How notes are played, as the data's songs were, else as those were that come along.
    plans, plan_styles
        Of songs of the data; and the number of the style of each, -1 without one.
    flip_transforms
        What the data's songs do to their samples; empty where it has none.
    """

    generator: PhraseGenerator
    discriminator: PhraseDiscriminator
    statistics: DataStatistics
    music: dict[str, Any]
    dissonance: float
    styles: tuple[str, ...]
    in_common_key: bool
    plans: tuple[SongPlan, ...] = ()
    plan_styles: tuple[int, ...] = ()
    performance: PerformanceModel = field(default_factory=bundled_model)
    flip_transforms: tuple[FlipTransform, ...] = ()

    @property
    def spec(self) -> RollSpec:
        """The shape of the phrases."""
        return self.generator.spec


def load_trained_model(config: Config, checkpoint: Path) -> TrainedModel:
    """Read a checkpoint. One that is damaged, or of other music than the settings say, raises `UserError`."""
    state = load_checkpoint(checkpoint)
    spec, device = roll_spec(config.roll, config.tracks, config.data.metre), choose_device(config)
    try:
        found = RollSpec.from_dict(state["spec"])
        trained = TrainedModel(
            generator=load_generator(state["trainer"] | {"average": state["chosen"]["average"]}, device),
            discriminator=load_discriminator(state["trainer"], device),
            statistics=DataStatistics.from_dict(state["trainer"]["statistics"]),
            music={name: dict(state["music"][name]) for name in ("tempo_bpm", "modes")},
            dissonance=float(state["reference"]["dissonance"]),
            styles=tuple(state["styles"]),
            in_common_key=state["settings"]["prepare.key"] == "common",
            performance=completed_performance(performance_from(state["performance"])),
            plans=tuple(unpack_plans({name: values.numpy() for name, values in state["plans"].items()})),
            plan_styles=tuple(state["plan_styles"].tolist()),
            flip_transforms=unpack_transforms(state["flip_transforms"]) if "flip_transforms" in state else (),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{checkpoint} is damaged or of another version ({reason}).") from error
    if found != spec:
        raise UserError(
            f"{checkpoint} makes {spec_in_words(found)}, but the settings ask for {spec_in_words(spec)}: "
            "drop the override or give another name=."
        )
    return trained


def spec_in_words(spec: RollSpec) -> str:
    """A RollSpec in words."""
    return (
        f"{', '.join(spec.names)} in {spec.bars} bars of {spec.metre}, {spec.steps_per_beat} steps a beat, "
        f"{spec.num_pitches} pitches from {spec.lowest_pitch}"
    )
