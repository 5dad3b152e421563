"""Checkpoint loading: generator and discriminator from a trainer's state.

The state is what `gan.training.trainer.Trainer.state_dict` gives.
"""

from __future__ import annotations

from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from gan.interface import PhraseDiscriminator, PhraseGenerator
from gan.networks.designs import NETWORKS
from gan.settings import ModelSettings
from gan.spec import RollSpec
from gan.statistics import DataStatistics

FORMAT = 8
"""Number of the state's layout; a state of another one is refused."""


def check_format(state: dict[str, Any]) -> None:
    """Raise `ValueError` with a sentence for what is not a state of ours."""
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        found = state.get("format") if isinstance(state, dict) else None
        raise ValueError(f"this is not a checkpoint of format {FORMAT} (found: {found})")


Network = TypeVar("Network", bound=nn.Module)


def _described(state: dict[str, Any]) -> tuple[RollSpec, DataStatistics, ModelSettings]:
    """What the networks of a state are built from."""
    check_format(state)
    settings = ModelSettings.of(state["model_settings"])
    settings.check()
    return RollSpec.from_dict(state["spec"]), DataStatistics.from_dict(state["statistics"]), settings


def _ready(network: Network, weights: dict[str, Tensor], device: str | torch.device) -> Network:
    """A network with these weights, ready for use."""
    network.load_state_dict(weights)
    return network.to(device).requires_grad_(False).eval()


def load_generator(state: dict[str, Any], device: str | torch.device = "cpu") -> PhraseGenerator:
    """The averaged generator of a state, ready to sample. Raises `ValueError` when it is no state of ours."""
    spec, statistics, settings = _described(state)
    with torch.random.fork_rng(devices=[]):
        network = NETWORKS[settings.design][0](spec, statistics, settings)
    return _ready(network, state["average"], device)


def load_discriminator(state: dict[str, Any], device: str | torch.device = "cpu") -> PhraseDiscriminator:
    """The discriminator of a state, ready to score. Raises `ValueError` when it is no state of ours."""
    spec, statistics, settings = _described(state)
    with torch.random.fork_rng(devices=[]):
        network = NETWORKS[settings.design][1](spec, statistics, settings)
    return _ready(network, state["discriminator"], device)
