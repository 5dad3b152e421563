"""A terminal of our own, to run the program in as a person does."""

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RUN = (
    "import fcntl, runpy, signal, sys, termios\n"
    "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # which a shell's background jobs ignore
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"  # so that Ctrl-C reaches the program
    "sys.argv[0] = 'pipeline'\n"
    "runpy.run_module('pipeline', run_name='__main__', alter_sys=True)\n"
)


class Terminal:
    """`python -m pipeline` with `words`, in `folder`, on a terminal of 80 columns."""

    def __init__(self, folder, *words):
        self.end, inner = pty.openpty()
        self.screen = ""
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN, *words],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "80", "OMP_NUM_THREADS": "1"},
            stdin=inner,
            stdout=inner,
            stderr=inner,
            start_new_session=True,
        )
        os.close(inner)

    def wait_for(self, text, seconds=200.0):
        """What the program printed until `text` came."""
        before, end = self.screen, time.monotonic() + seconds
        self.screen = ""
        while text not in self.screen:
            assert self._read(end), f"{text!r} did not come; instead: {before[-500:]}{self.screen}"
        return self.screen

    def type(self, text):
        """Press keys."""
        os.write(self.end, text.encode())

    def interrupt(self, answer, seconds=200.0):
        """Press Ctrl-C and a key in turn until `answer` comes: a readline that falls asleep hears neither alone."""
        end = time.monotonic() + seconds
        while answer not in self.screen and time.monotonic() < end:
            self.type("\x03")
            patience = time.monotonic() + 3
            while answer not in self.screen and self._read(patience):
                pass
            if answer not in self.screen:
                self.type(" ")
                self._read(time.monotonic() + 1)

    def close(self, seconds=200.0):
        """The exit status, once the program ended; what it printed at last is on the screen."""
        end = time.monotonic() + seconds
        while self._read(end):
            pass
        os.close(self.end)
        return self.process.wait(timeout=60)

    def _read(self, end):
        """Take more onto the screen; False at the end."""
        while time.monotonic() < end:
            if select.select([self.end], [], [], 0.2)[0]:
                try:
                    data = os.read(self.end, 65536)
                except OSError:  # Linux's way to say that nobody writes any more
                    return False
                self.screen += data.decode(errors="replace").replace("\r\n", "\n")
                return bool(data)
        return False
