"""Stretched and shifted sound: length, place, pitch, attacks, and loops that close."""

from __future__ import annotations

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.audio.loudness import peak_dbfs
from pipeline.audio.stretching import change_loop_speed, change_speed, crossfade, stretch, stretch_loop
from pipeline.audio.synthesizers import RATE_HZ, Sound, play, soundfont_path
from pipeline.transcription.training.rendering.midi_rendering import midi_of
from tests.sound_makers import rock

CLICK_SECONDS = 0.002
TRANSFORMS = [(0.75, 0.0), (1.33, 0.0), (1.0, 3.0), (1.0, 7.0), (1.0, -4.5), (0.8, 2.4)]


def stereo(samples: NDArray[np.floating]) -> Sound:
    """Two channels that are alike."""
    return np.repeat(np.asarray(samples, np.float32)[:, None], 2, axis=1)


def sine(hz: float, num_samples: int) -> NDArray[np.float64]:
    return np.asarray(0.3 * np.sin(2 * np.pi * hz * np.arange(num_samples) / SAMPLE_RATE_HZ))


def main_hz(sound: Sound) -> float:
    """The loudest frequency."""
    spectrum = np.abs(np.fft.rfft(sound[:, 0] * np.hanning(len(sound)), 1 << 20))
    return float(spectrum.argmax() * SAMPLE_RATE_HZ / (1 << 20))


@pytest.mark.parametrize(("ratio", "semitones"), TRANSFORMS)
def test_clicks_come_out_where_they_belong_also_at_the_very_start(ratio: float, semitones: float) -> None:
    places = np.array([0, 20000, 40001, 80000])
    samples = np.zeros(2 * SAMPLE_RATE_HZ)
    samples[places] = 1
    num_samples = round(ratio * len(samples))
    found = stretch(stereo(samples), num_samples, semitones, SAMPLE_RATE_HZ)
    assert found.shape == (num_samples, 2) and found.dtype == np.float32
    for place in np.rint(ratio * places).astype(int).tolist():
        begin = max(place - 2000, 0)
        peak = begin + int(np.abs(found[begin : place + 2000, 0]).argmax())
        assert abs(peak - place) <= CLICK_SECONDS * SAMPLE_RATE_HZ


@pytest.mark.parametrize("semitones", [3.0, -2.35])
def test_pitch_moves_by_fractions_of_semitones_and_tempo_stays(semitones: float) -> None:
    found = stretch(stereo(sine(440, 44100)), 44100, semitones, SAMPLE_RATE_HZ)
    assert 1200 * abs(np.log2(main_hz(found) / 440) - semitones / 12) < 5


def test_tempo_moves_and_pitch_stays() -> None:
    assert main_hz(stretch(stereo(sine(440, 44100)), 30011, 0, SAMPLE_RATE_HZ)) == pytest.approx(440, abs=1)


def test_the_same_seed_gives_the_same_bytes() -> None:
    noise = stereo(np.random.default_rng(0).standard_normal(30000) * 0.1)
    found = [stretch(noise, 40000, 2, SAMPLE_RATE_HZ, seed=4) for _ in range(2)]
    assert found[0].tobytes() == found[1].tobytes()


def test_sound_that_keeps_length_and_pitch_is_left_alone() -> None:
    sound = stereo(sine(330, 5000))
    for found in (stretch(sound, 5000, 0, 44100), stretch_loop(sound, 5000, 0, 44100), change_speed(sound, 5000)):
        assert np.array_equal(found, sound)
        assert found is not sound


def test_peaks_above_full_scale_are_kept() -> None:
    assert peak_dbfs(stretch(stereo(4 * sine(440, 44100)), 50000, 1, SAMPLE_RATE_HZ)) > 1


@pytest.mark.parametrize("channels", [1, 2])
def test_channels_stay_apart(channels: int) -> None:
    sound = stereo(sine(440, 20000))[:, :channels]
    sound[:, channels - 1] = sine(660, 20000)
    found = stretch(sound, 25000, 0, SAMPLE_RATE_HZ)
    assert found.shape == (25000, channels)
    assert main_hz(found[:, -1:]) == pytest.approx(660, abs=2)


@pytest.mark.parametrize(("shape", "num_samples"), [((0, 2), 5), ((5, 2), 0), ((5, 3), 6)])
def test_what_cant_be_stretched_is_refused(shape: tuple[int, int], num_samples: int) -> None:
    for change in (lambda sound: stretch(sound, num_samples, 0, 44100), lambda sound: change_speed(sound, num_samples)):
        with pytest.raises(ValueError, match=r"samples can't become|one channel or two"):
            change(np.zeros(shape, np.float32))


@pytest.mark.parametrize(("num_samples", "semitones"), [(33075, 0.0), (58653, 0.0), (44100, 3.0), (50000, -5.3)])
def test_a_stretched_loop_closes(num_samples: int, semitones: float) -> None:
    loop = stereo(sine(220, 44100) + sine(331, 44100))  # whole periods
    found = stretch_loop(loop, num_samples, semitones, SAMPLE_RATE_HZ)
    assert found.shape == (num_samples, 2)
    twice = np.tile(found[:, 0], 2)
    bend = np.abs(np.diff(twice, 2))
    assert bend[num_samples - 5 : num_samples + 3].max() < 2 * bend[2000 : num_samples - 2000].max()
    frames = twice[num_samples - 2205 : num_samples + 2205].reshape(-1, 441)
    assert np.sqrt((frames**2).mean(axis=1)).min() > 0.6 * np.sqrt((twice**2).mean())


