"""`+stage=evaluate` as a user runs it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from unittest.mock import patch

import pytest
from matplotlib.image import imread

from tests.conftest import SMALL, Program, made_once, write_band

FEW = (
    "evaluate.phrases=16",
    "evaluate.samples=16",
    "evaluate.resamples=10",
    "evaluate.requests=4",
    "evaluate.classifier=false",
)
TRAINING = ("name=sweep", "model.voices=2,3", "train.steps=4", "train.report_steps=4", "executor.workers=1")


@pytest.fixture(scope="module")
def evaluated(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep of two models and a folder of another program's music, evaluated and ranked; for reading only.

    What the program said lies in `said-NAME.txt`.
    """

    def make(folder: Path) -> None:
        write_band(folder / "music", 20, bars=8)
        write_band(folder / "theirs", 3, bars=4)
        (folder / "empty").mkdir()
        (folder / "bad").mkdir()
        for place in ("theirs", "bad"):
            (folder / place / "broken.mid").write_text("no music")
        small = [
            word
            for word in SMALL
            if not word.startswith(("name=", "generate.", "lyrics.", "train.steps=", "train.report_steps="))
        ]
        of_folder = ("data=folder", "data.path=music", "name=theirs", "evaluate.path=theirs")
        for name, words in {
            "jobs": ("-m", *small, *TRAINING),
            "sweep": ("name=sweep",),
            "folder": of_folder,
            "again": ("name=theirs",),
            "ranking": ("evaluate.runs=[theirs,sweep/1]",),
        }.items():
            with patch("pipeline.training.recorder.NUM_SCORED", 32):
                said = program(*words, "+stage=evaluate", *FEW, cwd=folder, check=True).stdout
            (folder / f"said-{name}.txt").write_text(said)

    return made_once(tmp_path_factory, "evaluated", make)


def report(folder: Path, run: str) -> dict[str, object]:
    values = json.loads((folder / "outputs" / run / "evaluate/report.json").read_text())
    assert isinstance(values, dict)
    return values


@pytest.mark.slow
def test_a_sweep_ends_in_a_ranking_to_look_at_and_hear(evaluated: Path) -> None:
    place = evaluated / "outputs/sweep/evaluate"
    ranking = json.loads((place / "ranking.json").read_text())
    assert sorted(run["name"] for run in ranking) == ["sweep/0", "sweep/1"]
    assert [run["rank"] for run in ranking] == [1, 2]
    qualities = [run["validation"]["value"] for run in ranking]
    assert qualities == sorted(qualities, reverse=True)
    assert {run["differences"]["model.voices"] for run in ranking} == {"2", "3"}
    assert all(list(run["differences"]) == ["model.voices"] for run in ranking)
    page = (place / "index.html").read_text()
    for run in ranking:
        assert run["name"] in page
        assert (place / run["sample"]).read_bytes()[:3] in (b"ID3", b"\xff\xfb\x90", b"\xff\xfb\x50"), "an MP3"
        for _, link in [("picture", run["picture"]), *run["links"]]:
            assert (place / link).exists(), link
    for picture in ("ranking.png", "learning.png"):
        assert imread(place / picture).std() > 0


@pytest.mark.slow
def test_a_checkpoint_is_evaluated_with_every_part_of_the_report(evaluated: Path) -> None:
    found = report(evaluated, "sweep/0")
    assert list(found) == [
        "format", "scored", "reference", "headline", "features", "figures", "published", "faults", "families",
        "frechet", "two_sample", "tells", "copying", "distinct", "notes", "accompaniment", "control",
        "whole_songs",
    ]  # fmt: skip
    assert found["published"] is None
    place = evaluated / "outputs/sweep/0/evaluate"
    assert isinstance(found["accompaniment"], dict)
    assert found["accompaniment"]["untouched"] == 1
    assert isinstance(found["control"], dict)
    text = (place / "report.md").read_text()
    assert text.startswith("# sweep/0\n")
    for name in ("distributions", "figures", "tells", "samples", "learning", "accompaniment", "density"):
        assert f"({name}.png)" in text
        assert imread(place / f"{name}.png").std() > 0, name


@pytest.mark.slow
def test_any_program_s_midi_is_evaluated_and_ranked_beside_a_checkpoint(evaluated: Path) -> None:
    assert "theirs has quality" in (evaluated / "said-folder.txt").read_text()
    scored = report(evaluated, "theirs")["scored"]
    assert isinstance(scored, dict)
    assert scored["files"] == 4
    assert scored["rejects"] == {"is plain text, not a MIDI file": 1}
    assert not (evaluated / "outputs/theirs/train").exists(), "nothing is trained for it"
    again = (evaluated / "said-again.txt").read_text()
    assert "evaluate: up to date" in again, "an evaluated folder is known by its name"
    ranked = (evaluated / "said-ranking.txt").read_text()
    assert "1. theirs" in ranked, "real music comes before four steps of training"
    assert (evaluated / "outputs/ranking/evaluate/index.html").exists()


@pytest.mark.slow
def test_what_cannot_be_evaluated_is_said_in_one_sentence(program: Program, evaluated: Path) -> None:
    base = ("data=folder", "data.path=music", "name=nobody", *FEW)
    for words, sentence in (
        ((*base, "evaluate.path=empty"), "evaluate.path=empty holds no music"),
        ((*base, "evaluate.path=bad"), "nothing in evaluate.path=bad can be scored: 1 is plain text, not a MIDI file"),
        (("evaluate.runs=[sweep/0,gone]",), "evaluate.runs names gone"),
        (("evaluate.runs=[sweep/0,theirs]", "name=sweep/0"), "give it a name= of its own"),
        (("name=sweep/0", "roll.steps_per_beat=12"), "was made with roll.steps_per_beat=4, not 12"),
    ):
        done = program("+stage=evaluate", *words, cwd=evaluated)
        assert done.returncode == 1
        assert sentence in done.stderr, done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_set_without_unseen_songs_is_named(program: Program, tmp_path: Path) -> None:
    write_band(tmp_path / "music", 2, bars=8)
    shutil.copytree(tmp_path / "music", tmp_path / "theirs")
    words = ("data=folder", "data.path=music", "name=few", "evaluate.path=theirs", *FEW)
    done = program("+stage=evaluate", *words, cwd=tmp_path)
    assert done.returncode == 1
    assert "songs in all): some 20 are needed" in done.stderr
