"""Songs on loops of an old record, by an untrained network: what is done to the record does not need a good one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.config import Config
from pipeline.errors import UserError
from pipeline.scores.keys import read_key
from pipeline.songs.song import Song
from pipeline.stages import generate
from tests.song_makers import configured, write_checkpoint, write_quartet

TINY = ("+stage=generate", "data=originals", "tracks=pop", "generate.songs=1", "generate.candidates=2")
TINY += ("generate.min_seconds=30", "generate.max_seconds=60")


BPM = 97.0
"""Of the record."""


def tiny(*overrides: str) -> Config:
    return configured(*TINY, *overrides)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an untrained checkpoint of `pop`, and a record: a quartet in B major."""
    folder = tmp_path_factory.mktemp("flip")
    write_checkpoint(folder / "outputs/album/train", tiny())
    write_quartet(folder / "old.mid", bars=12)
    return folder


@pytest.fixture(autouse=True)
def inside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def flipped(place: Path, *overrides: str) -> Song:
    config = tiny("generate.flip=old.mid", "generate.loop='5-6'", *overrides)
    generate.inputs(config)
    generate.run(config, place)
    return Song.load(place / "songs" / "01.npz")


@pytest.fixture(scope="module")
def place(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a song lies that takes all from the record."""
    place = tmp_path_factory.mktemp("song")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        flipped(place)
    return place


def test_a_song_is_in_the_key_of_the_record_keeps_one_tempo_and_says_what_it_took(place: Path) -> None:
    song = Song.load(place / "songs" / "01.npz")
    (loop,) = song.loops
    assert (loop.record, loop.bars, loop.semitones) == ("old.mid", "5-6", 0)
    key = read_key(song.key)
    assert (key.tonic + 3 * key.is_minor) % 12 == 11, "B major, or its relative minor"
    assert len(song.tempo_map) == 1
    assert song.tempo_bpm == pytest.approx(loop.speed * BPM * loop.num_steps / 32, rel=0.01)
    assert song.loop_events


def test_the_loop_lies_beside_the_song_as_long_as_it_plays(place: Path) -> None:
    song = Song.load(place / "songs" / "01.npz")
    sound, rate = soundfile.read(place / "songs" / song.loops[0].sound)
    assert len(sound) == round(song.loops[0].num_steps * 15 / song.tempo_bpm * rate)
    assert np.abs(sound).max() > 0.01


def test_the_loops_of_the_record_are_there_to_choose_from(place: Path) -> None:
    assert (place / "loops" / "loops.png").is_file()
    assert (place / "loops" / "loops.json").is_file()


def test_the_same_request_makes_the_same_bytes(place: Path, tmp_path: Path) -> None:
    flipped(tmp_path)
    for name in ("01.npz", "01-loop-1.wav"):
        assert (tmp_path / "songs" / name).read_bytes() == (place / "songs" / name).read_bytes()


def test_a_key_of_the_other_mode_gets_its_relative_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    song = flipped(tmp_path, "generate.key='B minor'")
    assert song.key == "D major"
    assert "song 1 is in D major, with the accidentals of B minor" in capsys.readouterr().out


def test_a_key_and_a_tempo_that_are_asked_for_move_the_loop(tmp_path: Path) -> None:
    song = flipped(tmp_path, "generate.key='D major'", "generate.tempo_bpm=110")
    key = read_key(song.key)
    assert (key.tonic + 3 * key.is_minor) % 12 == 2
    assert song.loops[0].semitones == 3
    assert song.loops[0].speed == pytest.approx(110 / BPM, rel=0.01)


def test_named_forms_have_records_too(tmp_path: Path) -> None:
    song = flipped(tmp_path, "generate.form=song", "generate.flip_speed=turntable", "generate.max_seconds=120")
    assert song.form == "song"
    assert song.loops[0].is_turntable
    assert len({section.role for section in song.sections}) > 1


def test_a_record_that_is_not_there_is_told_before_anything_takes_long() -> None:
    with pytest.raises(UserError, match=r"generate\.flip=none\.mp3: there is no such file"):
        generate.inputs(tiny("generate.flip=none.mp3"))


def test_bars_that_the_record_does_not_have_are_told(tmp_path: Path) -> None:
    config = tiny("generate.flip=old.mid", "generate.loop='40-41'")
    with pytest.raises(UserError, match="has no bars 40-41"):
        generate.run(config, tmp_path)
