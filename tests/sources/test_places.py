from pathlib import Path

import pytest

from pipeline.sources.places import direct_link, drive_of, places_on_disk, player_of, settle


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("local one.mid", "deep/Take 1.MID", "Caf\u00e9.mid", "50% off.mid", "'til dawn.mid"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"MThd")
    return tmp_path


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("local one.mid", "local one.mid"),
        (' "local one.mid" ', "local one.mid"),
        ("\u201clocal one.mid\u201d", "local one.mid"),
        ("local%20one.mid", "local one.mid"),
        ("deep\\Take 1.MID", "deep/Take 1.MID"),
        (".\\deep\\take 1.mid", "deep/Take 1.MID"),
        ("Deep/take%201.mid", "deep/Take 1.MID"),
        ("Cafe\u0301.mid", "Caf\u00e9.mid"),
        ("50% off.mid", "50% off.mid"),
        ("'til dawn.mid", "'til dawn.mid"),
        ("local one.mid\u00a0", "local one.mid"),
    ],
)
def test_paths_are_understood_as_people_write_them(folder: Path, cell: str, name: str) -> None:
    (found,), remark = places_on_disk(settle(cell, "", folder), folder)
    assert Path(found[0]).samefile(folder / name) and not remark


@pytest.mark.parametrize(
    "cell",
    ["file:///home/someone/Music/local%20one.mid", "C:\\Users\\me\\deep\\Take 1.MID", "/elsewhere/Local One.mid"],
)
def test_of_a_path_of_another_machine_its_end_is_found_beside_the_list(folder: Path, cell: str) -> None:
    (found,), remark = places_on_disk(settle(cell, "", folder), folder)
    assert Path(found[0]).is_relative_to(folder) and remark.startswith("taken from beside the list: ")


def test_file_links_become_paths(folder: Path) -> None:
    assert settle(f"file://{folder}/local%20one.mid", "", folder) == f"{folder}/local one.mid"
    assert settle("file:///C:/Users/me/a.mid", "", folder) == "C:/Users/me/a.mid"
    assert settle("file:///\\\\server\\a.mid", "", folder) == "\\\\server\\a.mid"
    assert settle("file://server/share/a.mid", "", folder) == "//server/share/a.mid"


def test_a_link_behind_text_counts_unless_the_text_names_a_file_or_a_link(folder: Path) -> None:
    assert settle("Listen here", "midi/a.mid", folder) == "midi/a.mid"
    assert settle("", "https://x.org/a.mid", folder) == "https://x.org/a.mid"
    assert settle("deep", "deep/Take%201.MID", folder) == "deep/Take%201.MID", "a folder of the text's name is chance"
    assert settle("local one.mid", "https://x.org/a.mid", folder) == "local one.mid"
    assert settle("https://y.org/b.mid", "https://x.org/a.mid", folder) == "https://y.org/b.mid"
    assert settle("www.x.org/a.mid", "", folder) == "https://www.x.org/a.mid"


@pytest.mark.parametrize(
    ("link", "direct"),
    [
        ("https://www.dropbox.com/s/ab/a.mid?dl=0", "https://www.dropbox.com/s/ab/a.mid?dl=1"),
        ("https://dropbox.com/scl/fi/a/b.mid?rlkey=x&dl=0", "https://dropbox.com/scl/fi/a/b.mid?rlkey=x&dl=1"),
        (
            "https://drive.google.com/file/d/1A_b-C/view?usp=sharing",
            "https://drive.google.com/uc?export=download&id=1A_b-C",
        ),
        ("https://drive.google.com/open?id=1A", "https://drive.google.com/uc?export=download&id=1A"),
        ("https://github.com/a/b/blob/main/x/y.mid", "https://github.com/a/b/raw/main/x/y.mid"),
        ("https://example.org/s/a.mid?dl=0", "https://example.org/s/a.mid?dl=0"),
        ("https://drive.google.com/drive/folders/1A", "https://drive.google.com/drive/folders/1A"),
    ],
)
def test_a_link_to_a_page_about_a_file_becomes_one_to_the_file(link: str, direct: str) -> None:
    assert direct_link(link) == direct


def test_servers_that_give_no_file_are_known() -> None:
    assert player_of("https://youtu.be/AAA") == player_of("https://m.youtube.com/watch?v=A") == "YouTube"
    assert player_of("spotify:track:0") == "Spotify" and player_of("https://a.bandcamp.com/album/b") == "Bandcamp"
    assert (
        not player_of("https://notyoutube.com/a.mid") and not player_of("C:\\a.mid") and not player_of("http://[::1/")
    )
    assert drive_of("https://www.dropbox.com/s/a") == "Dropbox" and not drive_of("https://example.org")


def test_several_files_may_stand_in_one_cell(folder: Path) -> None:
    found, _ = places_on_disk("local one.mid\ndeep/Take 1.MID; 50% off.mid", folder)
    assert [Path(path).name for path, _ in found] == ["local one.mid", "Take 1.MID", "50% off.mid"]
    assert places_on_disk("local one.mid; gone.mid", folder) == ([], "")
