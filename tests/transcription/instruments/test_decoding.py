"""Notes of two networks' activations: their families, and the tune as one line."""

from __future__ import annotations

import pytest

from pipeline.transcription.instruments.decoding import STEP_SECONDS, label_notes, lead_line
from pipeline.transcription.instruments.network import FAMILIES, LEAD
from tests.transcription.instruments.label_makers import Played, heard

PIANO, STRINGS = FAMILIES.index("Piano"), FAMILIES.index("Strings")


def test_each_note_has_the_family_that_plays_it() -> None:
    activations, labels = heard([Played(0, 10, 60, PIANO), Played(5, 20, 76, STRINGS)])
    found = label_notes(activations, labels)
    assert found.notes["pitch"].tolist() == [60, 76]
    assert found.families.argmax(axis=1).tolist() == [PIANO, STRINGS]
    assert found.notes["start"] == pytest.approx([0, 5 * STEP_SECONDS], abs=0.01)
    assert found.notes["end"] == pytest.approx([10 * STEP_SECONDS, 20 * STEP_SECONDS], abs=0.05)


def test_a_note_that_only_the_pitch_network_hears_is_a_ghost() -> None:
    activations, labels = heard([Played(0, 10, 60, PIANO), Played(0, 10, 72, PIANO)])
    labels[:, 72 - 21] = 0.02
    assert label_notes(activations, labels).notes["pitch"].tolist() == [60]


def test_the_tune_is_one_note_at_a_time() -> None:
    played = [Played(0, 12, 72, PIANO, True), Played(10, 20, 74, PIANO, True), Played(0, 20, 48, PIANO)]
    activations, labels = heard(played)
    labelled = label_notes(activations, labels)
    line, taken = lead_line(labelled, labels)
    assert line.notes["pitch"].tolist() == [72, 74]
    assert line.notes["end"][0] <= line.notes["start"][1]
    assert labelled.notes["pitch"][~taken].tolist() == [48]


def test_without_a_tune_nothing_is_taken() -> None:
    activations, labels = heard([Played(0, 10, 60, PIANO)])
    labels[..., LEAD] = 0.05
    line, taken = lead_line(label_notes(activations, labels), labels)
    assert not len(line.notes)
    assert not taken.any()
