"""The generate stage with an untrained network: forms, returns, endings and repeatability do not need a good one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.config import Config
from pipeline.errors import UserError
from pipeline.scores.keys import read_key
from pipeline.scores.notes import notes_from_roll
from pipeline.songs.compose.ending import ending_score
from pipeline.songs.song import Song
from pipeline.stages import generate
from tests.song_makers import configured, write_checkpoint

TINY = ("+stage=generate", "generate.songs=2", "generate.candidates=4", "generate.seed=5")
TINY += ("generate.min_seconds=40", "generate.max_seconds=60")


def tiny(*overrides: str) -> Config:
    return configured(*TINY, *overrides)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an untrained checkpoint of `satb`."""
    folder = tmp_path_factory.mktemp("generate")
    write_checkpoint(folder / "outputs/album/train", tiny())
    return folder


@pytest.fixture(autouse=True)
def inside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def made(place: Path, *overrides: str) -> list[Song]:
    config = tiny(*overrides)
    generate.inputs(config)
    assert "song" in generate.plan(config).text
    outcome = generate.run(config, place)
    songs = songs_in(place)
    assert outcome.facts == {"songs": len(songs)} and len(outcome.notes["songs"]) == len(songs)
    return songs


def first_phrase(song: Song, index: int) -> np.ndarray:
    first = song.sections[index].first_bar
    return song.planes[:, :, first : first + song.spec.bars]


