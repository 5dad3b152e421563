"""The report that people read: every table is whole, and no number is missing."""

from __future__ import annotations

import pytest

from pipeline.evaluation.evaluator import Evaluator
from pipeline.evaluation.report import accompaniment_section, control_section, markdown_report
from tests.evaluation.conftest import Accompanied, Controlled
from tests.evaluation.tunes import SPEC, report_of_folder, tunes


def test_the_report_says_what_was_held_against_what(evaluator: Evaluator) -> None:
    _, found = evaluator.score(tunes(2, 4))
    text = markdown_report(report_of_folder(found, SPEC))
    assert text.startswith("# theirs\n")
    assert "8 phrases of `midi` (2 songs out of 3 files; not used: 1 broken file)" in text
    assert "held against 80 phrases of 80 test songs of Tunes" in text
    for line in text.splitlines():
        if line.startswith("|") and "---" not in line:
            assert line.endswith("|")
    assert " nan" not in text
    tables = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    assert all(len({line.count("|") for line in table}) == 1 for table in tables)


@pytest.mark.parametrize("make", ["responsive", "indifferent"])
def test_requests_have_a_table_each(
    make: str,
    accompanied: Accompanied,
    controlled: Controlled,
) -> None:
    (_, found), (_, requested) = accompanied[make], controlled[make]
    text = "\n\n".join([*accompaniment_section(found), *control_section(requested)])
    assert "Of 60 test phrases one track was given" in text
    assert "nan" not in text
    tables = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    assert len(tables) == 3
    assert all(len({line.count("|") for line in table}) == 1 for table in tables)
