"""MuseGAN's layers follow the shape of the rolls."""

from __future__ import annotations

from gan.musegan.layers import octave_growth, split_steps


def test_96_steps_and_7_octaves_are_split_as_published() -> None:
    assert split_steps(48, 5) == [2, 2, 2, 2, 3]
    assert split_steps(8, 5) == [2, 2, 2, 1, 1]
    assert split_steps(1, 5) == [1, 1, 1, 1, 1]
    assert sorted(split_steps(2**7, 5)) == [2, 2, 2, 4, 4]
    assert octave_growth(7) == (3, 3)
