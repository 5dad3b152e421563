"""Songs that settings and checkpoint would give again: which are told apart, and which files are taken for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.files import Manifest
from pipeline.songs.compose.unchanged_songs import unchanged_songs
from tests.song_makers import song_of

SETTINGS = {"generate.seed": 1, "generate.songs": 2, "generate.rerolls": []}
INPUTS = {"train": "networks"}


def unchanged(place: Path, was_kept: tuple[str, ...] = (), inputs: dict[str, str] = INPUTS, **changes: Any) -> set[int]:
    """The numbers of three songs that stay where two were made with `SETTINGS`; `changes` are of `generate`."""
    files = {}
    for number in (1, 2):
        path = place / f"songs/{number:02d}.npz"
        if not path.exists():
            song_of(number=number).save(path)
        files[f"songs/{path.name}"] = path.stat().st_size
    found = Manifest("generate", 2, SETTINGS, INPUTS | dict.fromkeys(was_kept, "hash"), files=files)
    settings = SETTINGS | {f"generate.{key}": value for key, value in changes.items()}
    return set(unchanged_songs(found, place, settings, inputs, 2, (1, 2, 3)))


def test_more_songs_leave_those_that_are_there(tmp_path: Path) -> None:
    assert unchanged(tmp_path, songs=3) == {1, 2}


def test_a_reroll_touches_its_own_song_alone(tmp_path: Path) -> None:
    assert unchanged(tmp_path, rerolls=["2"]) == {1}
    assert unchanged(tmp_path, rerolls=["1.chorus"]) == {2}


def test_another_seed_or_checkpoint_changes_all(tmp_path: Path) -> None:
    assert unchanged(tmp_path, seed=2) == set()
    assert unchanged(tmp_path, inputs={"train": "other networks"}) == set()


def test_a_kept_song_changes_no_other_and_is_made_where_it_is_kept_no_more(tmp_path: Path) -> None:
    assert unchanged(tmp_path, inputs=INPUTS | {"kept.02": "hash"}) == {1, 2}
    assert unchanged(tmp_path, was_kept=("kept.02",)) == {1}


def test_a_song_that_was_changed_or_taken_away_is_made_again(tmp_path: Path) -> None:
    unchanged(tmp_path)
    path = tmp_path / "songs/01.npz"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    size = unchanged_songs(
        Manifest("generate", 2, SETTINGS, INPUTS, files={"songs/01.npz": 7}), tmp_path, SETTINGS, INPUTS, 2, (1,)
    )
    assert size == {}, "of another size than the stage left it"
    path.write_bytes(b"no song")
    assert unchanged(tmp_path) == {2}
    assert unchanged_songs(None, tmp_path, SETTINGS, INPUTS, 2, (1,)) == {}
