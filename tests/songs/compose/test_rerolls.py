"""Rerolls: what was made anew of a song, and songs that are not there."""

from __future__ import annotations

import pytest

from pipeline.errors import UserError
from pipeline.songs.compose.rerolls import RerollHistory, history_of, read_rerolls


def test_what_happened_to_a_song_is_read_in_order() -> None:
    rerolls = read_rerolls(["2.verse", "3", "2", "2.chorus", "2.chorus", "2.verse"], 3, "album.reroll")
    assert history_of(rerolls, 1) == RerollHistory(0, ())
    assert history_of(rerolls, 2) == RerollHistory(1, (("chorus", 1), ("chorus", 2), ("verse", 1)))
    assert history_of(rerolls, 3) == RerollHistory(1, ())


@pytest.mark.parametrize(
    ("entry", "said"), [("4", "no song 4"), ("0", "no song 0"), ("chorus", "is no song"), ("2.", "is no song")]
)
def test_a_song_that_is_not_there_is_named(entry: str, said: str) -> None:
    with pytest.raises(UserError, match=f"album.reroll: .*{said}"):
        read_rerolls([entry], 3, "album.reroll")
