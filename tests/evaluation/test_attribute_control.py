"""Density, key, tempo and style on request: what a generator makes of them is measured."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from gan.chords import BASS as BASS_NOTE
from gan.chords import ROOT, chord_tones, same_chords
from gan.conditions import NUM_LABELS, ConditionLayout, no_conditions
from gan.context import Context
from gan.spec import HOLD, ONSET
from pipeline.evaluation.attribute_control import AttributeControl, LabelledPhrases
from pipeline.evaluation.phrase_sets import PhraseSet
from pipeline.evaluation.report import control_section
from tests.evaluation.conftest import Controlled
from tests.evaluation.generators import BASS, LEAD, SETTINGS, SPEC, STYLES, responsive


def test_a_responsive_generator_makes_what_is_requested(
    controlled: Controlled,
) -> None:
    found = controlled["responsive"][1]
    for one in found["density"].values():
        assert one["correlation"] > 0.95
        assert one["error"] < 0.5 * one["chance"]
    assert found["key"]["keys"] == 2
    assert found["key"]["generated"]["value"] > found["key"]["chance"] + 0.15
    assert found["tempo"]["agrees"] is True
    assert found["tempo"]["bpm"]["slow"] < found["tempo"]["bpm"]["fast"]
    assert found["style"]["generated"] > 0.9
    assert found["style"]["real"] > 0.9
    assert list(found["style"]["styles"]) == list(STYLES)


def test_an_indifferent_generator_meets_requests_by_chance(
    controlled: Controlled,
) -> None:
    found = controlled["indifferent"][1]
    assert abs(found["density"]["Lead"]["correlation"]) < 0.35
    assert found["key"]["generated"]["value"] == pytest.approx(found["key"]["chance"], abs=0.2)
    assert found["style"]["generated"] == pytest.approx(found["style"]["chance"], abs=0.2)


def test_what_is_not_known_of_songs_is_not_requested(unseen: LabelledPhrases, training: LabelledPhrases) -> None:
    test, train = (replace(one, labels=torch.full_like(one.labels, torch.nan)) for one in (unseen, training))
    found = AttributeControl(responsive, test, train, (), SPEC, SETTINGS).measure()[1]
    assert [found[name] for name in ("key", "chords", "tempo", "style")] == [None] * 4
    assert "not requested" in "\n".join(control_section(found))


def with_chords(one: LabelledPhrases) -> LabelledPhrases:
    """The phrases with a chord in each half bar: C, Am, F and G in turn, beginning with another in each."""
    chords = torch.tensor([[0, 0, 0], [9, 1, 9], [5, 0, 5], [7, 0, 7]])
    labels = one.labels.clone()
    labels[:, :-NUM_LABELS] = torch.stack([chords.roll(row, 0).flatten() for row in range(len(labels))]).float()
    return replace(one, labels=labels)


def test_chords_that_are_played_are_recognised_again(unseen: LabelledPhrases, training: LabelledPhrases) -> None:
    layout = ConditionLayout.of(SPEC)

    def play(conditions: Tensor, given: Context | None, seed: int) -> Tensor:
        """The chords requested, held by the lead over their basses; nothing where none is requested."""
        rolls = torch.zeros(len(conditions), *SPEC.shape, dtype=torch.bool)
        chords = layout.chords_of(conditions)
        for row, half_bar in (chords[..., ROOT] >= 0).nonzero().tolist():
            bar, half = divmod(half_bar, 2)
            tones = chord_tones(chords[row, half_bar]).nonzero().flatten()
            for track, pitches in ((LEAD, 24 + tones), (BASS, chords[row, half_bar, BASS_NOTE].long())):
                rolls[row, ONSET, track, bar, 8 * half, pitches] = True
                rolls[row, HOLD, track, bar, 8 * half + 1 : 8 * half + 8, pitches.view(-1, 1)] = True
        return rolls

    test = with_chords(unseen)
    found = AttributeControl(play, test, training, (), SPEC, SETTINGS).measure()[1]["chords"]
    assert found["generated"]["value"] > 0.95 and found["chance"] < 0.6
    assert found["real"]["value"] < 0.6, "these songs know nothing of chords"
    conditions = no_conditions(len(test.labels), SPEC)
    conditions[:, layout.chords] = test.labels[:, :-NUM_LABELS]
    packed = np.packbits(play(conditions, None, 0).numpy(), axis=-1)
    played = replace(test, phrases=PhraseSet(torch.from_numpy(packed), test.phrases.songs))
    found = AttributeControl(play, played, training, (), SPEC, SETTINGS).measure()[1]["chords"]
    assert found["real"]["value"] > 0.95, "phrases come packed from a store"


def test_a_chord_is_the_same_by_its_root_and_its_third() -> None:
    c, c7, a_minor, rest, unknown = (
        [float(number) for number in row] for row in ((0, 0, 0), (0, 2, 4), (9, 1, 9), (-1, 9, -1), (math.nan,) * 3)
    )
    requested = torch.tensor([[c, c, a_minor, rest], [c, a_minor, unknown, unknown]])
    found = torch.tensor([[c7, a_minor, a_minor, c], [c, rest, c, c]])
    assert same_chords(found, requested).tolist() == pytest.approx([2 / 3, 1 / 2])
