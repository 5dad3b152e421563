"""The editor in a terminal of its own, as a person sits at it."""

import json
import os
import re
import subprocess
import sys
import time

import pytest
import torch

from tests.terminal import ROOT, Terminal

torch.set_num_threads(1)  # two that wait for each other make these small tensors many times slower


@pytest.mark.slow
def test_in_a_terminal_ctrl_c_and_a_closed_window_lose_nothing(tmp_path):
    words = (
        "+stage=lyrics",
        "lyrics.interactive=true",
        "lyrics.count=1",
        "lyrics.model.steps=20",
        "lyrics.candidates=12",
    )
    words += ("lyrics.init=null", "lyrics.model.hidden_size=24", "threads=1", "name=album")
    session = tmp_path / "outputs/album/lyrics/session.json"
    ask, ask_at_end = "for help > ", "names it > "

    def lines():
        return [line["text"] for line in json.loads(session.read_text())["songs"]["1"]["lines"]]

    terminal = Terminal(tmp_path, *words)
    first = re.search(r"^ +1  (.*?) +\d+$", terminal.wait_for(ask), re.M)[1]
    terminal.type("e 1\n")
    terminal.wait_for(first)
    terminal.type(" tonight\n")
    terminal.wait_for(ask)
    terminal.type("my own words are here\n")
    terminal.wait_for(ask)
    terminal.type("half a li")
    time.sleep(1)  # an interrupt in the moment in which readline falls asleep is heard with the next key only
    terminal.type("\x03")
    assert terminal.close() == 130
    assert "the same command goes on" in terminal.screen
    assert lines() == [f"{first} tonight", "my own words are here"]

    terminal = Terminal(tmp_path, *words)
    assert "my own words are here" in terminal.wait_for(ask)
    terminal.type("b\n")
    terminal.wait_for(ask)
    os.close(terminal.end)
    terminal.process.wait(timeout=60)
    assert lines() == [f"{first} tonight"]

    terminal = Terminal(tmp_path, *words)
    terminal.wait_for(ask)
    terminal.type("f\n")
    terminal.wait_for(ask_at_end)
    terminal.type("\n")
    assert terminal.close() == 0
    assert f"{first} tonight +\n" in (session.parent / "lyrics.txt").read_text()
    written = json.loads((session.parent / "lyrics.json").read_text())["songs"][0]["sections"][0]
    assert written["lines"][0] == f"{first} tonight"
    assert written["authors"][:2] == ["edited", "model"]

    alone = (sys.executable, "-m", "pipeline")
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [*alone, *words, "force=true"], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, "a finished session needs nobody"
    assert f"{first} tonight +\n" in (session.parent / "lyrics.txt").read_text()
    other = [*alone, *words[:-1], "name=other"]
    run = subprocess.run(other, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert re.fullmatch(r"Error: lyrics\.interactive=true asks a person .*\n", run.stderr)
    assert not (tmp_path / "outputs/other/lyrics/model.pt").exists()
