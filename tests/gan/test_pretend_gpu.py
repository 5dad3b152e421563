"""Training on a pretended GPU: nothing that a real one refuses, little that waits for it, and the same losses."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from gan.networks.resampling import sample_resampled
from gan.statistics import DataStatistics
from gan.training import trainer as training
from gan.training.batches import batches_from
from gan.training.trainer import Trainer
from tests.pretend_gpu import GpuTensor, PretendGpu
from tests.trainer_makers import MODEL, SPEC, TRAIN, replace, scale_rolls


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[PretendGpu]:
    """Backward passes are not looked into, and modules take the tensors that they are given."""
    for name in ("backward", "grad"):
        plain = getattr(torch.autograd, name)

        def unseen(*args: Any, plain: Any = plain, **kwargs: Any) -> Any:
            gpu.backward += 1
            try:
                found = plain(*args, **kwargs)
            finally:
                gpu.backward -= 1
            return None if found is None else tuple(one.as_subclass(GpuTensor) for one in found)

        monkeypatch.setattr(torch.autograd, name, unseen)
    monkeypatch.setattr(training, "uses_bfloat16", lambda *_: False)
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    gpu = PretendGpu()
    yield gpu
    torch.__future__.set_overwrite_module_params_on_conversion(False)


def trainer_on(device: str) -> Trainer:
    settings = replace(TRAIN, max_transposition=2, policy_weight=0.0, report_steps=100)
    return Trainer(SPEC, DataStatistics.of([scale_rolls()], SPEC), MODEL, settings, 3, device)


def step(trainer: Trainer, number: int) -> dict[str, float]:
    """Figures of one step, of batches from the host."""
    trainer.step = number
    trainer.train_step(next(batches_from(scale_rolls(), SPEC, 8, 0, number, device=trainer.device)))
    return trainer.meter.report(0, 0.0, 0.0, None, False).figures


def test_steps_mix_no_devices_and_wait_for_few_things(gpu: PretendGpu) -> None:
    plain = trainer_on("cpu")
    expected = [step(plain, number) for number in (0, 3)]  # of likelihood, of the discriminator
    with gpu:
        trainer = trainer_on("cuda")
        assert next(trainer.generator.parameters()).device.type == "cuda"
        gpu.waits.clear()
        found = [step(trainer, number) for number in (0, 3)]
    assert not gpu.mistakes
    for one, other in zip(found, expected, strict=True):
        assert one == pytest.approx(other, rel=1e-3, abs=1e-4)
    assert not [place for place in gpu.waits if "blocking" in place or "index" in place]
    waits = [place for place in gpu.waits if not place.split(" at ")[1].startswith(("networks/", "training/monitor"))]
    assert len(waits) == 2, "figures once a step, and how many phrases calibrate the logits"


def test_batches_kept_on_the_device_are_those_of_the_host(gpu: PretendGpu) -> None:
    host = list(itertools.islice(batches_from(scale_rolls(), SPEC, 8, 1), 4))
    with gpu:
        resident = list(itertools.islice(batches_from(scale_rolls().to("cuda"), SPEC, 8, 1), 4))
        sent = list(itertools.islice(batches_from(scale_rolls(), SPEC, 8, 1, device="cuda"), 4))
        for made in (resident, sent):
            for one, other in zip(host, made, strict=True):
                assert other.rolls.device.type == other.labels.device.type == other.known.device.type == "cuda"
                assert torch.equal(one.rolls, other.rolls.cpu())
                assert torch.equal(one.labels.isnan(), other.labels.cpu().isnan())
                assert torch.equal(one.known, other.known.cpu())
    assert not gpu.mistakes


def test_phrases_are_sampled_and_resampled(gpu: PretendGpu) -> None:
    with gpu:
        trainer: Any = trainer_on("cuda")
        random = torch.Generator().manual_seed(0)
        latents = trainer.average.sample_latents(3, random)
        rolls, _ = sample_resampled(trainer.average, trainer.discriminator, latents, 2, random)
        assert rolls.cpu().shape == (3, *SPEC.shape)
    assert not gpu.mistakes


def test_what_a_gpu_refuses_is_seen(gpu: PretendGpu) -> None:
    with gpu:
        x = torch.ones(2, 2).to("cuda")
        x + torch.ones(2, 2)
        x.long() @ x.long()
    assert len(gpu.mistakes) == 2
