"""Style of a song: one of the data's folders, with the tempo and the instruments that suit it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from torch import Tensor

from gan.conditions import STYLE, TEMPO
from gan.seeds import mix_seed
from pipeline.settings.data import ArrangementSettings

TEMPO_JITTER = 0.04
"""By so much a song's tempo may differ from that of a song of its style."""


def style_in_turn(styles: Sequence[str], number: int, seed: int) -> int | None:
    """The number of the style of song `number`, counted from 1: all in turn, in an order that the seed decides on."""
    if not styles:
        return None
    order = np.random.default_rng(mix_seed(seed, len(styles))).permutation(len(styles))
    return int(order[(number - 1) % len(styles)])


def tempo_of_style(examples: Tensor, style: int, random: np.random.Generator) -> float | None:
    """A tempo in quarter notes a minute near that of a phrase of the style; None where none is known.

    `examples` are conditions of the data's phrases, `[phrases, ConditionLayout.size]`.
    """
    found = examples[examples[:, STYLE] == style, TEMPO]
    found = found[~found.isnan()]
    if not len(found):
        return None
    tempo = float(found[int(random.integers(len(found)))])
    return tempo * float(1 + TEMPO_JITTER * random.uniform(-1, 1))


def pick_arrangement(
    arrangements: Sequence[ArrangementSettings], style: str | None, number: int, volumes: Sequence[float]
) -> ArrangementSettings:
    """The arrangement of song `number`, counted from 1: in turn among those for its style, else among those for all.

    Styles are the same where their letters are, whatever stands between them. `volumes` are those of the tracks, for an
    arrangement without its own.
    """
    letters = _letters(style or "")
    own = [one for one in arrangements if letters and letters in map(_letters, one.styles)]
    fitting = own or [one for one in arrangements if not one.styles] or list(arrangements)
    chosen = fitting[(number - 1) % len(fitting)]
    return replace(chosen, volumes=list(chosen.volumes or volumes))


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", name.casefold())
