"""The lyrics stage: a lyric a song, a model that is kept, continued or protected."""

import json
import shutil
import signal

import pytest
import torch

from pipeline.errors import UserError
from pipeline.lyrics.corpus.text_files import OWN_LYRICS
from pipeline.lyrics.editor.session import Session, SessionLine, SessionSong
from pipeline.lyrics.editor.terminal import SESSION
from pipeline.songs.sung_syllables import check_fits, read_alignment
from pipeline.stages import lyrics
from tests.song_makers import configured, song_of
from tests.stage_runner import run_stage

SMALL = (
    "name=album",
    "lyrics.path=songs",
    "lyrics.init=null",
    "lyrics.model.hidden_size=16",
    "lyrics.model.steps=10",
    "lyrics.candidates=6",
    "lyrics.count=1",
    "lyrics.syllables=[5]",
    "threads=1",
)


@pytest.fixture
def build(tmp_path):
    """Build the stage on twenty songs as the command line would; the folder with its files comes back."""
    (tmp_path / "songs").mkdir()
    for path in sorted(OWN_LYRICS.iterdir())[:20]:
        shutil.copy(path, tmp_path / "songs")

    def run(*overrides):
        run_stage(tmp_path, "lyrics", *SMALL, *overrides)
        return tmp_path / "outputs/album/lyrics"

    return run


def written(place):
    return json.loads((place / "lyrics.json").read_text())


def test_a_lyric_for_every_generated_song(build, tmp_path):
    folder = tmp_path / "outputs/album/generate/album/songs"
    for number in (1, 2, 3):
        song_of(number=number).save(folder / f"{number:02d}.npz")
    place = build("lyrics.syllables=null")
    found = written(place)
    set_to_music = read_alignment(place / "alignment.json")
    for number, song in enumerate(found["songs"], 1):
        words = set_to_music[number]
        check_fits(song_of(number=number), words.syllables)
        said = " ".join(line for section in song["sections"] for line in section["lines"])
        sung = "".join(one.text + " " * one.ends_word for one in words.syllables).strip()
        assert sung in said, "words that are too many for a bar are read, not sung"
    assert found["model"]["alignment"]["syllables"] == sum(len(one.syllables) for one in set_to_music.values()) > 0
    with pytest.raises(UserError, match=r"lyrics\.track must be one of Piano, Bass"):
        build("lyrics.syllables=null", "lyrics.track=Harp")
    assert [song["number"] for song in found["songs"]] == [1, 2, 3]
    assert len({song["title"] for song in found["songs"]}) == 3


def test_writing_anew_keeps_the_model_and_more_steps_continue_it(build, capsys):
    place = build("lyrics.count=2")
    first, model = written(place), (place / "model.pt").read_bytes()
    assert len(first["songs"]) == 2
    assert {"bits_per_character", "trigram_bits", "xz_bits"} <= first["model"].keys()
    assert first["songs"][1]["title"] in (place / "lyrics.txt").read_text()
    build("lyrics.count=2")
    assert "up to date" in capsys.readouterr().out
    build("lyrics.seed=5")
    assert (place / "model.pt").read_bytes() == model
    assert written(place)["songs"] != first["songs"]
    build("lyrics.model.steps=30")
    steps = [json.loads(line)["step"] for line in (place / "metrics.jsonl").read_text().splitlines()]
    assert (steps[0], steps[-1]) == (10, 30)
    with pytest.raises(UserError, match=r"lyrics\.model\.num_layers=2, not 1.*force=true"):
        build("lyrics.model.steps=30", "lyrics.model.num_layers=1")


def test_an_unfinished_model_of_other_settings_or_texts_is_not_replaced(build, tmp_path):
    place = build()
    (place / "manifest.json").unlink()
    model = (place / "model.pt").read_bytes()
    with pytest.raises(UserError, match=r"lyrics\.model\.learning_rate"):
        build("lyrics.model.learning_rate=0.01")
    (tmp_path / "texts.txt").write_text("\n\n".join(f"The sea {'a' * n} goes\nand so it goes" for n in range(1, 120)))
    with pytest.raises(UserError, match="other texts"):
        build("lyrics.path=texts.txt")
    assert (place / "model.pt").read_bytes() == model


def test_a_damaged_model_is_named(build):
    place = build()
    (place / "manifest.json").unlink()
    (place / "model.pt").write_bytes(b"no model")
    with pytest.raises(UserError, match=r"model\.pt is damaged"):
        build()


def test_stopping_saves_and_goes_on(build, monkeypatch):
    place = build("lyrics.model.steps=20")
    whole = torch.load(place / "model.pt", weights_only=True)
    shutil.rmtree(place)
    steps = lyrics.LanguageModelTrainer.train_step

    def stop_at_8(trainer):
        steps(trainer)
        if trainer.step == 8:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(lyrics.LanguageModelTrainer, "train_step", stop_at_8)
    with pytest.raises(KeyboardInterrupt):
        build("lyrics.model.steps=20")
    assert torch.load(place / "model.pt", weights_only=True)["step"] == 8
    assert not (place / "manifest.json").exists()
    build("lyrics.model.steps=20")
    resumed = torch.load(place / "model.pt", weights_only=True)
    assert all(torch.equal(weights, resumed["model"][name]) for name, weights in whole["model"].items())


@pytest.mark.parametrize("key", ["lyrics.model.hidden_size", "lyrics.temperature", "lyrics.candidates", "lyrics.top_p"])
def test_impossible_settings_are_named(key):
    with pytest.raises(UserError, match=key):
        lyrics.inputs(configured("+stage=lyrics", f"{key}=0"))


@pytest.mark.slow
def test_lines_that_a_person_took_stay_where_the_stage_writes_alone(build):
    place = build()
    mine = SessionLine("verse", 1, 2, "my own second line", "person", 5)
    Session(place / SESSION, songs={1: SessionSong(title="A Name of Mine", lines=[mine])}).save()
    build()
    (lyric,) = written(place)["songs"]
    verse = next(section for section in lyric["sections"] if section["name"] == "verse")
    assert lyric["title"] == "A Name of Mine"
    assert (verse["lines"][1], verse["authors"][:2]) == ("my own second line", ["model", "person"])
    before = (place / "lyrics.json").stat().st_mtime_ns
    build()
    assert (place / "lyrics.json").stat().st_mtime_ns == before, "up to date as long as nobody takes another"
