"""The evaluator: seconds to score many phrases, the classifier left out."""

from __future__ import annotations

from typing import Any

import joblib
import torch

from gan.metrics.bootstrap import mean_intervals, overlap_intervals
from gan.metrics.copying import nearest_phrases, num_distinct
from gan.metrics.distances import divergences, frechet_distance
from pipeline.bench.music import Corpus
from pipeline.bench.plan import Plan
from pipeline.bench.timing import rounded, seconds_of
from pipeline.evaluation.evaluator import MeasuredSet
from pipeline.evaluation.phrase_sets import PhraseSet
from pipeline.progress import bar

REFERENCE_PHRASES = 1000
RESAMPLES = 200


def measure_yardstick(corpus: Corpus, plan: Plan) -> dict[str, Any]:
    """Score `plan.effort.scored_phrases` phrases once with all cores, part by part.

    PhraseSet of the corpus stand for generated ones, repeated until they are enough; others for the test songs.
    """
    effort, spec = plan.effort, corpus.spec
    places = torch.arange(effort.scored_phrases) % len(corpus.packed)
    mine = PhraseSet(corpus.packed[places], torch.arange(effort.scored_phrases))
    some = torch.arange(min(REFERENCE_PHRASES, len(corpus.packed)))
    theirs = MeasuredSet.of(PhraseSet(corpus.packed[some], some // 50), spec)
    copied = mine.spread(effort.copied_phrases)
    counted: list[MeasuredSet] = []

    def hold_against() -> None:
        features = counted[0].features
        overlap_intervals(features, theirs.features, mine.songs, theirs.phrases.songs, RESAMPLES, plan.seed)
        mean_intervals(counted[0].figures, mine.songs, RESAMPLES, plan.seed)
        divergences(features, theirs.features)
        frechet_distance(features, theirs.features)

    def search_copies() -> None:
        nearest_phrases(copied.rolls, corpus.packed, spec)
        num_distinct(copied.rolls, spec)

    parts = {
        "counting_seconds": lambda: counted.append(MeasuredSet.of(mine, spec)),
        "distances_seconds": hold_against,
        "copying_seconds": search_copies,
    }
    torch.set_num_threads(joblib.cpu_count())
    seconds = {name: seconds_of(work) for name, work in bar(parts.items(), len(parts), "bench: evaluator", "parts")}
    torch.set_num_threads(plan.threads)
    return {
        "phrases": len(mine),
        "copied_phrases": len(copied),
        "training_phrases": len(corpus.packed),
        "reference_phrases": len(some),
        **{name: rounded(value) for name, value in seconds.items()},
        "seconds": rounded(sum(seconds.values())),
    }
