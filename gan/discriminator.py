"""The discriminator: phrases in, one score each; bars are judged one by one, and the phrase as a whole."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan.distributed import batch_variance, team_at_work
from gan.given import Asked
from gan.interface import PhraseDiscriminator
from gan.layers import linear
from gan.reader import Reader
from gan.rolls import to_streams
from gan.settings import ModelSettings
from gan.spec import RollSpec
from gan.statistics import DataStatistics
from gan.wishes import no_wishes


class Discriminator(PhraseDiscriminator):
    """Scores phrases of one `RollSpec`: higher is more like the data that was asked for.

    Starts undecided: its last layers start small.
    """

    def __init__(self, spec: RollSpec, statistics: DataStatistics, settings: ModelSettings) -> None:
        super().__init__(spec, statistics, settings)
        self.reader = Reader(spec, statistics, settings)
        self.judge_bars = linear(settings.beat_width, 1, gain=0.1)  # [batch, bars, 1]
        self.judge_phrase = linear(settings.beat_width + 1, 1, gain=0.1)  # [batch, 1]

    def forward(self, streams: Tensor, asked: Asked | None = None) -> Tensor:
        """Logits `[batch]` of streams `[batch, time, tracks, 2, compass]`, for what they were `asked` to be.

        Several batches may come one behind the other, all asked the same; each is judged as it would be alone.
        """
        asked = asked or self._nothing(len(streams))
        bars, phrase = self.reader(streams, asked)
        spread = torch.cat([_spread(batch) for batch in phrase.split(len(asked.wishes))])
        whole = self.judge_phrase(torch.cat([phrase, spread], dim=1)).squeeze(1)
        logits: Tensor = whole + self.judge_bars(bars).mean((1, 2))
        return logits

    @property
    def heavy(self) -> tuple[nn.Module, str]:
        """All but the last layers."""
        return self.reader, "forward"

    def _nothing(self, batch: int) -> Asked:
        """Nothing given and nothing wished for."""
        spec, device = self.spec, self.judge_phrase.weight.device
        wishes = no_wishes(batch, spec).to(device)
        return Asked(wishes, torch.zeros(batch, spec.num_tracks, spec.bars, dtype=torch.bool, device=device))

    @torch.no_grad()
    def score(self, rolls: Tensor, asked: Asked | None = None) -> Tensor:
        """Logits `[batch]` of bool rolls `[batch, *spec.shape]`: for choosing the best of several phrases.

        Scores of one call can be compared; the spread within the batch is part of them. `asked` is what the phrases
        should be.
        """
        logits: Tensor = self(to_streams(rolls, self.reader.lows, self.reader.compass), asked)
        return logits


def _spread(x: Tensor) -> Tensor:
    """How different the phrases of a batch are, `[batch, 1]` (minibatch stddev; Karras et al., arXiv 1710.10196)."""
    if len(x) * team_at_work().size < 2:
        return torch.zeros_like(x[:, :1])
    deviation = (batch_variance(x) + 1e-8).sqrt().mean()
    return deviation.expand(len(x), 1)
