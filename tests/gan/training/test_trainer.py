"""Training as a whole: resuming, seeds, reports, schedules, states that are refused."""

import pytest
import torch

from gan.networks.checkpoint import load_discriminator, load_generator
from gan.training.batches import batches_from
from gan.training.monitor import TrainingFailed
from gan.training.trainer import Trainer
from tests.trainer_makers import (
    SPEC,
    TRAIN,
    assert_equal_weights,
    make_trainer,
    scale_rolls,
    through_a_file,
    train,
    weights_of,
)


def test_resumed_run_equals_uninterrupted_run():
    whole, part = make_trainer(), make_trainer()
    lines = train(whole)
    first = train(part, steps=7)  # between two reports: the figures collected so far are kept too
    resumed = make_trainer()
    resumed.load_state_dict(through_a_file(part.state_dict()))
    assert resumed.step == 7
    assert first + train(resumed) == lines
    assert_equal_weights(whole, resumed)


def test_same_seed_gives_the_same_weights_and_another_seed_others():
    first, second, other = make_trainer(), make_trainer(), make_trainer(seed=4)
    for trainer in (first, second, other):
        torch.rand(3)  # the global stream must not matter
        train(trainer, steps=4)
    assert_equal_weights(first, second)
    ours, theirs = weights_of(first), weights_of(other)
    assert not torch.equal(ours["generator tracks_to_trunk.weight"], theirs["generator tracks_to_trunk.weight"])


def test_training_leaves_the_global_random_stream_alone():
    torch.manual_seed(1)
    wanted = torch.rand(3)
    torch.manual_seed(1)
    train(make_trainer(), steps=3)
    assert torch.equal(torch.rand(3), wanted)


def test_reports_come_when_due_and_tell_all():
    trainer = make_trainer()
    batches = batches_from(scale_rolls(), SPEC, TRAIN.phrases_per_step, seed=0)
    reports = list(trainer.run(batches))
    assert [report.step for report in reports] == list(range(1, 13))
    assert [report.step for report in reports if report.samples is not None] == [8, 12]
    assert [report.step for report in reports if report.checkpoint_due] == [8, 12]
    assert reports[7].samples.shape == (16, *SPEC.shape)
    assert set(reports[0].figures) == {
        "likelihood_loss",
        "generator_gradient_norm",
        "variety",
        "variety_real",
        "learning_rate",
    }, "real phrases alone"
    assert {"discriminator_loss", "generator_loss", "discriminator_accuracy", "r1", "r2", "sharpness"} <= set(
        reports[-1].figures
    )
    assert set(reports[0].notes_per_bar) == set(SPEC.names)
    assert reports[-1].figures["likelihood_loss"] < 0.8 * reports[0].figures["likelihood_loss"]


def test_time_is_an_upper_bound():
    trainer = make_trainer(minutes=1e-9)
    assert train(trainer) == []
    assert trainer.step == 0


def test_more_steps_continue_a_finished_run():
    trainer = make_trainer()
    train(trainer)
    longer = make_trainer(steps=15)
    longer.load_state_dict(through_a_file(trainer.state_dict()))
    assert [line["step"] for line in train(longer)] == [13, 14, 15]


def test_a_loaded_generator_samples_what_the_trainer_would():
    trainer = make_trainer()
    train(trainer, steps=6)
    state = through_a_file(trainer.state_dict())
    generator, discriminator = load_generator(state), load_discriminator(state)
    wanted = trainer.average.sample(trainer.fixed_latents)
    assert torch.equal(generator.sample(trainer.fixed_latents), wanted)
    assert torch.equal(discriminator.score(wanted), trainer.discriminator.score(wanted))
    assert not torch.equal(trainer.average.tracks_to_trunk.weight, trainer.generator.tracks_to_trunk.weight), (
        "samples come from the average"
    )


def test_a_state_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="not a checkpoint"):
        load_generator({"weights": 1})
    state = make_trainer().state_dict()
    with pytest.raises(ValueError, match="another seed"):
        make_trainer(seed=9).load_state_dict(state)


def test_a_loss_that_is_no_number_stops_training_with_a_sentence():
    trainer = make_trainer()
    with torch.no_grad():
        trainer.discriminator.score_bars.bias.fill_(float("nan"))
    with pytest.raises(TrainingFailed, match=r"step 3: .*discriminator_loss.* is not a number"):
        train(trainer)


def test_weights_that_are_no_numbers_are_never_offered_for_saving(monkeypatch):
    trainer = make_trainer(steps=1)
    broken = trainer.generator.tracks_to_trunk.weight

    def spoil(*_: object) -> None:
        with torch.no_grad():
            broken[0, 0] = torch.inf

    monkeypatch.setattr("gan.training.trainer.update_average", spoil)  # after the losses were looked at
    with pytest.raises(TrainingFailed, match="weights of the generator are not numbers"):
        train(trainer)


def test_the_final_phase_begins_with_an_adversary_once_the_learning_rate_falls():
    trainer = make_trainer(steps=100, pretrain_share=0.3, decay_share=0.4)
    told = []
    for trainer.step in (29, 30, 59, 60):
        told.append(trainer.final_phase)
    assert told == [False, False, False, True]
    trainer.settings.decay_share = 0.0
    trainer.step = 30
    assert trainer.final_phase, "a learning rate that never falls is not waited for"


def rates(trainer: Trainer, side: str, steps: tuple[int, ...]) -> list[float]:
    """Beside the highest that the settings have."""
    found = []
    for step in steps:
        trainer.step = step
        found.append(trainer.learning_rate(side) / trainer.settings.learning_rate)
    return found


def test_learning_rates_fall_to_zero_at_the_end():
    trainer = make_trainer(steps=100, decay_share=0.5, pretrain_share=0.2, generator_speed=3)
    assert rates(trainer, "generator", (3, 8, 50, 75, 100)) == pytest.approx([1.5, 3.0, 3.0, 1.5, 0.0]), "from below"
    assert rates(trainer, "discriminator", (20, 60, 80, 100)) == pytest.approx([1.0, 1.0, 0.5, 0.0]), "a later start"


def test_without_a_policy_the_generator_learns_first_and_then_stays_as_it_is():
    trainer = make_trainer(steps=100, decay_share=0.5, pretrain_share=0.6, policy_weight=0.0, generator_speed=1)
    assert rates(trainer, "generator", (30, 45, 60)) == pytest.approx([1.0, 0.5, 0.0])
    assert rates(trainer, "discriminator", (60, 80, 90, 100)) == pytest.approx([1.0, 1.0, 0.5, 0.0])
    trainer = make_trainer(policy_weight=0.0)
    train(trainer, steps=3)
    assert not trainer.pretraining
    before = weights_of(trainer)
    train(trainer, steps=2)
    moved = {name.split()[0] for name, value in weights_of(trainer).items() if not torch.equal(before[name], value)}
    assert moved == {"discriminator"}


def test_transposed_training_runs_and_drums_need_no_key():
    train(make_trainer(max_transposition=2), steps=2)
