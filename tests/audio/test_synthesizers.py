"""Synthesizers: what is missing is named, and the system's program is called as it wants to be."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from pipeline.audio.files import write_wav
from pipeline.audio.synthesizers import RATE_HZ, check_synth, play, soundfont_path
from pipeline.errors import UserError
from pipeline.rendering.midi import midi_bytes
from tests.render_makers import sine
from tests.song_makers import song_of


def test_a_missing_synthesizer_or_soundfont_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="fluidsynth is not installed"):
        check_synth("fluidsynth")
    with pytest.raises(UserError, match="midirenderer, fluidsynth"):
        check_synth("theremin")
    with pytest.raises(UserError, match="no such file"):
        soundfont_path(str(tmp_path / "none.sf2"))
    (tmp_path / "text.sf2").write_text("this is no font of sounds")
    with pytest.raises(UserError, match="no SoundFont"):
        soundfont_path(str(tmp_path / "text.sf2"))
    assert soundfont_path(None).name == "TimGM6mb.sf2"


def test_the_system_fluidsynth_is_called_with_song_and_soundfont(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A stand-in program writes down its arguments and copies a WAV to where `-F` says."""
    write_wav(tmp_path / "tone.wav", sine(440, 1), RATE_HZ)
    program = tmp_path / "fluidsynth"
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/words\ncp {tmp_path}/tone.wav "${{11}}"\n')
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    sound = play(midi_bytes(song_of()), soundfont_path(None), "fluidsynth")
    assert sound.shape == (RATE_HZ, 2)
    words = (tmp_path / "words").read_text().split()
    assert words[-2].endswith("TimGM6mb.sf2") and words[-1].endswith(".mid") and str(RATE_HZ) in words
    program.write_text("#!/bin/sh\necho cannot open audio >&2\nexit 3\n")
    with pytest.raises(UserError, match="cannot open audio"):
        play(midi_bytes(song_of()), soundfont_path(None), "fluidsynth")
