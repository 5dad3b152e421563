"""The notebook of a generator: tells what it learnt from and how well, and makes phrases when it is run."""

from __future__ import annotations

import ast
import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from pipeline.config import Config, flatten
from pipeline.errors import UserError
from pipeline.files import Manifest, settings_of, write_manifest
from pipeline.pages.notebook.phrase_model import PhraseModel
from pipeline.pages.notebook.training import measured, write_training_notebook
from pipeline.stage_table import STAGES
from tests.pages.notebook.running import run_notebook, shown_by
from tests.song_makers import configured, write_checkpoint

NOTES: dict[str, Any] = {
    "chosen_step": 8,
    "overlap": 0.4567,
    "real": {"overlap": 0.5},
    "generator_parameters": 1234,
    "music": {"songs": {"train": 20, "test": 1}, "phrases": {"train": 700, "test": 65}},
    "train_seconds": 30.0,
    "device": "cpu",
}
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
"""A picture of one pixel (PNG)."""
RECORDS = (
    {"step": 4, "seconds": 10.0, "validation_loss": 1.5, "overlap": 0.3, "warnings": ["its voices are alike: 0.2"]},
    {"step": 8, "seconds": 20.0, "validation_loss": 0.9, "overlap": 0.4, "warnings": []},
    {"step": 12, "seconds": 30.0, "validation_loss": 1.1, "warnings": ["its voices are alike: 0.1"]},
)


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Config, Path, Manifest]]:
    """An untrained quartet with a log, curves and samples, as the stage leaves them in `outputs/album/train`."""
    monkeypatch.chdir(tmp_path)
    config, place = configured("+stage=train", "roll.bars=2"), Path("outputs/album/train")
    write_checkpoint(place, config)
    (place / "samples").mkdir()
    for name in ("learning.png", *(f"samples/step-{step:06d}.{kind}" for step in (0, 12) for kind in ("png", "mp3"))):
        (place / name).write_bytes(DOT if name.endswith("png") else b"sound")
    lines = "".join(json.dumps(record) + "\n" for record in RECORDS)
    (place / "metrics.jsonl").write_text(lines, encoding="utf-8")
    settings = settings_of(flatten(config), STAGES["train"].groups)
    manifest = Manifest("train", STAGES["train"].format, settings, {}, {"steps": 12}, NOTES)
    write_manifest(place, manifest)
    yield config, place, manifest


def test_the_notebook_tells_what_was_learnt_from_and_how_well(trained: tuple[Config, Path, Manifest]) -> None:
    config, place, manifest = trained
    write_training_notebook(place, config, manifest)
    book: Any = nbformat.read(place / "notebook.ipynb", 4)
    nbformat.validate(book)
    told = "\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")
    for fact in (config.data.title, "21 songs, 765 phrases", "generator of 1,234 parameters", "12 steps in 30 s"):
        assert fact in told
    assert "| Validation loss at its least | 0.900 at step 8 |" in told
    assert "+stage=train" in told and "name=album" in told
    codes = [cell for cell in book.cells if cell.cell_type == "code"]
    for cell in codes:
        ast.parse(cell.source)
    assert [len(cell.outputs) for cell in codes][:4] == [0, 1, 0, 4], "curves, and two samples seen and heard"


def test_the_same_run_has_the_same_notebook(trained: tuple[Config, Path, Manifest]) -> None:
    config, place, manifest = trained
    write_training_notebook(place, config, manifest)
    first = (place / "notebook.ipynb").read_bytes()
    write_training_notebook(place, config, manifest)
    assert (place / "notebook.ipynb").read_bytes() == first


def test_a_model_that_takes_no_requests_is_asked_for_nothing(trained: tuple[Config, Path, Manifest]) -> None:
    _, place, manifest = trained
    write_training_notebook(place, configured("+stage=train", "model=musegan_hybrid"), manifest)
    assert "chords" not in (place / "notebook.ipynb").read_text(encoding="utf-8")


def test_figures_that_training_took_are_told(tmp_path: Path) -> None:
    rows = dict(measured(tmp_path / "none", NOTES))
    assert rows == {
        "Step whose weights are used": "8",
        "Overlap with the validation songs": "0.457",
        "Overlap of real training songs with them, which is the most to be had": "0.500",
        "Warnings": "none",
    }
    (tmp_path / "log").write_text("".join(json.dumps(one) + "\n" for one in RECORDS) + '{"ste', encoding="utf-8")
    rows = dict(measured(tmp_path / "log", NOTES))
    assert rows["Validation loss, first and last"] == "1.500, 1.100"
    assert rows["Trained"] == "to step 12 in 30 s"
    assert rows["Warnings"] == "its voices are alike"


def test_phrases_follow_seed_chords_key_and_tempo(trained: tuple[Config, Path, Manifest], tmp_path: Path) -> None:
    model = PhraseModel("album")
    first, again, other = (model.phrase(seed) for seed in (1, 1, 2))
    assert first.notes.tolist() == again.notes.tolist() != other.notes.tolist()
    assert model.phrase(1, chords="Am F C G").key == "A minor"
    asked = model.phrase(1, key="Eb major", tempo_bpm=80)
    assert (asked.key, asked.tempo_bpm, asked.num_bars) == ("Eb major", 80, 2)
    with pytest.raises(UserError, match=r"generate\.density"):
        model.phrase(1, density={"Harp": 4})
    with pytest.raises(TypeError):
        model.phrase(1, chord="Am")
    picture, sound = model.write(first, tmp_path / "made")
    assert picture.stat().st_size > 5_000 and sound.stat().st_size > 20_000


@pytest.mark.slow
def test_the_notebook_runs_from_top_to_bottom(
    trained: tuple[Config, Path, Manifest], monkeypatch: pytest.MonkeyPatch
) -> None:
    config, place, manifest = trained
    write_training_notebook(place, config, manifest)
    cells = run_notebook(place / "notebook.ipynb", monkeypatch)
    assert "image/png" in shown_by(cells, "plt.subplots")
    assert shown_by(cells, "report.md") == {"text"}, "not evaluated"
    for made in ("phrase(seed=1)", "chords=", "key=", "temperature="):
        assert {"image/png", "text/html"} <= shown_by(cells, made), made
