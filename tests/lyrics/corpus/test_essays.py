"""How essays and books are cut out of text and spelt."""

import pytest

from pipeline.lyrics.corpus.essays import Essay, book_pieces, essays_in, spell_essay

MARKDOWN = """---
title: On Rain
tags: [weather]
---
Rain *falls* on the roof,
and on [the street](http://a.b/c).

## Later
- one
- two_words

```
code = 1
```
It **stops**.
"""


def test_an_essay_is_read_from_light_markdown():
    (essay,) = essays_in([MARKDOWN])
    assert essay == Essay(
        "On Rain",
        ("Rain falls on the roof, and on the street.", "## Later", "- one", "- two_words", "It stops."),
    )
    assert spell_essay(essay).startswith("\x02On Rain\n\nRain falls on the roof, and on the street.\n## Later\n")


@pytest.mark.parametrize(
    "text", ["# Rain\n\nIt falls.", "Rain\n====\nIt falls.", "title: Rain\n\nIt falls.", "Rain\n\nIt falls."]
)
def test_titles_are_found_however_they_are_written(text):
    assert list(essays_in([text])) == [Essay("Rain", ("It falls.",))]


def test_an_essay_without_a_title_has_none():
    (essay,) = essays_in(["It falls.\n\nIt stops.\n"])
    assert essay == Essay("", ("It falls.", "It stops."))
    assert spell_essay(essay) == "\x02\n\nIt falls.\nIt stops.\n"


def test_several_essays_in_one_file_begin_with_headings():
    text = "# One\n\nIt falls.\n\n# Two\n\nIt stops.\n"
    assert [essay.title for essay in essays_in([text], several=True)] == ["One", "Two"]
    assert [essay.paragraphs for essay in essays_in([text])] == [("It falls.", "## Two", "It stops.")]


def test_a_long_essay_is_cut_between_paragraphs_and_has_its_title_once():
    text = "# Rain\n\n" + "\n\n".join(f"It falls on day {number}." for number in range(300))
    found = list(essays_in([text], piece=1000, most=2000))
    assert [essay.title for essay in found] == ["Rain"] + [""] * (len(found) - 1)
    assert [paragraph for essay in found for paragraph in essay.paragraphs] == text.split("\n\n")[1:]


def test_pieces_of_a_book_are_the_book():
    text = "\n\n".join(f"Chapter {number}.\n" + "It rained. " * (number % 7) for number in range(200))
    blocks = [text[at : at + 777] for at in range(0, len(text), 777)]
    found = list(book_pieces(blocks, 500))
    assert "".join(found) == text
    assert all(500 <= len(piece) <= 1000 and piece.endswith("\n\n") for piece in found[:-1])
    assert "".join(book_pieces(["x" * 10_000], 500)) == "x" * 10_000
