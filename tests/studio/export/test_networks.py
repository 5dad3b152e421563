"""The networks as ONNX: onnxruntime makes of the same latents what PyTorch makes."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from onnx import ModelProto

from gan.context import StreamContext
from gan.latents import Latents
from gan.networks.generator import Generator
from gan.networks.onnx_step import DiscriminatorScore
from gan.training.augmentation import draw_masks
from pipeline.studio.export.networks import LOGITS, PHRASES, discriminator_model, sampler_model
from tests.gan.trio import lively, music, networks

COUNT = 25
"""Phrases that the model takes at once."""


@pytest.fixture(scope="module")
def generator() -> Generator:
    return lively(networks()[0])


@pytest.fixture(scope="module")
def sampler(generator: Generator) -> onnxruntime.InferenceSession:
    return session(sampler_model(generator, COUNT))


def session(model: ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def run_sampler(
    sampler: onnxruntime.InferenceSession, latents: Latents, context: StreamContext, strengths: tuple[float, ...]
) -> NDArray[np.float32]:
    condition_strength, temperature, chord_strength = strengths
    inputs = {name: values.numpy() for name, values in latents.to_dict().items()}
    inputs |= {"streams": context.streams.numpy(), "mask": context.mask.float().numpy()}
    inputs["temperature"] = np.full(latents.z_track.shape[1], temperature, np.float32)
    inputs["condition_strength"] = np.array(condition_strength, np.float32)
    inputs["chord_strength"] = np.array(chord_strength, np.float32)
    (phrases,) = sampler.run([PHRASES], inputs)
    return np.asarray(phrases)


@pytest.mark.parametrize("strengths", [(1.0, 1.0, 1.0), (1.0, 1.0, 2.0), (0.6, 1.3, 1.0), (1.0, 0.0, 1.0)])
def test_a_hundred_phrases_have_the_same_cells_in_onnxruntime(
    generator: Generator, sampler: onnxruntime.InferenceSession, strengths: tuple[float, float, float]
) -> None:
    seed = round(1000 * sum(strengths))
    latents = generator.sample_latents(COUNT, torch.Generator().manual_seed(seed))
    mask = draw_masks(COUNT, generator.spec, torch.Generator().manual_seed(seed))
    context = StreamContext(generator.encode(music(COUNT)), mask)
    condition_strength, temperature, chord_strength = strengths
    expected = generator.streams(latents, context, condition_strength, temperature, chord_strength=chord_strength)
    found = run_sampler(sampler, latents, context, strengths)
    assert (found == expected.numpy()).mean() >= 0.999
    given = mask.transpose(1, 2).repeat_interleave(generator.spec.steps_per_bar, 1).numpy()
    assert (found[..., 0, :] == context.streams[..., 0, :].numpy())[given].all(), "what is given comes back"


def test_the_discriminator_scores_alike_in_onnxruntime() -> None:
    generator, discriminator = networks()
    discriminator.moments.copy_(torch.tensor([2.0, 0.5]))
    streams = generator.encode(music(9))
    mask = draw_masks(9, generator.spec, torch.Generator().manual_seed(2)).float()
    model = discriminator_model(discriminator, generator.pitch_range, 9)
    (found,) = session(model).run([LOGITS], {"streams": streams.numpy(), "mask": mask.numpy()})
    np.testing.assert_allclose(found, DiscriminatorScore(discriminator)(streams, mask).detach(), rtol=1e-4, atol=1e-5)
