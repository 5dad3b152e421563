"""Phrases between others and around one: the found phrase is near, and distance leads away from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from gan.conditions import KEY
from pipeline.config import Config
from pipeline.errors import UserError
from pipeline.songs.explore import inversion
from pipeline.songs.explore.explorer import Explorer
from pipeline.songs.song import Song
from pipeline.stages import generate
from tests.song_makers import configured, write_checkpoint, write_quartet

TINY = ("+stage=generate", "roll.steps_per_beat=2", "generate.songs=2", "generate.candidates=3", "generate.seed=5")
CHECKPOINT = Path("outputs/album/train/checkpoint.pt")


def tiny(*overrides: str) -> Config:
    return configured(*TINY, *overrides)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an untrained checkpoint of `satb` and two songs in four parts."""
    folder = tmp_path_factory.mktemp("exploring")
    write_checkpoint(folder / "outputs/album/train", tiny())
    write_quartet(folder / "a.mid")
    write_quartet(folder / "b.mid", bars=6, seed=20)
    return folder


@pytest.fixture(autouse=True)
def inside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(inversion, "NUM_ROUNDS", 5)


def explored(place: Path, *overrides: str) -> Song:
    config = tiny(*overrides)
    generate.inputs(config)
    assert "phrases" in generate.plan(config).text
    generate.run(config, place)
    song = Song.load(place / "songs/01.npz")
    picture = imread(place / "phrases.png")
    assert picture.shape[0] > 100 and np.ptp(picture[..., :3]) > 0.5, "notes on a ground"
    return song


def names(song: Song) -> list[str]:
    return [section.name for section in song.sections]


def test_the_way_between_two_seeds_begins_and_ends_with_them(tmp_path: Path) -> None:
    song = explored(tmp_path / "way", "generate.interpolate=4", "generate.towards=9")
    assert names(song) == ["step 1", "step 2", "step 3", "step 4"] and song.form == "from seed 5 to seed 9"
    other = explored(tmp_path / "back", "generate.interpolate=2", "generate.towards=5", "generate.seed=9")
    ends = [song.sections[0].latents["z"], song.sections[-1].latents["z"]]
    assert np.allclose(ends[0], other.sections[-1].latents["z"], atol=1e-5)
    assert np.allclose(ends[1], other.sections[0].latents["z"], atol=1e-5)


def test_the_way_between_two_phrases_shows_them_too(tmp_path: Path) -> None:
    song = explored(tmp_path, "generate.interpolate=3", "generate.like=a.mid", "generate.towards=b.mid")
    assert names(song) == ["a.mid", "step 1", "step 2", "step 3", "b.mid"]
    assert song.key == "B major" and song.tempo_bpm == pytest.approx(97, abs=0.01)


def test_variations_come_after_the_phrase_and_what_was_found(tmp_path: Path) -> None:
    song = explored(tmp_path, "generate.like=a.mid", "generate.distance=0.4", "generate.from_bar=2")
    assert names(song) == ["a.mid", "found", "variation 1", "variation 2"]
    found, varied = song.sections[1].latents, song.sections[2].latents
    assert not np.array_equal(found["z"], varied["z"])
    assert np.array_equal(found["conditions"][0, KEY], varied["conditions"][0, KEY], equal_nan=True)


def test_no_distance_is_the_phrase_that_was_found(tmp_path: Path) -> None:
    song = explored(tmp_path, "generate.like=a.mid", "generate.distance=0")
    bars = song.spec.bars
    found, varied = (song.planes[:, :, start * bars : (start + 1) * bars] for start in (1, 2))
    assert np.array_equal(found, varied)


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (("generate.like=none.mid",), r"like=none\.mid: there is no such file"),
        (("generate.like=a.mid", "generate.from_bar=9"), r"from_bar=9 is too late for a\.mid; 7 is the last"),
        (("generate.like=a.mid", "generate.distance=2"), r"generate\.distance must lie between 0 and 1"),
        (("generate.interpolate=1",), r"generate\.interpolate must lie between 2 and 64"),
        (("generate.towards=b.mid",), r"generate\.towards means nothing without generate\.interpolate"),
        (("generate.interpolate=2", "generate.towards=c.mid"), r"towards=c\.mid: there is no such file"),
        (("generate.like=tiny.mid",), r"has 2 bars, and a phrase has 4"),
    ],
)
def test_what_cannot_be_explored_is_said_in_one_sentence(
    tmp_path: Path, overrides: tuple[str, ...], sentence: str
) -> None:
    write_quartet(Path("tiny.mid"), bars=2)
    with pytest.raises(UserError, match=sentence):
        explored(tmp_path, *overrides)


def test_remarks_say_how_near_the_phrase_was_found() -> None:
    explorer = Explorer(tiny("generate.like=a.mid"), CHECKPOINT)
    explorer.explore()
    assert "bars 1 to 4 of a.mid" in explorer.remarks[0]
