"""Loops of old records in the mix."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.audio.files import write_fine_wav
from pipeline.audio.loudness import loudness_lufs
from pipeline.audio.synthesizers import RATE_HZ, Sound, soundfont_path
from pipeline.errors import UserError
from pipeline.rendering.mix import mix_song
from pipeline.rendering.record import RECORD, play_loops, read_loops
from pipeline.scores.structure.flipped_loops import FlippedLoop, LoopEvent
from pipeline.songs.song import Song
from tests.render_makers import render_settings
from tests.song_makers import PHRASE, song_of

LOOP = FlippedLoop("old.mp3", 0, 1, 0.0, 2.0, 0, 1.0, False, 16, "01-loop-1.wav")
BAR_SAMPLES = 2 * RATE_HZ  # 120 beats a minute


def flipped(*events: LoopEvent, bars: int = 4, with_bass: bool = False) -> Song:
    notes = PHRASE if with_bass else [one for one in PHRASE if one[0] != 2]
    return song_of(notes, bars=bars, loops=(LOOP,), loop_events=events)


def tone(hertz: float, seconds: float = 2.0) -> Sound:
    wave = 0.3 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)
    return np.repeat(wave.astype(np.float32)[:, None], 2, axis=1)


def level(sound: Sound) -> float:
    return float(np.sqrt(np.mean(sound.astype(np.float64) ** 2)))


def test_a_loop_comes_again_with_every_bar_without_a_click() -> None:
    heard = play_loops(flipped(LoopEvent(0, 48, 0)), [tone(440.0)])
    expected = np.tile(tone(440.0), (3, 1))
    assert np.allclose(heard[: len(expected)], expected, atol=1e-6)


def test_it_is_silent_where_the_song_says_so_and_attacks_stand_on_the_bar_line() -> None:
    click = np.zeros((BAR_SAMPLES, 2), np.float32)
    click[0] = 1
    heard = play_loops(flipped(LoopEvent(16, 16, 0)), [click])
    assert int(np.argmax(np.abs(heard[:, 0]))) == BAR_SAMPLES
    assert not heard[:BAR_SAMPLES].any()
    assert not heard[2 * BAR_SAMPLES + RATE_HZ // 100 :].any()


def test_a_slice_from_within_the_loop_goes_on_from_there() -> None:
    click = np.zeros((BAR_SAMPLES, 2), np.float32)
    click[BAR_SAMPLES // 2 + 4800] = 1
    heard = play_loops(flipped(LoopEvent(0, 8, 0, loop_step=8)), [click])
    assert int(np.argmax(np.abs(heard[:, 0]))) == 4800


def test_filtered_it_is_dark_and_faded_it_dies_away() -> None:
    heard = play_loops(flipped(LoopEvent(0, 16, 0, is_filtered=True), LoopEvent(16, 16, 0)), [tone(5000.0)])
    assert level(heard[:BAR_SAMPLES]) < 0.02 * level(heard[BAR_SAMPLES : 2 * BAR_SAMPLES])
    faded = play_loops(flipped(LoopEvent(0, 16, 0, fades=True)), [tone(440.0)])
    quarters = [level(faded[start : start + 12000]) for start in range(0, BAR_SAMPLES, BAR_SAMPLES // 4)]
    assert quarters == sorted(quarters, reverse=True)


def test_its_low_end_is_cut_where_a_bass_plays_and_only_there() -> None:
    heard = play_loops(flipped(LoopEvent(0, 64, 0), with_bass=True), [tone(50.0)])
    with_bass, alone = heard[RATE_HZ // 2 : RATE_HZ], heard[3 * BAR_SAMPLES : 3 * BAR_SAMPLES + RATE_HZ]
    assert level(with_bass) < 0.25 * level(alone)
    bright = play_loops(flipped(LoopEvent(0, 64, 0), with_bass=True), [tone(1000.0)])
    assert level(bright[RATE_HZ // 2 : RATE_HZ]) == pytest.approx(level(tone(1000.0)), rel=0.02)


def test_the_mix_has_the_record_a_little_above_the_loudest_track_and_as_a_stem() -> None:
    song = flipped(LoopEvent(0, 64, 0), with_bass=True)
    mix = mix_song(song, render_settings(), soundfont_path(None), (), [tone(440.0)])
    pitched = [level for name, level in mix.track_lufs.items() if name not in (RECORD, "Drums")]
    assert mix.track_lufs[RECORD] == pytest.approx(max(pitched) + 1, abs=0.1)
    assert list(mix.stems) == [RECORD]
    assert loudness_lufs(mix.stems[RECORD], 44100) == pytest.approx(mix.track_lufs[RECORD], abs=0.3)


def test_loops_are_read_from_beside_the_song_and_a_missing_one_is_told(tmp_path: Path) -> None:
    song = flipped(LoopEvent(0, 16, 0))
    with pytest.raises(UserError, match=r"01-loop-1\.wav, a loop of song 1"):
        read_loops(song, tmp_path)
    write_fine_wav(tmp_path / LOOP.sound, 4 * tone(440.0), RATE_HZ)
    (sound,) = read_loops(song, tmp_path)
    assert np.allclose(sound, tone(440.0) / 0.3, atol=1e-3), "it is not clipped, but made softer"
