"""Whether a generator accompanies: of test phrases one track is given, the others are made, and both are held together.

What is made is asked to go on like the given track, and for nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gan.context import Context, conditions_of_context
from gan.metrics.accompaniment import Matcher, followed, train_matcher, unisons
from gan.metrics.bootstrap import mean_intervals
from gan.metrics.track_pairs import Parts, draw_tracks, strangers
from gan.rolls import unpack
from gan.seeds import mix_seed
from gan.spec import RollSpec
from pipeline.evaluation.comparison import estimate, finite
from pipeline.evaluation.phrase_sets import Phrases
from pipeline.settings.evaluation import EvaluateSettings

Make = Callable[[Tensor, Context | None, int], Tensor]
"""A generator: conditions `[count, ConditionLayout.size]`, what is given and a seed to bool rolls `[count,
*spec.shape]`.
"""
STRANGERS = 8
"""Given tracks of other songs that each accompaniment is held against."""


@dataclass(frozen=True)
class Accompanied:
    """Test phrases, and what was made for one track of each.

    Attributes
    ----------
    real, made
        Bool `[phrases, *spec.shape]`.
    tracks
        The given track of each, int64 `[phrases]`.
    """

    real: Tensor
    made: Tensor
    tracks: Tensor


def accompany(
    make: Make, test: Phrases, training: Phrases, spec: RollSpec, settings: EvaluateSettings
) -> tuple[Accompanied, dict[str, Any]] | None:
    """What was made, and the report's `accompaniment`.

    None where it can't be judged: no phrase has two tracks that play, or no two songs can exchange theirs.
    """
    seed = mix_seed(settings.seed, 5)
    random = torch.Generator().manual_seed(seed)
    chosen = test.spread(settings.requests)
    plays = Parts.of(chosen.rolls, spec).plays
    tracks = draw_tracks(plays, spec, random)
    kept = (tracks >= 0).nonzero().flatten()
    tracks, songs, real = tracks[kept], chosen.songs[kept], unpack(chosen.rolls[kept], spec)
    if not len(kept):
        return None
    others = strangers(plays[kept], songs, tracks, STRANGERS, random)
    if not bool((others >= 0).any()):
        return None
    try:
        matcher = train_matcher(training.rolls, training.songs, spec, seed)
    except ValueError:
        return None
    mask = torch.zeros((len(real), spec.num_tracks, spec.bars), dtype=torch.bool)
    mask[torch.arange(len(real)), tracks] = True
    given = Context(real, mask)
    made = make(conditions_of_context(given, spec), given, mix_seed(seed, 2))
    pair = Accompanied(real, made, tracks)
    return pair, _judged(pair, songs, others, matcher, spec, settings)


def _judged(
    pair: Accompanied, songs: Tensor, others: Tensor, matcher: Matcher, spec: RollSpec, settings: EvaluateSettings
) -> dict[str, Any]:
    """The figures of what was made beside those of the real accompaniments, and of each given track."""
    given = Parts.of(pair.real, spec)
    found: dict[str, Any] = {}
    matched = {}
    for name, rolls in (("made", pair.made), ("real", pair.real)):  # both beside the real given tracks
        table = followed(given, Parts.of(rolls, spec), pair.tracks, others, matcher)
        table |= unisons(pair.real, rolls, pair.tracks, spec)
        matched[name] = table["matched"]
        intervals = mean_intervals(table, songs, settings.resamples, settings.seed)
        found[name] = {figure: estimate(interval) for figure, interval in intervals.items()}
    above = [float(matched[name].nanmean()) - 0.5 for name in ("made", "real")]
    rows = torch.arange(len(pair.tracks))
    untouched = (pair.made[rows, :, pair.tracks] == pair.real[rows, :, pair.tracks]).flatten(1).all(1)
    return {
        "phrases": len(rows),
        "share": finite(above[0] / above[1]) if above[1] > 0 else None,
        "untouched": float(untouched.float().mean()),
        **found,
        "tracks": {
            track: {"phrases": int(here.sum())}
            | {name: finite(float(wins[here].nanmean())) for name, wins in matched.items()}
            for index, track in enumerate(spec.names)
            if (here := pair.tracks == index).any()
        },
    }
