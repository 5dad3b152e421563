"""Texts inside installed packages, found by their list of files."""

import pytest

from pipeline.errors import UserError
from pipeline.lyrics.corpus.text_files import package_files

SUFFIXES = {".txt", ".md", ".csv"}


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Makes a package `old-songs` with the given files, as pip would have installed it."""

    def make(*names):
        listed = ("old_songs-1.0.dist-info/METADATA", "old_songs-1.0.dist-info/top_level.txt", *names)
        for name in listed:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text("Metadata-Version: 2.1\nName: old-songs\nVersion: 1.0\n")
        (tmp_path / "old_songs-1.0.dist-info/RECORD").write_text("".join(f"{name},,\n" for name in listed))
        monkeypatch.syspath_prepend(tmp_path)
        return tmp_path

    return make


def complaint(path):
    with pytest.raises(UserError, match=r"lyrics\.path=package:") as caught:
        package_files(path, SUFFIXES)
    return str(caught.value)


def test_all_texts_of_a_package_are_found(install):
    place = install("old_songs/sea/b.txt", "old_songs/sea/a.MD", "old_songs/table.csv", "old_songs/__init__.py")
    names = ["old_songs/sea/a.MD", "old_songs/sea/b.txt", "old_songs/table.csv"]
    assert package_files("package:old-songs", SUFFIXES) == [place / name for name in names]


def test_spelling_of_the_name_does_not_matter(install):
    place = install("old_songs/a.txt")
    assert package_files("package:Old_Songs/", SUFFIXES) == [place / "old_songs/a.txt"]


def test_files_about_the_package_are_no_texts(install):
    place = install("README.md", "old_songs/LICENSE.txt", "old_songs/readme.txt", "old_songs/a.txt")
    assert package_files("package:old-songs", SUFFIXES) == [place / "old_songs/a.txt"]


def test_one_folder_is_taken(install):
    place = install("old_songs/sea/a.txt", "old_songs/seaside/b.txt")
    assert package_files("package:old-songs/old_songs/sea/", SUFFIXES) == [place / "old_songs/sea/a.txt"]


def test_one_file_is_taken_whatever_its_suffix(install):
    place = install("old_songs/shanties", "old_songs/a.txt")
    assert package_files("package:old-songs/old_songs/shanties", SUFFIXES) == [place / "old_songs/shanties"]


def test_missing_package_says_how_to_install_it():
    assert "`pip install no-such-songs`" in complaint("package:no-such-songs")


@pytest.mark.parametrize("path", ["package:", "package:/songs", "package:old songs", "package:../songs"])
def test_impossible_name_is_said(path):
    assert "names no package" in complaint(path)


def test_wrong_inner_path_names_the_folders(install):
    install(*(f"old_songs/{letter}/a.txt" for letter in "abcdefg"))
    said = complaint("package:old-songs/songs")
    assert "old_songs/a, old_songs/b" in said
    assert "and 2 more" in said


def test_package_without_text_is_said(install):
    install("old_songs/__init__.py")
    said = complaint("package:old-songs")
    assert "holds no text (.csv, .md, .txt)" in said
    assert "pip show -f old-songs" in said


def test_folder_without_text_names_those_with(install):
    install("old_songs/code/a.py", "old_songs/sea/a.txt")
    assert "its texts lie in old_songs/sea" in complaint("package:old-songs/old_songs/code")


def test_package_without_a_list_of_files_is_said(install):
    place = install("old_songs/a.txt")
    (place / "old_songs-1.0.dist-info/RECORD").unlink()
    assert "holds no text" in complaint("package:old-songs")


def test_deleted_file_is_left_out(install):
    place = install("old_songs/a.txt", "old_songs/b.txt")
    (place / "old_songs/a.txt").unlink()
    assert package_files("package:old-songs", SUFFIXES) == [place / "old_songs/b.txt"]
