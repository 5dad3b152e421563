"""A studio of an untrained model and two songs of four voices, and its page."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from starlette.types import ASGIApp

from pipeline.settings.data import roll_spec
from pipeline.studio.server.app import studio_app
from pipeline.studio.server.studio import Studio
from pipeline.studio.session.model import StudioModel
from tests.song_makers import configured, random_planes, song_of, write_checkpoint
from tests.studio.server.asgi_page import HOST, Page

CONFIG = ("+stage=studio", "album.title=Four Voices", "generate.candidates=2")


@pytest.fixture(scope="session")
def studio_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a checkpoint, two songs, and a page of the album."""
    folder, config = tmp_path_factory.mktemp("studio"), configured(*CONFIG)
    write_checkpoint(folder / "outputs/album/train", config)
    spec = roll_spec(config.roll, config.tracks, config.data.metre)
    for number in (1, 2):
        song = song_of(
            random_planes(spec, 8, 0.002, number), spec, humanized=1.0, number=number, tempo_map=((0, 240.0),)
        )
        song.save(folder / f"outputs/album/generate/album/songs/{number:02d}.npz")
    (folder / "outputs/album/album").mkdir()
    (folder / "outputs/album/album/index.html").write_text("<h1>Four Voices</h1>")
    (folder / "outputs/album/album/escape.txt").symlink_to("/etc/passwd")
    (folder / "outputs/album/secret.txt").write_text("not for the page")
    return folder


@pytest.fixture(scope="module")
def studio(studio_folder: Path) -> Iterator[Studio]:
    """The studio, which plays in threads, and does not measure."""
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(1) as players, ThreadPoolExecutor(1) as patient:
        patch.chdir(studio_folder)
        config = configured(*CONFIG)
        checkpoint = Path("outputs/album/train/checkpoint.pt")
        studio = Studio(config, lambda: StudioModel(config, checkpoint), players, patient, rest_seconds=1e6)
        yield studio
        studio.stop()


@pytest.fixture(scope="module")
def app(studio: Studio) -> ASGIApp:
    return studio_app(studio, (HOST, "localhost:8765"))


@pytest.fixture(scope="module")
def page(app: ASGIApp, studio: Studio) -> Iterator[Page]:
    with asyncio.Runner() as runner:
        yield Page(app, studio.token, runner)


@pytest.fixture
def session(page: Page) -> str:
    """The address of a fresh session."""
    return f"/api/sessions/{page.post('/api/sessions', {}).json['session']}"
