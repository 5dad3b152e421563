"""What the tests share: the program run as a user runs it, and a small folder of real MIDI files."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import chain, groupby
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pretty_midi
import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parent.parent

SHARED = ROOT.parent / "shared" / "data"
"""Real music to measure on; tests that need it skip where it is not."""

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: workers share the cores
gc.set_threshold(100_000, 50, 100)  # what is imported is much, and looking through it for garbage takes long

SHORT_SONGS = ("generate.min_seconds=26", "generate.max_seconds=40")
"""How long songs are that tests make, with phrases of two bars: time for two verses and choruses."""

Program = Callable[..., subprocess.CompletedProcess[str]]

SMALL = (
    "data=folder",
    "data.path=music",
    "name=small",
    "roll.bars=2",
    "train.steps=12",
    "train.batch_size=4",
    "train.batches_per_step=2",
    "train.report_steps=1",
    "model.trunk_width=16",
    "model.track_width=8",
    "model.decoder_width=16",
    "model.step_width=16",
    "model.beat_width=16",
    "model.bar_width=16",
    "generate.songs=2",
    "generate.candidates=2",
    "generate.form=song",
    *SHORT_SONGS,
    "lyrics.init=null",
    "lyrics.model.steps=20",
    "lyrics.model.hidden_size=32",
    "upstream=run",
)
"""Settings of a run that takes seconds: a few steps on a folder of a dozen files, phrases of two bars, short songs."""


MADE_ONCE = ("small_album", "evaluated")
"""Fixtures that take a minute and that all workers read."""
LONG = ("bench",)
"""Folders of tests that take long, marked or not."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each worker begins with what takes long and ends with what takes no time, so that all end together.

    Of the tests that read what is made once one comes first, then modules with slow tests, so that nobody waits while
    it is made, and then the other readers. Workers are given equal stretches of the list, in order.
    """
    first, readers = [], []
    for name in MADE_ONCE:
        found = [item for item in items if name in getattr(item, "fixturenames", ()) and item not in first]
        first += found[:1]
        readers += found[1:]
    apart = {*first, *readers}
    others = [item for item in items if item not in apart]
    slow = {item.path for item in others if item.get_closest_marker("slow") or item.path.parent.name in LONG}
    modules = [list(own) for path, own in groupby(others, lambda item: item.path) if path in slow]
    quick = [item for item in others if item.path not in slow]
    readers = [item for item in dict.fromkeys(readers) if item not in first]
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    ordered: list[pytest.Item] = []
    for worker in range(workers):
        own = [*first[worker::workers], *chain(*modules[worker::workers]), *readers[worker::workers]]
        share = (len(items) - len(ordered)) // (workers - worker)
        count = max(0, share - len(own)) if worker < workers - 1 else len(quick)
        ordered += [*own, *quick[:count]]
        quick = quick[count:]
    items[:] = ordered


@pytest.fixture(autouse=True, scope="module")
def tiny_numbers() -> Iterator[None]:
    """Stages run in this process have torch flush the tiniest numbers to zero; other tests draw such numbers."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)


@pytest.fixture(scope="session")
def program() -> Program:
    """Run `python -m pipeline` in a folder, in this process; output and exit code come back."""
    return run_here


@pytest.fixture(scope="session")
def program_apart() -> Program:
    """Run `python -m pipeline` in a folder, in a process of its own."""

    def run(*words: str, cwd: Path, check: bool = False) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "pipeline", *words],
            cwd=cwd,
            env=program_environment(),
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )
        assert done.returncode == 0 or not check, done.stdout + done.stderr
        return done

    return run


