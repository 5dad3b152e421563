"""Batches that threads share."""

import threading
from collections.abc import Iterator

import pytest
import torch

from gan.ops.threads import on_threads


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_rows_are_shared_evenly_and_come_back_in_order(two_threads: None) -> None:
    workers, widths = set(), set()

    def work(rows: slice) -> torch.Tensor:
        workers.add(threading.get_ident())
        widths.add(torch.get_num_threads())
        return torch.arange(rows.start, rows.stop)

    assert on_threads(work, 9, least=4).tolist() == list(range(9))
    assert threading.get_ident() in workers and len(workers) == 2 and widths == {1}
    assert torch.get_num_threads() == 2
    later = threading.Thread(target=lambda: widths.add(torch.get_num_threads()))
    later.start()
    later.join()
    assert widths == {1, 2}, "threads that start afterwards are as wide as before"


def test_few_rows_and_a_single_thread_stay_where_they_are(two_threads: None) -> None:
    def work(rows: slice) -> torch.Tensor:
        return torch.full((rows.stop,), threading.get_ident())

    assert on_threads(work, 7, least=4).tolist() == [threading.get_ident()] * 7
    torch.set_num_threads(1)
    assert on_threads(work, 8, least=4).tolist() == [threading.get_ident()] * 8


def test_an_error_on_a_thread_is_raised(two_threads: None) -> None:
    def work(rows: slice) -> torch.Tensor:
        raise ValueError(f"row {rows.start}")

    with pytest.raises(ValueError, match="row 0"):
        on_threads(work, 8, least=4)
    assert torch.get_num_threads() == 2
