"""Metrics of prose: likelihood, copies, variety and known words, beside as much text of people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.lyrics.corpus.copy_detection import CopyFinder
from pipeline.lyrics.prose.scoring import variety
from pipeline.lyrics.prose.training_text import TrainingText, spelt_words
from pipeline.lyrics.prose.writer import ProseText

PROSE_HEADS = ("", "written", "people's, held out")


def prose_metrics(
    written: Sequence[ProseText], training: str, held_out: str, known: TrainingText
) -> dict[str, float | str]:
    """Metrics of texts, beside those of as much of what people wrote.

    Parameters
    ----------
    written
        The texts that were kept.
    training
        The training text, or as much of it as copies are looked for in.
    held_out
        Text of people that the model was not trained on; as much as was written is compared.
    known
        What the writer knows of the training text.

    Returns
    -------
    dict
        `characters`; `bits_per_character`; `copied`, the longest run that stands in `training`; and, each once more
        with `_held_out` behind, `longest_copy`, `distinct_2` and `known_words`, the share of words that the training
        text has.
    """
    own = [one.own for one in written]
    characters = sum(map(len, own))
    held_out = held_out[:characters]
    copies = CopyFinder(training)
    copied = copies.longest(own)
    found: dict[str, float | str] = {
        "characters": characters,
        "bits_per_character": sum(one.bits_per_character * len(one.own) for one in written) / max(1, characters),
        "copied": copied,
        "longest_copy": len(copied),
        "longest_copy_held_out": len(copies.longest([held_out])),
    }
    for side, text in (("", "\n".join(own)), ("_held_out", held_out)):
        found[f"distinct_2{side}"] = variety(spelt_words(text.lower()))
        found[f"known_words{side}"] = known.words.share(spelt_words(text))
    return found


def prose_summary(metrics: dict[str, float | str]) -> str:
    """The metrics in words."""
    return (
        f"{metrics['characters']:,} characters written at {metrics['bits_per_character']:.2f} bits each; the longest "
        f"run copied from the training text is {metrics['longest_copy']} characters (held-out text of that length: "
        f"{metrics['longest_copy_held_out']}), distinct-2 {metrics['distinct_2']:.2f} "
        f"({metrics['distinct_2_held_out']:.2f}), {metrics['known_words']:.1%} of the words are known "
        f"({metrics['known_words_held_out']:.1%})"
    )


def prose_rows(metrics: Mapping[str, float | str]) -> list[tuple[str, ...]]:
    """Rows of a table under `PROSE_HEADS`."""
    longest, distinct, known = (
        (metrics[name], metrics[f"{name}_held_out"]) for name in ("longest_copy", "distinct_2", "known_words")
    )
    return [
        ("longest run copied from the training text, characters", *map(str, longest)),
        ("distinct word pairs", *(f"{one:.3f}" for one in distinct)),
        ("words that the training text has", *(f"{one:.1%}" for one in known)),
    ]
