"""What one step teaches either network."""

from __future__ import annotations

import copy

import pytest
import torch

from gan.conditions import conditions_of, no_labels
from gan.context import Conditioning
from gan.settings import TrainSettings
from gan.statistics import DataStatistics
from gan.training.batches import Batch, PhrasePair
from gan.training.trainer import Trainer
from tests.label_makers import labels_for
from tests.trainer_makers import MODEL, SPEC, make_trainer, phrase_pair, scale_rolls


def advantage(trainer: Trainer, pair: PhrasePair) -> float:
    """Mean logits by which real phrases score above generated ones."""
    with torch.no_grad():
        return (trainer.discriminator(pair.real) - trainer.discriminator(pair.fake)).mean().item()


def test_a_discriminator_step_tells_real_from_fake_better() -> None:
    trainer = make_trainer(gamma=0.0)
    pair = phrase_pair(trainer)
    before = advantage(trainer, pair)
    for step in range(5):
        trainer.adversarial.discriminator_step(pair, step)
    assert advantage(trainer, pair) > before


@pytest.mark.parametrize("shared_gradient", [True, False])
def test_a_generator_step_makes_phrases_score_higher(shared_gradient: bool) -> None:
    trainer = make_trainer(shared_gradient=shared_gradient)
    for step in range(20):  # a discriminator that knows something
        trainer.adversarial.discriminator_step(phrase_pair(trainer), step)
    before = advantage(trainer, phrase_pair(trainer))
    frozen = copy.deepcopy(trainer.discriminator.state_dict())
    for _ in range(10):
        trainer.adversarial.generator_step(phrase_pair(trainer))
    now = trainer.discriminator.state_dict()
    assert all(torch.equal(now[name], value) for name, value in frozen.items()), "only the generator learns"
    assert advantage(trainer, phrase_pair(trainer)) < before


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


def test_the_matching_aware_loss_teaches_to_tell_tracks_of_two_phrases() -> None:
    trainer = make_trainer(gamma=0.0, matching_loss=1.0, matching_loss_steps=1)
    conditioning = Conditioning(
        conditions_of(scale_rolls(16), no_labels(16, SPEC), SPEC),
        torch.zeros(16, SPEC.num_tracks, SPEC.bars, dtype=torch.bool),
    )
    pair = phrase_pair(trainer)
    pair = PhrasePair(pair.real, pair.real, conditioning, SPEC)  # nothing else to learn
    accuracies = [trainer.adversarial.discriminator_step(pair, step)["matching_accuracy"] for step in range(40)]
    assert sum(accuracies[-20:]) / 20 > 0.75, "half are right by chance"


def test_a_step_gives_every_weight_of_both_networks_a_gradient() -> None:
    labels = labels_for(SPEC, (0.0, 120.0, 1.0), count=24, chord=(0, 3, 0))
    statistics = DataStatistics.of([scale_rolls()], SPEC, labels)
    trainer = Trainer(SPEC, statistics, MODEL, TrainSettings(batch_size=24), seed=0)
    trainer.train_step(Batch(scale_rolls(), labels))
    for network in (trainer.generator, trainer.discriminator):
        for name, weight in network.named_parameters():
            if not name.startswith("score") or name.endswith("weight"):  # pairs leave no trace of what is added to both
                assert weight.grad is not None and weight.grad.any(), name
