"""Which projects `render.daw` asks for."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from pipeline.audio.files import Tags
from pipeline.errors import UserError
from pipeline.rendering.daw.project_files import write_projects
from pipeline.rendering.mix import Mix
from tests.daw_makers import noises
from tests.render_makers import render_settings
from tests.song_makers import song_of

KINDS = {
    None: {},
    "dawproject": {"dawproject": "01-salt.dawproject"},
    "rpp": {"rpp": "01-salt.rpp.zip"},
    "both": {"dawproject": "01-salt.dawproject", "rpp": "01-salt.rpp.zip"},
}


@pytest.mark.parametrize("asked", KINDS)
def test_projects_are_written_beside_the_other_files(tmp_path: Path, asked: str | None) -> None:
    stems = noises(song_of(), ("Bass",))
    mix = Mix(song_of(), np.zeros((8, 2), np.float32), stems, {}, {}, 1.0)
    files = write_projects(tmp_path, "01-salt", mix, Tags("Salt", "Nobody", "", 1, 1), render_settings(daw=asked))
    assert files == KINDS[asked]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(files.values())
    for path in files.values():
        assert any(name.endswith("stems/bass.wav") for name in zipfile.ZipFile(tmp_path / path).namelist())


def test_another_kind_of_project_is_refused_by_name() -> None:
    with pytest.raises(UserError, match=r"render\.daw must be dawproject, rpp, both or null, not cubase"):
        render_settings(daw="cubase").check()
