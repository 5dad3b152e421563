import numpy as np
import pytest

from pipeline.dataset.downbeats_fitting import scores_of
from pipeline.scores.downbeats import change_of_harmony, downbeat_cues, estimate_downbeat
from pipeline.sources.catalog import CORPUS, locate
from tests.music_makers import Row, part, score

CHORDS = ((60, 64, 67), (65, 69, 72), (67, 71, 74), (57, 60, 64))


def accompanied(shift: float, beats: int = 4, bars: int = 8) -> list[list[Row]]:
    """A chord and a bass note a bar under quarter notes, bars starting at `shift`."""
    chords: list[Row] = []
    line: list[Row] = []
    for bar in range(bars):
        start = shift + beats * bar
        tones = CHORDS[bar % len(CHORDS)]
        chords += [(start, beats, pitch - 12) for pitch in (*tones, tones[0] - 12)]
        line += [(start + beat, 1, tones[beat % 3] + 12) for beat in range(beats)]
    return [chords, line]


@pytest.mark.parametrize("shift", [0, 1, 2, 3])
def test_the_downbeat_is_where_the_chords_change(shift: int) -> None:
    assert estimate_downbeat(score(*map(part, accompanied(shift))), 4) == shift


@pytest.mark.parametrize("shift", [0, 1, 2])
def test_the_downbeat_of_a_waltz_is_found(shift: int) -> None:
    assert estimate_downbeat(score(*map(part, accompanied(shift, beats=3))), 3) == shift


@pytest.mark.parametrize("shift", [0.25, 1.5, 2.3125, 3.9])
def test_bars_may_begin_between_the_beats_of_the_file(shift: float) -> None:
    assert estimate_downbeat(score(*map(part, accompanied(shift))), 4) == pytest.approx(shift, abs=1 / 90)


def test_syncopation_does_not_move_the_beat() -> None:
    chords, _ = accompanied(0)
    offbeats: list[Row] = [(beat + 0.5, 0.5, 72) for beat in range(32)]
    assert estimate_downbeat(score(part(chords), part(offbeats)), 4) == 0


def test_drums_alone_have_a_downbeat_too() -> None:
    assert estimate_downbeat(score(part([(beat, 1, 36) for beat in range(16)], is_drum=True)), 4) in range(4)


def test_cues_are_shares() -> None:
    events = part([(0, 4, 60), (1, 1, 64), (5, 1, 67)]).events
    cues = downbeat_cues(events, 4)
    assert cues.sum(axis=1) == pytest.approx(0)
    assert cues[1].tolist() == pytest.approx([1 / 3 - 1 / 4, 2 / 3 - 1 / 4, -1 / 4, -1 / 4])
    assert cues[4].tolist() == [0.75, -0.25, -0.25, -0.25]


def test_harmony_changes_where_the_chord_does() -> None:
    chroma = np.zeros((8, 12))
    chroma[:4, 0], chroma[4:, 7] = 1, 1
    assert np.flatnonzero(change_of_harmony(chroma, 1)).tolist() == [4]
    assert int(np.argmax(change_of_harmony(chroma, 4))) == 4


@pytest.mark.slow
def test_bars_of_chorales_begin_where_they_were_written() -> None:
    songs = scores_of(locate(f"{CORPUS}bach"), ".mxl")
    right = [estimate_downbeat(song, 4) == beat for song, beat in songs]
    assert np.mean(right) > 0.9 and len(right) > 300
