"""Requests of one run lie side by side: none replaces the songs of another."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config import stage_directory
from pipeline.errors import UserError
from pipeline.files import Manifest, write_manifest
from pipeline.settings.generate import GenerateSettings
from pipeline.settings.song_requests import render_command, settle_request
from tests.conftest import Program
from tests.song_makers import configured


def settled(stage: str, rendered: str = "album", explicit: tuple[str, ...] = (), **asked: object) -> str | None:
    """The request of a stage for settings of `generate`, which the user typed unless `explicit` says otherwise."""
    generate = GenerateSettings()
    for key, value in asked.items():
        setattr(generate, key, value)
    settle_request(stage, "mine", generate, rendered, explicit or tuple(f"generate.{key}" for key in asked))
    return generate.request


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def leave(request: str) -> None:
    """Leave a finished request of the run `mine`."""
    place = Path("outputs/mine/generate") / request
    place.mkdir(parents=True)
    write_manifest(place, Manifest("generate", 2, {}, {}, {"songs": 1}))


@pytest.mark.parametrize(
    ("asked", "request_made"),
    [
        ({}, "album"),
        ({"key": "E minor"}, "album"),
        ({"given": "my.mid"}, "given"),
        ({"like": "my.mid"}, "explore"),
        ({"interpolate": 8}, "explore"),
        ({"request": "ballads"}, "ballads"),
        ({"given": "my.mid", "request": "for-piano_2"}, "for-piano_2"),
    ],
)
def test_a_request_is_named_by_what_is_asked_for(asked: dict[str, object], request_made: str) -> None:
    assert settled("generate", **asked) == request_made


def test_each_request_has_a_folder_of_its_own_and_words_and_page_are_the_albums() -> None:
    around = configured("+stage=generate", "generate.given=my.mid", "generate.keep=[alto]")
    assert stage_directory("generate", around) == Path("outputs/album/generate/given")
    assert stage_directory("train", around) == Path("outputs/album/train")
    album = configured("+stage=album")
    assert stage_directory("generate", album) == Path("outputs/album/generate/album")
    assert stage_directory("render", album) == Path("outputs/album/render/album")
    assert stage_directory("lyrics", album) == Path("outputs/album/lyrics")


def test_render_reads_the_request_that_is_named() -> None:
    leave("album")
    leave("given")
    assert settled("render") == "album"
    assert settled("render", "given") == "given"
    taken_over = settled("render", "given", ("render.request",), given="my.mid")
    assert taken_over == "given", "from what the songs were made with"
    assert settled("render", "explore", like="my.mid") == "explore", "which is made first"
    assert render_command("mine", "album") == "python -m pipeline +stage=render name=mine"
    assert render_command("my run", "given") == "python -m pipeline +stage=render 'name=my run' render.request=given"


@pytest.mark.parametrize(
    ("stage", "rendered", "asked", "sentence"),
    [
        ("generate", "album", {"given": "my.mid", "request": "album"}, r"generate\.request=album is for songs from no"),
        ("generate", "album", {"given": "my.mid", "request": "Album"}, r"generate\.request=Album is for songs from no"),
        ("generate", "album", {"request": "given"}, r"generate\.request=given is for songs around generate\.given"),
        ("generate", "album", {"request": "../up"}, r"generate\.request=\.\./up can't be a folder"),
        ("generate", "given", {}, r"render\.request belongs to \+stage=render"),
        ("render", "a/b", {}, r"render\.request=a/b can't be a folder"),
        ("render", "explore", {}, r"render\.request=explore: .* no finished songs .*; there are album, given\."),
        ("render", "album", {"given": "my.mid"}, r"generate\.given=my\.mid is for .* give render\.request=given too"),
        ("render", "given", {"request": "given"}, r"generate\.request=given is for songs around generate\.given"),
        ("album", "album", {"given": "my.mid"}, r"generate\.given=my\.mid: \+stage=album takes the songs of the album"),
        ("lyrics", "album", {"request": "x"}, r"generate\.request=x: \+stage=lyrics takes the songs of the album"),
    ],
)
def test_a_request_that_would_take_the_place_of_another_is_refused(
    stage: str, rendered: str, asked: dict[str, object], sentence: str
) -> None:
    leave("album")
    leave("given")
    with pytest.raises(UserError, match=sentence):
        settled(stage, rendered, **asked)


def contents(run: Path) -> dict[str, bytes]:
    """The files of a run but Hydra's own, by their paths."""
    paths = (path for path in run.rglob("*") if path.is_file() and ".hydra" not in path.parts)
    return {str(path.relative_to(run)): path.read_bytes() for path in paths if not path.name.endswith(".lock")}


@pytest.mark.slow
def test_songs_around_given_notes_leave_the_album_as_it_is(album_copy: Path, program: Program) -> None:
    run = album_copy / "outputs/small"
    before = contents(run)
    given = ("generate.given=music/song-00.mid", "generate.keep=[bass]", "generate.songs=1", "generate.candidates=1")
    said = program("+stage=generate", "name=small", *given, cwd=album_copy, check=True).stdout
    assert "1 song around song-00.mid: outputs/small/generate/given" in said
    assert "python -m pipeline +stage=render name=small render.request=given" in said
    said = program("+stage=render", "name=small", "render.request=given", cwd=album_copy, check=True).stdout
    assert "generate: up to date" in said and "outputs/small/render/given" in said
    assert (run / "render/given/01.mid").is_file()
    for stage in ("render", "album"):
        said = program(f"+stage={stage}", "name=small", cwd=album_copy, check=True).stdout
        assert f"{stage}: up to date" in said
    after = contents(run)
    assert {path: after[path] for path in before} == before


def test_songs_on_records_have_a_request_of_their_own_unless_an_album_is_made() -> None:
    assert settled("generate", flip="old.mp3") == "flip"
    assert settled("album", flip="old.mp3") == "album"
    assert settled("lyrics", flip="old.mp3") == "album"
    assert settled("generate", flip="old.mp3", request="album") == "album"
    assert settled("generate", flip="old.mp3", request="soul") == "soul"
    with pytest.raises(UserError, match="songs on records"):
        settled("generate", request="flip")
