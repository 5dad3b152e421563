"""Examples that beats and downbeats are trained on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipeline.transcription.beats.downbeats import PHASES_PER_BEAT
from pipeline.transcription.beats.metrical_levels import NUM_FEATURES
from pipeline.transcription.training.beat_examples import (
    AnnotatedPiece,
    make_examples,
    onsets_of,
    part_of,
    with_errors,
    with_losses,
)
from tests.transcription.training.pieces import example_of, piece


def test_an_example_knows_the_right_beat_and_bar_line() -> None:
    example = example_of(piece(bpm=100))
    assert example.candidates.shape == (len(example.right), NUM_FEATURES)
    levels = np.flatnonzero(example.right) // (4 * PHASES_PER_BEAT)
    assert 1 <= example.right.sum() <= 3 and len(set(levels.tolist())) == 1


def test_a_piece_with_unknown_beats_is_an_example_of_the_level_alone() -> None:
    known = piece()
    example = example_of(AnnotatedPiece(known.notes, known.hits, known.beats + 0.1, 4, False, False))
    assert example.right.sum() == 4 * PHASES_PER_BEAT


def test_a_piece_in_three_is_an_example_in_four_too_whose_beats_are_right() -> None:
    three = replace(piece(bars=15), beats_per_bar=3)
    own, other = make_examples(three, onsets_of(three), 1.0)
    assert len(own.levels[0].profile[0]) == 3 * PHASES_PER_BEAT and own.right.sum() <= 3
    assert len(other.levels[0].profile[0]) == 4 * PHASES_PER_BEAT and other.right.sum() == 4 * own.right.sum()


def test_a_piece_of_few_notes_is_no_example() -> None:
    known = piece(bars=1)
    assert not make_examples(known, onsets_of(known), 1.0)


def test_simulated_errors_are_the_same_each_time_and_keep_what_is_known() -> None:
    known = piece()
    first, second = (with_errors(known, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first.notes, second.notes) and np.array_equal(first.hits, second.hits)
    assert len(first.notes) < len(known.notes)
    assert np.array_equal(first.beats, known.beats)
    assert np.all(np.diff(first.hits["start"]) >= 0) and first.hits["start"].min() >= 0


def test_a_piece_without_drums_gets_no_hits_from_errors() -> None:
    known = piece()
    silent = AnnotatedPiece(known.notes, known.hits[:0], known.beats, 4, True, True)
    assert not len(with_errors(silent, np.random.default_rng(0)).hits)


def test_losses_and_parts_leave_some_of_the_piece() -> None:
    known, rng = piece(bars=20), np.random.default_rng(1)
    fewer, part = with_losses(known, rng), part_of(known, rng)
    assert 0.5 * len(known.notes) < len(fewer.notes) < 0.95 * len(known.notes)
    assert np.ptp(part.notes["start"]) > 17 and len(part.notes) < len(known.notes)
