"""Sound: what is played agrees with the notes, and files are as loud as asked for without clipping."""

from __future__ import annotations

import math
import stat
from pathlib import Path

import mutagen
import numpy as np
import pyloudnorm
import pytest
import soundfile

from gan.spec import RollSpec, Track
from pipeline.audio.files import Tags, write_compressed, write_wav
from pipeline.audio.loudness import check_wav, loudness_lufs, peak_dbfs
from pipeline.audio.mastering import balanced_volumes, end_cleanly, limit, master, resample
from pipeline.audio.synthesizers import RATE_HZ, check_synth, play, soundfont_path
from pipeline.errors import UserError
from pipeline.rendering.midi import midi_bytes
from pipeline.rendering.mix import mix_song
from pipeline.settings.audio import RenderSettings
from tests.song_makers import song_of

SCALE = (60, 62, 64, 65, 67, 69, 71, 72)
FLUTE = RollSpec((Track("Flute"),))


def rendering(**changes: object) -> RenderSettings:
    values = {
        "synth": "midirenderer",
        "soundfont": None,
        "sample_rate_hz": 44100,
        "loudness_lufs": -16.0,
        "peak_dbfs": -1.0,
        "stems": False,
        "compressed": None,
        "vocal": False,
        "vocal_voice": "en-us",
        "word_times": True,
    }
    return RenderSettings(**values | changes)  # type: ignore[arg-type]


def sine(hertz: float, seconds: float, amplitude: float = 0.5) -> np.ndarray:
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return np.repeat(amplitude * np.sin(2 * np.pi * hertz * time)[:, None], 2, axis=1).astype(np.float32)


def test_each_note_of_a_scale_is_heard_at_its_pitch_and_time() -> None:
    song = song_of([(0, pitch, 4 * index, 4) for index, pitch in enumerate(SCALE)], FLUTE)
    sound = mix_song(song, rendering(), soundfont_path(None)).sound.mean(axis=1)
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
    for settings in (rendering(), rendering(loudness_lufs=-13.0, peak_dbfs=-3.0, sample_rate_hz=48000)):
        sound = mix_song(song, settings, soundfont_path(None)).sound
        rate = settings.sample_rate_hz
        assert loudness_lufs(sound, rate) == pytest.approx(settings.loudness_lufs, abs=0.7)
        assert peak_dbfs(sound) <= settings.peak_dbfs
        assert song.seconds <= len(sound) / rate <= song.seconds + 6.5
        assert np.abs(sound[-20:]).max() < 1e-3, "it has faded at the end"


def test_every_track_is_heard_as_loud_as_the_others_or_as_its_volume_says() -> None:
    even = mix_song(song_of(), rendering(), soundfont_path(None)).track_lufs
    assert set(even) == {"Drums", "Piano", "Bass"}
    assert max(even.values()) - min(even.values()) < 1
    soft = mix_song(song_of(volumes=(1.0, 1.0, 0.5)), rendering(), soundfont_path(None)).track_lufs
    assert soft["Piano"] - soft["Bass"] == pytest.approx(6, abs=1)


def test_stems_add_up_to_the_mix() -> None:
    mix = mix_song(song_of(), rendering(stems=True, loudness_lufs=-24.0), soundfont_path(None))
    total = np.zeros_like(mix.sound[: int(song_of().seconds * 44100)])
    for stem in mix.stems.values():
        total += stem[: len(total)]
    assert np.allclose(total, mix.sound[: len(total)], atol=2e-3)


def test_the_midi_file_says_what_the_mix_does() -> None:
    """The whole song played at once, with the volumes that were found, is the sum of its tracks."""
    mix = mix_song(song_of(), rendering(sample_rate_hz=48000, loudness_lufs=-24.0), soundfont_path(None))
    whole = play(midi_bytes(mix.song), soundfont_path(None), "midirenderer")
    length = min(len(whole), len(mix.sound))
    one, other = whole[:length].ravel(), mix.sound[:length].ravel()
    assert np.corrcoef(one, other)[0, 1] > 0.995


def test_songs_without_notes_or_sound_are_refused() -> None:
    with pytest.raises(UserError, match="no notes"):
        mix_song(song_of(np.zeros((2, 3, 2, 16, 84), bool)), rendering(), soundfont_path(None))


def test_the_limiter_never_exceeds_its_ceiling_and_leaves_the_rest_alone() -> None:
    random = np.random.default_rng(0)
    sound = (0.15 * random.standard_normal((20000, 2))).astype(np.float32)
    sound[9000:9010] *= 8
    limited = limit(sound, 0.9, RATE_HZ)
    assert np.abs(limited).max() <= 0.9
    assert np.array_equal(limited[:8000], sound[:8000]) and np.array_equal(limited[11000:], sound[11000:])
    slope = limited[8900:9100] / np.where(sound[8900:9100] == 0, 1, sound[8900:9100])
    assert np.abs(np.diff(slope, axis=0)).max() < 0.02, "the gain moves smoothly"


