"""The instrument network: a convolutional network over time and pitch that tells which family plays each note.

As in multi-instrument transcription as segmentation (Wu, Chen and Su 2020; Maman and Bermano 2022) each point of time
and pitch is labelled, from the levels of its harmonics (Bittner et al. 2017) and what the pitch network says of it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.transcription.instruments.features import LOWEST_BIN, NUM_BINS, SpectralFeatures
from pipeline.transcription.networks.weight_files import load_weights, save_weights
from pipeline.transcription.pitches.multipitch import LOWEST_PITCH, NUM_PITCHES

FAMILIES = ("Piano", "Guitar", "Bass", "Strings")
"""Families of instruments, called as the tracks of `conf/tracks/pop.yaml` that list their General MIDI programs."""
LEAD = len(FAMILIES)
"""Behind the families the network says of each note whether it is the tune."""
FRAMES_PER_STEP = 2
"""Frames of the features in a step of the network: 46 ms."""
HARMONICS = (-12, 0, 12, 19, 24, 28, 31, 34, 36)
"""Semitones from a pitch to the half of its frequency and to its first eight harmonics."""
CHANNELS = FRAMES_PER_STEP * (len(HARMONICS) + 3) + 2

WEIGHTS = Path(__file__).with_name("weights.npz")
"""The trained weights that come with the program."""

CHUNK = 1024
"""Steps that the network reads at once."""


def step_count(num_frames: int) -> int:
    """Steps of the network for so many frames of the features."""
    return -(-num_frames // FRAMES_PER_STEP)


def as_tensors(features: SpectralFeatures) -> tuple[Tensor, Tensor]:
    """Features as the network takes them: bytes `[steps, 2, NUM_BINS]` and `[steps, 2, 88, 3]`, an odd frame padded."""
    missing = step_count(len(features)) * FRAMES_PER_STEP - len(features)
    spectrum = np.pad(features.spectrum, ((0, missing), (0, 0)))
    activations = np.pad(features.activations, ((0, missing), (0, 0), (0, 0)))
    return (
        torch.from_numpy(spectrum.reshape(-1, FRAMES_PER_STEP, NUM_BINS)),
        torch.from_numpy(activations.reshape(-1, FRAMES_PER_STEP, NUM_PITCHES, 3)),
    )


class InstrumentNetwork(nn.Module):
    """Dilated convolutions over steps and pitches, shared by all pitches, with a summary of the whole recording.

    It sees 1.4 s and a third to either side of each point, the octaves around it, whether something sounds above and
    below, and, of the whole recording, which timbres there are.
    """

    bins: Tensor
    margin = 34
    """Steps to either side on which an output depends, besides the summary."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        bins = LOWEST_PITCH - LOWEST_BIN + torch.arange(NUM_PITCHES)[:, None] + torch.tensor(HARMONICS)
        self.register_buffer("bins", bins.clamp(max=NUM_BINS), persistent=False)  # the last is silent
        self.place = nn.Parameter(torch.zeros(width, 1, NUM_PITCHES))
        self.first = nn.Conv2d(CHANNELS, width, 3, padding=1)
        self.octaves = nn.Conv2d(width, width, (1, 5), padding=(0, 24), dilation=(1, 12))
        self.blocks = nn.ModuleList(
            nn.Conv2d(width, width, 3, padding=(dilation, 1), dilation=(dilation, 1)) for dilation in (1, 2, 4, 8, 16)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for _ in range(7))
        self.attention = nn.Conv2d(width, 1, 1)
        self.summary = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 2 * width))
        self.heads = nn.Conv2d(width, 2 * (LEAD + 1), 1)

    def stack(self, spectrum: Tensor, activations: Tensor) -> Tensor:
        """Harmonic stacking: bytes `[batch, steps, 2, ...]` to `[batch, CHANNELS, steps, 88]`, about -1 to 1."""
        levels = F.pad(spectrum.float() / 128 - 1, (0, 1), value=-1.0)[..., self.bins]  # [batch, steps, 2, 88, 9]
        heard = activations.float() / 128
        joined = torch.cat((levels, heard), dim=-1).permute(0, 2, 4, 1, 3).flatten(1, 2)
        sounding = heard[..., 1].mean(dim=2)  # [batch, steps, 88]
        below = F.pad(sounding.cummax(dim=-1).values[..., :-1], (1, 0))
        above = F.pad(sounding.flip(-1).cummax(dim=-1).values.flip(-1)[..., 1:], (0, 1))
        return torch.cat((joined, below[:, None], above[:, None]), dim=1)

    def begin(self, stacked: Tensor) -> Tensor:
        """The layers before the summary, `[batch, CHANNELS, steps, 88]` to `[batch, width, steps, 88]`."""
        hidden = F.relu(self.norms[0](self.first(stacked) + self.place))
        hidden = hidden + F.relu(self.norms[1](self.octaves(hidden)))
        return hidden + F.relu(self.norms[2](self.blocks[0](hidden)))

    def weigh(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Sums for the summary over steps and pitches: of weighted features `[batch, width]`, of weights `[batch]`."""
        weights = torch.sigmoid(self.attention(hidden))
        return (hidden * weights).sum(dim=(2, 3)), weights.sum(dim=(1, 2, 3))

    def finish(self, hidden: Tensor, mean: Tensor) -> Tensor:
        """The layers behind the summary: logits `[batch, 2 * 5, steps, 88]`, sounding first, then onsets."""
        scale, shift = self.summary(mean)[..., None, None].chunk(2, dim=1)
        hidden = hidden * (1 + scale) + shift
        for block, norm in zip(list(self.blocks)[1:], list(self.norms)[3:], strict=True):
            hidden = hidden + F.relu(norm(block(hidden)))
        logits: Tensor = self.heads(hidden)
        return logits

    def forward(self, spectrum: Tensor, activations: Tensor) -> Tensor:
        """Logits `[batch, 2 * 5, steps, 88]` of bytes `[batch, steps, 2, NUM_BINS]` and `[batch, steps, 2, 88, 3]`."""
        hidden = self.begin(self.stack(spectrum, activations))
        total, weight = self.weigh(hidden)
        return self.finish(hidden, total / weight[:, None].clamp(min=1.0))


def label_points(network: InstrumentNetwork, features: SpectralFeatures) -> NDArray[np.float32]:
    """Posterior of each family and of the tune, `[steps, 88, 2, 5]`: that a note sounds, and that one begins."""
    spectrum, activations = as_tensors(features)
    num_steps = len(spectrum)
    found = np.zeros((num_steps, NUM_PITCHES, 2, LEAD + 1), np.float32)
    spans = [
        (first, max(first - network.margin, 0), min(first + CHUNK + network.margin, num_steps))
        for first in range(0, num_steps, CHUNK)
    ]
    with torch.inference_mode():
        total, weight = torch.zeros(1, network.place.shape[0]), torch.zeros(1)
        for first, begin, end in spans:
            hidden = network.begin(network.stack(spectrum[None, begin:end], activations[None, begin:end]))
            own, weights = network.weigh(hidden[:, :, first - begin : first - begin + CHUNK])
            total, weight = total + own, weight + weights
        mean = total / weight[:, None].clamp(min=1.0)
        for first, begin, end in spans:
            hidden = network.begin(network.stack(spectrum[None, begin:end], activations[None, begin:end]))
            logits = network.finish(hidden, mean)[0, :, first - begin : first - begin + CHUNK]
            shaped = torch.sigmoid(logits).reshape(2, LEAD + 1, -1, NUM_PITCHES).permute(2, 3, 0, 1)
            found[first : first + CHUNK] = shaped.numpy()
    return found


def save_network(path: Path, network: InstrumentNetwork, confidence: NDArray[np.float64]) -> None:
    """Write the weights in half precision, and those of note confidence."""
    save_weights(path, network, {"confidence": confidence.astype(np.float32)})


@cache
def load_network(path: Path = WEIGHTS) -> tuple[InstrumentNetwork, NDArray[np.float64]]:
    """Read the network and the weights of note confidence from a file.

    Raises
    ------
    UserError
        The file is missing or holds something else.
    """
    network = InstrumentNetwork()
    (confidence,) = load_weights(path, network, ("confidence",), "instrument network")
    return network, confidence.astype(np.float64)
