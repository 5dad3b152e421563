"""The notebook of a trained generator, which the stage `train` leaves beside its checkpoint."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.config import Config, flatten
from pipeline.files import Manifest
from pipeline.pages.album.contents import chosen_samples, step_of
from pipeline.pages.album.credits import training_rows
from pipeline.pages.dataset.commands import stage_command
from pipeline.pages.notebook.document import NOTEBOOK, Cell, code, opening, table, text, write_notebook
from pipeline.progress import duration

NUM_SAMPLES = 4
"""Samples of learning that are heard."""
NEEDED = ("checkpoint.pt", "manifest.json", "metrics.jsonl")
"""Files of the stage that the cells read."""
SETTINGS = ("model.design", "train.init", "train.learning_rate", "train.batch_size", "train.steps", "train.minutes")
"""Settings that say most of a training."""
SHOW_CURVES = """\
from IPython.display import Audio, Image, Markdown, display

curves = run / "train" / "learning.png"
display(Image(filename=str(curves)) if curves.is_file() else Markdown("There are no curves: no step was trained."))"""
DRAW_CURVES = """\
import json

import matplotlib.pyplot as plt

shown = ["validation_loss", "overlap"]  # any figure of a line of metrics.jsonl

log = run / "train" / "metrics.jsonl"
records = [json.loads(line) for line in log.read_text().splitlines() if line.endswith("}")] if log.is_file() else []
print("Figures:", ", ".join(sorted({key for record in records for key in record} - {"step", "warnings"})))
figure, panels = plt.subplots(1, len(shown), figsize=(5 * len(shown), 3), squeeze=False)
for panel, key in zip(panels[0], shown):
    points = [(record["step"], record[key]) for record in records if key in record]
    panel.plot([step for step, _ in points], [value for _, value in points], marker="o", markersize=3)
    panel.set(title=key.replace("_", " "), xlabel="steps")
plt.show()"""
HEAR_SAMPLES = """\
for picture in {names!r}:
    sample = run / "train" / "samples" / picture
    if sample.is_file():
        display(Image(filename=str(sample)))
    if sample.with_suffix(".mp3").is_file():
        display(Audio(filename=str(sample.with_suffix(".mp3"))))"""
SHOW_REPORT = """\
report = run / "evaluate" / "report.md"
if report.is_file():
    display(Markdown(report.read_text()))
