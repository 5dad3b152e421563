"""The language model's figures against values worked out by hand, and its training against itself."""

import io
import math

import numpy as np
import pytest
import torch

from pipeline.lyrics.corpus.encoded_texts import Lanes, Side, Texts
from pipeline.lyrics.corpus.vocabulary import Characters, Subwords, vocabulary_from
from pipeline.lyrics.language_model.baselines import longest_copy, trigram_bits
from pipeline.lyrics.language_model.training import Trainer, bits_per_character, build_model
from pipeline.settings.lyrics import LanguageModelSettings

torch.set_num_threads(1)  # two that wait for each other make these small tensors many times slower

WORDS = ("sea", "stone", "light", "river", "door", "night", "salt", "rain")


def settings(**changes):
    values = {
        "tokens": "characters",
        "vocabulary_size": 100,
        "patience": 12,
        "hidden_size": 24,
        "num_layers": 2,
        "dropout": 0.2,
        "weight_drop": 0.1,
        "weight_decay": 0.01,
        "learning_rate": 0.01,
        "batch_size": 4,
        "sequence_length": 16,
        "steps": 12,
        "minutes": 10.0,
        "seed": 1,
    }
    return LanguageModelSettings(**(values | changes))


def texts():
    lines = [f"the {first} and the {second}\n" for first in WORDS for second in WORDS]
    parts = ["\x02" + "".join(lines[at : at + 4]) for at in range(0, 64, 4)]
    return Texts.of(parts[2:], parts[:1], parts[1:2])


def trained(trainer, steps):
    for _ in trainer.run(lambda: trainer.step >= steps):
        pass
    return trainer


def test_untrained_model_needs_about_log2_of_the_vocabulary_and_learns():
    trainer = Trainer(texts(), settings(steps=150, dropout=0.0, weight_drop=0.0))
    size = len(trainer.vocabulary)
    before = bits_per_character(trainer.model, trainer.texts.test, trainer.vocabulary)
    assert before == pytest.approx(math.log2(size), abs=0.5)
    trained(trainer, 150)
    assert bits_per_character(trainer.model, trainer.texts.test, trainer.vocabulary) < before / 1.5


def test_bits_of_a_known_distribution():
    model = build_model(4, settings())
    with torch.no_grad():
        model.table.zero_()
        model.bias.copy_(torch.tensor([0.5, 0.25, 0.125, 0.125]).log())
    letters = Characters("?abc")

    def bits(*documents):
        return bits_per_character(model, Side.of(documents, letters), letters)

    # after the first character: a, b, c and an unknown one cost 2, 3, 3 and 1 bits
    assert bits("aabcx") == pytest.approx((2 + 3 + 3 + 1) / 4, abs=1e-5)
    assert bits("aaa", "cbbbb") == pytest.approx((2 * 2 + 4 * 3) / 6, abs=1e-5)


def test_bits_do_not_depend_on_how_documents_are_batched():
    trainer = trained(Trainer(texts(), settings()), 12)
    side = trainer.texts.training
    together, alone = (bits_per_character(trainer.model, side, trainer.vocabulary, batch=size) for size in (5, 1))
    assert together == pytest.approx(alone, abs=1e-5)


def test_trigram_bits_by_hand():
    # training "aab": counts a 2, b 1; after a: a 1, b 1; after aa: b 1. Uniform 1/2.
    # first character a: (2 + 2 * .5) / (3 + 2) = .6
    # then a after a: (1 + 2 * .6) / (2 + 2) = .55
    # then b after aa: unigram (1 + 2 * .5) / 5 = .4, bigram (1 + 2 * .4) / 4 = .45, trigram (1 + .45) / 2 = .725
    wanted = -sum(map(math.log2, (0.6, 0.55, 0.725))) / 3
    assert trigram_bits("aab", "aab") == pytest.approx(wanted)


def test_longest_copy_is_found_inside_lines_only():
    assert longest_copy(["xx the sea yy", "nothing"], "in the sea of\nnight") == " the sea "
    assert longest_copy(["of night"], "of\nnight") == "night"


def test_lanes_hold_the_documents_in_another_order():
    side = Side(np.repeat(np.arange(8, dtype=np.uint16), 6), np.arange(6, 49, 6))
    first, second = (Lanes(side, 3, torch.Generator().manual_seed(seed)) for seed in (0, 1))
    assert first.length == 16
    whole = first.stretch(0, 16)
    assert whole.flatten().bincount().tolist() == [6] * 8
    assert torch.equal(whole, torch.cat([first.stretch(0, 7), first.stretch(7, 40)], dim=1))
    assert not torch.equal(whole, second.stretch(0, 16))


def test_characters_of_training_are_known_and_others_are_not():
    letters = texts().vocabulary
    assert letters.symbols[0] == "\ufffd"
    assert letters.encode("s\u00e9\U0001f600").tolist() == [letters.symbols.index("s"), 0, 0]
    assert letters.decode(letters.encode("sea")) == "sea"


