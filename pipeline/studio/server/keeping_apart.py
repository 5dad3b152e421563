"""Keeping a song while the page is answered: another process brings the album up to date, and tells how far it is."""

from __future__ import annotations

import multiprocessing
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection

from pipeline.config import Config
from pipeline.devices import prepare_torch
from pipeline.errors import UnusableError, UserError
from pipeline.parallel import end_on_interrupt, interrupt_held
from pipeline.songs.song import Song
from pipeline.studio.keeping import keep, keep_song
from pipeline.studio.kept.kept_songs import kept_path

DONE, STEP, ERROR = "done", "step", "error"
KEEPER = "keeper"
"""What the process is called that keeps a song."""


def keep_apart(config: Config, song: Song, title: str | None, progress: Callable[[str], None]) -> None:
    """Make a song part of the album, see `keep`; its file is written at once.

    Raises
    ------
    UserError
        A stage can't run, or the other process was ended; the song is kept all the same.
    """
    keep_song(config, song)
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_keep, args=(theirs, config, song, title), name=KEEPER)
    with interrupt_held():
        process.start()
    theirs.close()
    try:
        while True:
            kind, sentence = ours.recv()
            if kind == ERROR:
                raise UserError(sentence)
            if kind == DONE:
                return
            progress(sentence)
    except EOFError as error:
        raise UserError(
            f"Keeping was broken off. Where {kept_path(config, song.number)} is there the song is kept, and "
            f"+stage=album name={config.name} finishes the album."
        ) from error
    finally:
        process.join()
        ours.close()


def _keep(told: Connection, config: Config, song: Song, title: str | None) -> None:
    """What the other process does."""
    end_on_interrupt()
    try:
        prepare_torch(config)
        keep(config, song, title, lambda sentence: told.send((STEP, sentence)))
        told.send((DONE, ""))
    except (UserError, UnusableError) as error:
        told.send((ERROR, str(error)))
    except Exception as error:
        traceback.print_exception(error)
        told.send((ERROR, f"The album could not be built ({type(error).__name__}); why is printed in the terminal."))
