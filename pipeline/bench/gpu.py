"""A GPU beside a processor: checks that training there learns the same, and how much faster it is.

Where there is no GPU the same checks and timings run on the processor, with a small model: so they stay in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from gan.training.batches import Batch, PhrasePair, batches_from
from gan.training.precision import uses_bfloat16
from pipeline.bench.gpu_contenders import KINDS, DeviceContender, Way, run_processes
from pipeline.bench.music import BenchCorpus, composed
from pipeline.bench.plan import QUICK, BenchPlan
from pipeline.bench.timing import TimedRepeats, interleaved_laps, median, rounded
from pipeline.config import Config
from pipeline.errors import UserError
from pipeline.progress import bar, say
from pipeline.training.torchrun import first_line

FLOAT32_TOLERANCE = 1e-3
"""Largest relative difference of a loss or a gradient's norm in float32: another order of sums, nothing else."""
BFLOAT16_TOLERANCE = 0.03
"""In bfloat16, whose numbers have two or three digits."""
PROCESSES_TOLERANCE = 0.02
"""Of the losses of whole steps in several processes: weights move, and a sampled note may fall the other way."""
PHRASES_TOLERANCE = 0.1
"""Share of the sampled phrases that may be others: a number between two notes may be rounded to the other one."""
SMALLEST = 1e-3
"""Differences of figures below this count as of this."""
CHECKED_BATCHES = 4
"""Batches that are compared bit by bit."""
SMALL = (
    "model.trunk_width=24",
    "model.trunk_blocks=1",
    "model.track_width=12",
    "model.step_width=12",
    "model.beat_width=24",
    "model.bar_width=24",
    "model.decoder_width=24",
    "train.batch_size=4",
)
"""The model and its batches where a processor stands in for a GPU."""


def has_gpu() -> bool:
    """Whether torch finds a GPU."""
    return torch.cuda.is_available()


@dataclass(frozen=True)
class Found:
    """What a check found: a difference; or why it was not made, in words."""

    difference: float = float("nan")
    left_out: str = ""


