"""Texts as people keep them: songs, essays and books, in files of any kind, damaged, missing, large."""

import copy
import csv
import functools
import random
import subprocess
import sys

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.lyrics.corpus import corpus
from pipeline.lyrics.corpus.corpus import read_texts
from pipeline.lyrics.corpus.song_lyrics import SECTION_MARKS, START
from pipeline.lyrics.corpus.text_files import files_fingerprint, text_files, text_size
from pipeline.lyrics.corpus.vocabulary import Characters, Subwords
from tests.song_makers import configured

SYLLABLES = ("ba", "de", "fi", "go", "lu", "mar", "nes", "pil", "ros", "tun")


def words(count, seed=1):
    numbers = random.Random(seed).sample(range(10_000), count)
    return ["".join(SYLLABLES[int(digit)] for digit in f"{number:04d}") for number in numbers]


def poems(count, seed=1):
    return "\n\n".join(f"The {word} came along the {word}\nAnd went away by {word}" for word in words(count, seed))


def paragraphs(count, seed=1):
    return "\n\n".join(" ".join(words(40, seed + number)).capitalize() + "." for number in range(count))


@functools.cache
def preset(kind):
    return configured("+stage=lyrics", f"lyrics={kind}").lyrics


def settings(path, kind="song", **changes):
    found = copy.deepcopy(preset(kind))
    found.path = str(path)
    for key, value in changes.items():
        setattr(found.model if hasattr(found.model, key) else found, key, value)
    return found


@pytest.fixture
def read(tmp_path):
    """Reads the folder `texts` that the test has filled, or the file of it that is named."""
    (tmp_path / "texts").mkdir()

    def reading(kind="song", name="", known=None, **changes):
        return read_texts(settings(tmp_path / "texts" / name, kind, **changes), tmp_path / "out", known)

    reading.folder = tmp_path / "texts"
    return reading


@pytest.fixture
def complaint(read):
    def said(*arguments, **changes):
        with pytest.raises(UserError) as caught:
            read(*arguments, **changes)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return said


def documents(reading, *names):
    texts = reading.texts
    names = names or ("training", "validation", "test")
    return [text for name in names for text in texts.read(getattr(texts, name), 10**9)]


def write_table(path, rows, delimiter=","):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)


def test_split_is_disjoint_and_holds_out_a_twentieth(read):
    for number, word in enumerate(words(60)):
        (read.folder / f"{number}.txt").write_text(f"# {word}\n{word} is here\n" + f"and {word} is near\n" * 6)
    found = read()
    sides = [{*documents(found, side)} for side in ("training", "validation", "test")]
    assert [len(side) for side in sides] == [54, 3, 3]
    assert len(set.union(*sides)) == 60
    assert len(found.titles) == 54
    assert all(text.startswith(START + SECTION_MARKS["verse"]) for text in set.union(*sides))


def test_same_text_in_two_files_counts_once(read):
    (read.folder / "a.txt").write_text(poems(300))
    once = read()
    (read.folder / "b.md").write_text(poems(300).upper())
    assert sum(map(len, documents(read(name="a.txt")))) == sum(map(len, documents(once)))
    assert read().num_characters == pytest.approx(once.num_characters, rel=0.02), "but for the pieces' marks"


def test_one_file_is_enough_for_every_kind(read):
    (read.folder / "a.txt").write_text(paragraphs(20) + "\n")
    for kind in ("song", "essay", "book"):
        found = read(kind, "a.txt", vocabulary_size=300).texts
        assert len(found.training) >= 10, kind
        assert len(found.validation) == len(found.test) == 1


def test_a_book_is_read_whole_in_order_and_held_out_in_passages(read):
    text = "".join(f"    {line}\n" if number % 5 else f"{line}\n\n" for number, line in enumerate(words(4000)))
    (read.folder / "book.txt").write_text(text)
    found = read("book")
    pieces = documents(found)
    assert sorted("".join(pieces).replace(START, "")) == sorted(text)
    assert all(piece.removeprefix(START) in text for piece in pieces)
    assert sum(piece.endswith("\n\n") for piece in pieces) == len(pieces) - 1, "but for the last"
    training = [text.index(piece.removeprefix(START)) for piece in documents(found, "training")]
    assert training == sorted(training) and len(training) >= 30


def test_an_essay_keeps_its_title_and_paragraphs(read):
    for number in range(8):
        (read.folder / f"{number}.md").write_text(f"# Title {number}\n\n{paragraphs(6, 10 * number)}\n")
    found = read("essay", tokens="characters")
    assert found.titles < {f"Title {number}" for number in range(8)} and len(found.titles) == 6
    wanted = paragraphs(6, 30).replace("\n\n", "\n")
    assert f"{START}Title 3\n\n{wanted}\n" in documents(found)


def test_subwords_are_learnt_from_the_training_side(read):
    (read.folder / "a.txt").write_text(paragraphs(40))
    found = read("essay", vocabulary_size=300)
    assert isinstance(found.texts.vocabulary, Subwords)
    assert len(found.texts.vocabulary) <= 300
    assert sum(map(len, documents(found))) > 0.99 * found.num_characters


