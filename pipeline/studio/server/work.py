"""Long work off the event loop: it tells of its progress as events, and stops where nobody listens."""

from __future__ import annotations

import asyncio
import json
import threading
import traceback
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.responses import StreamingResponse

from pipeline.errors import UnusableError, UserError

HEARTBEAT_SECONDS = 5.0
"""A comment is sent when there was no event for so long: it keeps the line open, and shows whether anybody listens."""

Progress = Callable[[int, int, str], None]
"""Told how much is done, of how much, of what."""
Work = Callable[[Progress], dict[str, Any]]


class GoneError(Exception):
    """Nobody waits for the result of the work any more."""


class MissingError(Exception):
    """There is nothing of that name: one sentence."""


def event_stream(work: Work) -> StreamingResponse:
    """Work on in a thread while its progress is sent as events; it stops between two steps when nobody listens."""
    return StreamingResponse(_events(work), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _events(work: Work) -> AsyncIterator[str]:
    loop, queue = asyncio.get_running_loop(), asyncio.Queue[tuple[str, dict[str, Any]]]()
    gone = threading.Event()

    def put(kind: str, values: dict[str, Any]) -> None:
        try:
            loop.call_soon_threadsafe(queue.put_nowait, (kind, values))
        except RuntimeError as error:  # the loop is closed: the server stops
            raise GoneError from error

    def progress(done: int, total: int, what: str) -> None:
        if gone.is_set():
            raise GoneError
        put("progress", {"done": done, "total": total, "what": what})

    def run() -> None:
        try:
            put("result", work(progress))
        except GoneError:
            pass
        except (UserError, UnusableError) as error:
            put("error", {"error": sentence_of(error)})
        except Exception as error:
            put("error", {"error": told(error)})

    threading.Thread(target=run, daemon=True).start()
    try:
        while True:
            try:
                kind, values = await asyncio.wait_for(queue.get(), HEARTBEAT_SECONDS)
            except TimeoutError:
                yield ": still at work\n\n"
                continue
            yield f"event: {kind}\ndata: {json.dumps(values, allow_nan=False)}\n\n"
            if kind != "progress":
                return
    finally:
        gone.set()


def sentence_of(error: Exception) -> str:
    """An error's sentence, with a full stop, and a capital where it begins with a word and no name of a file or key."""
    text = " ".join(str(error).split()) or "That can't be done"
    text = text[0].upper() + text[1:] if text.split()[0].isalpha() else text
    return text if text.endswith((".", "!", "?")) else f"{text}."


def told(error: Exception) -> str:
    """What a person is told of a mistake of the program; where it happened is printed in the terminal."""
    traceback.print_exception(error)
    return f"The studio made a mistake ({type(error).__name__}); what it was is printed in its terminal."
