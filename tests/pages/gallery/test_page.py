"""The gallery page: all runs, or those listed; every address is a file beside it; every text is escaped."""

from __future__ import annotations

import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from pipeline.errors import UserError
from pipeline.pages.gallery.page import write_gallery
from tests.conftest import Program
from tests.pages.gallery.outputs import write_outputs


class Page(HTMLParser):
    """Runs in their order, all addresses, all tags, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.runs: list[str] = []
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        self.runs += [value or "" for name, value in attrs if name == "data-run"]

    def handle_data(self, data: str) -> None:
        self.text += data


def page_of(outputs: Path, *listed: str) -> Page:
    return Page(write_gallery(outputs, listed or None).read_text(encoding="utf-8"))


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    write_outputs(tmp_path)
    return tmp_path


def test_every_run_is_on_the_page_under_what_it_is(outputs: Path) -> None:
    page = page_of(outputs)
    assert {*page.runs} == {"mine", "verses", "sweep", "sweep/0", "sweep/1", "broken", "begun"}
    assert page.runs[0] == "mine", "albums come first"
    for heading in ("Albums", "Texts", "Experiments", "Not finished", "Make it again"):
        assert heading in page.text
    assert "album.runs=all" in page.text
    assert not list(outputs.glob(".*.lock")) and not list(outputs.glob("*.partial*"))


def test_every_address_is_a_file_below_the_folder(outputs: Path) -> None:
    for address in page_of(outputs).addresses:
        parts = urlsplit(address)
        if address.startswith("#") or parts.scheme == "data":
            continue
        assert not parts.scheme and not parts.netloc and not parts.path.startswith(("/", ".."))
        assert (outputs / unquote(parts.path)).exists(), address


def test_texts_are_escaped(outputs: Path) -> None:
    page = page_of(outputs)
    assert "Salt & <i>Vinegar</i>" in page.text and "one <b>" in page.text
    assert not {"i", "b"} & {*page.tags}


def test_listed_runs_come_alone_and_in_their_order(outputs: Path) -> None:
    page = page_of(outputs, "verses", "mine", "verses")
    assert page.runs == ["mine", "verses"], "albums before texts"
    page = page_of(outputs, "sweep/1", "sweep/0")
    assert page.runs == ["sweep/1", "sweep/0"]
    assert "'album.runs=[sweep/1,sweep/0]'" in page.text


def test_a_run_that_is_not_there_is_told_with_the_nearest(outputs: Path) -> None:
    with pytest.raises(UserError, match=r"album.runs names mnie.*did you mean mine\?"):
        write_gallery(outputs, ["mnie"])


def test_an_empty_folder_has_a_page(tmp_path: Path) -> None:
    assert "Nothing has been made" in page_of(tmp_path).text


def test_the_command_line_makes_the_page_and_nothing_else(program: Program, tmp_path: Path) -> None:
    write_outputs(tmp_path / "outputs")
    done = program("+stage=album", "album.runs=mine,sweep/0", cwd=tmp_path, check=True)
    assert (tmp_path / "outputs/index.html").as_uri() in done.stdout
    assert not (tmp_path / "outputs/originals").exists()
    assert Page((tmp_path / "outputs/index.html").read_text(encoding="utf-8")).runs == ["mine", "sweep/0"]
    shutil.rmtree(tmp_path / "outputs/sweep")
    done = program("+stage=album", "album.runs=mine,sweep/0", cwd=tmp_path)
    assert done.returncode == 1 and "album.runs names sweep/0" in done.stderr
    done = program("+stage=train", "album.runs=all", cwd=tmp_path)
    assert done.returncode == 1 and "album.runs belongs to +stage=album" in done.stderr
