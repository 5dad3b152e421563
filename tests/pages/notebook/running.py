"""A notebook run from top to bottom in a kernel of its own."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.conftest import ROOT


def run_notebook(path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Its cells as they are after all of them were run where the notebook lies. Raises for a cell that errs."""
    from nbclient import NotebookClient

    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    book: Any = nbformat.read(path, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        NotebookClient(
            book, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
        ).execute()
    return list(book.cells)


def shown_by(cells: list[Any], words: str) -> set[str]:
    """The kinds of what the cell with these words has shown, such as `image/png`; `text` for what was printed."""
    cell = next(cell for cell in cells if cell.cell_type == "code" and words in cell.source)
    kinds = {kind for output in cell.outputs for kind in output.get("data", {})}
    return kinds | {"text" for output in cell.outputs if output.output_type == "stream"}
