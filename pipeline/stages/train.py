"""Train the GAN on a prepared set: `python -m pipeline +stage=train data=games train.minutes=10`.

Writes `checkpoint.pt` (a resumed run equals an uninterrupted one), `metrics.jsonl` (a line a report),
`samples/step-NNNNNN.png` and `.mp3` (the same latents at every checkpoint, so that one can watch and hear it learn),
`learning.png`, `notebook.ipynb` (`pipeline.pages.notebook`), and `tensorboard/` where `train.tensorboard` asks for it.
Started by torchrun, several processes share each batch: the same steps in less time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gan.rolls import unpack
from gan.settings import TrainSettings
from gan.statistics import DataStatistics, count_some
from gan.training.batches import Batch, batches_from, repeats_for_balance
from gan.training.monitor import TrainingFailed
from gan.training.precision import uses_bfloat16
from gan.training.trainer import Trainer
from pipeline.config import Config, compose, flatten, stage_directory
from pipeline.dataset.labels import labels_of, performances_of, styles_of, styles_of_songs
from pipeline.dataset.sample_identification.flip_transforms import pack_transforms, transforms_of
from pipeline.dataset.sample_identification.matches import read_matches
from pipeline.dataset.store import PhraseStore, open_store
from pipeline.devices import choose_device, load_checkpoint, prepare_torch, resident
from pipeline.errors import UserError
from pipeline.files import Manifest, refuse_change, settings_of
from pipeline.pages.notebook.training import write_training_notebook
from pipeline.parallel import num_processes
from pipeline.progress import counted, counter, duration, finish_step_first, say
from pipeline.scores.structure.plan_completion import complete_plans
from pipeline.scores.structure.song_plan import pack_plans
from pipeline.settings.data import roll_spec
from pipeline.settings.train import BASE
from pipeline.songs.performance.model import fit_performance, performance_state
from pipeline.stage_table import STAGES, Outcome, Plan
from pipeline.training.known_tracks import KnownTracks
from pipeline.training.pretrained import begin_with_pretrained, pretrained_hash
from pipeline.training.recorder import Recorder
from pipeline.training.tensorboard import require_tensorboard
from pipeline.training.torchrun import team, training_together

BUDGETS = ("default", "long")
"""What a shorter run is told of at its end."""
MOST_PLANS = 500
"""Songs whose plans a checkpoint keeps, at most."""
MOST_VALIDATED = 128
"""Phrases of validation songs whose likelihood decides when pretraining ends, at most."""
MOST_COMPARED = 512
"""Real phrases that they are compared with, at most."""


def inputs(config: Config) -> dict[str, str]:
    """The checkpoint to begin with; a device or a package that is not there is told before anything is made."""
    choose_device(config)
    if config.train.tensorboard:
        require_tensorboard()
    return pretrained_hash(config.train.init)


def plan(config: Config) -> Plan:
    """Steps, device and bound of time."""
    settings, device = config.train, choose_device(config)
    if settings.steps == 0:
        return Plan(f"takes the networks of train.init={settings.init} as they are.", 82_000_000)
    threads = f"{config.threads} thread" + ("s" if config.threads > 1 else "")
    in_precision = "in bfloat16 " if uses_bfloat16(settings.precision, torch.device(device)) else ""
    each = f" in each of {num_processes()} processes" if num_processes() > 1 else ""
    text = (
        f"trains to step {settings.steps:,} in batches of {counted(settings.batch_size, 'phrase')} on {device} "
        f"{in_precision}with {threads}{each}, {duration(60 * settings.minutes)} at the most; the bar tells the time "
        "left."
    )
    num_ticks = settings.steps // settings.checkpoint_steps + 2
    tick_bytes = 2_000_000 if settings.tensorboard else 1_000_000
    return Plan(text, 80_000_000 + tick_bytes * num_ticks)


def run(config: Config, directory: Path) -> Outcome:
    """Train from where the checkpoint in `directory` stopped, or from the start."""
    prepare_torch(config)
    store = open_store(stage_directory("prepare", config))
    spec = roll_spec(config.roll, config.tracks, config.data.metre)
    rolls, held_out = (packed(store, split) for split in ("train", "validation"))
    if len(rolls) < config.train.batch_size:
        advice = f", or say train.batch_size={len(rolls)}" if len(rolls) > 1 else ""
        raise UserError(
            f"data={config.data.name} has {counted(len(rolls), 'phrase')} to train on, fewer than train.batch_size="
            f"{config.train.batch_size}: add music{advice}."
        )
    labels = torch.from_numpy(labels_of(store, "train"))
    tracks = KnownTracks.of(store, config.train.init)
    known = tracks.of_phrases("train")
    repeats = repeats_for_balance(labels, config.train.style_balance)
    weights = torch.from_numpy(store.index("train").weights)
    statistics = tracks.complete(count_some(rolls, spec, labels, known, repeats, weights))
    trainer = trainer_for(config, statistics)
    held_out_known = tracks.of_phrases("validation")
    if not len(held_out):  # music for one song only
        held_out, held_out_known = rolls, known
    training, held_out = (unpack(_some(one), spec) for one in (rolls, held_out))
    settings = settings_of(flatten(config), STAGES["train"].groups)
    own_plans = store.plans("train")
    habits = tracks.habits(len(own_plans))
    plans = complete_plans(own_plans, tracks.of_songs("train"), config.seed, habits, config.tracks.lead)
    some = slice(None, None, -(-len(plans) // MOST_PLANS) or 1)
    facts = {
        "spec": spec.to_dict(),
        "settings": settings,
        "music": store.statistics,
        "styles": styles_of(store),
        "plans": {name: torch.from_numpy(values) for name, values in pack_plans(plans[some]).items()},
        "plan_styles": torch.from_numpy(styles_of_songs(store, "train")[some]),
        "performance": performance_state(fit_performance(performances_of(store, "train"))),
    }
    held_out_songs = {song.song for song in store.songs if song.split != "train"}
    matches = [one for one in read_matches(store.directory) if one.song not in held_out_songs]
    if transforms := transforms_of(matches):
        facts["flip_transforms"] = pack_transforms(transforms)
    told = (_some(known), _some(held_out_known))
    recorder = Recorder(directory, config, trainer, training, held_out, *told, facts)
    if recorder.checkpoint.exists():
        recorder.selection.chosen = resume_training(trainer, recorder.checkpoint, settings)
    elif config.train.init is not None:
        begin_with_pretrained(trainer, config.train.init)
        if tracks.names:
            say(f"train: too few songs say what these play, so they are as in that model: {', '.join(tracks.names)}.")
    try:
        with recorder:
            if config.train.steps == 0:
                recorder.keep_beginning()
            else:
                with training_together((config, statistics)):
                    train(trainer, rolls, labels, known, weights, recorder, validation_batch(tracks))
    except TrainingFailed as error:
        saved = recorder.saved()
        kept = f"{recorder.checkpoint} holds step {saved['step']:,}, from before" if saved else "nothing was saved yet"
        raise UserError(
            f"{error}; {kept}: give a smaller train.learning_rate and another name=, or force=true."
        ) from error
    found = outcome(config, trainer, store, recorder)
    done = Manifest("train", STAGES["train"].format, settings, {}, found.facts, found.notes)
    write_training_notebook(directory, config, done)
    return found


def train_along(config: Config, statistics: DataStatistics) -> None:
    """Train as one of the other processes, with what the first one counted."""
    prepare_torch(config)
    store = open_store(stage_directory("prepare", config))
    labels, weights = (torch.from_numpy(one) for one in (labels_of(store, "train"), store.index("train").weights))
    tracks = KnownTracks.of(store, config.train.init)
    trainer, known = trainer_for(config, statistics), tracks.of_phrases("train")
    train(trainer, packed(store, "train"), labels, known, weights, None, validation_batch(tracks))


def validation_batch(tracks: KnownTracks) -> Batch | None:
    """Some phrases of the validation songs; None where there are no such songs."""
    store = tracks.store
    rolls = packed(store, "validation")
    if not len(rolls):
        return None
    labels, known = torch.from_numpy(labels_of(store, "validation")), tracks.of_phrases("validation")
    some = slice(None, None, -(-len(rolls) // MOST_VALIDATED))
    return Batch(unpack(rolls[some], store.spec), labels[some], known[some])


def packed(store: PhraseStore, split: str) -> Tensor:
    """All phrases of a split, packed along pitches, read from disk as they are used."""
    return torch.from_numpy(store.packed(split))


def trainer_for(config: Config, statistics: DataStatistics) -> Trainer:
    """A trainer at step 0. Raises `UserError` for what the settings, or several processes, can't do."""
    spec, device = roll_spec(config.roll, config.tracks, config.data.metre), choose_device(config)
    try:
        return Trainer(spec, statistics, config.model, config.train, config.seed, device, team())
    except ValueError as error:
        raise UserError(f"{error}.") from error


