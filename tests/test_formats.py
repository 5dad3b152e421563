import os

from pipeline.formats import printable


def test_names_become_one_printable_line() -> None:
    assert printable("a\nb\tc  d 🎵") == "a b c d 🎵"
    assert printable(os.fsdecode(b"caf\xe9")) == "caf\\xe9"
