"""Start-up and peak memory are those of the program, in processes of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.bench import __main__ as command
from pipeline.bench import processes
from pipeline.config import compose
from tests.conftest import ROOT, program_environment, write_band


def test_memory_is_that_of_the_program_and_not_of_whoever_started_it() -> None:
    ballast = b"x" * 300_000_000
    words = ["-m", "pipeline.bench.processes", sys.executable, "-c", "x = b'x' * 100_000_000"]
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=program_environment(), capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    assert len(ballast) == 300_000_000
    assert 100 < found["peak_megabytes"] < 200
    assert found["seconds"] > 0


def test_stages_whose_memory_is_measured_have_settings_that_there_are() -> None:
    for stage, words in processes.STAGES.items():
        assert words[0] == f"+stage={stage}"
        assert compose(*words[1:]), stage


@pytest.mark.slow
def test_start_up_and_memory_are_measured_in_an_empty_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_band(tmp_path / "music", 2, bars=4)
    words = (*processes.STAGES["prepare"], "data=folder", f"data.path={tmp_path / 'music'}")
    monkeypatch.setattr(processes, "STAGES", {"prepare": words})
    monkeypatch.chdir(tmp_path)
    assert command.main(["--quick", "--only", "startup,memory"]) == 0
    found = json.loads((tmp_path / "outputs/bench/report.json").read_text())
    assert found["memory"]["prepare"]["peak_megabytes"] > 50
    assert found["startup"]["overview"]["seconds"] > 0
    assert (tmp_path / "outputs/bench/report.md").read_text() in capsys.readouterr().out
