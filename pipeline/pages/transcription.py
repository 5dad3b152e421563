"""The page of transcriptions: pictures, MIDI files, what was found in each recording, and the two to hear in turn."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pipeline.drawing.palette import BACKGROUND
from pipeline.files import write_text
from pipeline.formats import printable
from pipeline.pages.html import templates
from pipeline.scores.tracks import HEARD_TRACKS
from pipeline.transcription.cache import TranscriptionResult
from pipeline.transcription.picture import DOUBTFUL

PAGE = "index.html"
BADLY_HEARD = 0.4
"""A recording whose bars were heard with less confidence on average is said to be heard badly."""


def write_transcription_page(directory: Path, found: Sequence[TranscriptionResult], command: str) -> None:
    """Write `index.html` into `directory`.

    Parameters
    ----------
    directory
        Where it goes; paths to recordings, sounds, pictures and MIDI files begin there.
    found
        What came of each recording.
    command
        What makes the page again.
    """
    rows = [
        {
            "title": one.recording.title,
            "path": printable(one.recording.path),
            "report": one.report | {"remarks": one.remarks},
            "recording": quote(os.fsencode(os.path.relpath(one.recording.path, directory))),
            "sound": os.path.relpath(one.sound, directory),
            "midi": os.path.relpath(one.midi, directory),
            "notes": os.path.relpath(one.notes, directory),
            "picture": os.path.relpath(one.picture, directory),
        }
        | trust(one)
        for one in found
        if not one.problem
    ]
    lost = [one for one in found if one.problem]
    page = templates(Path(__file__).parent).get_template("transcription.html.j2")
    write_text(directory / PAGE, page.render(rows=rows, lost=lost, command=command, panel=BACKGROUND))


def trust(one: TranscriptionResult) -> dict[str, Any]:
    """How far a transcription is to be trusted: its mean confidence, doubtful bars, and which tracks it teaches."""
    mean = sum(one.confidence) / len(one.confidence) if one.confidence else 1.0
    known = [name for name in HEARD_TRACKS if name in (one.known or ())]
    return {
        "mean_confidence": mean,
        "is_badly_heard": mean < BADLY_HEARD,
        "num_doubtful": sum(confidence < DOUBTFUL for confidence in one.confidence),
        "known": known,
        "unknown": [] if one.known is None else [name for name in HEARD_TRACKS if name not in known],
    }
