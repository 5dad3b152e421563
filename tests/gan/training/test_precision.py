"""Mixed precision and compiled networks."""

import pytest
import torch

from gan.training.precision import uses_bfloat16
from tests.trainer_makers import make_trainer, phrase_pair, train


def test_bfloat16_trains_as_float32_does_and_penalties_stay_exact():
    curves = []
    for precision in ("float32", "bfloat16"):
        trainer = make_trainer(precision=precision)
        curves.append([line["discriminator_loss"] for line in train(trainer, steps=6)[3:]])
        assert all(weight.dtype == torch.float32 for weight in trainer.generator.parameters())
    assert curves[1] == pytest.approx(curves[0], abs=0.02)
    assert curves[1] != curves[0]
    fast = trainer.accelerated[1]
    calls = []
    fast.plain = fast.fast = lambda *args: calls.append(args) or trainer.discriminator.compute(*args)
    pair = phrase_pair(trainer)
    for step, exact in ((0, True), (1, False)):  # a step with penalties, and one without
        calls.clear()
        trainer.adversarial.discriminator_step(pair, step)
        assert bool(calls) != exact


def test_automatic_precision_is_float32_on_a_processor():
    assert not uses_bfloat16("auto", torch.device("cpu"))
    assert uses_bfloat16("bfloat16", torch.device("cpu"))


def test_a_machine_without_a_compiler_trains_all_the_same_and_says_so(monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise torch._dynamo.exc.TorchDynamoException("no compiler here\nand more")

    monkeypatch.setattr(torch, "compile", lambda plain, **_: refuse)
    trainer = make_trainer(compile=True)
    lines = train(trainer, steps=6)
    assert lines[0]["warnings"] == ["train.compile=true does nothing: this machine can't compile (no compiler here)"]
    assert lines[-1]["warnings"] == []
    plain = train(make_trainer(), steps=6)
    assert [line["likelihood_loss"] for line in lines] == [line["likelihood_loss"] for line in plain]
