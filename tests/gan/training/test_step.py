"""What one step teaches either network."""

from __future__ import annotations

import torch

from gan.settings import TrainSettings
from gan.statistics import DataStatistics
from gan.training.batches import Batch, PhrasePair
from gan.training.trainer import Trainer
from tests.label_makers import labels_for
from tests.trainer_makers import MODEL, SPEC, make_trainer, phrase_pair, scale_rolls

ONE_VOICE = ("keep.weight", "keep.bias", "chosen.weight")
"""Weights that chords alone have."""


def advantage(trainer: Trainer, pair: PhrasePair) -> float:
    """Mean logits by which real phrases score above generated ones."""
    with torch.no_grad():
        score = trainer.adversarial.scorer(pair)
        return (score(pair.real) - score(pair.fake)).mean().item()


def test_a_discriminator_step_tells_real_from_fake_better() -> None:
    trainer = make_trainer(gamma=0.0)
    pair = phrase_pair(trainer)
    before = advantage(trainer, pair)
    for step in range(5):
        trainer.adversarial.discriminator_step(pair, step)
    assert advantage(trainer, pair) > before


def test_penalties_keep_the_discriminator_flat() -> None:
    lengths = []
    for gamma in (0.0, 100.0):
        trainer = make_trainer(gamma=gamma, penalty_steps=1)
        pair = phrase_pair(trainer)
        for step in range(30):
            trainer.adversarial.discriminator_step(pair, step)
        probe = pair.real.clone().requires_grad_(True)
        (gradient,) = torch.autograd.grad(trainer.discriminator(probe).sum(), probe)
        lengths.append(gradient.square().sum().item())
    assert lengths[1] < 0.5 * lengths[0]


def test_a_step_gives_every_weight_of_both_networks_a_gradient() -> None:
    labels = labels_for(SPEC, (0.0, 120.0, 1.0), count=24, chord=(0, 3, 0))
    statistics = DataStatistics.of([scale_rolls()], SPEC, labels)
    settings = TrainSettings(batch_size=24, batches_per_step=1, pretrain_share=0, policy_weight=1)
    trainer = Trainer(SPEC, statistics, MODEL, settings, seed=0)
    rolls, known = scale_rolls(), torch.ones(24, SPEC.num_tracks, dtype=torch.bool)
    for track in range(SPEC.num_tracks):
        known[track, track] = rolls[track, :, track] = False
    trainer.train_step(Batch(rolls, labels, known))
    for network in (trainer.generator, trainer.discriminator):
        for name, weight in network.named_parameters():
            unused = name.endswith(ONE_VOICE) or (name.startswith("score") and name.endswith("bias"))  # pairs cancel it
            assert unused or (weight.grad is not None and weight.grad.any()), name
