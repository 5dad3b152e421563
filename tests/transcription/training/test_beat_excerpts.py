"""Excerpts of pieces whose beats are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.audio.synthesizers import soundfont_path
from pipeline.transcription.training.beat_excerpts import (
    borne_out,
    draw_excerpt,
    drums_on_beats,
    excerpt_midi,
    files_of,
    transcribe_excerpt,
)
from tests.transcription.training.pieces import write_piece


def test_three_quarters_of_the_files_are_for_training_and_none_of_them_for_evaluation(tmp_path: Path) -> None:
    names = [f"song{number}.mid" for number in range(40)]
    for name in names:
        (tmp_path / name).touch()
    training, others = (files_of(tmp_path, training) for training in (True, False))
    assert {path.name for path in (*training, *others)} == set(names)
    assert not set(training) & set(others) and 24 <= len(training) <= 36


def test_an_excerpt_from_anywhere_keeps_beats_and_bar_lines(tmp_path: Path) -> None:
    path = tmp_path / "song.mid"
    write_piece(path, 96, bars=48)  # two minutes
    starts = set()
    for number in range(6):
        drawn = draw_excerpt(path, number)
        assert drawn is not None
        excerpt, piece = drawn
        starts.add(excerpt.start)
        lines = piece.beats[::4]
        assert piece.knows_bars and piece.beats_per_bar == 4
        assert np.allclose((lines + excerpt.start) % 2.5 % 2.5, 0, atol=2e-3) or np.allclose(
            (lines + excerpt.start + 1) % 2.5, 1, atol=2e-3
        )
        assert lines[0] <= 1e-6 < lines[1] and piece.notes["start"].max() < excerpt.seconds
    assert len(starts) > 2


def test_the_same_excerpt_is_drawn_each_time(tmp_path: Path) -> None:
    path = tmp_path / "song.mid"
    write_piece(path, 100, bars=40)
    first, second = draw_excerpt(path, 3), draw_excerpt(path, 3)
    assert first is not None and second is not None and first[0] == second[0]


def test_labels_beside_the_folder_rule(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set_labels").mkdir()
    path = tmp_path / "set" / "song.mid"
    write_piece(path, 100, bars=24)
    rows = [f"{0.6 * beat:.3f} {int(beat % 3 == 1)} {int(beat % 6 == 1)}" for beat in range(96)]
    (tmp_path / "set_labels" / "song.beats.txt").write_text("\n".join(rows))
    drawn = draw_excerpt(path, 0)
    assert drawn is not None and drawn[1].beats_per_bar == 3 and drawn[1].knows_bars


def test_bars_are_not_believed_where_most_notes_start_beside_their_lines() -> None:
    beats = 0.5 * np.arange(65)
    on_lines, late = beats[::4], beats[1::4]
    assert borne_out(on_lines, beats, 4) == (True, True)
    assert borne_out(late, beats, 4) == (False, True)
    assert borne_out(late + 0.25, beats, 4) == (False, False)


def test_drums_are_played_along_on_the_beats_over_and_over(tmp_path: Path) -> None:
    path = tmp_path / "drummer_1_rock_100_beat_4-4.mid"
    write_piece(path, 100, bars=2)
    beats = 0.8 * np.arange(33)
    hits = drums_on_beats(path, beats, 25.0)
    near = np.abs(hits["start"][:, None] - beats).min(axis=1)
    assert near.max() < 2e-3 and hits["start"].max() > 22 and np.all(np.diff(hits["start"]) >= 0)


def test_the_midi_of_an_excerpt_has_its_notes_and_the_drums_that_are_played_along(tmp_path: Path) -> None:
    import symusic

    path = tmp_path / "song.mid"
    write_piece(path, 100, bars=40)
    drawn = draw_excerpt(path, 1)
    assert drawn is not None
    excerpt, piece = drawn
    plain = symusic.Score.from_midi(excerpt_midi(excerpt))
    assert plain.note_num() == len(piece.notes) + len(piece.hits)
    assert symusic.Score.from_midi(excerpt_midi(excerpt, piece.hits)).note_num() == plain.note_num() + len(piece.hits)


@pytest.mark.slow
def test_transcriptions_of_excerpts_are_the_same_each_time_and_kept_in_the_cache(tmp_path: Path) -> None:
    path = tmp_path / "song.mid"
    write_piece(path, 120, bars=11)
    drawn = draw_excerpt(path, 0)
    assert drawn is not None
    first = transcribe_excerpt(*drawn, soundfont_path(None), tmp_path)
    assert len(first.notes) > 60 and len(first.hits) > 20
    assert len(list(tmp_path.glob("*.pkl"))) == 1
    fresh = transcribe_excerpt(*drawn, soundfont_path(None), None)
    path.unlink()
    kept = transcribe_excerpt(*drawn, soundfont_path(None), tmp_path)
    for again in (fresh, kept):
        assert np.array_equal(first.notes, again.notes) and np.array_equal(first.hits, again.hits)
