"""Agreement with numbers that were requested, and a classifier of styles."""

import math

import pytest
import torch

from gan.conditions import STYLE
from gan.metrics.attribute_control import agreement, outer_thirds, train_style_classifier
from tests.evaluation.generators import SPEC, songs


def test_agreement_is_measured_on_a_logarithmic_scale() -> None:
    requested = torch.tensor([1.0, 3.0, 7.0, float("nan"), 2.0])
    found = agreement(requested, 2 * (requested + 1) - 1)
    assert found.correlation == pytest.approx(1)
    assert found.error == pytest.approx((2 + 4 + 8 + 3) / 4)
    assert math.isnan(agreement(requested, torch.ones(5)).correlation), "always the same"


@pytest.mark.parametrize(
    ("values", "slow", "fast"), [([60.0, 90, 120], [0], [2]), ([60.0, float("nan"), 80, 90, 99], [0, 2], [3, 4])]
)
def test_thirds_are_the_slow_and_the_fast(values: list[float], slow: list[int], fast: list[int]) -> None:
    found = outer_thirds(torch.tensor(values)) or pytest.fail("no thirds")
    assert [side.nonzero().flatten().tolist() for side in found] == [slow, fast]
    assert outer_thirds(torch.full((9,), 120.0)) is None


def test_two_styles_are_needed_to_classify_them() -> None:
    training = songs(8, 2)
    rolls, styles = training.phrases.rolls, training.labels[:, STYLE]
    states = [train_style_classifier(rolls, styles, 2, SPEC, seed).state_dict() for seed in (1, 1)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    with pytest.raises(ValueError, match="no two styles"):
        train_style_classifier(rolls, torch.zeros(len(rolls)), 2, SPEC)
