"""The page of transcriptions: what it says of each recording."""

from __future__ import annotations

from pathlib import Path

from pipeline.pages.transcription import PAGE, write_transcription_page
from pipeline.settings.transcribe import TranscribeSettings
from pipeline.transcription.cache import TranscriptionResult, recording_of


def test_numbers_agree_with_their_nouns_and_remarks_are_sentences(tmp_path: Path) -> None:
    recording = recording_of(tmp_path / "a.wav", TranscribeSettings(), 4)
    report = {
        "seconds": 3.0,
        "bpm": 100.0,
        "bars": 1,
        "beats_per_bar": 3,
        "notes": {"Piano": 1},
        "remarks": ["cut off: 3.0 s of 9.0 s are there"],
    }
    write_transcription_page(tmp_path, [TranscriptionResult(recording, report=report)], "make it")
    page = (tmp_path / PAGE).read_text(encoding="utf-8")
    assert "<h1>1 transcription</h1>" in page
    assert "<li>1 bar of 3 beats</li>" in page
    assert "<p>Cut off: 3.0 s of 9.0 s are there.</p>" in page
