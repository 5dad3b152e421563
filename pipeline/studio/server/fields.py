"""Fields of JSON that a request brings, each read as what it should be; what is wrong is told in a sentence."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipeline.errors import UserError

MAX_TEXT = 500
"""Characters of a text."""


class FieldError(UserError):
    """A field that is not what it should be."""


class Fields:
    """The fields of a JSON object, read by name and kind. All readers raise `FieldError`."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    @classmethod
    def of_query(cls, query: Iterable[tuple[str, str]]) -> Fields:
        """The fields of an address; what looks like a whole number is one."""
        return cls({name: int(text) if re.fullmatch("[0-9]{1,9}", text) else text for name, text in query})

    @classmethod
    def parse(cls, body: bytes) -> Fields:
        """The fields of a body; none of an empty one."""
        try:
            values = json.loads(body, parse_constant=_refuse_constant) if body.strip() else {}
        except (ValueError, RecursionError) as error:
            raise FieldError("The body is no JSON.") from error
        if not isinstance(values, dict):
            raise FieldError("The body must be a JSON object.")
        return cls(values)

    def allow(self, *names: str) -> None:
        """Refuse fields that nothing reads."""
        for name in self.values:
            if name not in names:
                raise FieldError(f"There is no field {name[:40]!r} here; there are {', '.join(names)}.")

    def has(self, name: str) -> bool:
        """Whether a field is there and not null."""
        return self.values.get(name) is not None

    def text(self, name: str, most: int = MAX_TEXT) -> str:
        """A text of at most so many characters."""
        return _text(self.values.get(name), name, most)

    def optional_text(self, name: str) -> str | None:
        """A text, None where there is none."""
        return self.text(name) if self.has(name) else None

    def choice(self, name: str, choices: Iterable[str], default: str | None = None) -> str:
        """One of some words."""
        value = self.values.get(name, default)
        choices = list(choices)
        if value not in choices or not isinstance(value, str):
            raise FieldError(f"The field {name} must be one of {', '.join(choices)}.")
        return value

    def number(self, name: str, low: float, high: float, default: float | None = None) -> float:
        """A number within bounds."""
        value = self.values.get(name) if self.has(name) else default
        return _number(value, name, low, high)

    def optional_number(self, name: str, low: float, high: float) -> float | None:
        """A number within bounds, None where there is none."""
        return self.number(name, low, high) if self.has(name) else None

    def whole(self, name: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number within bounds."""
        value = self.values.get(name) if self.has(name) else default
        return _whole(value, name, low, high)

    def optional_whole(self, name: str, low: int, high: int) -> int | None:
        """A whole number within bounds, None where there is none."""
        return self.whole(name, low, high) if self.has(name) else None

    def pair(self, name: str, low: int, high: int) -> tuple[int, int]:
        """Two whole numbers within bounds."""
        values = self.values.get(name)
        if not isinstance(values, list) or len(values) != 2:
            raise FieldError(f"The field {name} must be a list of two whole numbers.")
        return _whole(values[0], name, low, high), _whole(values[1], name, low, high)

    def texts(self, name: str) -> list[str]:
        """A list of texts."""
        return [_text(one, name, MAX_TEXT) for one in _list(self.values.get(name), name, 64)]

    def words(self, name: str, default: Sequence[str]) -> list[str]:
        """Texts with commas between them."""
        return [one.strip() for one in self.text(name).split(",") if one.strip()] if self.has(name) else [*default]

    def numbers_by_name(self, name: str, low: float, high: float) -> dict[str, float] | None:
        """Numbers by name, None where there are none."""
        if not self.has(name):
            return None
        values = self.values[name]
        if not isinstance(values, dict) or len(values) > 64:
            raise FieldError(f"The field {name} must be an object of numbers by name.")
        return {_text(key, name, MAX_TEXT): _number(value, name, low, high) for key, value in values.items()}

    def rows(self, name: str, bounds: Sequence[tuple[int, int]], most: int) -> list[tuple[int, ...]]:
        """A list of rows of whole numbers, each number within its bounds; empty where there is none."""
        rows = _list(self.values.get(name) or [], name, most)
        if any(not isinstance(row, list) or len(row) != len(bounds) for row in rows):
            raise FieldError(f"The field {name} must be a list of rows of {len(bounds)} whole numbers.")
        return [
            tuple(_whole(value, name, low, high) for value, (low, high) in zip(row, bounds, strict=True))
            for row in rows
        ]


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


def _text(value: Any, name: str, most: int) -> str:
    if not isinstance(value, str):
        raise FieldError(f"The field {name} must be a text.")
    if len(value) > most:
        raise FieldError(f"The field {name} holds {len(value):,} characters; {most:,} are taken.")
    if not value.isprintable():
        raise FieldError(f"The field {name} holds characters that can't be printed.")
    return value


def _list(value: Any, name: str, most: int) -> list[Any]:
    if not isinstance(value, list):
        raise FieldError(f"The field {name} must be a list.")
    if len(value) > most:
        raise FieldError(f"The field {name} holds {len(value):,} entries; {most:,} are taken.")
    return value


def _number(value: Any, name: str, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FieldError(f"The field {name} must be a number.")
    if not low <= value <= high or not math.isfinite(value):
        raise FieldError(f"The field {name} must lie between {low:g} and {high:g}.")
    return float(value)


def _whole(value: Any, name: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise FieldError(f"The field {name} must be a whole number.")
    if not low <= value <= high:
        raise FieldError(f"The field {name} must lie between {low} and {high}.")
    return value
