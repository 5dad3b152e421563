"""Artefacts are made when something changed, kept when not, and never lost."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from omegaconf import OmegaConf

from pipeline import files as artefacts
from pipeline.build import page_of
from pipeline.config import _composed, _take_over, compose, flatten, read_config, set_name
from pipeline.errors import UserError
from pipeline.files import (
    MANIFEST,
    SET_ASIDE,
    Manifest,
    atomic_path,
    lock,
    read_manifest,
    refuse_change,
    remove_abandoned,
    replaced_directory,
    require_space,
    write_manifest,
)
from pipeline.stage_table import STAGES, upstream_of
from tests.conftest import SHORT_SONGS, SMALL, Program, program_environment

FILES = ("train/checkpoint.pt", "train/manifest.json", "generate/album/manifest.json", "lyrics/model.pt")


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / "outputs/small" / name).read_bytes() for name in FILES}


def artefacts_below(folder: Path) -> list[Path]:
    """All files of the run but Hydra's own."""
    return sorted(path for path in folder.glob("outputs/small/**/*") if ".hydra" not in path.parts)


def test_the_chain_runs_from_music_to_album() -> None:
    assert upstream_of("album") == ("collect", "prepare", "train", "generate", "lyrics", "render")


def test_manifest_fingerprint_follows_settings_inputs_and_facts_only() -> None:
    base = Manifest("train", 1, {"a": 1}, {"prepare": "x"}, {"steps": 5})
    assert base.fingerprint == Manifest("train", 1, {"a": 1}, {"prepare": "x"}, {"steps": 5}, seconds=9).fingerprint
    for other in (
        Manifest("train", 2, {"a": 1}, {"prepare": "x"}, {"steps": 5}),
        Manifest("train", 1, {"a": 2}, {"prepare": "x"}, {"steps": 5}),
        Manifest("train", 1, {"a": 1}, {"prepare": "y"}, {"steps": 5}),
        Manifest("train", 1, {"a": 1}, {"prepare": "x"}, {"steps": 6}),
    ):
        assert other.fingerprint != base.fingerprint


def test_settings_that_came_later_change_no_name_of_what_was_made_before() -> None:
    before, paired = compose(), compose("data.pair_bars=true")
    assert "data.pair_bars" not in flatten(before) and flatten(before)["roll.steps_per_beat"] == 4
    assert flatten(paired)["data.pair_bars"] is True and set_name(paired) != set_name(before)
    with pytest.raises(UserError, match=r"was made with data\.pair_bars=false, not true"):
        refuse_change("train", Path("run"), ["data.pair_bars"], flatten(paired), flatten(before))


def test_steps_of_another_kind_of_beat_are_not_taken_over() -> None:
    """A run of 4/4 that is asked for in 6/8 is told so of its metre, not of four steps that 6/8 can't have."""
    made = Manifest("train", 1, {"data.metre": "4/4", "roll.steps_per_beat": 4, "roll.bars": 2}, {})
    tree = OmegaConf.create(
        {"data": {"metre": "6/8"}, "roll": {"steps_per_beat": None, "bars": 4}, "model": {"design": "albumgan"}}
    )
    taken = _take_over(tree.copy(), made, ("data.metre",))
    assert (taken.roll.steps_per_beat, taken.roll.bars) == (None, 2)
    tree.data.metre = "3/4"
    assert _take_over(tree, made, ("data.metre",)).roll.steps_per_beat == 4


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "song.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_stage_leaves_the_old_directory(tmp_path: Path) -> None:
    place = tmp_path / "render"
    place.mkdir()
    (place / "01.mid").write_text("old")
    with pytest.raises(RuntimeError), replaced_directory(place) as fresh:
        (fresh / "01.mid").write_text("half")
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["render"]
    assert (place / "01.mid").read_text() == "old"


