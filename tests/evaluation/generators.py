"""A generator that does what is requested, one that ignores it, and the songs that they are held against."""

from __future__ import annotations

import torch
from torch import Tensor

from gan.conditions import KEY, STYLE, TEMPO
from gan.context import Context
from gan.spec import HOLD, ONSET, RollSpec, Track
from pipeline.evaluation.attribute_control import LabelledPhrases
from pipeline.evaluation.phrase_sets import PhraseSet
from pipeline.settings.evaluate import EvaluateSettings
from tests.label_makers import labels_for

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


def songs(count: int, seed: int) -> LabelledPhrases:
    """Three phrases a song: each song has a tempo, a key and a style, slow ones have more notes."""
    random = torch.Generator().manual_seed(seed)
    rolls, labels = [], []
    for song in range(count):
        key, style, slow = (0, 21)[song % 2], song // 2 % 2, song % 3 == 0
        for _ in range(3):
            notes = 1 + 6 * float(torch.rand(1, generator=random)) + 4 * slow
            rolls.append(phrase(random, notes, key, style == 1))
            labels.append((float(key), (80.0 if slow else 100.0 + 20 * (song % 3)), float(style)))
    return LabelledPhrases(
        PhraseSet(torch.stack(rolls), torch.arange(count).repeat_interleave(3)), labels_for(SPEC, *labels)
    )


def responsive(conditions: Tensor, given: Context | None, seed: int) -> Tensor:
    """Makes what is requested, and doubles what it is given two octaves away."""
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


def indifferent(conditions: Tensor, given: Context | None, seed: int) -> Tensor:
    """Makes whatever it likes beside what is given."""
    made = songs(-(-len(conditions) // 3), seed % 1000).phrases.rolls[: len(conditions)]
    made = made[torch.randperm(len(made), generator=torch.Generator().manual_seed(seed))]
    return made if given is None else given.complete(made)