else:
    print("Not evaluated yet: python -m pipeline +stage=evaluate name=" + NAME)"""
LOAD_MODEL = '''\
import tempfile

from pipeline.pages.notebook.phrase_model import PhraseModel

model = PhraseModel(NAME)


def show(phrase):
    """A phrase as a piano roll, and as sound."""
    picture, sound = model.write(phrase, Path(tempfile.mkdtemp()))
    display(Image(filename=str(picture)), Audio(filename=str(sound)))


print(f"Phrases of {model.spec.bars} bars: {', '.join(model.spec.names)}")'''
FREE_PHRASE = """\
phrase = model.phrase(seed=1)
show(phrase)"""
REQUESTED_PHRASE = """\
phrase = model.phrase(seed=1, chords="Am F C G", density={density})
show(phrase)"""
OTHER_KEY = """\
phrase = model.phrase(seed=2, key="E minor", tempo_bpm=80)
show(phrase)"""
CALMER_PHRASE = """\
phrase = model.phrase(seed=1, temperature=0.3)
show(phrase)"""


def write_training_notebook(directory: Path, config: Config, train: Manifest) -> None:
    """Write the notebook of a trained generator into the folder of its stage.

    Parameters
    ----------
    directory
        Holds the log, the curves and the samples, which the notebook shows.
    config
        All settings.
    train
        What the stage says of itself.
    """
    samples = chosen_samples(directory, NUM_SAMPLES)
    write_notebook(directory / NOTEBOOK, training_cells(directory, samples, config, train))


def training_cells(directory: Path, samples: Sequence[Path], config: Config, train: Manifest) -> list[Cell]:
    """The notebook's cells; see `write_training_notebook`."""
    values, curves = flatten(config), directory / "learning.png"
    learnt = [(name, said) for name, said in training_rows(config, train) if said]
    settings = [(f"`{key}`", "null" if values[key] is None else str(values[key])) for key in SETTINGS if key in values]
    settings.append(("`seed`", str(config.seed)))
    heard = [one for picture in samples for one in (picture, picture.with_suffix(".mp3")) if one.is_file()]
    steps = ", ".join(f"{step_of(picture):,}" for picture in samples)
    return [
        text(
            f"# The model of {config.name}\n\nA generator of phrases of music: what it learned from, how it was "
            "trained, how good it is, and cells that make music with it. It opens in Jupyter, started from the "
            "project's environment (`.venv/bin/python -m pip install jupyterlab`, `.venv/bin/jupyter lab`), and in "
            "Colab. Run all cells from the top: the first one finds the project."
        ),
        opening(config.name, "train", NEEDED),
        text(f"## What it learned from\n\n{table(learnt)}"),
        text(
            f"## How it was trained\n\n{table(settings)}\n\nThe command that trains it again:\n\n```\n"
            f"{stage_command(values, 'train', config.name)}\n```"
        ),
        text(
            "## How it learned\n\nFigures by step, those of real songs dashed. `overlap` says how alike the features "
            "of its phrases and of songs that it never saw are: 1 is the same."
        ),
        code(SHOW_CURVES, *([curves] if curves.is_file() else [])),
        code(DRAW_CURVES),
        text(
            "## Samples along the way\n\nThe same latents at several moments, before the first step among them"
            f"{': steps ' + steps if steps else ''}. Eight phrases are drawn, the first of them are heard."
        ),
        code(HEAR_SAMPLES.format(names=[picture.name for picture in samples]), *heard),
        text(f"## How good it is\n\n{table(measured(directory / 'metrics.jsonl', train.notes))}\n\nThe evaluator:"),
        code(SHOW_REPORT),
        text("## Make a phrase\n\nThe checkpoint is loaded once. All chance follows from the seed."),
        code(LOAD_MODEL),
        code(FREE_PHRASE),
        *(requests(config) if config.model.design == "albumgan" else []),
        text(
            "## And on\n\nAn album of whole songs, with words: "
            f"`python -m pipeline +stage=album name={config.name}`. To change its songs bar by bar in the browser: "
            f"`python -m pipeline +stage=studio name={config.name}`."
        ),
    ]


def requests(config: Config) -> list[Cell]:
    """Cells that ask the generator for something: chords, density, key, tempo, temperature."""
    track = next((track.name for track in config.tracks.tracks if track.is_drum), config.tracks.tracks[-1].name)
    return [
        text(
            "With chords, one a bar, and so many notes a bar of a track. The key follows from the chords. "
            f"Its tracks: {', '.join(track.name for track in config.tracks.tracks)}."
        ),
        code(REQUESTED_PHRASE.format(density={track: 8})),
        text("In a key, at a tempo in quarter notes a minute."),
        code(OTHER_KEY),
        text("Less left to chance: 0 makes what is most likely, 1 is as learnt, above 1 is wilder."),
        code(CALMER_PHRASE),
    ]


def measured(log: Path, notes: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What training measured of itself: overlap with unseen songs, validation losses, where it was best.

    Parameters
    ----------
    log
        `metrics.jsonl`.
    notes
        The stage's notes: `chosen_step`, `overlap`, `real`.
    """
    lines = log.read_text(encoding="utf-8").splitlines() if log.is_file() else []
    records = [json.loads(line) for line in lines if line.endswith("}")]
    losses = [(one["validation_loss"], one["step"]) for one in records if _is_number(one.get("validation_loss"))]
    rows = [
        ("Step whose weights are used", f"{notes['chosen_step']:,}"),
        ("Overlap with the validation songs", f"{notes['overlap']:.3f}"),
        ("Overlap of real training songs with them, which is the most to be had", f"{notes['real']['overlap']:.3f}"),
    ]
    if losses:
        least, step = min(losses)
        rows += [
            ("Validation loss, first and last", f"{losses[0][0]:.3f}, {losses[-1][0]:.3f}"),
            ("Validation loss at its least", f"{least:.3f} at step {step:,}"),
        ]
    if records:
        end = records[-1]
        rows.append(("Trained", f"to step {end['step']:,} in {duration(end['seconds'])}"))
    warnings = sorted({warning.split(":")[0] for one in records for warning in one.get("warnings", ())})
    return [*rows, ("Warnings", "; ".join(warnings) or "none")]


def _is_number(value: Any) -> bool:
    return isinstance(value, float) and math.isfinite(value)
