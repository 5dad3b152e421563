"""Characters are brought to one form."""

from pipeline.lyrics.corpus.text_decoding import clean, tidy


def test_characters_are_brought_to_one_form():
    assert clean("\ufeffIt\u2019s\u00a0\u201cso\u201d\u2026\r\nyes\x07 e\u0301\ue000") == 'It\'s "so"...\nyes \u00e9'


def test_a_book_keeps_its_quotes_dashes_and_indents():
    assert tidy("  \u201cSo\u201d \u2014 \t\r\n\r\nyes\x07\u200b") == "  \u201cSo\u201d \u2014\n\nyes"
