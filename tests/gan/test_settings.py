"""A wrong setting, and one without effect, is named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gan.settings import DESIGNS, AlbumGANSettings, ModelSettings, TrainSettings, check_together
from tests.gan.musegan.small_designs import TRAIN, small


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (TrainSettings(batch_size=1), "train.batch_size must be at least 2, not 1"),
        (TrainSettings(minutes=0), "train.minutes must be above 0"),
        (TrainSettings(ema_decay=1.0), "train.ema_decay"),
        (AlbumGANSettings(dropout=1.0), "model.dropout must be at least 0 and below 1, not 1"),
        (AlbumGANSettings(pitch_temperature=0), "model.pitch_temperature must be above 0 and at most 2, not 0"),
        (TrainSettings(pretrain_share=1.5), "train.pretrain_share must be between 0 and 1, not 1.5"),
        (TrainSettings(generator_speed=0), "train.generator_speed must be above 0, not 0"),
        (AlbumGANSettings(trunk_width=0), "model.trunk_width must be at least 1"),
    ],
)
def test_a_wrong_setting_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        settings.check()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"design": "rock"}, "model.design must be one of albumgan, jamming"),
        ({"design": "hybrid", "trunk_width": 64}, "model.trunk_width does nothing with model.design=hybrid"),
        ({"design": "hybrid", "neurons": "stochastic"}, "model.neurons does nothing with model.design=hybrid"),
        ({"filters": 8}, "model.filters does nothing with model.design=albumgan"),
    ],
)
def test_a_design_takes_its_own_settings_only(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ModelSettings.of(values)


def test_settings_come_back_from_plain_values() -> None:
    for design, kind in DESIGNS.items():
        settings = ModelSettings.of({"design": design, "latent_size": 7})
        assert type(settings) is kind
        assert settings.design == design
        assert ModelSettings.of(settings.to_dict()) == settings


@pytest.mark.parametrize(
    ("model", "train", "message"),
    [
        (small("binary", neurons="fuzzy"), TRAIN, "model.neurons must be one of deterministic, stochastic, not fuzzy"),
        (
            small("hybrid"),
            TrainSettings(),
            "batches_per_step does nothing with .*=hybrid, .* 1; train=musegan",
        ),
        (small("hybrid"), replace(TRAIN, weight_decay=0.3), "train.weight_decay does nothing with model.design=hybrid"),
        (
            AlbumGANSettings(),
            replace(TRAIN, loss="wasserstein"),
            "train.loss=wasserstein needs gradients through",
        ),
        (AlbumGANSettings(), TrainSettings(discriminator_steps=2), "discriminator_steps must be 1 with .*albumgan"),
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
