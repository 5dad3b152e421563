"""How songs, essays and books are cut out of text and spelt."""

import pytest

from pipeline.lyrics.corpus.encoded_texts import Texts
from pipeline.lyrics.corpus.essays import Essay, essays, pieces, spell_essay
from pipeline.lyrics.corpus.song_lyrics import MARKS, START, Speller, parse, spoken
from pipeline.lyrics.corpus.text_decoding import clean, tidy

TAGGED = """# Title: Salt
# Scheme: ABAB

[verse]
The wind came in
Mister Lee was there

[Chorus: all]
I know the sea
And so it goes

[verse]
But Mister Lee has gone

[chorus]
I know the sea
And so it goes
"""

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


def stanzas(count):
    return "\n\n".join(f"The sea came to number x{number}\nAnd went away by x{number}" for number in range(count))


def test_tagged_sections_keep_kind_and_lines():
    (document,) = parse(clean(TAGGED))
    assert document.title == "Salt"
    assert [section.name for section in document.sections] == ["verse", "chorus", "verse", "chorus"]
    assert document.sections[1].lines == ("I know the sea", "And so it goes")


def test_untagged_stanzas_become_verses():
    (document,) = parse("One two\nthree four\n\nfive six")
    assert [(section.name, section.lines) for section in document.sections] == [
        ("verse", ("One two", "three four")),
        ("verse", ("five six",)),
    ]


def test_each_heading_begins_a_song():
    first, second = parse("# Salt\n\nThe wind came in\n\n# Sand\n\nThe wind went out")
    assert (first.title, second.title) == ("Salt", "Sand")
    assert second.lines == ["The wind went out"]


def test_directions_in_brackets_are_no_sections():
    (document,) = parse("To be or not\n[Exit a ghost]\nto be")
    assert document.lines == ["To be or not", "[Exit a ghost]", "to be"]


def test_one_long_text_is_cut_into_pieces_without_losing_a_line():
    text = stanzas(400)
    documents = parse(text)
    assert len(documents) > 5
    assert [line for document in documents for line in document.lines] == [line for line in text.split("\n") if line]


def test_long_tagged_text_is_cut_between_sections():
    documents = parse("\n".join(f"[verse]\nThe sea came to number x{number}\nand stayed" for number in range(600)))
    assert len(documents) > 5
    assert all(len(section.lines) == 2 for document in documents for section in document.sections)


def test_prose_without_line_ends_is_broken_at_spaces():
    (document,) = parse("word " * 300)
    assert max(map(len, document.lines)) <= 60
    assert " ".join(document.lines).split() == ["word"] * 300


def test_lines_are_spelt_backwards_and_names_keep_their_capital():
    (document,) = parse(clean(TAGGED))
    speller = Speller.of(document.lines)
    spelt = speller.document(document.upright)
    verse = "\n".join(line[::-1] for line in ("the wind came in", "Mister Lee was there"))
    assert spelt.startswith(f"{START}{MARKS['verse']}{verse}\n{MARKS['chorus']}")
    assert spelt.count("aes eht wonk I") == 1, "a chorus that comes back is spelt once"
    assert spoken(speller.line("The wind came in")) == "The wind came in"
    assert speller.line("\"Don't go") == "og t'nod\""


def test_characters_are_brought_to_one_form():
    assert clean("\ufeffIt\u2019s\u00a0\u201cso\u201d\u2026\r\nyes\x07 e\u0301\ue000") == 'It\'s "so"...\nyes \u00e9'


def test_a_book_keeps_its_quotes_dashes_and_indents():
    assert tidy("  \u201cSo\u201d \u2014 \t\r\n\r\nyes\x07\u200b") == "  \u201cSo\u201d \u2014\n\nyes"


def test_an_essay_is_read_from_light_markdown():
    (essay,) = essays([MARKDOWN])
    assert essay == Essay(
        "On Rain",
        ("Rain falls on the roof, and on the street.", "## Later", "- one", "- two_words", "It stops."),
    )
    assert spell_essay(essay).startswith("\x02On Rain\n\nRain falls on the roof, and on the street.\n## Later\n")


@pytest.mark.parametrize(
    "text", ["# Rain\n\nIt falls.", "Rain\n====\nIt falls.", "title: Rain\n\nIt falls.", "Rain\n\nIt falls."]
)
def test_titles_are_found_however_they_are_written(text):
    assert list(essays([text])) == [Essay("Rain", ("It falls.",))]


def test_an_essay_without_a_title_has_none():
    (essay,) = essays(["It falls.\n\nIt stops.\n"])
    assert essay == Essay("", ("It falls.", "It stops."))
    assert spell_essay(essay) == "\x02\n\nIt falls.\nIt stops.\n"


def test_several_essays_in_one_file_begin_with_headings():
    text = "# One\n\nIt falls.\n\n# Two\n\nIt stops.\n"
    assert [essay.title for essay in essays([text], several=True)] == ["One", "Two"]
    assert [essay.paragraphs for essay in essays([text])] == [("It falls.", "## Two", "It stops.")]


def test_a_long_essay_is_cut_between_paragraphs_and_has_its_title_once():
    text = "# Rain\n\n" + "\n\n".join(f"It falls on day {number}." for number in range(300))
    found = list(essays([text], piece=1000, most=2000))
    assert [essay.title for essay in found] == ["Rain"] + [""] * (len(found) - 1)
    assert [paragraph for essay in found for paragraph in essay.paragraphs] == text.split("\n\n")[1:]


def test_pieces_of_a_book_are_the_book():
    text = "\n\n".join(f"Chapter {number}.\n" + "It rained. " * (number % 7) for number in range(200))
    blocks = [text[at : at + 777] for at in range(0, len(text), 777)]
    found = list(pieces(blocks, 500))
    assert "".join(found) == text
    assert all(500 <= len(piece) <= 1000 and piece.endswith("\n\n") for piece in found[:-1])
    assert "".join(pieces(["x" * 10_000], 500)) == "x" * 10_000


def test_much_text_is_read_evenly():
    texts = Texts.of([f"{number:09d}\n" for number in range(1000)], ["1"], ["2"])
    assert len(list(texts.read(texts.training, 10_000))) == 1000
    few = [int(text) for text in texts.read(texts.training, 1000)]
    assert few == list(range(0, 1000, 10))
