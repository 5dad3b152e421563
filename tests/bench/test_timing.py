"""Contenders are measured in turn, so that a machine whose speed changes changes it for all of them."""

from __future__ import annotations

from pipeline.bench.timing import interleaved_laps


def test_contenders_are_measured_in_turn() -> None:
    order: list[str] = []
    laps = interleaved_laps({name: lambda name=name: order.append(name) or len(order) for name in "ab"}, 2, "test")
    assert order == ["a", "b", "a", "b"]
    assert laps == {"a": [1, 3], "b": [2, 4]}
