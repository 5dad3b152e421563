"""Steps of the autoregressive generator: likelihood, importance weights, the discriminator's policy gradient."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from gan.rolls import STREAM_ONSET
from gan.training.losses import DiscriminatorOutput
from gan.training.sequence_step import SequenceStep, importance_weights
from gan.training.trainer import Trainer
from tests.trainer_makers import make_trainer, phrase_pair

LEAD = 1


def sequence_step(trainer: Trainer) -> SequenceStep:
    for side, optimizer in trainer.optimizers.items():
        optimizer.param_groups[0]["lr"] = 0.003 if side == "generator" else 0.0
    assert isinstance(trainer.adversarial, SequenceStep)
    return trainer.adversarial


def test_importance_weights_have_a_mean_of_one_and_grow_with_the_score() -> None:
    logits = torch.tensor([0.0, 1.0, -2.0, 3.0])
    weights = importance_weights(logits, 0.7)
    assert weights.mean().item() == pytest.approx(1.0)
    assert (weights[3] / weights[1]).item() == pytest.approx(torch.tensor(0.7 * 2).exp().item())
    assert importance_weights(logits, 0.0).tolist() == [1.0] * 4, "nothing is told apart"
    assert torch.equal(importance_weights(logits + 50, 0.7).round(decimals=5), weights.round(decimals=5))


def test_real_phrases_become_more_likely() -> None:
    trainer = make_trainer()
    step, pair = sequence_step(trainer), phrase_pair(trainer)
    losses = [step.likelihood_step(pair, number)["likelihood_loss"] for number in range(15)]
    assert losses[-1] < 0.7 * losses[0]


def test_what_scores_high_becomes_more_likely_than_what_scores_low(monkeypatch: pytest.MonkeyPatch) -> None:
    """A discriminator that counts the notes of the tune: the policy gradient alone teaches to play more."""
    trainer = make_trainer(policy_weight=30.0)
    step, pair = sequence_step(trainer), phrase_pair(trainer)
    assert pair.fake is not None
    notes = pair.fake[:, :, LEAD, STREAM_ONSET].sum((1, 2))
    assert notes.std() > 1

    def count(pair: Any, fake: Tensor, *_: object) -> DiscriminatorOutput:
        nothing = sum(weight.sum() * 0 for weight in trainer.discriminator.parameters())
        return DiscriminatorOutput.of(nothing, None, notes + 10, notes + nothing)

    monkeypatch.setattr(step, "score", count)

    def lead() -> float:
        """By how much phrases of many notes are more likely than those of few."""
        with torch.no_grad():
            likelihood = step._log_prob(pair, [pair.fake], 0)[0]
        return (likelihood[notes > notes.median()].mean() - likelihood[notes < notes.median()].mean()).item()

    before, played = lead(), notes.mean().item()
    for number in range(6):
        step.simultaneous_step(pair, number)
    assert lead() > before + 0.02
    again = phrase_pair(trainer).fake
    assert again is not None
    assert again[:, :, LEAD, STREAM_ONSET].sum((1, 2)).mean() > 1.1 * played


def test_a_phrase_that_was_given_whole_tracks_is_judged_by_the_others_alone() -> None:
    trainer = make_trainer()
    step, pair = sequence_step(trainer), phrase_pair(trainer)
    assert pair.conditioning is not None
    with torch.no_grad():
        free = step._log_prob(pair, [pair.real], 0)[0]
        pair.conditioning.mask[:, LEAD] = True
        given = step._log_prob(pair, [pair.real], 0)[0]
        conditions, mask = pair.conditioning.conditions, pair.conditioning.mask
        x = trainer.generator.features(conditions, None)
        parts = trainer.generator.log_probs(pair.real, x, conditions, mask)
    assert not torch.equal(free, given)
    assert not parts[:, :, LEAD].any() and parts[:, :, 2].any()


def test_unknown_tracks_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = make_trainer()
    step, pair = sequence_step(trainer), phrase_pair(trainer)
    assert pair.conditioning is not None
    known = torch.ones(16, 3, dtype=torch.bool)
    known[:, LEAD] = False
    real = pair.real.clone()
    real[:, :, LEAD] = 0
    unknown = replace(pair, real=real, conditioning=replace(pair.conditioning, known=known))
    seen: list[Tensor] = []
    plain = trainer.generator.log_probs
    monkeypatch.setattr(trainer.generator, "log_probs", lambda *args: seen.append(plain(*args)) or seen[-1])
    with torch.no_grad():
        (mean,) = step._log_prob(unknown, [unknown.real], 0)
    assert not seen[0][:, :, LEAD].any()
    torch.testing.assert_close(mean, seen[0].sum((1, 2)) / (2 * trainer.spec.num_steps))


def test_without_a_policy_the_discriminator_alone_learns_and_is_calibrated() -> None:
    trainer = make_trainer(policy_weight=0.0, gamma=0.0)
    step, pair = sequence_step(trainer), phrase_pair(trainer)
    trainer.optimizers["discriminator"].param_groups[0]["lr"] = 0.003
    before = {name: value.clone() for name, value in trainer.generator.state_dict().items()}
    figures = [step.simultaneous_step(pair, number) for number in range(20)]
    after = trainer.generator.state_dict()
    assert all(torch.equal(before[name], value) for name, value in after.items())
    assert figures[-1]["discriminator_loss"] < figures[0]["discriminator_loss"]
    assert figures[-1]["sharpness"] == trainer.discriminator.sharpness > 0
    assert "generator_loss" not in figures[-1]
