import random
import time
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import UnusableError
from pipeline.scores.abc.reading import read_abc
from pipeline.scores.reading.score_files import read_scores
from pipeline.scores.score import Score
from pipeline.scores.tracks import assign
from pipeline.settings.data import TrackSettings, TracksSettings
from tests.music_makers import note_rows
from tests.scores.abc.makers import pitches, rows, tune

SATB = TracksSettings("satb", "register", [TrackSettings(name) for name in "SATB"], [])


def read(text: str) -> list[Score]:
    return read_abc(text.encode(), "untitled", 1000)


def test_each_tune_of_an_abc_file_is_a_score(tmp_path: Path) -> None:
    path = tmp_path / "a.abc"
    path.write_text(
        "X:1\nT:First\nM:4/4\nL:1/4\nK:C\nC D E F|G2 G2-|G4|]\n\nX:2\nT:Second\nM:3/4\nL:1/4\nK:C\nC D E|F3|]\n"
    )
    first, second = read_scores(path, 1)
    assert (first.title, second.title) == ("First", "Second")
    assert note_rows(first) == [(0, 1, 60), (1, 1, 62), (2, 1, 64), (3, 1, 65), (4, 2, 67), (6, 6, 67)]
    assert str(first.metres[0]) == "4/4" and str(second.metres[0]) == "3/4"


def test_the_header_of_a_file_holds_for_all_tunes() -> None:
    first, second = read(
        "%abc-2.1\nL:1/4\nM:3/4\nQ:1/4=90\n%%MIDI program 24\n\nX:1\nK:C\nC D E|\n\nX:2\nM:4/4\nL:1/8\nK:C\nC D\n"
    )
    assert [row[1] for row in rows(first)] == [1, 1, 1] and [row[1] for row in rows(second)] == [0.5, 0.5]
    assert [str(score.metres[0]) for score in (first, second)] == ["3/4", "4/4"]
    assert first.parts[0].program == second.parts[0].program == 24
    assert first.tempos == second.tempos == ((0, 90),)


VOICES = {
    "blocks": "V:1\nC4|D4|\nV:2\nE4|F4|\n",
    "bar by bar": "[V:1] C4|\n[V:2] E4|\n[V:1] D4|\n[V:2] F4|\n",
    "in one line": "[V:1]C4|[V:2]E4|[V:1]D4|[V:2]F4|",
    "with a comment": "%%score 1 | 2\nV:1 clef=treble % high\nC4|D4|% end\nV:2\nE4|F4|",
}


@pytest.mark.parametrize("layout", VOICES)
def test_voices_sound_together_however_they_are_laid_out(layout: str) -> None:
    score = tune(VOICES[layout])
    assert rows(score) == [(0, 4, 60), (4, 4, 62), (0, 4, 64), (4, 4, 65)]
    assert len(score.parts) == 2


@pytest.mark.parametrize(
    "music",
    [
        "V:1\n[EG]4|[FA]4|[GB]2z2|[Gc]4|\nV:2 clef=bass\n[C,C]4|[F,C]4|[G,D]2z2|[C,E]4|",
        "V:1\nG4 & E4|A4 & F4|B2z2 & G2z2|c4 & G4|\nV:2\nC4 & C,4|C4 & F,4|D2z2 & G,2z2|E4 & C,4|",
        "[C,CEG]4|[F,CFA]4|[G,DGB]2z2|[C,EGc]4|",
    ],
)
def test_a_closed_score_has_the_voices_of_its_chords_and_layers(music: str) -> None:
    parts = assign(tune(music), SATB)
    assert [part.events["pitch"].tolist() for part in sorted(parts, key=lambda part: part.track)] == [
        [67, 69, 71, 72],
        [64, 65, 67, 67],
        [60, 60, 62, 64],
        [48, 53, 55, 48],
    ]
    with pytest.raises(UnusableError, match="has 1 part"):
        assign(tune("CDEF|GABc|"), SATB)


def test_voices_keep_their_own_accidentals_ties_and_tuplets() -> None:
    score = tune("[V:1] ^F2 (3FFF-|\n[V:2] F4|\n[V:1] F4|\n[V:2] F4|", unit="1/4")
    assert pitches(score) == [66, 66, 66, 66, 65, 65]
    assert rows(score)[3][1] == pytest.approx(2 / 3 + 4, abs=1e-3)


def test_repeats_of_one_voice_hold_for_all() -> None:
    score = tune("V:1\n|:C4|D4:|\nV:2\nE4|F4|\n")
    assert pitches(score) == [60, 62, 60, 62, 64, 65, 64, 65]


