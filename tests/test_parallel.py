import os
import signal
import sys
from pathlib import Path

import joblib
import pytest
from joblib.externals.loky import get_reusable_executor

from pipeline.dataset.cutting import SourceFile
from pipeline.dataset.resumable_reading import LIMIT_SECONDS, read_files
from pipeline.dataset.store_writer import write_store
from pipeline.errors import UserError
from pipeline.parallel import TookTooLongError, limited, work_on
from pipeline.settings.data import ExecutorSettings
from tests.music_makers import cutting, song_midi


def double(number: int) -> int:
    return 2 * number


def lost(number: int) -> int:
    return -1


def test_nothing_to_do_needs_no_processes() -> None:
    assert list(work_on([], double, lost, ExecutorSettings("dask", None, "tcp://nowhere:1"))) == []


@pytest.mark.parametrize("kind", ["dask", "ray"])
def test_a_missing_cluster_package_is_named(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("dask", "distributed", "ray"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UserError, match=f"executor={kind} needs a package that is not installed: .*{kind}=="):
        list(work_on([1, 2], double, lost, ExecutorSettings(kind, None, None)))


def test_items_come_back_in_order_from_several_processes() -> None:
    assert list(work_on(range(50), double, lost, ExecutorSettings("local", 2, None))) == list(range(0, 100, 2))


def holds_interrupt_back(number: int) -> bool:
    return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="this system holds no signals back")
def test_ctrl_c_is_for_this_process_alone_and_is_not_lost_while_others_start(monkeypatch: pytest.MonkeyPatch) -> None:
    get_reusable_executor().shutdown(wait=True)  # whose processes other tests may have started
    held = work_on(range(4), holds_interrupt_back, lost, ExecutorSettings("local", 2, None))
    assert list(held) == [True] * 4
    assert not holds_interrupt_back(0)

    def start(self: joblib.Parallel, calls: object) -> list[object]:
        os.kill(os.getpid(), signal.SIGINT)
        return []

    monkeypatch.setattr(joblib.Parallel, "__call__", start)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # which a job in the background ignores
    try:
        with pytest.raises(KeyboardInterrupt):
            list(work_on([1, 2], double, lost, ExecutorSettings("local", 2, None)))
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers")
def test_work_beyond_its_time_is_stopped_and_other_work_is_not() -> None:
    with limited(LIMIT_SECONDS, os.getpid()):
        pass
    with pytest.raises(TookTooLongError), limited(0.05, os.getpid()):
        while True:
            pass


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_dask_cluster_of_two_gives_the_same(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    sources = [SourceFile(f"song-{seed}", str(song_midi(tmp_path / f"{seed}.mid", seed))) for seed in range(5)]
    for kind in ("local", "dask"):
        (tmp_path / kind).mkdir()
        write_store(read_files(sources, cutting(), ExecutorSettings(kind, 2, None)), cutting(), tmp_path / kind)
    for path in (tmp_path / "local").iterdir():
        assert path.read_bytes() == (tmp_path / "dask" / path.name).read_bytes(), path.name
    with pytest.raises(UserError, match=r"no Dask scheduler answers at executor\.address=tcp://127"):
        list(work_on([1, 2], double, lost, ExecutorSettings("dask", None, "tcp://127.0.0.1:9")))
