"""Train the GAN on a prepared set: `python -m pipeline +stage=train data=band train.minutes=10`.

Writes `checkpoint.pt` (a resumed run equals an uninterrupted one), `metrics.jsonl` (a line a report),
`samples/step-NNNNNN.png` and `.mp3` (the same latents at every tick, so that one can watch and hear it learn),
`learning.png`, and `tensorboard/` where `train.tensorboard` asks for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from gan.metrics.distances import overlap
from gan.metrics.features import dissonance, empty_bars, notes_per_bar, scale_share, stepwise_share
from gan.metrics.tally import Tally
from gan.reports import Report
from gan.rolls import Batch, batches_from, unpack
from gan.statistics import DataStatistics
from gan.trainer import Trainer
from gan.trouble import TrainingFailed
from pipeline.album.plots import draw_learning, draw_samples
from pipeline.artefacts import atomic_path, settings_of, write_text
from pipeline.board import Board, require_tensorboard
from pipeline.building import STAGES, refuse_change
from pipeline.config import Config, flatten
from pipeline.contract import Outcome, Plan
from pipeline.devices import choose_device, load_checkpoint, prepare_torch
from pipeline.errors import UserError
from pipeline.evaluation.sounds import write_sample
from pipeline.music.labels import labels_of, styles_of
from pipeline.music.settings import roll_spec
from pipeline.music.store import PhraseStore, open_store
from pipeline.places import stage_directory
from pipeline.progress import counter, duration, finish_step_first, say

NUM_PICTURED = 8
"""Phrases in a sample picture."""
NUM_HEARD = 2
"""Phrases in a sample sound."""
NUM_SCORED = 256
"""Phrases generated at a tick to be compared with the validation songs."""
MOST_COMPARED = 512
"""Real phrases that they are compared with, at most."""


def inputs(config: Config) -> dict[str, str]:
    """Nothing but the prepared set; a device or a package that is not there is told before anything is made."""
    choose_device(config)
    if config.train.tensorboard:
        require_tensorboard()
    return {}


def plan(config: Config) -> Plan:
    """Steps, device and bound of time."""
    threads = f"{config.threads} thread" + ("s" if config.threads > 1 else "")
    settings = config.train
    text = (
        f"trains to step {settings.steps:,} in batches of {settings.batch_size} phrases on {choose_device(config)} "
        f"with {threads}, {duration(60 * settings.minutes)} at the most; the bar tells the time left."
    )
    num_ticks = settings.steps // settings.tick_steps + 2
    tick_bytes = 2_000_000 if settings.tensorboard else 1_000_000
    return Plan(text, 80_000_000 + tick_bytes * num_ticks)


def run(config: Config, directory: Path) -> Outcome:
    """Train from where the checkpoint in `directory` stopped, or from the start."""
    prepare_torch(config)
    store = open_store(stage_directory("prepare", config))
    spec = roll_spec(config.roll, config.tracks)
    rolls, held_out = (torch.from_numpy(np.array(store.packed(split))) for split in ("train", "validation"))
    labels = torch.from_numpy(labels_of(store, "train"))
    if len(rolls) < config.train.batch_size:
        raise UserError(
            f"data={config.data.name} has {len(rolls)} phrases to train on, fewer than train.batch_size="
            f"{config.train.batch_size}: add music or lower it."
        )
    pieces = (unpack(rolls[at : at + 256], spec) for at in range(0, len(rolls), 256))
    statistics = DataStatistics.of(pieces, spec, labels)
    trainer = Trainer(spec, statistics, config.model, config.train, config.seed, choose_device(config))
    if not len(held_out):  # music for one song only
        held_out = rolls
    training, held_out = (unpack(_some(one), spec) for one in (rolls, held_out))
    recorder = Recorder(directory, config, trainer, training, held_out)
    checkpoint = directory / "checkpoint.pt"
    settings = settings_of(flatten(config), STAGES["train"].groups)
    if checkpoint.exists():
        recorder.chosen = resume(trainer, checkpoint, settings)
        say(f"train: goes on from step {trainer.step:,} of {checkpoint}.")

    def save() -> None:
        state = {
            "trainer": trainer.state_dict(),
            "chosen": recorder.chosen,
            "reference": recorder.reference,
            "spec": spec.to_dict(),
            "settings": settings,
            "music": store.statistics,
            "styles": styles_of(store),
        }
        with atomic_path(checkpoint) as temporary:
            torch.save(state, temporary)

    with recorder:
        train(trainer, rolls, labels, recorder, save)
    return outcome(trainer, store, recorder)


def _some(rolls: Tensor) -> Tensor:
    """At most `MOST_COMPARED` of the phrases, evenly spread."""
    return rolls[:: -(-len(rolls) // MOST_COMPARED)]


def train(trainer: Trainer, rolls: Tensor, labels: Tensor, recorder: Recorder, save: Any) -> None:
    """Run the trainer to its end, writing what it reports; Ctrl-C saves and stops between two steps."""
    settings = trainer.settings
    with (
        counter(settings.steps, "train", "steps", start=trainer.step) as count,
        finish_step_first() as stopped,
    ):
        size = settings.phrases_per_step
        batches = batches_from(rolls, trainer.spec, size, trainer.seed, trainer.step, labels)
        step = trainer.step
        try:
            for report in trainer.run(_until(batches, stopped)):
                count(report.step - step)
                step = report.step
                recorder.write(report)
                if report.checkpoint_due:
                    save()
        except TrainingFailed as error:
            raise UserError(f"{error}.") from error
        if stopped():
            save()


def _until(batches: Iterable[Batch], stopped: Any) -> Iterator[Batch]:
    """The batches, until somebody asks to stop."""
    for batch in batches:
        if stopped():
            return
        yield batch


def resume(trainer: Trainer, checkpoint: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Load the trainer's state and give back the chosen weights; a file that does not fit is a `UserError`."""
    state = load_checkpoint(checkpoint)
    extendable = STAGES["train"].extendable
    changed = [key for key in sorted(settings) if settings[key] != state["settings"].get(key) and key not in extendable]
    if changed:
        refuse_change("train", checkpoint, changed, settings, state["settings"])
    try:
        trainer.load_state_dict(state["trainer"])
    except (ValueError, KeyError, RuntimeError) as error:
        raise UserError(f"{checkpoint} does not fit: {str(error).splitlines()[0]}.") from error
    return dict(state["chosen"])


