"""The page of transcriptions: what it says of each recording."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote_to_bytes

from pipeline.pages.transcription import PAGE, write_transcription_page
from pipeline.scores.tracks import HEARD_TRACKS
from pipeline.settings.transcribe import TranscribeSettings
from pipeline.transcription.cache import TranscriptionResult, recording_of


def page_of(directory: Path, name: str = "a.wav", **changes: object) -> str:
    """The page of one recording beside it, whose report has these changes."""
    recording = recording_of(directory / name, TranscribeSettings(), 4)
    report = {
        "seconds": 3.0,
        "bpm": 100.0,
        "bars": 1,
        "beats_per_bar": 3,
        "notes": {"Piano": 1},
        "remarks": [],
    }
    write_transcription_page(directory, [TranscriptionResult(recording, report=report | changes)], "make it")
    return (directory / PAGE).read_text(encoding="utf-8")


def test_numbers_agree_with_their_nouns_and_remarks_are_sentences(tmp_path: Path) -> None:
    page = page_of(tmp_path, remarks=["cut off: 3.0 s of 9.0 s are there"])
    assert "<h1>1 transcription</h1>" in page
    assert "<li>1 bar of 3 beats</li>" in page
    assert "<p>Cut off: 3.0 s of 9.0 s are there.</p>" in page


def test_recording_and_transcription_are_linked_from_where_they_lie(tmp_path: Path) -> None:
    page = page_of(tmp_path, "50% #1 \udce9.wav")
    recording, sound = re.findall(r'<audio [^>]*src="([^"]*)"', page)
    assert recording == "50%25%20%231%20%E9.wav"
    assert os.fsencode(tmp_path / "50% #1 \udce9.wav") == os.fsencode(tmp_path) + b"/" + unquote_to_bytes(recording)
    assert sound.endswith("/sound.ogg") and "://" not in page


def test_a_recording_that_was_heard_badly_says_so_and_what_it_teaches(tmp_path: Path) -> None:
    badly = page_of(tmp_path, confidence=[0.3, 0.2, 0.6], known=["Bass", "Lead"])
    assert "the mean confidence of its bars is 0.37, and 2 of 3 bars are shaded in the picture as doubtful." in badly
    assert "Known tracks: Lead, Bass. Unknown, whatever they play: Drums, Piano, Guitar, Strings." in badly
    well = page_of(tmp_path, confidence=[0.4, 0.4], known=list(HEARD_TRACKS))
    assert "heard badly" not in well and "Unknown" not in well
    assert "Known" not in page_of(tmp_path), "where nobody asked"
    assert "It teaches no track" in page_of(tmp_path, confidence=[0.1], known=[])
