"""The cells of a workbook (.xlsx .xls .ods) and the links behind them, as JSON; a program of its own.

Run by `spreadsheets`. A damaged .xls file makes the reading library take all memory there is, or end its process: so it
has a process for itself, and little memory.
"""

from __future__ import annotations

import datetime
import io
import json
import posixpath
import re
import sys
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

PASSWORD = 3
"""The exit status where the workbook has a password."""
MOST_MEMORY_BYTES = 3 << 30
Rows = Sequence[Sequence[str]]
"""The cells of a sheet as text."""
Link = tuple[int, int, str]
"""Row and column of a cell, from 0, and where the link behind it leads."""
TOKEN = re.compile(
    r"""\s*(?:"(?P<text>(?:[^"]|"")*)"|\[?\.?(?P<fixed>\$?)(?P<column>[A-Z]{1,3})(?P<held>\$?)(?P<row>\d{1,7})\]?)\s*(?P<after>[&,;)])"""
)
"""A text or the name of a cell in a formula, and what follows it."""


def main(path: str) -> int:
    """Print the names, cells and links of all sheets."""
    import python_calamine as calamine

    with suppress(ImportError):  # Windows has no such limits
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
    try:
        with calamine.load_workbook(path) as book:
            tables = [
                (name, book.get_sheet_by_name(name).to_python(skip_empty_area=False)) for name in book.sheet_names
            ]
    except calamine.PasswordError:
        return PASSWORD
    sheets = {name: [[cell_text(cell) for cell in row] for row in rows] for name, rows in tables}
    links = links_of(path, sheets)
    print(json.dumps([(name, rows, links.get(name, [])) for name, rows in sheets.items()]))
    return 0


