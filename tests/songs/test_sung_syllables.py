"""Words on notes are sung on the highest line, and change nothing but the notes that they divide."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pytest

from gan.spec import RollSpec, Track
from pipeline.errors import UserError
from pipeline.files import write_json
from pipeline.lyrics.alignment.alignment import fit_words
from pipeline.scores.notes import notes_from_roll
from pipeline.songs.song import Section, Song
from pipeline.songs.sung_syllables import check_fits, check_singer, melody_of, read_alignment, with_words
from tests.song_makers import song_of

VOICES = RollSpec((Track("Drums", True), Track("Voice"), Track("Second")))
FORM = (Section("verse", "verse", 0, 2), Section("chorus 1", "chorus", 2, 2), Section("chorus 2", "chorus", 4, 2))
WORDS = {0: ["Over the river tonight"], 1: ["Come home"], 2: ["Come home"]}
TUNE = [(1, 60 + step % 7, step, 4) for step in range(0, 96, 4) if step % 32 != 28]


def made(notes: Sequence[tuple[int, int, int, int]], **more: object) -> Song:
    return song_of(notes, VOICES, bars=6, sections=FORM, **more)


def test_the_melody_is_the_highest_line() -> None:
    song = made([(1, 60, 0, 8), (1, 67, 0, 4), (1, 64, 2, 4), (1, 72, 8, 8), (1, 74, 12, 4)])
    line = [(pitch, onset, length) for _, pitch, onset, length in melody_of(song.notes, 1).tolist()]
    assert line == [(67, 0, 4), (72, 8, 4), (74, 12, 4)]


def test_an_alignment_is_read_back_and_must_fit_its_song(tmp_path: Path) -> None:
    song = made(TUNE)
    found = fit_words(song, WORDS, "Voice", english=True)
    write_json(tmp_path / "alignment.json", {"songs": [asdict(found)]})
    words = read_alignment(tmp_path / "alignment.json")[1]
    assert (words.sections, words.syllables) == (found.sections, found.syllables)
    check_fits(song, words.syllables)
    with pytest.raises(UserError, match="other music"):
        check_fits(made([(1, 40, 0, 4)]), words.syllables)
    assert read_alignment(tmp_path / "none.json") == {}
    (tmp_path / "alignment.json").write_text(json.dumps({"songs": [{"number": 1}]}))
    with pytest.raises(UserError, match=r"alignment\.json"):
        read_alignment(tmp_path / "alignment.json")


def test_only_tracks_with_pitches_sing() -> None:
    check_singer(VOICES, "Second")
    for name in ("Drums", "Choir"):
        with pytest.raises(UserError, match=r"lyrics\.track must be one of Voice, Second"):
            check_singer(VOICES, name)


def test_words_change_nothing_but_divided_notes() -> None:
    song = made(TUNE, humanized=0.8)
    found = fit_words(song, {0: ["Over the river"]}, "Voice", english=True).syllables
    sung = with_words(song, [one for one in found if not one.split])
    assert (sung.notes == song.notes).all() and (sung.timing_ticks == song.timing_ticks).all()
    assert len(notes_from_roll(sung.planes, VOICES.lowest_pitch)) == len(song.notes)
