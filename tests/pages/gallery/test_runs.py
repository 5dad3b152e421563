"""Runs of an outputs folder: found whatever their state, told as what they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.files import SET_ASIDE
from pipeline.pages.gallery.runs import ALBUM, EXPERIMENT, TEXT, UNFINISHED, read_run, run_names
from tests.pages.gallery.outputs import write_outputs


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    write_outputs(tmp_path)
    return tmp_path


def test_all_runs_are_found_and_nothing_else(outputs: Path) -> None:
    assert {*run_names(outputs)} == {"mine", "verses", "sweep", "sweep/0", "sweep/1", "broken", "begun"}
    assert run_names(outputs / "nowhere") == []


def test_what_a_command_left_before_it_made_anything_is_no_run(outputs: Path) -> None:
    (outputs / "refused/album/.hydra").mkdir(parents=True)
    assert "refused" not in run_names(outputs)


def test_a_run_may_be_called_as_a_stage_is(outputs: Path) -> None:
    (outputs / "mine").rename(outputs / "train")
    assert "train" in run_names(outputs) and "mine" not in run_names(outputs)


def test_the_run_that_was_finished_last_comes_first(outputs: Path) -> None:
    os.utime(outputs / "verses/lyrics/manifest.json", (2e9, 2e9))
    assert run_names(outputs)[0] == "verses"


def test_an_album_is_told_with_cover_sound_and_the_command_that_makes_it_again(outputs: Path) -> None:
    run = read_run(outputs, "mine")
    assert (run.kind, run.title, run.artist) == (ALBUM, "Salt & <i>Vinegar</i>", "Nobody")
    assert run.page == "mine/album/index.html"
    assert (run.picture, run.is_cover) == ("mine/album/cover.png", True)
    assert run.sound == ("Salt - again", "mine/album/tracks/01 #1.wav")
    assert run.facts == [
        *("1 song", "1 min 10 s", "after: Songs <written> for it", "80 steps in 1 min 00 s"),
        "words at 1.73 bits a character",
    ]
    assert ("Notebook of the music", "mine/train/notebook.ipynb") in run.links
    assert run.command is not None and run.command.startswith("python -m pipeline +stage=album ")
    assert "train.steps=79" in run.command and run.command.endswith("name=mine")
    assert not run.unfinished


def test_an_album_that_is_made_again_is_shown_as_far_as_it_came(outputs: Path) -> None:
    (outputs / "mine/album/manifest.json").unlink()
    run = read_run(outputs, "mine")
    assert run.kind == EXPERIMENT and run.unfinished == ["album: not finished."]
    assert run.picture == "mine/train/samples/step-000080.png"
    assert run.command is not None and "+stage=lyrics" in run.command


def test_words_alone_are_a_text_with_its_first_lines(outputs: Path) -> None:
    run = read_run(outputs, "verses")
    assert (run.kind, run.excerpt) == (TEXT, ["1. Salt", "one <b>"])
    assert run.command == "python -m pipeline +stage=lyrics name=verses"


def test_jobs_of_a_sweep_are_runs_and_the_sweep_has_its_ranking(outputs: Path) -> None:
    sweep = read_run(outputs, "sweep")
    assert (sweep.kind, sweep.page) == (EXPERIMENT, "sweep/evaluate/index.html")
    assert sweep.command == "python -m pipeline +stage=evaluate name=sweep"
    job = read_run(outputs, "sweep/1")
    assert job.command is not None and "seed=2" in job.command and job.command.endswith("name=sweep/1")


def test_a_training_that_is_made_again_keeps_its_command(outputs: Path) -> None:
    place = outputs / "sweep/1/train"
    (place / "manifest.json").rename(place / SET_ASIDE)
    run = read_run(outputs, "sweep/1")
    assert (run.kind, run.unfinished) == (UNFINISHED, ["train: not finished."])
    assert run.command is not None and "+stage=train seed=2" in run.command


def test_what_is_broken_or_half_made_is_listed_as_such(outputs: Path) -> None:
    broken, begun = read_run(outputs, "broken"), read_run(outputs, "begun")
    assert broken.kind == begun.kind == UNFINISHED
    assert broken.unfinished == ["train: its manifest can't be read."]
    assert begun.unfinished == ["train: not finished, stopped or busy at step 1,216."]
    assert broken.command is begun.command is None
