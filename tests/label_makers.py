"""Labels of phrases for tests: one chord throughout, key, tempo, style."""

from __future__ import annotations

import torch
from torch import Tensor

from gan.conditions import NUM_LABELS, no_labels
from gan.spec import RollSpec

NAN = torch.nan


def labels_for(
    spec: RollSpec, *rows: tuple[float, float, float], count: int = 1, chord: tuple[float, float, float] = (NAN,) * 3
) -> Tensor:
    """Rows of key, tempo and style, `count` times, with the same chord in each half bar."""
    labels = no_labels(count * len(rows), spec)
    labels[:, -NUM_LABELS:] = torch.tensor(rows).repeat(count, 1)
    labels[:, :-NUM_LABELS] = torch.tensor(chord).repeat(spec.half_bars)
    return labels
