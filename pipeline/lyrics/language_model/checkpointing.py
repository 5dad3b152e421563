"""The language model's training on disk: a log, a checkpoint that is never old, and how good it has become."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from pipeline.files import atomic_path, write_text
from pipeline.lyrics.language_model.baselines import baselines
from pipeline.lyrics.language_model.training import Trainer, bits_per_character
from pipeline.progress import counter, duration, finish_step_first, say

SAVE_SECONDS = 10.0
"""At most this long passes between two checkpoints."""


def train(trainer: Trainer, log: Path, checkpoint: Path) -> None:
    """Train to the end; Ctrl-C saves and stops between two steps.

    Parameters
    ----------
    trainer
        Fresh, or as its checkpoint was loaded.
    log
        One JSON line a report; those of steps that were lost are dropped.
    checkpoint
        Replaced every `SAVE_SECONDS` and at the end.
    """
    kept = [record for record in records(log) if record["step"] <= trainer.step]
    write_text(log, "".join(json.dumps(record) + "\n" for record in kept))
    if trainer.is_done:
        say(f"lyrics: the language model is trained ({trainer.step:,} steps); its words are written anew.")
        return
    if trainer.step:
        say(f"lyrics: goes on from step {trainer.step:,} of {checkpoint}.")
    step, saved_at = trainer.step, time.monotonic()
    with counter(trainer.settings.steps, "lyrics", "steps", start=step) as count, finish_step_first() as stopped:
        for report in trainer.run(stopped):
            count(trainer.step - step)
            step = trainer.step
            if report is not None:
                with log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(report)) + "\n")
            if report is not None and (report.last or time.monotonic() - saved_at > SAVE_SECONDS):
                save(trainer, checkpoint)
                saved_at = time.monotonic()
        if stopped():
            save(trainer, checkpoint)
    if trainer.step < trainer.settings.steps:
        why = "lyrics.model.minutes" if trainer.is_late else "validation, which got no better"
        say(f"lyrics: stopped at step {trainer.step:,} by {why}.")


def records(log: Path) -> list[dict[str, Any]]:
    """The reports that a log holds; a line that was cut off is left out."""
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def save(trainer: Trainer, checkpoint: Path) -> None:
    """Write the checkpoint atomically."""
    with atomic_path(checkpoint) as temporary:
        torch.save(trainer.state_dict(), temporary)


def judged(trainer: Trainer) -> dict[str, Any]:
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
