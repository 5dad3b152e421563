"""TensorBoard: what is logged, that a resumed log goes on, and what is said where the package is missing."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imsave

from gan.settings import TrainSettings
from pipeline.errors import UserError
from pipeline.settings.train import TrainStageSettings
from pipeline.training.tensorboard import HEARD_RATE_HZ, PACKAGE, TensorBoardLog, require_tensorboard
from tests.conftest import ROOT, SMALL, Program, write_band

RECORDS: list[dict[str, Any]] = [
    {"step": step, "seconds": step / 10, "generator_loss": 1.0 / step, "rates/Bass": 4.0, "warnings": ["x"]}
    for step in (3, 6, 9)
]
SOUND = np.stack([np.linspace(-1, 1, 4800), np.linspace(-1, 1, 4800)], axis=1).astype(np.float32)


class Writer:
    """Remembers what it is told."""

    def __init__(self, log_dir: str, purge_step: int) -> None:
        self.purge_step = purge_step
        self.scalars: list[tuple[str, float, int]] = []
        self.shown: list[tuple[str, int, tuple[int, ...]]] = []
        self.closed = False

    def add_scalar(self, tag: str, value: float, step: int) -> None:
        self.scalars.append((tag, value, step))

    def add_image(self, tag: str, image: Any, step: int, dataformats: str) -> None:
        assert dataformats == "HWC"
        self.shown.append((f"picture {tag}", step, image.shape))

    def add_audio(self, tag: str, sound: Any, step: int, sample_rate: int) -> None:
        assert sample_rate == HEARD_RATE_HZ
        assert np.abs(sound).max() <= 1
        self.shown.append((f"sound {tag}", step, sound.shape))

    def flush(self) -> None: ...

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module in the place of torch's."""
    module = types.ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = Writer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)


@pytest.mark.usefixtures("stand_in")
def test_the_log_shows_figures_pictures_and_sounds(tmp_path: Path) -> None:
    imsave(tmp_path / "step.png", np.zeros((20, 30, 3)))
    log = TensorBoardLog(tmp_path / "tensorboard", 0, [])
    log.figures(RECORDS[0])
    log.samples(3, tmp_path / "step.png", SOUND, 48000)
    log.samples(6, tmp_path / "step.png", None, 48000)
    log.close()
    writer: Any = log.writer
    assert writer.scalars == [("figures/generator_loss", 1 / 3, 3), ("rates/Bass", 4.0, 3)]
    kinds = [(name, step, shape[:2]) for name, step, shape in writer.shown]
    assert kinds == [
        ("picture samples", 3, (20, 30)),
        ("sound samples", 3, (1, 2400)),
        ("picture samples", 6, (20, 30)),
    ]
    assert writer.closed


@pytest.mark.usefixtures("stand_in")
def test_a_log_that_comes_late_has_the_curves_from_the_start(tmp_path: Path) -> None:
    late: Any = TensorBoardLog(tmp_path / "tensorboard", 9, RECORDS).writer
    assert [step for tag, _, step in late.scalars if tag == "rates/Bass"] == [3, 6, 9]
    assert late.purge_step == 10, "what a killed run logged after its last checkpoint does not count"
    (tmp_path / "tensorboard").mkdir()
    (tmp_path / "tensorboard/events.out.tfevents.1").write_bytes(b"")
    again: Any = TensorBoardLog(tmp_path / "tensorboard", 9, RECORDS).writer
    assert not again.scalars, "they are there already"


def test_event_files_hold_a_resumed_run_once(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    imsave(tmp_path / "step.png", np.zeros((20, 30, 3)))
    for start, steps in ((0, (3, 6, 9)), (6, (9, 12))):  # killed after step 9, the checkpoint was of step 6
        log = TensorBoardLog(tmp_path / "tensorboard", start, [])
        for step in steps:
            log.figures(RECORDS[0] | {"step": step})
            log.samples(step, tmp_path / "step.png", SOUND, 48000)
        log.close()
    found = EventAccumulator(str(tmp_path / "tensorboard"), size_guidance={"images": 0, "audio": 0}).Reload()
    assert [event.step for event in found.Scalars("rates/Bass")] == [3, 6, 9, 12]
    assert [event.step for event in found.Images("samples")] == [3, 6, 9, 12]
    assert [event.step for event in found.Audio("samples")] == [3, 6, 9, 12]


def test_without_the_package_a_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(UserError, match=f'pip install "{PACKAGE}"'):
        require_tensorboard()


def test_the_extra_is_the_version_that_is_named() -> None:
    assert f'tensorboard = ["{PACKAGE}"]' in (ROOT / "pyproject.toml").read_text()


def test_a_checkpoint_is_the_same_with_and_without() -> None:
    assert TrainStageSettings(tensorboard=True).to_dict() == TrainSettings().to_dict()


@pytest.mark.slow
def test_training_says_before_it_starts_that_the_package_is_missing(program: Program, tmp_path: Path) -> None:
    write_band(tmp_path / "music")
    (tmp_path / "tensorboard.py").write_text("raise ImportError('No module named tensorboard')\n")  # found first
    done = program("+stage=train", *SMALL, "train.tensorboard=true", cwd=tmp_path)
    assert done.returncode != 0
    assert PACKAGE in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data/prepared").exists()
