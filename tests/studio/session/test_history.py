"""The history of a song: every state is on disk, back to the first one, whatever happens in between."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest

from pipeline.errors import UserError
from pipeline.songs.song import Song
from pipeline.studio.session.history import HISTORY, SongHistory
from tests.song_makers import song_of


def state(number: int) -> Song:
    return replace(song_of(), seed=number)


@pytest.fixture
def history(tmp_path: Path) -> SongHistory:
    history = SongHistory(tmp_path / "01")
    for number in range(4):
        history.add(state(number), "edit", number)
    return history


def test_states_come_back_in_order_after_a_restart(history: SongHistory) -> None:
    again = SongHistory(history.directory)
    assert again.song().seed == 3 and again.now.seed == 3
    for expected in (2, 1, 0):
        again.move(-1)
        assert SongHistory(history.directory).song().seed == expected
    with pytest.raises(UserError, match="nothing to undo"):
        again.move(-1)
    again.move(3)
    assert again.song().seed == 3
    with pytest.raises(UserError, match="nothing to redo"):
        again.move(1)


def test_an_edit_after_undo_ends_what_was_undone(history: SongHistory) -> None:
    history.move(-2)
    history.add(state(9), "edit")
    again = SongHistory(history.directory)
    assert len(again.entries) == 3 and again.song().seed == 9
    assert len(list(history.directory.glob("*.npz"))) == 3
    again.move(-1)
    assert again.song().seed == 1


def test_of_a_long_history_the_first_state_stays(tmp_path: Path) -> None:
    with patch("pipeline.studio.session.history.MOST_ENTRIES", 5):
        history = SongHistory(tmp_path)
        for number in range(9):
            history.add(state(number), "edit")
    again = SongHistory(tmp_path)
    seeds = [Song.load(tmp_path / entry.file).seed for entry in again.entries]
    assert seeds == [0, 5, 6, 7, 8] and len(list(tmp_path.glob("*.npz"))) == 5


def test_killed_while_it_is_written_a_state_is_the_old_one(history: SongHistory) -> None:
    """The song's file is there, the list that names it is not."""
    with patch.object(SongHistory, "save", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        history.add(state(7), "edit")
    again = SongHistory(history.directory)
    assert again.song().seed == 3 and len(again.entries) == 4
    again.add(state(8), "edit")
    assert SongHistory(history.directory).song().seed == 8


def test_a_damaged_list_is_named(history: SongHistory) -> None:
    (history.directory / HISTORY).write_text('{"format": 1, "entries": []}')
    with pytest.raises(UserError, match=r"history\.json is damaged"):
        SongHistory(history.directory)
