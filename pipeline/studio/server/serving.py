"""The studio from its start to Ctrl-C: an address on this machine, the browser, the processes that play."""

from __future__ import annotations

import multiprocessing
import os
import socket
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer

import uvicorn

from pipeline.config import Config
from pipeline.progress import say
from pipeline.studio.server.app import studio_app
from pipeline.studio.server.keeping_apart import KEEPER
from pipeline.studio.server.sound.store import Processes
from pipeline.studio.server.studio import Studio
from pipeline.studio.session.model import StudioModel

HOST = "127.0.0.1"
"""The studio can be reached from this machine alone."""
GRACE_SECONDS = 2
"""For so long requests may go on after Ctrl-C."""


def serve(config: Config, checkpoint: Path) -> None:
    """Serve the studio of a run until Ctrl-C."""
    players, patient = Processes(), Processes(is_patient=True)
    players.begin()
    with listening(config.studio.port) as listener:
        port = listener.getsockname()[1]
        studio = Studio(config, lambda: StudioModel(config, checkpoint), players, patient)
        app = studio_app(studio, (f"{HOST}:{port}", f"localhost:{port}"))
        settings = uvicorn.Config(
            app,
            log_level="error",
            access_log=False,
            server_header=False,
            lifespan="off",
            ws="none",
            http="h11",
            loop="asyncio",
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        address = f"http://{HOST}:{port}/"
        say(f"studio: open {address} in a browser; Ctrl-C ends it.")
        if config.studio.open and has_browser():
            Timer(0.5, webbrowser.open, (address,)).start()
        with suppress(KeyboardInterrupt):
            uvicorn.Server(settings).run([listener])
        studio.stop()
        players.stop()
        patient.stop()
        end_players()
    say(f"studio: ended; what was changed lies in {studio.folder}, and the same command goes on there.")


def end_players() -> None:
    """End the processes that play, mix and measure, whose work nobody waits for; one that keeps a song goes on."""
    for process in multiprocessing.active_children():
        if process.name != KEEPER:
            process.terminate()


@contextmanager
def listening(port: int) -> Iterator[socket.socket]:
    """A socket at this port of this machine, at a free one where it is in use."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        if sys.platform != "win32":  # where it would let two servers have one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError:
            listener.bind((HOST, 0))
        listener.listen()  # whoever opens the address at once waits until it is answered
        yield listener


def has_browser() -> bool:
    """Whether this machine can show one: on Linux there must be a desktop, else it would open in the terminal."""
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
