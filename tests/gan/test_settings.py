"""A wrong setting, and one without effect, is named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gan.settings import ModelSettings, TrainSettings, check_together
from tests.gan.musegan.small_designs import TRAIN, small


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (TrainSettings(batch_size=1), "train.batch_size must be at least 2, not 1"),
        (TrainSettings(minutes=0), "train.minutes must be above 0"),
        (TrainSettings(ema_decay=1.0), "train.ema_decay"),
        (ModelSettings(heads="both"), "model.heads must be one of auto, choice, voices, neurons, not both"),
        (ModelSettings(trunk_width=0), "model.trunk_width must be at least 1"),
    ],
)
def test_a_wrong_setting_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        settings.check()


@pytest.mark.parametrize(
    ("model", "train", "message"),
    [
        (ModelSettings(design="rock"), TRAIN, "model.design must be one of albumgan, jamming"),
        (small("hybrid", trunk_width=64), TRAIN, "model.trunk_width does nothing with model.design=hybrid"),
        (small("hybrid", neurons="stochastic"), TRAIN, "model.neurons does nothing with model.design=hybrid"),
        (ModelSettings(filters=8), TrainSettings(), "model.filters does nothing with model.design=albumgan"),
        (small("binary", neurons="fuzzy"), TRAIN, "model.neurons must be one of deterministic, stochastic, not fuzzy"),
        (small("hybrid"), TrainSettings(), "train.attribute_loss does nothing with model.design=hybrid.*train=musegan"),
        (small("hybrid"), replace(TRAIN, max_transposition=2), "train.max_transposition does nothing"),
        (
            small("hybrid"),
            replace(TRAIN, loss="hinge"),
            "train.loss must be one of relativistic, wasserstein, not hinge",
        ),
        (small("hybrid"), replace(TRAIN, discriminator_steps=0), "train.discriminator_steps must be at least 1"),
    ],
)
def test_a_setting_without_effect_is_named(model: ModelSettings, train: TrainSettings, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_together(model, train)