def test_columns_are_found_by_name_width_or_setting(read):
    table = [
        ["id", "Notes", "Lyrics"],
        *([number, f"xxx {word}" * 30, poems(3, number)] for number, word in enumerate(words(60))),
    ]
    for delimiter in ",;\t":
        write_table(read.folder / "a.csv", table, delimiter)
        assert "xxx" not in "".join(documents(read(name="a.csv")))
    assert "xxx" in "".join(documents(read("book", "a.csv", column="notes")))
    table[0][2] = "c"
    write_table(read.folder / "a.csv", table)
    assert "xxx" in "".join(documents(read("book", "a.csv")))


def test_titles_come_from_their_column(read):
    table = [["Title", "text"], *([f"Night {number}", paragraphs(2, 9 * number)] for number in range(20))]
    write_table(read.folder / "a.csv", table)
    for kind in ("song", "essay"):
        assert "Night 7" in read(kind, vocabulary_size=300).titles or "Night 8" in read(kind).titles
    assert any(text.startswith(f"{START}Night ") for text in documents(read("essay", tokens="characters")))


def test_one_column_of_lines_with_commas_is_read(read):
    lines = [f"when {first}, and {second}" for first, second in zip(words(300), words(300, 2), strict=True)]
    (read.folder / "a.csv").write_text("text\n" + "\n".join(f'"{line}"' for line in lines) + "\n")
    found = "".join(documents(read("book")))
    assert all(line in found for line in lines)


def test_broken_rows_are_left_out_and_said(read):
    rows = [f"{number},{word} is the word of the day" for number, word in enumerate(words(300))]
    rows[70] = "70,torn,apart"
    (read.folder / "a.csv").write_text("id,text\n" + "\n".join(rows))
    found = read("book")
    assert found.skipped[0][1] == "1 of 300 rows, which are broken (the first in line 72: 3 fields, not 2)"
    assert "torn" not in "".join(documents(found))


def test_a_missing_column_names_those_there(complaint, read):
    write_table(read.folder / "a.csv", [["id", "song"], *([number, "la la"] for number in range(50))])
    assert "a.csv: it has no column words; lyrics.column can be one of: id, song" in complaint(column="words")
    (read.folder / "a.csv").rename(read.folder / "a.txt")
    assert "lyrics.column=words is for .csv files" in complaint(column="words")


def test_files_that_are_no_text_are_skipped_with_a_reason(read):
    (read.folder / "good.txt").write_text(poems(300))
    bad = {
        "junk.txt": (bytes(range(256)) * 20, "binary"),
        "russian.txt": ("слова\n".encode("windows-1251") * 50, "not UTF-8 (byte 0xf1 at position 0), nor Windows-1252"),
        "polish.txt": ("Wziął króla\n".encode("windows-1250") * 50, "nor Windows-1252"),
        "late.txt": (b"good words\n" * 100_000 + b"\x81bad\n", "byte 0x81 at position 1,100,000"),
        "bare.txt": ("good words\n".encode("utf-16-le") * 50, "UTF-16"),
        "paper.txt": (b"%PDF-1.7\nobj stream\n" * 50, "a PDF"),
        "office.txt": (b"PK\x03\x04" + bytes(100), "an office document"),
        "zero.txt": (b"", "empty"),
        "numbers.txt": (b"1 2 3\n" * 2000, "no words"),
    }
    for name, (data, _) in bad.items():
        (read.folder / name).write_bytes(data)
    for kind in ("song", "essay", "book"):
        found = read(kind, vocabulary_size=300)
        reasons = {path.name: reason for path, reason in found.skipped}
        assert reasons.keys() == bad.keys()
        assert all(reason in reasons[name] for name, (_, reason) in bad.items())
        assert "good words" not in "".join(documents(found)), "nothing of a file that turns out bad late stays"


@pytest.mark.parametrize("encoding", ["windows-1252", "utf-16", "utf-8-sig"])
def test_other_encodings_of_western_texts_are_read(read, encoding):
    (read.folder / "good.txt").write_text(poems(300))
    (read.folder / "other.txt").write_bytes(
        "It\u2019s a d\u00e9j\u00e0 vu \u2013 \u201cquoted\u201d\n".encode(encoding)
    )
    found = read()
    assert not found.skipped
    assert '"detouq" - uv \u00e0j\u00e9d a' in "".join(documents(found))
    number = {"windows-1252": 6}.get(encoding, 0)
    assert found.cleaned.repaired["character of Windows-1252"] == number


def test_what_is_cleaned_is_counted_and_can_be_left(read, tmp_path, monkeypatch):
    (read.folder / "good.txt").write_text(poems(300))
    (read.folder / "a.lrc").write_text("[ti:Salt]\n[00:01.00]The wind came in\n[00:02.50]\n[00:03.00]And so it goes")
    (read.folder / "b.csv").write_text('title,lyrics\nSand,"The wind &amp; the rain[00:07.00]"\nSea,The sea is wide\n')
    found = read()
    assert str(found.cleaned) == "removed from 2 texts: 4 time stamps, 1 LRC header; repaired: 1 HTML entity"
    assert not set("[]:;") & set("".join(documents(found)))
    as_it_is = read(clean=False)
    assert not str(as_it_is.cleaned)
    assert "[00:03.00]" in "".join(line[::-1] for text in documents(as_it_is) for line in text.split("\n"))
    monkeypatch.setattr(corpus, "LARGE", 1000)
    assert str(read().cleaned) == str(read().cleaned) == str(found.cleaned), "the tokens' folder remembers it"


