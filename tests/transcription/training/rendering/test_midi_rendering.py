"""Notes of MIDI files as rows of numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.transcription.training.rendering.midi_rendering import midi_of, read_notes
from tests.sound_makers import rock


def test_notes_survive_their_midi_file(tmp_path: Path) -> None:
    path = tmp_path / "rock.mid"
    path.write_bytes(midi_of(rock(1), drums=True))
    notes = read_notes(path)
    assert notes is not None
    assert len(notes.pitched) == 0
    np.testing.assert_allclose(np.sort(notes.drums[:, 0]), np.sort(rock(1)[:, 0]), atol=2e-3)
    path.write_bytes(b"MThd")
    assert read_notes(path) is None
