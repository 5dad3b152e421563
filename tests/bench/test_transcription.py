"""The benchmark of transcription."""

from __future__ import annotations

from pipeline.bench.transcription import means


def test_means_are_over_the_pieces_that_have_a_figure() -> None:
    assert means([{"a": 1.0, "b": None}, {"a": 0.5, "b": None}]) == {"a": 0.75, "b": None}
    assert means([{"a": None}, {"a": 0.5}]) == {"a": 0.5}
