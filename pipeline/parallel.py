"""Parallel work on many files by joblib: on all cores of the machine, or on a Dask or Ray cluster."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from typing import Any, TypeVar

from pipeline.errors import UserError
from pipeline.settings.data import ExecutorSettings

Item = TypeVar("Item")
Result = TypeVar("Result")

WINDOW = 2000
"""Items given out at a time: as many results wait in memory at most while an early one is not done."""
LARGEST_BATCH = 16
"""Items that travel to a worker together, so that the way costs little beside the work."""
BATCHES = 50
"""Batches for each worker at least, where there are enough items: at the end all finish at about the same time."""


@dataclass(frozen=True)
class Backend:
    """A joblib backend: where the work is sent."""

    name: str
    num_workers: int
    deaths: tuple[type[BaseException], ...]
    """What is raised where a worker died of an item."""
    return_as: str = "generator"
    options: dict[str, Any] = field(default_factory=dict)
    """What joblib wants to know of it besides."""

    def run(self, calls: list[Any], workers: int, batch: int) -> Iterator[Any]:
        """The results of delayed calls, in order. What is broken by a death is left behind: each run begins afresh."""
        import joblib

        with joblib.parallel_config(self.name, **self.options):
            parallel = joblib.Parallel(workers, return_as=self.return_as, batch_size=batch)
        if workers == 1 or threading.current_thread() is not threading.main_thread():
            return iter(parallel(calls))
        if hasattr(signal, "pthread_sigmask"):
            resource_tracker.ensure_running()  # which would let Ctrl-C through when it starts later
        with interrupt_held():  # for ever in the processes that start now; here it comes once they have started
            return iter(parallel(calls))


def work_on(
    items: Sequence[Item],
    task: Callable[[Item], Result],
    crashed: Callable[[Item], Result],
    executor: ExecutorSettings,
) -> Iterator[Result]:
    """What came of each item by `task`, in the items' order.

    An item on which a process dies becomes `crashed(item)`, and the others go on: after a crash the items that may be
    to blame are worked on again, each by a process of its own. With one local worker there is no other process.

    Raises
    ------
    UserError
        The cluster's package is not installed, or its scheduler does not answer.
    """
    import joblib

    if not items:
        return
    call = joblib.delayed(task)
    done = 0
    with BACKENDS[executor.kind](executor) as backend:
        while done < len(items):
            window = items[done : done + WINDOW]
            batch = min(LARGEST_BATCH, max(1, len(window) // (BATCHES * backend.num_workers)))
            workers = min(backend.num_workers, len(window)) if backend.name == "loky" else backend.num_workers
            try:
                for result in backend.run([call(item) for item in window], workers, batch):
                    done += 1
                    yield result
            except backend.deaths:
                for item in items[done : done + 4 * backend.num_workers * batch]:
                    try:
                        result = next(backend.run([call(item)], 2, 1))
                    except backend.deaths:
                        result = crashed(item)
                    done += 1
                    yield result


@contextmanager
def local(executor: ExecutorSettings) -> Iterator[Backend]:
    """Processes of this machine, as many as it has cores (two at least, so that a crash costs one file)."""
    import joblib
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    yield Backend("loky", executor.workers or max(2, joblib.cpu_count()), (TerminatedWorkerError,))


@contextmanager
def dask(executor: ExecutorSettings) -> Iterator[Backend]:
    """The workers of a Dask scheduler; without an address, of one that is started on this machine."""
    try:
        import distributed
    except ImportError as error:
        raise missing("dask", "dask==2026.8.0 distributed==2026.8.0") from error
    if executor.address is None:
        cluster = distributed.LocalCluster(
            executor.workers or os.cpu_count(), threads_per_worker=1, dashboard_address=None
        )
    else:
        cluster = None
    try:
        client = distributed.Client(cluster or executor.address, timeout="10s")
        _tell_deaths()
    except (OSError, ValueError, TypeError) as error:
        raise silent("Dask", executor.address) from error
    try:
        try:
            client.wait_for_workers(1, timeout=30)
        except distributed.TimeoutError as error:
            raise UserError(f"the Dask scheduler at {executor.address} has no workers: start some there.") from error
        found = sum(client.nthreads().values())
        patience = {"wait_for_workers_timeout": 120}  # until one that died has been started again
        try:
            yield Backend("dask", min(found, executor.workers or found), (distributed.KilledWorker,), options=patience)
        except TimeoutError as error:
            raise UserError(
                "the Dask cluster has lost its workers: start some, then give the same command, which goes on."
            ) from error
    finally:
        client.close()
        if cluster is not None:
            cluster.close()


def _tell_deaths() -> None:
    """Give joblib a Dask backend that hears of workers that died; its own waits for their results for ever.

    It never says that there is one worker alone, since joblib would then do the work in this process.
    """
    import asyncio

    import joblib
    from joblib._dask import DaskDistributedBackend
    from joblib._utils import _ExceptionWithTraceback

    class TellingBackend(DaskDistributedBackend):  # type: ignore[misc]  # joblib has no types
        def effective_n_jobs(self, n_jobs: int) -> int:
            return max(2, int(super().effective_n_jobs(n_jobs)))

        def abort_everything(self, ensure_ready: bool = True) -> None:
            # what is left would run on, and kill workers that have other work by then
            self.client.cancel(list(self._results), force=True)
            super().abort_everything(ensure_ready)

        async def _collect(self) -> None:
            while self._continue:
                async for future, result in self.waiting_futures:
                    waiting, callback = self._results.pop(future), self._callbacks.pop(future)
                    told = _ExceptionWithTraceback(result[1]) if future.status == "error" else result
                    waiting.set_result(told)
                    callback(told)
                await asyncio.sleep(0.01)

    joblib.register_parallel_backend("dask", TellingBackend)


@contextmanager
def ray(executor: ExecutorSettings) -> Iterator[Backend]:
    """The workers of a Ray cluster; without an address, of one that is started on this machine."""
    try:
        import ray as package
        from ray.util.joblib import register_ray
    except ImportError as error:
        raise missing("ray", "ray==2.60.0") from error
    try:
        own = {"num_cpus": executor.workers} if executor.address is None else {"address": executor.address}
        package.init(log_to_driver=False, include_dashboard=False, **own)
    except (OSError, ValueError, RuntimeError) as error:
        raise silent("Ray", executor.address) from error
    try:
        register_ray()
        found = int(package.cluster_resources().get("CPU", 1))
        yield Backend(
            "ray", max(2, min(found, executor.workers or found)), (package.exceptions.RayError,), return_as="list"
        )
    finally:
        package.shutdown()


BACKENDS: dict[str, Any] = {"local": local, "dask": dask, "ray": ray}
"""The kinds of `executor.kind`."""


def missing(kind: str, packages: str) -> UserError:
    """The error where a cluster's package is not installed."""
    return UserError(f"executor={kind} needs a package that is not installed: python -m pip install {packages}")


