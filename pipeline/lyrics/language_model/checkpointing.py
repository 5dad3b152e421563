"""The language model's training on disk: a log of JSON lines, and a checkpoint that goes on exactly."""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from pipeline.devices import load_tensors
from pipeline.errors import UserError
from pipeline.files import atomic_path, refuse_change, write_text
from pipeline.lyrics.language_model.training import CHECKPOINT_FORMAT, LanguageModelTrainer
from pipeline.progress import counted, counter, finish_step_first, say

SAVE_SECONDS = 10.0
"""At most this long passes between two checkpoints."""


def train_and_save(trainer: LanguageModelTrainer, log: Path, checkpoint: Path) -> None:
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
    kept = [record for record in read_log(log) if record["step"] <= trainer.step]
    write_text(log, "".join(json.dumps(record) + "\n" for record in kept))
    if trainer.is_done:
        say(f"lyrics: the language model is trained ({counted(trainer.step, 'step')}); its words are written anew.")
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
                save_checkpoint(trainer, checkpoint)
                saved_at = time.monotonic()
        if stopped():
            save_checkpoint(trainer, checkpoint)
    if trainer.step < trainer.settings.steps:
        why = "lyrics.model.minutes" if trainer.is_late else "validation, which got no better"
        say(f"lyrics: stopped at step {trainer.step:,} by {why}.")


def read_log(log: Path) -> list[dict[str, Any]]:
    """The reports that a log holds; a line that was cut off is left out."""
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def save_checkpoint(trainer: LanguageModelTrainer, checkpoint: Path) -> None:
    """Write the checkpoint atomically."""
    with atomic_path(checkpoint) as temporary:
        torch.save(trainer.state_dict(), temporary)


def resume_language_model(trainer: LanguageModelTrainer, checkpoint: Path, extendable: Collection[str]) -> None:
    """Load the state that `checkpoint` holds, if there is one.

    Parameters
    ----------
    trainer
        Fresh.
    checkpoint
        What `train_and_save` wrote.
    extendable
        Settings that may differ, such as `lyrics.model.steps`.

    Raises
    ------
    UserError
        When it is of other settings or texts, or damaged.
    """
    if not checkpoint.exists():
        return
    saved = load_tensors(checkpoint)
    if not isinstance(saved, dict) or saved.get("format") != CHECKPOINT_FORMAT:
        refuse_change("lyrics", checkpoint, [], {}, {})
    new, old = (
        {f"lyrics.model.{key}": value for key, value in settings.items()}
        for settings in (asdict(trainer.settings), saved["settings"])
    )
    if changed := [key for key in sorted(new) if new[key] != old.get(key) and key not in extendable]:
        named = [{key: values.get(key) for key in changed} for values in (new, old)]
        refuse_change("lyrics", checkpoint, changed, *named)
    if saved["texts"] != trainer.texts.digest:
        raise UserError(
            f"{checkpoint} was trained on other texts than lyrics.path and lyrics.clean give now; "
            "give +stage=lyrics and force=true to replace it, or another name= to keep it."
        )
    try:
        trainer.load_state_dict(saved)
    except (KeyError, ValueError, RuntimeError) as error:
        raise UserError(f"{checkpoint} does not fit: {str(error).splitlines()[0]}; give force=true.") from error
