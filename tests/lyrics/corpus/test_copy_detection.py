"""Copied runs are those that looking everywhere finds."""

import random

from pipeline.lyrics.corpus.copy_detection import MOST_RUNS, CopyFinder, CopyIndex


def test_copies_are_those_that_looking_everywhere_finds():
    draws = random.Random(1)
    for _ in range(100):
        text = "".join(draws.choices("ab \u00e9", k=draws.randrange(50)))
        lines = ["".join(draws.choices("ab \u00e9c", k=draws.randrange(20))) for _ in range(3)]
        runs = [
            line[a:b] for line in lines for a in range(len(line)) for b in range(a, len(line) + 1) if line[a:b] in text
        ]
        wanted = max(map(len, runs), default=0)
        assert len(CopyFinder(text).longest(lines)) == wanted
        for limit in range(9):
            index = CopyIndex([text], len(text), limit)
            assert any(map(index.holds, lines)) == (wanted > limit)


def test_runs_are_found_exactly_in_a_small_text_and_not_missed_in_a_large_one():
    text = "The sea takes the stone. The sea finds the light. The river breaks the door, and a light leaves the night."
    whole = CopyIndex([text], len(text), 9)
    assert whole.holds("xx" + text[50:60], 11) and not whole.holds("xx" + text[50:59], 10)
    assert not whole.holds(text[50:60] + "xx", 11) and whole.holds(text[50:60] + "xx", 9)
    large = CopyIndex([text], 3 * MOST_RUNS, 9)
    assert large.stride == 3 and len(large.hashes) < 0.4 * len(whole.hashes)
    for at in range(40, 60):
        run = text[at : at + 10]
        assert any(large.holds(run[:end], end - 1) for end in range(1, 11))


def test_longest_copy_is_found_inside_lines_only():
    assert CopyFinder("in the sea of\nnight").longest(["xx the sea yy", "nothing"]) == " the sea "
    assert CopyFinder("of\nnight").longest(["of night"]) == "night"
