"""Notes, rests, accidentals, rhythm and repeats of ABC's music code."""

import pytest

from tests.scores.abc.makers import lengths, pitches, rows, tune


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        ("^F F A F|F", [66, 66, 69, 66, 65]),  # to the bar line
        ("^F f F, =F|F f F,", [66, 78, 54, 65, 65, 77, 53]),  # in all octaves, until another
        ("_B =B B ^^C|_C __D", [70, 71, 71, 62, 59, 60]),
        ("^F-|F F", [66, 65]),  # a tie carries it, to one note
        ("[^F^C] F C|F", [61, 66, 66, 61, 65]),
        ("{^f}F F", [65, 65]),  # grace notes are left out
        ("^F [|] F || F", [66, 65, 65]),
        ("C, C c c' c'' C,,", [48, 60, 72, 84, 96, 36]),
    ],
)
def test_an_accidental_lasts_to_the_bar_line(music: str, expected: list[int]) -> None:
    assert pitches(tune(music)) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("%%propagate-accidentals not\n", [66, 65, 77]),
        ("I:propagate-accidentals octave\n", [66, 66, 77]),
        ("%%propagate-accidentals pitch\n", [66, 66, 78]),
        ("%%MIDI nobarlines\n", [66, 65, 77]),
    ],
)
def test_accidentals_reach_as_far_as_the_tune_says(line: str, expected: list[int]) -> None:
    assert pitches(tune("^F F f", more=line)) == expected


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        ("C2 C/ C/2 C// C/4 C3/2 C3/", [2, 0.5, 0.5, 0.25, 0.25, 1.5, 1.5]),
        ("C>D E<F", [1.5, 0.5, 0.5, 1.5]),
        ("C>>D E<<<F", [1.75, 0.25, 0.125, 1.875]),
        ("C > D E2>F2", [1.5, 0.5, 3, 1]),
        ("C>{gag}D E{d}<F", [1.5, 0.5, 0.5, 1.5]),
        ('C>"Am"!trill!D (E>(F) G)', [1.5, 0.5, 1.5, 0.5, 1]),
        ("C>z [CE]>[DF] z>D", [1.5, 1.5, 1.5, 0.5, 0.5, 0.5]),
        ("C>D-|D2", [1.5, 2.5]),
        ("HC TD .E ~F vG uA", [1] * 6),
        ("!ff!C +trill+D !mordent!E", [1, 1, 1]),
        ("C`D``E y F y2 G", [1] * 5),
        ("C-D", [1, 1]),  # a slur
        ("C - C .-C", [3]),
    ],
)
def test_lengths_and_broken_rhythm(music: str, expected: list[float]) -> None:
    assert lengths(tune(music)) == expected


@pytest.mark.parametrize(
    ("metre", "music", "expected"),
    [
        ("4/4", "(3CDE F", [2 / 3] * 3 + [1]),
        ("4/4", "(2CD (4CDEF G", [1.5] * 2 + [0.75] * 4 + [1]),
        ("4/4", "(5CDEFG (6CDEFGA", [0.4] * 5 + [1 / 3] * 6),
        ("6/8", "(5CDEFG (7CDEFGAB", [0.6] * 5 + [3 / 7] * 7),
        ("9/8", "(9CDEFGABcd (8CDEFGABc", [3 / 9] * 9 + [3 / 8] * 8),
        ("4/4", "(3:2:2 C2D E", [4 / 3, 2 / 3, 1]),
        ("4/4", "(3::2 C2D E", [4 / 3, 2 / 3, 1]),
        ("4/4", "(3:4:6 CDECDE F", [4 / 3] * 6 + [1]),
        ("4/4", "(3:2:4 C/D/EF G", [1 / 3, 1 / 3, 2 / 3, 2 / 3, 1]),
        ("4/4", "((3CDE) ((3{c}EFG) A", [2 / 3] * 6 + [1]),
        ("4/4", "(3zCD [EG] F", [2 / 3] * 2 + [1] * 3),
        ("4/4", "(3[CE]DE F", [2 / 3] * 4 + [1]),
        ("4/4", "(3C>DE F", [1, 1 / 3, 2 / 3, 1]),
        ("4/4", "(3C2D(3DEF", [4 / 3, 2 / 3] + [2 / 3] * 3),
        ("4/4", "(3 CD\nE F", [2 / 3] * 3 + [1]),
        ("6/8", "(10:6:4C3/2D3/2E3F3 G", [0.9, 0.9, 1.8, 1.8, 1]),
        ("3/4", "(3:2:1C3 (1:2:2DE F", [2, 2, 2, 1]),
    ],
)
def test_tuplets_take_the_time_of_their_form(metre: str, music: str, expected: list[float]) -> None:
    assert lengths(tune(music, metre=metre)) == [round(one, 4) for one in expected]


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        ("[CEG]2 A", [(0, 2, 60), (0, 2, 64), (0, 2, 67), (2, 1, 69)]),
        ("[C2E4] A", [(0, 2, 60), (0, 4, 64), (2, 1, 69)]),  # as long as its first note
        ("[C2E2]/ A", [(0, 1, 60), (0, 1, 64), (1, 1, 69)]),
        ("[CC] A", [(0, 1, 60), (1, 1, 69)]),
        ("[CE]-[CE] [C-E][CF]", [(0, 2, 60), (0, 2, 64), (2, 1, 64), (2, 2, 60), (3, 1, 65)]),
        ('"C"[!1!C"x"E] +EG+ A', [(0, 1, 60), (0, 1, 64), (1, 1, 64), (1, 1, 67), (2, 1, 69)]),
        ("[CE\nG]2 A", [(0, 2, 60), (0, 2, 64), (0, 2, 67), (2, 1, 69)]),  # wrapped by a mail program
    ],
)
def test_chords(music: str, expected: list[tuple[float, float, int]]) -> None:
    assert rows(tune(music)) == expected


