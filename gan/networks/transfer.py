"""Transfer learning: the weights of one network as the beginning of another, for other tracks, ranges and styles.

Each axis of each weight is described by what its places stand for (a note of a track, a drum pattern, a channel), in
both networks alike, and what stands for the same is copied. So a track that only one of them has, a wider range or
another set of styles is no hindrance: where nothing unlike sounds, the other network computes the same. Inputs that the
source does not know start without any effect (as in Net2Net, Chen et al., arXiv 1511.05641).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gan.conditions import NUM_ATTRIBUTES
from gan.interface import PhraseDiscriminator, PhraseGenerator
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.networks.heads import WIDEST_INTERVAL, DrumHead, PitchedHead
from gan.networks.history import NUM_OWN, NUM_RECENT
from gan.networks.layers import activate
from gan.spec import RollSpec

Labels = Sequence[Hashable]
"""What the places of an axis stand for."""
OF_ONE_TRACK = ("decoder.hidden.", "decoder.drums.", "decoder.heads.")
"""How the names of weights begin that belong to the track whose number comes next."""
RARER = 3.0
"""Logarithm of how much rarer all drum patterns begin that the source does not know than the one they are most like."""


@dataclass(frozen=True)
class LabelledWeight:
    """A weight, or a slice of one, and what the places of its axes stand for.

    Attributes
    ----------
    name
        The same in two networks where both are the same weight.
    values
        A view of the weight.
    outputs
        Axes of what it computes; the others are of what it computes it from.
    labels
        Of each axis; None for channels, which are the same in both networks.
    """

    name: Hashable
    values: Tensor
    labels: tuple[Labels | None, ...]
    outputs: tuple[int, ...] = (0,)


class _Places:
    """Labels of the axes of a network's weights."""

    def __init__(self, spec: RollSpec, lowest_pitches: Sequence[int], pitch_range: int) -> None:
        self.spec, self.names = spec, spec.names
        self.pitches = [[spec.lowest_pitch + low + place for place in range(pitch_range)] for low in lowest_pitches]

    def notes(self, *kinds: Hashable) -> list[Hashable]:
        """Of each track, for each kind, its pitches."""
        return [
            (name, kind, pitch)
            for name, pitches in zip(self.names, self.pitches, strict=True)
            for kind in kinds
            for pitch in pitches
        ]

    def of_tracks(self, kind: str, count: int = 1) -> list[Hashable]:
        """So many places of each track."""
        return [(name, kind, place) for name in self.names for place in range(count)]


def _fixed(kind: str, count: int) -> list[Hashable]:
    """Places that are the same in all networks."""
    return [(kind, place) for place in range(count)]


def _generator_weights(network: Generator) -> Iterator[LabelledWeight]:
    """All weights of a generator."""
    places = _Places(network.spec, network.lowest_pitches, network.pitch_range)
    spec, conditions = network.spec, network.conditions
    named = dict(network.named_parameters())
    named |= {f"conditions.{key}": getattr(conditions, key) for key in ("centres", "scales")}
    attributes = [(name, "attribute", kind) for kind in range(NUM_ATTRIBUTES) for name in spec.names]
    scaled = [*attributes, *_fixed("rest", len(conditions.centres) - len(attributes))]
    per_track = places.of_tracks("attribute", conditions.TRACK_SIZE)
    rest = conditions.size - len(per_track) - conditions.num_styles
    slim, width = network.settings.track_width, network.settings.decoder_width
    table: dict[str, tuple[Labels | None, ...]] = {
        "conditions.centres": (scaled,),
        "conditions.scales": (scaled,),
        "context.weight": (None, [*places.notes("sounding", "onset"), *places.of_tracks("given")]),
        "context_to_steps.weight": (places.of_tracks("step", slim), None),
        "context_to_steps.bias": (places.of_tracks("step", slim),),
        "to_beats.weight": (None, [*per_track, *_fixed("rest", rest), *_unmatched(conditions.num_styles)]),
        "tracks_to_trunk.weight": (None, places.of_tracks("trunk", slim)),
        "decoder.shared.weight": (
            places.of_tracks("shared", width),
            [
                *places.notes("earlier"),
                *places.of_tracks("recent", NUM_RECENT),
                *_fixed("place", spec.steps_per_bar + spec.bars + 24),
                *places.of_tracks("known"),
            ],
        ),
        "decoder.shared.bias": (places.of_tracks("shared", width),),
    }
    for key, labels in table.items():
        yield LabelledWeight(key, named.pop(key), labels)
    position = named.pop("position")
    beside = [
        *places.notes("now"), *places.of_tracks("chroma", 12), *places.of_tracks("strike"), *places.of_tracks("visible")
    ]  # fmt: skip
    for track, (name, pitches) in enumerate(zip(spec.names, places.pitches, strict=True)):
        own: list[Hashable] = [(kind, pitch) for kind in range(NUM_OWN) for pitch in pitches]
        inputs = {"decoder.before": own, "decoder.beside": beside}
        yield LabelledWeight((name, "position"), position[:, track], (None, None))
        for key in ("track_to_beats", "to_steps", "decoder.before", "decoder.beside"):
            weight, bias = (named[f"{key}.{part}"][track] for part in ("weight", "bias"))
            first = None if key not in inputs else [*inputs[key], *_fixed("rest", len(weight) - len(inputs[key]))]
            yield LabelledWeight((name, key, "weight"), weight, (first, None), outputs=(1,))
            yield LabelledWeight((name, key, "bias"), bias, (None, None), outputs=(1,))
    for key in ("track_to_beats", "to_steps", "decoder.before", "decoder.beside"):
        del named[f"{key}.weight"], named[f"{key}.bias"]
    for key in [key for key in named if key.startswith(OF_ONE_TRACK)]:
        kind, number, part = key.split(".", 3)[1:]
        yield _track_weight(network, places, int(number), kind, part, named.pop(key))
    for key, values in named.items():
        yield LabelledWeight(key, values, (None,) * values.dim())


