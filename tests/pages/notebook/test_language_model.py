"""The notebook of a language model: told by its stage, and writes when it is run."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest

from pipeline.errors import UserError
from pipeline.lyrics.corpus.text_files import OWN_LYRICS
from pipeline.pages.notebook.text_model import TextModel
from tests.pages.notebook.running import run_notebook, shown_by
from tests.stage_runner import run_stage
from tests.stages.test_lyrics import SMALL


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the stage `lyrics` of a tiny model that has read twenty songs; the tests run above `outputs`."""
    (tmp_path / "songs").mkdir()
    for path in sorted(OWN_LYRICS.iterdir())[:20]:
        shutil.copy(path, tmp_path / "songs")
    run_stage(tmp_path, "lyrics", *SMALL)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "outputs/album/lyrics"


def test_the_stage_leaves_a_valid_notebook_with_curves_and_words(place: Path) -> None:
    book: Any = nbformat.read(place / "notebook.ipynb", 4)
    nbformat.validate(book)
    told = "\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")
    assert "| Texts | songs |" in told and "bits" in told.lower() and "+stage=lyrics" in told
    assert (place / "lyrics.txt").read_text(encoding="utf-8").splitlines()[0] in told
    assert any("image/png" in output.data for cell in book.cells for output in cell.get("outputs", ()))


def test_a_model_writes_lines_and_verses_by_seed(place: Path) -> None:
    model = TextModel("album")
    assert model.verse(seed=1) == model.verse(seed=1) != model.verse(seed=2)
    assert model.lines(seed=1)[0] in model.verse(seed=1).splitlines()
    begun = model.verse(seed=1, prompt="The sea is all I know")
    assert begun.splitlines()[0] == "The sea is all I know"
    with pytest.raises(UserError, match=r"lyrics\.temperature"):
        model.verse(temperature=0)
    with pytest.raises(TypeError):
        model.verse(warmth=1)


def test_texts_that_were_changed_are_told(place: Path) -> None:
    next(Path("songs").iterdir()).unlink()
    with pytest.raises(UserError, match="other texts"):
        TextModel("album")


@pytest.mark.slow
def test_the_notebook_runs_from_top_to_bottom(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = run_notebook(place / "notebook.ipynb", monkeypatch)
    assert "image/png" in shown_by(cells, "barh")
    for words in ("model.lines", 'scheme="AABB"', "for temperature"):
        assert shown_by(cells, words) == {"text"}
