"""Settings of the lyrics room."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class LanguageModelSettings:
    """The LSTM and its training: what takes long."""

    hidden_size: int
    num_layers: int
    dropout: float
    """Share of features dropped before, between and after the layers."""
    weight_drop: float
    """Share of recurrent weights dropped."""
    weight_decay: float
    learning_rate: float
    batch_size: int
    sequence_length: int
    """Characters of backpropagation through time; the state is carried over from one stretch to the next."""
    steps: int
    """Optimiser steps; what counts, as it makes runs repeatable."""
    minutes: float
    """Upper bound of the training time."""
    seed: int


@dataclass
class LyricsSettings:
    """The language model, and the lyrics it writes."""

    path: str | None
    """A text file or a folder of them; null takes the lyrics written for this project, `data/lyrics/`."""
    model: LanguageModelSettings
    seed: int
    songs: int
    """Lyrics to write where there are no generated songs to write them for."""
    temperature: float
    """Below 1 plays safe, above 1 takes risks."""
    top_p: float
    """Nucleus: sample among the likeliest characters that hold this share of the probability."""
    candidates: int
    """Lines sampled for each line kept."""