class Bench:
    """The checks and timings of one model on one device.

    Parameters
    ----------
    corpus, config, plan
        Phrases; settings of model and training; how much is measured.
    device
        What is held against the processor.
    processes
        How many train together, or as many fewer as can share a batch; 1 leaves that out.
    """

    def __init__(self, corpus: BenchCorpus, model: str, plan: BenchPlan, device: str, processes: int) -> None:
        self.corpus, self.model, self.plan, self.device = corpus, model, plan, device
        small = SMALL if device == "cpu" else ()
        self.settings = (f"model={model}", f"seed={plan.seed}", "threads=1", *corpus.settings, *small)
        self.config: Config = composed(*self.settings)
        self.count = self.config.train.batch_size
        self.processes = next(number for number in range(processes, 0, -1) if self.count % number == 0)
        self.plain: dict[str, float] = {}

    def contender(self, way: Way) -> DeviceContender:
        """The model, trained in a way."""
        return DeviceContender(self.corpus.packed, self.corpus.spec, self.config, way, self.plan.effort)

    def batch(self) -> Batch:
        """Phrases on the host."""
        return next(batches_from(self.corpus.packed, self.corpus.spec, self.count, self.config.seed))

    def fastest(self) -> Way:
        """All together: what several processes do."""
        bfloat16 = "bfloat16" if has_bfloat16(self.device) else "float32"
        return Way(self.device, bfloat16, compiled=self.device != "cpu", resident=True)

    def checks(self) -> dict[str, tuple[Callable[[], Found], float]]:
        """What is checked, in words, and how large the difference may be."""
        reference = self.contender(Way("cpu"))
        pair = reference.pairs(self.batch())[0]
        found: dict[str, tuple[Callable[[], Found], float]] = {
            "batches of phrases kept on the device": (self._batches, 0.0),
            "phrases sampled on the device": (partial(self._phrases, pair), PHRASES_TOLERANCE),
            "losses in float32": (lambda: self._float32(reference, pair), FLOAT32_TOLERANCE),
            "losses in bfloat16": (partial(self._bfloat16, pair), BFLOAT16_TOLERANCE),
            "losses of compiled networks": (partial(self._compiled, pair), FLOAT32_TOLERANCE),
        }
        if self.processes > 1:
            found[f"losses of {self.processes} processes"] = (self._together, PROCESSES_TOLERANCE)
        return found

    def _batches(self) -> Found:
        """The share of the bits in which batches on the device are not those of the host, of rolls here and there."""
        packed, spec, seed = self.corpus.packed, self.corpus.spec, self.config.seed
        ways = (packed, None), (packed.to(self.device), None), (packed, self.device)
        host, *others = (
            list(islice(batches_from(rolls, spec, self.count, seed, device=device), CHECKED_BATCHES))
            for rolls, device in ways
        )
        pairs = [pair for made in others for pair in zip(host, made, strict=True)]
        return Found(max(share_apart(one.rolls, other.rolls) for one, other in pairs))

    def _phrases(self, pair: PhrasePair) -> Found:
        """The share of the sampled phrases that are not the processor's; real ones must be the same to the bit."""
        made = self.contender(Way(self.device)).pairs(self.batch())[0]
        assert made.fake is not None and pair.fake is not None
        if not torch.equal(made.real.cpu(), pair.real):
            return Found(1.0)
        return Found(float((made.fake.cpu() != pair.fake).flatten(1).any(1).double().mean()))

    def _losses(self, pair: PhrasePair, way: Way) -> tuple[dict[str, float], str]:
        """Losses of the pair, and why nothing was compiled."""
        contender = self.contender(way)
        return contender.losses(pair), contender.refusal

    def _float32(self, reference: DeviceContender, pair: PhrasePair) -> Found:
        """Of the processor and the device."""
        self.plain, _ = self._losses(pair, Way(self.device))
        return Found(difference_of(reference.losses(pair), self.plain))

    def _bfloat16(self, pair: PhrasePair) -> Found:
        """Of float32 and bfloat16, both on the device."""
        if not has_bfloat16(self.device):
            return Found(left_out="this GPU has no bfloat16")
        return Found(difference_of(self.plain, self._losses(pair, Way(self.device, "bfloat16"))[0]))

    def _compiled(self, pair: PhrasePair) -> Found:
        """Of networks as they are and compiled ones, both in float32 on the device."""
        compiled, refusal = self._losses(pair, Way(self.device, compiled=True))
        return Found(left_out=refusal) if refusal else Found(difference_of(self.plain, compiled))

    def _together(self) -> Found:
        """Of one process and of several."""
        alone = self.contender(self.fastest()).trained_losses()
        return Found(difference_of(alone, self.trained_together["losses"]))

    @cached_property
    def trained_together(self) -> dict[str, Any]:
        """What several processes find, which are started once: losses, seconds, memory."""
        plan = self.plan
        return run_processes(
            self.processes, self.corpus.packed, self.settings, self.fastest(), plan.effort, plan.scratch
        )

    def ways(self) -> dict[str, tuple[Way, tuple[str, ...]]]:
        """The ways that are timed, each with one thing more than the one before; and what is timed of each.

        The average that phrases are sampled from is neither compiled nor bfloat16.
        """
        floor = {"processor, one thread": (Way("cpu"), KINDS)}
        if self.device == "cpu":  # compilers take a minute, which the checks have spent
            return floor | {"processor, bfloat16": (self.fastest(), KINDS[:2])}
        half = self.fastest().precision
        return floor | {
            "GPU, float32": (Way(self.device), KINDS),
            "+ bfloat16": (Way(self.device, half), KINDS[:2]),
            "+ compiled": (Way(self.device, half, compiled=True), KINDS[:2]),
            "+ phrases kept there": (self.fastest(), KINDS[:2]),
        }


def has_bfloat16(device: str) -> bool:
    """Whether networks can be computed in bfloat16 there: on any processor, and on GPUs that have it."""
    return device == "cpu" or uses_bfloat16("auto", torch.device(device))


def difference_of(expected: dict[str, float], found: dict[str, float]) -> float:
    """The largest relative difference of any figure; infinite where one is missing or not a number."""
    if expected.keys() != found.keys():
        return float("inf")
    apart = [abs(found[name] - value) / max(abs(value), SMALLEST) for name, value in expected.items()]
    return max(one if one == one else float("inf") for one in apart)


def share_apart(one: Tensor, other: Tensor) -> float:
    """The share of the bits that are not the same on the host."""
    return float((one.cpu() != other.cpu()).double().mean())


def checked(name: str, model: str, check: Callable[[], Found], tolerance: float) -> dict[str, Any]:
    """A row of the report: what a check found, and whether that is within its tolerance."""
    row: dict[str, Any] = {"model": model, "check": name, "tolerance_ratio": tolerance, "passed": False}
    try:
        found = check()
    except (RuntimeError, UserError, NotImplementedError) as error:
        return row | {"said": f"FAILED: {first_line(error)}"}
    if found.left_out:
        return row | {"passed": True, "said": f"not run: {found.left_out}"}
    passed = found.difference <= tolerance
    row["difference_ratio"] = found.difference if found.difference < float("inf") else "infinite"
    return row | {"passed": passed, "said": "passed" if passed else "FAILED"}