def _track_weight(
    network: Generator, places: _Places, track: int, kind: str, part: str, values: Tensor
) -> LabelledWeight:
    """A weight of a track's own layers in the decoder."""
    pitches, head = places.pitches[track], network.decoder.heads[track]
    labels: dict[str, tuple[Labels | None, ...]] = {}
    if kind == "drums":
        lags = values.shape[-1] // len(pitches)
        labels = {"weight": (None, [(lag, pitch) for lag in range(lags) for pitch in pitches])}
    elif kind == "heads" and isinstance(head, DrumHead):
        patterns = drum_pattern_labels(head, pitches)
        labels = {"pattern.weight": (patterns, None), "pattern.bias": (patterns,)}
    elif kind == "heads" and isinstance(head, PitchedHead):
        others = [network.spec.names[other] for other in network.spec.pitched if other != track]
        origins = ["lowest", "highest", "ahead", *(("track", name) for name in others), "last"]
        intervals = [(origin, place) for origin in origins for place in range(2 * WIDEST_INTERVAL + 2)]
        chosen = [(kind, pitch) for kind in ("chosen", "kept") for pitch in pitches]
        labels = {
            "keep.weight": (pitches, None),
            "keep.bias": (pitches,),
            "chosen.weight": (None, chosen),
            "pitch.weight": ([*pitches, "none"], None),
            "pitch.bias": ([*pitches, "none"],),
            "intervals.weight": (intervals, None),
            "intervals.bias": (intervals,),
        }
    name = (network.spec.names[track], kind, part)
    own = labels.get(part, (None,) * values.dim())
    # scores of intervals to a track that the source does not know are none
    outputs = () if part.startswith("intervals") else (0,)
    return LabelledWeight(name, values, own, outputs)


def drum_pattern_labels(head: DrumHead, pitches: Sequence[int]) -> list[Hashable]:
    """The MIDI notes of each pattern of a drum head."""
    return [tuple(pitches[place] for place in row.nonzero().flatten().tolist()) for row in head.patterns]


def _discriminator_weights(network: Discriminator) -> Iterator[LabelledWeight]:
    """All weights of a discriminator."""
    encoder = network.encoder
    places = _Places(encoder.spec, encoder.lowest_pitches, encoder.pitch_range)
    named = dict(network.named_parameters()) | {"moments": network.moments}
    inputs = [*places.notes("sounding", "onset"), *places.of_tracks("given")]
    if (spectra := encoder.spectra) is not None:
        names = [encoder.spec.names[track] for track in encoder.spec.pitched]
        of_pair, of_line = spectra.motion - spectra.classes, spectra.of_track - spectra.motion
        inputs += _fixed("class", spectra.classes)
        inputs += [(names[one], names[two], part) for one, two in spectra.pairs for part in range(of_pair)]
        inputs += [(name, "motion", lag, part) for lag in spectra.lags for name in names for part in range(of_line)]
    yield LabelledWeight("to_steps", named.pop("encoder.to_steps.weight"), (None, inputs))
    yield LabelledWeight("unknown", named.pop("encoder.unknown"), (places.of_tracks("unknown"), None), outputs=(1,))
    for key, values in named.items():
        yield LabelledWeight(key, values, (None,) * values.dim())


def _unmatched(count: int) -> list[Hashable]:
    """Places that stand for nothing that another network knows."""
    return [object() for _ in range(count)]


Networks = tuple[PhraseGenerator, PhraseDiscriminator]