def test_a_file_out_of_reach_is_skipped(read):
    (read.folder / "good.txt").write_text(poems(300))
    (read.folder / "gone.txt").symlink_to(read.folder / "nowhere.txt")
    assert [path.name for path in text_files(str(read.folder))] == ["good.txt"]
    (read.folder / "gone.txt").unlink()
    (read.folder / "folder.txt").mkdir()
    assert text_size(settings(read.folder)) == (1, (read.folder / "good.txt").stat().st_size)


def test_an_unusable_file_alone_is_named(complaint, read):
    (read.folder / "a.txt").write_bytes("déjà vu\n".encode("utf-16-le") * 50)
    assert complaint(name="a.txt").endswith("no usable text: a.txt: UTF-16, not UTF-8; save it again as UTF-8.")


def test_too_little_text_is_refused_with_the_amount_needed(complaint, read):
    (read.folder / "two.txt").write_text("The sun came up. The moon went down.\n")
    for kind in ("song", "essay", "book"):
        said = complaint(kind)
        assert "characters in 1 different texts" in said
        assert "at least 5,000 in 3 (500 with lyrics.init" in said


def test_missing_and_empty_places_are_named(complaint):
    assert "does not exist" in complaint(name="nowhere")
    assert "holds no .txt, .md, .lrc, .srt, .vtt or .csv file" in complaint()


def test_fine_tuning_takes_little_text_and_adds_its_characters(complaint, read):
    (read.folder / "a.txt").write_text(paragraphs(3) + " \u00df")
    assert "at least 5,000" in complaint("book")
    known = Characters("\ufffdxyz")
    found = read("book", known=known).texts.vocabulary
    assert found.symbols.startswith("\ufffdxyz") and len(found) > 10
    assert "lyrics.model.tokens=characters" in complaint("book", known=known, tokens="subwords")


def test_large_texts_lie_in_files_and_are_used_again(read, tmp_path, monkeypatch):
    monkeypatch.setattr(corpus, "LARGE", 1000)
    for number in range(30):
        (read.folder / f"{number}.txt").write_text(f"# Song {number}\n" + poems(20, number))
    for changes in ({"kind": "song"}, {"kind": "essay", "vocabulary_size": 300}, {"kind": "book"}):
        found = read(**changes)
        assert isinstance(found.texts.training.tokens, np.memmap)
        with monkeypatch.context() as unread:
            unread.setattr(corpus, "_read_files", None)
            again = read(**changes)
        assert (found.titles, found.skipped, found.num_characters) == (
            again.titles,
            again.skipped,
            again.num_characters,
        )
        assert found.texts.digest == again.texts.digest
        with monkeypatch.context() as small:
            small.setattr(corpus, "LARGE", 10**9)
            assert read(**changes).texts.digest == found.texts.digest
    (read.folder / "1.txt").write_text(poems(30))
    assert read("book").texts.digest != found.texts.digest
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["texts"], "nothing half is left"


def test_an_interrupted_reading_leaves_nothing_half(read, tmp_path, monkeypatch):
    monkeypatch.setattr(corpus, "LARGE", 1000)
    (read.folder / "a.txt").write_text(poems(300))
    before = read().texts.digest

    def interrupted(*arguments):
        raise KeyboardInterrupt

    (read.folder / "a.txt").write_text(poems(400))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Characters, "encode", interrupted)
        read()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["texts"]
    (read.folder / "a.txt").write_text(poems(300))
    assert read().texts.digest == before


def test_fingerprint_follows_what_is_in_the_files(read):
    (read.folder / "a.txt").write_text("one")
    (read.folder / "b.csv").write_text("two")
    before = files_fingerprint(settings(read.folder))
    (read.folder / "a.txt").rename(read.folder / "aa.md")
    assert files_fingerprint(settings(read.folder)) == before
    (read.folder / "b.csv").write_text("three")
    assert files_fingerprint(settings(read.folder)) != before


@pytest.mark.slow
def test_memory_stays_bounded_for_a_huge_line(tmp_path):
    draws = random.Random(1)
    (tmp_path / "huge.txt").write_text(" ".join(" ".join(draws.choices(words(5000), k=100_000)) for _ in range(8)))
    program = (
        "import resource, sys\nfrom pathlib import Path\nfrom pipeline.lyrics.corpus import disk_buffer\n"
        "from tests.lyrics.corpus.test_corpus import *\n"
        "corpus.LARGE = disk_buffer.IN_MEMORY = 1_000_000\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "for kind in ('song', 'essay', 'book'):\n"
        "    read_texts(settings(sys.argv[1], kind, tokens='characters'), Path(sys.argv[2]))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "huge.txt"), str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) < 40_000, "kilobytes, for nine megabytes of text read three times"
