"""Names of files."""

from __future__ import annotations

from pipeline.rendering.song_files import file_name


def test_titles_become_file_names() -> None:
    assert file_name(3, "Salt on the Window") == "03-salt-on-the-window"
    assert file_name(12, "../../etc") == "12-etc"
    assert file_name(1, "雨") == file_name(1, None) == "01"
    assert len(file_name(1, "la " * 90)) <= 63
