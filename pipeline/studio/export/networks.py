"""The generator and the discriminator as ONNX models, exported from PyTorch.

The sampler is one model: what holds for whole phrases is computed first, then an ONNX Scan runs over the steps, whose
body is `gan.networks.onnx_step.SamplerStep`.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import onnx
import torch
from onnx import GraphProto, ModelProto, TensorProto, helper
from torch import Tensor, nn
from torch.jit._trace import TracerWarning

from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.networks.onnx_step import DiscriminatorScore, SamplerInputs, SamplerState, SamplerStep, StepInputs

OPSET = 17
CONTEXT_INPUTS = ("streams", "mask")
SAMPLER_INPUTS = (
    *("z", "z_time", "z_track", "z_track_time", "conditions"),
    *CONTEXT_INPUTS,
    *("temperature", "condition_strength", "chord_strength"),
)
"""See `gan.networks.onnx_step.SamplerInputs`."""
STATES, BY_TIME, SHARED = SamplerState._fields, StepInputs._fields, ("density", "warmth")
"""What goes from step to step, what each step has of its own, and what all steps share."""
PHRASES, LOGITS = "phrases", "logits"
"""What the two models give: streams `[batch, time, tracks, 2, pitch_range]`, and `[batch]`."""
CANDIDATES = 6
"""Phrases that the models take at once: sizes that stay the same make them half as large and twice as fast."""


class _FlatStep(nn.Module):
    """`SamplerStep` with tensors in and out, as ONNX has them."""

    def __init__(self, step: SamplerStep) -> None:
        super().__init__()
        self.step = step

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        states, inputs = len(SamplerState._fields), len(StepInputs._fields)
        state, streams = self.step(
            SamplerState(*tensors[:states]),
            StepInputs(*tensors[states : states + inputs]),
            *tensors[states + inputs :],
        )
        return (*state, streams)


def sampler_model(generator: Generator, count: int = CANDIDATES) -> ModelProto:
    """The whole sampler of `count` phrases: `SAMPLER_INPUTS` to `PHRASES`, as `Generator.streams` makes them."""
    spec, size = generator.spec, generator.settings.latent_size
    tracks = spec.num_tracks
    latents = [torch.zeros(count, size), torch.zeros(count, size)]
    latents += [torch.zeros(count, tracks, size), torch.zeros(count, tracks, size)]
    conditions = torch.full((count, generator.layout.size), torch.nan)
    given = torch.zeros(count, spec.num_steps, tracks, 2, generator.pitch_range)
    factors = (torch.ones(tracks), torch.tensor(1.0), torch.tensor(1.0))
    arguments = (*latents, conditions, given, torch.zeros(count, tracks, spec.bars), *factors)
    before = SamplerInputs(generator)
    head = _exported(before, arguments, SAMPLER_INPUTS, [*STATES, *BY_TIME, *SHARED])
    with torch.no_grad():
        state, all_steps, density, warmth = before(*arguments)
    first = (*state, *(step[0] for step in all_steps), density, warmth)
    after = [f"next_{name}" for name in STATES]
    step = _exported(
        _FlatStep(SamplerStep(generator.decoder)),
        tuple(one.contiguous() for one in first),
        [*STATES, *BY_TIME, *SHARED],
        [*after, "made"],
    )
    shape = (count, *given.shape[1:])
    return _scan(head, step, shape)


def discriminator_model(discriminator: Discriminator, pitch_range: int, count: int = CANDIDATES) -> ModelProto:
    """The discriminator: `CONTEXT_INPUTS` to `LOGITS`, times its sharpness."""
    spec = discriminator.spec
    streams = torch.zeros(count, spec.num_steps, spec.num_tracks, 2, pitch_range)
    mask = torch.zeros(count, spec.num_tracks, spec.bars)
    return _exported(DiscriminatorScore(discriminator), (streams, mask), CONTEXT_INPUTS, [LOGITS])


def _exported(
    module: nn.Module, arguments: tuple[Tensor, ...], inputs: Sequence[str], outputs: Sequence[str]
) -> ModelProto:
    """A module as ONNX, by tracing: in seconds, where the exporter of torch.export takes more than a minute."""
    with warnings.catch_warnings(), torch.no_grad(), tempfile.TemporaryDirectory() as place:
        file = Path(place) / "network.onnx"
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", TracerWarning)  # sizes stay the same
        warnings.filterwarnings("ignore", "Constant folding", UserWarning)
        torch.onnx.export(
            module.eval(),
            arguments,
            file,
            dynamo=False,
            opset_version=OPSET,
            input_names=list(inputs),
            output_names=list(outputs),
        )
        return onnx.load(file)


def _scan(head: ModelProto, step: ModelProto, shape: Sequence[int]) -> ModelProto:
    """`head`, then a Scan over time with `step` as its body, which gives phrases of a shape."""
    body, graph = step.graph, head.graph
    _rename(body, "step.", keep=set(SHARED))
    inputs = [one for one in body.input if one.name not in SHARED]
    del body.input[:]
    body.input.extend(inputs)
    last = [f"last_{name}" for name in STATES]
    inputs_of_scan, count = [*STATES, *BY_TIME], len(BY_TIME)
    graph.node.append(helper.make_node("Scan", inputs_of_scan, [*last, "made"], body=body, num_scan_inputs=count))
    graph.node.append(helper.make_node("Transpose", ["made"], [PHRASES], perm=[1, 0, 2, 3, 4]))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(PHRASES, TensorProto.FLOAT, shape))
    onnx.checker.check_model(head)
    return head


def _rename(graph: GraphProto, prefix: str, keep: set[str]) -> None:
    """Put `prefix` before all names of a graph but those to `keep`."""
    for names in _names(graph):
        for place, name in enumerate(names):
            if name and name not in keep:
                names[place] = prefix + name
    for value in (*graph.input, *graph.output, *graph.initializer, *graph.value_info):
        if value.name not in keep:
            value.name = prefix + value.name


def _names(graph: GraphProto) -> Iterator[list[str]]:
    """The names that each node takes and gives, to be changed in place."""
    for node in graph.node:
        yield node.input
        yield node.output
