"""Tables in READMEs are those that the code makes, and every setting is explained."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import get_type_hints

import pytest

from pipeline.config import PROGRAM, Config
from pipeline.readme_tables import REFERENCES, field_docs, with_reference


@pytest.mark.parametrize("name", REFERENCES)
def test_the_tables_in_readmes_are_up_to_date(name: str) -> None:
    text = (PROGRAM / name).read_text(encoding="utf-8")
    assert text == with_reference(text, REFERENCES[name]()), "make format brings it up to date"


def unexplained(schema: type, prefix: str = "") -> list[str]:
    """Settings without a meaning of their own."""
    docs, kinds = field_docs(schema), get_type_hints(schema)
    found: list[str] = []
    for one in fields(schema):
        kind = kinds[one.name]
        if is_dataclass(kind):
            found += unexplained(kind, f"{prefix}{one.name}.")
        elif not docs.get(one.name):
            found.append(prefix + one.name)
    return found


def test_every_setting_is_explained() -> None:
    assert unexplained(Config) == []
