"""Turns at the networks: requests of several pages have them in the order in which they came."""

from __future__ import annotations

import threading
from collections import deque
from types import TracebackType


class TurnLock:
    """A lock for threads that is had in the order in which it was asked for (a ticket lock); re-entrant.

    Long work lets those who wait have their turns between two of its steps by `pass_on`.
    """

    def __init__(self) -> None:
        self._queue: deque[tuple[int, threading.Event]] = deque()
        self._depth = 0
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        if not self._is_mine():
            self._take()
        self._depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._depth -= 1
        if not self._depth:
            self._leave()

    def pass_on(self) -> None:
        """Let all who wait go first; for whoever holds the lock."""
        with self._lock:
            if not self._is_mine() or len(self._queue) == 1:
                return
        depth, self._depth = self._depth, 0
        self._leave()
        self._take()
        self._depth = depth

    def _is_mine(self) -> bool:
        return self._depth > 0 and self._queue[0][0] == threading.get_ident()

    def _take(self) -> None:
        turn = threading.Event()
        with self._lock:
            self._queue.append((threading.get_ident(), turn))
            if len(self._queue) == 1:
                turn.set()
        turn.wait()

    def _leave(self) -> None:
        with self._lock:
            self._queue.popleft()
            if self._queue:
                self._queue[0][1].set()