def silent(name: str, address: str | None) -> UserError:
    """The error where a cluster can't be reached."""
    if address is None:
        return UserError(f"{name} can't start a cluster on this machine: give executor.address, or executor=local.")
    return UserError(f"no {name} scheduler answers at executor.address={address}: start one there, or correct it.")


class TookTooLongError(BaseException):
    """Work went on beyond its limit. No `Exception`, so that nothing at work takes it for one of its own."""


@contextmanager
def limited(seconds: float, home: int) -> Iterator[None]:
    """A limit of processor time: raise `TookTooLongError` when the block takes more seconds.

    What does not come back to Python even then, ends the process after as long again, unless it is the one that
    started the program (`home`, its number). Without limit off the main thread, and where the system has no timers.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(number: int, frame: object) -> None:
        raise TookTooLongError

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    if os.getpid() != home:
        signal.setitimer(signal.ITIMER_PROF, 2 * seconds)  # its signal ends a process
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGVTALRM, before)


@contextmanager
def interrupt_held() -> Iterator[None]:
    """Ctrl-C waits until the block ends, and in processes that are started in it until they call `end_on_interrupt`."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_on_interrupt() -> None:
    """Let Ctrl-C end this process, without a word."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def num_processes() -> int:
    """How many torchrun started; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def local_rank() -> int:
    """Which of this machine's processes this one is."""
    return int(os.environ.get("LOCAL_RANK", "0"))
