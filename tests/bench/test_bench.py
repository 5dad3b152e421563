"""The bench: what it finds, what it writes, and what it says when it can't."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.bench import __main__ as command
from pipeline.bench import gpu, music
from pipeline.bench.plan import BenchPlan
from pipeline.bench.report import bench_markdown, write_report
from pipeline.config import Config
from tests.conftest import ROOT

UNITS = (
    "per_second",
    "per_cpu_second",
    "seconds",
    "megabytes",
    "gflops",
    "gigaoperations_per_phrase",
    "ratio",
    "share",
    "rounds",
)
COUNTS = {"format", "seed", "phrases", "batch_phrases", "cores", "load_average", "training_threads", "files"}
COUNTS |= {"copied_phrases", "training_phrases", "reference_phrases"}
COUNTS |= {"measured_files", "unreadable_files", "generator_parameters", "discriminator_parameters"}


def numbers_of(values: Any, key: str = "") -> Iterator[tuple[str, float]]:
    """Every number of a report with the key it stands under; members of a list or table count as the whole."""
    if isinstance(values, dict):
        for name, value in values.items():
            yield from numbers_of(value, key if name.isdigit() else name)
    elif isinstance(values, list):
        for value in values:
            yield from numbers_of(value, key)
    elif isinstance(values, int | float) and not isinstance(values, bool):
        yield key.removesuffix("_by_size"), values


SMALL_MODELS = {"model=default": gpu.SMALL, "model=musegan_tutorial": ("model.filters=2", "model.latent_size=4")}
"""What makes the models small that a report is made of."""


def small(*settings: str) -> Config:
    """The settings of a small model."""
    return music.compose(*settings, *SMALL_MODELS.get(settings[0], ()))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What a quick run of small models finds that starts no other process."""
    threads = torch.get_num_threads()
    scratch = tmp_path_factory.mktemp("bench")
    words = [
        "--quick",
        "--models",
        "default,musegan_tutorial",
        "--only",
        "training,generation,ingest,rendering,evaluation",
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(music, "composed", small)
        found = command.measure(command.parse_plan(words, scratch))
    yield found
    torch.set_num_threads(threads)


def test_a_quick_run_finds_the_documented_sections_and_keys(report: dict[str, Any]) -> None:
    assert {"format", "date", "seed", "quick", "rounds", "bench_seconds", "machine"} <= set(report)
    assert report["evaluation"]["phrases"] == 50
    assert report["quick"] is True
    band = report["training"]["band"]
    assert band["tracks"] == ["Drums", "Piano", "Guitar", "Bass", "Strings"]
    assert set(band["models"]) == {"default", "musegan_tutorial"}
    assert len(band["models"]["default"]["phrases_per_second_rounds"]) == 1
    assert report["training"]["peak_gflops"] > 0
    assert set(report["ingest"]["readers"]) == {"quantised", "albumgan", "pretty_midi", "symusic"}
    assert set(report["rendering"]["ways"]) == {"mix", "synthesizer"}
    assert {"one_thread_bars_per_second", "all_cores_bars_per_second"} <= set(report["generation"]["models"]["default"])


def test_every_figure_names_its_unit(report: dict[str, Any]) -> None:
    for key, _ in numbers_of(report):
        assert key in COUNTS or key.endswith(UNITS), key


def test_shares_and_ratios_agree_with_their_parts(report: dict[str, Any]) -> None:
    training = report["training"]
    ours, tutorial = training["band"]["models"].values()
    assert ours["peak_share"] == pytest.approx(ours["gflops"] / training["peak_gflops"], rel=2e-3)
    ratios = training["band"]["ratios"]["default_to_musegan_tutorial"]
    for key in ("phrases_per_second", "generator_phrases_per_second"):
        assert ratios[f"{key}_ratio"] == pytest.approx(ours[key] / tutorial[key], rel=2e-3)
    assert 0.5 * ours["phrases_per_second"] == pytest.approx(ours["generator_phrases_per_second"], rel=2e-3), (
        "a quick run has two steps"
    )
    readers = report["ingest"]["readers"]
    assert report["ingest"]["ratios"]["quantised_to_pretty_midi"]["songs_per_second_ratio"] == pytest.approx(
        readers["quantised"]["songs_per_second"] / readers["pretty_midi"]["songs_per_second"], rel=2e-3
    )


def test_both_files_say_the_same_and_name_no_machine(report: dict[str, Any], tmp_path: Path) -> None:
    text = write_report(tmp_path, report)
    assert json.loads((tmp_path / "report.json").read_text()) == report
    assert (tmp_path / "report.md").read_text() == text == bench_markdown(report)
    assert "## Training, 1 thread\n" in text
    assert "**default / musegan_tutorial**" in text
    everything = text + json.dumps(report)
    assert platform.node() not in everything or not platform.node()
    assert str(ROOT) not in everything and str(tmp_path.parent) not in everything


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--midi", "nowhere"], "there is no such folder"),
        (["--midi", "."], "there is no MIDI file"),
        (["--only", "speed"], "--only speed: there is no such thing; there are training, generation"),
        (["--models", "default,huge"], "--models huge: there is no such thing; there are"),
        (["--rounds", "0"], "--rounds must be at least 1, not 0"),
        (["--threads", "0"], "--threads must be at least 1, not 0"),
    ],
)
def test_what_cannot_work_is_one_sentence(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command.main(words) == 1
    complaint = capsys.readouterr().err
    assert complaint.startswith("Error: ")
    assert said in complaint
    assert complaint.count("\n") == 1
    assert not (tmp_path / "outputs").exists()


def test_a_stopped_bench_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def stop(plan: BenchPlan) -> dict[str, Any]:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "measure", stop)
    assert command.main(["--quick"]) == 130
    assert "no report was written" in capsys.readouterr().err
