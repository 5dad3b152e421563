"""Several processes, started by torchrun: the first runs the program, the others wait and train along with it.

    torchrun --nproc_per_node=2 -m pipeline +stage=train

The others read no settings, write nothing and say nothing but what ends them: what they are to do is sent to them.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import UserError
from pipeline.parallel import local_rank, num_processes

if TYPE_CHECKING:
    from gan.training.distributed import Team

LONGEST_WAIT = timedelta(days=2)
"""The others wait while the first prepares music or makes an album; if it dies, they notice at once."""

others_wait = True
"""Whether the others wait for what the first has to say next; after a failure in training they do not."""


def is_first_process() -> bool:
    """Whether this process is the one that runs the program."""
    return os.environ.get("RANK", "0") == "0"


def team() -> Team:
    """All processes, for training."""
    from gan.training.distributed import Team

    return Team(int(os.environ.get("RANK", "0")), num_processes())


def join_process_group() -> None:
    """Find the other processes, where there are any. Raises `UserError` when they don't come."""
    if num_processes() == 1:
        return
    import torch

    backend = "gloo"
    if torch.cuda.is_available():
        backend = "cpu:gloo,cuda:nccl"
        torch.cuda.set_device(local_rank() % torch.cuda.device_count())
    try:
        torch.distributed.init_process_group(backend, timeout=LONGEST_WAIT)
    except (RuntimeError, ValueError) as error:
        raise UserError(f"the processes did not find each other: {first_line(error)}.") from error


@contextmanager
def training_together(job: Any) -> Iterator[None]:
    """Send the other processes `job`, and train with them within the block.

    An error that all of them come to, `TrainingFailed`, leaves them waiting for the next job; any other ends them.
    """
    from gan.training.monitor import TrainingFailed

    global others_wait
    if num_processes() == 1:
        yield
        return
    if not others_wait:
        raise UserError("the other processes have ended; start the program again.")
    team().share(job)
    others_wait = False
    try:
        yield
    except TrainingFailed:
        others_wait = True
        raise
    except RuntimeError as error:
        if not is_lost_peer(error):
            raise
        raise UserError(
            "another of the processes has ended; the last checkpoint is kept, and the same command goes on."
        ) from error
    others_wait = True


def run_other_process(work: Callable[..., None]) -> int:
    """What the other processes do until the first has nothing more for them: `work` on each job; their exit code."""
    from gan.training.monitor import TrainingFailed

    with Path(os.devnull).open("w") as nowhere:
        sys.stdout = nowhere
        try:
            join_process_group()
            while (job := team().share(None)) is not None:
                with suppress(TrainingFailed):  # the first process says so
                    work(*job)
        except KeyboardInterrupt:
            return 130
        except (UserError, RuntimeError, OSError) as error:
            if not is_lost_peer(error):
                print(f"Error: process {team().rank} of {num_processes()}: {first_line(error)}", file=sys.stderr)
            return 1
        finally:
            sys.stdout = sys.__stdout__
    leave_process_group()
    return 0


def run_first_process(run: Callable[[], int]) -> int:
    """Run the program as the first process, and let the others go when it has ended."""
    try:
        join_process_group()
    except UserError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    try:
        return run()
    finally:
        if num_processes() > 1 and others_wait:
            with suppress(RuntimeError):  # they may have gone by themselves
                team().share(None)
                leave_process_group()


def leave_process_group() -> None:
    """Part from the other processes."""
    import torch.distributed

    torch.distributed.destroy_process_group()


def is_lost_peer(error: BaseException) -> bool:
    """Whether an error says no more than that another process is gone."""
    return bool(re.search(r"onnection (was )?(closed|reset)|roken pipe|peer|remote process", str(error)))


def first_line(error: BaseException) -> str:
    """What an error says, in one line."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
