import pytest

from pipeline.scores.abc.fields import parse_clef, parse_key, parse_metre, parse_parts, parse_tempo
from tests.scores.abc.makers import pitches, rows, tune


@pytest.mark.parametrize(
    ("text", "sharps"),
    [
        *[("C", ""), ("G", "F"), ("D major", "FC"), ("Am", ""), ("Bm", "FC"), ("F#m", "FCG"), ("C#", "FCGDAEB")],
        *[
            ("Amix", "FC"),
            ("A Mixolydian", "FC"),
            ("EDor", "FC"),
            ("E phr", ""),
            ("Flyd", ""),
            ("B loc", ""),
            ("Gaeo", "be"),
        ],
        *[("Bb", "be"), ("Eb minor", "beadgc"), ("F", "b"), ("Gm", "be"), ("DMIN", "b"), ("CION", "")],
        *[
            ("HP", "FC"),
            ("Hp", "FC"),
            ("none", ""),
            ("", ""),
            ("D exp ^f", "F"),
            ("Dexp_b^f", "bF"),
            ("D Phr ^f", "beF"),
        ],
        *[("G =f", ""), ("F =b ^C", "C"), ("Ebminor=e^c", "badgC"), ("^f^c", "FC")],
        *[
            ("G clef=bass", "F"),
            ("C bass", ""),
            ("Bb treble-8 octave=-1", "be"),
            ("D middle=B,", "FC"),
            ("Am t=-2", ""),
        ],
    ],
)
def test_keys(text: str, sharps: str) -> None:
    key, _ = parse_key(text)
    assert key is not None
    altered = {letter: alteration for letter, alteration in key.items() if alteration}
    assert altered == {letter.upper(): 1 if letter.isupper() else -1 for letter in sharps}


def test_a_clef_changes_no_key() -> None:
    assert parse_key("clef=bass")[0] is None and parse_key("treble-8")[0] is None
    assert pitches(tune("F|[K:clef=bass]F|[K:C]F", key="G")) == [66, 66, 65]


@pytest.mark.parametrize(
    ("text", "metre"),
    [
        ("C", (4, 4)),
        ("C|", (2, 2)),
        ("6/8", (6, 8)),
        ("(2+2+3)/8", (7, 8)),
        ("2+3/4", (5, 4)),
        ("none", None),
        ("x", None),
    ],
)
def test_metres(text: str, metre: tuple[int, int] | None) -> None:
    assert parse_metre(text) == metre


@pytest.mark.parametrize(
    ("text", "bpm"),
    [
        ("1/4=120", 120),
        ("3/8=80", 120),
        ('"Allegro" 1/4=120', 120),
        ('1/2=60 "Slow"', 120),
        ("1/4 3/8 1/4 3/8=40", 200),
        ("C3=40", 60),
        ("180", 90),
        ("80", 80),  # not forty quarter notes
        ('"Allegro"', None),
        ("1/4=0", None),
    ],
)
def test_tempos_in_quarter_notes_a_minute(text: str, bpm: float | None) -> None:
    assert parse_tempo(text, unit=0.5) == bpm


@pytest.mark.parametrize(
    ("text", "name", "semitones", "clef_semitones", "is_drum"),
    [
        ('name="Violin I" clef=treble', "Violin I", None, 0, False),
        ('bass nm="Cello" snm="Vc."', "Cello", None, 0, False),
        ("clef=treble-8", "", None, -12, False),
        ("treble+8 octave=-1 transpose=-2", "", -14, 12, False),
        ("clef=perc stafflines=1", "", None, 0, True),
        ("stem=up", "", None, None, None),
    ],
)
def test_clefs_and_names_of_voices(
    text: str, name: str, semitones: int | None, clef_semitones: int | None, is_drum: bool | None
) -> None:
    clef = parse_clef(text)
    assert (clef.name, clef.semitones, clef.clef_semitones, clef.is_drum) == (name, semitones, clef_semitones, is_drum)


@pytest.mark.parametrize(
    ("text", "order"),
    [("ABA", "ABA"), ("A2(BC)3", "AABCBCBC"), ("A.B.A", "ABA"), ("((AB)2C)2", "ABABCABABC"), ("9", "")],
)
def test_orders_of_parts(text: str, order: str) -> None:
    assert parse_parts(text) == order


@pytest.mark.parametrize(
    ("metre", "unit"), [("2/4", 0.25), ("3/4", 0.5), ("6/8", 0.5), ("4/4", 0.5), ("none", 0.5), ("3/8", 0.25)]
)
def test_without_a_unit_the_metre_tells_how_long_notes_are(metre: str, unit: float) -> None:
    assert rows(tune("C", metre=metre, unit="x"))[0][1] == unit


def test_fields_within_the_music_hold_from_where_they_stand() -> None:
    score = tune("C D [L:1/8]E F|[M:3/4][K:G]F4 F2|[Q:1/4=60]F6|\nK:C\nL:1/4\nF3|", more="Q:1/4=120\n")
    assert rows(score)[-4:] == [(3, 2, 66), (5, 1, 66), (6, 3, 66), (9, 3, 65)]
    assert [(metre.start, str(metre)) for metre in score.metres] == [(3, "3/4")]
    assert score.tempos == ((0, 120), (6, 60))
