"""Early stopping: the weights that validation phrases are likeliest with."""

from __future__ import annotations

import itertools

import torch
from torch import nn

from gan.training.batches import Batch, batches_from
from gan.training.early_stopping import EarlyStopping
from tests.trainer_makers import SPEC, make_trainer, scale_rolls


def weighing(value: float) -> nn.Module:
    layer = nn.Linear(1, 1)
    nn.init.constant_(layer.weight, value)
    return layer


def test_the_best_weights_are_kept_and_waiting_ends() -> None:
    stopping = EarlyStopping(patience=2)
    for step, loss in enumerate((3.0, 2.0, 2.5, 1.5, 1.6, 1.7), start=1):
        assert stopping.stopped_at is None
        stopping.offer(step, loss, weighing(step))
    assert (stopping.stopped_at, stopping.best_step, stopping.lowest) == (6, 4, 1.5)
    assert float(stopping.weights["weight"]) == 4
    again = EarlyStopping(patience=2)
    again.load_state_dict(stopping.state_dict())
    assert again.state_dict() == stopping.state_dict()


def test_pretraining_goes_on_with_the_weights_that_unseen_phrases_are_likeliest_with() -> None:
    """Music like the data is likelier with each step; noise is not, and ends the pretraining with the first weights."""
    changes = {"steps": 40, "pretrain_share": 0.75, "patience": 2, "report_steps": 2, "policy_weight": 0.0}
    rolls = scale_rolls(16)
    all_known = torch.ones(16, SPEC.num_tracks, dtype=torch.bool)
    like = next(batches_from(rolls, SPEC, 16, seed=5))
    noise = Batch(torch.rand(rolls.shape) < 0.1, like.labels, all_known)
    ends = {}
    for name, validation in (("like", like), ("noise", noise)):
        trainer = make_trainer(**changes)
        batches = batches_from(rolls, SPEC, trainer.settings.phrases_per_step, 0)
        for report in itertools.islice(trainer.run(batches, validation), 17):
            assert trainer.step > 30 or report.figures["validation_loss"] > 0, "it is recorded"
            if not trainer.pretraining:
                break
        ends[name] = trainer.early_stopping.stopped_at
        best = trainer.early_stopping.weights
        assert all(torch.equal(best[key], value) for key, value in trainer.average.state_dict().items())
        assert all(torch.equal(best[key], value) for key, value in trainer.generator.state_dict().items())
    assert ends["noise"] < 30 and ends["like"] is None, "to the end of its share of the steps"
