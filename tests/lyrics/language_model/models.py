"""Tiny language models and texts, which take no time to train."""

from pipeline.lyrics.corpus.encoded_texts import EncodedTexts
from pipeline.settings.lyrics import LanguageModelSettings

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
    """Sixteen documents of four lines, one of them for validation and one for test."""
    lines = [f"the {first} and the {second}\n" for first in WORDS for second in WORDS]
    parts = ["\x02" + "".join(lines[at : at + 4]) for at in range(0, 64, 4)]
    return EncodedTexts.of(parts[2:], parts[:1], parts[1:2])


def trained(trainer, steps):
    """The trainer at a step."""
    for _ in trainer.run(lambda: trainer.step >= steps):
        pass
    return trainer
