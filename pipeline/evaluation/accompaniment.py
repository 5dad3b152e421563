"""Whether a generator accompanies: of test phrases one track is given, and the others are generated for it.

The only conditions are the attributes, rhythm and chroma measured in the given track.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gan.context import Context, conditions_of_context
from gan.metrics.accompaniment import (
    AccompanimentMatcher,
    TrackContent,
    accompaniment_figures,
    draw_negatives,
    draw_tracks,
    train_matcher,
    unisons,
)
from gan.metrics.bootstrap import mean_intervals
from gan.rolls import unpack
from gan.seeds import mix_seed
from gan.spec import RollSpec
from pipeline.evaluation.comparison import estimate, finite
from pipeline.evaluation.phrase_sets import PhraseSet
from pipeline.settings.evaluate import EvaluateSettings

Generate = Callable[[Tensor, Context | None, int], Tensor]
"""A generator: conditions `[count, ConditionLayout.size]`, what is given and a seed to bool rolls `[count,
*spec.shape]`.
"""
NUM_NEGATIVES = 8
"""Given tracks of other songs that each accompaniment is held against."""


@dataclass(frozen=True)
class AccompaniedPhrases:
    """Test phrases, and what was generated for one track of each.

    Attributes
    ----------
    real, generated
        Bool `[phrases, *spec.shape]`.
    tracks
        The given track of each, int64 `[phrases]`.
    """

    real: Tensor
    generated: Tensor
    tracks: Tensor


def accompany(
    generate: Generate, test: PhraseSet, training: PhraseSet, spec: RollSpec, settings: EvaluateSettings
) -> tuple[AccompaniedPhrases, dict[str, Any]] | None:
    """What was generated, and the report's `accompaniment`.

    None where it can't be evaluated: no phrase has two tracks that play, or no two songs can exchange theirs.
    """
    seed = mix_seed(settings.seed, 5)
    random = torch.Generator().manual_seed(seed)
    chosen = test.spread(settings.requests)
    plays = TrackContent.of(chosen.rolls, spec).plays
    tracks = draw_tracks(plays, spec, random)
    kept = (tracks >= 0).nonzero().flatten()
    tracks, songs, real = tracks[kept], chosen.songs[kept], unpack(chosen.rolls[kept], spec)
    if not len(kept):
        return None
    negatives = draw_negatives(plays[kept], songs, tracks, NUM_NEGATIVES, random)
    if not bool((negatives >= 0).any()):
        return None
    try:
        matcher = train_matcher(training.rolls, training.songs, spec, seed)
    except ValueError:
        return None
    mask = torch.zeros((len(real), spec.num_tracks, spec.bars), dtype=torch.bool)
    mask[torch.arange(len(real)), tracks] = True
    given = Context(real, mask)
    generated = generate(conditions_of_context(given, spec), given, mix_seed(seed, 2))
    pair = AccompaniedPhrases(real, generated, tracks)
    return pair, _compare(pair, songs, negatives, matcher, spec, settings)


def _compare(
    pair: AccompaniedPhrases,
    songs: Tensor,
    negatives: Tensor,
    matcher: AccompanimentMatcher,
    spec: RollSpec,
    settings: EvaluateSettings,
) -> dict[str, Any]:
    """The figures of what was generated beside those of the real accompaniments, and of each given track."""
    given = TrackContent.of(pair.real, spec)
    found: dict[str, Any] = {}
    matched = {}
    for name, rolls in (("generated", pair.generated), ("real", pair.real)):  # both beside the real given tracks
        table = accompaniment_figures(given, TrackContent.of(rolls, spec), pair.tracks, negatives, matcher)
        table |= unisons(pair.real, rolls, pair.tracks, spec)
        matched[name] = table["matched"]
        intervals = mean_intervals(table, songs, settings.resamples, settings.seed)
        found[name] = {figure: estimate(interval) for figure, interval in intervals.items()}
    above = [float(matched[name].nanmean()) - 0.5 for name in ("generated", "real")]
    rows = torch.arange(len(pair.tracks))
    untouched = (pair.generated[rows, :, pair.tracks] == pair.real[rows, :, pair.tracks]).flatten(1).all(1)
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
