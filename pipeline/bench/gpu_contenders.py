"""Training and sampling on a device in several ways; also as one of several processes that torchrun starts.

`python -m torch.distributed.run ... -m pipeline.bench.gpu_contenders JOB` is what each of the processes runs: it trains
as the job says, and the first one writes what was found.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gan.context import Conditioning
from gan.networks.generator import Generator
from gan.seeds import RandomStream, random_stream
from gan.spec import RollSpec
from gan.statistics import count_some
from gan.training.batches import Batch, PhrasePair, batches_from, make_pairs
from gan.training.distributed import ALONE, Team
from gan.training.sequence_step import SequenceStep
from gan.training.trainer import Trainer
from pipeline.bench.plan import Effort
from pipeline.bench.timing import TimedRepeats, repeat
from pipeline.config import Config, compose
from pipeline.devices import choose_device, prepare_torch
from pipeline.errors import UserError
from pipeline.settings.data import roll_spec
from pipeline.training.torchrun import join_process_group, leave_process_group, team

STEPS = 1000
"""Of the run that steps are taken from: half of them are of likelihood alone."""
PROCESS_STEPS = 4
"""Steps of each kind that several processes are timed over; all of them must do as many."""
LONGEST_SECONDS = 1800
"""Several processes that take longer are given up: they may wait for each other for ever."""
KINDS = ("likelihood", "discriminator", "sampling")
"""What is timed: steps of likelihood alone; steps of the discriminator, for which phrases are sampled; sampling."""


@dataclass(frozen=True)
class Way:
    """A way to train.

    Attributes
    ----------
    device
        Such as `cpu` or `cuda`.
    precision
        `train.precision`.
    compiled
        `train.compile`.
    resident
        Whether the phrases lie on the device, and not on the host.
    """

    device: str
    precision: str = "float32"
    compiled: bool = False
    resident: bool = False


def synchronise(device: torch.device) -> None:
    """Wait until a GPU has done all that it was given; a processor always has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class DeviceContender:
    """A model of the default design that trains and samples in one way; it has learnt nothing yet.

    Parameters
    ----------
    packed, spec
        Phrases to train on, uint8 `[phrases, ...]`, on the host.
    config
        Settings of model and training.
    way
        How.
    effort
        Batches of a step, and phrases that are sampled at once.
    team
        The processes that train together.
    """

    def __init__(
        self, packed: Tensor, spec: RollSpec, config: Config, way: Way, effort: Effort, team: Team = ALONE
    ) -> None:
        prepare_torch(config)
        settings = replace(
            config.train,
            steps=STEPS,
            pretrain_share=0.5,
            report_steps=STEPS,
            batches_per_step=min(config.train.batches_per_step, effort.step_batches),
            precision=way.precision,
            compile=way.compiled,
        )
        self.device, self.effort, self.seed = torch.device(way.device), effort, config.seed
        self.allocated = torch.cuda.memory_allocated(self.device) if self.device.type == "cuda" else 0
        self.trainer = Trainer(spec, count_some(packed, spec), config.model, settings, config.seed, self.device, team)
        self.rolls = packed.to(self.device) if way.resident else packed
        self.batches = batches_from(self.rolls, spec, settings.phrases_per_step, config.seed, device=self.device)
        self.phrases = dict.fromkeys(KINDS, settings.phrases_per_step) | {"sampling": effort.device_phrases}
        self.random = torch.Generator().manual_seed(config.seed)

    def work(self, kind: str) -> None:
        """One step of training, or one batch of sampled phrases, to the end."""
        if kind == "sampling":
            average = self.trainer.average
            average.sample(average.sample_latents(self.effort.device_phrases, self.random))
        else:
            self.trainer.step = 0 if kind == "likelihood" else STEPS // 2
            self.trainer.train_step(next(self.batches))
        synchronise(self.device)

    def warm_up(self, kinds: Sequence[str] = KINDS) -> dict[str, float]:
        """Do everything once, for compilers and caches: seconds, and on a GPU the peak memory of this contender."""
        start = time.perf_counter()
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        for kind in kinds:
            self.work(kind)
        found = {"warm_up_seconds": time.perf_counter() - start}
        if self.device.type == "cuda":
            found["peak_megabytes"] = (torch.cuda.max_memory_allocated(self.device) - self.allocated) / 1e6
        return found

    def lap(self, kind: str) -> TimedRepeats:
        """Do it for a while."""
        return repeat(lambda: self.work(kind), self.effort.lap_seconds)

    @property
    def refusal(self) -> str:
        """Why nothing was compiled, in words; empty where it was, or was not wanted."""
        return next((part.warning for part in self.trainer.accelerated if part and part.warning), "")

    def pairs(self, batch: Batch) -> list[PhrasePair]:
        """Real phrases of a batch, and sampled ones beside them."""
        generator = self.trainer.average
        assert isinstance(generator, Generator)

        def random(purpose: RandomStream, device: torch.device | str) -> torch.Generator:
            return random_stream(self.seed, purpose, 0, device=device)

        return make_pairs(generator, [batch], 0, [random])

    def losses(self, pair: PhrasePair) -> dict[str, float]:
        """Losses and norms of gradients of a pair: of likelihood, and of the discriminator with and without penalty.

        No weight moves, so that each is of the first weights.
        """
        step = self.trainer.adversarial
        assert isinstance(step, SequenceStep)
        for optimizer in self.trainer.optimizers.values():
            optimizer.param_groups[0]["lr"] = 0.0
        here = moved(pair, self.device)
        found = {**step.likelihood_step(here, 0)}
        for number, place in enumerate(("penalised ", "")):
            figures = step.simultaneous_step(here, number)
            names = [name for name in figures if name.endswith(("loss", "norm")) or name in ("r1", "r2")]
            found |= {f"{place}{name}": figures[name] for name in names}
        return {name: float(value) for name, value in found.items()}

    def trained_losses(self) -> dict[str, float]:
        """Losses of a step of likelihood and one of the discriminator, each a mean over its batches."""
        found: dict[str, float] = {}
        for kind in KINDS[:2]:
            self.work(kind)
            figures = self.trainer.meter.report(0, 0.0, 0.0, None, False).figures
            found |= {f"{kind} {name}": value for name, value in figures.items() if name.endswith("_loss")}
        return found


