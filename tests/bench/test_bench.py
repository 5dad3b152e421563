"""The bench: what it counts, what it writes, and what it says when it can't."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from gan.spec import Track
from pipeline.bench import __main__ as command
from pipeline.bench.hardware import OperationCounter
from pipeline.bench.music import band_words, read_band, user_files, write_band
from pipeline.bench.plan import QUICK, SECTIONS, Plan
from pipeline.bench.report import describe, table, write_report
from pipeline.bench.timing import take_turns
from pipeline.config import compose
from pipeline.errors import UserError
from tests.conftest import ROOT, program_environment

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


def operations_of(work: Any) -> int:
    with OperationCounter() as counter:
        work()
    return counter.operations


def figures(values: Any, key: str = "") -> Iterator[tuple[str, float]]:
    """Every number of a report with the key it stands under; members of a list or table count as the whole."""
    if isinstance(values, dict):
        for name, value in values.items():
            yield from figures(value, key if name.isdigit() else name)
    elif isinstance(values, list):
        for value in values:
            yield from figures(value, key)
    elif isinstance(values, int | float) and not isinstance(values, bool):
        yield key.removesuffix("_by_size"), values


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What a quick run finds that starts no other process."""
    threads = torch.get_num_threads()
    scratch = tmp_path_factory.mktemp("bench")
    words = [
        "--quick",
        "--models",
        "default,musegan_tutorial",
        "--only",
        "training,generation,ingest,rendering,yardstick",
    ]
    yield command.measure(command.read_plan(words, scratch))
    torch.set_num_threads(threads)


def test_a_linear_layer_costs_two_operations_for_each_weight_and_row() -> None:
    layer, rows = nn.Linear(3, 5), torch.ones(7, 3)
    assert operations_of(lambda: layer(rows)) == 2 * 7 * 3 * 5
    # backward: once more for the weights; once more for the rows where they want a gradient
    assert operations_of(lambda: layer(rows).sum().backward()) == 2 * (2 * 7 * 3 * 5)
    rows.requires_grad_(True)
    assert operations_of(lambda: layer(rows).sum().backward()) == 3 * (2 * 7 * 3 * 5)


def test_convolutions_and_derivatives_of_derivatives_are_counted() -> None:
    convolution, x = nn.Conv3d(2, 4, (1, 2, 3)), torch.ones(5, 2, 1, 4, 6)
    assert operations_of(lambda: convolution(x)) == 2 * (5 * 4 * 1 * 3 * 4) * (1 * 2 * 3) * 2
    left, right = torch.ones(2, 3, requires_grad=True), torch.ones(3, 4, requires_grad=True)

    def penalty() -> None:
        (gradient,) = torch.autograd.grad((left @ right).square().sum(), left, create_graph=True)
        gradient.sum().backward()

    product = 2 * 2 * 3 * 4
    assert operations_of(penalty) >= 4 * product  # forward, gradient, and two at least through the gradient


def test_elementwise_work_counts_as_nothing() -> None:
    assert operations_of(lambda: torch.ones(9, 9).mul(2).exp().sum()) == 0


def test_contenders_take_turns() -> None:
    order: list[str] = []
    laps = take_turns({name: lambda name=name: order.append(name) or len(order) for name in "ab"}, 2, "test")
    assert order == ["a", "b", "a", "b"]
    assert laps == {"a": [1, 3], "b": [2, 4]}


def test_a_quick_run_finds_the_documented_sections_and_keys(report: dict[str, Any]) -> None:
    assert {"format", "date", "seed", "quick", "rounds", "bench_seconds", "machine"} <= set(report)
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
    for key, _ in figures(report):
        assert key in COUNTS or key.endswith(UNITS), key


