"""Transposition, condition dropout, inpainting masks."""

import pytest
import torch

from gan.rolls import to_streams
from gan.spec import RollSpec, Track
from gan.training.augmentation import draw_masks, drop_conditions, transpose
from tests.gan.trio import LAYOUT, SPEC
from tests.roll_makers import SPEC as BASS
from tests.roll_makers import sample_rolls


def test_masks_leave_something_to_be_made_and_of_some_nothing_is_given() -> None:
    masks = draw_masks(4000, SPEC, torch.Generator().manual_seed(0)).flatten(1)
    assert not masks.all(1).any()
    assert (~masks.any(1)).float().mean() == pytest.approx(0.4, abs=0.03)
    assert torch.equal(masks, draw_masks(4000, SPEC, torch.Generator().manual_seed(0)).flatten(1))
    one = RollSpec((Track("Tune"),), bars=1)
    assert not draw_masks(50, one, torch.Generator().manual_seed(0)).any()


def test_conditions_are_dropped_all_together_or_one_by_one() -> None:
    conditions = torch.ones(4000, LAYOUT.size)
    gaps = drop_conditions(conditions, LAYOUT, 0.1, 0.2, torch.Generator().manual_seed(0)).isnan()
    assert gaps.all(1).float().mean() == pytest.approx(0.1, abs=0.02)
    assert gaps.float().mean() == pytest.approx(0.28, abs=0.02)
    for whole in (LAYOUT.rhythm, LAYOUT.chroma):
        assert torch.equal(gaps[:, whole].any(1), gaps[:, whole].all(1))


def test_transposition_moves_pitches_not_drums():
    streams = to_streams(sample_rolls(), (0, 0), 24)
    moved = transpose(streams, torch.tensor([3]), BASS)
    assert torch.equal(moved[:, :, 0], streams[:, :, 0])
    assert torch.equal(moved[:, :, 1, :, 3:], streams[:, :, 1, :, :-3])
    assert moved[:, :, 1, :, :3].sum() == 0
    lost = transpose(streams, torch.tensor([-9]), BASS)
    assert lost[0, :, 1, 1].sum() == 1, "pitch 9 lands on 0, pitch 7 leaves the pitch_range"
