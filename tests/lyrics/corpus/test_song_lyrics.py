"""How songs, essays and books are cut out of text and spelt."""

from pipeline.lyrics.corpus.song_lyrics import SECTION_MARKS, START, Speller, line_for_people, lyrics_in
from pipeline.lyrics.corpus.text_decoding import clean

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


def stanzas(count):
    return "\n\n".join(f"The sea came to number x{number}\nAnd went away by x{number}" for number in range(count))


def lines_of(document):
    return [line for section in document.sections for line in section.lines]


def test_tagged_sections_keep_kind_and_lines():
    (document,) = lyrics_in([clean(TAGGED)])
    assert document.title == "Salt"
    assert [section.name for section in document.sections] == ["verse", "chorus", "verse", "chorus"]
    assert document.sections[1].lines == ("I know the sea", "And so it goes")


def test_untagged_stanzas_become_verses():
    (document,) = lyrics_in(["One two\nthree four\n\nfive six"])
    assert [(section.name, section.lines) for section in document.sections] == [
        ("verse", ("One two", "three four")),
        ("verse", ("five six",)),
    ]


def test_each_heading_begins_a_song():
    first, second = lyrics_in(["# Salt\n\nThe wind came in\n\n# Sand\n\nThe wind went out"])
    assert (first.title, second.title) == ("Salt", "Sand")
    assert lines_of(second) == ["The wind went out"]


def test_directions_in_brackets_are_no_sections():
    (document,) = lyrics_in(["To be or not\n[Exit a ghost]\nto be"])
    assert lines_of(document) == ["To be or not", "[Exit a ghost]", "to be"]


def test_one_long_text_is_cut_into_pieces_without_losing_a_line():
    text = stanzas(400)
    documents = list(lyrics_in([text]))
    assert len(documents) > 5
    assert [line for document in documents for line in lines_of(document)] == [
        line for line in text.split("\n") if line
    ]


def test_long_tagged_text_is_cut_between_sections():
    text = "\n".join(f"[verse]\nThe sea came to number x{number}\nand stayed" for number in range(600))
    documents = list(lyrics_in([text]))
    assert len(documents) > 5
    assert all(len(section.lines) == 2 for document in documents for section in document.sections)


def test_prose_without_line_ends_is_broken_at_spaces():
    (document,) = lyrics_in(["word " * 300])
    assert max(map(len, lines_of(document))) <= 60
    assert " ".join(lines_of(document)).split() == ["word"] * 300


def test_lines_are_spelt_backwards_and_names_keep_their_capital():
    (document,) = lyrics_in([clean(TAGGED)])
    speller = Speller.of(lines_of(document))
    spelt = speller.document(document.upright)
    verse = "\n".join(line[::-1] for line in ("the wind came in", "Mister Lee was there"))
    assert spelt.startswith(f"{START}{SECTION_MARKS['verse']}{verse}\n{SECTION_MARKS['chorus']}")
    assert spelt.count("aes eht wonk I") == 1, "a chorus that comes back is spelt once"
    assert line_for_people(speller.line("The wind came in")) == "The wind came in"
    assert speller.line("\"Don't go") == "og t'nod\""
