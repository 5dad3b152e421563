"""The cells of a workbook (.xlsx .xls .ods) as JSON on standard output; a program of its own, run by `spreadsheets`.

A damaged .xls file makes the reading library take all memory there is, or end its process: so it has a process for
itself, and little memory.
"""

from __future__ import annotations

import datetime
import json
import sys
from contextlib import suppress
from typing import Any

PASSWORD = 3
"""The exit status where the workbook has a password."""
MOST_MEMORY_BYTES = 3 << 30


def main(path: str) -> int:
    """Print the names and cells of all sheets."""
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
    sheets = [(name, [[cell_text(cell) for cell in row] for row in rows]) for name, rows in tables]
    print(json.dumps(sheets))
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
