"""Training speed: phrases a second of several models, and their floating-point operations beside the machine's peak."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from gan.statistics import count_some
from gan.training.batches import batches_from
from gan.training.trainer import Trainer
from pipeline.bench.music import BenchCorpus, training_config
from pipeline.bench.plan import BenchPlan
from pipeline.bench.timing import TimedRepeats, all_ratios, interleaved_laps, median, repeat, rounded
from pipeline.devices import prepare_torch
from pipeline.progress import bar

PRODUCT_SECONDS = 0.1
"""Each size is multiplied for so long."""
PEAK = ("machine", "matrix products")


def product_gflops(size: int) -> float:
    """Billions of operations a second of the fastest of several float32 products of two square matrices.

    A product of side n counts 2 n^3 operations.
    """
    left, right = torch.ones(size, size), torch.ones(size, size)
    out = torch.empty(size, size)
    torch.mm(left, right, out=out)  # the first one sets up buffers
    fastest, end = float("inf"), time.perf_counter() + PRODUCT_SECONDS
    while True:
        start = time.perf_counter()
        torch.mm(left, right, out=out)
        now = time.perf_counter()
        fastest = min(fastest, now - start)
        if now >= end:
            return 2 * size**3 / fastest / 1e9


FORMULA = (
    "operations of a cycle = sum over matrix products [m, k] x [k, n] of 2 m k n (times the batch, for batched ones) + "
    "sum over convolutions of 2 x outputs x kernel elements x input channels / groups, each as it is executed, forward "
    "and backward, in the shortest run of steps after which the kinds of steps repeat (all discriminator steps, the "
    "generator step, and the penalties' second derivatives in the steps that have them; of albumgan a run of five "
    "steps, three of likelihood alone and two with the discriminator); everything else (activations, "
    "normalisation, sampling, optimiser, copies) counts as nothing. gigaoperations_per_phrase = operations of a cycle "
    "/ its real phrases / 1e9; gflops = gigaoperations_per_phrase x phrases_per_second; peak_share = gflops / "
    "peak_gflops, the median over the rounds of the fastest product of two square float32 matrices (2 n^3 operations) "
    "with the same number of threads. cpu_peak_share has the processor's time in place of the clock's, so that other "
    "programs on a busy machine do not lower it."
)
"""What is counted, in words."""


class OperationCounter(TorchDispatchMode):
    """While this context is open, `operations` grows by 2 for each multiplication and addition of a matrix product.

    Sees what is executed, so also the products inside backward passes and derivatives of derivatives.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Compute as ever, and add what it takes by torch's own formulas."""
        out = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func.overloadpacket)
        if formula is not None:
            self.operations += formula(*args, **(kwargs or {}), out_val=out)
        return out


class TrainingContender:
    """A model in training on a corpus, and the operations of one cycle of it.

    A cycle is the shortest run of steps after which the kinds of steps repeat: as many as lie between two penalties, or
    where the generator learns before its adversary a whole run of a few steps.
    """

    def __init__(self, corpus: BenchCorpus, model: str, plan: BenchPlan) -> None:
        config = training_config(corpus, model, plan)
        prepare_torch(config)
        packed, spec = corpus.packed, corpus.spec
        statistics = count_some(packed, spec)
        self.settings = config.train
        self.has_phases = config.train.pretrain_share > 0
        if self.has_phases:
            config.train.steps = plan.effort.run_steps
            config.train.batches_per_step = min(config.train.batches_per_step, plan.effort.step_batches)
        self.cycle_steps = plan.effort.run_steps if self.has_phases else config.train.penalty_steps
        self.trainer = Trainer(spec, statistics, config.model, config.train, config.seed)
        self.batches = batches_from(packed, spec, config.train.phrases_per_step, config.seed)
        self.lap_seconds = plan.effort.lap_seconds
        with OperationCounter() as counter:  # the first cycle also warms everything up
            self.cycle()
        self.operations = counter.operations

    def cycle(self) -> None:
        """Train for one cycle."""
        if self.has_phases:
            self.trainer.step = 0
        for _ in range(self.cycle_steps):
            self.trainer.train_step(next(self.batches))

    def lap(self) -> TimedRepeats:
        """Train for whole cycles, at least `lap_seconds`."""
        return repeat(self.cycle, self.lap_seconds)

    def describe(self, laps: list[TimedRepeats], peak_gflops: float, threads: int) -> dict[str, Any]:
        """The figures of a model, medians over its laps."""
        settings = self.settings
        real = self.cycle_steps * settings.phrases_per_step
        learnt = settings.pretrain_steps * settings.phrases_per_step  # from which the generator learns
        learnt = learnt if self.has_phases else self.cycle_steps * settings.batch_size
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
            "generator_phrases_per_second": median([lap.times * learnt / lap.seconds for lap in laps]),
            "gigaoperations_per_phrase": rounded(self.operations / real / 1e9),
            "gflops": gflops,
            "peak_share": rounded(gflops / peak_gflops),
            "cpu_peak_share": rounded(cpu_gflops * threads / peak_gflops),
        }


def count_weights(network: nn.Module) -> int:
    """Numbers that a network learns."""
    return sum(weight.numel() for weight in network.parameters())


def measure_training(corpora: dict[str, BenchCorpus], plan: BenchPlan) -> dict[str, Any]:
    """Train all models on all corpora, one lap each in turn.

    For each corpus `models` holds the figures of each model and `ratios` its speed over that of each later one.
    """
    pairs = [(name, model) for name in corpora for model in plan.models]
    contenders = {
        (name, model): TrainingContender(corpora[name], model, plan)
        for name, model in bar(pairs, len(pairs), "bench: first steps", "models")
    }
    sizes = plan.effort.matrix_sizes
    measures: dict[tuple[str, str], Callable[[], Any]] = {PEAK: lambda: [product_gflops(size) for size in sizes]}
    measures |= {key: contender.lap for key, contender in contenders.items()}
    laps = interleaved_laps(measures, plan.effort.slow_rounds, "training")
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
