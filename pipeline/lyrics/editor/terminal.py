"""A person and the model write songs together at a terminal, line by line: lyrics.interactive=true.

The model offers lines for the next place of a song; the person takes one, changes one, writes one, asks for others or
goes back. After every command the session is saved, and the same command goes on there. Lines that were taken are not
asked for again, also where the music or the model changed, as long as they fit.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

from pipeline.errors import UserError
from pipeline.files import fingerprint
from pipeline.lyrics.editor.completion import retitled
from pipeline.lyrics.editor.editor import SongEditor
from pipeline.lyrics.editor.session import Session, SessionSong
from pipeline.lyrics.song.lyric import Lyric
from pipeline.lyrics.song.plan import LyricPlan
from pipeline.lyrics.song.writer import LyricWriter

SESSION = "session.json"
"""The session's name beside the lyrics."""
WITHOUT_EFFECT = {"model", "interactive", "track", "count", "kind", "path", "column", "init", "length"}
"""Settings that do not change which lines are offered, or do so through the model or the plan."""


def require_person(session_path: Path, plans: Mapping[int, LyricPlan], prompt: str | None) -> None:
    """Raise `UserError` where there are lines to ask for and nobody is at a terminal to be asked."""
    if needs_person(session_path, plans, prompt) and not (_is_terminal(sys.stdin) and _is_terminal(sys.stdout)):
        raise UserError(
            "lyrics.interactive=true asks a person for the lines, and this is no terminal: "
            "run the same command in one, or give lyrics.interactive=false."
        )


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and not stream.closed and stream.isatty()


def needs_person(session_path: Path, plans: Mapping[int, LyricPlan], prompt: str | None = None) -> bool:
    """Whether any song of `plans` is not at its end in the session at `session_path`, or lacks a line that fits.

    `prompt` is `lyrics.prompt`, which gives each song its first line.
    """
    songs = Session.load(session_path).songs
    found = ((songs.get(number, SessionSong()), plan) for number, plan in plans.items())
    return any(not song.done or song.misses(plan, prompt is not None) for song, plan in found)


def write_together(
    writer: LyricWriter,
    plans: Mapping[int, LyricPlan],
    session_path: Path,
    read: Callable[[str], str] = input,
    show: Callable[[str], None] = print,
) -> list[Lyric]:
    """The lyrics of songs as a person and the model write them, with titles that differ.

    Parameters
    ----------
    writer
        Offers the lines.
    plans
        What each song is asked for, by its number.
    session_path
        Where the session is kept; one that is there is gone on with.
    read, show
        Ask for a line after a prompt, and print.

    Raises
    ------
    KeyboardInterrupt
        When the person leaves; all is saved.
    UserError
        When the session can't be read.
    """
    session = Session.load(session_path)
    model = model_fingerprint(writer)
    lines = sum(len(song.lines) for song in session.songs.values())
    if lines:
        show(f"Going on with {session_path}: lines written so far: {lines}.")
    if lines and session.model not in ("", model):
        show("The model or its settings changed since then: the lines stay, what is offered is new.")
    if session.model != model:
        session.model = model
        for song in session.songs.values():
            song.num_redraws = 0
    editors = [SongEditor(writer, number, plans[number], session, read, show) for number in sorted(plans)]
    at = 0
    while at < len(editors):
        if editors[at].write():
            at += 1
        elif at:
            at -= 1
            editors[at].take_back()
        else:
            show("There is nothing before this line.")
    return retitled(writer.titled(editor.song.lyric() for editor in editors), session)


def model_fingerprint(writer: LyricWriter) -> str:
    """Of all that decides which lines are offered at a place."""
    weights = hashlib.sha256()
    for name, tensor in sorted(writer.model.state_dict().items()):
        weights.update(name.encode() + tensor.detach().cpu().numpy().tobytes())
    settings = {key: value for key, value in asdict(writer.settings).items() if key not in WITHOUT_EFFECT}
    return fingerprint([weights.hexdigest(), writer.symbols, settings])
