"""Families of figures: what they detect, and the published forms beside the corrected ones."""

from __future__ import annotations

import pytest

from pipeline.evaluation.comparison import families_of, faults_seen


def estimates(test: float, *others: float, width: float = 0.0) -> dict[str, object]:
    names = ("test", "generated", "training", "shuffled", "random")
    values = zip(names, (test, *others), strict=True)
    return {name: {"value": v, "low": v - width, "high": v + width} for name, v in values}


def test_a_family_is_the_mean_distance_of_its_figures() -> None:
    figures = {
        "empty_bars/Lead": {"family": "empty bars"} | estimates(0.2, 0.5, 0.2, 0.2, 0.6),
        "empty_bars/Bass": {"family": "empty bars"} | estimates(0.0, 0.1, 0.1, 0.1, 0.0),
    }
    (family,) = families_of(figures)
    assert family["distance"] == pytest.approx({"generated": 0.2, "training": 0.05, "shuffled": 0.05, "random": 0.2})
    assert family["detects"] == ["random"]
    wide = {key: figure | estimates(0.2, 0.5, 0.2, 0.2, 0.6, width=0.5) for key, figure in figures.items()}
    assert families_of(wide)[0]["detects"] == [], "resampling explains as much"


def test_a_set_without_a_figure_is_told_apart() -> None:
    silent = estimates(0.2, 0.2, 0.2, 0.2, 0.2) | {"random": {"value": None, "low": None, "high": None}}
    (family,) = families_of({"length/Lead": {"family": "note lengths"} | silent})
    assert family["distance"]["random"] is None
    assert family["detects"] == ["random"]


def test_faults_are_said_to_be_seen_or_not() -> None:
    def of(value: float) -> dict[str, object]:
        return {"test": {"value": value}}

    corrected = {"polyphony/Lead": of(0.5), "pitch_classes/Lead": of(2.0), "in_c_major/Lead": of(0.6)}
    published = {"polyphony/Lead": of(0.3), "pitch_classes/Lead": of(3.0), "in_scale/Lead": of(0.6)}
    said = {sentence.split(":")[0]: sentence for sentence in faults_seen(corrected, published)}
    assert said["polyphony"].endswith("smaller: as is seen.")
    assert said["pitch_classes"].endswith("not so here, it is the other way round.")
    assert said["in_scale"].endswith("not so here, they are the same.")


def test_tonal_distance_as_published_is_said_to_tell_less() -> None:
    corrected = {"tonal_distance/Lead-Bass": estimates(1.0, 1.0, 1.0, 1.5, 1.5)}
    published = {"tonal_distance/Lead-Bass": estimates(1.4, 1.4, 1.4, 1.5, 1.3)}
    (sentence,) = faults_seen(corrected, published)
    assert "+0.100 from training songs as published, +0.500 corrected" in sentence
    assert sentence.endswith("tell less: as is seen.")
