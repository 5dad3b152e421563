"""Texts as people keep them: tagged, untagged, damaged, missing."""

import pytest

from pipeline.errors import UserError
from pipeline.lyrics.corpus import clean, read_corpus
from pipeline.lyrics.verse import MARKS, START, Speller, parse, spoken

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


def poems(count):
    return "\n\n".join(f"The {word} came to number {word}\nAnd went away by {word}" for word in words(count))


def words(count):
    letters = "abcdefghij"
    return ["".join(letters[int(digit)] for digit in f"{number:04d}") for number in range(count)]


def complaint(path):
    with pytest.raises(UserError, match=r"lyrics\.path=") as caught:
        read_corpus(str(path))
    return str(caught.value)


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


def test_one_long_text_is_cut_into_pieces_without_losing_a_line():
    text = poems(400)
    documents = parse(text)
    assert len(documents) > 5
    assert [line for document in documents for line in document.lines] == [line for line in text.split("\n") if line]


def test_prose_without_line_ends_is_broken_at_spaces():
    (document,) = parse("word " * 300)
    assert max(map(len, document.lines)) <= 60
    assert " ".join(document.lines).split() == ["word"] * 300


def test_lines_are_spelt_backwards_and_names_keep_their_capital():
    (document,) = parse(clean(TAGGED))
    speller = Speller.of([document])
    spelt = speller.document(document)
    verse = "\n".join(line[::-1] for line in ("the wind came in", "Mister Lee was there"))
    assert spelt.startswith(f"{START}{MARKS['verse']}{verse}\n{MARKS['chorus']}")
    assert spelt.count("aes eht wonk I") == 1, "a chorus that comes back is spelt once"
    assert spoken(speller.line("The wind came in")) == "The wind came in"


def test_characters_are_brought_to_one_form():
    assert clean("\ufeffIt\u2019s\u00a0\u201cso\u201d\u2026\r\nyes\x07") == 'It\'s "so"...\nyes'


def test_split_is_disjoint_and_holds_out_a_twentieth(tmp_path):
    for number, word in enumerate(words(60)):
        (tmp_path / f"{number}.txt").write_text(f"{word} is here\n" + f"and {word} is near\n" * 6, encoding="utf-8")
    corpus = read_corpus(str(tmp_path))
    sides = [{document.digest for document in side} for side in (corpus.training, corpus.validation, corpus.test)]
    assert [len(side) for side in sides] == [54, 3, 3]
    assert len(set.union(*sides)) == 60


def test_same_text_in_two_files_counts_once(tmp_path):
    for name in ("a.txt", "b.md"):
        (tmp_path / name).write_text(poems(300), encoding="utf-8")
    lines = [line for document in read_corpus(str(tmp_path / "a.txt")).training for line in document.lines]
    assert len(lines) == len({*lines})
    assert read_corpus(str(tmp_path)).num_characters == read_corpus(str(tmp_path / "a.txt")).num_characters


def test_files_that_are_no_text_are_skipped_with_a_reason(tmp_path):
    (tmp_path / "good.txt").write_text(poems(300), encoding="utf-8")
    (tmp_path / "junk.txt").write_bytes(bytes(range(256)) * 20)
    (tmp_path / "latin.txt").write_bytes("déjà vu\n".encode("latin-1") * 50)
    (tmp_path / "wide.txt").write_bytes("good words\n".encode("utf-16") * 50)
    (tmp_path / "zero.txt").write_bytes(b"")
    reasons = {path.name: reason for path, reason in read_corpus(str(tmp_path)).skipped}
    assert reasons.keys() == {"junk.txt", "latin.txt", "wide.txt", "zero.txt"}
    assert "binary" in reasons["junk.txt"]
    assert "byte 0xe9 at position 1" in reasons["latin.txt"]
    assert "UTF-16" in reasons["wide.txt"]


def test_too_little_text_is_refused_with_the_amount_needed(tmp_path):
    (tmp_path / "two.txt").write_text("The sun came up. The moon went down.\n", encoding="utf-8")
    assert "37 characters" in complaint(tmp_path) and "at least 5,000" in complaint(tmp_path)


def test_missing_empty_and_unusable_places_are_named(tmp_path):
    assert "does not exist" in complaint(tmp_path / "nowhere")
    assert "no .txt or .md" in complaint(tmp_path)
    (tmp_path / "numbers.txt").write_text("1 2 3\n" * 2000, encoding="utf-8")
    assert "no words" in complaint(tmp_path)
