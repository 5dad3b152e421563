"""The discriminator: phrases in, one score each; bars are judged one by one, and the phrase as a whole."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gan.conditions import no_conditions
from gan.context import Conditioning
from gan.interface import PhraseDiscriminator
from gan.networks.encoder import Reader
from gan.networks.layers import linear
from gan.rolls import to_streams
from gan.settings import ModelSettings
from gan.spec import RollSpec
from gan.statistics import DataStatistics


class Discriminator(PhraseDiscriminator):
    """Scores phrases of one `RollSpec`: higher is more like the data that was asked for.

    Starts undecided: its last layers start small. A phrase's score depends on nothing but the phrase.
    """

    judges_each_alone = True

    def __init__(self, spec: RollSpec, statistics: DataStatistics, settings: ModelSettings) -> None:
        super().__init__(spec, statistics, settings)
        self.reader = Reader(spec, statistics, settings)
        self.judge_bars = linear(settings.bar_width, 1, gain=0.1)  # [batch, bars, 1]
        self.judge_phrase = linear(settings.bar_width, 1, gain=0.1)  # [batch, 1]

    def forward(self, *streams: Tensor, asked: Conditioning | None = None) -> Tensor:
        """Logits `[batch]` of streams `[batch, time, tracks, 2, pitch_range]`, for what they were `asked` to be.

        Several batches may be judged at once, all asked the same; their logits come one behind the other.
        """
        bars, phrase = self.fast_compute(streams, asked or self._nothing(len(streams[0])))
        logits: Tensor = self.judge_phrase(phrase).squeeze(1) + self.judge_bars(bars).mean((1, 2))
        return logits

    def compute(self, streams: Sequence[Tensor], asked: Conditioning) -> tuple[Tensor, Tensor]:
        """All but the last layers: features of bars and of phrases."""
        bars, phrase = self.reader(streams, asked)
        return bars, phrase

    def _nothing(self, batch: int) -> Conditioning:
        """Nothing given and nothing wished for."""
        spec, device = self.spec, self.judge_phrase.weight.device
        conditions = no_conditions(batch, spec).to(device)
        return Conditioning(conditions, torch.zeros(batch, spec.num_tracks, spec.bars, dtype=torch.bool, device=device))

    @torch.no_grad()
    def score(self, rolls: Tensor, asked: Conditioning | None = None) -> Tensor:
        """Logits `[batch]` of bool rolls `[batch, *spec.shape]`: for choosing the best of several phrases.

        `asked` is what the phrases should be.
        """
        logits: Tensor = self(to_streams(rolls, self.reader.lowest_pitches, self.reader.pitch_range), asked=asked)
        return logits