def test_subwords_spell_every_text_and_their_widths_are_its_length():
    lines = [f"the {first} and the {second}" for first in WORDS for second in WORDS]
    pieces = Subwords.of(["\x02" + "\n".join(lines)], 300)
    for text in ("\x02the night and the salt\nthe  sea", "a \u00e9 \u2603 of it"):
        tokens = pieces.encode(text)
        assert pieces.decode(tokens) == text
        assert pieces.widths[tokens].sum() == len(text)
    assert len(pieces.encode(lines[0])) < len(lines[0]) / 2
    again = vocabulary_from(pieces.state())
    assert again.encode(lines[5]).tolist() == pieces.encode(lines[5]).tolist()


def test_resumed_training_equals_uninterrupted_training():
    whole = trained(Trainer(texts(), settings(steps=30)), 30)
    half = trained(Trainer(texts(), settings(steps=30)), 17)
    file = io.BytesIO()
    torch.save(half.state_dict(), file)
    file.seek(0)
    resumed = Trainer(texts(), settings(steps=30))
    resumed.load_state_dict(torch.load(file, weights_only=True))
    assert resumed.step == 17
    trained(resumed, 30)
    for name, weights in whole.model.state_dict().items():
        assert torch.equal(weights, resumed.model.state_dict()[name]), name
    assert whole.best_bits == resumed.best_bits


def test_a_token_is_looked_up_alike_with_few_and_with_many_tokens_at_once():
    model = build_model(5, settings(dropout=0.5))
    tokens = torch.tensor([[3, 1, 4, 1, 0, 2, 2, 3]])
    together, after = model(tokens, model.initial_state(1))
    state, alone = model.initial_state(1), []
    for place in range(8):
        logits, state = model(tokens[:, place : place + 1], state)
        alone.append(logits)
    assert torch.allclose(together, torch.cat(alone, 1), atol=1e-5)
    assert torch.allclose(after[1][0], state[1][0], atol=1e-5)


def test_looks_take_little_of_the_time():
    long = ["\x02" + "the sea and the stone\n" * 500] * 3
    trainer = Trainer(Texts.of(long, long[:1], long[:1]), settings(batch_size=1, sequence_length=16))
    read, learnt = 11_001, 16 * trainer.report_steps
    assert read / 3 <= 0.03 * learnt <= read / 3 + 16


def test_learning_rate_falls_to_nothing_by_steps_or_by_time():
    trainer = Trainer(texts(), settings(steps=100, minutes=10, learning_rate=0.01))
    assert trainer.learning_rate == pytest.approx(0.01)
    trainer.step, trainer.seconds = 50, 470.0
    assert trainer.learning_rate == pytest.approx(0.005)
    trainer.seconds = 594.0
    assert trainer.learning_rate == pytest.approx(0.01 * 0.05)


def test_what_is_read_often_is_read_with_dropout():
    trainer = Trainer(texts(), settings(dropout=None, weight_drop=None, steps=10_000))
    assert (trainer.model.dropout, trainer.model.weight_drop) == (0.25, 0.125)
    often = 64 / len(trainer.texts.training.tokens)
    trainer = Trainer(texts(), settings(dropout=None, weight_drop=0.3, steps=round(5 / often)))
    assert (trainer.model.dropout, trainer.model.weight_drop) == (pytest.approx(0.1, abs=0.01), 0.3)
    assert Trainer(texts(), settings(dropout=None, steps=round(2 / often))).model.dropout == 0


def test_one_short_document_a_side_is_enough():
    trainer = trained(Trainer(Texts.of(["abcd"], ["abc"], ["ab"]), settings(batch_size=2, steps=5)), 5)
    assert trainer.step == 5 and math.isfinite(trainer.best_bits)


def test_another_seed_trains_another_model():
    first, second = (trained(Trainer(texts(), settings(seed=seed)), 3) for seed in (1, 2))
    assert not torch.equal(first.model.table, second.model.table)


def test_training_stops_when_validation_stops_improving():
    trainer = Trainer(texts(), settings(steps=5000))
    trainer.step, trainer.best_step = 700, 50
    assert trainer.is_done
    trainer.best_step = 600
    assert not trainer.is_done


def test_time_bounds_training():
    trainer = trained(Trainer(texts(), settings(steps=5000, minutes=1e-6)), 5000)
    assert trainer.step == 1 and trainer.best_step == 1


def test_weights_best_on_validation_are_kept():
    trainer = trained(Trainer(texts(), settings(steps=100)), 50)
    best = {name: weights.clone() for name, weights in trainer.best.items()}
    trainer.best_bits = 0.0
    trainer.train_step()
    trainer.look()
    assert all(torch.equal(best[name], weights) for name, weights in trainer.best.items())
    assert not torch.equal(best["table"], trainer.model.table)
