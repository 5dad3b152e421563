"""LRC files: what karaoke players show."""

from __future__ import annotations

from collections.abc import Sequence

from gan.spec import RollSpec, Track
from pipeline.lyrics.alignment.alignment import fit_words
from pipeline.rendering.lrc import lrc_text, stamp
from pipeline.songs.song import Section, Song
from pipeline.songs.sung_syllables import seconds_of
from tests.song_makers import song_of

VOICES = RollSpec((Track("Drums", True), Track("Voice"), Track("Second")))
FORM = (Section("verse", "verse", 0, 2), Section("chorus 1", "chorus", 2, 2), Section("chorus 2", "chorus", 4, 2))


def made(notes: Sequence[tuple[int, int, int, int]], **more: object) -> Song:
    return song_of(notes, VOICES, bars=6, sections=FORM, **more)


def test_lrc_clears_the_words_in_a_long_pause() -> None:
    song = made([(1, 60, 0, 4), (1, 62, 92, 4)])
    found = fit_words(song, {0: ["Oh"], 2: ["Home"]}, "Voice", english=True).syllables
    text = lrc_text(found, seconds_of(song, found), {"ti": "A", "al": ""}, 83.6, word_times=False)
    assert text == "[ti:A]\n[length:01:23]\n\n[00:00.00]Oh\n[00:00.50]\n[00:11.50]Home\n[00:12.00]\n"
    assert stamp(3599.999) == "60:00.00"
