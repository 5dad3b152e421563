"""The mix: what is played agrees with the notes, is as loud as asked for, and does not clip."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.audio.loudness import loudness_lufs, peak_dbfs
from pipeline.audio.synthesizers import play, soundfont_path
from pipeline.errors import UserError
from pipeline.rendering.midi import midi_bytes
from pipeline.rendering.mix import mix_song
from tests.render_makers import FLUTE, render_settings
from tests.song_makers import song_of

SCALE = (60, 62, 64, 65, 67, 69, 71, 72)


def test_each_note_of_a_scale_is_heard_at_its_pitch_and_time() -> None:
    song = song_of([(0, pitch, 4 * index, 4) for index, pitch in enumerate(SCALE)], FLUTE)
    sound = mix_song(song, render_settings(), soundfont_path(None)).sound.mean(axis=1)
    for index, pitch in enumerate(SCALE):
        middle = sound[round((index / 2 + 0.15) * 44100) : round((index / 2 + 0.45) * 44100)]
        power = np.abs(np.fft.rfft(middle * np.hanning(len(middle)), 1 << 16)) ** 2
        hertz = np.fft.rfftfreq(1 << 16, 1 / 44100)
        energy = {
            other: power[np.abs(hertz / (440 * 2 ** ((other - 69) / 12)) - 1) < 0.02].sum()
            for other in range(pitch - 11, pitch + 12)
        }
        assert max(energy, key=energy.__getitem__) == pitch


def test_a_rendered_song_has_the_length_loudness_and_peak_asked_for() -> None:
    song = song_of()
    for settings in (render_settings(), render_settings(loudness_lufs=-13.0, peak_dbfs=-3.0, sample_rate_hz=48000)):
        sound = mix_song(song, settings, soundfont_path(None)).sound
        rate = settings.sample_rate_hz
        assert loudness_lufs(sound, rate) == pytest.approx(settings.loudness_lufs, abs=0.7)
        assert peak_dbfs(sound) <= settings.peak_dbfs
        assert song.seconds <= len(sound) / rate <= song.seconds + 6.5
        assert np.abs(sound[-20:]).max() < 1e-3, "it has faded at the end"


def test_every_track_is_heard_as_loud_as_the_others_or_as_its_volume_says() -> None:
    even = mix_song(song_of(), render_settings(), soundfont_path(None)).track_lufs
    assert set(even) == {"Drums", "Piano", "Bass"}
    assert max(even.values()) - min(even.values()) < 1
    soft = mix_song(song_of(volumes=(1.0, 1.0, 0.5)), render_settings(), soundfont_path(None)).track_lufs
    assert soft["Piano"] - soft["Bass"] == pytest.approx(6, abs=1)


def test_stems_add_up_to_the_mix() -> None:
    mix = mix_song(song_of(), render_settings(stems=True, loudness_lufs=-24.0), soundfont_path(None))
    total = np.zeros_like(mix.sound[: int(song_of().seconds * 44100)])
    for stem in mix.stems.values():
        total += stem[: len(total)]
    assert np.allclose(total, mix.sound[: len(total)], atol=2e-3)


def test_the_midi_file_says_what_the_mix_does() -> None:
    """The whole song played at once, with the volumes that were found, is the sum of its tracks."""
    mix = mix_song(song_of(), render_settings(sample_rate_hz=48000, loudness_lufs=-24.0), soundfont_path(None))
    whole = play(midi_bytes(mix.song), soundfont_path(None), "midirenderer")
    length = min(len(whole), len(mix.sound))
    one, other = whole[:length].ravel(), mix.sound[:length].ravel()
    assert np.corrcoef(one, other)[0, 1] > 0.995


def test_songs_without_notes_or_sound_are_refused() -> None:
    with pytest.raises(UserError, match="no notes"):
        mix_song(song_of(np.zeros((2, 3, 2, 16, 84), bool)), render_settings(), soundfont_path(None))
