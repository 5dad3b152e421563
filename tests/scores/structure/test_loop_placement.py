"""Where loops of old records play in a song."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from pipeline.scores.chords.symbols import UNKNOWN, read_progression
from pipeline.scores.structure.loop_placement import (
    CHOPPED,
    FILTERED,
    SILENT,
    WHOLE,
    LoopPlacement,
    place_loops,
    with_contrast,
    with_rests,
)
from pipeline.scores.structure.song_plan import NEW, SongPlan
from tests.plan_makers import plan_of_letters
from tests.songs.compose.test_sections import SPEC, STRINGS

BAR = SPEC.steps_per_bar
SONG = plan_of_letters(
    {
        "Drums": "....AAAABBBBAAAACCCCAAAABBBBDDDD",
        "Piano": "AAAAABACBCBCABACDDDDABACBCBCDDDD",
        "Bass": "....ABABCDCDABABDEDEABABCDCD....",
        "Strings": "....ABCDCCDDABCDAAAAABCDCCDD....",
    },
    SPEC,
    (0, 4, 8, 12, 16, 20, 24, 28),
)
VERSE = SONG.labels[1]


def placed(
    seed: int = 0, lengths: Sequence[int] = (2 * BAR,), plan: SongPlan = SONG, share: float = 0.7
) -> LoopPlacement:
    return place_loops(plan, lengths, STRINGS, SPEC, np.random.default_rng(seed), share)


def steps_with_loop(placement: LoopPlacement) -> np.ndarray:
    plays = np.zeros(placement.plan.num_bars * BAR, np.int64)
    for event in placement.events:
        plays[event.step : event.end] += 1
    return plays


@pytest.mark.parametrize("seed", range(8))
def test_a_loop_is_whole_in_every_return_of_one_section_and_silent_in_another(seed: int) -> None:
    placement = placed(seed)
    plays = steps_with_loop(placement)
    assert placement.treatments[VERSE] == WHOLE
    for (first, end), label in zip(SONG.section_bars, SONG.labels, strict=True):
        here = plays[first * BAR : end * BAR]
        if label == VERSE:
            assert (here == 1).all()
        elif placement.treatments[label] == SILENT:
            assert not here[: (end - first - 1) * BAR].any()
    assert SILENT in placement.treatments.values()
    assert plays.max() == 1, "never twice at once"


def test_other_sections_have_it_filtered_or_chopped_by_half_bars() -> None:
    kinds = {kind for seed in range(8) for kind in placed(seed, share=1.0).treatments.values()}
    assert {CHOPPED, FILTERED} <= kinds
    placement = next(one for one in map(placed, range(20)) if CHOPPED in one.treatments.values())
    label = next(label for label, kind in placement.treatments.items() if kind == CHOPPED)
    first = SONG.starts[SONG.labels.index(label)]
    halves = [event for event in placement.events if first * BAR <= event.step < (first + 4) * BAR]
    assert {event.num_steps for event in halves} == {BAR // 2}
    assert [event.loop_step for event in halves if event.step % BAR == 0] == [0, BAR, 0, BAR]


def test_a_song_that_begins_thinly_begins_with_the_loop_alone() -> None:
    placement = placed()
    assert not placement.plan.playing[:, :4].any()
    assert placement.events[0].step == 0
    assert placement.plan.playing[:, 4:8].any(axis=0).all()
    full = placed(plan=with_rests(SONG, np.arange(32) < 4))
    assert not full.plan.playing[:, :4].any(), "a silent beginning is thin, too"
    crowded = plan_of_letters(dict.fromkeys(SPEC.names, "AAAABBBBAAAACCCC"), SPEC, (0, 4, 8, 12))
    assert placed(plan=crowded).plan.playing[0, :4].all()


def test_the_host_rests_and_what_returned_from_resting_bars_is_new() -> None:
    plan = placed().plan
    assert not plan.playing[STRINGS].any()
    returns = plan.source != NEW
    assert plan.playing[np.nonzero(returns)[0], plan.source[returns]].all()


def test_the_last_bar_lets_the_loop_ring_out() -> None:
    plan = plan_of_letters(dict.fromkeys(SPEC.names, "AAAABBBBAAAA"), SPEC, (0, 4, 8))
    last = placed(plan=plan).events[-1]
    assert last.fades
    assert last.step == 11 * BAR
    assert last.num_steps == BAR // 2


def test_a_song_of_one_section_gets_another_in_which_the_loop_is_silent() -> None:
    plan = plan_of_letters(dict.fromkeys(SPEC.names, "ABCDABCD"), SPEC, (0,))
    placement = placed(plan=plan)
    assert len(set(placement.plan.labels)) == 2
    assert SILENT in placement.treatments.values()
    assert with_contrast(SONG) is SONG


def test_two_records_play_in_different_sections() -> None:
    placement = placed(lengths=(BAR, 2 * BAR))
    assert {event.loop for event in placement.events} == {0, 1}
    assert placement.loops[VERSE] == 0


def test_chords_go_along_with_the_slices_of_the_loop() -> None:
    rows = np.repeat(read_progression("Am | F"), BAR // 2, axis=0)
    for seed in range(20):
        placement = placed(seed)
        chords = placement.chords([rows], SPEC)
        for event in placement.events:
            half = -(-event.step // (BAR // 2))
            assert np.array_equal(chords[half], rows[event.loop_step % len(rows)])
        for (first, end), label in zip(SONG.section_bars, SONG.labels, strict=True):
            if placement.treatments[label] == SILENT and first:
                assert (chords[2 * first : 2 * end - 2] == UNKNOWN).all()
