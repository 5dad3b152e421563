"""Examples that beats and downbeats are trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.audio.synthesizers import soundfont_path
from pipeline.transcription.training.beat_examples import (
    AnnotatedPiece,
    find_pieces,
    make_example,
    onsets_of,
    transcribe_piece,
    with_errors,
)
from tests.transcription.training.pieces import example_of, piece, write_piece


def test_an_example_knows_the_right_level_and_bar_line() -> None:
    example = example_of(piece(bpm=100))
    assert example.right_levels.sum() == 1
    assert 1 <= example.right_phases.sum() <= 3


def test_a_piece_with_unknown_beats_is_an_example_of_the_level_alone() -> None:
    known = piece()
    blind = AnnotatedPiece(known.notes, known.hits, known.beats + 0.1, 4, False, False)
    example = example_of(blind)
    assert example.right_levels.any() and not example.right_phases.any()


def test_a_piece_of_few_notes_is_no_example() -> None:
    known = piece(bars=1)
    assert make_example(known, onsets_of(known), 1.0) is None


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


def test_half_of_the_files_is_for_training_and_some_may_be_left_out(tmp_path: Path) -> None:
    names = [f"song{number}.mid" for number in range(8)]
    for name in names:
        write_piece(tmp_path / name, 100)
    training = {path.name for path, _ in find_pieces(tmp_path, 8, [])}
    others = {path.name for path, _ in find_pieces(tmp_path, 8, [], training=False)}
    assert training | others == set(names) and not training & others
    gone = sorted(training)[0]
    assert {path.name for path, _ in find_pieces(tmp_path, 8, [gone.removesuffix(".mid")])} == training - {gone}
    assert len(find_pieces(tmp_path, 1, [])) == 1


@pytest.mark.slow
def test_transcriptions_of_pieces_are_the_same_each_time_and_kept_in_the_cache(tmp_path: Path) -> None:
    path = tmp_path / "song.mid"
    write_piece(path, 100, bars=4)
    known = piece(100, bars=4, first=0.0)
    first = transcribe_piece(path, known, soundfont_path(None), tmp_path)
    assert len(first.notes) > 30 and len(first.hits) > 10
    assert len(list(tmp_path.glob("*.pkl"))) == 1
    fresh = transcribe_piece(path, known, soundfont_path(None), None)
    path.unlink()
    kept = transcribe_piece(path, known, soundfont_path(None), tmp_path)
    for again in (fresh, kept):
        assert np.array_equal(first.notes, again.notes) and np.array_equal(first.hits, again.hits)
