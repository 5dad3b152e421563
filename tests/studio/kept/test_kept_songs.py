"""Songs kept in the studio are the album's: in place of others, beyond them, or refused where they don't fit."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.build import Builder
from pipeline.config import Config, flatten, stage_directory
from pipeline.errors import UserError
from pipeline.files import Manifest, read_manifest, settings_of, write_manifest
from pipeline.pages.album.rerolling import ask_again
from pipeline.songs.compose.song_composer import SongComposer
from pipeline.songs.song import Song
from pipeline.stage_table import STAGES
from pipeline.stages import generate
from pipeline.studio.kept.kept_songs import kept_path, kept_songs
from tests.song_makers import configured, song_of, write_checkpoint

TINY = ("generate.songs=2", "generate.candidates=2", "generate.min_seconds=20", "generate.max_seconds=30")


def album(*overrides: str) -> Config:
    return configured("+stage=album", *TINY, *overrides)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an untrained checkpoint and two songs of it."""
    folder, config = tmp_path_factory.mktemp("kept"), album()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        train = stage_directory("train", config)
        write_checkpoint(train, config)
        settings = settings_of(flatten(config), STAGES["train"].groups)
        write_manifest(train, Manifest("train", STAGES["train"].format, settings, {}))
        Builder(config).build("generate")
    return folder


@pytest.fixture
def folder(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, as the current directory and free to be changed."""
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def songs_of(config: Config) -> dict[int, bytes]:
    """The files of the album's songs by number, brought up to date."""
    Builder(config).build("generate")
    paths = (stage_directory("generate", config) / "songs").glob("*.npz")
    return {int(path.stem): path.read_bytes() for path in paths}


def keep_file(config: Config, number: int, source: int = 1) -> Path:
    """A song of the album that has another key and number, as a kept song."""
    song = Song.load(stage_directory("generate", config) / f"songs/{source:02d}.npz")
    path = kept_path(config, number)
    replace(song, number=number, key="F# minor").save(path)
    return path


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of the songs that are composed."""
    numbers: list[int] = []
    make = SongComposer.make
    monkeypatch.setattr(SongComposer, "make", lambda self, number: (numbers.append(number), make(self, number))[1])
    return numbers


def test_a_kept_song_replaces_its_own_and_no_song_is_composed(folder: Path, made: list[int]) -> None:
    config = album()
    before = songs_of(config)
    path = keep_file(config, 2)
    after = songs_of(config)
    assert after == {1: before[1], 2: path.read_bytes()} and after[2] != before[2]
    assert made == []
    manifest = read_manifest(stage_directory("generate", config))
    assert manifest is not None and [one.get("kept", False) for one in manifest.notes["songs"]] == [False, True]
    path.unlink()
    assert songs_of(config) == before and made == [2], "without its file the song is made by the settings"


def test_a_number_beyond_the_album_is_a_further_song(folder: Path, made: list[int]) -> None:
    config = album()
    before = songs_of(config)
    path = keep_file(config, 4)
    assert songs_of(config) == before | {4: path.read_bytes()} and made == []


def test_a_reroll_composes_its_own_song_alone_and_a_kept_one_is_not_sent_back(folder: Path, made: list[int]) -> None:
    config = album()
    before = songs_of(config)
    path = keep_file(config, 2)
    config.album.reroll = [2]
    with pytest.raises(UserError, match=rf"song 2 is the one that was kept in the studio; remove {path}"):
        ask_again(config)
    songs_of(config)
    config.album.reroll = ["1"]
    ask_again(config)
    after = songs_of(config)
    assert made == [1] and after[1] != before[1] and after[2] == path.read_bytes()


def test_other_requests_know_no_kept_songs(folder: Path) -> None:
    keep_file(album(), 9)
    ballads = configured("+stage=generate", *TINY, "generate.request=ballads")
    assert not any(key.startswith("kept") for key in generate.inputs(ballads))
    assert "kept.09" in generate.inputs(album())


@pytest.mark.parametrize("damage", ["half", "number", "tracks"])
def test_what_is_no_song_of_the_album_is_named_with_the_way_on(folder: Path, damage: str) -> None:
    config = album()
    path = keep_file(config, 2)
    if damage == "half":
        path.write_bytes(path.read_bytes()[:400])
    elif damage == "number":
        path = path.rename(path.with_name("03.npz"))
    else:
        song_of(number=2).save(path)
    with pytest.raises(UserError, match=rf"{path}.*remove"):
        generate.inputs(config)


def test_only_files_with_a_number_are_songs(folder: Path) -> None:
    path = keep_file(album(), 2)
    shutil.copy(path, path.with_name("02 copy.npz"))
    shutil.copy(path, path.with_name(".x.partial.npz"))
    assert kept_songs(album()) == {2: path}
