"""Parts of a recording: what is heard well is known, what is not is unsure."""

from __future__ import annotations

import numpy as np

from pipeline.transcription.instruments.decoding import label_notes
from pipeline.transcription.instruments.network import FAMILIES
from pipeline.transcription.instruments.parts import hear_parts, probability_right
from tests.transcription.instruments.label_makers import Played, heard

PIANO, GUITAR, BASS, STRINGS = range(len(FAMILIES))


def band(steps: int = 400) -> list[Played]:
    notes = []
    for first in range(0, steps - 10, 10):
        notes += [Played(first, first + 9, 72 + first // 10 % 5, STRINGS, True), Played(first, first + 10, 40, BASS)]
        notes += [Played(first, first + 10, pitch, PIANO) for pitch in (55, 60, 64)]
    return notes


def test_a_band_is_told_apart() -> None:
    parts = {part.name: part for part in hear_parts(*heard(band(), 400))}
    assert list(parts) == ["Lead", "Piano", "Bass"]
    assert set(parts["Piano"].notes["pitch"]) == {55, 60, 64}
    assert set(parts["Bass"].notes["pitch"]) == {40}
    assert parts["Lead"].program == 73  # strings and winds lead


def test_a_family_that_is_not_sure_is_unknown() -> None:
    activations, labels = heard(band(), 400)
    piano = labels[:, :, :, PIANO] > 0.5
    labels[:, :, :, PIANO][piano], labels[:, :, :, GUITAR][piano] = 0.3, 0.28
    parts = {part.name: part for part in hear_parts(activations, labels)}
    assert list(parts) == ["Lead", "Bass", "Unsure"]
    assert set(parts["Unsure"].notes["pitch"]) == {55, 60, 64}


def test_the_rest_is_what_its_owner_says() -> None:
    parts = {part.name: part for part in hear_parts(*heard(band(), 400), rest="Guitar")}
    assert list(parts) == ["Lead", "Guitar", "Bass"]
    assert set(parts["Guitar"].notes["pitch"]) == {55, 60, 64}


def test_a_bass_plays_one_note_at_a_time() -> None:
    """The octave above each note is heard as bass too, a little longer than the note: it is left out."""
    notes = [Played(first, first + 12, 52, BASS) for first in range(0, 390, 20)]
    notes += [Played(first, first + 10, 40, BASS) for first in range(0, 390, 10)]
    (bass,) = hear_parts(*heard(notes, 400))
    assert bass.name == "Bass" and set(bass.notes["pitch"]) == {40}
    assert len(bass.right) == len(bass.notes) == 39
    assert (bass.notes["end"][:-1] <= bass.notes["start"][1:] + 1e-9).all()


def test_a_faint_note_is_less_sure_than_a_plain_one() -> None:
    activations, labels = heard([Played(0, 10, 60, PIANO), Played(20, 30, 64, PIANO)])
    labels[20:30, 64 - 21] *= 0.5
    labelled = label_notes(activations, labels)
    sure, faint = probability_right(labelled)
    assert sure > faint + 0.1
    assert np.all((probability_right(labelled) > 0) & (probability_right(labelled) < 1))


def test_silence_has_no_parts() -> None:
    assert hear_parts(*heard([])) == []
