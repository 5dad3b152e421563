"""Tables in Markdown, readable as plain text too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table whose columns are padded to the same width.

    Parameters
    ----------
    heads
        The heads of the columns.
    rows
        Cells of each row, as many as there are heads; anything that `str` takes.

    Returns
    -------
    str
        Lines joined by line feeds, without one at the end.
    """
    cells = [list(heads), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in cells]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])
