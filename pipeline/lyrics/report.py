"""What the language model and its texts are like, as a page of Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.progress import duration


def model_rows(figures: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Bits a character of the model and of what it has to beat; `figures` are those of `learning.judged`."""
    return [
        ("", "bits a character of held-out text"),
        ("this model", f"{figures['bits_per_character']:.3f}"),
        ("character trigram", f"{figures['trigram_bits']:.3f}"),
        ("xz", f"{figures['xz_bits']:.3f}"),
    ]


def prose_rows(figures: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """What was written beside as much held-out text; `figures` are those of `freehand.figures`."""
    return [
        ("", "written", "people's, held out"),
        ("longest run copied from the training text, characters", f"{figures['longest_copy']}",
         f"{figures['longest_copy_held_out']}"),
        ("distinct word pairs", f"{figures['distinct_2']:.3f}", f"{figures['distinct_2_held_out']:.3f}"),
        ("words that the training text has", f"{figures['known_words']:.1%}", f"{figures['known_words_held_out']:.1%}"),
    ]  # fmt: skip


def report(model: Mapping[str, Any], written: Sequence[Sequence[str]]) -> str:
    """The page.

    Parameters
    ----------
    model
        Figures of `learning.judged`.
    written
        Rows of a table on what was written, its heads first.
    """
    trained = (
        f"{model['steps']:,} steps in {duration(model['train_seconds'])} ({model['tokens_per_second']:,} tokens/s); "
        f"the weights of step {model['best_step']:,} were best on the validation texts. `learning.png` shows the way."
    )
    parts = ["# The language model", table(model_rows(model)), trained, "# What it wrote", table(written)]
    return "\n\n".join(parts) + "\n"


def table(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table of rows, the heads first."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])