def cell_text(cell: Any) -> str:
    """One cell as people read it: whole numbers without a point, lengths of time in seconds."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime.timedelta):
        return f"{cell.total_seconds():g} s"
    return str(cell).strip()


def links_of(path: str, sheets: dict[str, list[list[str]]]) -> dict[str, list[Link]]:
    """The links behind the cells of each sheet of an .xlsx or .ods file; none of other workbooks, or damaged parts."""
    if not zipfile.is_zipfile(path):
        return {}
    links: dict[str, list[Link]] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            if "content.xml" in archive.namelist():
                return {name: list(found) for name, found in _open_document_links(archive, sheets)}
            for name, part in _sheet_parts(archive):
                with suppress(KeyError, ValueError, ElementTree.ParseError):
                    links[name] = list(_sheet_links(archive, part, sheets.get(name, [])))
    except Exception:
        return links
    return links


def linked_by(formula: str, rows: Rows, down: int = 0, right: int = 0) -> str:
    """Where a formula such as `=HYPERLINK("a/" & B2, "listen")` leads; empty where that takes more than joining.

    Names of cells move by `down` and `right`, save those with a dollar sign.
    """
    begin = re.match(r"\s*(?:of:)?=?\s*HYPERLINK\(", formula, re.IGNORECASE)
    at, target = begin.end() if begin else 0, ""
    while begin:
        token = TOKEN.match(formula, at)
        if not token:
            return ""
        if token["text"] is not None:
            target += token["text"].replace('""', '"')
        else:
            row = int(token["row"]) - 1 + (0 if token["held"] else down)
            column = column_index(token["column"]) + (0 if token["fixed"] else right)
            target += rows[row][column] if 0 <= row < len(rows) and 0 <= column < len(rows[row]) else ""
        if token["after"] != "&":
            break
        at = token.end()
    return target


def column_index(letters: str) -> int:
    """The number, from 0, of a column such as `AB`."""
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1


def _sheet_parts(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """The names of the sheets of an .xlsx file, and where in the archive they lie."""
    book = next((name for name in archive.namelist() if name.lower().endswith("workbook.xml")), "")
    targets = _relationships(archive, book) if book else {}
    for element in ElementTree.fromstring(archive.read(book)).iter() if book else ():
        if _tag(element) == "sheet":
            part = posixpath.join("/", posixpath.dirname(book), targets.get(_relation(element), ""))
            yield element.get("name", ""), posixpath.normpath(part).lstrip("/")


def _relationships(archive: zipfile.ZipFile, part: str) -> dict[str, str]:
    """What the parts and links are that a part of an .xlsx file names by number."""
    folder, name = posixpath.split(part)
    try:
        content = archive.read(f"{folder}/_rels/{name}.rels")
    except KeyError:
        return {}
    targets = {}
    for element in ElementTree.fromstring(content).iter():
        if _tag(element) == "Relationship":
            targets[element.get("Id", "")] = element.get("Target", "")
    return targets


def _sheet_links(archive: zipfile.ZipFile, part: str, rows: Rows) -> Iterator[Link]:
    """The links of one sheet of an .xlsx file: by its list of links, and by formulas."""
    content = archive.read(part)
    if b"yperlink" not in content and b"HYPERLINK" not in content:
        return
    targets = _relationships(archive, part)
    shared: dict[str, tuple[str, int, int]] = {}
    for _, element in ElementTree.iterparse(io.BytesIO(content)):
        if _tag(element) == "c":
            formula = next((one for one in element if _tag(one) == "f"), None)
            if formula is not None:
                row, column = _place(element.get("r", ""))
                text, number = formula.text or "", formula.get("si", "")
                if text and number:
                    shared[number] = (text, row, column)
                own, above, before = shared.get(number, (text, row, column))
                if target := linked_by(own, rows, row - above, column - before):
                    yield row, column, target
        elif _tag(element) == "row":
            element.clear()
        elif _tag(element) == "hyperlink" and targets.get(_relation(element)):
            target, inside = targets[_relation(element)], element.get("location", "")
            first, _, last = element.get("ref", "").partition(":")
            (top, left), (bottom, right) = _place(first), _place(last or first)
            for row in range(top, min(bottom, len(rows) - 1) + 1):
                for column in range(left, min(right, left + 100) + 1):
                    yield row, column, f"{target}#{inside}" if inside else target


def _place(name: str) -> tuple[int, int]:
    """Row and column, from 0, of a cell such as `B2`. Raises ValueError."""
    found = re.fullmatch(r"\$?([A-Z]{1,3})\$?(\d{1,7})", name)
    if not found:
        raise ValueError(f"no cell: {name[:20]}")
    return int(found[2]) - 1, column_index(found[1])


def _open_document_links(
    archive: zipfile.ZipFile, sheets: dict[str, list[list[str]]]
) -> Iterator[tuple[str, Iterator[Link]]]:
    """The links of each sheet of an .ods file."""
    content = archive.read("content.xml")
    if b"xlink:href" not in content and b"HYPERLINK" not in content:
        return
    for table in ElementTree.fromstring(content).iter():
        if _tag(table) == "table":
            name = _attribute(table, "name")
            yield name, _table_links(table, sheets.get(name, []))


def _table_links(table: Element, rows: Rows) -> Iterator[Link]:
    """The links of a table of an .ods file, whose equal rows and cells are written once with their number."""
    row = 0
    for line in (one for one in table.iter() if _tag(one) == "table-row"):
        column = 0
        for cell in line:
            if _tag(cell) not in ("table-cell", "covered-table-cell"):
                continue
            target = next((_attribute(one, "href") for one in cell.iter() if _tag(one) == "a"), "")
            target = target or linked_by(_attribute(cell, "formula"), rows)
            if target:  # the content is one folder deep in the file, so what lies beside the file begins with ../
                yield row, column, target.removeprefix("../")
            column += int(_attribute(cell, "number-columns-repeated") or 1)
        row += int(_attribute(line, "number-rows-repeated") or 1)


def _tag(element: Element) -> str:
    """An element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def _attribute(element: Element, name: str) -> str:
    """The value of an attribute whatever its namespace; empty without."""
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")


def _relation(element: Element) -> str:
    """The number of the relationship that an element of an .xlsx file names."""
    return next((value for key, value in element.attrib.items() if key.endswith("}id")), "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