def test_master_reaches_its_loudness_even_through_the_limiter() -> None:
    sound = sine(440, 2) * np.where(np.arange(2 * RATE_HZ) % 24000 < 200, 1, 0.1)[:, None].astype(np.float32)
    result, gain = master(sound, RATE_HZ, -18, -6)
    assert loudness_lufs(result, RATE_HZ) == pytest.approx(-18, abs=0.5)
    assert peak_dbfs(result) <= -6 and gain > 1


def test_loudness_of_a_sine_is_what_the_standard_says() -> None:
    """A 997 Hz sine at full scale on one channel is -3.01 LUFS (ITU-R BS.1770-4, page 5)."""
    sound = sine(997, 3, 1.0)
    sound[:, 1] = 0
    assert loudness_lufs(sound, RATE_HZ) == pytest.approx(-3.01, abs=0.05)
    assert loudness_lufs(np.zeros((100, 2), np.float32), RATE_HZ) == -math.inf


def test_loudness_agrees_with_pyloudnorm() -> None:
    random = np.random.default_rng(0)
    loud, soft = (level * random.standard_normal((3 * RATE_HZ, 2)) for level in (0.2, 0.002))
    for sound in (loud, np.concatenate([loud, soft]), np.cumsum(soft, axis=0)):
        wanted = pyloudnorm.Meter(RATE_HZ).integrated_loudness(sound)
        assert loudness_lufs(sound.astype(np.float32), RATE_HZ) == pytest.approx(wanted, abs=0.05)


def test_volumes_bring_loud_tracks_down_to_the_softest() -> None:
    volumes = balanced_volumes([-20.0, -32.0, -math.inf], [1.0, 1.0, 0.5])
    assert volumes[1] == 1.0 and volumes[0] == pytest.approx(0.5, abs=0.01)
    assert volumes[2] == pytest.approx(0.5, abs=0.01)
    louder = balanced_volumes([-20.0, -20.0], [1.0, 0.5])
    assert louder[0] == 1.0 and louder[1] == pytest.approx(10 ** (-6 / 40), abs=0.01)


def test_the_last_note_rings_and_silence_is_cut() -> None:
    sound = np.concatenate([sine(440, 2), 0.01 * sine(440, 1), np.zeros((5 * RATE_HZ, 2), np.float32)])
    ended = end_cleanly(sound, RATE_HZ, 1.5, 6)
    assert len(ended) / RATE_HZ == pytest.approx(3.4, abs=0.02)
    assert np.array_equal(ended[: 2 * RATE_HZ], sound[: 2 * RATE_HZ])
    silent_end = end_cleanly(sine(440, 1), RATE_HZ, 2.0, 6)
    assert len(silent_end) / RATE_HZ == pytest.approx(2.4, abs=0.01), "a song that ends in rests is not cut short"


def test_resampling_keeps_pitch_and_length() -> None:
    converted = resample(sine(440, 1), 48000, 44100)
    assert len(converted) == 44100
    assert np.argmax(np.abs(np.fft.rfft(converted[:, 0]))) == 440


def test_a_wav_is_stereo_16_bit_and_repeatable(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        write_wav(tmp_path / name, sine(440, 0.5), 44100)
    info = soundfile.info(tmp_path / "a.wav")
    assert (info.channels, info.samplerate, info.subtype) == (2, 44100, "PCM_16")
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


@pytest.mark.parametrize("kind", ["mp3", "flac"])
def test_compressed_files_are_tagged(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"song.{kind}"
    write_compressed(path, sine(440, 1), 44100, kind, Tags("Salt", "AlbumGAN", "chorales", 2, 6))
    tags = mutagen.File(path, easy=True)
    found = {key: tags[key][0] for key in ("title", "artist", "album", "tracknumber")}
    assert found == {"title": "Salt", "artist": "AlbumGAN", "album": "chorales", "tracknumber": "2/6"}
    sound, rate = soundfile.read(path)
    assert rate == 44100 and len(sound) / rate == pytest.approx(48000 / 44100, abs=0.1)


def test_checks_tell_what_is_wrong_with_a_wav(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    write_wav(path, sine(440, 2, 0.5), RATE_HZ)
    found, remarks = check_wav(path, 2.0, -1, -6.7, {"Piano": -8.0})
    assert found.peak_dbfs == pytest.approx(-6.02, abs=0.01) and remarks == []
    _, remarks = check_wav(path, 2.0, -1, -16, {"Piano": -40.0})
    assert len(remarks) == 2 and "LUFS" in remarks[0] and "Piano" in remarks[1]
    with pytest.raises(UserError, match="peaks"):
        check_wav(path, 2.0, -7, -6.7, {})
    for seconds in (3.0, -9.0):
        with pytest.raises(UserError, match="lasts"):
            check_wav(path, seconds, -1, -6.7, {})
    write_wav(path, np.zeros((RATE_HZ, 2), np.float32), RATE_HZ)
    with pytest.raises(UserError, match="silent"):
        check_wav(path, 1.0, -1, -16, {})


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
