"""Attribute control: whether generated phrases have the attributes that were requested, and a classifier of styles.

Keys are estimated by the program around (`pipeline.scores.keys`).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from gan.metrics.classifier_training import BATCH, MAX_TRAINING, FigureClassifier, train_classifier
from gan.metrics.counts import evenly_spread, tabulate
from gan.metrics.figures import features_and_figures_of
from gan.seeds import mix_seed
from gan.spec import RollSpec

STYLE_STEPS = 600


class Agreement(NamedTuple):
    """Numbers that were requested beside those that came out; NaN where there are none.

    Attributes
    ----------
    correlation
        Pearson's, of both on the scale `log(1 + x)`, on which a listener hears equal distances: -1 to 1; NaN where
        either is always the same.
    error
        Mean absolute difference, in the unit of what is requested.
    """

    correlation: float
    error: float


def agreement(requested: Tensor, measured: Tensor) -> Agreement:
    """Correlation and error of numbers `[phrases]` and those requested; phrases in which either is NaN are left out."""
    known = ~(requested.isnan() | measured.isnan())
    requested, measured = requested[known].double(), measured[known].double()
    if len(requested) == 0:
        return Agreement(float("nan"), float("nan"))
    centred = [x.log1p() - x.log1p().mean() for x in (requested, measured)]
    size = centred[0].norm() * centred[1].norm()
    correlation = float((centred[0] * centred[1]).sum() / size) if size > 1e-9 else float("nan")
    return Agreement(correlation, float((requested - measured).abs().mean()))


def outer_thirds(values: Tensor) -> tuple[Tensor, Tensor] | None:
    """Whether each value `[phrases]` is in the lowest and in the highest third, bool; NaN is in neither.

    None where the values have no two different thirds (songs that are all in one tempo).
    """
    known = values[~values.isnan()]
    if len(known) < 3:
        return None
    low, high = (float(known.quantile(share)) for share in (1 / 3, 2 / 3))
    return None if low >= high else (values <= low, values >= high)


class StyleClassifier(FigureClassifier):
    """Tells the style of a phrase by its features and figures."""

    @torch.no_grad()
    def recognises(self, rolls: Tensor, styles: Tensor, spec: RollSpec) -> Tensor:
        """Whether each phrase is taken for one of its style, 0 or 1, `[phrases]`; NaN where it has none.

        `rolls` are bool or packed `[phrases, *spec.shape]`, `styles` their numbers as float, `[phrases]`.
        """
        found = self(_all_figures(rolls, spec)).argmax(1)
        return torch.where(styles.isnan(), torch.nan, (found == styles).float())


def _all_figures(rolls: Tensor, spec: RollSpec) -> Tensor:
    """Every feature and figure, `[phrases, figures]`."""
    return torch.stack(list(tabulate(rolls, spec, features_and_figures_of).values()), dim=1)


def train_style_classifier(
    rolls: Tensor, styles: Tensor, num_styles: int, spec: RollSpec, seed: int = 0
) -> StyleClassifier:
    """A classifier that learnt the styles of real phrases, each style as often as the others.

    Parameters
    ----------
    rolls
        Training phrases, bool or packed `[phrases, *spec.shape]`.
    styles
        Numbers of their styles as float, `[phrases]`; phrases whose style is NaN are left out. Raises `ValueError`
        where fewer than two styles are left.
    num_styles
        Styles that there are.
    spec
        The shape of the rolls.
    seed
        Decides the first weights and the order.
    """
    known = (~styles.isnan()).nonzero().flatten()
    known = known[evenly_spread(len(known), MAX_TRAINING)]
    labels = styles[known].long()
    members = [rows for style in range(num_styles) if len(rows := (labels == style).nonzero().flatten())]
    if len(members) < 2:
        raise ValueError("there are no two styles to tell apart")
    figures = _all_figures(rolls[known], spec)
    random = torch.Generator().manual_seed(mix_seed(seed, 1))
    each = -(-BATCH // len(members))
    batches = [
        torch.cat([rows[torch.randint(len(rows), (each,), generator=random)] for rows in members])
        for _ in range(STYLE_STEPS)
    ]
    return train_classifier(
        lambda: StyleClassifier(figures, num_styles),
        lambda classifier, rows: F.cross_entropy(classifier(figures[rows]), labels[rows]),
        batches,
        mix_seed(seed, 2),
    )
