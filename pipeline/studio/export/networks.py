"""The generator and the discriminator as ONNX models, exported from PyTorch.

The sampler is one model: what holds for whole phrases is computed first, then an ONNX Scan runs over the steps, whose
body is `gan.networks.onnx_step.SamplerStep`.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
BATCH = "batch"
"""The name of the one axis whose size is open."""
CONTEXT_INPUTS = ("streams", "mask")
SAMPLER_INPUTS = (
    *("z", "z_time", "z_track", "z_track_time", "conditions"),
    *CONTEXT_INPUTS,
    *("temperature", "condition_strength", "chord_strength"),
)
"""See `gan.networks.onnx_step.SamplerInputs`."""
PHRASES, LOGITS = "phrases", "logits"
"""What the two models give: streams `[batch, time, tracks, 2, pitch_range]`, and `[batch]`."""
TIMELESS = ("place", "elapsed", "bar_starts")
"""Inputs of a step that all phrases share."""
BATCH_FIRST = ("sums_of_bar", "since", "used")
"""Parts of the state with the batch in front; the others have it second."""


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


@dataclass(frozen=True)
class _Value:
    """An input or output by name, with the axis that the batch runs along."""

    name: str
    batch_axis: int | None = 0


def sampler_model(generator: Generator) -> ModelProto:
    """The whole sampler: `SAMPLER_INPUTS` to `PHRASES`, as `Generator.streams` makes them."""
    spec, size = generator.spec, generator.settings.latent_size
    tracks, count = spec.num_tracks, 2
    latents = [torch.zeros(count, size), torch.zeros(count, size)]
    latents += [torch.zeros(count, tracks, size), torch.zeros(count, tracks, size)]
    given = torch.zeros(count, spec.num_steps, tracks, 2, generator.pitch_range)
    factors = (torch.ones(tracks), torch.tensor(1.0), torch.tensor(1.0))
    conditions = torch.full((count, generator.layout.size), torch.nan)
    arguments = (*latents, conditions, given, torch.zeros(count, tracks, spec.bars), *factors)
    before = SamplerInputs(generator)
    states = [_Value(name, 0 if name in BATCH_FIRST else 1) for name in SamplerState._fields]
    by_time = [_Value(name, None if name in TIMELESS else 1) for name in StepInputs._fields]
    rest = [_Value("density"), _Value("warmth", None)]
    inputs = [_Value(name, None if name in SAMPLER_INPUTS[-3:] else 0) for name in SAMPLER_INPUTS]
    head = _exported(before, arguments, inputs, [*states, *by_time, *rest])
    with torch.no_grad():
        state, all_steps, density, warmth = before(*arguments)
    first = [step[0].contiguous() for step in all_steps]
    by_step = [_Value(name, None if name in TIMELESS else 0) for name in StepInputs._fields]
    after = [_Value(f"next_{one.name}", one.batch_axis) for one in states]
    step = _exported(
        _FlatStep(SamplerStep(generator.decoder)),
        (*(one.contiguous() for one in state), *first, density, warmth),
        [*states, *by_step, *rest],
        [*after, _Value("made")],
    )
    return _scan(head, step, [one.name for one in states], [one.name for one in by_time])


def discriminator_model(discriminator: Discriminator, pitch_range: int) -> ModelProto:
    """The discriminator: `CONTEXT_INPUTS` to `LOGITS`, times its sharpness."""
    spec = discriminator.spec
    streams = torch.zeros(2, spec.num_steps, spec.num_tracks, 2, pitch_range)
    mask = torch.zeros(2, spec.num_tracks, spec.bars)
    inputs = [_Value(name) for name in CONTEXT_INPUTS]
    return _exported(DiscriminatorScore(discriminator), (streams, mask), inputs, [_Value(LOGITS)])


def _exported(
    module: nn.Module, arguments: tuple[Tensor, ...], inputs: Sequence[_Value], outputs: Sequence[_Value]
) -> ModelProto:
    """A module as ONNX, by tracing: in seconds, where the exporter of torch.export takes more than a minute."""
    axes = {one.name: {one.batch_axis: BATCH} for one in [*inputs, *outputs] if one.batch_axis is not None}
    with warnings.catch_warnings(), torch.no_grad(), tempfile.TemporaryDirectory() as place:
        file = Path(place) / "network.onnx"
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", TracerWarning)  # sizes that stay the same are constants
        warnings.filterwarnings("ignore", "Constant folding", UserWarning)
        torch.onnx.export(
            module.eval(),
            arguments,
            file,
            dynamo=False,
            opset_version=OPSET,
            input_names=[one.name for one in inputs],
            output_names=[one.name for one in outputs],
            dynamic_axes=axes,
        )
        return onnx.load(file)


def _scan(head: ModelProto, step: ModelProto, states: Sequence[str], by_time: Sequence[str]) -> ModelProto:
    """`head`, then a Scan over time with `step` as its body; what both have beside `states` and `by_time` is shared."""
    body = step.graph
    own = {one.name for one in head.graph.output} - {*states, *by_time}
    _rename(body, "step.", keep=own)
    inputs = [one for one in body.input if one.name not in own]
    del body.input[:]
    body.input.extend(inputs)
    graph = head.graph
    last = [f"last_{name}" for name in states]
    graph.node.append(
        helper.make_node(
            "Scan", [*states, *by_time], [*last, "made"], name="steps", body=body, num_scan_inputs=len(by_time)
        )
    )
    graph.node.append(helper.make_node("Transpose", ["made"], [PHRASES], perm=[1, 0, 2, 3, 4]))
    sizes = [BATCH, *(None for _ in range(4))]
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(PHRASES, TensorProto.FLOAT, sizes))
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
