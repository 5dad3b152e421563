from __future__ import annotations

import datetime
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from pipeline.config import compose
from pipeline.errors import UserError
from pipeline.settings.data import DataSettings
from pipeline.sources.columns import SheetRow, read_sheet_rows, read_sheets
from pipeline.sources.workbook import linked_by

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


@pytest.mark.parametrize(
    "header",
    [
        *("Where", "file_path", "URL", " Link ", "File Name", "FILE", "Path / URL", "where?"),
        *("Link to MIDI", "Song file", "Datei", "Fichier"),
    ],
)
def test_columns_are_known_by_many_names(tmp_path: Path, header: str) -> None:
    (tmp_path / "list.csv").write_text(f"No;{header}\n1;a.mid\n")
    assert entries(tmp_path / "list.csv")[0].where == "a.mid"


@pytest.mark.parametrize("header", ["Title", "Song name", "Name of the song", "Title of the piece", "Stück"])
def test_titles_are_known_by_many_names(tmp_path: Path, header: str) -> None:
    (tmp_path / "list.csv").write_text(f"No;{header};File\n1;Dawn;a.mid\n")
    assert entries(tmp_path / "list.csv")[0].title == "Dawn"


def test_what_is_said_about_files_is_no_place(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("Title;File size;File\nDawn;3 kB;a.mid\n")
    assert entries(tmp_path / "list.csv")[0].where == "a.mid"
    (tmp_path / "list.csv").write_text("Title;File size;Artist link\nDawn;3 kB;https://x.org\n")
    with pytest.raises(UserError, match="no column that says where the files are"):
        entries(tmp_path / "list.csv")


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


def test_every_sheet_with_places_is_read_and_the_others_are_named(tmp_path: Path) -> None:
    book = Workbook()
    book.active.title = "Read me"
    book.active.append(["How to use this list"])
    rock = book.create_sheet("Rock")
    rock.append(["My songs - rock"])
    rock.merge_cells("A1:D1")
    rock.append([])
    rock.append(["Nr.", "Song title", "File", "Tempo (BPM)", "Recorded on"])
    rock.append([1, "Grey", "midi/a.mid", "\u2248 100", datetime.date(2019, 5, 3)])
    rock.append([2, "Second", "midi\\b.mid", 100, "03.05.2019"])
    rock.append([3])
    rock.append([None, "Total: 2"])
    rock.append([None, "Total", 2])
    rock.append(["", "", " ", ""])
    jazz = book.create_sheet("Jazz")
    jazz.append(["Link", "Title"])
    jazz.append(["c.mid", "Total Eclipse"])
    book.create_sheet("Empty")
    book.save(tmp_path / "songs.xlsx")
    rows, left_out = read_sheets(settings(tmp_path / "songs.xlsx"))
    assert [(row.sheet, row.row, row.where, row.title, row.bpm) for row in rows] == [
        ("Rock", 4, "midi/a.mid", "Grey", 100),
        ("Rock", 5, "midi\\b.mid", "Second", 100),
        ("Jazz", 2, "c.mid", "Total Eclipse", None),
    ]
    assert left_out == ["Read me"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_title_lines_stand_above_the_header_of_a_text_too(tmp_path: Path, delimiter: str) -> None:
    lines = [
        "My songs, of 2019; links",
        "",
        "Nr|Title|Link",
        "1|Dawn|a.mid",
        "2|Noon, or so; late|b.mid",
        "3|Dusk|c.mid",
    ]
    quoted = [line.replace("|", delimiter) for line in lines]
    quoted[4] = quoted[4].replace("Noon, or so; late", '"Noon, or so; late"')
    (tmp_path / "list.csv").write_text("\n".join(quoted))
    rows = entries(tmp_path / "list.csv")
    assert [(row.row, row.title, row.where) for row in rows] == [
        *((4, "Dawn", "a.mid"), (5, "Noon, or so; late", "b.mid"), (6, "Dusk", "c.mid"))
    ]


def test_a_title_that_is_called_like_a_column_is_no_header(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("Links,\n,\nTitle,Link\nDawn,a.mid\n")
    (row,) = entries(tmp_path / "list.csv")
    assert (row.title, row.where) == ("Dawn", "a.mid")


def test_links_behind_text_are_found_in_excel_files(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    sheet.append(["Title", "Link", "Number"])
    for title, text in (("One", "Listen"), ("Two", "click"), ("Three", None), ("Four", "d.mid"), ("Five", "see")):
        sheet.append([title, text, 7])
    sheet["B2"].hyperlink = "midi/take 5.mid"
    sheet["B3"].hyperlink = "https://example.org/b.zip#in/*.mid"
    sheet["B4"] = '=HYPERLINK("midi/take " & C4 & ".mid","take seven")'
    sheet["A6"].hyperlink = "e.mid"
    titles = book.create_sheet("Titles only")
    titles.append(["Song", "Artist"])
    titles.append(["Six", "Nobody"])
    titles["A2"].hyperlink = "f.mid"
    titles["B2"].hyperlink = "https://example.org/nobody"
    book.save(tmp_path / "songs.xlsx")
    rows = entries(tmp_path / "songs.xlsx")
    assert [row.link for row in rows] == [
        *("midi/take 5.mid", "https://example.org/b.zip#in/*.mid", "midi/take 7.mid", "", "", "f.mid")
    ]
    assert [row.where for row in rows] == ["Listen", "click", "", "d.mid", "see", ""]


def test_formulas_of_links_stand_in_plain_text_too(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text('Title;Link\nDawn;"=HYPERLINK(""midi/""&A2&"".mid"";""play"")"\n')
    (row,) = entries(tmp_path / "list.csv")
    assert row.link == "midi/Dawn.mid"


def test_a_sheet_on_the_web_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is a link: download the spreadsheet"):
        read_sheets(DataSettings("catalog", "catalog", "Mine", "mine", "https://docs.google.com/spreadsheets/d/1"))


def test_links_behind_text_are_found_in_open_documents(tmp_path: Path) -> None:
    link = '<text:a xlink:href="../midi/a%20b.mid" xlink:type="simple">here</text:a>'
    content = open_document([["Title", "Link"], ["One", "HERE"]]).replace("HERE", link)
    content = content.replace(
        "</table:table>",
        '<table:table-row table:number-rows-repeated="3"><table:table-cell table:number-columns-repeated="2"/>'
        '</table:table-row><table:table-row><table:table-cell office:value-type="string"><text:p>Two</text:p>'
        '</table:table-cell><table:table-cell table:formula="of:=HYPERLINK(&quot;c.mid&quot;;[.A6])" '
        'office:value-type="string"><text:p>Two</text:p></table:table-cell></table:table-row></table:table>',
    ).replace(" xmlns:table", ' xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:table')
    with zipfile.ZipFile(tmp_path / "songs.ods", "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", MANIFEST)
        archive.writestr("content.xml", content)
    one, two = entries(tmp_path / "songs.ods")
    assert (one.row, one.where, one.link) == (2, "here", "midi/a%20b.mid")
    assert (two.row, two.title, two.link) == (6, "Two", "c.mid")


def test_formulas_of_links_are_joined_and_move_with_their_cells() -> None:
    rows = [["Name", "Link"], ["a", ""], ["b", ""]]
    assert linked_by('=HYPERLINK("say ""hi"".mid")', rows) == 'say "hi".mid'
    assert linked_by('HYPERLINK("x/"&A2&".mid","go")', rows) == "x/a.mid"
    assert linked_by('HYPERLINK("x/"&A2&".mid","go")', rows, down=1) == "x/b.mid"
    assert linked_by("HYPERLINK($A$2)", rows, down=1) == "a"
    assert linked_by('=HYPERLINK(LOWER("X"))', rows) == linked_by("=SUM(A1)", rows) == ""