def timings(bench: Bench) -> Iterator[dict[str, Any]]:
    """A row for each way, all measured in turn; one that fails says why, and the others go on."""
    contenders: dict[str, DeviceContender] = {}
    rows: dict[str, dict[str, Any]] = {}
    ways = bench.ways()
    for name, (way, kinds) in bar(ways.items(), len(ways), f"bench: {bench.model}, first steps", "ways"):
        rows[name] = {"model": bench.model, "way": name}
        try:
            contender = bench.contender(way)
            figures = contender.warm_up(kinds)
        except RuntimeError as error:
            rows[name]["said"] = first_line(error)
            continue
        if contender.refusal:
            rows[name]["said"] = contender.refusal
        contenders[name] = contender
        rows[name] |= {key: rounded(value) for key, value in figures.items()}
    measures = {
        (name, kind): partial(contender.lap, kind) for name, contender in contenders.items() for kind in ways[name][1]
    }
    laps: dict[tuple[str, str], list[TimedRepeats]] = interleaved_laps(
        measures, bench.plan.effort.slow_rounds, f"{bench.model}, devices"
    )
    for (name, kind), own in laps.items():
        phrases = contenders[name].phrases[kind]
        rows[name][f"{kind}_phrases_per_second"] = median([lap.times * phrases / lap.seconds for lap in own])
    if bench.processes > 1:
        rows["together"] = together(bench)
    first = next(iter(rows.values()))
    for row in rows.values():
        for key in [f"{kind}_phrases_per_second" for kind in KINDS]:
            if key in row and key in first:
                row[key.replace("phrases_per_second", "ratio")] = rounded(row[key] / first[key])
        yield row


def together(bench: Bench) -> dict[str, Any]:
    """The row of several processes."""
    row: dict[str, Any] = {"model": bench.model, "way": f"{bench.processes} processes, all of that"}
    try:
        found = bench.trained_together
    except UserError as error:
        return row | {"said": first_line(error)}
    train = bench.config.train
    phrases = train.batch_size * min(train.batches_per_step, bench.plan.effort.step_batches)
    row |= {f"{kind}_phrases_per_second": rounded(phrases / found[kind]) for kind in KINDS[:2]}
    return row | {key: rounded(found[key]) for key in ("warm_up_seconds", "peak_megabytes") if key in found}


def machine() -> tuple[str, int, str]:
    """The device to measure, how many processes, and what is said of it."""
    if not has_gpu():
        return (
            "cpu",
            2,
            "There is no GPU here: nothing was checked or timed on one (float32, bfloat16, compiled networks, phrases "
            "kept in its memory, a process for each GPU by NCCL); the same checks and timings run on the processor, "
            "with a small model and two processes by gloo, to see that they are in order.",
        )
    count = torch.cuda.device_count()
    names = ", ".join(torch.cuda.get_device_name(number) for number in range(count))
    memory = torch.cuda.get_device_properties(0).total_memory / 1e6
    several = "" if count > 1 else "; with one GPU, training in several processes was not run"
    return "cuda", count, f"{names}, {memory:,.0f} MB, CUDA {torch.version.cuda}{several}."


def measure_gpu(corpus: BenchCorpus, plan: BenchPlan) -> dict[str, Any]:
    """Checks and timings of all models of the default design. Raises `UserError` where the plan has none."""
    device, processes, said = machine()
    say(said)
    if device == "cpu":
        plan = replace(plan, effort=QUICK)
    models = [model for model in plan.models if composed(f"model={model}", *corpus.settings).model.design == "albumgan"]
    if not models:
        raise UserError(f"--models {','.join(plan.models)}: a GPU is measured with default or large.")
    checks: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for model in models if device != "cpu" else models[:1]:
        bench = Bench(corpus, model, plan, device, processes)
        wanted = bench.checks()
        for name, (check, tolerance) in bar(wanted.items(), len(wanted), f"bench: {model}, checks", "checks"):
            checks.append(checked(name, model, check, tolerance))
        rows += timings(bench)
    failed = sum(not check["passed"] for check in checks)
    return {"device": said, "processes": processes, "failed_checks": failed, "checks": checks, "rows": rows}
