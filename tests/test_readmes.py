"""Every command in every README is one that runs, tried with small files in place of the user's."""

from __future__ import annotations

import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.command_line.overrides import quoted
from pipeline.config import compose
from tests.conftest import ROOT, SHORT_SONGS, SMALL, Program, made_once
from tests.song_makers import write_quartet

READMES = sorted(
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "*README.md"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
)
RUN = "python -m pipeline "


def commands_in(text: str) -> list[str]:
    """The command lines in the code blocks of a Markdown text, without their comments."""
    blocks = re.findall(r"```\w*\n(.*?)```", text, re.DOTALL)
    lines = [line for block in blocks for line in re.sub(r"\\\n\s*", " ", block).splitlines()]
    starts = ("python -m", "make ", "pip ", "torchrun ", "source ")
    return [re.sub(r"\s+# .*", "", line).strip() for line in lines if line.strip().startswith(starts)]


COMMANDS = sorted({command for path in READMES for command in commands_in(path.read_text(encoding="utf-8"))})
PROGRAM_COMMANDS = [command for command in COMMANDS if command.startswith((RUN, "torchrun "))]


def overrides_of(command: str) -> list[str]:
    """The overrides of a command line of the program."""
    return [word for word in shlex.split(command.partition("-m pipeline ")[2]) if "=" in word]


def test_readmes_show_commands() -> None:
    assert len(PROGRAM_COMMANDS) > 20


def test_the_front_door_is_one_page() -> None:
    assert len((ROOT / "README.md").read_bytes()) <= 9 * 1024


