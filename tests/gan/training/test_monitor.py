"""What is watched while training runs, and what is said when it goes wrong."""

import pytest
import torch

from gan.context import Conditioning
from gan.training.batches import PhrasePair, batches_from
from gan.training.distributed import ALONE
from gan.training.monitor import OnsetCounts, count_onsets
from tests.trainer_makers import SPEC, make_trainer, scale_rolls, train


def test_few_phrases_over_and_over_are_told_in_words():
    trainer = make_trainer()
    shape = (4, SPEC.num_steps, SPEC.num_tracks, 5)
    everywhere = torch.ones(shape[:3], dtype=torch.bool)
    draws = (torch.rand(shape, generator=torch.Generator().manual_seed(0)) > 0.8).float()
    real, same = OnsetCounts.of(draws, everywhere), OnsetCounts.of(draws[:1].expand(shape), everywhere)
    assert same.variety() == pytest.approx(0)
    assert 0.5 < real.variety() < 1
    assert OnsetCounts.of(torch.eye(4).view(4, 1, 1, 4), torch.ones(4, 1, 1).bool()).variety() == pytest.approx(1)
    figures = {
        "discriminator_loss": 0.6,
        "generator_loss": 0.7,
        "generator_gradient_norm": 1,
        "discriminator_gradient_norm": 1,
    }
    told = []
    for _ in range(12):
        trainer.meter.add(figures, (same, real))
        told.append(trainer.meter.report(1, 1.0, 0.1, None, False).warnings)
    assert told[0] == []
    assert told[-1][0].startswith("the generator makes few phrases over and over: they differ by 0.00")


def test_a_gradient_that_explodes_is_told_in_words():
    monitor = make_trainer().meter.monitor
    notes = dict(zip(SPEC.names, make_trainer().statistics.notes_per_bar, strict=True))
    calm = {
        "discriminator_loss": 0.6,
        "generator_loss": 0.7,
        "generator_gradient_norm": 1.0,
        "discriminator_gradient_norm": 2.0,
    }
    for _ in range(12):
        assert monitor.warnings(calm, notes) == []
    (warning,) = monitor.warnings(calm | {"discriminator_gradient_norm": 200.0}, notes)
    assert warning.startswith("discriminator gradient norm explodes: it is 200, 100 times its usual size")


def test_given_notes_do_not_count_as_made():
    strikes = torch.zeros(2, SPEC.num_steps, SPEC.num_tracks, 5)
    strikes[:, :, 1, 0] = 1
    free = torch.ones(strikes.shape[:3], dtype=torch.bool)
    free[0, :, 1] = False
    rates = OnsetCounts.of(strikes, free).notes_per_bar(SPEC.bars)
    assert rates.tolist() == pytest.approx([0, SPEC.steps_per_bar, 0]), "as if all had been made"


def test_a_track_of_which_no_phrase_knows_anything_is_not_called_silent():
    trainer = make_trainer(pretrain_share=0.0, report_steps=1)
    rolls = scale_rolls(16)
    rolls[:, :, 0] = False
    known = torch.ones(16, SPEC.num_tracks, dtype=torch.bool)
    known[:, 0] = False
    batches = batches_from(rolls, SPEC, trainer.settings.phrases_per_step, 0, known=known)
    report = next(trainer.run(batches))
    assert not report.warnings
    assert SPEC.names[0] not in report.notes_per_bar


def test_tracks_that_phrases_do_not_know_count_on_neither_side():
    generator, rolls = make_trainer().generator, scale_rolls(4)
    known = torch.ones(4, SPEC.num_tracks, dtype=torch.bool)
    known[2:, 1] = False
    rolls[2:, :, 1] = False
    phrases = generator.encode(rolls)
    conditioning = Conditioning(torch.zeros(4, 1), torch.zeros(4, SPEC.num_tracks, SPEC.bars).bool(), known)
    for counts in count_onsets(PhrasePair(phrases, phrases, conditioning, SPEC), generator, ALONE):
        assert counts.phrases[0].tolist() == [4, 2, 4]
        assert counts.notes_per_bar(SPEC.bars).tolist() == [4, 4, 1], "a line of four notes in two phrases"


def test_a_silent_track_is_told_in_words():
    trainer = make_trainer(pretrain_share=0.0)
    decoder = trainer.generator.decoder
    silence = decoder.heads[0].patterns.sum(1) == 0
    with torch.no_grad():
        decoder.heads[0].pattern.bias[silence] = 100.0
    warnings = train(trainer, steps=3)[0]["warnings"]
    assert len(warnings) == 1
    assert warnings[0].startswith("Drums has fallen silent")


@pytest.mark.parametrize(("loss", "words"), [(0.01, "the discriminator wins"), (2.0, "the generator wins")])
def test_one_side_winning_for_long_is_told_in_words(loss, words):
    trainer = make_trainer()
    draws = torch.rand(4, SPEC.num_steps, SPEC.num_tracks, 5, generator=torch.Generator().manual_seed(0))
    heard = OnsetCounts.of((draws > 0.8).float(), torch.ones(draws.shape[:3], dtype=torch.bool))
    steady = {"generator_loss": 0.7, "generator_gradient_norm": 1.0, "discriminator_gradient_norm": 1.0}

    def report(figure: float) -> list[str]:
        trainer.meter.add(steady | {"discriminator_loss": figure}, (heard, heard))
        return trainer.meter.report(1, 1.0, 0.1, None, False).warnings

    told = [report(loss) for _ in range(12)]
    assert told[0] == []
    assert words in told[-1][0]
    assert report(0.65) == [], "and is over when it is over"
