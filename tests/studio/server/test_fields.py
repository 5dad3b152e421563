"""Fields of JSON: what is not what it should be is told in a sentence that names it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipeline.errors import UserError
from pipeline.studio.server.fields import Fields


def test_fields_of_the_right_kind_are_read() -> None:
    fields = Fields.parse(
        b'{"a": "text", "b": 3, "c": 2.5, "d": ["x"], "e": [8, 10], "f": {"Bass": 6}, "g": [[1, 2]], "h": null}'
    )
    assert fields.text("a") == "text"
    assert fields.whole("b", 0, 5) == 3
    assert fields.number("b", 0, 5) == 3.0
    assert fields.number("c", 0, 5) == 2.5
    assert fields.texts("d") == ["x"]
    assert fields.pair("e", 0, 20) == (8, 10)
    assert fields.numbers_by_name("f", 0, 10) == {"Bass": 6.0}
    assert fields.rows("g", ((0, 4), (0, 4)), 9) == [(1, 2)]
    assert fields.optional_text("h") is None
    assert fields.whole("h", 0, 5, 4) == 4
    assert Fields.parse(b"").values == {}


@pytest.mark.parametrize(
    ("body", "read", "words"),
    [
        (b"{", lambda one: one, "no JSON"),
        (b"[]", lambda one: one, "must be a JSON object"),
        (b'{"a": NaN}', lambda one: one, "no JSON"),
        (b'{"a": -Infinity}', lambda one: one, "no JSON"),
        (b"[" * 100_000, lambda one: one, "no JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", lambda one: one, "no JSON"),
        (b"\xff\xfe", lambda one: one, "no JSON"),
        (b'{"a": 1e999}', lambda one: one.number("a", 0, 9), "a must lie between 0 and 9"),
        (b'{"a": true}', lambda one: one.whole("a", 0, 9), "a must be a whole number"),
        (b'{"a": "3"}', lambda one: one.number("a", 0, 9), "a must be a number"),
        (b'{"a": 3.5}', lambda one: one.whole("a", 0, 9), "a must be a whole number"),
        (b'{"a": -1}', lambda one: one.whole("a", 0, 9), "a must lie between 0 and 9"),
        (b'{"a": [1]}', lambda one: one.text("a"), "a must be a text"),
        (b'{"a": "\\u0000"}', lambda one: one.text("a"), "can't be printed"),
        (b'{"a": "' + b"x" * 999 + b'"}', lambda one: one.text("a"), "holds 999 characters"),
        (b'{"a": ["x", 1]}', lambda one: one.texts("a"), "a must be a text"),
        (b'{"a": [1]}', lambda one: one.pair("a", 0, 9), "a must be a list of two"),
        (b'{"a": {"x": "y"}}', lambda one: one.numbers_by_name("a", 0, 9), "a must be a number"),
        (b'{"a": [[1, 2], [3]]}', lambda one: one.rows("a", ((0, 9), (0, 9)), 9), "rows of 2 whole numbers"),
        (b'{"a": [[1], [2]]}', lambda one: one.rows("a", ((0, 9),), 1), "holds 2 entries; 1 are taken"),
        (b'{"a": 1}', lambda one: one.allow("b", "c"), "no field 'a' here; there are b, c"),
        (b'{"a": 1}', lambda one: one.choice("a", ["x", "y"]), "one of x, y"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(body: bytes, read: Callable[[Fields], Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        read(Fields.parse(body))