def test_a_metre_between_systems_is_for_all_voices() -> None:
    score = tune("[V:1] C4|\n[V:2] E4|\nM:3/4\nK:G\n[V:1] F3|F3|\n[V:2] F3|")
    assert [str(metre) for metre in score.metres] == ["4/4", "3/4"]
    assert pitches(score) == [60, 66, 66, 64, 66]


@pytest.mark.parametrize(
    ("header", "music", "programs"),
    [
        ("", "V:1\n%%MIDI program 48\nC\nV:2\n%%MIDI program 33\nE", [48, 33]),
        ("V:1\n%%MIDI program 48\nV:2\n%%MIDI program 33\n", "[V:1]C\n[V:2]E", [48, 33]),
        ("%%MIDI program 1 48\n%%MIDI program 2 33\n", "V:1\nC\nV:2\nE", [48, 33]),
        ("%%MIDI program 73\n", "V:1\nC\nV:2\n[I:MIDI program 33]E", [73, 33]),
        ("", "%%MIDI program 40\nC\n%%MIDI program 73\nE", [40, 73]),
        ("", "I:MIDI program 2 40 % 3 violins\nC", [40]),
        ("", "[I:MIDI=program 40]C", [40]),
        ("", "%%MIDI voice instrument=41\nC", [40]),
        ('V:1 name="Violin" clef=treble\nV:2 nm="E-Bass" bass\n', "V:1\nC\nV:2\nE", [40, 33]),
        ("", "V:Flute\nC\nV:Cello clef=bass\nE", [73, 42]),
        ('V:1 name="Violin"\n%%MIDI program 0\n', "C", [0]),
        ("", "%%MIDI program 40\nV:T\nC\nV:B\nE", [40, 40]),
        ("", "%%MIDI program 1 40\n%%MIDI program 2 33\nV:T\nC\nV:B\nE", [40, 33]),
        ("V:T\nV:B\n", "%%MIDI program 1 40\n%%MIDI program 2 33\n[V:T]C\n[V:B]E", [40, 33]),
    ],
)
def test_programs_by_directive_else_by_the_voices_name(header: str, music: str, programs: list[int]) -> None:
    assert [part.program for part in tune(music, more=header).parts] == programs


def test_what_stands_before_the_first_voice_is_about_all() -> None:
    score = tune("K:G\nL:1/8\nQ:1/4=70\nV:T\nF2|\nV:B\nF4|", more="Q:1/4=60\n")
    assert rows(score) == [(0, 1, 66), (0, 2, 66)]
    assert score.tempos == ((0, 70),)
    assert tune("V:T\nF|", more="Q:1/4=60\n").tempos == ((0, 60),)


def test_a_unit_behind_a_voice_is_its_own() -> None:
    score = tune("V:1 treble\nL:1/8\nV:2 bass\nV:3 bass\nL:1/16\nV:1\nC8|\nV:2\nC4|\nV:3\nC16|")
    assert rows(score) == [(0, 4, 60)] * 3


def test_a_remark_says_that_names_told_the_instruments() -> None:
    assert tune("V:1 name=Violin\nC").remarks == ("its voices' names told their instruments",)
    assert tune("V:1 name=Violin\n%%MIDI program 40\nC").remarks == ()


@pytest.mark.parametrize(
    "clef", ["V:1 clef=perc", "V:1\n%%MIDI channel 10", "V:1 name=Drums", "V:1\n%%MIDI program 10 0"]
)
def test_percussion(clef: str) -> None:
    (part,) = tune(f"{clef}\nC,, D,, ^F,,").parts
    assert part.is_drum and part.events["pitch"].tolist() == [36, 38, 42]


def test_drum_maps_say_which_drum_a_note_is() -> None:
    score = tune("%%MIDI channel 10\n%%MIDI drummap F 36\n%%MIDI drummap c 38\n%%percmap ^g' 42 x\nF c ^g' A")
    assert pitches(score) == [36, 38, 42, 69]


def test_a_percussion_clef_alone_is_a_drum_staff() -> None:
    score = tune("V:1 clef=perc\nF c g a|")
    assert pitches(score) == [36, 38, 42, 49] and score.parts[0].is_drum
    assert score.remarks == ("drums were told by their places on the staff",)
    named = tune("%%percmap D pedal-hi-hat x\n%%percmap e acoustic-snare\nV:1 clef=perc\nD e|")
    assert pitches(named) == [44, 38] and not named.remarks


@pytest.mark.parametrize(
    ("music", "pitch"),
    [
        ("V:1 transpose=-2\nC", 58),
        ("V:1 octave=-1\nC", 48),
        ("V:1 clef=treble-8\nC", 48),
        ("V:1 clef=treble-8\n%%MIDI transpose -12\nC", 48),  # says the same again, for players that know no clef
        ("V:1 clef=bass\nC", 60),
        ("%%MIDI transpose 3\nC", 63),
        ("[K:C octave=1]C", 72),
    ],
)
def test_transposition(music: str, pitch: int) -> None:
    assert pitches(tune(music)) == [pitch]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])
