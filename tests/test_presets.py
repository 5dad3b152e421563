"""The choices of `model=`: what they bring along, what the user may still decide, and that each of them trains."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from gan.spec import RollSpec, Track
from gan.statistics import DataStatistics
from gan.training.batches import batches_from
from gan.training.trainer import Trainer
from pipeline.config import PROGRAM, compose, flatten, group_choices, read_config
from pipeline.errors import UserError
from pipeline.files import Manifest, write_manifest

SPEC = RollSpec((Track("Drums", is_drum=True), Track("Lead")), bars=1, num_pitches=24)
MUSEGAN = [choice for choice in group_choices("model") if choice.startswith("musegan")]


def test_all_five_designs_of_musegan_can_be_chosen() -> None:
    assert [compose(f"model={choice}").model.design for choice in MUSEGAN] == [
        choice.removeprefix("musegan_") for choice in MUSEGAN
    ]
    assert len(MUSEGAN) == 5


@pytest.mark.parametrize("choice", MUSEGAN)
def test_a_chosen_design_brings_its_training_along_and_trains(choice: str) -> None:
    config = compose(f"model={choice}", "model.filters=2", "model.latent_size=4", "train.batch_size=2", "train.steps=2")
    assert config.train.loss == "wasserstein"
    assert config.train.gamma == 10
    assert config.train.discriminator_steps == (1 if choice == "musegan_tutorial" else 5)
    rolls = torch.rand((8, *SPEC.shape), generator=torch.Generator().manual_seed(0)) < 0.02
    rolls[:, 1] = False
    trainer = Trainer(SPEC, DataStatistics.of([rolls], SPEC), config.model, config.train)
    reports = list(trainer.run(batches_from(rolls, SPEC, config.train.phrases_per_step, 0)))
    assert reports[-1].step == 2
    assert reports[-1].samples is not None


def test_the_default_design_keeps_its_own_training() -> None:
    config = compose()
    assert (config.model.design, config.train.loss, config.train.discriminator_steps) == ("albumgan", "relativistic", 1)


def test_what_the_user_says_of_training_wins() -> None:
    config = compose("model=musegan_hybrid", "train.learning_rate=0.001", "train.batch_size=16")
    assert (config.train.learning_rate, config.train.batch_size, config.train.loss) == (0.001, 16, "wasserstein")
    chosen = compose("train=musegan_tutorial", "model=musegan_hybrid")
    assert (chosen.train.batch_size, chosen.train.discriminator_steps) == (16, 1)
    with pytest.raises(UserError, match=r"train\.batches_per_step does nothing with model\.design=hybrid"):
        compose("model=musegan_hybrid", "train=default")
    with pytest.raises(UserError, match=r"model\.trunk_width does nothing with model\.design=hybrid"):
        compose("model=musegan_hybrid", "model.trunk_width=8")


def test_another_design_under_a_used_name_does_not_take_over_how_the_first_one_was_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    trained = flatten(compose("train.learning_rate=0.003"))
    place = Path("outputs/mine/train")
    place.mkdir(parents=True)
    settings = {key: value for key, value in trained.items() if key.startswith(("model.", "train."))}
    write_manifest(place, Manifest("train", 1, settings, {}, {}, {}, 1.0))
    values = {choice: tree_of(f"model={choice}") for choice in ("default", "musegan_hybrid")}
    same = read_config(values["default"], ("model",), ("train",), "mine")
    assert same.train.learning_rate == 0.003
    other = read_config(values["musegan_hybrid"], ("model",), ("train",), "mine")
    assert (other.train.learning_rate, other.train.loss) == (0.0002, "wasserstein")


def tree_of(*words: str):
    """The settings before they are read."""
    import hydra

    with hydra.initialize_config_dir(str(PROGRAM / "conf"), version_base="1.3"):
        return OmegaConf.create(
            OmegaConf.to_container(hydra.compose("config", ["+stage=train", *words]), resolve=False)
        )