@pytest.mark.parametrize("path", READMES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


@pytest.mark.parametrize("command", PROGRAM_COMMANDS)
def test_settings_in_readmes_are_settings(command: str) -> None:
    """A sweep's values are tried one by one."""
    words = [word.lstrip("+") for word in overrides_of(command) if "launcher" not in word]
    first = [re.sub(r"^((?:model|seed|train\.\w+)=[^,\[]*),.*", r"\1", word) for word in words]
    config = compose(*[quoted(word, sweep=False) for word in first if not word.startswith("stage=")])
    assert config.data.source


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("make ")])
def test_make_has_the_targets_of_readmes(command: str) -> None:
    done = subprocess.run([*shlex.split(command), "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", [one for one in COMMANDS if one.startswith("python -m pipeline.")])
def test_modules_in_readmes_can_be_started(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = shlex.split(command)[2]
    for name in (module, f"{module}.__main__"):
        monkeypatch.delitem(sys.modules, name, raising=False)  # as in a process where nothing has read it
    monkeypatch.setattr("sys.argv", [module, "--help"])
    with pytest.raises(SystemExit) as leaving:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    assert leaving.value.code == 0
    assert capsys.readouterr().out.startswith("usage: ")


THEIRS = {
    r"~/songs\.xlsx|~/songs\.csv": "songs.csv",
    r"~/Music\S*|/shared/midi|\bDIR\b": "music",
    r"~/(lyrics|poems|essays)|\bbook\.txt|package:\S+": "words",
    r"\bsong\.mp3": "song.wav",
    r"\b(old\.mp3|break\.wav)": "old.mid",
    r"generate\.loop=(\[?)2": r"generate.loop=\g<1>1",
    r"render\.request=flip": "render.request=flip generate.flip=old.mid",
    r"\b(my|a|b|tune|fixed)\.mid\b": "music/song-00.mid",
    r"data=(games|pop909|lpd5) name=theirs": "data=folder data.path=music name=folder",
    r"data=(games|pop909|lpd5)": "data=folder data.path=music",
    r"train\.gamma=1,2\.5,10 seed=1,2": "train.gamma=1 data=folder data.path=music",
    r"generate\.min_seconds=90 generate\.max_seconds=120": "generate.min_seconds=30 generate.max_seconds=45",
    r"generate\.min_seconds=90": "generate.min_seconds=30 generate.max_seconds=40",
    r"lyrics\.interactive=true|generate\.style=\S+": "",
    r"executor=\S+|executor\.address=\S+": "",
    r"outputs/OTHER": "outputs/mine",
    r"\+stage=studio name=mine$": "+stage=studio name=mine studio.export=site",  # which ends by itself
    r"\+stage=evaluate name=.*": "+stage=evaluate name=mine evaluate.request=album",
    r"budget=quick name=\w+": "budget=quick name=mine",
    r"album\.reroll=\[3": "album.reroll=[1",
    r"render\.request=given": "render.request=given generate.given=music/song-00.mid generate.keep=[piano]",
    r"\+stage=album data=catalog": "+stage=prepare data=catalog",
    r"\+stage=album (.*)data\.metre=(3/4|6/8)": r"+stage=prepare \1data.metre=4/4",
    r"\+stage=album (.*data\.pair_bars|.*prepare\.min_tracks)": r"+stage=prepare \1",
    r"\+stage=album data=originals": "+stage=prepare data=originals",
    r"train\.init=(?!null)\w+": "train.init=theirs",
    r"musegan_hybrid,musegan_composer": "musegan_composer",
    r"data=chorales (model=)": r"data=folder data.path=music \1",
}
"""What stands in READMEs for the user's own, and what the tests have instead; music in 4/4, in no folders of styles."""
LITTLE = (
    *("generate.songs=1", "generate.candidates=1", "lyrics.init=null", "lyrics.model.steps=20", "lyrics.candidates=2"),
    *(
        "lyrics.model.hidden_size=32",
        "lyrics.count=1",
        "lyrics.length=100",
        "evaluate.phrases=8",
        "evaluate.samples=8",
    ),
    *("evaluate.resamples=4", "evaluate.requests=4", "evaluate.classifier=false"),
)
SHORT_TRAINING = ("train.steps=2", "train.batch_size=4", "train.report_steps=2")
SMALL_ROLL = tuple(word for word in SMALL if word.startswith("roll."))
SMALLEST_ROLL = ("roll.bars=1",)
ONE_SONG = (
    *(word for word in SMALL if word not in SHORT_SONGS and not word.startswith("generate.songs=")),
    *("generate.songs=1", "generate.min_seconds=20", "generate.max_seconds=28"),
)
SMALL_MODEL = tuple(word for word in SMALL if word.startswith("model."))


def link_or_copy(source: str, target: str) -> None:
    """Large files are linked, since the program never writes into one that is there; others are copied."""
    copy = os.link if Path(source).stat().st_size > 1_000_000 else shutil.copy2
    copy(source, target)


@pytest.fixture(scope="session")
def single(small_album: Path, program: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small album with one song, which commands that play it need not play twice; for reading only."""

    def make(folder: Path) -> None:
        shutil.copytree(small_album, folder, symlinks=True, copy_function=link_or_copy, dirs_exist_ok=True)
        program("+stage=album", *ONE_SONG, cwd=folder, check=True)

    return made_once(tmp_path_factory, "single", make)


@pytest.fixture
def home(single: Path, tmp_path: Path) -> Path:
    """A user's folder: music, words, a recording, a sheet, and the run `mine`."""
    folder = tmp_path / "home"
    shutil.copytree(single, folder, symlinks=True, copy_function=link_or_copy)
    (folder / "outputs" / "small").rename(folder / "outputs" / "mine")
    shutil.copytree(folder / "outputs" / "mine", folder / "outputs" / "theirs", copy_function=link_or_copy)
    (folder / "words").mkdir()
    for path in sorted((ROOT / "data" / "lyrics").glob("0*.txt"))[:30]:
        shutil.copy(path, folder / "words")
    (folder / "songs.csv").write_text(
        "title,where\n" + "".join(f"Song {n},music/song-{n:02d}.mid\n" for n in range(12))
    )
    write_quartet(folder / "old.mid", bars=18)
    clicks = np.zeros(44100 * 12)
    clicks[:: 44100 // 2] = 0.9
    tone = 0.3 * np.sin(2 * np.pi * 220 * np.arange(len(clicks)) / 44100)
    soundfile.write(folder / "song.wav", np.convolve(clicks, np.hanning(400), "same") * 0.2 + tone, 44100)
    (folder / "song.beats").write_text("".join(f"{beat / 2}\t{beat % 4 + 1}\n" for beat in range(24)))
    (folder / "separated" / "song").mkdir(parents=True)
    shutil.copy(folder / "song.wav", folder / "separated" / "song" / "bass.wav")
    return folder


def mended(command: str) -> list[str]:
    """The words of a README's command with what the tests have in place of the user's files, and small sizes."""
    for theirs, ours in THEIRS.items():
        command = re.sub(theirs, ours, command)
    words = shlex.split(command.removeprefix(RUN))
    if "mine" in command:  # whose model is there
        steps = "train.steps=13" if "+stage=train" in words else "train.steps=12"
        trained = [word for word in SMALL if word.startswith(("train.", "model.", "roll."))]
        made = [word for word in ONE_SONG if word.startswith(("generate.", "lyrics."))]
        if "+stage=render" in words and not any(word.startswith("render.request=") for word in words):
            return [*words, "force=true"]  # the song is there
        # any form fits
        little = LITTLE if "_seconds=" in command else (*LITTLE, "generate.min_seconds=16", "generate.max_seconds=30")
        more = made if "+stage=album" in words else little
        return [*words, *more, *((*trained, "train.minutes=16", steps) if "budget" in command else ())]
    originals = any("musegan" in word for word in words)
    return [
        *words,
        *LITTLE,
        *SHORT_TRAINING,
        *(SMALLEST_ROLL if "roll.steps_per_beat=12" in words else SMALL_ROLL),  # whose music is prepared anew
        *(("model.filters=2", "model.latent_size=4") if originals else SMALL_MODEL),
    ]


RUNNABLE = {
    tuple(mended(one)): one for one in COMMANDS if one.startswith(RUN) and "launcher" not in one and "--cfg" not in one
}
"""Commands to run, each once where several come to the same with what stands for the user's own."""


@pytest.mark.slow
@pytest.mark.usefixtures("few_scored")
@pytest.mark.parametrize("words", RUNNABLE, ids=RUNNABLE.values())
def test_commands_of_readmes_run(words: tuple[str, ...], home: Path, program: Program) -> None:
    if "render.vocal=true" in words and not find_spec("pyworld"):
        pytest.skip("the packages of the guide vocal are not installed")
    done = program(*words, cwd=home)
    assert done.returncode == 0, done.stderr
