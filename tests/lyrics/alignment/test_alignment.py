"""Words on notes: every syllable has one, in order, and what is heard, read and shown agrees."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gan.spec import RollSpec, Track
from pipeline.lyrics.alignment.alignment import SectionGrid, alignment_metrics, fit_words, parts_of, place_syllables
from pipeline.lyrics.phonetics.syllables import syllables_of
from pipeline.rendering.lrc import lrc_text
from pipeline.rendering.midi import write_midi
from pipeline.rendering.musicxml import write_score
from pipeline.scores.notes import make_notes
from pipeline.songs.song import Section, Song
from pipeline.songs.sung_syllables import (
    SungSyllable,
    check_fits,
    lines_of,
    seconds_of,
    ticks_of,
    with_words,
)
from tests.song_makers import JIG, song_of
from tests.word_readers import lrc_words, midi_words, score_words, words_begun

VOICES = RollSpec((Track("Drums", True), Track("Voice"), Track("Second")))
FORM = (Section("verse", "verse", 0, 2), Section("chorus 1", "chorus", 2, 2), Section("chorus 2", "chorus", 4, 2))
WORDS = {0: ["Over the river tonight"], 1: ["Come home"], 2: ["Come home"]}
TUNE = [(1, 60 + step % 7, step, 4) for step in range(0, 96, 4) if step % 32 != 28]


def made(notes: Sequence[tuple[int, int, int, int]], **more: object) -> Song:
    return song_of(notes, VOICES, bars=6, sections=FORM, **more)


def texts(found: Sequence[SungSyllable]) -> list[str]:
    return [one.text for one in found]


lines = st.lists(
    st.sampled_from(["oh", "wonderful", "Café", "—", "24", "twenty-four", "rhythm,"]), min_size=1, max_size=9
)


@st.composite
def melodies(draw: st.DrawFn) -> list[tuple[int, int, int, int]]:
    notes, now = [], 0
    while True:
        now += draw(st.sampled_from([0, 0, 0, 1, 4, 20]))
        length = draw(st.integers(1, 20))
        if now + length > 96:
            return notes
        pitch = draw(st.integers(40, 90))
        notes.append((1, pitch, now, length))
        if draw(st.booleans()):
            notes.append((1, pitch - 3, now, max(1, length - 2)))
        now += length


@settings(max_examples=25, deadline=None)
@given(melodies(), st.dictionaries(st.integers(0, 2), st.lists(lines, min_size=1, max_size=3)), st.integers(0, 9))
def test_every_syllable_has_a_note_of_its_section_in_order(notes, words, seed) -> None:  # type: ignore[no-untyped-def]
    song = made([*notes, (2, 50, 40, 4)], humanized=1.0, seed=seed)
    said = {number: [" ".join(line) for line in section] for number, section in words.items()}
    found = fit_words(song, said, "Voice", english=True)
    sung = found.syllables
    unsung = {one.section for one in found.unsung}
    expected = [
        one.text
        for number in sorted(said)
        if number not in unsung
        for line in said[number]
        for one in syllables_of(line)
    ]
    assert texts(sung) == expected
    for one, after in pairwise(sung):
        assert one.onset + one.length <= after.onset
    check_fits(song, sung)
    for one in sung:
        section = song.sections[one.section]
        assert (
            16 * section.first_bar <= one.onset < one.onset + one.length <= 16 * (section.first_bar + section.num_bars)
        )
        assert (one.onset, one.pitch) == (one.notes[0][1], one.notes[0][0])
        assert all(first[1] + first[2] == second[1] for first, second in pairwise(one.notes)), "no rest inside"
        assert len(one.notes) == 1 or not one.split
    repeated = with_words(song, sung)
    begun = {(int(note["track"]), int(note["pitch"]), int(note["onset"])) for note in repeated.notes}
    assert {(song.spec.names.index(one.track), one.pitch, one.onset) for one in sung} <= begun
    assert len(repeated.notes) - len(song.notes) <= sum(one.split for one in sung)
    np.testing.assert_array_equal(repeated.planes.any(axis=0), song.planes.any(axis=0))
    bounds = ticks_of(repeated, sung)
    assert all(first[0] < first[1] <= second[0] for first, second in pairwise([*bounds, (10**9, 0)]))


def test_words_sit_as_singers_set_them() -> None:
    found = fit_words(made(TUNE), WORDS, "Voice", english=True)
    assert alignment_metrics([(made(TUNE), found)])["syllables"] == 11
    assert {one.track for one in found.syllables} == {"Voice"} and not found.unsung
    first, second, *_ = lines_of(found.syllables)
    assert [one.onset for one in first] == [0, 4, 8, 12, 16, 20, 24], "one syllable an onset, the last before the rest"
    assert [one.text for one in second] == ["Come", "home"] and second[-1].onset % 16 in (0, 8)


def test_the_chorus_falls_on_its_melody_the_same_way_each_time() -> None:
    ornament = [(1, 70, 70, 2), *((*note[:3], 2) if note[2] == 68 else note for note in TUNE)]
    for notes in (TUNE, ornament):
        found = fit_words(made(notes), WORDS, "Voice", english=True).syllables
        first, second = ([one.onset - 32 * part for one in found if one.section == part] for part in (1, 2))
        assert first == second


def test_too_few_notes_are_divided_and_rests_are_never_sung() -> None:
    song = made([(1, 60, 0, 16), (1, 62, 20, 8)], velocities=np.array([90, 70], np.uint8))
    found = fit_words(song, WORDS, "Voice", english=True).syllables
    assert len(found) == 7 and all(one.split for one in found)
    assert not any(16 <= one.onset < 20 or one.onset >= 28 for one in found)
    sung = with_words(song, found)
    assert len(sung.notes) == 7
    assert [int(one) for one in sung.velocities] == [90 if one.onset < 16 else 70 for one in found]


def test_a_silent_voice_leaves_the_words_to_another_track_or_unsung() -> None:
    song = made([note for note in TUNE if note[2] < 32] + [(2, 55, step, 4) for step in range(32, 64, 4)])
    found = fit_words(song, WORDS, "Voice", english=True)
    assert {(one.section, one.track) for one in found.syllables} == {(0, "Voice"), (1, "Second")}
    assert [one.section for one in found.unsung] == [2]
    assert fit_words(made([(0, 36, 0, 1)]), WORDS, None, english=True).syllables == ()


def test_spare_notes_make_melismas_or_stay_with_the_instrument() -> None:
    found = fit_words(made(TUNE), {0: ["Oh night"]}, "Voice", english=True).syllables
    assert len(found) == 2 and any(len(one.notes) > 1 for one in found)
    assert (
        len(
            place_syllables([syllables_of("one two")], make_notes(0, 60, [0, 4], [4, 4]), SectionGrid(VOICES, 0, 16))
            or []
        )
        == 2
    )
    assert (
        place_syllables([syllables_of("one two three")], make_notes(0, 60, [0], [2]), SectionGrid(VOICES, 0, 16))
        is None
    )


def test_the_strong_places_of_a_jig_are_its_two_dotted_beats() -> None:
    weights = SectionGrid(JIG, 0, 24).weight(np.arange(12)).tolist()
    assert weights == [1.0, 0, 0.25, 0, 0.25, 0, 0.8, 0, 0.25, 0, 0.25, 0]
    assert parts_of(0, 12, 2, JIG) == (0, 6)
    assert parts_of(0, 6, 2, JIG) == (0, 4), "long and short"
    assert parts_of(0, 6, 3, JIG) == (0, 2, 4), "a dotted quarter note falls into three eighths"


def test_notes_are_divided_at_beats() -> None:
    assert parts_of(0, 16, 2, VOICES) == (0, 8)
    assert parts_of(2, 6, 2, VOICES) == (2, 4)
    assert parts_of(0, 3, 3, VOICES) == (0, 1, 2)


@pytest.mark.parametrize("spec", [VOICES, RollSpec(VOICES.tracks, steps_per_beat=12, beats_per_bar=3)])
def test_midi_lrc_and_score_agree_to_a_step(tmp_path: Path, spec: RollSpec) -> None:
    beat, bar = spec.steps_per_beat, spec.steps_per_bar
    notes = [(1, 60 + at % 5, at * beat, beat) for at in range(6 * spec.beats_per_bar) if at % 7 != 6]
    notes += [(1, 55, at * beat, 2 * beat) for at in range(0, 12, 4)]  # chords and a second voice below
    song = song_of(notes, spec, bars=6, sections=FORM, humanized=1.0, seed=4)
    slower = ((0, 100.0), (2 * bar, 80.0), (5 * bar, 61.5))
    song = Song(**{**vars_of(song), "tempo_map": slower})
    words = {0: [*WORDS[0], "wonderful, she said"], 1: ["Sei gegrüßt — [tonight]", "twenty-four"], 2: ["oh"]}
    found = fit_words(song, words, "Voice", english=True).syllables
    sung = with_words(song, found)
    assert any(len(one.notes) > 1 for one in found) or any(one.split for one in found)
    write_midi(tmp_path / "a.mid", sung, "Title", found)
    write_score(tmp_path / "a.musicxml", sung, "Title", found)
    (tmp_path / "a.lrc").write_text(lrc_text(found, seconds_of(sung, found), {"ti": "T"}, sung.seconds, True), "utf-8")
    set_to = [(one.text, one.onset) for one in found]
    assert [(text, round(step)) for text, step in midi_words(tmp_path / "a.mid", sung)] == set_to
    in_brackets = [(text.replace("[", "(").replace("]", ")"), step) for text, step in words_begun(found)]
    assert [(text, round(step)) for text, step in lrc_words(tmp_path / "a.lrc", sung)] == in_brackets
    below = sorted(score_words(tmp_path / "a.musicxml", sung), key=lambda word: word[1])
    assert below == [(text.rstrip("-"), step) for text, step in set_to]
    text = (tmp_path / "a.musicxml").read_text(encoding="utf-8")
    assert text.count('<extend type="start"') == text.count('<extend type="stop"')
    assert text.count('<extend type="start"') == sum(len(one.notes) > 1 for one in found)


def vars_of(song: Song) -> dict[str, object]:
    return {name: getattr(song, name) for name in song.__dataclass_fields__}
