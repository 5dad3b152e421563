"""The evaluator: what is scored, and what the figures say together."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from gan.spec import HOLD, RollSpec
from pipeline.evaluation.evaluator import Evaluator
from pipeline.evaluation.phrase_sets import PhraseSet
from pipeline.evaluation.report import markdown_report
from tests.evaluation.conftest import EVALUATOR_SETTINGS
from tests.evaluation.tunes import SPEC, report_of_folder, tunes


def test_other_real_songs_score_near_one_and_random_notes_near_nothing(evaluator: Evaluator) -> None:
    _, real = evaluator.score(tunes(20, 4))
    assert real["headline"]["quality"]["value"] == pytest.approx(1, abs=0.1)
    assert real["headline"]["validation"]["quality"]["value"] == pytest.approx(1, abs=0.1)
    random = torch.rand((64, *SPEC.shape), generator=torch.Generator().manual_seed(0)) < 0.02
    random[:, HOLD] = False
    _, noise = evaluator.score(PhraseSet(random, torch.arange(64)))
    assert noise["headline"]["quality"]["value"] < 0.3
    assert noise["frechet"]["generated"] > 10 * real["frechet"]["generated"]


def test_songs_that_know_only_some_tracks_are_a_fair_reference() -> None:
    """Of two songs in three the drums are unknown; whole songs of the same kind still score as the kind they are."""
    sets = [tunes(20, seed) for seed in (1, 2, 3)]
    hidden = []
    for one in sets:
        known = torch.ones(len(one), SPEC.num_tracks, dtype=torch.bool)
        known[one.songs % 3 > 0, 0] = False
        hidden.append(PhraseSet(one.rolls * known[:, None, :, None, None, None], one.songs, known))
    quality = Evaluator(*hidden, SPEC, EVALUATOR_SETTINGS).score(tunes(20, 4))[1]["headline"]["quality"]["value"]
    unaware = [replace(one, known=None) for one in hidden]
    taken_as_rests = Evaluator(*unaware, SPEC, EVALUATOR_SETTINGS).score(tunes(20, 4))[1]["headline"]["quality"][
        "value"
    ]
    assert quality > 0.9 > taken_as_rests


def test_the_same_phrases_score_the_same(evaluator: Evaluator) -> None:
    assert evaluator.score(tunes(10, 5))[1] == evaluator.score(tunes(10, 5))[1]


def test_training_songs_passed_off_as_new_are_found_out(evaluator: Evaluator) -> None:
    _, stolen = evaluator.score(evaluator.training)
    assert stolen["copying"]["generated"]["median"] == 1.0
    assert stolen["copying"]["nearer"] > stolen["copying"]["test"]["median"]
    twice = PhraseSet(evaluator.training.rolls[:1].expand(80, *SPEC.shape), torch.arange(80))
    assert evaluator.score(twice)[1]["distinct"] == {"distinct": 1, "phrases": 80}


def test_shuffled_tracks_are_seen_where_tracks_are_compared(evaluator: Evaluator) -> None:
    _, report = evaluator.score(tunes(20, 4))
    detects = {family["name"]: family["detects"] for family in report["families"]}
    assert "shuffled" in detects["tonal distance"]
    assert "shuffled" in detects["consonance"]
    assert "shuffled" not in detects["note lengths"], "each track is whole"
    blind = [note for note in report["notes"] if note.startswith("Can't tell tracks shuffled")]
    assert len(blind) == 1
    assert "note lengths" in blind[0]
    assert "tonal distance" not in blind[0]


def test_phrases_that_no_discriminator_chose_are_a_set_of_their_own(evaluator: Evaluator) -> None:
    noise = torch.rand((64, *SPEC.shape), generator=torch.Generator().manual_seed(0)) < 0.1
    measured, report = evaluator.score(tunes(20, 4), PhraseSet(noise, torch.arange(64)))
    overlap = report["headline"]["overlap"]
    assert overlap["prior"]["value"] < 0.5 < overlap["generated"]["value"]
    assert list(measured) == ["generated", "prior", "training", "shuffled", "random"]
    text = markdown_report(report_of_folder(report, SPEC))
    heads = next(line for line in text.splitlines() if line.startswith("| figure "))
    assert [cell.strip() for cell in heads.split("|")[2:5]] == ["generated", "prior alone", "test songs"]
    without = markdown_report(report_of_folder(evaluator.score(tunes(20, 4))[1], SPEC))
    assert "prior alone" not in without


def test_few_phrases_are_held_against_as_small_a_floor(evaluator: Evaluator) -> None:
    measured, report = evaluator.score(tunes(2, 4))
    assert len(measured["training"].phrases) == 8
    assert "Only 8 phrases could be scored, not 64" in report["notes"][0]


def test_published_forms_are_given_at_24_steps_a_beat_only(evaluator: Evaluator) -> None:
    _, coarse = evaluator.score(tunes(2, 4))
    assert coarse["published"] is None
    assert "n/a: they are defined at 24 steps a beat" in markdown_report(report_of_folder(coarse, SPEC))
    fine = RollSpec(SPEC.tracks, bars=2, steps_per_beat=24, num_pitches=24, lowest_pitch=48)
    few = Evaluator(*(tunes(4, seed, fine) for seed in (1, 2, 3)), fine, EVALUATOR_SETTINGS)  # type: ignore[arg-type]
    _, report = few.score(tunes(4, 4, fine))
    assert report["published"]["pitch_classes/Bass"]["test"]["value"] == 1.0
    assert any(fault.startswith("polyphony: published") for fault in report["faults"])


def test_no_number_in_a_report_is_nan(evaluator: Evaluator) -> None:
    silent = PhraseSet(torch.zeros((8, *SPEC.shape), dtype=torch.bool), torch.arange(8))
    _, report = evaluator.score(silent)

    def numbers(value: object) -> list[float]:
        if isinstance(value, dict):
            return [number for one in value.values() for number in numbers(one)]
        if isinstance(value, list):
            return [number for one in value for number in numbers(one)]
        return [value] if isinstance(value, float) else []

    assert all(math.isfinite(number) for number in numbers(report))
    assert report["headline"]["quality"]["value"] < 0.3


def test_classifiers_tell_noise_from_songs_but_not_songs_from_songs() -> None:
    settings = replace(EVALUATOR_SETTINGS, classifier=True, samples=8)
    evaluator = Evaluator(tunes(8, 1), tunes(8, 2), tunes(8, 3), SPEC, settings)
    noise = torch.rand((32, *SPEC.shape), generator=torch.Generator().manual_seed(0)) < 0.1
    told = evaluator.score(PhraseSet(noise, torch.arange(32)))[1]["two_sample"]
    for classifier in ("windows", "phrases", "network"):
        assert told[classifier]["generated"]["value"] > 0.95
        assert 0.2 < told[classifier]["training"]["value"] < 0.8
    assert told["windows"]["shuffled"]["value"] > 0.6, "a lead beside another song's chords"


def test_a_single_song_is_not_two_sample() -> None:
    settings = replace(EVALUATOR_SETTINGS, classifier=True, samples=8)
    evaluator = Evaluator(tunes(2, 1), tunes(2, 2), tunes(4, 3), SPEC, settings)
    assert evaluator.score(tunes(1, 4))[1]["two_sample"] is None


def test_musical_tells_stand_beside_those_of_real_songs(evaluator: Evaluator) -> None:
    _, report = evaluator.score(tunes(20, 4))
    clash = report["tells"]["semitone clashes"]
    assert clash["generated"]["value"] == pytest.approx(clash["test"]["value"], abs=0.05)
    assert clash["shuffled"]["value"] > clash["test"]["value"], "a lead beside another song's chords"
    assert report["tells"]["leaps/Bass"]["generated"]["low"] is not None
