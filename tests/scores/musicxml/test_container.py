"""The score inside a `.mxl` container, in whatever encoding."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.music_makers import note_rows, read_one, reason_against
from tests.xml_makers import ATTRIBUTES, write_xml, xml_note

CONTAINER = (
    "<?xml version='1.0' encoding='{}'?><container><rootfiles><rootfile full-path='{}'/>"
    "<rootfile full-path='page.pdf' media-type='application/pdf'/></rootfiles></container>"
)
TUNE = [(0, 4, 72)]


def tune(path: Path, duration: int = 8) -> str:
    """A score of one note, as text."""
    return write_xml(path, ATTRIBUTES.format("") + xml_note("C", 5, duration)).read_text("utf-8")


@pytest.mark.parametrize("name", ["score", "Score.MUSICXML", "folder/my score.xml", "song.mscore"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_the_container_names_the_score(tmp_path: Path, name: str, encoding: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.mxl", "w") as archive:
        archive.writestr("excerpts/01.musicxml", tune(tmp_path / "x.xml", 2) + " " * 3000)
        archive.writestr(name, tune(tmp_path / "y.xml"))
        path = "/" + name.lower().replace(" ", "%20")
        archive.writestr("Meta-Inf/Container.xml", CONTAINER.format(encoding, path).encode(encoding))
    assert note_rows(read_one(tmp_path / "a.mxl")) == TUNE


def test_without_a_container_the_longest_score_is_taken(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.mxl", "w") as archive:
        archive.writestr("__MACOSX/._full.xml", b"\0\5" + b" " * 9000)
        archive.writestr("a-part.xml", tune(tmp_path / "x.xml", 2))
        archive.writestr("full", tune(tmp_path / "y.xml") + " " * 100)
        archive.writestr("style.xml", "<style>" + " " * 9000 + "</style>")
    assert note_rows(read_one(tmp_path / "a.mxl")) == TUNE


def test_an_archive_without_a_score_is_no_broken_file(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.mxl", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    assert reason_against(tmp_path / "a.mxl") == "a zip file without MusicXML in it"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "shift_jis", "latin-1"])
def test_text_in_any_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    text = tune(tmp_path / "x.xml").replace("A Tune", "Für Elise" if encoding == "latin-1" else "曲")
    declared = f"<?xml version='1.0' encoding='{encoding.removesuffix('-le')}'?>{text}"
    (tmp_path / "a.xml").write_bytes(declared.encode(encoding))
    found = read_one(tmp_path / "a.xml")
    assert note_rows(found) == TUNE
    assert found.title in ("Für Elise", "曲")


def test_text_in_another_encoding_than_it_says_is_read_and_remarked(tmp_path: Path) -> None:
    text = "<?xml version='1.0' encoding='UTF-8'?>" + tune(tmp_path / "x.xml").replace("A Tune", "Für Elise")
    (tmp_path / "a.xml").write_bytes(text.encode("cp1252"))
    found = read_one(tmp_path / "a.xml")
    assert (found.title, found.remarks) == ("Für Elise", ("its text is not in the encoding that it names",))


def test_xml_of_another_kind_is_named(tmp_path: Path) -> None:
    kinds = {
        "<plist></plist>": "XML, but no MusicXML (its root is plist)",
        "<opus><score/></opus>": "a list of MusicXML files (opus), no score: give the files themselves",
    }
    for text, reason in kinds.items():
        (tmp_path / "a.xml").write_text(text, "utf-8")
        assert reason_against(tmp_path / "a.xml") == reason


def test_a_zip_bomb_is_not_unzipped(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.mxl", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", b" " * 5_000_000)
    assert reason_against(tmp_path / "bomb.mxl") == "too large: more than 1 MB when unzipped"


def test_a_container_whose_table_of_contents_points_nowhere_is_broken(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.mxl", "w") as archive:
        archive.writestr("a.xml", tune(tmp_path / "x.xml"))
    whole = (tmp_path / "a.mxl").read_bytes()
    (tmp_path / "a.mxl").write_bytes(whole[:4] + whole[60:])
    assert reason_against(tmp_path / "a.mxl") == "broken file: a damaged zip file"
