"""Density, key, tempo and style on request: what a generator makes of them is measured."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from pipeline.evaluation.attribute_control import AttributeControl, LabelledPhrases
from pipeline.evaluation.report import control_section
from tests.evaluation.conftest import Controlled
from tests.evaluation.generators import SETTINGS, SPEC, STYLES, responsive


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
    assert (found["key"], found["tempo"], found["style"]) == (None, None, None)
    assert "not requested" in "\n".join(control_section(found))
