"""Two-sample tests by trees: noise is told from songs, songs are not told from songs."""

from __future__ import annotations

import pytest
import torch

from pipeline.evaluation.phrase_sets import PhraseSet
from pipeline.evaluation.tree_tests import TreeTests
from tests.evaluation.tunes import SPEC, tunes


def test_noise_is_told_from_songs_and_songs_are_not_told_from_songs() -> None:
    tests = TreeTests(tunes(12, 1), SPEC, resamples=20)
    noise = torch.rand((48, *SPEC.shape), generator=torch.Generator().manual_seed(0)) < 0.02
    alike, apart = tests.tell(tunes(12, 2)), tests.tell(PhraseSet(noise, torch.arange(48)))
    assert apart.windows.value > 0.97
    assert apart.phrases.value > 0.97
    assert 0.3 < alike.windows.value < 0.65
    assert 0.25 < alike.phrases.value < 0.75
    assert alike.windows.low < alike.windows.value < alike.windows.high


def test_two_songs_are_too_few_to_keep_songs_apart() -> None:
    with pytest.raises(ValueError, match="fewer than 3 songs"):
        TreeTests(tunes(4, 1), SPEC).tell(tunes(2, 2))
