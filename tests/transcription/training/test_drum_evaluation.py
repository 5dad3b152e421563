"""Evaluation of drum transcription: its baseline, its alignment, its table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.audio.synthesizers import soundfont_path
from pipeline.errors import UserError
from pipeline.transcription.training.drum_evaluation import find_hits_by_flux, main, offset_by_flux
from pipeline.transcription.training.drum_stems import is_held_out
from pipeline.transcription.training.f1_scores import MatchCounts
from pipeline.transcription.training.rendering.midi_rendering import midi_of
from tests.sound_makers import KICK, chorale, render_rows, rock


def test_spectral_flux_finds_the_kicks_of_a_rock_beat() -> None:
    rows = rock()
    hits = find_hits_by_flux(render_rows(rows, drums=True))
    kicks = rows[rows[:, 2] == KICK, 0]
    counts = MatchCounts()
    counts.add(hits["start"][hits["pitch"] == KICK], kicks, 0.05)
    assert counts.recall >= 0.9
    assert len(find_hits_by_flux(np.zeros(SAMPLE_RATE_HZ, np.float32))) == 0


def test_a_recording_late_beside_its_notes_is_noticed_though_its_music_repeats() -> None:
    rows = chorale()
    sound = np.concatenate([np.zeros(round(1.3 * SAMPLE_RATE_HZ), np.float32), render_rows(rows, drums=False)])
    assert offset_by_flux(sound, rows[:, 0]) == pytest.approx(1.3, abs=0.03)


def test_songs_of_midi_need_a_soundfont(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="take a SoundFont too"):
        main(["--midi", str(tmp_path)])


def test_the_evaluation_command_prints_f1_of_both_methods(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = next(name for name in (f"song{number}.mid" for number in range(99)) if is_held_out(Path(name)))
    (tmp_path / name).write_bytes(midi_of(rock(4), drums=True))
    main(["--midi", str(tmp_path), "--soundfont", str(soundfont_path(None)), "--seconds", "8"])
    lines = capsys.readouterr().out.splitlines()
    kick = next(line.split() for line in lines if line.startswith("  kick"))
    assert kick[:4] == ["kick", "8", "1.00", "(1.00/1.00)"]  # of the network
    assert kick[5].endswith("/1.00)")  # spectral flux finds all of them, and more
    assert any("drums alone, 0.1 min" in line for line in lines)
