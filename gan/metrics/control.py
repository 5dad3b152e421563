"""Whether what comes out is what was asked for: numbers asked and measured, and styles that a classifier recognises.

Keys are estimated by the program around (`pipeline.scores.keys`).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan.metrics.counts import Tally, tabulate
from gan.metrics.features import features_of
from gan.metrics.figures import figures_of
from gan.networks.layers import activate, linear
from gan.seeds import mix_seed
from gan.spec import RollSpec

LEARNT = 3000
"""Training phrases that the style classifier learns from at most, evenly spread."""
STEPS = 600
BATCH = 64
WIDTH = 64
DROPOUT = 0.3
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 0.05
EXTREME = 4.0
"""Standard deviations beyond which a figure says nothing more."""


class Agreement(NamedTuple):
    """Numbers that were asked for beside those that came out; NaN where there are none.

    Attributes
    ----------
    correlation
        Pearson's, of both on the scale `log(1 + x)`, on which a listener hears equal distances: -1 to 1; NaN where
        either is always the same.
    error
        Mean absolute difference, in the unit of what is asked.
    """

    correlation: float
    error: float


def agreement(asked: Tensor, measured: Tensor) -> Agreement:
    """How far numbers `[phrases]` are what was asked, `[phrases]`; phrases in which either is NaN are left out."""
    known = ~(asked.isnan() | measured.isnan())
    asked, measured = asked[known].double(), measured[known].double()
    if len(asked) == 0:
        return Agreement(float("nan"), float("nan"))
    apart = [x.log1p() - x.log1p().mean() for x in (asked, measured)]
    size = apart[0].norm() * apart[1].norm()
    correlation = float((apart[0] * apart[1]).sum() / size) if size > 1e-9 else float("nan")
    return Agreement(correlation, float((asked - measured).abs().mean()))


def thirds(values: Tensor) -> tuple[Tensor, Tensor] | None:
    """Whether each value `[phrases]` is in the lowest and in the highest third, bool; NaN is in neither.

    None where the values have no two different thirds (songs that are all in one tempo).
    """
    known = values[~values.isnan()]
    if len(known) < 3:
        return None
    low, high = (float(known.quantile(share)) for share in (1 / 3, 2 / 3))
    slow, fast = values <= low, values >= high
    return None if low >= high else (slow, fast)


class StyleJudge(nn.Module):
    """Tells the style of a phrase by its figures.

    Parameters
    ----------
    sample
        Figures of some phrases, `[phrases, figures]`, NaN where a phrase has none: what is usual.
    num_styles
        Styles to tell apart.
    """

    middle: Tensor
    spread: Tensor

    def __init__(self, sample: Tensor, num_styles: int) -> None:
        super().__init__()
        middle = sample.nanmean(0).nan_to_num()
        self.register_buffer("middle", middle)
        self.register_buffer("spread", (sample - middle).square().nanmean(0).sqrt().nan_to_num(1.0).clamp(min=1e-3))
        self.hidden = linear(sample.shape[1], WIDTH)
        self.out = linear(WIDTH, num_styles, gain=0.1)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, figures: Tensor) -> Tensor:
        """Logits `[phrases, styles]` of figures `[phrases, figures]`."""
        x = ((figures - self.middle) / self.spread).nan_to_num(0.0).clamp(-EXTREME, EXTREME)
        out: Tensor = self.out(self.dropout(activate(self.hidden(self.dropout(x)))))
        return out

    @torch.no_grad()
    def recognises(self, rolls: Tensor, styles: Tensor, spec: RollSpec) -> Tensor:
        """Whether each phrase is taken for one of its style, 0 or 1, `[phrases]`; NaN where it has none.

        `rolls` are bool or packed `[phrases, *spec.shape]`, `styles` their numbers as float, `[phrases]`.
        """
        found = self(_figures(rolls, spec)).argmax(1)
        return torch.where(styles.isnan(), torch.nan, (found == styles).float())


def _figures(rolls: Tensor, spec: RollSpec) -> Tensor:
    """Every feature and figure of the yardstick, `[phrases, figures]`."""

    def measure(tally: Tally) -> dict[str, Tensor]:
        return features_of(tally) | {f"figure {name}": values for name, values in figures_of(tally).items()}

    return torch.stack(list(tabulate(rolls, spec, measure).values()), dim=1)


def train_styles(rolls: Tensor, styles: Tensor, num_styles: int, spec: RollSpec, seed: int = 0) -> StyleJudge:
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
    if len(known) > LEARNT:
        known = known[torch.linspace(0, len(known) - 1, LEARNT, dtype=torch.float64).round().long()]
    taught = styles[known].long()
    members = [(taught == style).nonzero().flatten() for style in range(num_styles)]
    there = [style for style, found in enumerate(members) if len(found)]
    if len(there) < 2:
        raise ValueError("there are no two styles to tell apart")
    figures = _figures(rolls[known], spec)
    random = torch.Generator().manual_seed(mix_seed(seed, 1))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(mix_seed(seed, 2))
        judge = StyleJudge(figures, num_styles)
        optimizer = torch.optim.AdamW(judge.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=STEPS + 1)
        each = -(-BATCH // len(there))
        for _ in range(STEPS):
            rows = torch.cat(
                [members[style][torch.randint(len(members[style]), (each,), generator=random)] for style in there]
            )
            loss = F.cross_entropy(judge(figures[rows]), taught[rows])
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
    return judge.eval()
