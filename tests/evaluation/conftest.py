"""What the tests of the evaluator share: requests to two generators, and an evaluator, each made once a session."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.evaluation.accompaniment import AccompaniedPhrases, accompany
from pipeline.evaluation.attribute_control import AttributeControl, LabelledPhrases, TrackDensities
from pipeline.evaluation.evaluator import Evaluator
from pipeline.settings.evaluate import EvaluateSettings
from tests.evaluation import tunes as tune_songs
from tests.evaluation.generators import SETTINGS, SPEC, STYLES, indifferent, responsive, songs

Accompanied = dict[str, tuple[AccompaniedPhrases, dict[str, Any]]]
Controlled = dict[str, tuple[TrackDensities, dict[str, Any]]]
GENERATORS = {"responsive": responsive, "indifferent": indifferent}
EVALUATOR_SETTINGS = EvaluateSettings(
    path=None,
    runs=None,
    seed=1,
    phrases=64,
    samples=80,
    resamples=20,
    classifier=False,
    requests=0,
    condition_strength=1.0,
)


@pytest.fixture(scope="session")
def unseen() -> LabelledPhrases:
    return songs(20, 1)


@pytest.fixture(scope="session")
def training() -> LabelledPhrases:
    return songs(40, 2)


@pytest.fixture(scope="session")
def accompanied(unseen: LabelledPhrases, training: LabelledPhrases) -> Accompanied:
    """Accompaniments by each generator, and the report's section on them."""
    found = {name: accompany(one, unseen.phrases, training.phrases, SPEC, SETTINGS) for name, one in GENERATORS.items()}
    return {name: one for name, one in found.items() if one is not None}


@pytest.fixture(scope="session")
def controlled(unseen: LabelledPhrases, training: LabelledPhrases) -> Controlled:
    """Densities that each generator made on request, and the report's section on control."""
    return {
        name: AttributeControl(one, unseen, training, STYLES, SPEC, SETTINGS).measure()
        for name, one in GENERATORS.items()
    }


@pytest.fixture(scope="session")
def evaluator() -> Evaluator:
    """Holds phrases against twenty short songs of each split."""
    splits = [tune_songs.tunes(20, seed) for seed in (1, 2, 3)]
    return Evaluator(*splits, tune_songs.SPEC, EVALUATOR_SETTINGS)
