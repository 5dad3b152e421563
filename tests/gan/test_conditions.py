"""Conditions: counted as musicians would, encoded, transposed, interpolated."""

from dataclasses import replace

import pytest
import torch

from gan.chords import CHORD_SIZE, NO_CHORD, QUALITIES
from gan.conditions import (
    DENSITY,
    KEY,
    LENGTH,
    NUM_LABELS,
    SHORT,
    STYLE,
    TEMPO,
    TONALITY_SIZE,
    VOICES,
    ConditionEncoder,
    complete_examples,
    conditions_of,
    interpolate_conditions,
    leave_open,
    no_conditions,
    no_labels,
    transpose_conditions,
)
from gan.spec import ONSET
from gan.statistics import DataStatistics
from tests.gan.trio import LAYOUT, SPEC, music
from tests.label_makers import labels_for


def test_conditions_are_what_musicians_would_count() -> None:
    labels = labels_for(SPEC, (14.0, 120.0, 1.0), chord=(2, 1, 5))
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
    assert row[layout.chords].tolist() == [2, 1, 5] * 8
    assert row[-3:].tolist() == [14.0, 120.0, 1.0]


def test_of_an_unknown_track_no_attributes_are_known_and_no_rhythm_beside_it() -> None:
    known = torch.tensor([[True, True, True], [False, True, True]])
    rolls = music(2)
    rolls[1, :, 0] = False
    first, second = conditions_of(rolls, no_labels(2, SPEC), SPEC, known)
    assert first[:12].equal(conditions_of(rolls, no_labels(2, SPEC), SPEC)[0, :12])
    unknown = second[LAYOUT.attributes].view(4, 3).isnan()
    assert unknown.tolist() == [[True, False, False]] * 4
    assert second[LAYOUT.rhythm].isnan().all() and not second[LAYOUT.chroma].isnan().any()


def test_unknown_attributes_are_taken_from_the_phrase_that_is_most_alike() -> None:
    examples = no_conditions(3, SPEC)
    examples[:, LAYOUT.attribute(DENSITY)] = torch.tensor([[torch.nan, 2.0, 1.0], [5.0, 8.0, 4.0], [7.0, 2.5, 1.0]])
    known = torch.tensor([[False, True, True], [True, True, True], [True, True, True]])
    filled = complete_examples(examples, known, LAYOUT)
    assert filled[:, LAYOUT.attribute(DENSITY)].tolist() == [[7, 2, 1], [5, 8, 4], [7, 2.5, 1]]
    never = torch.tensor([[False, True, True]] * 3)
    assert complete_examples(examples, never, LAYOUT)[0, 0].isnan(), "what nobody knows stays open"


def test_conditions_of_crowded_phrases_of_any_length_are_counted_in_full() -> None:
    spec = replace(SPEC, bars=20)
    rolls = torch.rand(2, *spec.shape, generator=torch.Generator().manual_seed(0)) < 0.9
    row, layout = conditions_of(rolls, no_labels(2, spec), spec)[1], LAYOUT
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
    row = conditions_of(torch.zeros(1, *SPEC.shape, dtype=torch.bool), no_labels(1, SPEC), SPEC)[0]
    assert row[:3].tolist() == [0.0, 0.0, 0.0]
    assert row[3:].isnan().all()


def test_unknown_conditions_are_zeros_and_silence_is_known() -> None:
    statistics = DataStatistics.of([music()], SPEC, labels_for(SPEC, (0.0, 120.0, 1.0), count=12))
    encoder = ConditionEncoder(SPEC, statistics.examples, statistics.num_styles)
    nothing = no_conditions(1, SPEC)
    assert encoder(nothing).shape == (1, encoder.size)
    assert not encoder(nothing).any()
    assert encoder.chords(nothing).shape == (1, SPEC.half_bars, CHORD_SIZE)
    assert not encoder.chords(nothing).any()
    of_the_phrase = [*range(LAYOUT.chords.start), *range(LAYOUT.chords.stop, LAYOUT.size)]
    for place in of_the_phrase:
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
    assert encoder(conditions_of(music(), labels_for(SPEC, (14.0, 120, 1), count=12), SPEC)).isfinite().all()


def test_a_transposed_phrase_has_its_transposed_key_and_chroma() -> None:
    rolls, labels = music(3), labels_for(SPEC, (11.0, 90, 0), (13, 90, 0), (torch.nan, 90, 0), chord=(11, 4, 2))
    shift = torch.tensor([2, -2, 5])
    moved = transpose_conditions(conditions_of(rolls, labels, SPEC), shift, LAYOUT)
    assert moved[:2, KEY].tolist() == [1.0, 23.0]
    assert moved[2, KEY].isnan()
    for row, by in enumerate(shift.tolist()):
        other = rolls[row : row + 1].clone()
        other[:, :, 1:] = other[:, :, 1:].roll(by, -1)
        expected = conditions_of(other, labels[:1], SPEC)[0]
        assert torch.allclose(moved[row, LAYOUT.chroma], expected[LAYOUT.chroma])
    assert LAYOUT.chords_of(moved)[:, 0].tolist() == [[1, 4, 4], [9, 4, 0], [4, 4, 7]]


def test_a_rest_has_no_chord_to_be_transposed() -> None:
    conditions = conditions_of(music(1), labels_for(SPEC, (0, 90, 0), chord=(-1, NO_CHORD, -1)), SPEC)
    moved = transpose_conditions(conditions, torch.tensor([3]), LAYOUT)
    assert torch.equal(LAYOUT.chords_of(moved), LAYOUT.chords_of(conditions))


