"""Sound of windows: their sum is the sound of the track, and the gains make of it what the stage `render` makes."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gan.spec import RollSpec, Track
from pipeline.audio.synthesizers import soundfont_path
from pipeline.files import read_json
from pipeline.rendering.mix import mix_song
from pipeline.songs.song import Song
from pipeline.studio.server.sound.balance import Balance, Balancer, balance_of, measure
from pipeline.studio.server.sound.playing import WAV_HZ, WindowNotes, play_window
from pipeline.studio.server.sound.store import Processes, SoundStore
from pipeline.studio.server.sound.windows import LEAD_SECONDS, record_windows, window_seconds, windows_of
from tests.render_makers import render_settings
from tests.song_makers import random_planes, song_of

FONT = soundfont_path(None)
TRIO = RollSpec((Track("Drums", is_drum=True), Track("Piano"), Track("Bass")))


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


def lively_song(bars: int = 4) -> Song:
    """Four bars that swing, slow down, and whose notes come early and late."""
    planes = random_planes(TRIO, bars, 0.004, seed=3)
    slower = ((0, 97.0), (30, 91.0), (53, 84.0))
    return song_of(planes, TRIO, humanized=1.0, tempo_map=slower, swing=0.6, programs=(0, 4, 33))


def sum_of(song: Song, track: int) -> np.ndarray:
    """The windows of a track, each at its time, `[samples, 2]` at `WAV_HZ`."""
    lead = round(LEAD_SECONDS * WAV_HZ)
    total = np.zeros((round((song.seconds + 8) * WAV_HZ) + lead, 2))
    for window, seconds in zip(windows_of(song)[track], window_seconds(song), strict=True):
        if window is not None:
            sound = sound_of(window)
            start = round(seconds * WAV_HZ)
            total[start : start + len(sound)] += sound
    return total[lead:]


def sound_of(window: WindowNotes) -> np.ndarray:
    return np.asarray(soundfile.read(io.BytesIO(play_window(window, FONT, "midirenderer")))[0])


def balance(balancer: Balancer, song: Song) -> Balance:
    windows = windows_of(song)
    names = {track: balancer.store.names(own) for track, own in windows.items()}
    return balancer.balance(("0" * 32, 1), song, windows, names)


def decibels(difference: np.ndarray, reference: np.ndarray) -> float:
    return float(10 * np.log10((difference**2).mean() / (reference**2).mean()))


def test_the_windows_of_a_song_add_up_to_the_stems_of_its_mix() -> None:
    song, settings = lively_song(), render_settings(stems=True, loudness_lufs=-30.0)
    mix = mix_song(song, settings, FONT)
    found = balance_of(song, measure(song, settings, FONT, ()), settings.loudness_lufs)
    for index, (name, stem) in enumerate(mix.stems.items()):
        heard = sum_of(song, index)[: len(stem)] * found.gains[name] * found.master
        assert decibels(heard - stem, stem) < -45, name


def test_a_window_begins_at_its_first_step_however_early_its_first_note_comes() -> None:
    notes = [(1, 60, 0, 4), (1, 60, 32, 4)]
    early = np.array([0, -20], np.int16)  # ticks
    song = song_of(notes, TRIO, bars=4, timing_ticks=early)
    first, second = (window for window in windows_of(song)[1] if window is not None)
    hit = [
        np.flatnonzero(np.abs(sound_of(one)).max(axis=1) > 1e-3)[0] / WAV_HZ - LEAD_SECONDS for one in (first, second)
    ]
    assert hit[0] == pytest.approx(0, abs=0.01)
    assert hit[1] - hit[0] == pytest.approx(-20 / 480 / 2, abs=0.003)


def test_a_tail_rings_into_the_next_window_and_ends_in_silence() -> None:
    song = song_of([(1, 60, 28, 4)], TRIO, bars=4, programs=(0, 0, 33))
    window, empty = windows_of(song)[1]
    assert empty is None
    assert window is not None
    sound = sound_of(window)
    assert 4.1 < len(sound) / WAV_HZ < 4.1 + 3
    assert np.abs(sound[-1]).max() > 1e-4


def test_names_follow_what_is_heard(threads: ThreadPoolExecutor) -> None:
    store = SoundStore(threads, FONT, "midirenderer")
    song = lively_song()
    names = store.names(windows_of(song)[1])
    assert store.names(windows_of(replace(song, volumes=(0.1, 0.2, 0.3)))[1]) == names, "volumes are gains"
    other = song.notes["track"] == 1
    last = np.flatnonzero(other)[-1]
    velocities = song.velocities.copy()
    velocities[last] = 127 - velocities[last]
    changed = store.names(windows_of(replace(song, velocities=velocities))[1])
    assert [one == two for one, two in zip(names, changed, strict=True)] == [True, False]
    assert store.names(windows_of(replace(song, programs=(0, 5, 33)))[1])[0] != names[0]


def test_sounds_are_played_once_and_the_oldest_forgotten(threads: ThreadPoolExecutor) -> None:
    song = lively_song()
    store = SoundStore(threads, FONT, "midirenderer", num_bytes=1_200_000)
    names = [name for track in windows_of(song).values() for name in store.names(track) if name]
    assert store.sound("0" * 32) is None
    sounds = []
    for name in names:
        coming = store.sound(name)
        assert coming is not None
        sounds.append(coming.result())
        again = store.sound(name)
        assert again is coming
    held = [future.result() for future in store._sounds.values()]
    assert 0 < sum(map(len, held)) <= 1_200_000 < sum(map(len, sounds))
    first = store.sound(names[0])
    assert first is not None
    assert first.result() == sounds[0], "what was forgotten is played again"


def test_a_balance_is_estimated_at_once_and_measured_when_the_song_rests(
    threads: ThreadPoolExecutor, tmp_path: Path
) -> None:
    song, settings = lively_song(), render_settings()
    store = SoundStore(threads, FONT, "midirenderer")
    balancer = Balancer(store, threads, settings, tmp_path / "balance.json", rest_seconds=0.01)
    first = balance(balancer, song)
    assert not first.is_measured
    while not (tmp_path / "balance.json").exists():
        time.sleep(0.02)
    second = balance(balancer, song)
    assert second.is_measured
    mix = mix_song(song, settings, FONT)
    assert second.gains == pytest.approx(mix.amplitudes)
    assert second.master == pytest.approx(mix.gain)
    for name, gain in first.gains.items():
        assert abs(20 * np.log10(gain / second.gains[name])) < 6
    soft = replace(song, volumes=(0.8, 0.8, 0.4))
    third = balance(balancer, soft)
    assert third.gains["Bass"] / third.gains["Piano"] == pytest.approx(
        second.gains["Bass"] / second.gains["Piano"] / 2, rel=0.05
    ), "a volume is heard at once"
    balancer.stop()
    assert len(read_json(tmp_path / "balance.json")) == 1
    again = Balancer(store, threads, settings, tmp_path / "balance.json", rest_seconds=9)
    assert balance(again, song).is_measured, "also after a restart"
    again.stop()


def test_records_are_cut_at_the_windows() -> None:
    song = lively_song()
    record = np.random.default_rng(0).uniform(-0.5, 0.5, (round(song.seconds * WAV_HZ) + 200, 2)).astype(np.float32)
    pieces = record_windows(song, record)
    lead = round(LEAD_SECONDS * WAV_HZ)
    assert len(pieces) == 2
    assert not any(piece[:lead].any() for piece in pieces)
    assert np.array_equal(np.concatenate([piece[lead:] for piece in pieces]), record)


@pytest.mark.slow
def test_processes_play_and_one_that_died_is_replaced() -> None:
    window = next(one for one in windows_of(lively_song())[1] if one is not None)
    processes = Processes()
    try:
        with pytest.raises(BaseException, match="terminated abruptly"):
            processes.submit(os._exit, 1).result()
        assert processes.submit(play_window, window, FONT, "midirenderer").result()[:4] == b"RIFF"
    finally:
        processes.stop()
