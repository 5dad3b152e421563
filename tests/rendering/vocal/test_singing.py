"""The guide vocal: the voice has the pitch of its notes, and what is missing is named."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from pipeline.audio.loudness import loudness_lufs
from pipeline.audio.synthesizers import soundfont_path
from pipeline.errors import UserError
from pipeline.lyrics.alignment.alignment import fit_words
from pipeline.rendering.mix import mix_song
from pipeline.rendering.vocal import singing as vocal
from pipeline.rendering.vocal.singing import ABOVE_MELODY_LU, PACKAGES, VOCAL, check_vocal
from pipeline.songs.sung_syllables import seconds_of, with_words
from pipeline.stages import render
from tests.conftest import ROOT
from tests.render_makers import FLUTE, render_settings
from tests.song_makers import configured, song_of

THERE = all(find_spec(name) for name in PACKAGES)


def test_missing_packages_are_named_with_the_command_that_brings_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocal, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r'pip install "espeakng-loader==0\.2\.4" "pyworld-prebuilt==0\.3\.6\.post1"'):
        render.inputs(configured("+stage=render", "render.vocal=true"))


def test_the_packages_are_those_of_the_extra() -> None:
    listed = ", ".join(f'"{package}"' for package in PACKAGES.values())
    assert f"vocal = [{listed}]" in (ROOT / "pyproject.toml").read_text()


def test_without_words_there_is_no_voice() -> None:
    mix = mix_song(song_of(), render_settings(vocal=True), soundfont_path(None))
    assert mix.stems == {} and VOCAL not in mix.track_lufs


@pytest.mark.slow
@pytest.mark.skipif(not THERE, reason="the packages of the extra `vocal` are not installed")
def test_the_words_are_sung_on_their_notes() -> None:
    import librosa

    notes = [(0, pitch, 8 * index, 8) for index, pitch in enumerate((72, 74, 76, 79, 77, 76, 74, 72))]
    song = song_of(notes, FLUTE, bars=4)
    words = fit_words(song, {0: ["The river is"], 1: ["over the hill"]}, None, english=True).syllables
    song = with_words(song, words)
    mix = mix_song(song, render_settings(vocal=True, stems=True), soundfont_path(None), words)
    stem = mix.stems[VOCAL].mean(axis=1)
    hertz, voiced, _ = librosa.pyin(stem[::2], fmin=100, fmax=700, sr=22050, frame_length=1024, hop_length=110)
    at = np.arange(len(hertz)) * 110 / 22050
    for one, (start, end) in zip(words, seconds_of(song, words), strict=True):
        inside = (at > start + 0.1) & (at < start + 0.7 * (end - start))
        assert voiced[inside].mean() > 0.8, one.text
        heard = np.median(69 + 12 * np.log2(hertz[inside & voiced] / 440))
        assert heard == pytest.approx(one.pitch - 12, abs=0.5), one.text
    assert mix.track_lufs[VOCAL] - mix.track_lufs["Flute"] == pytest.approx(ABOVE_MELODY_LU)
    assert loudness_lufs(mix.stems[VOCAL], 44100) == pytest.approx(mix.track_lufs[VOCAL], abs=0.5)
    assert np.abs(mix.stems[VOCAL]).max() < 1
    again = mix_song(song, render_settings(vocal=True), soundfont_path(None), words)
    assert np.array_equal(again.stems[VOCAL], mix.stems[VOCAL]) and np.array_equal(again.sound, mix.sound)


@pytest.mark.skipif(not THERE, reason="the packages of the extra `vocal` are not installed")
def test_an_unknown_voice_is_named() -> None:
    with pytest.raises(UserError, match=r"render\.vocal_voice=xx-klingon"):
        check_vocal("xx-klingon")