@pytest.fixture(scope="module")
def album(folder: Path) -> Path:
    """A folder with two songs, the settings untouched."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        made(folder / "album")
    return folder / "album"


def songs_in(album: Path) -> list[Song]:
    return [Song.load(path) for path in sorted((album / "songs").glob("*.npz"))]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_songs(album: Path, tmp_path: Path) -> None:
    made(tmp_path / "again")
    made(tmp_path / "other", "generate.seed=6", "generate.songs=1")
    for number in ("01", "02"):
        path = f"songs/{number}.npz"
        assert (album / path).read_bytes() == (tmp_path / "again" / path).read_bytes()
    assert (album / "songs/01.npz").read_bytes() != (tmp_path / "other/songs/01.npz").read_bytes()


def test_a_song_does_not_depend_on_how_many_are_made(album: Path, tmp_path: Path) -> None:
    made(tmp_path, "generate.songs=1")
    assert (album / "songs/01.npz").read_bytes() == (tmp_path / "songs/01.npz").read_bytes()


def test_songs_last_as_long_as_requested_and_take_forms_and_arrangements_in_turn(album: Path) -> None:
    songs = songs_in(album)
    config = tiny()
    assert all(40 <= song.seconds <= 60 for song in songs)
    assert [song.form for song in songs] == ["song", "hymn"]
    assert [song.arrangement for song in songs] == [one.name for one in config.tracks.arrangements[:2]]
    assert [song.programs for song in songs] == [tuple(one.programs) for one in config.tracks.arrangements[:2]]
    for song in songs:
        assert sum(section.num_bars for section in song.sections) == song.num_bars
        for section in song.sections:
            assert section.latents["z"].shape[0] == section.num_bars // song.spec.bars


def test_a_chorus_returns_as_it_was_and_a_verse_a_little_varied(tmp_path: Path) -> None:
    length = ("generate.min_seconds=70", "generate.max_seconds=90", "generate.tempo_bpm=150")
    for variation, place in ((0.3, tmp_path / "varied"), (0, tmp_path / "exact")):
        song = made(place, f"generate.variation={variation}", "generate.songs=1", "generate.form=song", *length)[0]
        chorus, chorus_again = [index for index, one in enumerate(song.sections) if one.role == "chorus"][:2]
        verse, verse_again = [index for index, one in enumerate(song.sections) if one.role == "verse"][:2]
        assert np.array_equal(first_phrase(song, chorus), first_phrase(song, chorus_again))
        same = np.array_equal(first_phrase(song, verse), first_phrase(song, verse_again))
        assert same == (variation == 0)
        latents, later = song.sections[verse].latents, song.sections[verse_again].latents
        assert np.array_equal(latents["z"], later["z"]) and np.array_equal(latents["z_track"], later["z_track"])
        anew = (first_phrase(song, verse) != first_phrase(song, verse_again)).any(axis=(0, 3, 4))  # [tracks, bars]
        assert anew.mean() <= 0.5, "most bars of most tracks stay"


def test_phrases_of_a_section_share_what_they_are_and_differ_in_how_they_move(album: Path) -> None:
    verse = next(one for one in songs_in(album)[0].sections if one.role == "verse").latents
    assert len(verse["z"]) == 2
    assert np.array_equal(verse["z"][0], verse["z"][1])
    assert not np.array_equal(verse["z_time"][0], verse["z_time"][1])


@pytest.mark.parametrize("key", ["G major", "E minor", "Db major"])
def test_songs_end_on_the_tonic_of_the_key_requested(tmp_path: Path, key: str) -> None:
    for song in made(tmp_path, f"generate.key={key}", "generate.tempo_bpm=150"):
        assert song.key == key
        last_bar = notes_from_roll(song.planes[:, :, -1:], song.spec.lowest_pitch)
        assert ending_score(last_bar, 1, song.spec, read_key(key)) == 1
        ends = song.notes["onset"] + song.notes["length"]
        assert (ends == song.num_steps).any(), "the last chord is held to the end"


def test_tempo_and_humanize_are_followed(tmp_path: Path) -> None:
    song = made(tmp_path, "generate.tempo_bpm=100", "generate.humanize=0", "generate.songs=1")[0]
    assert song.tempo_map == ((0, 100.0),)
    assert len(set(song.velocities.tolist())) == 1 and not song.timing_ticks.any()
    song = made(tmp_path, "generate.tempo_bpm=100", "generate.humanize=0.7", "generate.songs=1", "generate.swing=0.6")[
        0
    ]
    assert song.swing == 0.6
    assert len(set(song.velocities.tolist())) > 5 and song.timing_ticks.any() and len(song.tempo_map) > 1


@pytest.mark.parametrize("damage", ["half", "text", "foreign", "keys"])
def test_a_damaged_checkpoint_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    path = write_checkpoint(tmp_path / "outputs/album/train", tiny())
    monkeypatch.chdir(tmp_path)
    data = path.read_bytes()
    if damage == "half":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "text":
        path.write_text("no checkpoint")
    elif damage == "foreign":
        torch.save({"weights": torch.zeros(3)}, path)
    else:
        state = torch.load(path, weights_only=True)
        state["chosen"].pop("average")
        torch.save(state, path)
    with pytest.raises(UserError, match=r"checkpoint\.pt"):
        generate.run(tiny(), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_checkpoint_of_another_track_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"Melody.*|Soprano.*"):
        generate.run(tiny("tracks=melody3"), tmp_path)


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("generate.songs=0", "generate.songs"),
        ("generate.variation=2", "generate.variation"),
        ("generate.humanize=-1", "generate.humanize"),
        ("generate.swing=0.9", "generate.swing: swing must lie between 0.5 .straight. and 0.75, not 0.9"),
        ("generate.tempo_bpm=1", "generate.tempo_bpm"),
        ("generate.key=H", "generate.key"),
        ("generate.form=sonata", "generate.form"),
        ("generate.min_seconds=0", "generate.min_seconds must be more than 0"),
        ("generate.min_seconds=200", "generate.max_seconds=60 is less than generate.min_seconds=200"),
    ],
)
def test_settings_that_cannot_work_are_named(override: str, named: str) -> None:
    with pytest.raises(UserError, match=named):
        generate.inputs(tiny(override))


def test_music_in_its_original_keys_is_brought_to_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint of untransposed data: all phrases of a song end up in the song's key."""
    from pipeline.scores.keys import estimate_key, pitch_class_durations

    config = tiny("prepare.key=original", "generate.songs=1")
    write_checkpoint(tmp_path / "outputs/album/train", config)
    monkeypatch.chdir(tmp_path)
    song = made(tmp_path / "out", "prepare.key=original", "generate.songs=1")[0]
    song_key = estimate_key(pitch_class_durations(song.notes, song.spec))
    assert song_key is not None
    named = read_key(song.key)
    assert song_key.shift_to_common % 12 == named.shift_to_common % 12
