"""Latents: drawn, varied, interpolated."""

import pytest
import torch

from gan.conditions import ConditionLayout, no_conditions
from gan.latents import Latents
from tests.gan.trio import SPEC


def test_varied_latents_keep_the_phrase_and_stay_gaussian():
    random = torch.Generator().manual_seed(0)
    latents = Latents.sample(no_conditions(2000, SPEC), 3, 8, random)
    varied = latents.vary(0.3, random)
    assert torch.equal(varied.z, latents.z)
    assert torch.equal(varied.z_track, latents.z_track)
    for name in ("z_time", "z_track_time"):
        value = varied.to_dict()[name]
        assert value.std().item() == pytest.approx(1.0, abs=0.02)
        closeness = (value * latents.to_dict()[name]).mean().item()
        assert closeness == pytest.approx(0.891, abs=0.03)  # cos(0.3 * 90 degrees)
    assert torch.equal(latents.vary(0.0, random).z_time, latents.z_time)
    with pytest.raises(ValueError, match="amount"):
        latents.vary(1.5, random)


def test_interpolation_runs_from_one_end_to_the_other_on_the_sphere():
    random = torch.Generator().manual_seed(0)
    first, second = (Latents.sample(no_conditions(200, SPEC), 3, 64, random) for _ in range(2))
    layout = ConditionLayout.of(SPEC)
    assert torch.allclose(first.interpolate(second, 0.0, layout).z, first.z, atol=1e-5)
    assert torch.allclose(first.interpolate(second, 1.0, layout).z_track, second.z_track, atol=1e-5)
    half = first.interpolate(second, 0.5, layout).z.norm(dim=-1).mean()
    assert half.item() == pytest.approx(8.0, rel=0.03), "no shorter than the ends, unlike a straight line"


def test_latents_are_seeded_indexed_and_saved():
    latents = Latents.sample(no_conditions(3, SPEC), 3, 4, torch.Generator().manual_seed(5))
    again = Latents.sample(no_conditions(3, SPEC), 3, 4, torch.Generator().manual_seed(5))
    assert torch.equal(latents.z_track_time, again.z_track_time)
    assert torch.equal(latents[1:2].z, again.z[1:2])
    joined = Latents.cat([latents[0:1], Latents.from_dict(latents.to_dict())[1:3]])
    assert torch.equal(joined.z_track, latents.z_track)
    assert len(joined) == 3
