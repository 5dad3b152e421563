"""Requests as the yardstick asks them: accompanying a given track, and density, key, tempo and style."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from matplotlib.image import imread
from torch import Tensor

from gan.conditions import KEY, STYLE, TEMPO
from gan.context import Context
from gan.metrics.control import agreement, thirds, train_styles
from gan.spec import HOLD, ONSET, RollSpec, Track
from pipeline.evaluation.accompaniment import Accompanied, Make, accompany
from pipeline.evaluation.control import Densities, Examiner, Labelled
from pipeline.evaluation.control_plots import draw_accompaniments, draw_densities
from pipeline.evaluation.phrase_sets import Phrases
from pipeline.evaluation.report import accompaniment, control
from pipeline.settings.evaluation import EvaluateSettings

LEAD, BASS = 0, 1
SPEC = RollSpec((Track("Lead"), Track("Bass")), bars=2, num_pitches=48, lowest_pitch=36)
SETTINGS = EvaluateSettings(
    path=None,
    runs=None,
    seed=1,
    phrases=8,
    samples=8,
    resamples=20,
    classifier=False,
    requests=60,
    condition_strength=1.0,
)
STYLES = ("long", "short")


def phrase(random: torch.Generator, notes: float, key: int, short: bool) -> Tensor:
    """A lead of some notes a bar in the scale of a key, and a bass two octaves below it."""
    roll = torch.zeros(SPEC.shape, dtype=torch.bool)
    scale = (0, 2, 4, 5, 7, 9, 11) if key < 12 else (0, 2, 3, 5, 7, 8, 10)
    for bar in range(SPEC.bars):
        steps = torch.randperm(16, generator=random)[: round(notes)].tolist()
        for step in steps:
            degree = (0, 0, 4, 2, 0, 4, 1, 5)[int(torch.randint(8, (1,), generator=random))]
            pitch = 24 + (key % 12 + scale[degree]) % 12
            for track, at in ((LEAD, pitch), (BASS, pitch - 24)):
                roll[ONSET, track, bar, step, at] = True
                if not short:
                    roll[HOLD, track, bar, step + 1 : step + 2, at] = not roll[ONSET, track, bar, step + 1 :, at].any()
    return roll


def songs(count: int, seed: int) -> Labelled:
    """Three phrases a song: each song has a tempo, a key and a style, slow ones have more notes."""
    random = torch.Generator().manual_seed(seed)
    rolls, labels = [], []
    for song in range(count):
        key, style, slow = (0, 21)[song % 2], song // 2 % 2, song % 3 == 0
        for _ in range(3):
            notes = 1 + 6 * float(torch.rand(1, generator=random)) + 4 * slow
            rolls.append(phrase(random, notes, key, style == 1))
            labels.append([float(key), (80.0 if slow else 100.0 + 20 * (song % 3)), float(style)])
    return Labelled(Phrases(torch.stack(rolls), torch.arange(count).repeat_interleave(3)), torch.tensor(labels))


def obedient(conditions: Tensor, given: Context | None, seed: int) -> Tensor:
    """Does what it is told, and doubles what it is given two octaves away."""
    random = torch.Generator().manual_seed(seed)
    made = []
    for row, condition in enumerate(conditions):
        if given is not None:
            roll = given.rolls[row].clone()
            track = int(given.mask[row].any(1).nonzero()[0])
            low = roll[:, track].any(0).any(0).any(0).nonzero().min() >= 24
            roll[:, 1 - track] = roll[:, track].roll(-24 if low else 24, -1)
            made.append(roll)
            continue
        notes = condition[:2].nanmean() if not condition[:2].isnan().all() else torch.tensor(5.0)
        if not condition[TEMPO].isnan():
            notes = torch.tensor(9.0 if condition[TEMPO] < 90 else 3.0)
        made.append(
            phrase(random, float(notes), int(condition[KEY].nan_to_num(0)), bool(condition[STYLE].nan_to_num(0)))
        )
    return torch.stack(made)


def deaf(conditions: Tensor, given: Context | None, seed: int) -> Tensor:
    """Makes whatever it likes beside what is given."""
    made = songs(-(-len(conditions) // 3), seed % 1000).phrases.rolls[: len(conditions)]
    made = made[torch.randperm(len(made), generator=torch.Generator().manual_seed(seed))]
    return made if given is None else given.complete(made)


@pytest.fixture(scope="module")
def unseen() -> Labelled:
    return songs(20, 1)


@pytest.fixture(scope="module")
def training() -> Labelled:
    return songs(40, 2)


@pytest.fixture(scope="module")
def accompanied(unseen: Labelled, training: Labelled) -> dict[Make, tuple[Accompanied, dict[str, Any]]]:
    found = {make: accompany(make, unseen.phrases, training.phrases, SPEC, SETTINGS) for make in (obedient, deaf)}
    return {make: one for make, one in found.items() if one is not None}


@pytest.fixture(scope="module")
def examined(unseen: Labelled, training: Labelled) -> dict[Make, tuple[Densities, dict[str, Any]]]:
    return {make: Examiner(make, unseen, training, STYLES, SPEC, SETTINGS).examine() for make in (obedient, deaf)}


def test_an_obedient_generator_accompanies_as_real_music_does(
    accompanied: dict[Make, tuple[Accompanied, dict[str, Any]]],
) -> None:
    pair, found = accompanied[obedient]
    assert found["phrases"] == len(pair.tracks) == 60
    assert found["real"]["matched"]["value"] > 0.9
    assert found["share"] == pytest.approx(1, abs=0.05)
    assert found["untouched"] == 1
    assert found["made"]["octave"]["value"] == 1
    assert found["made"]["tonal"]["value"] < found["made"]["tonal_shuffled"]["value"]
    assert sum(track["phrases"] for track in found["tracks"].values()) == 60


def test_a_deaf_generator_does_not(accompanied: dict[Make, tuple[Accompanied, dict[str, Any]]]) -> None:
    _, found = accompanied[deaf]
    assert abs(found["share"]) < 0.25
    assert found["made"]["rhythmic_nearer"]["value"] == pytest.approx(0.5, abs=0.1)
    assert found["untouched"] == 1


def test_given_notes_that_are_lost_are_counted(unseen: Labelled, training: Labelled) -> None:
    def careless(conditions: Tensor, given: Context | None, seed: int) -> Tensor:
        return deaf(conditions, None, seed)

    few = Phrases(training.phrases.rolls[:24], training.phrases.songs[:24])
    _, found = accompany(careless, unseen.phrases, few, SPEC, SETTINGS) or pytest.fail("nothing was made")
    assert found["untouched"] == 0


def test_where_nothing_can_be_accompanied_nothing_is_said(unseen: Labelled, training: Labelled) -> None:
    alone = unseen.phrases.rolls.clone()
    alone[:, :, BASS] = False
    assert accompany(obedient, Phrases(alone, unseen.phrases.songs), training.phrases, SPEC, SETTINGS) is None
    one_song = Phrases(unseen.phrases.rolls, torch.zeros_like(unseen.phrases.songs))
    assert accompany(obedient, one_song, training.phrases, SPEC, SETTINGS) is None
    assert accompany(obedient, unseen.phrases, one_song, SPEC, SETTINGS) is None


def test_an_obedient_generator_does_as_it_is_told(examined: dict[Make, tuple[Densities, dict[str, Any]]]) -> None:
    found = examined[obedient][1]
    for one in found["density"].values():
        assert one["correlation"] > 0.95
        assert one["error"] < 0.5 * one["chance"]
    assert found["key"]["keys"] == 2
    assert found["key"]["made"]["value"] > found["key"]["chance"] + 0.15
    assert found["tempo"]["agrees"] is True
    assert found["tempo"]["bpm"]["slow"] < found["tempo"]["bpm"]["fast"]
    assert found["style"]["made"] > 0.9
    assert found["style"]["real"] > 0.9
    assert list(found["style"]["styles"]) == list(STYLES)


def test_a_deaf_generator_does_as_it_likes(examined: dict[Make, tuple[Densities, dict[str, Any]]]) -> None:
    found = examined[deaf][1]
    assert abs(found["density"]["Lead"]["correlation"]) < 0.35
    assert found["key"]["made"]["value"] == pytest.approx(found["key"]["chance"], abs=0.2)
    assert found["style"]["made"] == pytest.approx(found["style"]["chance"], abs=0.2)


def test_what_is_not_known_of_songs_is_not_asked_for(unseen: Labelled, training: Labelled) -> None:
    test, train = (replace(one, labels=torch.full_like(one.labels, torch.nan)) for one in (unseen, training))
    found = Examiner(obedient, test, train, (), SPEC, SETTINGS).examine()[1]
    assert (found["key"], found["tempo"], found["style"]) == (None, None, None)
    assert "not asked for" in "\n".join(control(found))


@pytest.mark.parametrize("make", [obedient, deaf])
def test_the_report_and_the_pictures_say_it(
    make: Make,
    accompanied: dict[Make, tuple[Accompanied, dict[str, Any]]],
    examined: dict[Make, tuple[Densities, dict[str, Any]]],
    tmp_path: Path,
) -> None:
    (pair, found), (densities, told) = accompanied[make], examined[make]
    text = "\n\n".join([*accompaniment(found), *control(told)])
    assert "Of 60 test phrases one track was given" in text
    assert "nan" not in text
    tables = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    assert len(tables) == 3
    assert all(len({line.count("|") for line in table}) == 1 for table in tables)
    draw_accompaniments(tmp_path / "pair.png", pair, SPEC, "mine")
    draw_densities(tmp_path / "density.png", densities, SPEC, "mine")
    for name in ("pair", "density"):
        assert imread(tmp_path / f"{name}.png").shape[0] > 200


def test_agreement_is_heard_on_a_logarithmic_scale() -> None:
    asked = torch.tensor([1.0, 3.0, 7.0, float("nan"), 2.0])
    found = agreement(asked, 2 * (asked + 1) - 1)
    assert found.correlation == pytest.approx(1)
    assert found.error == pytest.approx((2 + 4 + 8 + 3) / 4)
    assert agreement(asked, torch.ones(5)).correlation != agreement(asked, torch.ones(5)).correlation, "always the same"


@pytest.mark.parametrize(
    ("values", "slow", "fast"), [([60.0, 90, 120], [0], [2]), ([60.0, float("nan"), 80, 90, 99], [0, 2], [3, 4])]
)
def test_thirds_are_the_slow_and_the_fast(values: list[float], slow: list[int], fast: list[int]) -> None:
    found = thirds(torch.tensor(values)) or pytest.fail("no thirds")
    assert [side.nonzero().flatten().tolist() for side in found] == [slow, fast]
    assert thirds(torch.full((9,), 120.0)) is None


def test_styles_are_told_from_two_on(training: Labelled) -> None:
    rolls, styles = training.phrases.rolls, training.labels[:, STYLE]
    judges = [train_styles(rolls, styles, 2, SPEC, seed).state_dict() for seed in (1, 1)]
    assert all(torch.equal(judges[0][name], judges[1][name]) for name in judges[0])
    with pytest.raises(ValueError, match="no two styles"):
        train_styles(rolls, torch.zeros(len(rolls)), 2, SPEC)
