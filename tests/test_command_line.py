"""The program as a user meets it: the page of stages, misspelt keys, sweeps."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from pipeline.command_line.overrides import complaint, quoted
from pipeline.config import text_settings
from pipeline.stage_table import STAGES
from tests.conftest import ROOT, SMALL, Program, program_environment


def test_without_a_stage_it_prints_the_stages_without_loading_torch(tmp_path: Path) -> None:
    words = "import sys, pipeline.__main__ as program; program.main(); print('loaded', 'torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", words],
        cwd=tmp_path,
        env=program_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.endswith("loaded False\n")
    for stage in STAGES.values():
        assert stage.name in done.stdout
        assert stage.writes in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_program_ends_with_the_exit_code_of_its_failure(program_apart: Program, tmp_path: Path) -> None:
    done = program_apart("+stage=train", "train.stpes=3", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "Error: there is no setting train.stpes; did you mean train.steps?\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("+stage=train", "train.stpes=3"), "there is no setting train.stpes; did you mean train.steps?"),
        (("+stage=train", "nmae=x"), "there is no setting nmae; did you mean name?"),
        (("+stage=train", "+foo=1"), "foo"),
        (("+stage=trian",), "there is no stage=trian; did you mean train? conf/stage/ has"),
        (("+stage=train", "data=bund"), "there is no data=bund; conf/data/ has base, catalog, chorales"),
        (("+stage=train", "train.steps=many"), "train.steps: Value 'many'"),
        (("+stage=train", "data=chorales", "train.steps=0"), "train.steps must be at least 1, not 0"),
        (("+stage=train", "roll.bars=0"), "bars must be at least 1, not 0"),
        (("+stage=train", "train.lr=3"), "there is no setting train.lr; did you mean train.learning_rate?"),
        (
            ("+stage=train", "train.steps=1,2"),
            "train.steps=1,2 gives several values: give one of them, or put -m before",
        ),
        (("+stage=train", "train.steps=range(1,3)"), "train.steps=range(1,3) gives several values"),
        (("+stage=train", "train.lr=1,2"), "did you mean train.learning_rate?"),
        (("+stage=train", "train.bs=8"), "did you mean train.batch_size?"),
        (("+stage=lyrics", "lyrics.syllables=8,6"), "write the list as lyrics.syllables=[8,6], or put -m before"),
        (("+stage=train", "train.steps"), "train.steps says no value: write train.steps=VALUE, without blanks"),
        (("+stage=train", "force"), "force says no value: write force=true"),
        (("+stage=train", "train.steps", "=", "3"), "train.steps says no value"),
        (("+stage=train", "train.steps="), "train.steps= says no value"),
        (("+stage=train", "data="), "data= says no value: conf/data/ has"),
        (("+stage=train", "--force"), "settings have no dashes: write force=VALUE, not --force"),
        (("+stage=train", "~train.steps"), "~train.steps takes nothing away"),
        (("+stage=train", "train.steps='3"), "train.steps='3 can't be read: a quote or a bracket in it is not closed"),
        (("+stage=train", "train.steps=[3"), "train.steps=[3 can't be read"),
        (("+stage=train", "+stage=album"), "stage is given twice, train and album: run one after the other"),
        (("+stage=train,album",), "stage=train,album gives several stages"),
        (("+stage=train", "tracks=band,satb"), "tracks=band,satb gives several values"),
        (("+stage=train", "device=warp"), "device=warp"),
        (("+stage=prepare", "data=folder"), "data.path is not set"),
        (("+stage=prepare", "data=folder", "data.path="), "data.path= says no value"),
        (("+stage=lyrics", "lyrics.path="), "lyrics.path= says no value"),
        (("+stage=prepare", "data=folder", "data.path=nowhere"), "data.path"),
        (("+stage=prepare", "data=folder", "data.path=empty"), "data.path"),
        (("+stage=prepare", "data=folder", "data.path=words"), "words"),
        (("+stage=lyrics", "lyrics.path=nowhere"), "lyrics.path"),
        (("+stage=train", "name=../out"), "name=../out can't be a folder"),
        (("+stage=train", "name='out"), "can't be a folder"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_key(
    program: Program, tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "diary.txt").write_text("no music here")
    done = program(*words, cwd=tmp_path)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert not list(tmp_path.rglob("manifest.json"))
    assert not list(tmp_path.rglob(".hydra")), "what is refused leaves no folder"
    assert not (tmp_path.parent / "out").exists()


@pytest.mark.parametrize("folder", ["~/no such music", "a (b)", "it's, well", "x=y", "Lieder für Åse", "back\\slash\\"])
def test_a_path_may_hold_any_character(program: Program, tmp_path: Path, folder: str) -> None:
    done = program("+stage=collect", "data=folder", f"data.path={folder}", cwd=tmp_path)
    assert done.returncode == 1
    assert f"data.path={folder}" in done.stderr, "the folder itself is what is missing"


def test_free_text_is_quoted_for_hydra() -> None:
    assert quoted("album.title=It's a dog's life", sweep=False) == r"album.title='It\'s a dog\'s life'"
    assert quoted("album.title='Tis the season", sweep=False) == r"album.title='\'Tis the season'"
    assert quoted("generate.key=F# minor, G major", sweep=True) == "generate.key='F# minor','G major'"
    assert quoted("album.title='Mine'", sweep=False) == "album.title='Mine'"
    assert quoted("album.title='A, B','C'", sweep=True) == "album.title='A, B','C'"
    assert quoted("album.title=null", sweep=False) == "album.title=null"
    assert quoted("album.title=${name}", sweep=False) == "album.title=${name}"
    assert quoted("album.title=a ${b", sweep=False) == r"album.title='a \${b'"
    assert quoted("train.steps=1,2", sweep=True) == "train.steps=1,2"
    assert quoted("lyrics.avoid=[it's,june moon,'a,b']", sweep=False) == r"lyrics.avoid=['it\'s',june moon,'a,b']"
    assert quoted("lyrics.avoid=moon,june", sweep=False) == "lyrics.avoid=[moon,june]"
    assert quoted("data.columns={title: Song's name}", sweep=False) == r"data.columns={title:'Song\'s name'}"
    assert quoted("generate.density={Bass: 0.5}", sweep=False) == "generate.density={Bass: 0.5}"
    assert quoted("generate.bars=[3,4]", sweep=False) == "generate.bars=[3,4]"


TEXTS = (
    *("~/song.mp3", "It's raining", "'Tis the season", '"Heroes" they said', "/a/b [live], c.mid", "x=y", "5 $ & 7"),
    *(
        "a ${b",
        "{curly",
        "(round",
        "Å la carte, née",
        "back\\",
        "a\\'b",
        "*.mid",
        "#1",
        "1,2",
        "true story",
        "a: b",
        "%x!",
    ),
)


@pytest.mark.parametrize("text", TEXTS)
def test_every_text_setting_takes_what_a_person_types(text: str) -> None:
    keys = sorted(text_settings() - {"stage", "name"})  # these are folders and files
    words = [f"{key}={text}" for key in keys]
    assert complaint(["+stage=train", *words], sweep=False) is None
    parsed = OverridesParser.create().parse_overrides([quoted(word, sweep=False) for word in words])
    assert [str(one.value()).replace("\\${", "${") for one in parsed] == [text] * len(keys)
    for one in OverridesParser.create().parse_overrides([quoted(word, sweep=True) for word in words]):
        values = one.value().list if one.is_sweep_override() else [one.value()]
        values = [getattr(value, "text", value) for value in values]
        assert [str(value).replace("\\${", "${") for value in values] == [part.strip() for part in text.split(",")]


@pytest.mark.parametrize("words", [("+stge=train",), ("train", "data=games"), ("--stage=trian",), ("+stage", "train")])
def test_a_stage_said_wrongly_is_guessed(program: Program, tmp_path: Path, words: tuple[str, ...]) -> None:
    done = program(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.endswith("names no stage; did you mean +stage=train?\n")


def test_a_misspelt_run_is_told_from_a_trained_one(program: Program, tmp_path: Path) -> None:
    (tmp_path / "outputs/mine/train").mkdir(parents=True)
    (tmp_path / "outputs/mine/train/manifest.json").touch()
    done = program("+stage=generate", "name=mien", "upstream=refuse", cwd=tmp_path)
    assert "there is no trained run mien yet; did you mean name=mine?" in done.stdout
    for words in (("name=mine",), ("name=other",), ("name=mien", "data=chorales")):
        done = program("+stage=generate", *words, "upstream=refuse", cwd=tmp_path)
        assert "did you mean" not in done.stdout


def test_a_file_in_the_place_of_a_folder_is_named(program: Program, tmp_path: Path) -> None:
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs/mine").write_text("notes")
    done = program("+stage=generate", "name=mine", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        "Error: outputs/mine is a file where a folder is needed: move it, or run from another folder.\n"
    )


def test_words_without_a_stage_run_nothing(program: Program, tmp_path: Path) -> None:
    done = program("data=games", cwd=tmp_path)
    assert done.returncode == 2
    assert "+stage=STAGE" in done.stderr


@pytest.mark.slow
def test_a_sweep_survives_a_failing_job(program: Program, prepared_folder: Path) -> None:
    words = [word for word in SMALL if not word.startswith(("name=", "train.steps="))]
    done = program(
        "-m", "+stage=train", *words, "name=sweep", "train.steps=1", "train.gamma=1,-1,2", cwd=prepared_folder
    )
    assert done.returncode == 1
    assert "train.gamma must be at least 0, not -1" in done.stderr
    finished = sorted(
        str(path.relative_to(prepared_folder)) for path in prepared_folder.glob("outputs/**/manifest.json")
    )
    assert finished == ["outputs/sweep/0/train/manifest.json", "outputs/sweep/2/train/manifest.json"]
    assert (prepared_folder / "outputs/sweep/0/train/.hydra/overrides.yaml").exists()


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "conf/budget").glob("*.yaml")))
def test_budgets_fit_the_schema(program: Program, tmp_path: Path, name: str) -> None:
    done = program("+stage=train", f"budget={name}", "device=nowhere", cwd=tmp_path)
    assert "device=nowhere is not to be had" in done.stderr, "it got past the settings"
