"""What training leaves on disk while it runs: checkpoint, figures, sample pictures and sounds, learning curves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from gan.metrics.counts import PhraseCounts, deal_known, silence_like
from gan.metrics.distances import mean, overlaps
from gan.metrics.features import dissonance, empty_bars, features, notes_per_bar, scale_share, stepwise_share
from gan.networks.generator import Generator
from gan.training.monitor import TrainingReport
from gan.training.trainer import Trainer
from pipeline.config import Config
from pipeline.devices import load_checkpoint
from pipeline.drawing.learning_curves import draw_learning_curves
from pipeline.drawing.piano_rolls import draw_samples
from pipeline.files import atomic_path, write_text
from pipeline.progress import say
from pipeline.rendering.phrase_audio import write_sample
from pipeline.training.checkpoint_selection import CheckpointSelection
from pipeline.training.tensorboard import TensorBoardLog

NUM_PICTURED = 8
"""Phrases in a sample picture."""
NUM_HEARD = 2
"""Phrases in a sample sound."""
NUM_SCORED = 256
"""Phrases generated at a checkpoint to be compared with the validation songs."""


class Recorder:
    """Writes what the trainer reports into the stage's directory.

    Parameters
    ----------
    directory
        Of the stage.
    config
        Instruments, tempo and sound of the samples; whether there is a TensorBoard.
    trainer
        Whose reports they are.
    training, held_out
        Phrases to compare with, bool `[count, *spec.shape]`.
    training_known, known
        Which tracks they know, bool `[count, tracks]`.
    facts
        What the checkpoint tells of the data and the settings, see `pipeline.devices.load_checkpoint`.
    """

    def __init__(
        self,
        directory: Path,
        config: Config,
        trainer: Trainer,
        training: Tensor,
        held_out: Tensor,
        training_known: Tensor,
        known: Tensor,
        facts: dict[str, Any],
    ) -> None:
        self.directory, self.config, self.facts, self.known = directory, config, facts, known
        self.trainer, self.spec, self.held_out = trainer, trainer.spec, features(held_out, trainer.spec)
        self.log, self.checkpoint = directory / "metrics.jsonl", directory / "checkpoint.pt"
        self.records: list[dict[str, Any]] = []
        self.said: set[str] = set()
        self.tensorboard: TensorBoardLog | None = None
        self.selection = CheckpointSelection()
        self.reference = self._figures(training)
        rates_of_phrases = notes_per_bar(PhraseCounts(training, self.spec)).where(training_known, torch.nan)
        rates = zip(self.spec.names, rates_of_phrases.nanmean(0).nan_to_num().tolist(), strict=True)
        self.reference |= {f"notes_per_bar/{name}": rate for name, rate in rates}

    def __enter__(self) -> Self:
        """Keep the records up to the trainer's step; those after it will be made again."""
        if self.log.exists():
            lines = self.log.read_text(encoding="utf-8").splitlines()
            self.records = [json.loads(line) for line in lines if line.endswith("}")]
        self._forget_later()
        if self.config.train.tensorboard:
            self.tensorboard = TensorBoardLog(self.directory / "tensorboard", self.trainer.step, self.records)
        if self.trainer.step == 0:
            self._show(0, self.trainer.average.sample(self.trainer.fixed_latents).cpu())
        return self

    def __exit__(self, *error: object) -> None:
        if self.tensorboard:
            self.tensorboard.close()

    def _forget_later(self) -> None:
        """Drop the records of steps that the trainer has not done."""
        self.records = [record for record in self.records if record["step"] <= self.trainer.step]
        write_text(self.log, "".join(json.dumps(record) + "\n" for record in self.records))

    def save(self) -> None:
        """Replace the checkpoint by the present state."""
        state = {
            "trainer": self.trainer.state_dict(),
            "chosen": self.selection.chosen,
            "reference": self.reference,
            **self.facts,
        }
        with atomic_path(self.checkpoint) as temporary:
            torch.save(state, temporary)

    def keep_beginning(self) -> None:
        """Keep the weights that training begins with, and save."""
        self.selection.offer(0, True, self._score()["overlap"], self.trainer.average)
        self.save()

    def saved(self) -> dict[str, Any] | None:
        """The trainer's state in the checkpoint, if there is one."""
        return dict(load_checkpoint(self.checkpoint)["trainer"]) if self.checkpoint.exists() else None

    def go_back(self, reason: str) -> None:
        """The trainer has gone back to the checkpoint and learns more slowly: so do the log and the checkpoint."""
        say(f"train: {reason}; it goes back to step {self.trainer.step:,} and on with half the learning rate.")
        self.selection.chosen = dict(load_checkpoint(self.checkpoint)["chosen"])
        self._forget_later()
        self.save()

    def warnings(self) -> list[str]:
        """What was wrong in the course of training, a sentence for each kind."""
        seen: dict[str, tuple[int, int, str]] = {}
        for record in self.records:
            for warning in record["warnings"]:
                first = seen.get(_subject(warning), (record["step"],))[0]
                seen[_subject(warning)] = (first, record["step"], warning)
        end = self.records[-1]["step"] if self.records else 0
        return [
            f"from step {first:,} to " + (f"{last:,}, not since" if last < end else "the end") + f": {warning}"
            for first, last, warning in seen.values()
        ]

    def write(self, report: TrainingReport) -> None:
        """One report: a line of the log; at a checkpoint a picture, figures beside the held-out songs, and words."""
        record = report.to_dict()
        for warning in report.warnings:
            if _subject(warning) not in self.said:
                say(f"train, step {report.step:,}: {warning}.")
            self.said.add(_subject(warning))
        if report.samples is not None:
            record |= self._score()
            trainer = self.trainer
            self.selection.offer(report.step, trainer.final_phase, record["overlap"], trainer.average)
            self._show(report.step, report.samples)
        self.records.append(record)
        with self.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        if self.tensorboard:
            self.tensorboard.figures(record)
        if report.samples is not None:
            draw_learning_curves(self.directory / "learning.png", self.records, self.reference)
        if report.checkpoint_due:
            self.save()

    @property
    def floor(self) -> float:
        """The overlap of real training phrases with the validation songs: the best to be had."""
        return self.reference["overlap"]

    def _score(self) -> dict[str, float]:
        """Figures of fresh phrases of the averaged generator, which know as little as the held-out ones."""
        random, generator = torch.Generator().manual_seed(self.trainer.seed), self.trainer.average
        latents = generator.sample_latents(NUM_SCORED, random)
        if not isinstance(generator, Generator):
            return self._figures(silence_like(generator.sample(latents).cpu(), self.known))
        known = deal_known(self.known, NUM_SCORED).to(latents.z.device)
        return self._figures(generator.sample(generator.leave_open(latents, known), known=known).cpu())

    def _figures(self, rolls: Tensor) -> dict[str, float]:
        """Means over phrases, and the overlap of their features with those of the validation songs."""
        counts = PhraseCounts(rolls, self.spec)
        means = {
            "scale_share": scale_share(counts),
            "dissonance": dissonance(counts),
            "stepwise_share": stepwise_share(counts),
            "empty_bars": empty_bars(counts),
        }
        figures = {name: float(values.nanmean()) for name, values in means.items()}
        figures["overlap"] = mean(overlaps(features(rolls, self.spec), self.held_out))
        return figures

    def _show(self, step: int, samples: Tensor) -> None:
        """Draw and play samples `[count, *spec.shape]`."""
        path = self.directory / "samples" / f"step-{step:06d}.png"
        draw_samples(path, samples[:NUM_PICTURED].numpy(), self.spec, f"step {step:,}")
        config, phrases = self.config, samples[:NUM_HEARD].numpy()
        tempo_bpm, title = config.data.tempo_bpm, f"step {step:,}"
        sound = write_sample(
            path.with_suffix(".mp3"), phrases, self.spec, config.tracks, config.render, tempo_bpm, title,
            album="samples of training",
        )  # fmt: skip
        if self.tensorboard:
            self.tensorboard.samples(step, path, sound, config.render.sample_rate_hz)


def _subject(warning: str) -> str:
    """What a warning is about; its figures come behind a colon."""
    return warning.split(":")[0]