def test_titles_in_any_encoding(encoding: str) -> None:
    (score,) = read_abc("X:1\nT:Été à Köln\nK:C\nC\n".encode(encoding), "x", 1000)
    assert score.title == "Été à Köln"


def test_titles_in_the_charset_that_is_named_or_in_several() -> None:
    (named,) = read_abc("%abc\nI:abc-charset iso-8859-2\n\nX:1\nT:Dvořák\nK:C\nC\n".encode("iso-8859-2"), "x", 1000)
    assert named.title == "Dvořák"
    mixed = "X:1\nT:Café\nK:C\nC\n".encode() + "\nX:2\nT:Köln\nK:C\nC\n".encode("cp1252")
    assert [score.title for score in read_abc(mixed, "x", 1000)] == ["Café", "Köln"]
    assert read_abc(b"%%abc-charset punycode\n\nX:1\nT:\xff\nK:C\nC\n", "x", 1000)[0].title == "ÿ"


@pytest.mark.parametrize(
    ("written", "title"),
    [
        (r"Caf\'e", "Café"),
        ("Caf&eacute;", "Café"),
        (r"Caf\u00e9", "Café"),
        (r"K\"oln", "Köln"),
        (r"\AEro \ss", "Æro ß"),
    ],
)
def test_titles_with_accents_by_their_codes(written: str, title: str) -> None:
    assert read(f"X:1\nT:{written}\nT:Second\nK:C\nC\n")[0].title == title


def test_text_between_tunes_is_no_music() -> None:
    first, second = read("A bag of cabbage.\n\nX:1\nK:C\nC\n\nA deaf baggage\n\nX:2\nK:C\nD\nW:Be a cad\n")
    assert (pitches(first), pitches(second)) == ([60], [62])
    (only,) = read("X:1\nK:C\nC\n%%begintext\nabc|\n%%endtext\nw: a b c\nN:a b c\nD|e:|\n")
    assert pitches(only) == [60, 62, 76, 60, 62, 76]


def test_music_behind_a_blank_line_belongs_to_the_tune_before_and_is_told() -> None:
    (score,) = read("X:1\nM:4/4\nL:1/4\nK:C\nC D E F|\n\nG A B c|\n")
    assert len(rows(score)) == 8
    assert score.remarks == ("music behind blank lines was taken for the same tune",)


def test_tunes_without_a_number_are_tunes() -> None:
    assert [score.title for score in read("T:One\nK:C\nC\n")] == ["One"]
    assert [score.title for score in read("X:1\nT:One\nK:C\nC\n\nT:Two\nK:G\nF\n")] == ["One", "Two"]


@pytest.mark.parametrize("ends", ["\r\n", "\r", "\n"])
def test_line_ends_of_any_system(ends: str) -> None:
    (score,) = read("X:1\nT:A\nK:C\nC D\\\nE F\n".replace("\n", ends))
    assert score.title == "A" and pitches(score) == [60, 62, 64, 65]


def test_a_tune_without_metre_is_in_that_of_its_bars() -> None:
    (score,) = read("X:1\nL:1/4\nK:C\nG|C D E|F G A|B c d|\n")
    assert [(str(metre), metre.start) for metre in score.metres] == [("3/4", 1)]
    assert score.remarks == ("it names no metre, the length of its bars told it: 3/4",)


def test_voices_whose_bars_do_not_agree_are_told() -> None:
    short = tune("V:1\nC4|D4|E4|F4|G4|A4|\nV:2\nC4|D4|E3|F4|G4|A4|")
    assert short.remarks == ("bars of its voices differ in length and were filled up with rests",)
    assert rows(short)[6:] == [(0, 4, 60), (4, 4, 62), (8, 3, 64), (12, 4, 65), (16, 4, 67), (20, 4, 69)]
    other = tune("V:1\nC4|D4|E4|F4|\nV:2\nC2|D2|E2|F2|")
    assert other.remarks == ("bars of its voices do not agree, each was read for itself",)
    assert [row[0] for row in rows(other)] == [0, 4, 8, 12, 0, 2, 4, 6]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Dear diary", "no ABC tune"),
        ("X:1\nT:Words only\nK:C\nw: la la\n", "no notes"),
        ("X:1\nK:C\nC99999\n", "a note of 99999 units"),
        ("X:1\nK:C\nC|Z99999|\n", "a rest of|a note of 99999 units"),
        ("X:1\nK:C\n/////}}}} 34563456 C ]]\n", "no music|is none"),
    ],
)
def test_damaged_tunes_are_explained(text: str, reason: str) -> None:
    with pytest.raises(UnusableError, match=reason):
        read(text)


