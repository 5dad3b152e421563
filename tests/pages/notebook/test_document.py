"""A notebook file: valid, the same bytes for the same cells, and no address that is not fit to be shown."""

from __future__ import annotations

import ast
import base64
import subprocess
from pathlib import Path

import nbformat
import pytest

from pipeline.pages.notebook.document import code, opening, repository_address, table, text, write_notebook


def test_a_notebook_is_valid_and_holds_pictures_and_sounds(tmp_path: Path) -> None:
    for name in ("a.png", "a.mp3"):
        (tmp_path / name).write_bytes(name.encode())
    write_notebook(tmp_path / "one.ipynb", [text("# One"), code("1 + 1", tmp_path / "a.png", tmp_path / "a.mp3")])
    book = nbformat.read(tmp_path / "one.ipynb", 4)
    nbformat.validate(book)
    assert [cell.cell_type for cell in book.cells] == ["markdown", "code"]
    picture, sound = book.cells[1].outputs
    assert base64.b64decode(picture.data["image/png"]) == b"a.png"
    assert base64.b64encode(b"a.mp3").decode() in sound.data["text/html"]


def test_the_same_cells_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_notebook(tmp_path / name, [text("# One"), code("1 + 1"), code("1 + 1")])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert len({cell.id for cell in nbformat.read(tmp_path / "one", 4).cells}) == 3


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://example.org/me/album.git", "https://example.org/me/album.git"),
        ("http://example.org/album", "http://example.org/album"),
        ("https://me:secret@example.org/album.git", ""),
        ("https://token@example.org/album.git", ""),
        ("git@example.org:me/album.git", ""),
        ("/home/me/album", ""),
        ("https://example.org/album.git?token=secret", ""),
    ],
)
def test_only_a_web_address_without_a_secret_is_shown(tmp_path: Path, address: str, shown: str) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    subprocess.run(["git", "-C", str(tmp_path), "remote", "add", "origin", address], check=True)
    assert repository_address(tmp_path) == shown


def test_a_folder_without_git_has_no_address(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("no clone", encoding="utf-8")
    assert repository_address(tmp_path) == ""


def test_the_first_cell_is_python_for_any_name(tmp_path: Path) -> None:
    cell = opening("it's + {odd}", "train", ["checkpoint.pt"])
    ast.parse(cell.source)
    assert 'NAME = "it\'s + {odd}"' in cell.source


def test_tables_show_what_markdown_would_take_for_its_own() -> None:
    assert table([("Texts", "a|b *c* <d>")]).splitlines()[-1] == r"| Texts | a\|b \*c\* \<d> |"
