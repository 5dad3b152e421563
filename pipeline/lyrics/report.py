"""Markdown report of a language model and its texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.lyrics.language_model.baselines import baselines
from pipeline.lyrics.language_model.evaluation import bits_per_character
from pipeline.lyrics.language_model.training import LanguageModelTrainer
from pipeline.markdown import markdown_table
from pipeline.progress import counted, duration, say


def model_metrics(trainer: LanguageModelTrainer) -> dict[str, Any]:
    """Bits a character on the test documents, beside a trigram model and xz on the same split; says so, too."""
    texts = trainer.texts
    bits = bits_per_character(trainer.model, texts.test, texts.vocabulary)
    others = baselines(texts)
    tokens = trainer.step * trainer.settings.batch_size * trainer.settings.sequence_length
    say(
        f"lyrics: {bits:.2f} bits a character on held-out text after {duration(trainer.seconds)} of training; "
        f"a trigram model needs {others.trigram_bits:.2f}, xz {others.xz_bits:.2f}."
    )
    return {
        "bits_per_character": round(bits, 3),
        "trigram_bits": round(others.trigram_bits, 3),
        "xz_bits": round(others.xz_bits, 3),
        "steps": trainer.step,
        "best_step": trainer.best_step,
        "train_seconds": round(trainer.seconds, 1),
        "tokens_per_second": round(tokens / max(trainer.seconds, 1e-9)),
        "training_characters": others.training_characters,
    }


def language_model_report(model: Mapping[str, Any], written: str, cleaned: str) -> str:
    """The page.

    Parameters
    ----------
    model
        What `model_metrics` gave.
    written
        A Markdown table on what was written.
    cleaned
        What was removed from the texts and repaired in them; empty for nothing.
    """
    bits = [
        ("this model", f"{model['bits_per_character']:.3f}"),
        ("character trigram", f"{model['trigram_bits']:.3f}"),
        ("xz", f"{model['xz_bits']:.3f}"),
    ]
    trained = (
        f"{counted(model['steps'], 'step')} in {duration(model['train_seconds'])} "
        f"({model['tokens_per_second']:,} tokens/s); "
        f"the weights of step {model['best_step']:,} were best on the validation texts. `learning.png` shows the way."
    )
    table = markdown_table(("", "bits a character of held-out text"), bits)
    texts = ["# The texts", f"What was done to them before they were learnt: {cleaned}."] if cleaned else []
    return "\n\n".join(["# The language model", table, trained, *texts, "# What it wrote", written]) + "\n"