def test_shares_and_ratios_agree_with_their_parts(report: dict[str, Any]) -> None:
    training = report["training"]
    ours, theirs = training["band"]["models"].values()
    assert ours["peak_share"] == pytest.approx(ours["gflops"] / training["peak_gflops"], rel=2e-3)
    ratios = training["band"]["ratios"]["default_to_musegan_tutorial"]
    for key in ("phrases_per_second", "generator_phrases_per_second"):
        assert ratios[f"{key}_ratio"] == pytest.approx(ours[key] / theirs[key], rel=2e-3)
    assert ours["phrases_per_second"] == pytest.approx(ours["generator_phrases_per_second"], rel=2e-3)  # a step each
    readers = report["ingest"]["readers"]
    assert report["ingest"]["ratios"]["quantised_to_pretty_midi"]["songs_per_second_ratio"] == pytest.approx(
        readers["quantised"]["songs_per_second"] / readers["pretty_midi"]["songs_per_second"], rel=2e-3
    )


def test_both_files_say_the_same_and_name_no_machine(report: dict[str, Any], tmp_path: Path) -> None:
    text = write_report(tmp_path, report)
    assert json.loads((tmp_path / "report.json").read_text()) == report
    assert (tmp_path / "report.md").read_text() == text == describe(report)
    assert "## Training, 1 thread\n" in text
    assert "**default / musegan_tutorial**" in text
    everything = text + json.dumps(report)
    assert platform.node() not in everything or not platform.node()
    assert str(ROOT) not in everything and str(tmp_path.parent) not in everything


def test_tables_are_as_wide_as_their_widest_cell() -> None:
    assert table(["a", "wide"], [["long", 1]]) == ["| a    | wide |", "|------|------|", "| long | 1    |"]


def test_written_bands_sound_in_all_tracks_and_are_the_same_for_a_seed(tmp_path: Path) -> None:
    config = compose(*band_words())
    files = [write_band(tmp_path / name, 3, 16, seed, config) for name, seed in (("a", 1), ("b", 1), ("c", 2))]
    first, again, other = ([path.read_bytes() for path in paths] for paths in files)
    assert first == again
    assert first != other
    assert first[0] != first[1]
    plan = Plan(SECTIONS, ("default",), QUICK, 1, 1, None, tmp_path)
    corpus = read_band(plan, files[0])
    assert corpus.spec.tracks[0] == Track("Drums", True)
    assert corpus.packed.any(dim=(0, 1, 3, 4, 5)).all()


def test_many_files_are_thinned_out_evenly(tmp_path: Path) -> None:
    for number in range(10):
        (tmp_path / f"{number}.mid").touch()
    (tmp_path / "notes.txt").touch()
    assert [path.stem for path in user_files(tmp_path, 5)] == ["0", "2", "4", "6", "8"]
    assert len(user_files(tmp_path, 20)) == 10


def test_files_that_give_too_little_music_are_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.mid").write_bytes(b"MThd")
    plan = Plan(SECTIONS, ("default",), QUICK, 1, 1, tmp_path, tmp_path)
    with pytest.raises(UserError, match="0 phrases"):
        read_band(plan, user_files(tmp_path, 3))


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
    def stop(plan: Plan) -> dict[str, Any]:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "measure", stop)
    assert command.main(["--quick"]) == 130
    assert "no report was written" in capsys.readouterr().err


def test_memory_is_that_of_the_program_and_not_of_whoever_started_it() -> None:
    ballast = b"x" * 300_000_000
    words = ["-m", "pipeline.bench.peak_memory", sys.executable, "-c", "x = b'x' * 100_000_000"]
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=program_environment(), capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    assert len(ballast) == 300_000_000
    assert 100 < found["peak_megabytes"] < 200
    assert found["seconds"] > 0


@pytest.mark.slow
def test_the_whole_bench_runs_in_an_empty_folder(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "pipeline.bench", "--quick", "--models", "default,musegan_tutorial"]
    done = subprocess.run(
        words, cwd=tmp_path, env=program_environment(), capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "outputs/bench/report.json").read_text())
    assert set(SECTIONS) <= set(found)
    assert found["memory"]["train"]["peak_megabytes"] > 100
    assert found["startup"]["overview"]["seconds"] > 0
    assert (tmp_path / "outputs/bench/report.md").read_text() in done.stdout
