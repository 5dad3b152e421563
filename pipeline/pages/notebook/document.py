"""A Jupyter notebook (nbformat 4): cells of text and code, pictures and sounds already below them.

The same cells give the same bytes: cells are numbered instead of named at random, and nothing has a date.
"""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.config import PROGRAM
from pipeline.files import write_text

NOTEBOOK = "notebook.ipynb"
"""The name of a model's notebook in its stage's folder."""
WEB_ADDRESS = re.compile(r"https?://[^\s@?#]+")
"""An address that a stranger can clone from, without a name or a password."""
OPENING = """\
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

NAME = {name!r}
STAGE = {stage!r}
REPOSITORY = {repository!r}  # {remark}

places = [Path.cwd(), *Path.cwd().parents]
project = next((place for place in places if (place / "pipeline" / "stage_table.py").is_file()), None)
in_colab = "google.colab" in sys.modules
if project is None and in_colab:
    if not REPOSITORY:
        raise RuntimeError("Fill in REPOSITORY above: the address that the project can be cloned from.")
    project = Path("/content/albumgan")
    if not project.exists():
        subprocess.run(["git", "clone", "--quiet", "--depth=1", REPOSITORY, str(project)], check=True)
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", str(project)], check=True)
        print("Now choose Runtime, Restart session, and run all cells again: packages were installed.")
if project is not None:
    sys.path.insert(0, str(project))
elif find_spec("pipeline") is None:
    raise RuntimeError("Open this notebook where it lies, in outputs/ of the project: nothing above it is the project.")
os.chdir(next((place for place in places if (place / "outputs" / NAME / STAGE).is_dir()), project or Path.cwd()))

run = Path("outputs") / NAME
if in_colab and not (run / STAGE / {needed[0]!r}).exists():
    from google.colab import files

    print("Upload these files of the folder", run / STAGE, "on your machine:", *{needed!r})
    (run / STAGE).mkdir(parents=True, exist_ok=True)
    for uploaded, content in files.upload().items():
        (run / STAGE / uploaded).write_bytes(content)
print("The run", NAME, "in", run.resolve().parent)"""
"""The first cell: finds the project above the notebook, and in Colab fetches it."""


@dataclass(frozen=True)
class Output:
    """What is shown below a cell: a picture (PNG) or a sound (MP3)."""

    path: Path

    def to_node(self, v4: Any) -> Any:
        """As nbformat's module `v4` has it, with the file's content in it; a sound as IPython writes it."""
        content = base64.b64encode(self.path.read_bytes()).decode("ascii")
        if self.path.suffix == ".png":
            return v4.new_output("display_data", {"image/png": content, "text/plain": self.path.name})
        player = f'<audio controls="controls"><source src="data:audio/mpeg;base64,{content}" type="audio/mpeg"></audio>'
        return v4.new_output("display_data", {"text/html": player, "text/plain": self.path.name})


@dataclass(frozen=True)
class Cell:
    """A cell: Markdown, or code with what it has shown."""

    source: str
    is_code: bool = False
    outputs: Sequence[Output] = ()


def text(source: str) -> Cell:
    """A cell of Markdown."""
    return Cell(source)


def code(source: str, *outputs: Path) -> Cell:
    """A cell of Python, with pictures and sounds below it."""
    return Cell(source, True, [Output(path) for path in outputs])


def opening(name: str, stage: str, needed: Sequence[str]) -> Cell:
    """The first cell of code: finds the project, and in Colab fetches it; `run` is the run's folder from there on.

    Parameters
    ----------
    name, stage
        The run, and the stage whose model it is.
    needed
        Files of the stage without which the notebook can't go on, the most important first.
    """
    repository = repository_address(PROGRAM)
    remark = "where the project is cloned from" if repository else "fill in where the project can be cloned from"
    return code(
        OPENING.format(name=name, stage=stage, repository=repository, remark=f"for Colab: {remark}", needed=[*needed])
    )


def repository_address(clone: Path) -> str:
    """The web address of the clone's `origin`; empty where it has none that is fit to be shown."""
    command = ["git", "-C", str(clone), "remote", "get-url", "origin"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
    return said if WEB_ADDRESS.fullmatch(said) else ""


def table(rows: Sequence[tuple[str, str]]) -> str:
    """Names and texts as a Markdown table."""
    cells = [(name, re.sub(r"([|<*_`])", r"\\\1", value)) for name, value in rows]
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in cells)])


def write_notebook(path: Path, cells: Sequence[Cell]) -> None:
    """Write the notebook atomically."""
    nbformat = _nbformat()
    v4, nodes = nbformat.v4, []
    for number, cell in enumerate(cells):
        name = f"cell-{number:02d}"
        if cell.is_code:
            outputs = [output.to_node(v4) for output in cell.outputs]
            nodes.append(v4.new_code_cell(cell.source, id=name, outputs=outputs))
        else:
            nodes.append(v4.new_markdown_cell(cell.source, id=name))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = v4.new_notebook(cells=nodes, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})
    nbformat.validate(notebook)
    write_text(path, nbformat.writes(notebook))


def _nbformat() -> Any:
    """The package, most of whose functions have no types; it takes a while to import."""
    import nbformat

    return nbformat
