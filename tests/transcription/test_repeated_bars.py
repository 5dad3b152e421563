"""Which bars of a recording sound like earlier ones."""

from __future__ import annotations

import numpy as np

from pipeline.scores.structure.song_plan import NEW
from pipeline.transcription.beats.grid import Beats
from pipeline.transcription.instruments.features import FRAMES_PER_SECOND, NUM_BINS, Bytes
from pipeline.transcription.repeated_bars import repeated_bars

BAR_SECONDS = 2.0


def _spectrum(letters: str, noise: float) -> Bytes:
    """Four tones a bar, drawn anew for each letter; silence where there is a dot."""
    frames = round(BAR_SECONDS * FRAMES_PER_SECOND)
    rows = []
    for number, letter in enumerate(letters):
        random = np.random.default_rng(ord(letter))
        bar = np.full((4, NUM_BINS), 100.0)
        for beat in range(4):
            bar[beat, random.choice(NUM_BINS, 8, replace=False)] = 240
        bar = np.zeros_like(bar) if letter == "." else bar
        own = np.repeat(bar, -(-frames // 4), axis=0)[:frames]
        rows.append(own + noise * np.random.default_rng(number).standard_normal(own.shape))
    return np.concatenate(rows).clip(0, 255).astype(np.uint8)


def _returns(letters: str, noise: float = 8.0) -> list[int]:
    beats = Beats(np.arange(4 * len(letters) + 1) * BAR_SECONDS / 4, 4)
    return repeated_bars(_spectrum(letters, noise), beats, len(letters)).tolist()


def test_bars_that_sound_alike_return_and_silent_ones_do_not() -> None:
    found = _returns("ABACAB..D")
    assert found[:4] == [NEW, NEW, 0, NEW]
    assert found[4] in (0, 2) and found[5] == 1, "noise decides which of equal bars is nearest"
    assert found[6:] == [NEW, NEW, NEW]


def test_a_loop_without_anything_else_returns_all_the_time() -> None:
    found = _returns("AAAAAA")
    assert found[0] == NEW and all(0 <= source < bar for bar, source in enumerate(found) if bar)


def test_noisy_bars_are_told_apart_beside_others() -> None:
    assert _returns("ABCDABCD", noise=25.0) == [NEW, NEW, NEW, NEW, 0, 1, 2, 3]


def test_a_single_bar_returns_from_nothing() -> None:
    assert _returns("A") == [NEW]