def _some(rolls: Tensor) -> Tensor:
    """At most `MOST_COMPARED` of the phrases, evenly spread."""
    return rolls[:: -(-len(rolls) // MOST_COMPARED)]


def train(
    trainer: Trainer,
    rolls: Tensor,
    labels: Tensor,
    known: Tensor,
    weights: Tensor,
    recorder: Recorder | None,
    validation: Batch | None = None,
) -> None:
    """Run the trainer to its end; Ctrl-C saves and stops between two steps, in all processes at the same one.

    The first process has a recorder, which writes what is reported. Raises `TrainingFailed` in all of them at once.
    """
    settings, rolls = trainer.settings, resident(rolls, trainer.device)
    repeats = repeats_for_balance(labels, settings.style_balance)
    trainer.align()
    with (
        counter(settings.steps, "train", "steps", trainer.step) if recorder else nullcontext(int) as count,
        finish_step_first() as stopped,
    ):
        step, stop = trainer.step, Stop(trainer, stopped)
        while True:
            size, seed = settings.phrases_per_step, trainer.seed
            told = (labels, known, repeats, weights, trainer.device)
            batches = batches_from(rolls, trainer.spec, size, seed, trainer.step, *told)
            try:
                for report in trainer.run(stop.until(batches), validation):
                    count(report.step - step)
                    step = report.step
                    if recorder:
                        recorder.write(report)
                trainer.check_weights()
                break
            except TrainingFailed as error:
                go_back(trainer, error, recorder)
                count(trainer.step - step)
                step = trainer.step
        if stop.came:
            if recorder:
                recorder.save()
            raise KeyboardInterrupt


class Stop:
    """Whether a person stopped any of the processes."""

    def __init__(self, trainer: Trainer, stopped: Callable[[], bool]) -> None:
        self.team, self.stopped, self.came = trainer.team, stopped, False

    def until(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The batches, until then."""
        for batch in batches:
            self.came = self.team.any(self.stopped())
            if self.came:
                return
            yield batch


def go_back(trainer: Trainer, error: TrainingFailed, recorder: Recorder | None) -> None:
    """After a breakdown: back to the last checkpoint with half the learning rate, once; else the error goes on."""
    state = trainer.team.share(recorder.saved() if recorder else None)
    if state is None or trainer.learning_rate_scale < 1:
        raise error
    seconds = trainer.seconds
    trainer.load_state_dict(state)
    trainer.learning_rate_scale, trainer.seconds = trainer.learning_rate_scale / 2, seconds
    if recorder:
        recorder.go_back(str(error))


def resume_training(trainer: Trainer, checkpoint: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Load the trainer's state and give back the chosen weights; a file that does not fit is a `UserError`."""
    state = load_checkpoint(checkpoint)
    extendable = STAGES["train"].extendable
    changed = [key for key in sorted(settings) if settings[key] != state["settings"].get(key) and key not in extendable]
    if changed:
        refuse_change("train", checkpoint, changed, settings, state["settings"])
    try:
        trainer.load_state_dict(state["trainer"])
    except (ValueError, KeyError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{checkpoint} does not fit: {reason}; give force=true to replace it, or another name= to keep it."
        ) from error
    say(f"train: goes on from step {trainer.step:,} of {checkpoint}.")
    before, now = TrainSettings(**state["trainer"]["train_settings"]), trainer.learning_rate()
    planned = trainer.learning_rate(settings=before)
    if now > planned:
        say(
            f"train: more train.steps lift the learning rate again, from {planned:.2g} to {now:.2g}, as a run of "
            f"{trainer.settings.steps:,} steps has it here; it falls to 0 at their end."
        )
    return dict(state["chosen"])


def outcome(config: Config, trainer: Trainer, store: PhraseStore, recorder: Recorder) -> Outcome:
    """The steps reached, and what the album's credits tell."""
    chosen = recorder.selection.chosen
    say(
        f"train: {counted(trainer.step, 'step')} in {duration(trainer.seconds)}; step {chosen['step']:,} is kept for "
        f"generating (overlap with the validation songs {chosen['overlap']:.2f}, of the training songs "
        f"{recorder.floor:.2f})."
    )
    if trainer.early_stopping.weights:
        best = trainer.early_stopping.best_step
        say(f"train: validation songs were likeliest at step {best:,}, whose generator is kept.")
    for warning in recorder.warnings():
        say(f"train: {warning}.")
    if trainer.step:
        init = BASE if config.train.init else "null"
        longer = {name: compose(f"budget={name}", f"train.init={init}").train for name in BUDGETS}
        say(f"train: {after_this(trainer, longer)}")
    sizes = {
        f"{name}_parameters": sum(weight.numel() for weight in network.parameters())
        for name, network in (("generator", trainer.generator), ("discriminator", trainer.discriminator))
    }
    notes = {"chosen_step": chosen["step"], "overlap": chosen["overlap"], "real": recorder.reference} | sizes
    notes |= {"train_seconds": round(trainer.seconds, 1), "device": str(trainer.device)}
    return Outcome({"steps": trainer.step}, notes | {"music": store.statistics})


def after_this(trainer: Trainer, budgets: Mapping[str, TrainSettings]) -> str:
    """What ended a run, and how the first of the budgets that is larger would go on from here."""
    settings, out_of_time = trainer.settings, trainer.step < trainer.settings.steps
    ended = f"ended by train.minutes={settings.minutes:g}" if out_of_time else f"ended by train.steps={settings.steps}"
    for name, larger in budgets.items():
        if larger.steps > trainer.step and (larger.minutes > settings.minutes or not out_of_time):
            seconds = min(60 * larger.minutes, larger.steps * trainer.seconds / max(1, trainer.step)) - trainer.seconds
            return f"{ended}. budget={name} goes on from here, to step {larger.steps:,} in some {duration(seconds)}."
    return f"{ended}; raise it to go on from here."
