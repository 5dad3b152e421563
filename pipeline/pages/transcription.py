"""The page of transcriptions: pictures, MIDI files, and what was found in each recording."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pipeline.drawing.palette import BACKGROUND
from pipeline.files import write_text
from pipeline.pages.html import templates
from pipeline.transcription.cache import TranscriptionResult

PAGE = "index.html"


def write_transcription_page(directory: Path, found: Sequence[TranscriptionResult], command: str) -> None:
    """Write `index.html` into `directory`.

    Parameters
    ----------
    directory
        Where it goes; paths to pictures and MIDI files begin there.
    found
        What came of each recording.
    command
        What makes the page again.
    """
    rows = [
        {
            "title": one.recording.title,
            "path": one.recording.path,
            "report": one.report,
            "midi": os.path.relpath(one.midi, directory),
            "picture": os.path.relpath(one.picture, directory),
        }
        for one in found
        if not one.problem
    ]
    lost = [one for one in found if one.problem]
    page = templates(Path(__file__).parent).get_template("transcription.html.j2")
    write_text(directory / PAGE, page.render(rows=rows, lost=lost, command=command, panel=BACKGROUND))
