"""Who wrote what: bars of tracks by their origins, lines by their authors, files, rerolls and requests."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.pages.gallery.authorship import (
    BOTH,
    FILE,
    MACHINE,
    PERSON,
    Shares,
    authorship_of,
    lines_in,
    origins_in,
)
from pipeline.songs.provenance import Origin
from tests.pages.gallery.outputs import write_album
from tests.song_makers import song_of


def test_a_song_without_origins_is_the_machines(tmp_path: Path) -> None:
    song_of().save(tmp_path / "01.npz")
    assert origins_in(tmp_path / "01.npz") == {MACHINE: 3 * 2}, "three tracks of two bars"


def test_bars_are_counted_by_their_origin(tmp_path: Path) -> None:
    made, drawn, given = Origin.MADE, Origin.DRAWN, Origin.GIVEN
    song_of(origins=np.array([[made, made], [drawn, made], [given, given]], np.uint8)).save(tmp_path / "01.npz")
    assert origins_in(tmp_path / "01.npz") == {MACHINE: 3, PERSON: 1, FILE: 2}


def test_a_damaged_song_counts_for_nobody(tmp_path: Path) -> None:
    song_of().save(tmp_path / "01.npz")
    whole = (tmp_path / "01.npz").read_bytes()
    for content in (b"", b"PK", whole[:200], whole[:-30], whole[:300] + bytes(40) + whole[340:]):
        (tmp_path / "02.npz").write_bytes(content)
        assert not origins_in(tmp_path / "02.npz")
    assert not origins_in(tmp_path / "03.npz")


def test_lines_are_counted_once_and_by_author(tmp_path: Path) -> None:
    write_album(tmp_path)
    assert lines_in(tmp_path / "lyrics/lyrics.json") == {MACHINE: 1, PERSON: 1, BOTH: 1}
    (tmp_path / "lyrics/lyrics.json").write_text('{"songs": [{"sections": 3}]}', encoding="utf-8")
    assert not lines_in(tmp_path / "lyrics/lyrics.json")


def test_what_a_person_gave_sent_back_and_asked_for_is_told(tmp_path: Path) -> None:
    write_album(tmp_path)
    settings = {
        "generate.rerolls": ["3", "1.chorus"],
        "generate.given": "/home/me/tune.mid",
        "generate.flip": ["a/one.ogg", "two.ogg"],
        "generate.towards": "7",
        "generate.chords": "Am F",
        "generate.key": None,
    }
    found = authorship_of(tmp_path, settings)
    assert found.machine == ["6 bars of the tracks of 1 song", "1 line of words"]
    assert found.person == [
        "1 line written by hand",
        "1 line of the machine's changed by hand",
        "songs or sections sent back: 2",
        "given: tune.mid",
        "given: one.ogg",
        "given: two.ogg",
        "asked for: chords",
    ]
    music, words = found.shares
    assert (music.total, music.percent(MACHINE), music.percent(FILE)) == (6, 100, 0)
    assert words.percent(PERSON) == 100 / 3


def test_a_little_is_not_nothing_and_most_is_not_all() -> None:
    shares = Shares("bars", {MACHINE: 997, PERSON: 3})
    assert (shares.in_words(MACHINE), shares.in_words(PERSON)) == ("over 99 %", "under 1 %")
    assert (shares.in_words(FILE), Shares("bars", {MACHINE: 2}).in_words(MACHINE)) == ("0 %", "100 %")