@torch.no_grad()
def transfer(source: Networks, target: Networks) -> None:
    """Begin networks with the weights of others, as far as both have the same tracks, notes, patterns and layers.

    Raises
    ------
    ValueError
        They are of another design, or their sizes, metres or grids differ; the sentence says in what.
    """
    (source_generator, source_discriminator), (generator, discriminator) = source, target
    if not (isinstance(source_generator, Generator) and isinstance(generator, Generator)):
        raise ValueError("only networks of model.design=albumgan begin with the weights of others")
    assert isinstance(source_discriminator, Discriminator) and isinstance(discriminator, Discriminator)
    _check_sizes(source_generator, generator)
    _copy_all(_generator_weights(source_generator), _generator_weights(generator))
    _copy_all(_discriminator_weights(source_discriminator), _discriminator_weights(discriminator))
    _begin_patterns(source_generator, generator)
    _keep_trunk(source_generator, generator)


def _copy_all(source: Iterator[LabelledWeight], target: Iterator[LabelledWeight]) -> None:
    found = {one.name: one for one in source}
    for weight in target:
        if weight.name in found:
            _copy(found[weight.name], weight)


def _check_sizes(source: Generator, target: Generator) -> None:
    """Raise `ValueError` with a sentence where the weights of one network can't begin the other."""
    mine, theirs = target.settings.to_dict(), source.settings.to_dict()
    sizes = [key for key in mine if key.endswith("width") or key in ("trunk_blocks", "latent_size")]
    for key in sizes:
        if mine[key] != theirs[key]:
            raise ValueError(f"it has model.{key}={theirs[key]}, this run {mine[key]}")
    for key in ("bars", "beats_per_bar", "steps_per_beat"):
        one, other = (getattr(network.spec, key) for network in (target, source))
        if one != other:
            raise ValueError(f"its phrases have {key}={other}, those of this run {one}")
    if not set(target.spec.names) & set(source.spec.names):
        raise ValueError(
            f"none of its tracks ({', '.join(source.spec.names)}) is one of this run ({', '.join(target.spec.names)})"
        )


def _copy(source: LabelledWeight, target: LabelledWeight) -> None:
    """Copy what stands for the same; known outputs take nothing from inputs that the source does not know."""
    ours, theirs = [], []
    for axis, (mine, its) in enumerate(zip(target.labels, source.labels, strict=True)):
        if mine is None or its is None:
            ours.append(torch.arange(target.values.shape[axis]))
            theirs.append(torch.arange(source.values.shape[axis]))
            continue
        place = {label: number for number, label in enumerate(its)}
        pairs = [(number, place[label]) for number, label in enumerate(mine) if label in place]
        ours.append(torch.tensor([one for one, _ in pairs], dtype=torch.long))
        theirs.append(torch.tensor([other for _, other in pairs], dtype=torch.long))
    known_outputs = [
        places if axis in target.outputs else torch.arange(target.values.shape[axis])
        for axis, places in enumerate(ours)
    ]
    target.values[torch.meshgrid(*known_outputs, indexing="ij")] = 0.0
    copied = source.values[torch.meshgrid(*theirs, indexing="ij")]
    target.values[torch.meshgrid(*ours, indexing="ij")] = copied.to(target.values)


def _keep_trunk(source: Generator, target: Generator) -> None:
    """Have the trunk hear of tracks that the target has not what it hears where nothing is requested of them."""
    gone = [track for track, name in enumerate(source.spec.names) if name not in target.spec.names]
    silent = source.track_to_beats.bias.detach().clone()
    silent[[track for track in range(source.spec.num_tracks) if track not in gone]] = 0.0
    target.tracks_to_trunk.bias.add_(source.tracks_to_trunk.weight @ activate(silent).flatten())


def _begin_patterns(source: Generator, target: Generator) -> None:
    """Drum patterns that the source does not know begin as the most alike that it knows, and rarer.

    Of those that strike something the most alike strikes something too: where a track rests it goes on to rest.
    """
    theirs = dict(zip(source.spec.names, source.decoder.heads, strict=True))
    for track, (name, head) in enumerate(zip(target.spec.names, target.decoder.heads, strict=True)):
        other = theirs.get(name)
        if not isinstance(head, DrumHead) or not isinstance(other, DrumHead):
            continue
        pitches = [
            [network.spec.lowest_pitch + network.lowest_pitches[place] + pitch for pitch in range(network.pitch_range)]
            for network, place in ((target, track), (source, source.spec.names.index(name)))
        ]
        known = [frozenset(pattern) for pattern in drum_pattern_labels(other, pitches[1])]  # type: ignore[call-overload]
        nearest: dict[int, int] = {}
        for number, pattern in enumerate(drum_pattern_labels(head, pitches[0])):
            mine = frozenset(pattern)  # type: ignore[call-overload]
            if mine not in known:
                nearest[number] = min(
                    range(len(known)), key=lambda place: (bool(mine) != bool(known[place]), len(known[place] ^ mine))
                )
        shared = Counter(nearest.values())
        for number, place in nearest.items():
            head.pattern.weight[number] = other.pattern.weight[place]
            head.pattern.bias[number] = other.pattern.bias[place] - RARER - math.log(shared[place])