def test_a_damaged_tune_costs_only_itself_and_is_told() -> None:
    (score,) = read("X:1\nK:C\nC99999\n\nX:2\nT:Whole\nM:4/4\nK:C\nC\n")
    assert score.title == "Whole"
    assert score.remarks[0].startswith("tunes of the file that can't be read were left out: 1 (broken file: a note of")


WHOLE = (
    "%abc-2.1\nL:1/8\n\nX:1\nT:Whole\nM:4/4\nQ:1/4=90\nP:AB\nV:1 name=Violin\nV:2 clef=bass\nK:Ador\nP:A\n"
    "[V:1] |:A>B (3cde ^f2 [ce]-[ce]|1 {g}A4 z4:|2 !fine!a8||\nP:B\n[V:1] e8|f4 Z|\n"
    '[V:2] |:A,8|1 "Am"A,4 & C4 E,4:|2 A,8||\n[V:2] E,8|F,8|\n\nX:2\nM:6/8\nK:G\nG|GAB cBA!D.C.!|\n'
)
SIGNS = '[V:2] |: :| || |1 [2 (3 (9:0:9 [K: " ! { } Z9 !D.C.! !D.S.! !coda! & >>>> 9999999 //////// ^^^ :::: [ ] [1-99'
LINES = "P:A M:0/0 L:1/0 K:H V: %%begintext X:2 Q:0=0 %%MIDI program 999 I: P:(AB)9 T:"
FRAGMENTS = [*SIGNS.split(), *(f"\n{line}\n" for line in LINES.split()), "\n\n", "\0", "\xff", "," * 12]


def test_damaged_files_never_crash_the_reader_nor_leave_its_range() -> None:
    rng = random.Random(0)
    whole, unexplained = WHOLE.encode(), 0
    for _ in range(1000):
        damaged = bytearray(whole)
        for _ in range(rng.randint(1, 8)):
            place = rng.randrange(len(damaged))
            if rng.random() < 0.5:
                damaged[place:place] = rng.choice(FRAGMENTS).encode("latin-1")
            elif rng.random() < 0.5:
                damaged[place] = rng.randrange(256)
            else:
                del damaged[place : place + rng.randint(1, 40)]
        try:
            scores = read_abc(bytes(damaged), "untitled", 1000, play_repeats=rng.random() < 0.8)
        except UnusableError as error:
            unexplained += not str(error)
            continue
        for score in scores:
            events = np.concatenate([part.events for part in score.parts])
            assert score.metres and len(events)
            assert (events["onset"] >= 0).all() and (events["duration"] > 0).all()
            assert ((events["pitch"] >= 0) & (events["pitch"] <= 127)).all()
    assert not unexplained


@pytest.mark.parametrize("sign", ["[", "|", '"', "!", "{", "(3", "[K:", ":", ">", "A", "[1", "\\", "&"])
def test_no_row_of_signs_takes_long(sign: str) -> None:
    begun = time.monotonic()
    try:
        read_abc(f"X:1\nM:4/4\nK:C\nC|{sign * (20_000 // len(sign))}\n".encode(), "untitled", 1000)
    except UnusableError as error:
        assert str(error)
    assert time.monotonic() - begun < 5


@pytest.mark.slow
def test_plain_tunes_are_read_as_music21_reads_them() -> None:
    from music21 import converter, corpus

    path = next(one for one in corpus.getCorePaths() if one.name == "boehme10.abc")
    tunes = ["X:" + text for text in path.read_text(encoding="utf-8").split("\nX:")[1:60]]
    for text in tunes:
        ours_text = text.replace("\nK:", "\nI:propagate-accidentals not\nK:", 1)  # as music21 does
        (ours,) = read_abc(ours_text.encode(), "untitled", 1000, play_repeats=False)
        theirs = converter.parseData(text, format="abc").stripTies().flatten().notes
        expected = sorted(
            (round(float(one.offset), 4), round(float(one.quarterLength), 4), one.pitch.midi) for one in theirs
        )
        assert rows(ours) == expected, text


def test_chord_symbols_are_read_and_return_with_repeats() -> None:
    score = tune('|:"Am"C D "F/C"E F|"^slowly"G2 "Dm7;D"G2:|')
    expected = [(0, "Am"), (2, "F/C"), (6, "Dm7")]
    expected += [(8 + start, chord) for start, chord in expected]
    assert [(start, str(chord)) for start, chord in score.chords] == expected
    assert str(tune('"C"C4', more="%%MIDI transpose 2\n").chords[0][1]) == "D"
