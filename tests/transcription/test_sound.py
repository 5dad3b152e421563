"""The sound of a transcription, beside its recording."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.transcription.beats.grid import Beats
from pipeline.transcription.midi import transcription_midi
from pipeline.transcription.sound import write_transcription_sound
from tests.sound_makers import melody, timed_hits, timed_notes, transcribed


@pytest.mark.parametrize("first_beat", [1.5, 0.0, -0.75])
def test_notes_sound_when_they_do_in_the_recording_whenever_its_first_bar_begins(
    tmp_path: Path, first_beat: float
) -> None:
    """Two notes, the later one louder; a bar line before the recording begins cuts nothing off that sounds."""
    recording = np.pad(melody([60, 64, 67, 72]), (0, 4 * SAMPLE_RATE_HZ))
    notes = timed_notes((1.75, 1.9, 60, 90), (3.0, 3.4, 64, 120))
    beats = Beats(first_beat + 0.75 * np.arange(9), 4)
    found = transcribed(notes, timed_hits(), beats, "Piano", len(recording) / SAMPLE_RATE_HZ)
    write_transcription_sound(tmp_path / "a.ogg", transcription_midi(found, "a"), first_beat, recording)
    sound, rate = soundfile.read(tmp_path / "a.ogg")
    assert sound.ndim == 1 and len(sound) / rate == pytest.approx(len(recording) / SAMPLE_RATE_HZ, abs=1e-3)
    level = np.abs(sound)
    begins = int(np.argmax(level > 0.05 * level.max())) / rate
    assert begins == pytest.approx(1.75, abs=0.03)
    later = level[round(2.8 * rate) :]
    assert int(np.argmax(later > 0.3 * level.max())) / rate == pytest.approx(0.2, abs=0.03)
    assert level.max() <= 1


def test_a_transcription_is_as_loud_as_its_recording(tmp_path: Path) -> None:
    recording = 0.1 * melody([60, 64, 67, 72], seconds=0.5)
    notes = timed_notes(*((0.5 * at, 0.5 * at + 0.5, pitch, 90) for at, pitch in enumerate((60, 64, 67, 72))))
    found = transcribed(notes, timed_hits(), Beats(0.5 * np.arange(9), 4), "Piano", len(recording) / SAMPLE_RATE_HZ)
    write_transcription_sound(tmp_path / "a.ogg", transcription_midi(found, "a"), 0.0, recording)
    sound, _ = soundfile.read(tmp_path / "a.ogg")
    assert np.sqrt(np.mean(sound**2)) == pytest.approx(np.sqrt(np.mean(recording**2)), rel=0.1)
