"""Sounds of an exported page: those that it names are its own, and no other file is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.studio.export.static_page import BANKS, SOUNDS, sounds_of


def write(folder: Path, songs: Any, model: Any) -> None:
    (folder / "songs.json").write_text(json.dumps(songs), encoding="utf-8")
    (folder / "model.json").write_text(json.dumps(model), encoding="utf-8")


def test_a_page_owns_the_sounds_that_it_names(tmp_path: Path) -> None:
    songs = [{"sound": "songs/01-rain.mp3"}, {"sound": None}, {"sound": "../../elsewhere/02-snow.mp3"}]
    write(tmp_path, songs, {"instruments": {"program 33": {}, "drums": {}}})
    assert sounds_of(tmp_path) == {
        *(tmp_path / SOUNDS / name for name in ("01-rain.mp3", "02-snow.mp3")),
        *(tmp_path / BANKS / name for name in ("program-33.mp3", "drums.mp3")),
    }


@pytest.mark.parametrize("songs", [None, {}, [{}], [1], "text"])
def test_files_of_others_are_nobodys_sounds(tmp_path: Path, songs: Any) -> None:
    assert sounds_of(tmp_path) == set()
    write(tmp_path, songs, {})
    assert sounds_of(tmp_path) == set()
