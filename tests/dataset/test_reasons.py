import pytest

from pipeline.dataset.reasons import count_of_reason, count_reasons, none_usable, reason_of_each
from pipeline.dataset.store import Reject
from pipeline.formats import other_format


@pytest.mark.parametrize(
    ("kind", "one", "two"),
    [
        ("broken file", "1 broken file", "2 broken files"),
        ("duplicate", "1 duplicate", "2 duplicates"),
        ("MuseScore file", "1 MuseScore file", "2 MuseScore files"),
        ("is in 3/4; data.metre=3/4 takes such music", "1 is in 3/4; ", "2 are in 3/4; "),
        ("is a web page, not a MIDI file", "1 is a web page, not a MIDI file", "2 are web pages, not MIDI files"),
        ("has one sounding track", "1 has one", "2 have one sounding track"),
        ("no notes", "1 with no notes", "2 with no notes"),
        ("not there", "1 not there", "2 not there"),
        ("can't be read", "1 can't be read", "2 can't be read"),
        ("takes too long to read", "1 takes too long", "2 take too long"),
        ("the link gives a web page, not a file", "1 link gives a web page", "2 links give a web page"),
        ("the link's server says nothing for 30 s", "1 link whose server says", "2 links whose server says"),
        ("the row does not say where the file is", "1 row does not say", "2 rows do not say"),
        ("an archive inside an archive", "1 archive inside an archive", "2 archives inside an archive"),
        ("a YouTube page", "1 YouTube page", "2 YouTube pages"),
    ],
)
def test_numbers_agree_with_their_nouns(kind: str, one: str, two: str) -> None:
    assert count_of_reason(1, kind).startswith(one)
    assert count_of_reason(2, kind).startswith(two)


def test_a_reason_becomes_what_each_file_is_or_has() -> None:
    reasons = (
        "has one sounding track",
        "is in 3/4",
        "no notes",
        "broken file: it is empty",
        "too short: 3 bars",
        "PDF",
    )
    assert [reason_of_each(reason) for reason in reasons] == [
        *("has one sounding track", "is in 3/4", "has no notes", "is a broken file: it is empty"),
        *("is too short: 3 bars", "is a PDF"),
    ]


def test_the_most_frequent_reason_comes_first() -> None:
    assert count_reasons(["no notes", "broken file: a", "broken file: b"]) == "2 broken files; 1 with no notes"
    assert count_reasons(["no notes", "broken file: a", "broken file: b"], 1) == "2 broken files ..."


@pytest.mark.parametrize(
    ("reasons", "sentence"),
    [
        (["no notes"], "the one file of x can't be used: 0.mid has no notes"),
        (["has one sounding track"] * 3, "none of the 3 files of x can be used: each has one sounding track"),
        (
            ["too short: 2 bars", "too short: 3 bars"],
            "none of the 2 files of x can be used: each is too short (for example 0.mid: too short: 2 bars)",
        ),
        (
            ["no notes", "no notes", "broken file: it is empty"],
            "none of the 3 files of x can be used: 2 with no notes; 1 broken file (for example 0.mid: no notes)",
        ),
        (
            [other_format("a.mscz"), other_format("b.mscz"), other_format("c.gp5")],
            "none of the 3 files of x can be used: 2 MuseScore files (.mscz): export them as MusicXML or MIDI; "
            "1 Guitar Pro file (.gp5): export it as MusicXML or MIDI",
        ),
        (
            [other_format("a.mscz"), "no notes"],
            "none of the 2 files of x can be used: 1 with no notes (for example 1.mid: no notes); "
            "1 MuseScore file (.mscz): export it as MusicXML or MIDI",
        ),
    ],
)
def test_a_set_of_nothing_is_told_in_a_sentence(reasons: list[str], sentence: str) -> None:
    rejects = [Reject(f"{number}.mid", reason) for number, reason in enumerate(reasons)]
    assert none_usable("x", rejects, len(rejects)) == sentence


def test_tunes_of_one_file_are_counted_as_pieces() -> None:
    rejects = [Reject(f"a.abc#{number}", "no notes") for number in (1, 2)]
    assert none_usable("x", rejects, 1) == "none of the 2 pieces of music in 1 file of x can be used: each has no notes"
