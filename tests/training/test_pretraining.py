"""The music that the base model is made from."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.errors import UserError
from pipeline.sources.debian import PACKAGES
from pipeline.training import pretraining
from tests.music_makers import tune, write_midi


def test_every_file_is_there_once_in_the_folder_of_its_style(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = ("freedoom_0.12/a.mid", "freedm_0.12/a-2.mid", "simutrans-data_1/b.mid")
    files = [PACKAGES / name for name in names]
    others = ["pop/001.mid", "pop/002.mid", *(f"drums/drummer{one}/session1/1_funk.mid" for one in (1, 2, 3))]
    for number, path in enumerate([*files, *map(Path, others)]):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_midi(path, {(0, 0, ""): tune(number)})
    rows = [SimpleNamespace(where=str(path)) for path in files]
    monkeypatch.setattr(pretraining, "find_in_packages", lambda *_, **__: rows)
    for _ in range(2):  # what is there already is no hindrance
        assert pretraining.gather("pop", "drums", tmp_path / "music") == 8
    found = {str(path.relative_to(tmp_path / "music")) for path in (tmp_path / "music").rglob("*.mid")}
    assert found == {
        *("freedoom/a.mid", "freedoom/a-2.mid", "simutrans-data/b.mid", "pop909/001.mid", "pop909/002.mid"),
        *(f"groove/drummer{one}-session1-1_funk.mid" for one in (1, 2, 3)),
    }
    originals = {path.read_bytes() for path in [*files, *map(Path, others)]}
    assert {path.read_bytes() for path in (tmp_path / "music").rglob("*.mid")} == originals
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="--groove empty holds no MIDI files"):
        pretraining.gather("pop", "empty", tmp_path / "music")
    with pytest.raises(UserError, match="--pop909=nowhere is not there"):
        pretraining.gather("nowhere", "drums", tmp_path / "music")
    assert found == {str(path.relative_to(tmp_path / "music")) for path in (tmp_path / "music").rglob("*.mid")}
