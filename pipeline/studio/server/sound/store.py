"""Sounds of windows by name: played by processes of their own when they are asked for, the latest kept in memory.

midirenderer holds Python's lock while it plays, so what plays is another process; a second one, which lets others go
first, measures how loud songs are.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pipeline.files import file_hash
from pipeline.parallel import interrupt_held
from pipeline.studio.server.sound.playing import WindowNotes, begin_player, play_window
from pipeline.studio.server.sound.windows import name_of

CACHE_BYTES = 256_000_000
KNOWN_SOUNDS = 50_000
"""Windows whose notes are remembered, so that their sound can be asked for."""
MOST_PLAYERS = 2
NICENESS = 10
"""Of the process that measures."""

Result = TypeVar("Result")


class Workers(Protocol):
    """What works apart: `Processes`, or any executor."""

    def submit(self, work: Callable[..., Result], /, *values: Any) -> Future[Result]:
        """What `work` will give for these values."""


class Processes:
    """Processes that work apart from the server, started when there is work; begun anew where one has died.

    With `is_patient` there is one, and others go first.
    """

    def __init__(self, is_patient: bool = False) -> None:
        self.count = 1 if is_patient else min(MOST_PLAYERS, os.cpu_count() or 1)
        self.niceness = NICENESS if is_patient else 0
        self._lock = threading.Lock()
        self._pool = self._made()

    def _made(self) -> ProcessPoolExecutor:
        spawn = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self.count, spawn, begin_player, (self.niceness,))

    def begin(self) -> None:
        """Start the processes, which takes a second, before there is work."""
        for _ in range(self.count):
            self.submit(os.getpid)

    def submit(self, work: Callable[..., Result], *values: Any) -> Future[Result]:
        """What `work` will give for these values."""
        with self._lock, interrupt_held():
            try:
                return self._pool.submit(work, *values)
            except BrokenProcessPool:
                self._pool = self._made()
                return self._pool.submit(work, *values)

    def stop(self) -> None:
        """Let go of what has not begun."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class SoundStore:
    """The sounds of windows of songs, for all sessions.

    Safe for several threads. What was not asked for longest is forgotten beyond `num_bytes`, and played again when it
    is asked for.
    """

    def __init__(self, players: Workers, soundfont: Path, synth: str, num_bytes: int = CACHE_BYTES) -> None:
        self.players, self.soundfont, self.synth, self.num_bytes = players, soundfont, synth, num_bytes
        self._player = f"{file_hash(soundfont)} {synth}"
        self._known: OrderedDict[str, WindowNotes] = OrderedDict()
        self._sounds: OrderedDict[str, Future[bytes]] = OrderedDict()
        self._held = 0
        self._lock = threading.Lock()

    def name(self, window: WindowNotes | None) -> str | None:
        """The name under which the sound of a window can be asked for from now on; None for a silent one."""
        if window is None:
            return None
        name = name_of(window, self._player)
        with self._lock:
            self._known[name] = window
            self._known.move_to_end(name)
            while len(self._known) > KNOWN_SOUNDS:
                self._known.popitem(last=False)
        return name

    def names(self, windows: Sequence[WindowNotes | None]) -> list[str | None]:
        """The names of the windows of a track."""
        return [self.name(window) for window in windows]

    def keep(self, name: str, sound: bytes) -> None:
        """Take a WAV file that was made elsewhere."""
        future: Future[bytes] = Future()
        future.set_result(sound)
        with self._lock:
            if name not in self._sounds:
                self._sounds[name] = future
                self._held += len(sound)

    def sound(self, name: str) -> Future[bytes] | None:
        """The WAV file of this name, to come; None where there is none of this name."""
        with self._lock:
            found = self._sounds.get(name)
            if found is not None and not (found.done() and _failed(found)):
                self._sounds.move_to_end(name)
                return found
            window = self._known.get(name)
            if window is None:
                return None
            found = self.players.submit(play_window, window, self.soundfont, self.synth)
            self._sounds[name] = found
        found.add_done_callback(self._weigh)
        return found

    def _weigh(self, future: Future[bytes]) -> None:
        """Count the bytes of a sound that has come, and forget others where it is too much."""
        with self._lock:
            if not _failed(future):
                self._held += len(future.result())
            for name, old in list(self._sounds.items()):
                if self._held <= self.num_bytes:
                    break
                if old is not future and old.done():
                    del self._sounds[name]
                    self._held -= 0 if _failed(old) else len(old.result())


def _failed(future: Future[bytes]) -> bool:
    """Whether a finished future holds no sound."""
    try:
        return future.exception() is not None
    except CancelledError:
        return True
