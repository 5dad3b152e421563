"""The editor in a terminal of its own, as a person sits at it."""

import io
import json
import os
import re
import shutil

import pytest

from pipeline.errors import UserError
from pipeline.lyrics.corpus.text_files import OWN_LYRICS
from tests.stage_runner import run_stage
from tests.terminal import Terminal

WORDS = (
    *("lyrics.interactive=true", "lyrics.count=1", "lyrics.syllables=[5]", "lyrics.candidates=12"),
    *(
        "lyrics.path=songs",
        "lyrics.init=null",
        "lyrics.model.hidden_size=16",
        "lyrics.model.steps=10",
        "threads=1",
        "name=album",
    ),
)


class Keyboard(io.StringIO):
    """What a person types, as a terminal would give it."""

    def isatty(self):
        return True


@pytest.mark.slow
def test_in_a_terminal_ctrl_c_and_a_closed_window_lose_nothing(tmp_path, monkeypatch):
    shutil.copytree(OWN_LYRICS, tmp_path / "songs", ignore=lambda folder, names: sorted(names)[20:])
    place = tmp_path / "outputs/album/lyrics"
    ask = "for help > "

    def lines():
        return [line["text"] for line in json.loads((place / "session.json").read_text())["songs"]["1"]["lines"]]

    terminal = Terminal(tmp_path, "+stage=lyrics", *WORDS)
    first = re.search(r"^ +1  (.*?) +\d+$", terminal.wait_for(ask), re.M)[1]
    terminal.type("e 1\n")
    terminal.wait_for(first)
    terminal.type(" tonight\n")
    terminal.wait_for(ask)
    terminal.type("my own words are here\n")
    terminal.wait_for(ask)
    terminal.type("half a li")
    terminal.interrupt("the same command goes on")
    assert terminal.close() == 130
    assert "the same command goes on" in terminal.screen
    assert lines() == [f"{first} tonight", "my own words are here"]

    terminal = Terminal(tmp_path, "+stage=lyrics", *WORDS)
    assert "my own words are here" in terminal.wait_for(ask)
    terminal.type("b\n")
    terminal.wait_for(ask)
    os.close(terminal.end)
    terminal.process.wait(timeout=60)
    assert lines() == [f"{first} tonight"]

    with monkeypatch.context() as sits:
        sits.setattr("sys.stdin", Keyboard("f\n\n"))
        sits.setattr("sys.stdout", Keyboard())
        run_stage(tmp_path, "lyrics", *WORDS)
    assert f"{first} tonight +\n" in (place / "lyrics.txt").read_text()
    written = json.loads((place / "lyrics.json").read_text())["songs"][0]["sections"][0]
    assert written["lines"][0] == f"{first} tonight"
    assert written["authors"][:2] == ["edited", "model"]

    monkeypatch.setattr("sys.stdin", io.StringIO())
    run_stage(tmp_path, "lyrics", *WORDS, "force=true")
    assert f"{first} tonight +\n" in (place / "lyrics.txt").read_text(), "a finished session needs nobody"
    with pytest.raises(UserError, match=r"lyrics\.interactive=true asks a person"):
        run_stage(tmp_path, "lyrics", *WORDS[:-1], "name=other")
    assert not (tmp_path / "outputs/other/lyrics/model.pt").exists()