KILLED = """
import os, pathlib, signal
from pipeline import files

def counted(call):
    def one(*words, **named):
        if one.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        one.left -= 1
        return call(*words, **named)
    one.left = {left}
    return one

{patch}
with files.replaced_directory(pathlib.Path("album")) as fresh:
    (fresh / "index.html").write_text("fresh")
"""
"""Replaces the directory `album`, and is killed when it renames something for a certain time."""


@pytest.mark.parametrize(
    ("patch", "left", "there"),
    [
        ("files.exchange = counted(files.exchange)", 0, "old"),
        ("files.shutil.rmtree = counted(files.shutil.rmtree)", 1, "fresh"),
        ("files.exchange = lambda *paths: False; pathlib.Path.replace = counted(pathlib.Path.replace)", 0, "old"),
        ("files.exchange = lambda *paths: False; pathlib.Path.replace = counted(pathlib.Path.replace)", 1, "old"),
    ],
    ids=["before they change places", "after they changed places", "before two steps", "between two steps"],
)
def test_a_directory_is_there_whenever_its_replacement_is_killed(
    tmp_path: Path, patch: str, left: int, there: str
) -> None:
    place = tmp_path / "album"
    place.mkdir()
    (place / "index.html").write_text("old")
    write_manifest(place, Manifest("album", 1, {}, {}))
    words = [sys.executable, "-c", KILLED.format(patch=patch, left=left)]
    done = subprocess.run(words, cwd=tmp_path, env=program_environment(), check=False)
    assert done.returncode == -signal.SIGKILL
    if there == "old":
        assert read_manifest(place) == Manifest("album", 1, {}, {}, files={"index.html": 3}), "also before the lock"
    with lock(place):
        assert (place / "index.html").read_text() == there
        assert [path for path in tmp_path.iterdir() if path.suffix != ".lock"] == [place]


def test_settings_of_an_artefact_are_known_while_it_is_changed_where_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "outputs/mine/lyrics"
    place.mkdir(parents=True)
    write_manifest(place, Manifest("lyrics", 2, {"lyrics.model.steps": 20}, {}))
    (place / MANIFEST).replace(place / SET_ASIDE)
    tree = _composed(("name=mine",)).copy()
    tree.stage = "album"
    assert read_config(tree, (), upstream_of("album"), "mine").lyrics.model.steps == 20
    write_manifest(place, Manifest("lyrics", 2, {"lyrics.model.steps": 30}, {}))
    assert read_config(tree, (), upstream_of("album"), "mine").lyrics.model.steps == 30
    assert read_manifest(place) == Manifest("lyrics", 2, {"lyrics.model.steps": 30}, {})


def test_a_lock_is_held_by_one_and_leaves_no_file(tmp_path: Path) -> None:
    inside, most, guard = [0], [0], threading.Lock()

    def work() -> None:
        for _ in range(20):
            with lock(tmp_path / "set"):
                with guard:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                time.sleep(0.0005)
                with guard:
                    inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] and not list(tmp_path.iterdir())


def test_a_lock_whose_file_was_removed_is_none(tmp_path: Path) -> None:
    """Who opened the file before it was removed must not believe to hold it beside who made a fresh one."""
    order: list[str] = []
    with lock(tmp_path / "set"):
        waiting = threading.Thread(target=lambda: enter(tmp_path / "set", order))
        waiting.start()
        time.sleep(0.1)
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]


def enter(directory: Path, order: list[str]) -> None:
    with lock(directory):
        order.append("second")


def test_what_a_killed_process_left_goes_but_not_what_another_works_on(tmp_path: Path) -> None:
    (tmp_path / ".killed.lock").touch()
    (tmp_path / ".killed.partial").mkdir()
    (tmp_path / ".killed.partial" / "song.mid").touch()
    (tmp_path / "finished").mkdir()
    with lock(tmp_path / "busy"):
        (tmp_path / ".busy.partial").mkdir()
        remove_abandoned(tmp_path)
        assert {path.name for path in tmp_path.iterdir()} == {".busy.lock", ".busy.partial", "finished"}