def outcome(trainer: Trainer, store: PhraseStore, recorder: Recorder) -> Outcome:
    """The steps reached, and what the album's credits tell."""
    chosen = recorder.chosen
    say(
        f"train: {trainer.step:,} steps in {duration(trainer.seconds)}; step {chosen['step']:,} is kept for generating "
        f"(overlap with the validation songs {chosen['overlap']:.2f}, of the training songs {recorder.floor:.2f})."
    )
    if trainer.step < trainer.settings.steps:
        say(f"train: stopped by train.minutes={trainer.settings.minutes:g}; raise it to go on.")
    sizes = {
        f"{name}_parameters": sum(weight.numel() for weight in network.parameters())
        for name, network in (("generator", trainer.generator), ("discriminator", trainer.discriminator))
    }
    notes = {"chosen_step": chosen["step"], "overlap": chosen["overlap"], "real": recorder.reference} | sizes
    notes |= {"train_seconds": round(trainer.seconds, 1), "device": str(trainer.device)}
    return Outcome({"steps": trainer.step}, notes | {"music": store.statistics})


class Recorder:
    """Writes what the trainer reports into the stage's directory: figures, pictures, words."""

    def __init__(self, directory: Path, config: Config, trainer: Trainer, training: Tensor, held_out: Tensor) -> None:
        self.directory, self.config = directory, config
        self.trainer, self.spec, self.held_out = trainer, trainer.spec, held_out
        self.log = directory / "metrics.jsonl"
        self.records: list[dict[str, Any]] = []
        self.said: set[str] = set()
        self.board: Board | None = None
        self.chosen: dict[str, Any] = {"step": 0, "settled": False, "overlap": -1.0}
        self.reference = self._figures(training)
        rates = zip(self.spec.names, notes_per_bar(Tally(training, self.spec)).mean(0).tolist(), strict=True)
        self.reference |= {f"notes_per_bar/{name}": rate for name, rate in rates}

    def __enter__(self) -> Self:
        """Keep the records up to the trainer's step; those after it will be made again."""
        if self.log.exists():
            lines = self.log.read_text(encoding="utf-8").splitlines()
            records = (json.loads(line) for line in lines if line.endswith("}"))
            self.records = [record for record in records if record["step"] <= self.trainer.step]
        write_text(self.log, "".join(json.dumps(record) + "\n" for record in self.records))
        if self.config.train.tensorboard:
            self.board = Board(self.directory / "tensorboard", self.trainer.step, self.records)
        if self.trainer.step == 0:
            self._show(0, self.trainer.average.sample(self.trainer.fixed_latents).cpu())
        return self

    def __exit__(self, *error: object) -> None:
        if self.board:
            self.board.close()

    def write(self, report: Report) -> None:
        """One report: a line of the log; at a tick a picture, figures beside the held-out songs, and words."""
        record = report.to_dict()
        for warning in report.warnings:
            subject = warning.split(":")[0]
            if subject not in self.said:
                say(f"train, step {report.step:,}: {warning}.")
            self.said.add(subject)
        if report.samples is not None:
            record |= self._score()
            self._choose(report.step, record["overlap"])
            self._show(report.step, report.samples)
        self.records.append(record)
        with self.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        if self.board:
            self.board.figures(record)
        if report.samples is not None:
            draw_learning(self.directory / "learning.png", self.records, self.reference)

    @property
    def floor(self) -> float:
        """The overlap of real training phrases with the validation songs: the best to be had."""
        return self.reference["overlap"]

    def _choose(self, step: int, overlap: float) -> None:
        """Keep the averaged weights of the step whose phrases are most like the validation songs.

        Steps at which the trainer is settled come before all others.
        """
        settled = self.trainer.settled
        if (settled, overlap) > (self.chosen["settled"], self.chosen["overlap"]):
            weights = {name: value.clone() for name, value in self.trainer.average.state_dict().items()}
            self.chosen = {"step": step, "settled": settled, "overlap": overlap, "average": weights}

    def _score(self) -> dict[str, float]:
        """Figures of fresh phrases of the averaged generator."""
        random = torch.Generator().manual_seed(self.trainer.seed)
        return self._figures(self.trainer.average.sample(self.trainer.average.sample_latents(NUM_SCORED, random)).cpu())

    def _figures(self, rolls: Tensor) -> dict[str, float]:
        """Means over phrases, and the overlap of their features with those of the validation songs."""
        tally = Tally(rolls, self.spec)
        means = {
            "scale_share": scale_share(tally),
            "dissonance": dissonance(tally),
            "stepwise_share": stepwise_share(tally),
            "empty_bars": empty_bars(tally),
        }
        figures = {name: float(values.nanmean()) for name, values in means.items()}
        figures["overlap"] = overlap(rolls, self.held_out, self.spec)[0]
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
        if self.board:
            self.board.samples(step, path, sound, config.render.sample_rate_hz)
