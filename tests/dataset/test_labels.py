"""Labels of phrases and songs that come from the folders they lie in."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from pipeline.dataset.labels import FEWEST_SONGS, NO_STYLE, styles_of, styles_of_songs


def test_a_song_has_the_style_of_its_folder_and_keeps_its_place_among_those_of_its_split() -> None:
    folders = [*["trap"] * FEWEST_SONGS, "lone", *["ballad"] * FEWEST_SONGS]
    songs = [
        SimpleNamespace(
            song=str(number), source=f"music/{folder}/{number}.mid", split="test" if number == 1 else "train"
        )
        for number, folder in enumerate(folders)
    ]
    store: Any = SimpleNamespace(songs=songs)
    assert styles_of(store) == ["ballad", "trap"]
    number_of = {"ballad": 0, "trap": 1, "lone": NO_STYLE}
    expected = [number_of[folder] for folder in folders]
    assert styles_of_songs(store, "test").tolist() == expected[1:2]
    assert styles_of_songs(store, "train").tolist() == [expected[0], *expected[2:]]