def moved(pair: PhrasePair, device: torch.device) -> PhrasePair:
    """A pair on another device."""
    fake, given = pair.fake, pair.conditioning
    assert fake is not None and given is not None and given.known is not None
    there = Conditioning(*(one.to(device) for one in (given.conditions, given.mask, given.known)))
    return PhrasePair(pair.real.to(device), fake.to(device), there, pair.spec)


def run_processes(
    count: int, packed: Tensor, settings: tuple[str, ...], way: Way, effort: Effort, scratch: Path
) -> dict[str, Any]:
    """Train in so many processes: `losses` of the first steps, `seconds` of a step of each kind, `peak_megabytes`.

    `settings` are those of `pipeline.config.compose`. Raises `UserError` when the processes fail.
    """
    job, found = scratch / "job.pt", scratch / "found.pt"
    torch.save({"packed": packed, "settings": list(settings), "way": asdict(way), "effort": asdict(effort)}, job)
    found.unlink(missing_ok=True)
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={count}"),
            *("-m", "pipeline.bench.gpu_contenders", str(job), str(found)),
        ],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _, said = process.communicate(timeout=LONGEST_SECONDS)
    except subprocess.TimeoutExpired as error:
        process.terminate()  # and torchrun ends the others
        process.communicate()
        raise UserError(f"{count} processes did not come to an end in {LONGEST_SECONDS / 60:g} minutes.") from error
    if process.returncode or not found.exists():
        lines = [line for line in said.splitlines() if "Error: " in line]
        raise UserError(f"{count} processes failed: {lines[0].strip() if lines else process.returncode}")
    result: dict[str, Any] = torch.load(found, weights_only=True)
    return result


def main(words: list[str]) -> int:
    """Train as one of several processes, as a job says."""
    job = torch.load(words[0], weights_only=True)
    way, effort = Way(**job["way"]), Effort(**job["effort"])
    config = compose(*job["settings"], f"device={way.device}")
    join_process_group()
    way = replace(way, device=choose_device(config))
    spec = roll_spec(config.roll, config.tracks, config.data.metre)
    contender = DeviceContender(job["packed"], spec, config, way, effort, team())
    found: dict[str, Any] = {"losses": contender.trained_losses()} | contender.warm_up(KINDS[:2])
    steps = PROCESS_STEPS if effort.slow_rounds > 1 else 1
    for kind in KINDS[:2]:
        start = time.perf_counter()
        for _ in range(steps):
            contender.work(kind)
        found[kind] = (time.perf_counter() - start) / steps
    if team().leads:
        torch.save(found, words[1])
    leave_process_group()
    return 0


if __name__ == "__main__":
    os._exit(main(sys.argv[1:]))  # threads of gloo that are still at work would abort a process that ends by itself
