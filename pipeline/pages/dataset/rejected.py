"""The page of a data set of which nothing can be used: every file, and why not; `rejects.csv` lies beside it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from pipeline.csv import write_rows
from pipeline.dataset.store import REJECTS, Reject
from pipeline.files import write_text
from pipeline.pages.dataset.page import PAGE
from pipeline.pages.dataset.tables import reasons_of
from pipeline.pages.html import templates


def rejected_directory(directory: Path) -> Path:
    """Where the page lies: beside the directory of the set, which is not touched."""
    return directory.with_name(f"{directory.name}-rejects")


def write_rejected_page(directory: Path, title: str, sentence: str, rejects: Sequence[Reject]) -> Path:
    """Write `index.html` and `rejects.csv` beside the directory of a set that could not be made.

    Parameters
    ----------
    directory
        Of the set.
    title
        What the data set is called.
    sentence
        What is wrong with it.
    rejects
        Every file, and one plain reason.

    Returns
    -------
    The page.
    """
    place = rejected_directory(directory)
    place.mkdir(parents=True, exist_ok=True)
    ordered = sorted(rejects, key=lambda one: os.fsencode(one.path))
    write_rows(place / REJECTS, ordered, Reject)
    page = templates(Path(__file__).parent).get_template("rejected.html.j2")
    sentence = f"{sentence[:1].upper()}{sentence[1:]}."
    write_text(place / PAGE, page.render(title=title, sentence=sentence, reasons=reasons_of(ordered), table=REJECTS))
    return place / PAGE


def remove_rejected_page(directory: Path) -> None:
    """Remove what an earlier try left beside the directory of a set that is made now."""
    shutil.rmtree(rejected_directory(directory), ignore_errors=True)