def test_a_turntable_moves_pitch_and_tempo_together() -> None:
    sound = stereo(sine(440, 44100))
    found = change_speed(sound, 35001)
    assert found.shape == (35001, 2) and found.dtype == np.float32
    assert main_hz(found) == pytest.approx(440 * 44100 / 35001, abs=1)
    loop = change_loop_speed(sound, 35001)
    bend = np.abs(np.diff(np.tile(loop, (2, 1))[:, 0], 2))
    assert bend[34990:35010].max() < 1.05 * bend[1000:30000].max()


@pytest.mark.parametrize("other", [1.0, -0.2, 0.0])
def test_a_crossfade_keeps_the_level_of_equal_and_of_unrelated_sounds(other: float) -> None:
    random = np.random.default_rng(1)
    one = random.standard_normal((4410, 2)).astype(np.float32)
    two = other * one + np.sqrt(1 - other**2) * random.standard_normal((4410, 2)).astype(np.float32)
    found = crossfade(one, two.astype(np.float32))
    assert np.sqrt((found**2).mean()) == pytest.approx(1, abs=0.06)
    assert np.abs(found[0] - one[0]).max() < 0.01 and np.abs(found[-1] - two[-1]).max() < 0.01


def rendered(rows: NDArray[np.float64], drums: bool, seconds: float) -> Sound:
    """Notes (start, end, pitch, velocity, program) as sound of so many seconds."""
    sound = soxr.resample(play(midi_of(rows, drums), soundfont_path(None), "midirenderer"), RATE_HZ, SAMPLE_RATE_HZ)
    num_samples = round(seconds * SAMPLE_RATE_HZ)
    return np.pad(sound[:num_samples], ((0, max(num_samples - len(sound), 0)), (0, 0)))


def piano_and_bass() -> NDArray[np.float64]:
    """Broken chords of a piano over a bass, from 0.25 s on."""
    rows = []
    for beat, root in enumerate((60, 57, 65, 67) * 2):
        start = 0.25 + 0.5 * beat
        rows += [
            (start + 0.25 * step, start + 0.25 * step + 0.4, root + third, 90, 0) for step, third in ((0, 4), (1, 7))
        ]
        rows.append((start, start + 0.45, root - 24, 100, 33))
    return np.array(rows, np.float64)


def log_spectrum(sound: Sound) -> NDArray[np.float64]:
    """Decibels in 60 mel bands, `[bands, frames]`, no further than 60 below the loudest."""
    import librosa

    power = librosa.feature.melspectrogram(y=sound.mean(axis=1), sr=SAMPLE_RATE_HZ, n_mels=60, fmin=40, fmax=12000)
    return np.asarray(10 * np.log10(power / power.max() + 1e-6), np.float64)


def log_spectral_distance(one: Sound, two: Sound) -> float:
    """Mean over time of the root mean square over bands, in decibels."""
    return float(np.sqrt(((log_spectrum(one) - log_spectrum(two)) ** 2).mean(axis=0)).mean())


def attack_share(sound: Sound, onsets: NDArray[np.float64]) -> float:
    """Share of the spectral flux within 50 ms of each onset that lies within 8 ms of its peak."""
    frames = np.lib.stride_tricks.sliding_window_view(sound.mean(axis=1), 256)[::44]
    flux = np.maximum(np.diff(np.abs(np.fft.rfft(frames * np.hanning(256), axis=1)), axis=0), 0).sum(axis=1)
    shares = []
    for onset in onsets:
        middle = round((onset * SAMPLE_RATE_HZ - 128) / 44)
        around = flux[max(middle - 50, 0) : middle + 50]
        peak = int(around.argmax())
        shares.append(around[max(peak - 8, 0) : peak + 9].sum() / around.sum())
    return float(np.mean(shares))


@pytest.mark.parametrize(
    ("ratio", "semitones", "drums"), [(0.75, 0, True), (1.33, 0, True), (1.33, 0, False), (1, 3, False), (1, -3, False)]
)
def test_stretched_sound_is_like_that_of_the_notes_played_so(ratio: float, semitones: int, drums: bool) -> None:
    rows = rock(2) if drums else piano_and_bass()
    moved = rows * np.array([ratio, ratio, 1, 1, 1]) + np.array([0, 0, semitones, 0, 0])
    truth = rendered(moved, drums, 4.5 * ratio)
    found = stretch(rendered(rows, drums, 4.5), len(truth), semitones, SAMPLE_RATE_HZ)
    assert log_spectral_distance(found, truth) < (5.5 if semitones else 3.8)
    onsets = np.unique(moved[:, 0])
    assert attack_share(found, onsets) > 0.9 * attack_share(truth, onsets)
