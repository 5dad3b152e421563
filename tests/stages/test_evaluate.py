"""`+stage=evaluate` as a user runs it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import SMALL, Program, write_band

FEW = ("evaluate.phrases=24", "evaluate.samples=30", "evaluate.resamples=10", "evaluate.requests=12")
QUICK = (*FEW, "evaluate.classifier=false")


@pytest.fixture(scope="module")
def evaluated(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep of two models and a folder of another program's music, all evaluated and ranked."""
    folder = tmp_path_factory.mktemp("evaluated")
    write_band(folder / "music", 30)
    write_band(folder / "theirs", 5, bars=4)
    small = [word for word in SMALL if not word.startswith(("name=", "generate.", "lyrics."))]
    program("-m", "+stage=evaluate", *small, "name=sweep", "model.voices=2,3", *FEW, cwd=folder, check=True)
    program("+stage=evaluate", "name=sweep", *FEW, cwd=folder, check=True)
    return folder


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
        assert run["sample"] is None or (place / run["sample"]).stat().st_size > 1000
        assert (place / run["picture"]).exists()
        for _, link in run["links"]:
            assert (place / link).exists(), link
    for picture in ("ranking.png", "learning.png"):
        assert (place / picture).stat().st_size > 1000


@pytest.mark.slow
def test_a_checkpoint_is_judged_with_every_part_of_the_report(evaluated: Path) -> None:
    found = report(evaluated, "sweep/0")
    assert list(found) == [
        "format", "scored", "reference", "headline", "features", "figures", "published", "faults", "families",
        "frechet", "two_sample_accuracy", "copying", "distinct", "notes", "accompaniment", "control",
    ]  # fmt: skip
    assert found["published"] is None
    place = evaluated / "outputs/sweep/0/evaluate"
    assert isinstance(found["accompaniment"], dict)
    assert found["accompaniment"]["untouched"] == 1
    assert isinstance(found["control"], dict)
    pictures = ("distributions", "figures", "samples", "learning", "accompaniment", "density")
    for name in ("report.md", *(f"{picture}.png" for picture in pictures)):
        assert (place / name).stat().st_size > 1000, name


@pytest.mark.slow
def test_any_program_s_midi_is_judged_and_ranked_beside_a_checkpoint(program: Program, evaluated: Path) -> None:
    (evaluated / "theirs/broken.mid").write_text("no music")
    words = ("data=folder", "data.path=music", "name=theirs", "evaluate.path=theirs", *QUICK)
    said = program("+stage=evaluate", *words, cwd=evaluated, check=True).stdout
    assert "theirs has quality" in said
    subject = report(evaluated, "theirs")["scored"]
    assert isinstance(subject, dict)
    assert subject["files"] == 6
    assert subject["rejects"] == {"broken file": 1}
    assert not (evaluated / "outputs/theirs/train").exists(), "nothing is trained for it"
    again = program("+stage=evaluate", "name=theirs", cwd=evaluated, check=True).stdout
    assert "evaluate: up to date" in again, "a evaluated folder is known by its name"
    said = program("+stage=evaluate", "evaluate.runs=[theirs,sweep/1]", *FEW, cwd=evaluated, check=True).stdout
    assert "1. theirs" in said, "real music comes before twelve steps of training"
    assert (evaluated / "outputs/ranking/evaluate/index.html").exists()


@pytest.mark.slow
def test_what_cant_be_judged_is_said_in_one_sentence(program: Program, evaluated: Path) -> None:
    (evaluated / "empty").mkdir(exist_ok=True)
    (evaluated / "bad").mkdir(exist_ok=True)
    (evaluated / "bad/broken.mid").write_text("no music")
    base = ("data=folder", "data.path=music", "name=nobody", *QUICK)
    for words, sentence in (
        ((*base, "evaluate.path=empty"), "evaluate.path=empty holds no music"),
        ((*base, "evaluate.path=bad"), "none of the 1 files of evaluate.path=bad can be scored: 1 broken file"),
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
    write_band(tmp_path / "music", 2)
    shutil.copytree(tmp_path / "music", tmp_path / "theirs")
    words = ("data=folder", "data.path=music", "name=few", "evaluate.path=theirs", *QUICK)
    done = program("+stage=evaluate", *words, cwd=tmp_path)
    assert done.returncode == 1
    assert "songs in all): some 20 songs are needed" in done.stderr
