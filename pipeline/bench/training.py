"""Training: phrases a second of several models beside each other, and their share of the machine's peak."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from gan.statistics import count_some
from gan.training.batches import batches_from
from gan.training.trainer import Trainer
from pipeline.bench.hardware import FORMULA, OperationCounter, product_gflops
from pipeline.bench.music import Corpus, settings_for
from pipeline.bench.plan import Plan
from pipeline.bench.timing import Stint, median, repeat, rounded, take_turns
from pipeline.devices import prepare_torch
from pipeline.progress import bar

PEAK = ("machine", "matrix products")


class Contender:
    """A model in training on a corpus, and the operations of one cycle of it.

    A cycle is the shortest run of steps after which the kinds of steps repeat: as many as lie between two penalties.
    """

    def __init__(self, corpus: Corpus, model: str, plan: Plan) -> None:
        config = settings_for(corpus, model, plan)
        prepare_torch(config)
        packed, spec = corpus.packed, corpus.spec
        statistics = count_some(packed, spec)
        self.settings = config.train
        self.trainer = Trainer(spec, statistics, config.model, config.train, config.seed)
        self.batches = batches_from(packed, spec, config.train.phrases_per_step, config.seed)
        self.lap_seconds = plan.effort.lap_seconds
        with OperationCounter() as counter:  # the first cycle also warms everything up
            self.cycle()
        self.operations = counter.operations

    def cycle(self) -> None:
        """Train for one cycle."""
        for _ in range(self.settings.penalty_steps):
            self.trainer.train_step(next(self.batches))

    def lap(self) -> Stint:
        """Train for whole cycles, at least `lap_seconds`."""
        return repeat(self.cycle, self.lap_seconds)

    def describe(self, laps: list[Stint], peak_gflops: float, threads: int) -> dict[str, Any]:
        """The figures of a model, medians over its laps."""
        settings = self.settings
        real = settings.penalty_steps * settings.phrases_per_step  # phrases of a cycle through the discriminator
        made = settings.penalty_steps * settings.batch_size
        rates = [rounded(lap.times * real / lap.seconds) for lap in laps]
        gflops = median([lap.times * self.operations / lap.seconds / 1e9 for lap in laps])
        cpu_gflops = median([lap.times * self.operations / lap.cpu_seconds / 1e9 for lap in laps])
        return {
            "generator_parameters": count_weights(self.trainer.generator),
            "discriminator_parameters": count_weights(self.trainer.discriminator),
            "batch_phrases": settings.batch_size,
            "phrases_per_second": median(rates),
            "phrases_per_second_rounds": rates,
            "phrases_per_cpu_second": median([lap.times * real / lap.cpu_seconds for lap in laps]),
            "generator_phrases_per_second": median([lap.times * made / lap.seconds for lap in laps]),
            "gigaoperations_per_phrase": rounded(self.operations / real / 1e9),
            "gflops": gflops,
            "peak_share": rounded(gflops / peak_gflops),
            "cpu_peak_share": rounded(cpu_gflops * threads / peak_gflops),
        }


def count_weights(network: nn.Module) -> int:
    """Numbers that a network learns."""
    return sum(weight.numel() for weight in network.parameters())


def measure_training(corpora: dict[str, Corpus], plan: Plan) -> dict[str, Any]:
    """Train all models on all corpora in turns.

    For each corpus `models` holds the figures of each model and `ratios` its speed over that of each later one.
    """
    pairs = [(name, model) for name in corpora for model in plan.models]
    contenders = {
        (name, model): Contender(corpora[name], model, plan)
        for name, model in bar(pairs, len(pairs), "bench: first steps", "models")
    }
    sizes = plan.effort.matrix_sizes
    turns: dict[tuple[str, str], Callable[[], Any]] = {PEAK: lambda: [product_gflops(size) for size in sizes]}
    turns |= {key: contender.lap for key, contender in contenders.items()}
    laps = take_turns(turns, plan.effort.slow_rounds, "training")
    products = laps[PEAK]
    peak_gflops = median([max(one) for one in products])
    found: dict[str, Any] = {
        "formula": FORMULA,
        "peak_gflops": peak_gflops,
        "peak_gflops_by_size": {
            str(size): median(figures) for size, figures in zip(sizes, zip(*products, strict=True), strict=True)
        },
    }
    for name, corpus in corpora.items():
        models = {
            model: contenders[name, model].describe(laps[name, model], peak_gflops, plan.threads)
            for model in plan.models
        }
        found[name] = {
            "music": corpus.source,
            "phrases": len(corpus.packed),
            "tracks": list(corpus.spec.names),
            "models": models,
            "ratios": all_ratios(
                models, ("phrases_per_second", "phrases_per_cpu_second", "generator_phrases_per_second")
            ),
        }
    return found


def ratios_of(rows: dict[str, dict[str, Any]], keys: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """The figures of the first row over those of each other row: `default_to_NAME`, each key with `_ratio` behind."""
    first, *others = rows
    return {
        f"{first}_to_{other}": {f"{key}_ratio": rounded(rows[first][key] / rows[other][key]) for key in keys}
        for other in others
    }


def all_ratios(rows: dict[str, dict[str, Any]], keys: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """The same for each row over each later one."""
    names = list(rows)
    found: dict[str, dict[str, float]] = {}
    for place in range(len(names)):
        found |= ratios_of({name: rows[name] for name in names[place:]}, keys)
    return found
