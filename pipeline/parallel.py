"""The same work on many files: on all cores of the machine, or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from pipeline.music.settings import ExecutorSettings

Item = TypeVar("Item")
Result = TypeVar("Result")


def work_on(
    items: Sequence[Item],
    task: Callable[[Item], Result],
    crashed: Callable[[Item], Result],
    executor: ExecutorSettings,
) -> Iterator[Result]:
    """What came of each item by `task`, in the items' order.

    An item on which a process dies becomes `crashed(item)`, and the others go on: after a crash the items that may be
    to blame are worked on again, each by a process of its own. With one worker there is no other process.
    """
    import joblib
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    num_workers = executor.workers or max(2, joblib.cpu_count())
    call = joblib.delayed(task)
    done = 0
    while done < len(items):
        rest = items[done:]
        parallel = joblib.Parallel(min(num_workers, len(rest)), return_as="generator", batch_size=1)
        try:
            for result in parallel(call(item) for item in rest):
                done += 1
                yield result
        except TerminatedWorkerError:
            for item in items[done : done + 4 * num_workers]:
                try:
                    result = joblib.Parallel(2)([call(item)])[0]
                except TerminatedWorkerError:
                    result = crashed(item)
                done += 1
                yield result
