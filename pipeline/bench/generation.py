"""Generation speed: bars a second that a generator makes, with one thread and with all cores."""

from __future__ import annotations

from functools import partial
from typing import Any

import joblib
import torch

from gan.seeds import mix_seed
from gan.statistics import count_some
from gan.training.trainer import Trainer
from pipeline.bench.music import BenchCorpus, training_config
from pipeline.bench.plan import BenchPlan
from pipeline.bench.timing import TimedRepeats, all_ratios, interleaved_laps, median, repeat
from pipeline.devices import prepare_torch


class GenerationContender:
    """An untrained generator to time; speed does not depend on the weights."""

    def __init__(self, corpus: BenchCorpus, model: str, plan: BenchPlan) -> None:
        config = training_config(corpus, model, plan)
        prepare_torch(config)
        packed, spec = corpus.packed, corpus.spec
        statistics = count_some(packed, spec)
        self.generator = Trainer(spec, statistics, config.model, config.train, config.seed).average.eval()
        self.random = torch.Generator().manual_seed(mix_seed(plan.seed))
        self.phrases = plan.effort.generated_phrases
        self.bars = self.phrases * spec.bars
        self.lap_seconds = plan.effort.lap_seconds

    def generate(self) -> None:
        """A batch of phrases, from fresh latents to bool rolls."""
        self.generator.sample(self.generator.sample_latents(self.phrases, self.random))

    def lap(self, threads: int) -> TimedRepeats:
        """Generate for a while with so many threads."""
        torch.set_num_threads(threads)
        self.generate()  # the first call is slower than those to come
        return repeat(self.generate, self.lap_seconds)

    def describe(self, laps: dict[str, list[TimedRepeats]]) -> dict[str, float]:
        """Bars a second for each number of threads, and a second of one processor's time."""
        cpu = median([self.bars * lap.times / lap.cpu_seconds for lap in laps["one_thread"]])
        wall = {
            f"{width}_bars_per_second": median([self.bars * lap.times / lap.seconds for lap in own])
            for width, own in laps.items()
        }
        return wall | {"one_thread_bars_per_cpu_second": cpu}


def measure_generation(corpus: BenchCorpus, plan: BenchPlan) -> dict[str, Any]:
    """All models, one lap each in turn, with one thread and with all cores."""
    contenders = {model: GenerationContender(corpus, model, plan) for model in plan.models}
    widths = {"one_thread": 1, "all_cores": joblib.cpu_count()}
    measures = {
        (model, width): partial(contender.lap, threads)
        for model, contender in contenders.items()
        for width, threads in widths.items()
    }
    laps = interleaved_laps(measures, plan.effort.rounds, "generation")
    torch.set_num_threads(plan.threads)
    models = {
        model: contender.describe({width: laps[model, width] for width in widths})
        for model, contender in contenders.items()
    }
    return {
        "music": corpus.source,
        "batch_phrases": plan.effort.generated_phrases,
        "cores": widths["all_cores"],
        "models": models,
        "ratios": all_ratios(models, tuple(models[plan.models[0]])),
    }