@pytest.mark.parametrize(
    ("music", "onsets"),
    [
        ("z C x D z2 E", [1, 3, 6]),
        ("Z|C4", [4]),
        ("C4|Z2|C4|X|C4", [0, 12, 20]),
        ("C D & z4 E |F", [0, 1, 4, 5]),
    ],
)
def test_rests_and_overlays(music: str, onsets: list[float]) -> None:
    assert [onset for onset, _, _ in rows(tune(music))] == onsets


LETTERS = dict(zip("CDEFGAB", (60, 62, 64, 65, 67, 69, 71), strict=True))


@pytest.mark.parametrize(
    ("music", "played"),
    [
        ("|:C4|D4:|E4|]", "CDCDE"),
        ("C4|D4:|E4:|", "CDCDEE"),
        ("C4|:D4::E4:|F4", "CDDEEF"),
        ("|:C4|1 D4:|2 E4|]F4", "CDCEF"),
        ("|: C4 | [1 D4 :| [2 E4 || F4 |", "CDCEF"),
        ("C4|\\\n1 D4 :|2 E4||", "CDCE"),
        ("|:C4|[1,3 D4:|[2 E4:|]F4", "CDCECDF"),
        ("|:C4|[1,2 D4:|[3 E4|]", "CDCDCE"),
        ("|:C4|[1-3 D4:|[4 E4||F4|", "CDCDCDCEF"),
        ("|::C4::|D4", "CCCD"),
        ("C4||D4|E4:|F4", "CDEDEF"),  # back to the double bar line
        ("|:C4||D4:|", "CDCD"),
        ("C4:|\n|:D4:|]", "CCDD"),
        ("C4|D4!D.C.!|", "CDCD"),
        ("C4!fine!|D4!D.C.!|", "CDC"),
        ("C4|!segno!D4|E4 !D.S.!|", "CDEDE"),
        ("C4|D2D2!coda!|E4!D.C.!|!coda!F4|", "CDDECDDF"),
        ("C4 [1 D4 :| [2 E4 |]", "CDCE"),
        ("|:C4:|2", "CC"),
    ],
)
def test_repeats_are_played_out(music: str, played: str) -> None:
    assert pitches(tune(music)) == [LETTERS[letter] for letter in played]


def test_repeats_stay_as_written_where_asked() -> None:
    assert lengths(tune("|:C4|1 D4:|2 E4|]", play_repeats=False)) == [4, 4, 4]


@pytest.mark.parametrize(
    ("order", "played"),
    [("ABA", "CDC"), ("A2B", "CCD"), ("(AB)2", "CDCD"), ("A.B.A", "CDC"), ("AC", "CD"), ("", "CD")],
)
def test_parts_come_in_the_order_of_the_header(order: str, played: str) -> None:
    score = tune("P:A\nC4|\nP:B\nD4|", more=f"P:{order}\n")
    assert pitches(score) == [LETTERS[letter] for letter in played]


def test_a_pickup_stands_before_the_first_bar() -> None:
    score = tune("G,|C2EG C2EG|C2EG C2E:|", metre="4/4", unit="1/8")
    assert score.metres[0].start == 0.5
    jig = tune("G|GAB cBA|GAB c2:|", metre="6/8", unit="1/8")
    assert [(str(metre), metre.start) for metre in jig.metres] == [("6/8", 0.5)]


def test_what_is_no_music_is_told_and_passed_over() -> None:
    score = tune("C D 9 } E F|")
    assert lengths(score) == [1, 1, 1, 1]
    assert score.remarks == ("characters that are no music were passed over: 2",)
    assert tune("C D E F|").remarks == ()


def test_dynamics_and_accents_are_how_loud_notes_are() -> None:
    """A dynamic holds for its voice until the next, an accent for one note or chord."""
    score = tune("C !p!D z !>![EG] F|!ff!A !accent!z !>!B")
    assert [row["velocity"] for part in score.parts for row in part.events] == [80, 60, 75, 75, 60, 120, 127]
