"""MusicXML of songs, as music21 reads it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import music21
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gan.spec import RollSpec, Track
from pipeline.rendering.musicxml import DRUM_LINES, PLAIN_LENGTHS, split_length, write_score
from pipeline.scores.chords.symbols import chord_of_row, read_progression
from pipeline.scores.reading.score_files import read_scores
from pipeline.songs.song import Song
from tests.song_makers import BAND, JIG, random_planes, song_of


def read_score(song: Song, folder: Path, title: str = "Salt") -> music21.stream.Score:
    write_score(folder / "song.musicxml", song, title)
    return music21.converter.parse(folder / "song.musicxml", format="musicxml", forceSource=True)


def played(part: music21.stream.Part) -> list[music21.note.GeneralNote]:
    """Its notes and chords, without chord symbols."""
    return [one for one in part.recurse().notes if not isinstance(one, music21.harmony.Harmony)]


def notes_of(part: music21.stream.Part, steps_per_beat: int) -> list[tuple[int, int, int]]:
    """(onset, pitch, length) in steps of all notes, tied ones as one."""
    rows: dict[tuple[int, Fraction], list[Fraction]] = {}
    for element in played(part):
        start = Fraction(element.getOffsetInHierarchy(part)).limit_denominator(48)
        length = Fraction(element.quarterLength).limit_denominator(48)
        for one in element.notes if isinstance(element, music21.chord.Chord) else [element]:
            tied = one.tie.type if one.tie else None
            first = rows.pop((one.pitch.midi, start), [start]) if tied in ("stop", "continue") else [start]
            rows[(one.pitch.midi, start + length)] = [*first, start + length] if tied != "broken" else first
    return sorted(
        (int(places[0] * steps_per_beat), pitch, int((end - places[0]) * steps_per_beat))
        for (pitch, end), places in rows.items()
    )


def expected(song: Song, track: int) -> list[tuple[int, int, int]]:
    mine = song.notes[song.notes["track"] == track]
    return sorted((int(note["onset"]), int(note["pitch"]), int(note["length"])) for note in mine)


def test_a_score_read_back_has_the_notes_of_the_roll(tmp_path: Path) -> None:
    song = song_of([*[(1, 60, 4 * step, 4) for step in range(4)], (1, 64, 6, 20), (1, 67, 6, 20), (2, 40, 3, 29)])
    score = read_score(song, tmp_path)
    assert [part.partName for part in score.parts] == ["Drums", "Piano", "Bass"]
    for track in (1, 2):
        assert notes_of(score.parts[track], 4) == expected(song, track)


@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), density=st.floats(0.02, 0.5), steps=st.sampled_from([2, 4, 12, 24]))
def test_any_roll_survives_the_score(tmp_path: Path, seed: int, density: float, steps: int) -> None:
    spec = RollSpec((Track("Piano"),), steps_per_beat=steps, num_pitches=5, lowest_pitch=60)
    planes = random_planes(spec, 2, density * 4 / steps, seed)
    planes[0, 0, 0, 0, 2] = True
    song = song_of(planes, spec)
    assert notes_of(read_score(song, tmp_path).parts[0], steps) == expected(song, 0)


def test_key_clefs_metre_tempo_title_and_sections_are_written(tmp_path: Path) -> None:
    score = read_score(song_of(key="Eb major", tempo_map=((0, 96.0),)), tmp_path, "Salt on the Window")
    assert score.metadata.bestTitle == "Salt on the Window" and score.metadata.composer == "AlbumGAN"
    piano, bass = score.parts[1], score.parts[2]
    assert piano.recurse().getElementsByClass("KeySignature")[0].sharps == -3
    assert isinstance(piano.recurse().getElementsByClass("Clef")[0], music21.clef.TrebleClef)
    assert isinstance(bass.recurse().getElementsByClass("Clef")[0], music21.clef.BassClef)
    assert isinstance(score.parts[0].recurse().getElementsByClass("Clef")[0], music21.clef.PercussionClef)
    assert piano.recurse().getElementsByClass("TimeSignature")[0].ratioString == "4/4"
    assert score.recurse().getElementsByClass("MetronomeMark")[0].number == 96
    marks = [mark.content for mark in score.recurse().getElementsByClass("RehearsalMark")]
    assert marks == ["verse", "chorus"]


def test_notes_are_spelt_as_the_key_asks_and_beamed(tmp_path: Path) -> None:
    notes = [(1, pitch, 2 * step, 2) for step, pitch in enumerate((61, 63, 66, 60, 59, 71))]
    for key, names in (("Db major", "D-4 E-4 G-4 C4 B3 B4"), ("C# minor", "C#4 D#4 F#4 C4 B3 B4")):
        piano = read_score(song_of(notes, key=key), tmp_path).parts[1]
        assert " ".join(one.nameWithOctave for one in played(piano)) == names
    assert [beam.type for beam in played(piano)[0].beams] == ["start"]
    piano = read_score(song_of([(1, 59, 0, 4), (1, 60, 4, 4)], key="F# major"), tmp_path).parts[1]
    assert [one.nameWithOctave for one in played(piano)] == ["B3", "C4"]


def test_drums_are_unpitched_strokes_on_lines_of_their_own(tmp_path: Path) -> None:
    drums = read_score(song_of(), tmp_path).parts[0]
    strokes = [
        (float(element.getOffsetInHierarchy(drums)) * 4, one.displayName)
        for element in played(drums)
        for one in (element.notes if hasattr(element, "notes") else [element])
    ]
    wanted = [(0, "Drums", int(note["pitch"]), int(note["onset"])) for note in song_of().notes if note["track"] == 0]
    assert sorted(strokes) == sorted((step, DRUM_LINES[pitch]) for _, _, pitch, step in wanted)


@pytest.mark.parametrize("steps_per_beat", [1, 2, 3, 4, 5, 12, 24])
def test_lengths_are_split_without_loss(steps_per_beat: int) -> None:
    spec = RollSpec(BAND.tracks, steps_per_beat=steps_per_beat)
    for start in range(steps_per_beat):
        for steps in range(1, 4 * steps_per_beat + 1):
            pieces = split_length(Fraction(steps, steps_per_beat), Fraction(start, steps_per_beat), spec)
            assert sum(pieces) == Fraction(steps, steps_per_beat)
            assert all(piece in PLAIN_LENGTHS or piece == Fraction(1, steps_per_beat) for piece in pieces)


@pytest.mark.parametrize("steps_per_beat", [3, 6, 9, 12])
def test_lengths_in_compound_metres_are_parts_of_a_beat_or_whole_beats(steps_per_beat: int) -> None:
    spec = RollSpec(BAND.tracks, beats_per_bar=4, steps_per_beat=steps_per_beat, is_compound=True)
    beat, step = Fraction(3, 2), Fraction(1, spec.steps_per_quarter)
    for start in range(spec.steps_per_bar):
        for steps in range(1, spec.steps_per_bar - start + 1):
            where, pieces = start * step, split_length(steps * step, start * step, spec)
            assert sum(pieces) == steps * step
            for piece in pieces:
                inside = where // beat == (where + piece - step) // beat
                assert inside or (where % beat == 0 and piece % beat == 0)
                where += piece
    assert split_length(Fraction(2), Fraction(0), spec) == (Fraction(3, 2), Fraction(1, 2))
    assert split_length(Fraction(3), Fraction(0), spec) == (Fraction(3),), "a dotted half note"


@pytest.mark.parametrize(("beats", "metre"), [(2, "6/8"), (3, "9/8"), (4, "12/8")])
def test_a_jig_is_read_back_in_its_metre_with_dotted_beats(tmp_path: Path, beats: int, metre: str) -> None:
    spec = replace(JIG, beats_per_bar=beats)
    planes = random_planes(spec, 3, 0.02, seed=beats)
    planes[0, 1:, 0, 0, 30] = True
    song = song_of(planes, spec, tempo_map=((0, 90.0),))
    score = read_score(song, tmp_path)
    assert {one.ratioString for one in score.recurse().getElementsByClass("TimeSignature")} == {metre}
    mark = score.recurse().getElementsByClass("MetronomeMark")[0]
    assert (mark.number, mark.referent.quarterLength, mark.getQuarterBPM()) == (60, 1.5, 90)
    for track in (1, 2):
        assert {bar.duration.quarterLength for bar in score.parts[track].getElementsByClass("Measure")} == {1.5 * beats}
        assert notes_of(score.parts[track], 4) == expected(song, track)


def test_eighths_of_a_jig_are_beamed_in_threes(tmp_path: Path) -> None:
    song = song_of([(1, 60 + n, 2 * n, 2) for n in range(12)], JIG)
    piano = read_score(song, tmp_path).parts[1]
    beams = [one.beams.getTypeByNumber(1) for one in played(piano)]
    assert beams == ["start", "continue", "stop"] * 4


def test_all_notes_of_a_long_song_are_read_back_by_our_own_reader(tmp_path: Path) -> None:
    song = song_of(np.tile(song_of().planes, (1, 1, 12, 1, 1)), BAND)
    write_score(tmp_path / "song.musicxml", song, "Long")
    score = read_scores(tmp_path / "song.musicxml", max_megabytes=10)[0]
    assert score.title == "Long" and [part.is_drum for part in score.parts] == [True, False, False]
    for track, part in enumerate(score.parts):
        onsets = np.sort(part.events["onset"] * song.spec.steps_per_beat)
        assert np.array_equal(onsets, np.sort(song.notes["onset"][song.notes["track"] == track]))


def test_chord_symbols_stand_above_the_first_part_with_pitches(tmp_path: Path) -> None:
    chords = read_progression("C Am | F/A N.C.")
    for song, half_bars in (
        (song_of(composed_chords=chords), 2.0),
        (song_of([(1, 60, 0, 12)], JIG, composed_chords=chords), 1.5),
    ):
        score = read_score(song, tmp_path)
        counts = [len(part.recurse().getElementsByClass("Harmony")) for part in score.parts]
        assert counts == [0, 4, 0]
        (read,) = read_scores(tmp_path / "song.musicxml", 1)
        assert read.chords == tuple((half_bars * index, chord_of_row(row)) for index, row in enumerate(chords))
