"""Windows of inpainting: where they lie, and how made notes give way to those that stay."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gan.networks.generator import Generator
from pipeline.scores.notes import make_notes
from pipeline.songs.inpaint.window_inpainting import next_window, shift_into_pitch_range, wait_for_kept
from pipeline.songs.trained_model import load_trained_model
from tests.song_makers import configured, write_checkpoint


def test_windows_begin_with_what_is_there() -> None:
    made = np.zeros((2, 12), bool)
    windows = []
    while (window := next_window(made, 4)) is not None:
        windows.append(window)
        made[:, slice(*window)] = True
    assert windows == [(0, 4), (2, 6), (4, 8), (6, 10), (8, 12)]
    made[1, 5] = False
    assert next_window(made, 4) == (3, 7), "as much before as after"
    made[:, 9:] = False
    made[1, 5] = True
    assert next_window(made, 4) == (7, 11) or next_window(made, 4) == (8, 12)
    assert next_window(np.zeros((2, 1), bool), 1) == (0, 1)


def test_made_notes_wait_until_a_given_one_of_their_pitch_has_rung_out() -> None:
    given = make_notes([0, 1], 60, [0, 0], [10, 10])
    made = make_notes([0, 0, 0, 1, 1], [60, 60, 64, 62, 60], [8, 9, 8, 8, 8], [4, 1, 4, 4, 4])
    waited = wait_for_kept(made, given, monophonic=[1])
    assert sorted(waited.tolist()) == [
        (0, 60, 10, 2),
        (0, 64, 8, 4),
        (1, 60, 10, 2),
        (1, 62, 10, 2),
    ]


def test_notes_outside_the_pitch_range_of_their_track_move_by_octaves(tmp_path: Path) -> None:
    config = configured("+stage=generate")
    generator = load_trained_model(config, write_checkpoint(tmp_path, config)).generator
    assert isinstance(generator, Generator)
    low = generator.spec.lowest_pitch + generator.lowest_pitches[1]
    notes = make_notes(1, [low - 12, low + 1, low + 12, low + 24], [0, 4, 8, 12], 4)
    assert shift_into_pitch_range(notes, generator)["pitch"].tolist() == [low, low + 1, low, low]