def run_here(*words: str, cwd: Path, check: bool = False) -> subprocess.CompletedProcess[str]:
    """What the program does in `cwd`; this process is left as it was. There are fewer phrases to hear."""
    from hydra.core.global_hydra import GlobalHydra

    from pipeline.__main__ import failures, main

    out, err = io.StringIO(), io.StringIO()
    before = os.environ.copy(), Path.cwd(), sys.argv, signal.getsignal(signal.SIGTERM)
    failures.clear()
    GlobalHydra.instance().clear()
    try:
        os.environ["OMP_NUM_THREADS"] = "1"
        os.chdir(cwd)
        alone = ["executor.workers=1"] if any("stage=" in word for word in words) else []
        sys.argv = ["pipeline", *words, *alone]  # workers that outlive a test would stay in its folder
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            patch("pipeline.pages.dataset.examples.NUM_EXAMPLES", 1),
            patch("pipeline.training.recorder.NUM_HEARD", 1),
            patch("pipeline.stages.evaluate.NUM_HEARD", 1),
            patch("hydra._internal.hydra.Hydra.get_mode", return_value=None),  # -m tells; else all is composed twice
        ):
            code = main()
    except SystemExit as leaving:
        code = int(leaving.code or 0)
    finally:
        environment, folder, sys.argv, handler = before
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        signal.signal(signal.SIGTERM, handler)
        GlobalHydra.instance().clear()
    done = subprocess.CompletedProcess(list(words), code, out.getvalue(), err.getvalue())
    assert code == 0 or not check, done.stdout + done.stderr
    return done


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that is made once for all workers of a test run; they only read it."""
    base = factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = base / name
    with FileLock(base / f"{name}.lock"):
        if not (base / f"{name}.made").exists():
            folder.mkdir()
            make(folder)
            (base / f"{name}.made").touch()
    return folder


def program_environment() -> dict[str, str]:
    """The environment in which the program runs from another folder than the clone."""
    return os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def write_band(folder: Path, num_files: int = 12, bars: int = 12) -> None:
    """Write MIDI files of a five-piece band that differ from each other: chords in a key, a bass, a beat, a tune."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(num_files):
        random = np.random.default_rng(number)
        score = pretty_midi.PrettyMIDI(initial_tempo=float(random.integers(90, 140)))
        beat = score.tick_to_time(score.resolution)
        score.time_signature_changes.append(pretty_midi.TimeSignature(4, 4, 0.0))
        parts = {
            name: pretty_midi.Instrument(program, is_drum=name == "drums", name=name)
            for name, program in {"drums": 0, "piano": 0, "guitar": 25, "bass": 33, "strings": 48}.items()
        }

        def play(part: str, pitch: int, start: float, length: float, parts=parts, beat=beat) -> None:
            note = pretty_midi.Note(90, int(pitch), start * beat, (start + length) * beat)
            parts[part].notes.append(note)

        for bar in range(bars):
            root = 60 + int(random.choice([0, 2, 4, 5, 7, 9]))
            for step in range(4):
                play("drums", 36 if step % 2 == 0 else 38, 4 * bar + step, 0.25)
                play("bass", root - 24, 4 * bar + step, 0.5)
                play("strings", root + 12 + int(random.choice([0, 2, 4, 7])), 4 * bar + step, 1)
            for interval in (0, 4, 7):
                play("piano", root + interval, 4 * bar, 3.5)
                play("guitar", root + interval - 12, 4 * bar + 1, 1)
        score.instruments = list(parts.values())
        score.write(str(folder / f"song-{number:02d}.mid"))


@pytest.fixture
def few_scored() -> Iterator[None]:
    """Runs made in this process are scored by fewer phrases; not for those that others are held against."""
    with patch("pipeline.training.recorder.NUM_SCORED", 32):
        yield


@pytest.fixture(scope="session")
def small_album(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the whole chain has run once, with settings that take seconds; for reading only."""

    def make(folder: Path) -> None:
        write_band(folder / "music")
        program("+stage=album", *SMALL, cwd=folder, check=True)

    return made_once(tmp_path_factory, "small-album", make)


@pytest.fixture
def prepared_folder(small_album: Path, tmp_path: Path) -> Path:
    """A folder with the small album's music and what was prepared of it, where other runs may be made."""
    for name in ("music", "data"):
        shutil.copytree(small_album / name, tmp_path / name, symlinks=True)
    return tmp_path


@pytest.fixture
def album_copy(small_album: Path, tmp_path: Path) -> Path:
    """The small album in a folder of one's own, to be changed."""
    folder = tmp_path / "album"
    shutil.copytree(small_album, folder, symlinks=True)
    return folder
