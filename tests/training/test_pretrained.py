"""The base model, and whether it is the beginning of a run."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import torch

from gan.networks.checkpoint import load_discriminator, load_generator
from gan.networks.generator import Generator
from pipeline.config import Config, compose
from pipeline.devices import load_checkpoint
from pipeline.errors import UserError
from pipeline.settings.data import roll_spec
from pipeline.settings.train import BASE_TRACKS, FINE_TUNING
from pipeline.training.pretrained import SHIPPED, read_pretrained, write_compact
from tests.conftest import Program


@pytest.mark.parametrize(
    ("words", "init"),
    [
        (("data=originals",), "base"),
        (("data=folder", "data.path=."), "base"),
        (("data=folder", "data.path=.", "tracks=band"), "base"),
        (("data=folder", "data.path=.", "model.pitch_temperature=0.7"), "base"),
        (("data=chorales",), None),
        (("data=pop909", "data.path=.", "tracks=melody3"), None),
        (("data=folder", "data.path=.", "data.metre=3/4"), None),
        (("data=folder", "data.path=.", "roll.steps_per_beat=12"), None),
        (("data=folder", "data.path=.", "roll.bars=8"), None),
        (("data=folder", "data.path=.", "prepare.key=original"), None),
        (("data=folder", "data.path=.", "model=large"), None),
        (("data=games",), None),
        (("data=games", "model=musegan_hybrid"), None),
        (("data=folder", "data.path=.", "train.init=null"), None),
        (("data=chorales", "train.init=mine"), "mine"),
    ],
)
def test_the_base_model_is_taken_where_it_fits(words: tuple[str, ...], init: str | None) -> None:
    train = compose(*words).train
    assert train.init == init
    usual = chorales(*(word for word in words if word.startswith("model="))).train
    for key, value in FINE_TUNING.items():
        assert getattr(train, key) == (value if init else getattr(usual, key)), key
    if train.batches_per_step > 1:  # which designs without such settings do not have
        others = {key: 0.25 if isinstance(value, float) else 5 for key, value in FINE_TUNING.items()}
        said = compose(*words, *(f"train.{key}={value}" for key, value in others.items())).train
        for key, value in others.items():
            assert getattr(said, key) == value, f"{key}: what is said counts, whatever training begins with"


@cache
def chorales(*words: str) -> Config:
    """The settings of training on chorales, which begins with nothing."""
    return compose("data=chorales", *words)


def test_the_base_model_knows_a_band() -> None:
    """It plays what `tracks=pop` has, all of it within some phrases, on the beat and off it."""
    assert roll_spec(*(getattr(compose(), key) for key in ("roll", "tracks")), "4/4").tracks == BASE_TRACKS
    state = read_pretrained(SHIPPED["base"])
    generator = load_generator(state)
    assert isinstance(generator, Generator) and generator.spec.tracks == BASE_TRACKS
    rolls = generator.sample(generator.sample_latents(24, torch.Generator().manual_seed(0)))
    playing = rolls.flatten(3).any(-1).any(1)
    assert playing.float().mean(0).min() > 0.2, "every track plays in some phrases"
    notes = rolls[:, 0].flatten(2).sum(-1).float() / generator.spec.bars
    assert 0.5 < notes.mean() < 16
    assert load_discriminator(state).spec.tracks == BASE_TRACKS
    assert SHIPPED["base"].stat().st_size < 6_000_000


@pytest.mark.slow
def test_a_compact_file_holds_the_networks_of_a_checkpoint(small_album: Path, tmp_path: Path) -> None:
    checkpoint = small_album / "outputs/small/train/checkpoint.pt"
    write_compact(checkpoint, tmp_path / "small.pt.xz")
    assert (tmp_path / "small.pt.xz").stat().st_size < checkpoint.stat().st_size / 4
    before, found = load_checkpoint(checkpoint), read_pretrained(tmp_path / "small.pt.xz")
    for network, weights in (("average", before["chosen"]["average"]), ("discriminator", None)):
        for key, values in (weights or before["trainer"][network]).items():
            assert torch.allclose(values.float(), found[network][key].float(), rtol=1 / 128, atol=1e-6), key
    kept = load_generator(found).spec
    assert kept.to_dict() == before["spec"]
    (tmp_path / "cut.pt.xz").write_bytes((tmp_path / "small.pt.xz").read_bytes()[:1000])
    with pytest.raises(UserError, match=r"cut\.pt\.xz is damaged"):
        read_pretrained(tmp_path / "cut.pt.xz")


@pytest.mark.slow
def test_a_run_of_no_steps_plays_the_model_it_begins_with(program: Program, prepared_folder: Path) -> None:
    words = ("data=folder", "data.path=music", "name=untrained", "train.steps=0", "generate.candidates=2")
    done = program("+stage=train", *words, cwd=prepared_folder, check=True)
    assert "takes the networks of train.init=base as they are" in done.stdout
    assert "begins with the weights of the base model" in done.stdout
    state = load_checkpoint(prepared_folder / "outputs/untrained/train/checkpoint.pt")
    assert state["chosen"]["step"] == state["trainer"]["step"] == 0
    base = read_pretrained(SHIPPED["base"])["average"]
    key = "trunk.0.mix.weight"
    assert torch.allclose(state["chosen"]["average"][key], base[key].float(), atol=1e-6)
    refused = program("+stage=train", *words, "train.init=null", "name=nothing", cwd=prepared_folder)
    assert refused.returncode == 1 and "train.steps must be at least 1, not 0" in refused.stderr
