"""The stage from its start to Ctrl-C."""

from __future__ import annotations

import json
import multiprocessing
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from pipeline.build import Builder
from pipeline.errors import UserError
from pipeline.stages import studio as stage
from pipeline.studio.server.keeping_apart import KEEPER
from pipeline.studio.server.serving import HOST, end_players, listening
from tests.conftest import program_environment
from tests.song_makers import configured


def test_another_port_is_taken_where_the_usual_one_is_in_use() -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        taken = other.getsockname()[1]
        with listening(taken) as listener:
            assert listener.getsockname()[0] == HOST
            assert listener.getsockname()[1] not in (0, taken)


def test_an_open_stage_runs_each_time_once_what_it_needs_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(Builder, "_build_inputs", lambda self, one: done.append(f"needs of {one.name}"))
    monkeypatch.setattr(stage, "run", lambda config, directory: done.append("run"))
    monkeypatch.setattr(stage, "plan", lambda config: stage.Plan("opens.", 0))
    for upstream in ("run", "refuse"):
        Builder(configured("+stage=studio", f"upstream={upstream}")).open("studio")
    assert done == ["needs of studio", "run", "run"]


def test_without_networks_it_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"checkpoint.pt is missing.*\+stage=album name=album"):
        Builder(configured("+stage=studio", "upstream=refuse")).open("studio")
    with pytest.raises(UserError, match=r"studio.port must lie between 0 and 65535, not 70000"):
        stage.inputs(configured("+stage=studio", "studio.port=70000"))


def test_at_the_end_nobody_plays_on_but_keeping_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    spawn = multiprocessing.get_context("spawn")
    player, keeper = (spawn.Process(target=time.sleep, args=(60,), name=name) for name in ("player", KEEPER))
    monkeypatch.setattr(multiprocessing, "active_children", lambda: [player, keeper])
    for process in (player, keeper):
        process.start()
    try:
        end_players()
        player.join(30)
        assert player.exitcode == -signal.SIGTERM
        assert keeper.is_alive()
    finally:
        keeper.kill()
        keeper.join()


@pytest.mark.slow
def test_the_program_serves_until_it_is_interrupted(studio_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(studio_folder / "outputs", tmp_path / "outputs", symlinks=True)
    words = ("+stage=studio", "name=album", "data=chorales", "upstream=refuse", "studio.open=false", "studio.port=0")
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", *words],
        cwd=tmp_path,
        env=program_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        said = ""
        while not (found := re.search(r"http://127\.0\.0\.1:(\d+)/", said)):
            line = process.stdout.readline()
            assert line, said
            said += line
        address, port = found[0], int(found[1])
        with urllib.request.urlopen(address, timeout=60) as answer:
            token = re.search(r'studio-token" content="([^"]+)', answer.read().decode())
        assert token is not None
        for garbage in (
            b"\x16\x03\x01\x00",
            b"GET",
            b"BREW / HTTP/9.9\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\n" * 999,
        ):
            with socket.create_connection((HOST, port), timeout=10) as line_to:
                line_to.sendall(garbage)
        asked = urllib.request.Request(f"{address}api/sessions", b"{}", {"X-Studio-Token": token[1]})
        with urllib.request.urlopen(asked, timeout=60) as answer:
            assert json.load(answer)["session"]
    finally:
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=60)[0]
    assert process.returncode == 0, said + rest
    assert rest.splitlines()[-1].startswith("studio: ended; what was changed lies in outputs/album/studio")
    assert "Traceback" not in rest
