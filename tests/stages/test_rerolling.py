"""Songs sent back: what is remembered of it, what is refused, and that the rest of the album stays."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pipeline.config import Config
from pipeline.errors import UserError
from pipeline.files import Manifest, write_manifest
from pipeline.pages.album.credits import remake_command
from pipeline.pages.album.rerolling import ask_again
from tests.conftest import Program
from tests.song_makers import configured, song_of

RUN = Path("outputs/album")


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """An album of two songs with verse and chorus."""
    monkeypatch.chdir(tmp_path)
    for number in (1, 2):
        song_of(number=number).save(RUN / f"generate/album/songs/{number:02d}.npz")
    config = configured("+stage=album")
    remember(config)
    return config


def remember(config: Config, shown: bool = True) -> None:
    """What generate leaves, and an album of it if it is `shown`."""
    settings = {"generate.rerolls": list(config.generate.rerolls)}
    generate = Manifest("generate", 2, settings, {}, {"songs": 2})
    write_manifest(RUN / "generate/album", generate)
    if shown:
        (RUN / "album").mkdir(exist_ok=True)
        write_manifest(RUN / "album", Manifest("album", 1, {}, {"generate": generate.fingerprint}))


def sent_back(config: Config, *entries: str) -> list[str]:
    config.album.reroll = list(entries)
    ask_again(config)
    return config.generate.rerolls


def test_asking_again_adds_up_and_an_interrupted_album_is_finished_first(config: Config) -> None:
    assert sent_back(config) == []
    assert sent_back(config, "2") == ["2"]
    remember(config, shown=False)  # stopped after generate
    assert sent_back(config, "2") == ["2"]
    remember(config)
    assert sent_back(config, "2") == ["2", "2"]
    remember(config)
    assert sent_back(config, "1.chorus") == ["2", "2", "1.chorus"]
    remember(config)
    assert "'generate.rerolls=[2,2,1.chorus]'" in remake_command(config), "the album can be made again"


def test_a_section_that_is_not_there_is_named_with_those_that_are(config: Config) -> None:
    with pytest.raises(UserError, match=r"song 2 has no section bridge; it has verse, chorus\."):
        sent_back(config, "2.bridge")
    assert config.generate.rerolls == []


def test_nothing_can_be_sent_back_before_there_is_an_album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="there are no songs yet"):
        sent_back(configured("+stage=album"), "1")


@pytest.mark.slow
def test_the_rest_of_an_album_stays_as_it_is(small_album: Path, program: Program, tmp_path: Path) -> None:
    shutil.copytree(small_album, tmp_path / "album", symlinks=True)
    run = tmp_path / "album/outputs/small"

    def files(number: int) -> list[bytes]:
        paths = [run / f"generate/album/songs/{number:02d}.npz", *(run / "render/album").glob(f"{number:02d}-*.wav")]
        return [path.read_bytes() for path in paths]

    def words(number: int) -> list[str]:
        songs = json.loads((run / "lyrics/lyrics.json").read_text())["songs"]
        return [line for section in songs[number - 1]["sections"] for line in section["lines"]]

    said_before, before = words(1), {number: files(number) for number in (1, 2)}
    page = (run / "album/index.html").read_text()
    said = program("+stage=album", "name=small", "album.reroll=[2]", cwd=tmp_path / "album", check=True).stdout
    assert "generate.rerolls was [], is ['2']" in said
    assert files(1) == before[1]
    assert all(new != old for new, old in zip(files(2), before[2], strict=True))
    assert words(1) == said_before and words(2), "the words of the other song go with its new tune"
    assert (run / "album/index.html").read_text() != page
    said = program("+stage=album", "name=small", cwd=tmp_path / "album", check=True).stdout
    assert "album: up to date" in said
    failed = program("+stage=album", "name=small", "album.reroll=[7]", cwd=tmp_path / "album")
    assert failed.returncode == 1 and "there is no song 7; the album has 2" in failed.stderr