def test_what_is_up_to_date_names_its_page(tmp_path: Path) -> None:
    assert page_of(tmp_path) == tmp_path
    (tmp_path / "report.md").write_text("#")
    assert page_of(tmp_path) == tmp_path / "report.md"
    (tmp_path / "index.html").write_text("<p>")
    assert page_of(tmp_path) == tmp_path / "index.html"


def test_a_full_disk_is_told_beforehand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artefacts.shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    require_space(tmp_path / "outputs", 900_000, "train")
    with pytest.raises(UserError, match="train needs about"):
        require_space(tmp_path / "outputs", 1_000_000, "train")


def test_a_damaged_manifest_is_named(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"stage": "tra')
    with pytest.raises(UserError, match=r"manifest\.json is damaged"):
        read_manifest(tmp_path)


@pytest.mark.slow
def test_every_stage_leaves_a_manifest_that_lists_its_files(small_album: Path) -> None:
    run = small_album / "outputs/small"
    found = {str(path.parent.relative_to(run)) for path in run.rglob("manifest.json")}
    assert found == {"train", "generate/album", "lyrics", "render/album", "album"}
    sets = list(small_album.glob("data/*/folder-*/manifest.json"))
    assert {path.parent.parent.name for path in sets} == {"collected", "prepared"}
    for path in [*run.rglob("manifest.json"), *sets]:
        values = json.loads(path.read_text())
        assert values["stage"] in STAGES
        for name, size in values["files"].items():
            assert (path.parent / name).stat().st_size == size


@pytest.mark.slow
def test_the_second_time_everything_is_up_to_date(small_album: Path, program: Program) -> None:
    before = contents(small_album)
    done = program("+stage=album", *SMALL, cwd=small_album, check=True)
    assert "album: up to date" in done.stdout
    assert contents(small_album) == before


@pytest.mark.slow
def test_downstream_takes_settings_from_the_checkpoint(album_copy: Path, program: Program) -> None:
    done = program("+stage=generate", "name=small", *SHORT_SONGS, cwd=album_copy, check=True)
    assert "generate.candidates was 2" in done.stdout  # its own settings are the defaults again ...
    songs = sorted((album_copy / "outputs/small/generate/album/songs").glob("*.npz"))
    assert len(songs) == 6  # ... while track set, roll and model came from the checkpoint of the folder's music


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("+stage=train", *SMALL, "model.trunk_width=8"), "was made with model.trunk_width=16, not 8"),
        (("+stage=album", "name=small", "tracks=satb"), "was made with tracks."),
        (("+stage=album", "name=small", "seed=7"), "was made with seed=1, not 7"),
        (
            ("+stage=lyrics", "name=small", "lyrics.init=null", "lyrics.model.hidden_size=16"),
            "was made with lyrics.model.",
        ),
        (("+stage=generate", "name=nobody", "upstream=refuse"), "upstream=refuse"),
    ],
)
def test_what_took_long_is_not_replaced(
    small_album: Path, program: Program, words: tuple[str, ...], sentence: str
) -> None:
    before = contents(small_album)
    done = program(*words, cwd=small_album)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert contents(small_album) == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("train/checkpoint.pt", ("+stage=generate", "name=small", "force=true")),
        ("generate/album/songs/01.npz", ("+stage=render", "name=small", "force=true")),
    ],
)
def test_a_damaged_file_is_named_and_nothing_overwritten(
    album_copy: Path, program: Program, name: str, words: tuple[str, ...]
) -> None:
    path = album_copy / "outputs/small" / name
    whole = path.read_bytes()
    listing = artefacts_below(album_copy)
    for damaged in (whole[: len(whole) // 2], b"not what it says"):
        path.write_bytes(damaged)
        done = program(*words, cwd=album_copy)
        assert done.returncode == 1
        assert path.name in done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        assert artefacts_below(album_copy) == listing
