"""Conditions: counted as musicians would, encoded, transposed, interpolated."""

from dataclasses import replace

import pytest
import torch

from gan.conditions import (
    DENSITY,
    KEY,
    LENGTH,
    SHORT,
    VOICES,
    ConditionEncoder,
    conditions_of,
    interpolate_conditions,
    no_conditions,
    no_labels,
    transpose_conditions,
)
from gan.spec import ONSET
from gan.statistics import DataStatistics
from tests.gan.trio import LAYOUT, SPEC, music


def test_conditions_are_what_musicians_would_count() -> None:
    labels = torch.tensor([[14.0, 120.0, 1.0]])
    row, layout = conditions_of(music(1), labels, SPEC)[0], LAYOUT
    assert row[layout.attribute(DENSITY)].tolist() == [4.0, 4.0, 1.0]
    assert row[layout.attribute(LENGTH)].tolist() == [0.25, 1.0, 1.75]  # a chord of seven steps, one of a single step
    assert row[layout.attribute(VOICES)].tolist() == [1.0, 2.0, 1.0]
    assert row[layout.attribute(SHORT)].tolist() == [1.0, 0.5, 0.0]
    assert row[layout.rhythm].tolist() == pytest.approx(
        [3 / 9, 0, 0, 0, 1 / 9, 0, 0, 0, 3 / 9, 0, 0, 0, 2 / 9, 0, 0, 0]
    )
    root = int(music(1)[0, ONSET, 1].nonzero()[0, 2])
    chroma = torch.zeros(12)
    chroma[[(SPEC.lowest_pitch + root) % 12, (SPEC.lowest_pitch + root + 4) % 12]] = torch.tensor([8.0 + 7, 8.0]) / 23
    assert row[layout.chroma].tolist() == pytest.approx(chroma.tolist(), abs=0.02)
    assert row[-3:].tolist() == [14.0, 120.0, 1.0]


def test_conditions_of_crowded_phrases_of_any_length_are_counted_in_full() -> None:
    spec = replace(SPEC, bars=20)
    rolls = torch.rand(2, *spec.shape, generator=torch.Generator().manual_seed(0)) < 0.9
    row, layout = conditions_of(rolls, no_labels(2), spec)[1], LAYOUT
    onset, hold = rolls[1].flatten(2, 3)
    sounding, notes = onset | hold, onset.sum((1, 2))
    long = (onset[:, :-1] & hold[:, 1:]).sum((1, 2))
    assert row[layout.attribute(DENSITY)].tolist() == (notes / 20).tolist()
    assert row[layout.attribute(LENGTH)].tolist() == (sounding.sum((1, 2)) / notes / 4).tolist()
    assert row[layout.attribute(VOICES)].tolist() == (sounding.sum((1, 2)) / sounding.any(2).sum(1)).tolist()
    assert row[layout.attribute(SHORT)].tolist() == ((notes - long) / notes).tolist()
    assert row[layout.rhythm].tolist() == (rolls[1, ONSET].sum((0, 1, 3)) / notes.sum()).tolist()
    pitches = sounding[1:].sum((0, 1))
    chroma = torch.stack([pitches[(place - spec.lowest_pitch) % 12 :: 12].sum() for place in range(12)])
    assert row[layout.chroma].tolist() == (chroma / chroma.sum()).tolist()


def test_of_silence_only_the_densities_are_known() -> None:
    row = conditions_of(torch.zeros(1, *SPEC.shape, dtype=torch.bool), no_labels(1), SPEC)[0]
    assert row[:3].tolist() == [0.0, 0.0, 0.0]
    assert row[3:].isnan().all()


def test_unknown_conditions_are_zeros_and_silence_is_known() -> None:
    statistics = DataStatistics.of([music()], SPEC, torch.tensor([[0.0, 120.0, 1.0]] * 12))
    encoder = ConditionEncoder(SPEC, statistics.examples, statistics.num_styles)
    nothing = no_conditions(1, SPEC)
    assert encoder(nothing).shape == (1, encoder.size)
    assert not encoder(nothing).any()
    for place in range(LAYOUT.size):
        one = nothing.clone()
        one[0, place] = 0.3 if LAYOUT.rhythm.start <= place < LAYOUT.chroma.stop else 1.0
        if (
            not LAYOUT.rhythm.start < place < LAYOUT.rhythm.stop
            and not LAYOUT.chroma.start < place < LAYOUT.chroma.stop
        ):
            assert encoder(one).any(), place
    silent = nothing.clone()
    silent[0, 1] = 0.0
    assert encoder(silent).any()
    assert encoder(conditions_of(music(), torch.tensor([[14.0, 120, 1]] * 12), SPEC)).isfinite().all()


def test_a_transposed_phrase_has_its_transposed_key_and_chroma() -> None:
    rolls, labels = music(3), torch.tensor([[11.0, 90, 0], [13, 90, 0], [torch.nan, 90, 0]])
    shift = torch.tensor([2, -2, 5])
    moved = transpose_conditions(conditions_of(rolls, labels, SPEC), shift, LAYOUT)
    assert moved[:2, KEY].tolist() == [1.0, 23.0]
    assert moved[2, KEY].isnan()
    for row, by in enumerate(shift.tolist()):
        other = rolls[row : row + 1].clone()
        other[:, :, 1:] = other[:, :, 1:].roll(by, -1)
        expected = conditions_of(other, labels[:1], SPEC)[0]
        assert torch.allclose(moved[row, LAYOUT.chroma], expected[LAYOUT.chroma])


def test_half_way_between_two_conditions_numbers_are_half_way_and_styles_are_not() -> None:
    start, end = torch.tensor([[2.0, 0.0, 100.0, 0.0]]), torch.tensor([[6.0, 12.0, torch.nan, 1.0]])
    assert interpolate_conditions(start, end, 0.25)[0].tolist() == [3.0, 0.0, 100.0, 0.0]
    later = interpolate_conditions(start, end, 0.75)[0]
    assert later[:2].tolist() == [5.0, 12.0]
    assert later[2].isnan() and later[3] == 1.0
