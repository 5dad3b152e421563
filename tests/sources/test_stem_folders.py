"""Folders of stems: how they are found, and that no song is made of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.sources.folders import scan
from pipeline.sources.stem_folders import is_separated, stem_folders, stems_fingerprint


def test_folders_of_stems_are_found_as_programs_lay_them_out(tmp_path: Path) -> None:
    for name in ("Song A/vocals.wav", "htdemucs/Song B/drums.mp3", "htdemucs_6s/Song B/drums.wav", "empty/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "htdemucs_6s" / "Song B" / "Piano.wav").touch()
    found = stem_folders(str(tmp_path))
    assert set(found) == {"song a", "song b"}
    assert set(found["song b"]) == {"drums", "piano"}
    assert set(stem_folders(str(tmp_path / "Song A"))) == {"song a"}
    with pytest.raises(UserError, match=r"transcribe\.stems=.*empty holds no stems"):
        stem_folders(str(tmp_path / "empty"))
    with pytest.raises(UserError, match=r"transcribe\.stems=.*gone is no folder"):
        stem_folders(str(tmp_path / "gone"))


def test_a_song_is_separated_where_drums_bass_and_more_lie_together() -> None:
    assert is_separated(["drums.wav", "bass.flac", "Vocals.mp3", "cover.jpg"])
    assert not is_separated(["drums.wav", "bass.wav"])
    assert not is_separated(["drums.mid", "bass.mid", "other.mid"])


def test_stems_in_a_folder_of_music_are_no_songs(tmp_path: Path) -> None:
    for name in ("song.mp3", "htdemucs/song/drums.wav", "htdemucs/song/bass.wav", "htdemucs/song/vocals.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "htdemucs" / "song" / "mixture.wav").touch()
    (tmp_path / "drums.wav").touch()
    found = [name for name, _ in scan(tmp_path, (".mp3", ".wav"))]
    assert found == ["drums.wav", "htdemucs/song/mixture.wav", "song.mp3"]


def test_a_stem_that_changes_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "song").mkdir()
    (tmp_path / "song" / "bass.wav").write_bytes(b"1")
    before = stems_fingerprint(str(tmp_path))
    assert stems_fingerprint(str(tmp_path)) == before
    (tmp_path / "song" / "bass.wav").write_bytes(b"12")
    assert stems_fingerprint(str(tmp_path)) != before
