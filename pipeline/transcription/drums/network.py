"""The drum network: a convolutional network from log band power to onsets of each drum, and its file of weights."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.transcription.drums.drum_map import DRUMS
from pipeline.transcription.drums.features import BANDS
from pipeline.transcription.networks.weight_files import load_weights, save_weights

WEIGHTS = Path(__file__).with_name("weights.npz")
"""The trained weights that come with the program."""

QUIETEST = 1e-7
"""Power in a band below this part of the recording's mean power is not looked at (-70 decibels)."""

MEAN_FRAMES = 100
"""Frames (a second) to either side over which a band's mean is taken."""

CHUNK = 4096
"""Frames that the network reads at once."""


def scale_power(power: NDArray[np.float32], mean: float) -> NDArray[np.float32]:
    """Log band power `[frames, BANDS]` as the network takes it: relative to `mean`, about -2 to 2."""
    scaled: NDArray[np.float32] = (np.log(power / max(mean, 1e-12) + QUIETEST) + 8) / 4
    return scaled.astype(np.float32)


class DrumNetwork(nn.Module):
    """Dilated convolutional network from log band power to logits and strengths of hits.

    It sees each band twice, as it is and beside its mean within a second to either side, which a recording's equaliser
    does not change. Two layers find shapes in time and frequency, whatever their pitch; the rest sees all bands at once
    and 2.6 s to either side, and so what the same kit plays in the bars around.
    """

    margin = MEAN_FRAMES + 258
    """Frames to either side on which an output depends."""

    def __init__(self, width: int = 160) -> None:
        super().__init__()
        self.shapes = nn.Sequential(
            nn.Conv2d(2, 16, (3, 5), stride=(1, 2), padding=(1, 2)),  # [batch, 16, frames, 32]
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=(1, 2), padding=1),  # [batch, 32, frames, 16]
            nn.ReLU(),
        )
        self.gather = nn.Conv1d(32 * BANDS // 4, width, 1)
        self.steps = nn.ModuleList(nn.Conv1d(width, width, 3, padding=1 << n, dilation=1 << n) for n in range(8))
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for _ in self.steps)
        self.heads = nn.Conv1d(width, 2 * len(DRUMS), 3, padding=1)

    def forward(self, scaled: Tensor) -> tuple[Tensor, Tensor]:
        """`[batch, frames, BANDS]` to logits of a hit and to its strength (0 to 1), both `[batch, drums, frames]`."""
        shapes = self.shapes(torch.stack([scaled, scaled - _local_mean(scaled)], dim=1))
        hidden = self.gather(shapes.transpose(2, 3).flatten(1, 2))
        for step, norm in zip(self.steps, self.norms, strict=True):
            hidden = hidden + F.relu(step(norm(hidden)))
        logits, strengths = self.heads(hidden).chunk(2, dim=1)
        return logits, torch.sigmoid(strengths)


def _local_mean(scaled: Tensor) -> Tensor:
    """Moving average over `MEAN_FRAMES` to either side, as far as there are any: `[batch, frames, BANDS]`."""
    frames = scaled.shape[1]
    total = F.pad(scaled.double().cumsum(dim=1), (0, 0, 1, 0))
    places = torch.arange(frames)
    first, last = (places - MEAN_FRAMES).clamp(min=0), (places + MEAN_FRAMES + 1).clamp(max=frames)
    return ((total[:, last] - total[:, first]) / (last - first)[:, None]).float()


def activations(network: DrumNetwork, power: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Probability of a hit and its strength (0 to 1) for each frame and drum, `[frames, drums]` each, by chunks."""
    scaled = torch.from_numpy(scale_power(power, float(power.sum(axis=1).mean())))
    probabilities, strengths = [], []
    network.eval()
    with torch.inference_mode():
        for first in range(0, len(scaled), CHUNK):
            begin = max(first - network.margin, 0)
            piece = scaled[begin : first + CHUNK + network.margin]
            logits, strength = network(piece[None])
            wanted = slice(first - begin, first - begin + CHUNK)
            probabilities.append(torch.sigmoid(logits[0, :, wanted]).T.numpy())
            strengths.append(strength[0, :, wanted].T.numpy())
    return np.concatenate(probabilities), np.concatenate(strengths)


def save_network(path: Path, network: DrumNetwork, thresholds: NDArray[np.float32]) -> None:
    """Write weights and thresholds (probabilities from which hits count) in half precision."""
    save_weights(path, network, {"thresholds": thresholds.astype(np.float16)})


@cache
def load_network(path: Path = WEIGHTS) -> tuple[DrumNetwork, NDArray[np.float32]]:
    """Read the network and its thresholds `[drums]` from a file of weights.

    Raises
    ------
    UserError
        The file is missing or holds something else.
    """
    network = DrumNetwork()
    (thresholds,) = load_weights(path, network, ("thresholds",), "drum network")
    return network, thresholds
