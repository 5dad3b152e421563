"""A name stands for a run, for the jobs of a sweep, or for a list of runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.evaluation.runs import differences, runs_to_rank
from pipeline.files import Manifest, write_manifest


def test_only_what_differs_between_runs_is_named() -> None:
    settings = {
        "a": {"train.gamma": 1.0, "seed": 1, "model.design": "hybrid"},
        "b": {"train.gamma": 2.5, "seed": 1},
    }
    assert differences(settings) == {
        "a": {"model.design": "hybrid", "train.gamma": "1"},
        "b": {"model.design": "-", "train.gamma": "2.5"},
    }


def test_a_name_stands_for_a_run_or_for_the_jobs_of_a_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for run in ("mine", "sweep/10", "sweep/9", "sweep/notes"):
        place = tmp_path / "outputs" / run / "train"
        place.mkdir(parents=True)
        write_manifest(place, Manifest("train", 1, {}, {}))
    (tmp_path / "outputs/sweep/11/train").mkdir(parents=True)
    assert runs_to_rank("mine", None) == []
    assert runs_to_rank("nobody", None) == []
    assert runs_to_rank("sweep", None) == ["sweep/9", "sweep/10"], "unfinished jobs are left out"
    (tmp_path / "outputs/begun/0/train").mkdir(parents=True)
    with pytest.raises(UserError, match="outputs/begun has 1 job of a sweep, none of which has finished"):
        runs_to_rank("begun", None)
    assert runs_to_rank("ranking", ["mine", "sweep/9"]) == ["mine", "sweep/9"]
    with pytest.raises(UserError, match="outputs/nobody holds neither"):
        runs_to_rank("ranking", ["mine", "nobody"])
    with pytest.raises(UserError, match="two names or more"):
        runs_to_rank("ranking", ["mine"])
