"""The music of the bench: bands written by rule, and the files of a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from gan.spec import Track
from pipeline.bench.music import BAND_SETTINGS, composed, read_band, user_files, write_band
from pipeline.bench.plan import QUICK, SECTIONS, BenchPlan
from pipeline.errors import UserError


def test_written_bands_sound_in_all_tracks_and_are_the_same_for_a_seed(tmp_path: Path) -> None:
    config = composed(*BAND_SETTINGS)
    files = [write_band(tmp_path / name, 3, 16, seed, config) for name, seed in (("a", 1), ("b", 1), ("c", 2))]
    first, again, other = ([path.read_bytes() for path in paths] for paths in files)
    assert first == again
    assert first != other
    assert first[0] != first[1]
    plan = BenchPlan(SECTIONS, ("default",), QUICK, 1, 1, None, tmp_path)
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
    plan = BenchPlan(SECTIONS, ("default",), QUICK, 1, 1, tmp_path, tmp_path)
    with pytest.raises(UserError, match="0 phrases"):
        read_band(plan, user_files(tmp_path, 3))
