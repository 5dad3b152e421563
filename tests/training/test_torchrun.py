"""Training that breaks down, and training in several processes, as the train stage sees them."""

from __future__ import annotations

import copy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from gan.settings import TrainSettings
from gan.training.monitor import TrainingFailed
from gan.training.trainer import Trainer
from pipeline.devices import choose_device, resident
from pipeline.errors import UserError
from pipeline.stages.train import go_back
from pipeline.training.recorder import Recorder
from tests.conftest import SMALL, Program, program_environment
from tests.gan.training.test_distributed import MODEL
from tests.roll_makers import SPEC, statistics
from tests.stages.test_train import curve

TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", "-m", "pipeline")


class Memory:
    """A recorder that keeps the state in memory."""

    def __init__(self, state: dict[str, object] | None) -> None:
        self.state, self.told = state, ""

    def saved(self) -> dict[str, object] | None:
        return self.state

    def go_back(self, reason: str) -> None:
        self.told = reason


def test_after_a_breakdown_training_goes_back_once_and_learns_more_slowly() -> None:
    trainer = Trainer(SPEC, statistics(), MODEL, TrainSettings())
    recorder = Memory(copy.deepcopy(trainer.state_dict()))
    fast = trainer.learning_rate()
    with torch.no_grad():
        trainer.generator.tracks_to_trunk.weight.fill_(torch.nan)
    trainer.step, trainer.seconds = 7, 60.0
    go_back(trainer, TrainingFailed("it broke"), recorder)
    assert (trainer.step, trainer.seconds, recorder.told) == (0, 60.0, "it broke")
    assert trainer.generator.tracks_to_trunk.weight.isfinite().all()
    assert trainer.learning_rate() == fast / 2
    with pytest.raises(TrainingFailed, match="again"):
        go_back(trainer, TrainingFailed("again"), recorder)
    with pytest.raises(TrainingFailed, match="at once"):
        go_back(Trainer(SPEC, statistics(), MODEL, TrainSettings()), TrainingFailed("at once"), Memory(None))


def test_warnings_are_summed_up_at_the_end() -> None:
    recorder = Recorder.__new__(Recorder)
    recorder.records = [
        {"step": 25, "warnings": ["Bass has fallen silent: 0.1 notes", "the generator wins: 10 reports"]},
        {"step": 50, "warnings": ["Bass has fallen silent: 0.0 notes"]},
        {"step": 75, "warnings": ["Bass has fallen silent: 0.2 notes"]},
    ]
    assert recorder.warnings() == [
        "from step 25 to the end: Bass has fallen silent: 0.2 notes",
        "from step 25 to 25, not since: the generator wins: 10 reports",
    ]


def test_phrases_that_do_not_fit_stay_in_main_memory(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    packed = torch.zeros(10, 100, dtype=torch.uint8)
    assert resident(packed, torch.device("cpu")) is packed
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (1500, 4000))
    assert resident(packed, torch.device("cuda")) is packed
    assert "stay in main memory" in capsys.readouterr().out


def test_each_process_has_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    config = SimpleNamespace(device="auto")
    assert choose_device(config) == "cuda"
    monkeypatch.setenv("WORLD_SIZE", "3")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert choose_device(config) == "cuda:1"
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(UserError, match="more processes here than GPUs"):
        choose_device(config)


@pytest.mark.slow
def test_two_processes_write_the_log_that_one_writes(program: Program, prepared_folder: Path) -> None:
    words = [*(word for word in SMALL if not word.startswith(("name=", "train.steps"))), "train.steps=4"]
    program("+stage=train", *words, "name=one", cwd=prepared_folder, check=True)
    done = subprocess.run(
        [sys.executable, *TORCHRUN, "+stage=train", *words, "name=two"],
        cwd=prepared_folder,
        env=program_environment(),
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("train: not made yet") == 1, "one speaks for both"
    one, two = (curve(prepared_folder / "outputs" / name / "train" / "metrics.jsonl") for name in ("one", "two"))
    assert [record["step"] for record in two] == [record["step"] for record in one]
    for first, second in zip(one, two, strict=True):
        assert first.keys() == second.keys()
        for key in first.keys() & {"likelihood_loss", "discriminator_loss", "variety", "notes_per_bar/Bass"}:
            assert second[key] == pytest.approx(first[key], rel=0.02, abs=0.02), key
    assert "likelihood_loss" in one[0] and "discriminator_loss" in one[-1]
    more = [word for word in words if not word.startswith("train.steps")]
    done = program("+stage=train", *more, "name=two", "train.steps=5", cwd=prepared_folder, check=True)
    assert "goes on from step 4" in done.stdout, "whatever the number of processes"
    assert "lift the learning rate again" in done.stdout
