"""Chords of recordings: a progression is recognised in every key, and what is unclear is unsure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gan.chords import NO_CHORD
from pipeline.errors import UserError
from pipeline.scores.chords.symbols import print_progression, transpose_rows
from pipeline.transcription.chords import RecognisedChords, load_chord_model, recognise_chords
from pipeline.transcription.instruments.network import FAMILIES
from tests.transcription.instruments.label_makers import Played, heard

PIANO, BASS = FAMILIES.index("Piano"), FAMILIES.index("Bass")
STEPS = 22
"""Of a half bar."""
PROGRESSION = ((36, 60, 64, 67), (45, 60, 64, 69), (41, 60, 65, 69), (43, 59, 62, 67))
"""C, Am, F and G, the bass first."""


def labels_of(semitones: int = 0, sure: float = 0.95, times: int = 2) -> NDArray[np.float32]:
    """Each chord for a bar."""
    played = []
    for bar in range(4 * times):
        bass, *others = (pitch + semitones for pitch in PROGRESSION[bar % 4])
        first = 2 * STEPS * bar
        played += [Played(first, first + 2 * STEPS, pitch, PIANO) for pitch in others]
        played.append(Played(first, first + 2 * STEPS, bass, BASS))
    return heard(played, 8 * STEPS * times, sure)[1]


def recognised(labels: NDArray[np.float32]) -> RecognisedChords:
    half_bars = len(labels) // STEPS
    return recognise_chords(labels, STEPS * np.arange(half_bars + 1), np.arange(half_bars) % 2 == 0)


def test_a_progression_is_recognised_with_confidence() -> None:
    found = recognised(labels_of())
    assert print_progression(found.rows) == " | ".join(["C", "Am", "F", "G"] * 2)
    assert found.confidence.min() > 0.6


def test_another_key_is_the_same_music() -> None:
    assert (recognised(labels_of(5)).rows == transpose_rows(recognised(labels_of()).rows, 5)).all()


def test_what_is_hardly_heard_is_less_sure() -> None:
    plain, faint = (recognised(labels_of(sure=sure)).confidence.mean() for sure in (0.95, 0.08))
    assert faint < plain - 0.1


def test_silence_has_no_chord() -> None:
    found = recognised(np.full((8 * STEPS, 88, 2, 5), 0.001, np.float32))
    assert set(found.rows[:, 1]) == {NO_CHORD}


def test_no_half_bars_have_no_chords() -> None:
    found = recognise_chords(np.zeros((0, 88, 2, 5), np.float32), np.zeros(1, np.int64), np.zeros(0, bool))
    assert found.rows.shape == (0, 3)


def test_a_file_without_weights_is_named(tmp_path: Path) -> None:
    (tmp_path / "chords.npz").write_bytes(b"nothing")
    with pytest.raises(UserError, match="weights of chord recognition"):
        load_chord_model(tmp_path / "chords.npz")
