"""The song file: what is saved is what is loaded, and nothing else is taken for a song."""

from __future__ import annotations

import zipfile
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.scores.chords.symbols import print_progression, read_progression, unknown_chords
from pipeline.scores.structure.flipped_loops import FlippedLoop, LoopEvent
from pipeline.songs.provenance import Origin
from pipeline.songs.song import Section, Song, song_paths
from tests.origin_makers import with_origin
from tests.song_makers import song_of


def with_latents() -> Song:
    latents = {"z": np.ones((1, 4), np.float32), "z_track": np.full((1, 3, 4), 0.5, np.float32)}
    return song_of(humanized=1.0, sections=(Section("verse 1", "verse", 0, 2, 7, latents),))


def test_a_song_is_read_back_as_it_was(tmp_path: Path) -> None:
    song = with_latents()
    song.save(tmp_path / "01.npz")
    again = Song.load(tmp_path / "01.npz")
    for one in fields(Song):
        if one.name not in ("notes", "velocities", "timing_ticks", "sections", "composed_chords"):
            assert getattr(again, one.name) == getattr(song, one.name), one.name
    for name in ("notes", "planes", "velocities", "timing_ticks", "chords"):
        assert np.array_equal(getattr(again, name), getattr(song, name)), name
    assert [one.name for one in again.sections] == ["verse 1"]
    assert np.array_equal(again.sections[0].latents["z_track"], song.sections[0].latents["z_track"])


def test_the_same_song_gives_the_same_bytes(tmp_path: Path) -> None:
    with_latents().save(tmp_path / "a.npz")
    with_latents().save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize("damage", ["empty", "half", "text", "flipped", "foreign", "pickle", "zip", "folder"])
def test_a_damaged_song_is_named(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "07.npz"
    song_of().save(path)
    data = path.read_bytes()
    if damage == "empty":
        path.write_bytes(b"")
    elif damage == "half":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "text":
        path.write_text("la la la")
    elif damage == "flipped":
        middle = data.index(b"planes.npy") + 60
        path.write_bytes(data[:middle] + bytes(byte ^ 255 for byte in data[middle : middle + 40]) + data[middle + 40 :])
    elif damage == "foreign":
        np.savez(path, music=np.zeros(3))
    elif damage == "pickle":
        np.savez(path, header=np.array([{"format": 1}], dtype=object))
    elif damage == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("header.npy", "no array")
    else:
        path.unlink()
        path.mkdir()
    with pytest.raises(UserError, match=r"07\.npz"):
        Song.load(path)


def test_a_missing_song_and_a_folder_without_songs_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="missing"):
        Song.load(tmp_path / "01.npz")
    with pytest.raises(UserError, match="no songs"):
        song_paths(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"programs": (0, 0)},
        {"programs": (0, 0, 128)},
        {"velocities": np.zeros(3, np.uint8)},
        {"tempo_map": ((4, 120.0),)},
        {"tempo_map": ((0, 0.0),)},
        {"sections": (Section("verse", "verse", 0, 1),)},
        {"notes": song_of().notes[::-1]},
    ],
)
def test_attributes_that_contradict_each_other_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        song_of(**change)


def test_seconds_follow_the_tempo_map() -> None:
    song = song_of(tempo_map=((0, 120.0), (16, 60.0)))  # half a second a beat for a bar, then a second
    assert song.seconds_at([0, 8, 16, 20, 32]).tolist() == [0.0, 1.0, 2.0, 3.0, 6.0]
    assert song.seconds == 6.0
    assert replace(song, tempo_map=((0, 60.0),)).seconds == 8.0


def test_a_song_keeps_the_chords_it_was_made_for_and_recognises_the_others(tmp_path: Path) -> None:
    made_for = unknown_chords(4)
    made_for[2:] = read_progression("G7")
    song = song_of(composed_chords=made_for)
    assert print_progression(song.chords) == "C | G7"
    song.save(tmp_path / "01.npz")
    assert np.array_equal(Song.load(tmp_path / "01.npz").chords, song.chords)
    assert song.chord_changes() == [(0, "C"), (16, "G7")]
    with pytest.raises(ValueError, match="do not fit 2 bars"):
        song_of(composed_chords=made_for[:2])


def test_loops_of_records_are_kept_and_must_lie_within_the_song(tmp_path: Path) -> None:
    loop = FlippedLoop("old.mp3", 16, 2, 40.0, 45.0, 3, 1.07, False, 16, "01-loop-1.wav")
    song = song_of(loops=(loop,), loop_events=(LoopEvent(0, 16, 0), LoopEvent(16, 8, 0, 8, True, True)))
    song.save(tmp_path / "01.npz")
    read = Song.load(tmp_path / "01.npz")
    assert (read.loops, read.loop_events) == (song.loops, song.loop_events)
    with pytest.raises(ValueError, match="a loop plays"):
        song_of(loops=(loop,), loop_events=(LoopEvent(16, 17, 0),))
    with pytest.raises(ValueError, match="a loop plays"):
        song_of(loop_events=(LoopEvent(0, 16, 0),))


def test_origins_come_back_and_must_fit_the_song(tmp_path: Path) -> None:
    song = song_of()
    song.save(tmp_path / "plain.npz")
    assert Song.load(tmp_path / "plain.npz").origins is None
    assert not song.all_origins.any()
    origins = with_origin(song.all_origins, Origin.DRAWN, 2, slice(1, 2))
    drawn = song_of(origins=origins)
    drawn.save(tmp_path / "drawn.npz")
    read = Song.load(tmp_path / "drawn.npz").all_origins
    assert read.dtype == np.uint8 and read.tolist() == [[0, 0], [0, 0], [0, 1]]
    with pytest.raises(ValueError, match="do not fit 3 tracks and 2 bars"):
        song_of(origins=origins[:, :1])
    with pytest.raises(ValueError, match="neither made, drawn nor given"):
        song_of(origins=origins + 2)
