"""CSV files: a frozen dataclass is a row, its fields are the columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pipeline.errors import UserError
from pipeline.files import atomic_path

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Row = TypeVar("Row", bound=DataclassInstance)
else:
    Row = TypeVar("Row")


def _number_or_nothing(cell: str) -> float | None:
    return float(cell) if cell else None


CASTS: dict[str, Callable[[str], Any]] = {"int": int, "float": float, "str": str, "float | None": _number_or_nothing}


def write_rows(path: Path, rows: Sequence[Row], kind: type[Row]) -> None:
    """Write a table, atomically; None becomes an empty cell. File names that are no valid text keep their bytes."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(field.name for field in fields(kind))
    writer.writerows(astuple(row) for row in rows)
    with atomic_path(path) as temporary:
        temporary.write_bytes(text.getvalue().encode("utf-8", "surrogateescape"))


def read_rows(path: Path, kind: type[Row], stage: str) -> list[Row]:
    """Read a table that `write_rows` wrote; where it is missing or damaged a `UserError` names it and its stage."""
    return list(iterate_rows(path, kind, stage))


def iterate_rows(path: Path, kind: type[Row], stage: str) -> Iterator[Row]:
    """The rows of `read_rows`, one at a time."""
    casts = [CASTS[str(field.type)] for field in fields(kind)]
    names = [field.name for field in fields(kind)]
    try:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            lines = csv.reader(file)
            header = next(lines)
            if header != names:
                raise ValueError(f"its columns are {', '.join(header)[:80]}")
            for line in lines:
                yield kind(*(cast(cell) for cast, cell in zip(casts, line, strict=True)))
    except (OSError, ValueError, StopIteration, csv.Error) as error:
        raise damaged(path, str(error) or "it is empty", stage) from error


def damaged(path: Path, why: str, stage: str) -> UserError:
    """The error for a file of an artefact that can't be right."""
    state = "damaged" if path.exists() else "missing"
    return UserError(f"{path} is {state} ({why}); make it again with +stage={stage} force=true.")
