import numpy as np
import pytest

from pipeline.dataset.fitting.downbeats import scores_of
from pipeline.scores.downbeats import change_of_harmony, downbeat_cues, estimate_downbeat
from pipeline.sources.catalog import CORPUS, locate
from tests.music_makers import Row, accompanied, part, score


@pytest.mark.parametrize("shift", [0, 1, 2, 3])
def test_the_downbeat_is_where_the_chords_change(shift: int) -> None:
    assert estimate_downbeat(score(*map(part, accompanied(shift))), 4) == shift


@pytest.mark.parametrize("shift", [0, 1, 2])
def test_the_downbeat_of_a_waltz_is_found(shift: int) -> None:
    assert estimate_downbeat(score(*map(part, accompanied(shift, beats=3))), 3) == shift


@pytest.mark.parametrize("shift", [0.0, 1.5, 0.5])
def test_the_downbeat_of_a_jig_is_found_by_dotted_beats(shift: float) -> None:
    chords, line = accompanied(0, beats=2)
    dotted = [[(1.5 * onset + shift, 1.5 * length, pitch) for onset, length, pitch in one] for one in (chords, line)]
    assert estimate_downbeat(score(*map(part, dotted)), 2, beat=1.5) == pytest.approx(shift, abs=1 / 60)


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
