"""The General MIDI drum map."""

from __future__ import annotations

from pipeline.transcription.drums.drum_map import DRUMS, NAMES, SAME_DRUM


def test_every_kept_drum_stands_for_itself() -> None:
    assert len(NAMES) == len(DRUMS)
    assert all(SAME_DRUM[drum] == drum for drum in DRUMS)
    assert set(SAME_DRUM.values()) == set(DRUMS)
