"""A GPU beside a processor, where there is no GPU: the checks run all the same, and it is said what did not."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.bench import __main__ as command
from pipeline.bench import gpu
from pipeline.bench.music import BAND_SETTINGS, BenchCorpus, composed
from pipeline.bench.plan import FULL, QUICK, SECTIONS, BenchPlan
from pipeline.bench.report import bench_markdown, describe_machine
from pipeline.errors import UserError
from pipeline.settings.data import roll_spec
from tests.bench.test_bench import COUNTS, UNITS, numbers_of
from tests.conftest import program_environment

SETTINGS = (*BAND_SETTINGS, "roll.bars=1")


def corpus() -> BenchCorpus:
    """Eight phrases of one bar."""
    config = composed(*SETTINGS)
    spec = roll_spec(config.roll, config.tracks, config.data.metre)
    packed = torch.zeros(8, 2, spec.num_tracks, 1, spec.steps_per_bar, -(-spec.num_pitches // 8), dtype=torch.uint8)
    for phrase in range(8):
        packed[phrase, 0, :, 0, phrase % 4 :: 4, 2 + phrase % 3] = 8
    return BenchCorpus("written for a test", SETTINGS, spec, packed)


def plan_of(scratch: Path, *models: str) -> BenchPlan:
    return BenchPlan(("gpu",), models, FULL, 1, 1, None, scratch)


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compilers take a minute."""

    def refuse(*_: object, **__: object) -> None:
        raise torch._dynamo.exc.TorchDynamoException("no compiler here")

    monkeypatch.setattr(torch, "compile", lambda plain, **_: refuse)


@pytest.fixture
def found(no_compiler: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """What the shortest form finds, without other processes."""
    monkeypatch.setattr(gpu, "machine", lambda: ("cpu", 1, "There is no GPU here."))
    return gpu.measure_gpu(corpus(), plan_of(tmp_path, "musegan_hybrid", "default", "large"))


def test_the_shortest_form_checks_and_times_all_that_a_processor_can(found: dict[str, Any]) -> None:
    assert {row["model"] for row in found["checks"]} == {"default"}, "one model, of the default design"
    assert [row["check"] for row in found["checks"]] == [
        "batches of phrases kept on the device",
        "phrases sampled on the device",
        "losses in float32",
        "losses in bfloat16",
        "losses of compiled networks",
    ]
    assert found["failed_checks"] == 0 and all(row["passed"] for row in found["checks"])
    kept, _, float32, bfloat16, compiled = found["checks"]
    assert kept["difference_ratio"] == float32["difference_ratio"] == 0
    assert 0 < bfloat16["difference_ratio"] < gpu.BFLOAT16_TOLERANCE
    assert "this machine can't compile" in compiled["said"] and "difference_ratio" not in compiled
    floor, fast = found["rows"]
    assert floor["sampling_phrases_per_second"] > 0
    assert fast["likelihood_ratio"] == pytest.approx(
        fast["likelihood_phrases_per_second"] / floor["likelihood_phrases_per_second"], rel=2e-3
    )
    for key, _ in numbers_of(found):
        assert key in COUNTS | {"processes", "failed_checks"} or key.endswith(UNITS), key
    report = {"date": "", "seed": 1, "rounds": 1, "slow_rounds": 1, "quick": True, "bench_seconds": 1.0}
    text = bench_markdown(report | {"machine": describe_machine(1), "gpu": found})
    assert "There is no GPU here." in text and "| passed" in text and "| FAILED" not in text


def test_what_was_not_run_without_a_gpu_is_one_sentence() -> None:
    device, processes, said = gpu.machine()
    assert (device, processes) == ("cpu", 2)
    assert said.startswith("There is no GPU here: nothing was checked or timed on one") and said.count(".") == 1


def test_a_difference_that_is_too_large_fails() -> None:
    assert gpu.checked("it", "default", lambda: gpu.Found(0.2), 0.1)["said"] == "FAILED"
    assert gpu.checked("it", "default", lambda: gpu.Found(0.1), 0.1)["passed"]

    def broken() -> gpu.Found:
        raise RuntimeError("CUDA error: out of memory\nand more")

    row = gpu.checked("it", "default", broken, 0.1)
    assert (row["passed"], row["said"]) == (False, "FAILED: CUDA error: out of memory")
    assert gpu.difference_of({"loss": 1.0, "norm": 2.0}, {"loss": 1.0, "norm": 2.2}) == pytest.approx(0.1)
    assert gpu.difference_of({"loss": 1.0}, {"loss": float("nan")}) == float("inf")
    assert gpu.difference_of({"loss": 1.0}, {}) == float("inf")


def test_a_failed_check_ends_the_bench_with_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    row = gpu.checked("losses in float32", "default", lambda: gpu.Found(float("inf")), 0.001)
    found = {"device": "A GPU.", "processes": 1, "failed_checks": 1, "checks": [row], "rows": []}
    report = {"date": "", "seed": 1, "rounds": 1, "slow_rounds": 1, "quick": True, "bench_seconds": 1.0}
    monkeypatch.setattr(command, "measure", lambda _: report | {"machine": describe_machine(1), "gpu": found})
    assert command.main(["--only", "gpu"]) == 1
    said = capsys.readouterr()
    assert "| FAILED" in said.out
    assert said.err == "Error: 1 of the checks of devices failed; the table says which.\n"


def test_the_ordinary_bench_leaves_it_out_where_there_is_no_gpu(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert command.parse_plan([], tmp_path).sections == tuple(name for name in SECTIONS if name != "gpu")
    assert command.parse_plan(["--only", "gpu"], tmp_path).effort == QUICK
    monkeypatch.setattr(gpu, "has_gpu", lambda: True)
    assert command.parse_plan([], tmp_path).sections == SECTIONS
    assert command.parse_plan(["--only", "gpu"], tmp_path).effort == FULL


def test_models_of_other_designs_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="a GPU is measured with default or large"):
        gpu.measure_gpu(corpus(), replace(plan_of(tmp_path), models=("musegan_hybrid",)))


@pytest.mark.slow
def test_the_whole_command_runs_with_two_processes(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.bench", "--only", "gpu"],
        cwd=tmp_path,
        env=program_environment() | {"TORCHDYNAMO_DISABLE": "1"},  # compiling alone takes a minute
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    checks = json.loads((tmp_path / "outputs/bench/report.json").read_text())["gpu"]["checks"]
    assert checks[-1]["check"] == "losses of 2 processes" and checks[-1]["said"] == "passed"
