"""Which step's weights are kept: the most like the validation songs, those of the final phase before all others."""

import torch
from torch import nn

from pipeline.training.checkpoint_selection import CheckpointSelection


def network(value: float) -> nn.Module:
    layer = nn.Linear(1, 1)
    nn.init.constant_(layer.weight, value)
    return layer


def test_the_highest_overlap_is_kept_and_the_final_phase_comes_first() -> None:
    selection = CheckpointSelection()
    for step, final_phase, overlap in ((200, False, 0.9), (400, False, 0.8), (600, True, 0.5), (800, True, 0.4)):
        selection.offer(step, final_phase, overlap, network(step))
    assert (selection.chosen["step"], selection.chosen["overlap"]) == (600, 0.5)
    assert selection.chosen["average"]["weight"].item() == 600


def test_weights_that_were_kept_do_not_change_with_the_network() -> None:
    selection, average = CheckpointSelection(), network(1.0)
    selection.offer(200, False, 0.9, average)
    with torch.no_grad():
        average.get_parameter("weight").fill_(7.0)
    assert selection.chosen["average"]["weight"].item() == 1.0
