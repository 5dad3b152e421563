"""The metre network: multilayer perceptrons that say how likely a beat and bar line are, and their file of weights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.transcription.beats.onsets import Floats

WEIGHTS_PATH = Path(__file__).with_name("weights.npz")
"""The trained weights that come with the program, by `python -m pipeline.transcription.training.beats`."""

Weights = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class MetreNetwork:
    """An ensemble of perceptrons with rectified units between layers, whose log odds are averaged.

    Attributes
    ----------
    mean, scale
        `[features]`: what is taken from each feature, and what it is multiplied by.
    layers
        The matrix `[networks, inputs, outputs]` and the bias `[networks, outputs]` of each layer; the last has one
        output.
    """

    mean: Weights
    scale: Weights
    layers: tuple[tuple[Weights, Weights], ...]

    def log_odds(self, candidates: Floats) -> Floats:
        """Log odds up to a constant, `[candidates]`, of candidates `[candidates, features]`."""
        hidden = ((candidates - self.mean) * self.scale).astype(np.float32)[None]
        for number, (matrix, bias) in enumerate(self.layers):
            hidden = (np.maximum(hidden, 0) if number else hidden) @ matrix + bias[:, None]
        odds: Floats = hidden[..., 0].astype(np.float64)
        odds -= np.logaddexp.reduce(odds, axis=1, keepdims=True)
        mean: Floats = odds.mean(axis=0)
        return mean


def save_network(path: Path, network: MetreNetwork) -> None:
    """Write the weights in half precision, mean and scale in single."""
    arrays: dict[str, Any] = {
        f"matrix{number}": one.astype(np.float16) for number, (one, _) in enumerate(network.layers)
    }
    arrays |= {f"bias{number}": one.astype(np.float16) for number, (_, one) in enumerate(network.layers)}
    with path.open("wb") as file:
        np.savez_compressed(file, mean=network.mean, scale=network.scale, **arrays)


@cache
def load_network(path: Path = WEIGHTS_PATH) -> MetreNetwork:
    """Read the network from a file of weights.

    Raises
    ------
    UserError
        The file is missing or holds something else.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name].astype(np.float32) for name in file.files}
        count = sum(name.startswith("matrix") for name in arrays)
        layers = tuple((arrays[f"matrix{number}"], arrays[f"bias{number}"]) for number in range(count))
        return MetreNetwork(arrays["mean"], arrays["scale"], layers)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{path} holds no weights of the metre network: get the program's own copy again.") from error
