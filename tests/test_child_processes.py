"""Facts about Ctrl-C and the server's child processes."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from pipeline.parallel import interrupt_held

pytestmark = pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="this system has no signal masks")
STARTER = """
import os, signal, subprocess, sys
from pipeline.parallel import interrupt_held

with interrupt_held():
    child = subprocess.Popen([sys.executable, "-c", sys.argv[1]])
os.kill(child.pid, signal.SIGINT)
sys.exit(child.wait() != -signal.SIGINT)
"""
CHILD = """
import time
from pipeline.parallel import end_on_interrupt

time.sleep(0.2)
end_on_interrupt()
time.sleep(30)
"""


def test_ctrl_c_ends_a_child_without_a_word_while_it_is_still_importing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STARTER, CHILD], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_interrupts_are_as_they_were_afterwards() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, set())
    with interrupt_held():
        assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, set())
    assert signal.pthread_sigmask(signal.SIG_BLOCK, set()) == before
