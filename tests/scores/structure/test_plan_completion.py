"""Plans of songs that do not know all tracks: an unknown track plays as elsewhere, and returns with the others."""

from __future__ import annotations

import numpy as np

from pipeline.scores.chords.symbols import unknown_chords
from pipeline.scores.structure.plan_completion import USUAL_DENSITY, TrackHabits, complete_plans, track_habits
from pipeline.scores.structure.song_plan import NEW, SongPlan

BARS, WHOLE = 12, 15


def plan(densities: tuple[int, ...]) -> SongPlan:
    """Three sections of four bars, the third as the first; each track plays throughout, or not at all."""
    density = np.repeat(np.array(densities, np.uint8)[:, None], BARS, axis=1)
    playing = density > 0
    source = np.full((len(densities), BARS), NEW, np.int16)
    source[:, 8:] = np.arange(4)
    source[~playing] = NEW
    kept = np.where(source != NEW, WHOLE, 0).astype(np.uint32)
    return SongPlan((0, 4, 8), (0, 1, 0), playing, source, kept, density, 4, unknown_chords(2 * BARS))


def test_an_unknown_track_plays_as_in_songs_that_know_it() -> None:
    plans = [plan((4, 8, 9)), plan((4, 8, 0))]
    known = np.array([[True, True, True], [True, True, False]])
    whole, completed = complete_plans(plans, known, 0)
    assert whole is plans[0]
    assert completed.playing.all()
    assert set(completed.density[2].tolist()) == {9}
    assert (completed.density[:2] == plans[1].density[:2]).all()


def test_a_track_that_no_song_knows_plays_as_in_other_songs() -> None:
    known = np.array([[True, True, False]])
    elsewhere = {2: TrackHabits(np.array([1.0]), np.array([11.4]))}
    (completed,) = complete_plans([plan((4, 8, 0))], known, 0, elsewhere)
    assert completed.playing[2].all() and set(completed.density[2].tolist()) == {11}
    (usual,) = complete_plans([plan((4, 8, 0))], known, 0)
    assert set(usual.density[2][usual.playing[2]].tolist()) == {round(USUAL_DENSITY)}


def test_it_returns_where_the_known_tracks_do() -> None:
    (completed,) = complete_plans([plan((4, 8, 0))], np.array([[True, True, False]]), 3)
    played = completed.playing[2]
    assert played.any()
    assert (played[:4] == played[8:]).all()  # one label, one part
    if played[8:].any():
        assert completed.source[2, 8:].tolist() == [0, 1, 2, 3]
        assert (completed.kept[2, 8:] == completed.whole).all()
    assert (completed.source[2, :8] == NEW).all()


def test_a_known_track_that_rests_goes_on_resting() -> None:
    one = plan((4, 0, 9))
    (same,) = complete_plans([one], np.ones((1, 3), bool), 0)
    assert same is one
    assert len(track_habits([one], np.ones((1, 3), bool), 1).shares) == 0


def test_silence_stays_silent() -> None:
    (completed,) = complete_plans([plan((0, 0, 0))], np.array([[True, True, False]]), 0)
    assert not completed.playing.any()
    assert not completed.density.any()


def test_a_band_of_five_gets_no_more() -> None:
    plans = [plan((4, 8, 9, 3, 2, 1)), plan((4, 8, 9, 3, 5, 0)), plan((4, 8, 0, 0, 0, 0))]
    known = np.ones((3, 6), bool)
    known[1, 5:] = known[2, 2:] = False
    _, five, two = complete_plans(plans, known, 0)
    assert five.playing.any(axis=1).sum() == 5
    assert two.playing.any(axis=1).sum() == 5
    assert two.playing[:2].all()


def test_a_song_whose_tune_is_unknown_gets_one_before_anything_else() -> None:
    """Four of six tracks are known; the band of five gets the tune, whatever the seed."""
    one = plan((4, 8, 9, 3, 0, 0))
    known = np.array([[True, True, True, True, False, False]])
    found = {seed: complete_plans([one], known, seed, lead=5)[0].playing[4:].any(axis=1).tolist() for seed in range(8)}
    assert set(map(tuple, found.values())) == {(False, True)}
    drawn = [complete_plans([one], known, seed)[0].playing[4:].any(axis=1).tolist() for seed in range(8)]
    assert [True, False] in drawn, "where no track has the tune chance decides"


def test_over_a_loop_of_one_bar_an_unknown_track_plays_phrases_of_four() -> None:
    """The drums repeat a bar, but for the sixth, which is new and comes back in the tenth."""
    loop = plan((8, 0))
    loop.source[0] = [NEW, *range(11)]
    loop.source[0, 5], loop.source[0, 6], loop.source[0, 9], loop.source[0, 10] = NEW, 4, 5, 8
    loop.kept[0] = np.where(loop.source[0] != NEW, WHOLE, 0)
    (completed,) = complete_plans([loop], np.array([[True, False]]), 0, {1: TrackHabits(np.ones(1), np.ones(1))})
    assert completed.source[1].tolist() == [NEW, NEW, NEW, NEW, 0, NEW, 2, 3, 4, 5, 6, 7]
