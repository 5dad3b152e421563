"""Partial resampling: beats that are not resampled come back to the note."""

from __future__ import annotations

import torch

from gan.context import Context
from gan.networks.generator import Generator
from gan.networks.variation import resample_beats
from tests.trainer_makers import SPEC, make_trainer, scale_rolls


def test_only_resampled_beats_of_open_bars_change() -> None:
    generator = make_trainer().generator
    assert isinstance(generator, Generator)
    rolls, random = scale_rolls(6), torch.Generator().manual_seed(1)
    mask = torch.rand(6, SPEC.num_tracks, SPEC.bars, generator=random) < 0.3
    resampled = torch.rand(6, SPEC.bars * SPEC.beats_per_bar, SPEC.num_tracks, generator=random) < 0.5
    made = resample_beats(generator, generator.sample_latents(6, random), Context(rolls, mask), resampled, 1.0, 1.0)
    beats = (6, 2, SPEC.num_tracks, SPEC.bars, SPEC.beats_per_bar, SPEC.steps_per_beat, SPEC.num_pitches)
    changed = (made != rolls).view(beats).any(6).any(5).any(1)  # [batch, tracks, bars, beats]
    open_beats = resampled.view(6, SPEC.bars, SPEC.beats_per_bar, -1).permute(0, 3, 1, 2) & ~mask.unsqueeze(3)
    onsets = (made[:, 0] != rolls[:, 0]).view(6, *beats[2:]).any(5).any(4)
    assert onsets.any() and not (onsets & ~open_beats & ~mask.unsqueeze(3)).any()
    assert not (changed & mask.unsqueeze(3)).any()


def test_nothing_resampled_is_the_phrase_itself() -> None:
    generator = make_trainer().generator
    assert isinstance(generator, Generator)
    rolls, random = scale_rolls(4), torch.Generator().manual_seed(1)
    nothing = torch.zeros(4, SPEC.num_tracks, SPEC.bars, dtype=torch.bool)
    none = torch.zeros(4, SPEC.bars * SPEC.beats_per_bar, SPEC.num_tracks, dtype=torch.bool)
    made = resample_beats(generator, generator.sample_latents(4, random), Context(rolls, nothing), none)
    assert torch.equal(made, rolls)
