"""Sets of phrases are thinned out evenly; generated ones know as little as real ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from gan.conditions import DENSITY
from gan.latents import Latents
from gan.spec import ONSET
from pipeline.evaluation.phrase_sets import generated_phrases
from tests.evaluation.tunes import SPEC, tunes
from tests.gan import short_trio, trio


def test_phrases_are_spread_evenly() -> None:
    phrases = tunes(5, 1).spread(3)
    assert phrases.songs.tolist() == [0, 2, 4]
    assert phrases.num_songs == 3


def test_tracks_that_real_songs_do_not_know_are_silent_in_as_many_phrases() -> None:
    real = tunes(4, 1)
    known = torch.ones(16, SPEC.num_tracks, dtype=torch.bool)
    known[:4, 0] = False
    phrases = tunes(10, 2)
    fewer = phrases.with_gaps_of(replace(real, known=known))
    plays = fewer.rolls[:, ONSET].flatten(2).any(2)
    assert plays[:, 0].float().mean() == 0.75 and plays[:, 1:].all()
    assert fewer.rolls[-1].equal(phrases.rolls[-1])
    assert phrases.with_gaps_of(real) is phrases


def test_a_generator_is_asked_for_phrases_that_know_as_little_as_real_ones() -> None:
    """Half of the songs do not say what the bass plays; no phrase has the drums, but the data never had them either."""
    generator, discriminator = trio.networks(short_trio.SPEC, short_trio.music())
    generator = trio.lively(generator)
    generator.always_rests[short_trio.DRUMS] = True
    known = torch.ones(8, 3, dtype=torch.bool)
    known[:4, short_trio.BASS], known[:, short_trio.DRUMS] = False, False
    asked = []
    streams = generator.streams

    def watched(latents: Latents, *others: Any) -> torch.Tensor:
        asked.append((latents.conditions[:, generator.layout.attribute(DENSITY)].isnan(), others[3]))
        return streams(latents, *others)

    generator.streams = watched  # type: ignore[method-assign]
    for candidates in (1, 3):
        phrases = generated_phrases(generator, discriminator, 6, candidates, 1, known)
        plays = phrases.rolls.any(1).flatten(2).any(2)
        assert plays[:, short_trio.BASS].tolist() == [False] * 3 + [True] * 3 and plays[:, short_trio.PIANO].all()
        is_open, told = asked.pop()
        assert torch.equal(is_open[:6], ~told[:6]) and told[:, short_trio.DRUMS].all()
    assert generated_phrases(generator, discriminator, 6, 1, 1).rolls[:, :, short_trio.BASS].any()
    assert asked.pop()[1] is None
