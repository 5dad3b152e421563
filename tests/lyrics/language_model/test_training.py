"""The language model learns, resumes exactly and stops when it should."""

import io
import math

import pytest
import torch

from pipeline.lyrics.corpus.encoded_texts import EncodedTexts
from pipeline.lyrics.language_model.evaluation import bits_per_character
from pipeline.lyrics.language_model.training import LanguageModelTrainer
from tests.lyrics.language_model.models import settings, texts, trained

torch.set_num_threads(1)  # two that wait for each other make these small tensors many times slower


def test_untrained_model_needs_about_log2_of_the_vocabulary_and_learns():
    trainer = LanguageModelTrainer(texts(), settings(steps=150, dropout=0.0, weight_drop=0.0))
    size = len(trainer.vocabulary)
    before = bits_per_character(trainer.model, trainer.texts.test, trainer.vocabulary)
    assert before == pytest.approx(math.log2(size), abs=0.5)
    trained(trainer, 150)
    assert bits_per_character(trainer.model, trainer.texts.test, trainer.vocabulary) < before / 1.5


def test_resumed_training_equals_uninterrupted_training():
    whole = trained(LanguageModelTrainer(texts(), settings(steps=30)), 30)
    half = trained(LanguageModelTrainer(texts(), settings(steps=30)), 17)
    file = io.BytesIO()
    torch.save(half.state_dict(), file)
    file.seek(0)
    resumed = LanguageModelTrainer(texts(), settings(steps=30))
    resumed.load_state_dict(torch.load(file, weights_only=True))
    assert resumed.step == 17
    trained(resumed, 30)
    for name, weights in whole.model.state_dict().items():
        assert torch.equal(weights, resumed.model.state_dict()[name]), name
    assert whole.best_bits == resumed.best_bits


def test_validation_takes_little_of_the_time():
    long = ["\x02" + "the sea and the stone\n" * 500] * 3
    trainer = LanguageModelTrainer(
        EncodedTexts.of(long, long[:1], long[:1]), settings(batch_size=1, sequence_length=16)
    )
    read, learnt = 11_001, 16 * trainer.report_steps
    assert read / 3 <= 0.03 * learnt <= read / 3 + 16


def test_learning_rate_falls_to_nothing_by_steps_or_by_time():
    trainer = LanguageModelTrainer(texts(), settings(steps=100, minutes=10, learning_rate=0.01))
    assert trainer.learning_rate == pytest.approx(0.01)
    trainer.step, trainer.seconds = 50, 470.0
    assert trainer.learning_rate == pytest.approx(0.005)
    trainer.seconds = 594.0
    assert trainer.learning_rate == pytest.approx(0.01 * 0.05)


def test_what_is_read_often_is_read_with_dropout():
    trainer = LanguageModelTrainer(texts(), settings(dropout=None, weight_drop=None, steps=10_000))
    assert (trainer.model.dropout, trainer.model.weight_drop) == (0.25, 0.125)
    often = 64 / len(trainer.texts.training.tokens)
    trainer = LanguageModelTrainer(texts(), settings(dropout=None, weight_drop=0.3, steps=round(5 / often)))
    assert (trainer.model.dropout, trainer.model.weight_drop) == (pytest.approx(0.1, abs=0.01), 0.3)
    assert LanguageModelTrainer(texts(), settings(dropout=None, steps=round(2 / often))).model.dropout == 0


def test_one_short_document_a_side_is_enough():
    trainer = trained(
        LanguageModelTrainer(EncodedTexts.of(["abcd"], ["abc"], ["ab"]), settings(batch_size=2, steps=5)), 5
    )
    assert trainer.step == 5 and math.isfinite(trainer.best_bits)


def test_another_seed_trains_another_model():
    first, second = (trained(LanguageModelTrainer(texts(), settings(seed=seed)), 3) for seed in (1, 2))
    assert not torch.equal(first.model.table, second.model.table)


def test_training_stops_when_validation_stops_improving():
    trainer = LanguageModelTrainer(texts(), settings(steps=5000))
    trainer.step, trainer.best_step = 700, 50
    assert trainer.is_done
    trainer.best_step = 600
    assert not trainer.is_done


def test_time_bounds_training():
    trainer = trained(LanguageModelTrainer(texts(), settings(steps=5000, minutes=1e-6)), 5000)
    assert trainer.step == 1 and trainer.best_step == 1


def test_weights_best_on_validation_are_kept():
    trainer = trained(LanguageModelTrainer(texts(), settings(steps=100)), 50)
    best = {name: weights.clone() for name, weights in trainer.best.items()}
    trainer.best_bits = 0.0
    trainer.train_step()
    trainer.validate()
    assert all(torch.equal(best[name], weights) for name, weights in trainer.best.items())
    assert not torch.equal(best["table"], trainer.model.table)
