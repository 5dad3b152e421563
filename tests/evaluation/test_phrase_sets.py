"""Sets of phrases are thinned out evenly."""

from __future__ import annotations

from dataclasses import replace

import torch

from gan.spec import ONSET
from tests.evaluation.tunes import SPEC, tunes


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
