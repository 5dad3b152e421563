"""Pitched notes out of sound: the network of basic-pitch and the decoding of its output."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.errors import UserError
from pipeline.transcription.pitches.multipitch import NoteDecoding, PitchActivations, decode_notes, find_pitches
from tests.sound_makers import melody, tone


def test_played_notes_come_back() -> None:
    played = [60, 64, 67, 72, 55, 48]
    found = find_pitches(melody(played))
    assert found["pitch"].tolist() == played
    assert np.abs(found["start"] - (0.4 + 0.5 * np.arange(6))).max() < 0.02


def test_the_notes_of_a_chord_come_back() -> None:
    chord = melody([60]) + melody([64]) + melody([67])
    assert {60, 64, 67} <= set(find_pitches(chord)["pitch"].tolist())


def test_silence_has_no_notes() -> None:
    assert len(find_pitches(np.zeros(SAMPLE_RATE_HZ * 3, np.float32))) == 0


def test_a_note_struck_again_is_two() -> None:
    onsets, frames = np.zeros((200, 88), np.float32), np.zeros((200, 88), np.float32)
    frames[20:120, 39], onsets[[20, 70], 39] = 0.9, 0.9
    found = decode_notes(PitchActivations(onsets, frames, frames), NoteDecoding())
    assert found["pitch"].tolist() == [60, 60]
    assert found["end"][0] == pytest.approx(found["start"][1], abs=0.02)


def test_the_missing_network_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install --no-deps basic-pitch==0\.4\.0"):
        find_pitches(tone(60, 1))
