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

in_step = True
"""Whether the others wait for what the first has to say next; after a failure in training they do not."""


def is_first() -> bool:
    """Whether this process is the one that runs the program."""
    return os.environ.get("RANK", "0") == "0"


def team() -> Team:
    """All processes, for training."""
    from gan.training.distributed import Team

    return Team(int(os.environ.get("RANK", "0")), num_processes())


def meet() -> None:
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
def assembled(job: Any) -> Iterator[None]:
    """Send the other processes `job`, and train with them within the block.

    An error that all of them come to, `TrainingFailed`, leaves them waiting for the next job; any other ends them.
    """
    from gan.training.monitor import TrainingFailed

    global in_step
    if num_processes() == 1:
        yield
        return
    if not in_step:
        raise UserError("the other processes have ended; start the program again.")
    team().share(job)
    in_step = False
    try:
        yield
    except TrainingFailed:
        in_step = True
        raise
    except RuntimeError as error:
        if not is_loss(error):
            raise
        raise UserError(
            "another of the processes has ended; the last checkpoint is kept, and the same command goes on."
        ) from error
    in_step = True


def follow(work: Callable[..., None]) -> int:
    """What the other processes do until the first has nothing more for them: `work` on each job; their exit code."""
    from gan.training.monitor import TrainingFailed

    with Path(os.devnull).open("w") as nowhere:
        sys.stdout = nowhere
        try:
            meet()
            while (job := team().share(None)) is not None:
                with suppress(TrainingFailed):  # the first process says so
                    work(*job)
        except KeyboardInterrupt:
            return 130
        except (UserError, RuntimeError, OSError) as error:
            if not is_loss(error):
                print(f"Error: process {team().rank} of {num_processes()}: {first_line(error)}", file=sys.stderr)
            return 1
        finally:
            sys.stdout = sys.__stdout__
    leave()
    return 0


def led(run: Callable[[], int]) -> int:
    """Run the program as the first process, and let the others go when it has ended."""
    try:
        meet()
    except UserError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    try:
        return run()
    finally:
        if num_processes() > 1 and in_step:
            with suppress(RuntimeError):  # they may have gone by themselves
                team().share(None)
                leave()


def leave() -> None:
    """Part from the other processes."""
    import torch.distributed

    torch.distributed.destroy_process_group()


def is_loss(error: BaseException) -> bool:
    """Whether an error says no more than that another process is gone."""
    return bool(re.search(r"onnection (was )?(closed|reset)|roken pipe|peer|remote process", str(error)))


def first_line(error: BaseException) -> str:
    """What an error says, in one line."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
