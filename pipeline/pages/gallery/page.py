"""The gallery page: one HTML file beside the runs, with relative addresses only."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Sequence
from pathlib import Path

from pipeline.drawing.palette import BACKGROUND
from pipeline.errors import UserError
from pipeline.files import lock, write_text
from pipeline.pages.gallery.authorship import BOTH, FILE, MACHINE, PERSON
from pipeline.pages.gallery.runs import ALBUM, EXPERIMENT, TEXT, UNFINISHED, GalleryRun, read_run, run_names
from pipeline.pages.html import templates

ALL = "all"
"""What `album.runs` says for every run there is."""
HEADINGS = ((ALBUM, "Albums"), (TEXT, "Texts"), (EXPERIMENT, "Experiments"), (UNFINISHED, "Not finished"))
AUTHORS = (
    (MACHINE, "the machine"),
    (BOTH, "the machine, changed by hand"),
    (PERSON, "by hand"),
    (FILE, "from given files"),
)
"""Who may have written something, as the bars of shares name them."""


def write_gallery(outputs: Path, listed: Sequence[str] | None = None) -> Path:
    """Write `index.html` of an outputs folder and give back its path.

    Parameters
    ----------
    outputs
        The folder of all runs.
    listed
        The runs to show, in this order; None shows all, the youngest first, and so does `[ALL]`.

    Raises
    ------
    UserError
        A run that is listed is not there.
    """
    path = outputs / "index.html"
    with lock(path):
        there = run_names(outputs)
        names = there if listed is None or [*listed] == [ALL] else [*dict.fromkeys(listed)]
        for name in names:
            if name not in there:
                near = difflib.get_close_matches(name, there, n=1)
                hint = f"did you mean {near[0]}?" if near else f"album.runs={ALL} shows those that are there."
                raise UserError(f"album.runs names {name}, but {outputs}/{name} holds no run; {hint}")
        runs = [read_run(outputs, name) for name in names]
        write_text(path, render_gallery(runs, gallery_command(names if names != there else None)))
    return path


def gallery_command(names: Sequence[str] | None) -> str:
    """The command that makes the gallery of these runs again, None for all there are."""
    shown = ALL if names is None else f"[{','.join(names)}]"
    return shlex.join(["python", "-m", "pipeline", "+stage=album", f"album.runs={shown}"])


def render_gallery(runs: Sequence[GalleryRun], command: str) -> str:
    """The page as HTML; every text is escaped, every path quoted."""
    groups = [(kind, heading, [run for run in runs if run.kind == kind]) for kind, heading in HEADINGS]
    return (
        templates(Path(__file__).parent)
        .get_template("page.html.j2")
        .render(groups=[one for one in groups if one[2]], command=command, authors=AUTHORS, panel=BACKGROUND)
    )
