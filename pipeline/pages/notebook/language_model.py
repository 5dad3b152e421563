"""The notebook of a trained language model, which the stage `lyrics` leaves beside its checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.config import Config, flatten
from pipeline.pages.dataset.commands import stage_command
from pipeline.pages.notebook.document import NOTEBOOK, Cell, code, opening, table, text, write_notebook
from pipeline.progress import counted, duration

NEEDED = ("model.pt", "manifest.json", "metrics.jsonl")
"""Files of the stage that the cells read."""
SETTINGS = ("tokens", "hidden_size", "num_layers", "learning_rate", "batch_size", "sequence_length", "steps", "minutes")
"""Settings of `lyrics.model` that say most of a training."""
MOST_LINES, MOST_CHARACTERS = 40, 2_000
"""Of what was written, on the page."""
SHOW_CURVES = """\
from IPython.display import Image, Markdown, display

curves = run / "lyrics" / "learning.png"
display(Image(filename=str(curves)) if curves.is_file() else Markdown("There are no curves."))"""
DRAW_BITS = """\
import json

import matplotlib.pyplot as plt

notes = json.loads((run / "lyrics" / "manifest.json").read_text())["notes"]
bits = {
    "this model": notes["bits_per_character"],
    "character trigram": notes["trigram_bits"],
    "xz": notes["xz_bits"],
}
figure, panel = plt.subplots(figsize=(6, 2))
panel.barh(list(bits), list(bits.values()))
panel.invert_yaxis()
panel.set(xlabel="bits a character of text that none of them had seen (less is better)")
plt.show()"""
LOAD_MODEL = """\
from pipeline.pages.notebook.text_model import TextModel

model = TextModel(NAME)
print(len(model.vocabulary), "tokens;", sum(weight.numel() for weight in model.model.parameters()), "parameters")"""
WRITE_LINES = """\
for line in model.lines(seed=1)[:7]:
    print(line)"""
WRITE_VERSE = """\
print(model.verse(seed=1, scheme="AABB", syllables=[8]))"""
TEMPERATURES = """\
for temperature in (0.4, 0.7, 1.0, 1.3):
    print("temperature", temperature)
    print(model.verse(seed=1, temperature=temperature), "\\n")"""
WRITE_PROSE = """\
print(model.prose(seed=1, length=400))"""
PROSE_TEMPERATURES = """\
for temperature in (0.4, 0.7, 1.0, 1.3):
    print("temperature", temperature)
    print(model.prose(seed=1, length=200, temperature=temperature), "\\n")"""


def write_language_model_notebook(
    directory: Path, config: Config, model: Mapping[str, Any], num_texts: int, cleaned: str
) -> None:
    """Write the notebook of a trained language model into the folder of its stage.

    Parameters
    ----------
    directory
        Holds the curves and what was written, which the notebook shows.
    config
        All settings.
    model
        What `pipeline.lyrics.report.model_metrics` found.
    num_texts
        Documents that were learnt from.
    cleaned
        What was removed from the texts and repaired in them; empty for nothing.
    """
    learnt = [
        ("Texts", config.lyrics.path or "the lyrics written for this project (MIT)"),
        ("Documents", f"{counted(num_texts, 'text')} of {counted(model['training_characters'], 'character')}"),
        ("Began with", config.lyrics.init or "nothing"),
        ("Repaired", cleaned or "nothing"),
    ]
    write_notebook(directory / NOTEBOOK, language_model_cells(directory, config, model, learnt))


def language_model_cells(
    directory: Path, config: Config, model: Mapping[str, Any], learnt: Sequence[tuple[str, str]]
) -> list[Cell]:
    """The notebook's cells; `learnt` names what the model learnt from. See `write_language_model_notebook`."""
    values, curves, is_song = flatten(config), directory / "learning.png", config.lyrics.kind == "song"
    settings = [(f"`lyrics.model.{key}`", str(values[f"lyrics.model.{key}"])) for key in SETTINGS]
    settings.append(("`lyrics.model.seed`", str(config.lyrics.model.seed)))
    steps = f"{counted(model['steps'], 'step')} in {duration(model['train_seconds'])}"
    bits = [
        ("this model", f"{model['bits_per_character']:.3f}"),
        ("a model of three characters in a row", f"{model['trigram_bits']:.3f}"),
        ("the compressor xz", f"{model['xz_bits']:.3f}"),
    ]
    return [
        text(
            f"# The language model of {config.name}\n\nAn LSTM that writes "
            f"{'songs' if is_song else 'essays' if config.lyrics.kind == 'essay' else 'on like a book'}: what it "
            "learned from, how it was trained, how good it is, and cells to write with it. It opens in Jupyter, "
            "started from the project's environment (`.venv/bin/python -m pip install jupyterlab`, "
            "`.venv/bin/jupyter lab`), and in Colab. Run all cells from the top: the first one finds the project."
        ),
        opening(config.name, "lyrics", NEEDED),
        text(f"## What it learned from\n\n{table(learnt)}"),
        text(
            f"## How it was trained\n\n{table(settings)}\n\n{steps}; the weights of step {model['best_step']:,} were "
            "best on the validation texts and are used. The command that trains it again:\n\n```\n"
            f"{stage_command(values, 'lyrics', config.name)}\n```"
        ),
        text("## How it learned\n\nBits a character by step, on the text it learns from and on text it does not."),
        code(SHOW_CURVES, *([curves] if curves.is_file() else [])),
        text(
            f"## How good it is\n\nBits a character of test texts: less is better.\n\n{table(bits)}\n\nAll figures, "
            "of what it wrote too: `report.md` beside this notebook."
        ),
        code(DRAW_BITS),
        text(f"## What it wrote\n\n{_quoted(directory)}"),
        text("## Write with it\n\nThe checkpoint is loaded once, and the texts whose words it knows and never copies."),
        code(LOAD_MODEL),
        *(song_cells() if is_song else prose_cells()),
    ]


def song_cells() -> list[Cell]:
    """Cells that write lines and verses."""
    return [
        text("A line: candidates for the first one of a song, the best first. All chance follows from the seed."),
        code(WRITE_LINES),
        text("A verse: the rhyme scheme and the syllables of its lines are kept while it is sampled."),
        code(WRITE_VERSE),
        text("Temperature: below 1 plays safe, above 1 takes risks."),
        code(TEMPERATURES),
    ]


def prose_cells() -> list[Cell]:
    """Cells that write essays, or on like a book."""
    return [
        text("A text. All chance follows from the seed; `prompt` is how it begins."),
        code(WRITE_PROSE),
        text("Temperature: below 1 plays safe, above 1 takes risks."),
        code(PROSE_TEMPERATURES),
    ]


def _quoted(directory: Path) -> str:
    """The beginning of what was written, as Markdown shows it unchanged."""
    written = [directory / "lyrics.txt", *sorted((directory / "written").glob("[0-9]*"))]
    found = next((path for path in written if path.is_file()), None)
    if found is None:
        return "Nothing yet."
    lines = found.read_text(encoding="utf-8")[:MOST_CHARACTERS].splitlines()[:MOST_LINES]
    return "\n".join(f"    {line}" for line in lines)
