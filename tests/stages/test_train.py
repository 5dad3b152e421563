"""The train stage: what it leaves, and that nothing is lost when it is stopped."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from gan.settings import TrainSettings
from pipeline.rendering.midi import midi_bytes
from pipeline.songs.song import Song
from pipeline.stages.train import after_this
from tests.conftest import SMALL, Program, program_environment
from tests.stage_runner import run_stage

UNNAMED = [word for word in SMALL if not word.startswith("name=")]


def curve(path: Path) -> list[dict[str, object]]:
    """The records of a run, without what time took."""
    records = [json.loads(line) for line in path.read_text().splitlines()]
    return [{key: value for key, value in record.items() if key != "seconds"} for record in records]


def midi_of_songs(outputs: Path) -> list[bytes]:
    """The songs of the only run in a folder as MIDI."""
    return [midi_bytes(Song.load(path)) for path in sorted(outputs.glob("*/generate/album/songs/*.npz"))]


def interrupted(folder: Path, name: str, sign: int, is_due: Callable[[], bool]) -> str:
    """Start training or go on with it, and send `sign` as soon as that is due; what the program said until then."""
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline", "+stage=train", *UNNAMED, f"name={name}"],
        cwd=folder,
        env=program_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        deadline = time.monotonic() + 300
        while not is_due():
            assert process.poll() is None, "it ended by itself"
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(sign)
        said = process.communicate(timeout=60)[0]
        assert process.returncode != 0
    assert not (folder / "outputs" / name / "train/manifest.json").exists()
    return said


def test_a_run_says_which_budget_would_go_on_from_it() -> None:
    budgets = {"default": TrainSettings(steps=240), "long": TrainSettings(steps=1_000, minutes=120)}
    quick = SimpleNamespace(settings=TrainSettings(steps=30), step=30, seconds=30.0)
    assert after_this(quick, budgets) == (
        "ended by train.steps=30. budget=default goes on from here, to step 240 in some 3 min 30 s."
    )
    slow = SimpleNamespace(settings=budgets["default"], step=100, seconds=960.0)
    assert after_this(slow, budgets) == (
        "ended by train.minutes=16. budget=long goes on from here, to step 1,000 in some 1 h 44 min."
    )
    further = SimpleNamespace(settings=TrainSettings(steps=2_000, minutes=12), step=1_200, seconds=720.0)
    assert after_this(further, budgets) == "ended by train.minutes=12; raise it to go on from here."
    longest = SimpleNamespace(settings=budgets["long"], step=1_000, seconds=960.0)
    assert after_this(longest, budgets) == "ended by train.steps=1000; raise it to go on from here."


@pytest.mark.slow
def test_a_run_that_was_stopped_goes_on_and_equals_an_uninterrupted_one(
    small_album: Path, program: Program, prepared_folder: Path
) -> None:
    """Stopped by Ctrl-C at its first checkpoint, killed a step after it went on, and let go to its end.

    The same seed gives the same networks, and they the same MIDI.
    """
    whole, place = small_album / "outputs/small/train", prepared_folder / "outputs/stopped/train"
    interrupted(prepared_folder, "stopped", signal.SIGINT, (place / "checkpoint.pt").exists)
    log = place / "metrics.jsonl"
    begun = len(curve(log))
    killed = interrupted(prepared_folder, "stopped", signal.SIGKILL, lambda: log.read_text().count("\n") > begun)
    assert "goes on from step" in killed
    done = program("+stage=train", *UNNAMED, "name=stopped", cwd=prepared_folder, check=True)
    assert "goes on from step" in done.stdout
    assert curve(place / "metrics.jsonl") == curve(whole / "metrics.jsonl")
    checkpoints = [torch.load(one / "checkpoint.pt", weights_only=True) for one in (whole, place)]
    assert checkpoints[0]["chosen"]["step"] == checkpoints[1]["chosen"]["step"]
    states = [one["trainer"] | {"chosen": one["chosen"]["average"]} for one in checkpoints]
    for part in ("generator", "average", "discriminator", "chosen"):
        for key, value in states[0][part].items():
            assert torch.equal(value, states[1][part][key]), f"{part}.{key}"
    run_stage(prepared_folder, "generate", *UNNAMED, "name=stopped")
    made = [midi_of_songs(folder / "outputs") for folder in (small_album, prepared_folder)]
    assert made[0] == made[1] and len(made[0]) == 2, "trained and generated anew"


@pytest.mark.slow
def test_more_steps_continue_a_finished_checkpoint(small_album: Path, program: Program, tmp_path: Path) -> None:
    shutil.copytree(small_album, tmp_path, dirs_exist_ok=True, symlinks=True)
    words = [word for word in SMALL if not word.startswith("train.steps")]
    before = curve(small_album / "outputs/small/train/metrics.jsonl")
    done = program("+stage=train", *words, "train.steps=14", cwd=tmp_path, check=True)
    assert "goes on from step 12" in done.stdout
    after = curve(tmp_path / "outputs/small/train/metrics.jsonl")
    assert after[: len(before)] == before
    assert after[-1]["step"] == 14
    books = [(folder / "outputs/small/train/notebook.ipynb").read_text() for folder in (small_album, tmp_path)]
    assert ["14 steps" in book for book in books] == [False, True], "the notebook follows"


@pytest.mark.slow
def test_training_leaves_pictures_and_figures(small_album: Path) -> None:
    place = small_album / "outputs/small/train"
    names = {path.name for path in (place / "samples").glob("*.png")}
    assert {"step-000000.png", "step-000008.png", "step-000012.png"} <= names
    last = curve(place / "metrics.jsonl")[-1]
    assert 0 <= float(str(last["scale_share"])) <= 1
    assert (place / "learning.png").stat().st_size > 5000
    assert "notebook.ipynb" in json.loads((place / "manifest.json").read_text())["files"]


@pytest.mark.slow
def test_another_run_begins_where_a_trained_one_stands(
    small_album: Path, program: Program, prepared_folder: Path
) -> None:
    """With a step that hardly moves: its networks are those of the checkpoint, which is generated with."""
    words = ["+stage=train", *(word for word in UNNAMED if not word.startswith("train.steps")), "train.steps=1"]
    words += ["train.pretrain_share=1", "train.learning_rate=1e-9", f"train.init={small_album}/outputs/small"]
    done = program(*words, "name=tuned", cwd=prepared_folder, check=True)
    assert "begins with the weights of" in done.stdout
    before, after = (
        torch.load(folder / "outputs" / name / "train/checkpoint.pt", weights_only=True)
        for folder, name in ((small_album, "small"), (prepared_folder, "tuned"))
    )
    pairs = (
        (before["chosen"]["average"], after["trainer"]["generator"]),
        (before["trainer"]["discriminator"], after["trainer"]["discriminator"]),
    )
    for source, found in pairs:
        assert source.keys() == found.keys()
        for key, values in source.items():
            assert torch.allclose(values, found[key], atol=1e-6), key
    done = program(*words, "name=band", "tracks=band", "prepare.min_tracks=1", cwd=prepared_folder, check=True)
    assert "begins with the weights of" in done.stdout, "Lead, which it lacks, is no hindrance"
    refused = program(*words, "name=wide", "model.trunk_width=24", cwd=prepared_folder)
    assert refused.returncode == 1
    assert "it has model.trunk_width=16, this run 24; change that, or say train.init=null." in refused.stderr
    missing = program(*words, "train.init=nowhere", "name=none", cwd=prepared_folder)
    assert "train.init=nowhere: there is no such checkpoint" in missing.stderr
