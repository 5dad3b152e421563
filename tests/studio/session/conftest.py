"""What the tests of sessions share: the base model, loaded once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from pipeline.studio.session.model import StudioModel
from tests.conftest import made_once
from tests.studio_makers import band_song, studio_model, write_base_checkpoint


@pytest.fixture(scope="session")
def base_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of the base model and an album of two songs; for reading only."""

    def make(folder: Path) -> None:
        write_base_checkpoint(folder / "outputs/album/train/checkpoint.pt")
        for number in (1, 2):
            band_song(number=number).save(folder / f"outputs/album/generate/album/songs/{number:02d}.npz")

    return made_once(tmp_path_factory, "base-run", make)


@pytest.fixture(autouse=True, scope="module")
def few_candidates() -> Iterator[None]:
    """Fewer phrases are sampled, which takes less time."""
    with patch("pipeline.studio.session.version_making.CANDIDATES", 10):
        yield


@pytest.fixture(scope="session")
def model(base_run: Path) -> StudioModel:
    """The base model."""
    return studio_model(base_run)