def test_a_chord_is_told_by_its_root_its_tones_and_its_bass_on_the_beats_of_its_half_bar() -> None:
    statistics = DataStatistics.of([music()], SPEC, no_labels(12, SPEC))
    encoder = ConditionEncoder(SPEC, statistics.examples, statistics.num_styles)
    conditions = no_conditions(1, SPEC)
    chords = LAYOUT.chords_of(conditions)
    chords[0, 1] = torch.tensor([9, QUALITIES.index("min7"), 7])  # Am7/G
    chords[0, 2] = torch.tensor([-1, NO_CHORD, -1])
    root, tones, bass, known = encoder.chords(conditions)[0].split([12, 12, 12, 1], dim=1)
    assert root[1].nonzero().flatten().tolist() == [9]
    assert tones[1].nonzero().flatten().tolist() == [0, 4, 7, 9]
    assert bass[1].nonzero().flatten().tolist() == [7]
    assert known.flatten().tolist() == [0, 1, 1, 0, 0, 0, 0, 0]
    assert not tones[2].any(), "a rest is known and has no tones"
    beats = encoder.chords_of_beats(conditions)
    assert beats[0, :6, -1].tolist() == [0, 0, 1, 1, 1, 1]


def test_a_network_is_told_the_notes_of_the_key_signature_and_those_that_sound() -> None:
    statistics = DataStatistics.of([music()], SPEC, no_labels(12, SPEC))
    encoder = ConditionEncoder(SPEC, statistics.examples, statistics.num_styles)
    conditions = no_conditions(4, SPEC)
    assert not encoder.tonality(conditions).any(), "nothing is known"
    conditions[:3, KEY] = torch.tensor([0.0, 21.0, 14.0])  # C major, A minor, D minor
    conditions[0, LAYOUT.chroma] = torch.tensor([0.9, 0.02, *[0.0] * 9, 0.08])
    chroma, in_key = encoder.tonality(conditions).split(12, dim=1)
    assert encoder.tonality(conditions).shape == (4, TONALITY_SIZE)
    white = [0, 2, 4, 5, 7, 9, 11]
    assert [row.nonzero().flatten().tolist() for row in in_key] == [white, white, [0, 2, 4, 5, 7, 9, 10], []]
    assert chroma[0, :2].tolist() == pytest.approx([0.9 / 0.92, 0.5]) and chroma[0, 11] == pytest.approx(0.8)
    assert not chroma[0, 2:11].any() and not chroma[1:].any()


def test_what_nobody_knows_is_left_open() -> None:
    conditions = conditions_of(music(2), labels_for(SPEC, (14.0, 120, 1), count=2), SPEC)
    known = torch.tensor([[True, False, True], [True, True, True]])
    opened = leave_open(conditions, known, LAYOUT)
    assert opened[0, LAYOUT.attributes].isnan().view(-1, 3).all(0).tolist() == [False, True, False]
    assert opened[0, LAYOUT.rhythm].isnan().all()
    assert torch.equal(opened[0, LAYOUT.chroma], conditions[0, LAYOUT.chroma])
    assert torch.equal(opened[1].nan_to_num(-1), conditions[1].nan_to_num(-1))
    assert not conditions.isnan().all(1).any() and not conditions[0, LAYOUT.rhythm].isnan().any()


def test_a_bar_of_three_beats_has_halves_of_two_and_one() -> None:
    assert replace(SPEC, bars=2, beats_per_bar=3).half_bar_of_beats == (0, 0, 1, 2, 2, 3)


def test_missing_conditions_come_from_a_phrase_with_the_chords_requested() -> None:
    chords = torch.tensor([[root, 0, root] for root in (0, 7, 5)]).repeat(1, SPEC.half_bars)
    labels = no_labels(24, SPEC)
    labels[:, :-NUM_LABELS], labels[:, TEMPO] = chords.repeat(8, 1), torch.tensor([80.0, 100, 120]).repeat(8)
    examples = conditions_of(music(24), labels, SPEC)
    encoder = ConditionEncoder(SPEC, examples.tolist(), 1)
    requested = no_conditions(4, SPEC)
    requested[:, LAYOUT.chords] = chords[1].float()
    filled = encoder.impute(requested, examples, torch.Generator().manual_seed(0))
    assert filled[:, TEMPO].tolist() == [100.0] * 4
    requested[:, LAYOUT.chords], requested[:, TEMPO] = torch.nan, 120
    filled = encoder.impute(requested, examples, torch.Generator().manual_seed(0))
    rows = {tuple(row) for row in filled[:, LAYOUT.chords].tolist()}
    assert rows <= {tuple(row) for row in chords.float().tolist()}, "the chords are those of one phrase"


def test_half_way_between_two_conditions_numbers_are_half_way_and_names_are_not() -> None:
    start, end = no_conditions(1, SPEC), no_conditions(1, SPEC)
    start[0, [0, KEY, TEMPO, STYLE]] = torch.tensor([2.0, 0, 100, 0])
    end[0, [0, KEY, STYLE]] = torch.tensor([6.0, 12, 1])
    start[:, LAYOUT.chords], end[:, LAYOUT.chords] = 0, 7
    sooner, later = (interpolate_conditions(start, end, share, LAYOUT)[0] for share in (0.25, 0.75))
    assert sooner[[0, KEY, TEMPO, STYLE]].tolist() == [3.0, 0.0, 100.0, 0.0]
    assert later[[0, KEY, STYLE]].tolist() == [5.0, 12.0, 1.0] and later[TEMPO].isnan()
    assert set(sooner[LAYOUT.chords].tolist()) == {0.0} and set(later[LAYOUT.chords].tolist()) == {7.0}
