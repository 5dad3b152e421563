import numpy as np
import pytest

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.dataset.sample_identification.evaluation import PairScores, fit_weights, score_pair
from pipeline.dataset.sample_identification.features import MatchingFeatures
from pipeline.dataset.sample_identification.loops import BarGrid, LoopFit
from pipeline.dataset.sample_identification.made_pairs import (
    RATIOS,
    SECTIONS,
    SEMITONES,
    MadePair,
    Transform,
    draw_sections,
    draw_transform,
    lay_loop,
    transformed,
    treated,
)
from pipeline.dataset.sample_identification.matching import HeardRecording, LoopMatch

LOOP = np.random.default_rng(0).standard_normal(SAMPLE_RATE_HZ).astype(np.float32)
BARS = tuple(frozenset({(step, pitch) for step in (0, 4, 8)}) for pitch in (60, 62, 60, 64))
PAIR = MadePair(
    "pair",
    LOOP,
    np.zeros(8 * SAMPLE_RATE_HZ, np.float32),
    np.arange(5) * 2.0,
    0,
    1,
    Transform(3.0, 1.25, False),
    np.array([[2.0, 4.0]]),
    np.arange(5) * 2.0,
    BARS,
)


def found(**changes: object) -> LoopMatch:
    """What is right of the pair, but for some changes."""
    similarity = np.zeros(160, np.float32)
    similarity[40:80] = 1.0
    values = {"start": 0.0, "seconds": 2.0, "phase": 2.0, "period": 1.6, "score": 1.0, "level": 1.0, "contrast": 1.0}
    moved = {"semitones": 3.0, "ratio": 1.25, "is_turntable": False, "confidence": 0.9} | changes
    loop = LoopFit(
        **values | {name: moved.pop(name) for name in values if name in moved}, is_of_bars=True, similarity=similarity
    )  # type: ignore[arg-type]
    return LoopMatch(loop, **moved)  # type: ignore[arg-type]


SONG = HeardRecording(
    MatchingFeatures(np.zeros((160, 1), np.float32), np.zeros((160, 1), np.float32)),
    BarGrid(np.arange(17) * 0.5, np.arange(5) * 2.0),
    8.0,
)


def test_what_is_right_scores_one_and_nothing_scores_zero() -> None:
    assert score_pair(PAIR, found(), SONG) == PairScores(*([1.0] * 8))
    assert score_pair(PAIR, None, SONG) == PairScores(*([0.0] * 8))


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"semitones": 15.0}, {"semitones"}),
        ({"semitones": 4.0}, {"semitones", "pitch_class"}),
        ({"ratio": 1.3}, {"ratio"}),
        ({"start": 4.0}, set()),
        ({"start": 2.0}, {"start"}),
        ({"seconds": 4.0}, {"length"}),
        ({"is_turntable": True}, {"turntable"}),
        ({"confidence": 0.1}, {"accepted"}),
    ],
)
def test_each_score_asks_for_its_own_fact(changes: dict[str, object], wrong: set[str]) -> None:
    scores = score_pair(PAIR, found(**changes), SONG)
    assert {name for name in PairScores.__dataclass_fields__ if getattr(scores, name) == 0} == wrong


def test_bars_that_play_the_same_are_the_same_music() -> None:
    assert PAIR.is_same_music(0, 2, 1) and not PAIR.is_same_music(0, 1, 1)
    assert not PAIR.is_same_music(0, 2, 2) and not PAIR.is_same_music(0, 3, 2), "no bars beyond the end"


def test_a_loop_is_as_long_as_its_ratio_says() -> None:
    pytest.importorskip("python_stretch")
    for transform in (Transform(0.0, 1.25, True), Transform(4.0, 0.8, False)):
        assert len(transformed(LOOP, transform)) == round(len(LOOP) / transform.ratio)


def test_chopped_and_reversed_loops_hold_the_same_samples() -> None:
    random = np.random.default_rng(1)
    assert (treated(LOOP, "reversed", 2, random) == LOOP[::-1]).all()
    chopped = treated(LOOP, "chopped", 2, random)
    assert sorted(chopped.tolist()) == sorted(LOOP.tolist()) and (chopped != LOOP).any()
    assert treated(LOOP, "whole", 2, random) is LOOP


def test_a_loop_begins_with_each_stretch_and_rests_elsewhere() -> None:
    lines, on = np.arange(5) * 0.75, np.array([False, True, True, False])
    laid = lay_loop(LOOP, lines, on, 4 * SAMPLE_RATE_HZ)
    begin, end = round(0.75 * SAMPLE_RATE_HZ), round(2.25 * SAMPLE_RATE_HZ)
    assert not laid[:begin].any() and not laid[end:].any()
    later = 1000
    assert (laid[begin + later : begin + 2000] == LOOP[later:2000]).all(), "but for the fade"


def test_transforms_and_sections_keep_their_limits() -> None:
    random = np.random.default_rng(2)
    for _ in range(50):
        one = draw_transform(random)
        assert RATIOS[0] <= one.ratio <= RATIOS[1] and SEMITONES[0] - 1 < one.semitones <= SEMITONES[1]
        assert one.is_turntable == (one.semitones == pytest.approx(12 * np.log2(one.ratio)))
        assert 2 <= draw_sections(random).sum() <= SECTIONS - 2


def test_fitted_weights_tell_right_from_wrong() -> None:
    random = np.random.default_rng(3)
    right = np.array([True] * 30 + [False] * 60)
    values = np.stack([np.ones(90), np.where(right, 1.0, -1.0) + 0.5 * random.standard_normal(90)], axis=1)
    weights = fit_weights(values.tolist(), right.tolist())
    assert np.mean((values @ weights > 0) == right) > 0.95
