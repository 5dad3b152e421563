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
    """Of AdamW."""
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
    track: str | None
    """The track that sings; null takes the one that leads, `voice` in the track set, else the highest."""

    def check(self) -> None:
        """Raise `ValueError`, naming the key, for a value that nothing could be trained or written with."""
        model = self.model
        for name in ("hidden_size", "num_layers", "learning_rate", "batch_size", "sequence_length", "steps", "minutes"):
            if getattr(model, name) <= 0:
                raise ValueError(f"lyrics.model.{name} must be more than 0, not {getattr(model, name)}")
        for name in ("dropout", "weight_drop"):
            if not 0 <= getattr(model, name) < 1:
                raise ValueError(f"lyrics.model.{name} must be at least 0 and below 1, not {getattr(model, name)}")
        if model.weight_decay < 0:
            raise ValueError(f"lyrics.model.weight_decay must not be negative, but is {model.weight_decay}")
        for name in ("songs", "temperature", "candidates"):
            if getattr(self, name) <= 0:
                raise ValueError(f"lyrics.{name} must be more than 0, not {getattr(self, name)}")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"lyrics.top_p must be more than 0 and at most 1, not {self.top_p}")
