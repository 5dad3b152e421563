from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from pipeline.config import compose
from pipeline.errors import UserError
from pipeline.settings.data import DataSettings
from pipeline.sources.columns import (
    SheetRow,
    read_sheet_rows,
)

HEADER = ["Song Title", "Artist", "Type", "File", "Tempo", "Key", "First downbeat (s)", "Split", "Used in"]
ROWS = [
    ["Dawn", "Åse", "Songs", "a.mid", "92,5 BPM", "Am", "0,5", "Training", ""],
    ["Break", "", "Sample", "b.wav", "", "8B", "", "", "dawn"],
]


MANIFEST = (
    '<?xml version="1.0"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
    '<manifest:file-entry manifest:full-path="/" '
    'manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/></manifest:manifest>'
)


def settings(path: Path, **columns: str) -> DataSettings:
    return DataSettings("catalog", "catalog", "Mine", "mine", str(path), columns)


def entries(path: Path, **columns: str) -> list[SheetRow]:
    return read_sheet_rows(settings(path, **columns))


def delimited(delimiter: str) -> str:
    quoted = [[f'"{cell}"' if delimiter in cell else cell for cell in row] for row in [HEADER, *ROWS]]
    return "\r\n".join(delimiter.join(row) for row in quoted) + "\r\n"


def open_document(rows: list[list[str]]) -> str:
    """The content of an .ods file."""
    cells = "".join(f"<table:table-row>{''.join(cell(text) for text in row)}</table:table-row>" for row in rows)
    names = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    return (
        f'<?xml version="1.0"?><office:document-content{names}><office:body><office:spreadsheet>'
        f'<table:table table:name="One">{cells}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )


def cell(text: str) -> str:
    return f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'


def write(path: Path, form: str) -> Path:
    """The list above, in one of the forms that spreadsheet programs write."""
    if form == "xlsx":
        book = Workbook()
        book.active.append(["Notes of mine, nothing else"])
        sheet = book.create_sheet("Music")
        sheet.append([])
        for row in [HEADER, *ROWS]:
            sheet.append(row)
        book.save(path)
        book.close()
    elif form == "ods":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
            archive.writestr("META-INF/manifest.xml", MANIFEST)
            archive.writestr("content.xml", open_document([HEADER, *ROWS]))
    else:
        delimiter, encoding = form.split(maxsplit=1)
        path.write_bytes(delimited({"tab": "\t"}.get(delimiter, delimiter)).encode(encoding))
    return path


@pytest.mark.parametrize(
    ("name", "form"),
    [
        *(("songs.xlsx", "xlsx"), ("songs.ods", "ods"), ("songs.csv", ", utf-8"), ("songs.csv", "; utf-8-sig")),
        *(("songs.csv", "; latin-1"), ("songs.tsv", "tab utf-16"), ("songs.csv", "tab utf-16-le")),
    ],
)
def test_a_list_is_read_whatever_program_wrote_it(tmp_path: Path, name: str, form: str) -> None:
    song, sample = entries(write(tmp_path / name, form))
    row = 3 if form == "xlsx" else 2
    sheet = {"xlsx": "Music", "ods": "One"}.get(form, "")
    assert song == SheetRow(row, "a.mid", "Dawn", "Åse", "song", 92.5, "A minor", 0.5, "train", sheet=sheet)
    assert sample == SheetRow(row + 1, "b.wav", "Break", kind="sample", key="C major", used_in="dawn", sheet=sheet)


@pytest.mark.parametrize("header", ["Where", "file_path", "URL", " Link ", "File Name", "FILE", "Path / URL", "where?"])
def test_columns_are_known_by_many_names(tmp_path: Path, header: str) -> None:
    (tmp_path / "list.csv").write_text(f"No;{header}\n1;a.mid\n")
    assert entries(tmp_path / "list.csv")[0].where == "a.mid"


def test_other_names_are_given(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("Stück;Fundort;File;Tonart\nLied;a.mid;b.mid;d-Moll\n")
    (entry,) = entries(tmp_path / "list.csv", where="fundort", title="Stück", Key="Tonart")
    assert (entry.where, entry.title, entry.key) == ("a.mid", "Lied", "D minor")


def test_names_of_columns_are_given_on_the_command_line() -> None:
    config = compose("data=catalog", "data.path=x.csv", "data.columns={where: Fundort, title: Name}")
    assert config.data.columns == {"where": "Fundort", "title": "Name"}


def test_of_a_file_and_a_link_the_one_that_is_there_counts(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("title,song,kind,file,url\na,b,sample,a.mid,\nc,,,,http://x/c.mid\n")
    one, other = entries(tmp_path / "list.csv")
    assert (one.where, one.used_in, other.where) == ("a.mid", "b", "http://x/c.mid")


def test_cells_that_make_no_sense_are_remarked_on(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text('where,bpm,key,kind,split,sha256\n"a.mid",fast,H#x,video,half,1234\n\n')
    (entry,) = entries(tmp_path / "list.csv")
    assert entry == SheetRow(2, "a.mid", remark=entry.remark)
    assert "bpm fast is no number of beats a minute; key H#x is no key" in entry.remark
    assert all(word in entry.remark for word in ("kind video", "split half", "sha256 1234"))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("gone.xlsx", None, "is not there: give a spreadsheet"),
        ("list.csv", b"", "is empty"),
        ("list.csv", b"title,where\n", "has a header but no rows"),
        ("list.csv", b"title,artist\na,b\n", "no column that says where the files are"),
        ("list.xlsx", b"no spreadsheet", "is no spreadsheet: give one"),
        ("list.xlsx", b"PK\3\4 damaged", "can't be read as a spreadsheet"),
        ("list.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "can't be read as a spreadsheet"),
        (
            "list.xlsx",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "has a password: save it without one",
        ),
        ("list.csv", bytes(range(256)) * 4, "is no"),
    ],
)
def test_what_is_no_list_is_said_in_one_sentence(tmp_path: Path, name: str, content: bytes | None, words: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=words) as caught:
        entries(tmp_path / name)
    assert str(caught.value).startswith("data.path=") and "\n" not in str(caught.value)


def test_columns_that_are_not_there_are_named(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("where,title\na.mid,A\n")
    with pytest.raises(UserError, match=r"no column Tonart; it has where, title"):
        entries(tmp_path / "list.csv", key="Tonart")
    with pytest.raises(UserError, match=r"no column Fundort; it has where, title"):
        entries(tmp_path / "list.csv", where="Fundort")
    with pytest.raises(UserError, match=r"no column colour; ours are title"):
        entries(tmp_path / "list.csv", colour="where")
