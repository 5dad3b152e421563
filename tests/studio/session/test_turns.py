"""Turns at the networks: first come, first served, also between the steps of long work."""

from __future__ import annotations

import threading
import time

from pipeline.studio.session.turns import TurnLock


def test_turns_come_in_the_order_of_asking_and_long_work_passes_them_on() -> None:
    lock, order, threads = TurnLock(), list[str](), list[threading.Thread]()

    def short(name: str) -> None:
        with lock, lock:
            order.append(name)

    def begin(name: str) -> None:
        threads.append(threading.Thread(target=short, args=(name,)))
        threads[-1].start()
        while len(lock._queue) < len(threads) + 1:
            time.sleep(0.001)

    with lock:
        for name in "abc":
            begin(name)
        order.append("step 1")
        with lock:
            lock.pass_on()
        order.append("step 2")
    for thread in threads:
        thread.join()
    assert order == ["step 1", "a", "b", "c", "step 2"]
    lock.pass_on()  # by one who does not hold it: nothing
    with lock:
        pass


def test_an_error_gives_the_turn_back() -> None:
    lock = TurnLock()
    try:
        with lock:
            raise ValueError
    except ValueError:
        pass
    done = threading.Thread(target=lock.__enter__)
    done.start()
    done.join(5)
    assert not done.is_alive()
