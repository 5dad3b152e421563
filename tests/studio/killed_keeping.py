"""Songs kept by processes that are killed: `python -m tests.studio.killed_keeping`, told on its input what to do.

A line is a JSON list: `["keep", FOLDER, CALL]` keeps song 2 in the run `small` of a folder, in a process that kills
itself with SIGKILL before its CALL-th change of the disk (-1: never); `["finish", FOLDER]` brings the album up to date
as a person does. Answered by how the process ended. What is imported and read once is there for all of them.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from pipeline import files
from pipeline.config import as_made, compose, flatten
from pipeline.pages.dataset.commands import stage_command
from pipeline.songs.provenance import Origin
from pipeline.songs.song import Song
from pipeline.stage_table import upstream_of
from pipeline.studio.keeping import keep
from tests.conftest import run_here
from tests.origin_makers import with_origin

CHANGES = ((os, "replace"), (os, "link"), (os, "unlink"), (os, "mkdir"), (os, "rmdir"), (files, "exchange"))
"""Calls that change what is on disk for good; each is a place to be killed at."""
ANNOUNCED, CALLS = "announced.txt", "calls.json"


def drawn(song: Song) -> Song:
    """The song with a bar in which the last track was silenced by hand."""
    last = song.spec.num_tracks - 1
    stays = (song.notes["track"] != last) | (song.notes["onset"] >= song.spec.steps_per_bar)
    notes = {"notes": song.notes[stays], "velocities": song.velocities[stays], "timing_ticks": song.timing_ticks[stays]}
    return replace(song, **notes, origins=with_origin(song.all_origins, Origin.DRAWN, last, 0))


def keep_until(call: int) -> None:
    """Keep song 2 of the run `small`, and be killed before a change of the disk."""
    done: list[str] = []

    def counted(name: str, change: Callable[..., Any]) -> Callable[..., Any]:
        def changed(*words: Any, **named: Any) -> Any:
            if len(done) == call:
                os.kill(os.getpid(), signal.SIGKILL)
            done.append(name)
            return change(*words, **named)

        return changed

    for module, name in CHANGES:
        setattr(module, name, counted(name, getattr(module, name)))
    config = as_made(compose("name=small"), "album", upstream_of("album"))
    song = drawn(Song.load(Path("outputs/small/generate/album/songs/02.npz")))

    def progress(sentence: str) -> None:
        with Path(ANNOUNCED).open("a") as file:
            file.write(f"{sentence}\n")

    keep(config, song, None, progress)
    Path(CALLS).write_text(json.dumps(done))


def finish() -> None:
    """Bring the album up to date."""
    run_here("+stage=album", "name=small", cwd=Path.cwd(), check=True)


def apart(work: Callable[[], None]) -> int:
    """How a process of its own ended that did `work`: 0, or minus the signal that killed it."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        os.dup2(os.open("said.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND), 1)
        work()
        sys.stdout.flush()
    except BaseException:  # told by the code; what happened is in the test's output
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)


def main() -> None:
    """Do what the lines of the input say."""
    for name in (*(f"pipeline.stages.{stage}" for stage in ("generate", "lyrics", "render", "album")), "torch._dynamo"):
        importlib.import_module(name)
    for line in sys.stdin:
        what, folder, *call = json.loads(line)
        os.chdir(folder)
        album = as_made(compose("name=small"), "album", upstream_of("album"))
        stage_command(flatten(album), "album", "small")  # remembers the usual settings
        work = partial(keep_until, *call) if what == "keep" else finish
        print(apart(work), flush=True)


if __name__ == "__main__":
    main()
