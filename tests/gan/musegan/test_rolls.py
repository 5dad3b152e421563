"""Rolls as MuseGAN sees them."""

from __future__ import annotations

import torch

from gan.musegan.rolls import run_onsets
from tests.gan.musegan.small_designs import BAND


def test_runs_of_steps_are_notes_across_bars_and_each_drum_step_is_a_hit() -> None:
    sounding = torch.zeros((1, 3, 2, 16, 30), dtype=torch.bool)
    sounding[0, :, 0, 14:, 7] = True
    sounding[0, :, 1, :2, 7] = True  # the same run goes on after the bar line
    sounding[0, :, 1, 5, 7] = True
    onset = run_onsets(sounding, BAND).flatten(2, 3)[0, :, :, 7]
    assert onset[1].nonzero().flatten().tolist() == [14, 21]
    assert onset[0].nonzero().flatten().tolist() == [14, 15, 16, 17, 21]
