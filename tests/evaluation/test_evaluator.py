"""The yardstick: what is scored, what the figures say together, and the report that people read."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from gan.spec import HOLD, ONSET, RollSpec, Track
from pipeline.errors import UserError
from pipeline.evaluation.comparison import families_of, faults_seen
from pipeline.evaluation.evaluator import FORMAT, Yardstick
from pipeline.evaluation.phrase_sets import Phrases
from pipeline.evaluation.plots import row_name
from pipeline.evaluation.report import markdown
from pipeline.evaluation.runs import differences, runs_to_rank
from pipeline.files import Manifest, write_manifest
from pipeline.settings.evaluation import EvaluateSettings

SPEC = RollSpec((Track("Drums", is_drum=True), Track("Lead"), Track("Bass")), bars=2, num_pitches=24, lowest_pitch=48)
SETTINGS = EvaluateSettings(
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


def tunes(num_songs: int, seed: int, spec: RollSpec = SPEC) -> Phrases:
    """Four phrases a song: a bass on the chord, a lead in the scale of C, a drum on every beat."""
    random = np.random.default_rng(seed)
    scale = [0, 2, 4, 5, 7, 9, 11]
    rolls = torch.zeros((4 * num_songs, *spec.shape), dtype=torch.bool)
    beat = spec.steps_per_beat
    for phrase in rolls:
        for bar in range(spec.bars):
            root = int(random.choice([0, 5, 7]))
            for step in range(0, spec.steps_per_bar, beat):
                phrase[ONSET, 0, bar, step, 0] = True
                pitch = 12 + int(random.choice([scale[(scale.index(root) + third) % 7] for third in (0, 2, 4)]))
                phrase[ONSET, 1, bar, step, pitch] = True
                phrase[HOLD, 1, bar, step + 1 : step + beat, pitch] = True
            phrase[ONSET, 2, bar, 0, root] = True
            phrase[HOLD, 2, bar, 1:, root] = True
    return Phrases(rolls, torch.arange(num_songs).repeat_interleave(4))


@pytest.fixture(scope="module")
def yardstick() -> Yardstick:
    return Yardstick(tunes(20, 1), tunes(20, 2), tunes(20, 3), SPEC, SETTINGS)


def test_other_real_songs_score_near_one_and_random_notes_near_nothing(yardstick: Yardstick) -> None:
    _, real = yardstick.score(tunes(20, 4))
    assert real["headline"]["quality"]["value"] == pytest.approx(1, abs=0.1)
    assert real["headline"]["validation"]["quality"]["value"] == pytest.approx(1, abs=0.1)
    random = torch.rand((64, *SPEC.shape), generator=torch.Generator().manual_seed(0)) < 0.02
    random[:, HOLD] = False
    _, noise = yardstick.score(Phrases(random, torch.arange(64)))
    assert noise["headline"]["quality"]["value"] < 0.3
    assert noise["frechet"]["generated"] > 10 * real["frechet"]["generated"]


def test_the_same_phrases_score_the_same(yardstick: Yardstick) -> None:
    assert yardstick.score(tunes(10, 5))[1] == yardstick.score(tunes(10, 5))[1]


def test_training_songs_passed_off_as_new_are_found_out(yardstick: Yardstick) -> None:
    _, stolen = yardstick.score(yardstick.training)
    assert stolen["copying"]["generated"]["median"] == 1.0
    assert stolen["copying"]["nearer"] > stolen["copying"]["test"]["median"]
    twice = Phrases(yardstick.training.rolls[:1].expand(80, *SPEC.shape), torch.arange(80))
    assert yardstick.score(twice)[1]["distinct"] == {"distinct": 1, "phrases": 80}


def test_shuffled_tracks_are_seen_where_tracks_are_compared(yardstick: Yardstick) -> None:
    _, report = yardstick.score(tunes(20, 4))
    tells = {family["name"]: family["tells"] for family in report["families"]}
    assert "shuffled" in tells["tonal distance"]
    assert "shuffled" in tells["consonance"]
    assert "shuffled" not in tells["note lengths"], "each track is whole"
    blind = [note for note in report["notes"] if note.startswith("Can't tell tracks shuffled")]
    assert len(blind) == 1
    assert "note lengths" in blind[0]
    assert "tonal distance" not in blind[0]


def test_few_phrases_are_held_against_as_small_a_floor(yardstick: Yardstick) -> None:
    measured, report = yardstick.score(tunes(2, 4))
    assert len(measured["training"].phrases) == 8
    assert "There are 8 phrases to judge, not 64" in report["notes"][0]


def test_published_forms_are_given_at_24_steps_a_beat_only(yardstick: Yardstick) -> None:
    _, coarse = yardstick.score(tunes(2, 4))
    assert coarse["published"] is None
    assert "n/a: they are defined at 24 steps a beat" in markdown(whole(coarse, SPEC))
    fine = RollSpec(SPEC.tracks, bars=2, steps_per_beat=24, num_pitches=24, lowest_pitch=48)
    few = Yardstick(*(tunes(4, seed, fine) for seed in (1, 2, 3)), fine, SETTINGS)  # type: ignore[arg-type]
    _, report = few.score(tunes(4, 4, fine))
    assert report["published"]["pitch_classes/Bass"]["test"]["value"] == 1.0
    assert any(fault.startswith("polyphony: published") for fault in report["faults"])


def whole(found: dict[str, object], spec: RollSpec) -> dict[str, object]:
    """A report of a folder."""
    counts = {"train": 80, "validation": 80, "test": 80}
    subject = {"kind": "folder", "name": "theirs", "path": "midi", "phrases": 8, "songs": 2, "files": 3}
    reference = {"set": "set-1", "title": "Tunes", "spec": spec.to_dict(), "phrases": counts, "songs": counts}
    return {
        "format": FORMAT,
        "subject": subject | {"rejects": {"broken file": 1}},
        "reference": reference,
        **found,
        "accompaniment": None,
        "control": None,
    }


def test_the_report_says_what_was_held_against_what(yardstick: Yardstick) -> None:
    _, found = yardstick.score(tunes(2, 4))
    text = markdown(whole(found, SPEC))
    assert text.startswith("# theirs\n")
    assert "8 phrases of `midi` (2 songs out of 3 files; not used: 1 broken file)" in text
    assert "the 80 phrases of the 80 test songs of Tunes" in text
    for line in text.splitlines():
        if line.startswith("|") and "---" not in line:
            assert line.endswith("|")
    assert " nan" not in text
    tables = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    assert all(len({line.count("|") for line in table}) == 1 for table in tables)


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
    assert family["tells"] == ["random"]
    wide = {key: figure | estimates(0.2, 0.5, 0.2, 0.2, 0.6, width=0.5) for key, figure in figures.items()}
    assert families_of(wide)[0]["tells"] == [], "resampling explains as much"


def test_a_set_without_a_figure_is_told_apart() -> None:
    silent = estimates(0.2, 0.2, 0.2, 0.2, 0.2) | {"random": {"value": None, "low": None, "high": None}}
    (family,) = families_of({"length/Lead": {"family": "note lengths"} | silent})
    assert family["distance"]["random"] is None
    assert family["tells"] == ["random"]


def test_faults_are_said_to_be_seen_or_not() -> None:
    def of(value: float) -> dict[str, object]:
        return {"test": {"value": value}}

    ours = {"polyphony/Lead": of(0.5), "pitch_classes/Lead": of(2.0), "in_c_major/Lead": of(0.6)}
    theirs = {"polyphony/Lead": of(0.3), "pitch_classes/Lead": of(3.0), "in_scale/Lead": of(0.6)}
    said = {sentence.split(":")[0]: sentence for sentence in faults_seen(ours, theirs)}
    assert said["polyphony"].endswith("smaller: as is seen.")
    assert said["pitch_classes"].endswith("not so here, it is the other way round.")
    assert said["in_scale"].endswith("not so here, they are the same.")


def test_tonal_distance_as_published_is_said_to_tell_less() -> None:
    ours = {"tonal_distance/Lead-Bass": estimates(1.0, 1.0, 1.0, 1.5, 1.5)}
    theirs = {"tonal_distance/Lead-Bass": estimates(1.4, 1.4, 1.4, 1.5, 1.3)}
    (sentence,) = faults_seen(ours, theirs)
    assert "+0.100 from training songs as published, +0.500 corrected" in sentence
    assert sentence.endswith("tell less: as is seen.")


def test_phrases_are_spread_evenly() -> None:
    phrases = tunes(5, 1).spread(3)
    assert phrases.songs.tolist() == [0, 2, 4]
    assert phrases.num_songs == 3


def test_rows_of_a_picture_name_what_the_family_does_not() -> None:
    assert row_name("empty_bars/Piano", "empty bars") == "Piano"
    assert row_name("in_best_scale/Piano", "scale") == "in best scale, Piano"
    assert row_name("repetition_any", "repetition") == "repetition any"
    assert row_name("groove", "groove") == ""


def test_only_what_differs_between_runs_is_named() -> None:
    settings = {
        "a": {"train.gamma": 1.0, "seed": 1, "model.design": "hybrid"},
        "b": {"train.gamma": 2.5, "seed": 1},
    }
    assert differences(settings) == {
        "a": {"model.design": "hybrid", "train.gamma": "1"},
        "b": {"model.design": "-", "train.gamma": "2.5"},
    }


def test_a_name_stands_for_a_run_or_for_the_jobs_of_a_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for run in ("mine", "sweep/10", "sweep/9", "sweep/notes"):
        place = tmp_path / "outputs" / run / "train"
        place.mkdir(parents=True)
        write_manifest(place, Manifest("train", 1, {}, {}))
    (tmp_path / "outputs/sweep/11/train").mkdir(parents=True)
    assert runs_to_rank("mine", None) == []
    assert runs_to_rank("nobody", None) == []
    assert runs_to_rank("sweep", None) == ["sweep/9", "sweep/10"], "unfinished jobs are left out"
    (tmp_path / "outputs/begun/0/train").mkdir(parents=True)
    with pytest.raises(UserError, match="none of the 1 jobs in outputs/begun has finished"):
        runs_to_rank("begun", None)
    assert runs_to_rank("ranking", ["mine", "sweep/9"]) == ["mine", "sweep/9"]
    with pytest.raises(UserError, match="outputs/nobody holds neither"):
        runs_to_rank("ranking", ["mine", "nobody"])
    with pytest.raises(UserError, match="two names or more"):
        runs_to_rank("ranking", ["mine"])


def test_no_number_in_a_report_is_nan(yardstick: Yardstick) -> None:
    silent = Phrases(torch.zeros((8, *SPEC.shape), dtype=torch.bool), torch.arange(8))
    _, report = yardstick.score(silent)

    def numbers(value: object) -> list[float]:
        if isinstance(value, dict):
            return [number for one in value.values() for number in numbers(one)]
        if isinstance(value, list):
            return [number for one in value for number in numbers(one)]
        return [value] if isinstance(value, float) else []

    assert all(math.isfinite(number) for number in numbers(report))
    assert report["headline"]["quality"]["value"] < 0.3
