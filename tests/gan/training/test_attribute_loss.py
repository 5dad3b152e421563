"""The attribute loss."""

import torch

from gan.conditions import (
    DENSITY,
    conditions_of,
    no_conditions,
    no_labels,
)
from gan.rolls import Batch, to_streams
from gan.settings import TrainSettings
from gan.statistics import DataStatistics
from gan.training.attribute_loss import attribute_loss
from gan.training.trainer import Trainer
from tests.gan.trio import LAYOUT, SMALL, SPEC, music


def test_the_attribute_loss_counts_known_conditions_only() -> None:
    streams = to_streams(music(4), (0, 0, 0), SPEC.num_pitches)
    conditions = conditions_of(music(4), no_labels(4), SPEC)

    def missed(fake: torch.Tensor, asked: torch.Tensor) -> float:
        return attribute_loss(fake, streams, asked, SPEC).item()

    assert missed(streams, conditions) == 0.0
    thin = streams.clone()
    thin[:, 32:, 0] = 0
    assert missed(thin, conditions) > 0.1
    assert missed(thin, no_conditions(4, SPEC)) == 0.0, "nothing was asked"
    others = conditions.clone()
    others[:, LAYOUT.attribute(DENSITY)] = torch.nan
    others[:, LAYOUT.rhythm] = torch.nan
    assert missed(thin, others) < missed(thin, conditions) / 2
    late = streams.roll(1, 1)
    assert missed(late, conditions) > 0.1, "another rhythm"


def test_training_gives_every_weight_of_both_networks_a_gradient() -> None:
    labels = torch.tensor([[0.0, 120.0, 1.0]]).repeat(12, 1)
    trainer = Trainer(SPEC, DataStatistics.of([music()], SPEC, labels), SMALL, TrainSettings(batch_size=12), seed=0)
    trainer.train_step(Batch(music(), labels))
    for network in (trainer.generator, trainer.discriminator):
        for name, weight in network.named_parameters():
            if not name.startswith("score") or name.endswith("weight"):  # pairs leave no trace of what is added to both
                assert weight.grad is not None and weight.grad.any(), name
