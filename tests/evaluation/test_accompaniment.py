"""Accompaniments: what follows the given track is told from what does not."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gan.context import Context
from pipeline.evaluation.accompaniment import accompany
from pipeline.evaluation.attribute_control import LabelledPhrases
from pipeline.evaluation.phrase_sets import PhraseSet
from tests.evaluation.conftest import Accompanied
from tests.evaluation.generators import BASS, SETTINGS, SPEC, indifferent, responsive


def test_a_responsive_generator_accompanies_as_real_music_does(
    accompanied: Accompanied,
) -> None:
    pair, found = accompanied["responsive"]
    assert found["phrases"] == len(pair.tracks) == 60
    assert found["real"]["matched"]["value"] > 0.9
    assert found["share"] == pytest.approx(1, abs=0.05)
    assert found["untouched"] == 1
    assert found["generated"]["octave"]["value"] == 1
    assert found["generated"]["tonal"]["value"] < found["generated"]["tonal_shuffled"]["value"]
    assert sum(track["phrases"] for track in found["tracks"].values()) == 60


def test_an_indifferent_generator_does_not(
    accompanied: Accompanied,
) -> None:
    _, found = accompanied["indifferent"]
    assert abs(found["share"]) < 0.25
    assert found["generated"]["rhythmic_nearer"]["value"] == pytest.approx(0.5, abs=0.1)
    assert found["untouched"] == 1


def test_given_notes_that_are_lost_are_counted(unseen: LabelledPhrases, training: LabelledPhrases) -> None:
    def careless(conditions: Tensor, given: Context | None, seed: int) -> Tensor:
        return indifferent(conditions, None, seed)

    few = PhraseSet(training.phrases.rolls[:24], training.phrases.songs[:24])
    _, found = accompany(careless, unseen.phrases, few, SPEC, SETTINGS) or pytest.fail("nothing was made")
    assert found["untouched"] == 0


def test_where_nothing_can_be_accompanied_nothing_is_said(unseen: LabelledPhrases, training: LabelledPhrases) -> None:
    alone = unseen.phrases.rolls.clone()
    alone[:, :, BASS] = False
    assert accompany(responsive, PhraseSet(alone, unseen.phrases.songs), training.phrases, SPEC, SETTINGS) is None
    one_song = PhraseSet(unseen.phrases.rolls, torch.zeros_like(unseen.phrases.songs))
    assert accompany(responsive, one_song, training.phrases, SPEC, SETTINGS) is None
    assert accompany(responsive, unseen.phrases, one_song, SPEC, SETTINGS) is None
