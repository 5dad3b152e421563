"""Outer lines of rolls: the top and the bottom note of each track at each step, and what else is counted of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gan.rolls import unpack
from gan.spec import HOLD, ONSET, RollSpec

NONE = -1
"""The pitch of a line where there is no note."""
AT_ONCE = 256
"""Phrases that are read at once."""
NUM_DRUMS = 8
"""Drums of a kit that have features of their own: those with the most hits in the reference."""
POLYPHONIC_FROM = 0.02
"""A track is polyphonic where it has two notes or more at this share of the steps at which it sounds."""

Ints = NDArray[np.int16]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class NoteLines:
    """What is read of each track of a set of phrases; pitches are indices of the roll, `NONE` where nothing is."""

    spec: RollSpec
    top: Ints
    """The highest pitch that sounds, `[phrases, pitched tracks, time]`."""
    bottom: Ints
    """The lowest pitch that sounds, `[phrases, pitched tracks, time]`."""
    struck_top: Ints
    """The highest pitch that begins, `[phrases, pitched tracks, time]`."""
    struck_bottom: Ints
    """The lowest pitch that begins, `[phrases, pitched tracks, time]`."""
    num_sounding: Ints
    """Notes that sound, `[phrases, pitched tracks, time]`."""
    num_struck: Ints
    """Notes that begin, `[phrases, pitched tracks, time]`."""
    chroma: NDArray[np.bool_]
    """Pitch classes that sound, C being 0: `[phrases, pitched tracks, time, 12]`."""
    drums: NDArray[np.bool_]
    """Hits, `[phrases, drum tracks, time, pitches]`."""
    likeness: tuple[Floats, ...]
    """By lag, from 1: the cosine of the onsets of two bars so far apart, `[phrases, tracks, bars - lag]`; NaN where
    either has none."""

    def __len__(self) -> int:
        return len(self.top)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the pitched tracks, in order."""
        return tuple(self.spec.names[track] for track in self.spec.pitched)

    @property
    def drum_names(self) -> tuple[str, ...]:
        """Names of the drum tracks, in order."""
        return tuple(track.name for track in self.spec.tracks if track.is_drum)

    @property
    def harmony(self) -> NDArray[np.bool_]:
        """Pitch classes that sound in any track, `[phrases, time, 12]`."""
        found: NDArray[np.bool_] = np.logical_or.reduce(self.chroma, axis=1)
        return found

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Pairs of pitched tracks, as places among them."""
        return list(combinations(range(len(self.spec.pitched)), 2))


@dataclass(frozen=True)
class TrackTraits:
    """What the reference says of each track, so that both sets are described by the same features."""

    polyphonic: tuple[bool, ...]
    """Of each pitched track, whether it plays chords."""
    voices: tuple[int, ...]
    """The pitched tracks that don't, from the highest to the lowest by their mean pitch, as places among them."""
    drums: tuple[tuple[int, ...], ...]
    """Of each drum track the pitches of the drums with the most hits, as indices of the roll."""

    @classmethod
    def of(cls, reference: NoteLines) -> TrackTraits:
        """Read them from the reference's lines."""
        sounding = (reference.num_sounding > 0).sum((0, 2))
        chords = (reference.num_sounding > 1).sum((0, 2))
        polyphonic = tuple((chords > POLYPHONIC_FROM * sounding).tolist())
        height = np.where(reference.top != NONE, reference.top, 0).sum((0, 2)) / sounding.clip(1)
        voices = [track for track in np.argsort(-height, kind="stable").tolist() if not polyphonic[track]]
        hits = reference.drums.sum((0, 2))  # [drum tracks, pitches]
        frequent = [np.argsort(-row, kind="stable")[:NUM_DRUMS] for row in hits]
        return cls(
            polyphonic,
            tuple(voices),
            tuple(
                tuple(sorted(int(drum) for drum in drums if row[drum]))
                for drums, row in zip(frequent, hits, strict=True)
            ),
        )


def read_lines(rolls: Tensor, spec: RollSpec) -> NoteLines:
    """The lines of phrases, bool or packed `[phrases, *spec.shape]`."""
    parts = [tuple(_read(unpack(some, spec), spec)) for some in torch.split(rolls, AT_ONCE)]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    top, bottom, struck_top, struck_bottom, num_sounding, num_struck, chroma, drums, *likeness = columns
    return NoteLines(
        spec, top, bottom, struck_top, struck_bottom, num_sounding, num_struck, chroma, drums, tuple(likeness)
    )


def _read(rolls: Tensor, spec: RollSpec) -> Iterator[NDArray[Any]]:
    """The arrays of some phrases, in the order of `NoteLines`."""
    pitched = list(spec.pitched)
    drums = [track for track in range(spec.num_tracks) if track not in pitched]
    onset = rolls[:, ONSET].flatten(2, 3)  # [phrases, tracks, time, pitches]
    sounding = (rolls[:, ONSET] | rolls[:, HOLD]).flatten(2, 3)
    for planes in (sounding[:, pitched], onset[:, pitched]):
        yield _outermost(planes.flip(-1), mirrored=True)
        yield _outermost(planes, mirrored=False)
    for planes in (sounding[:, pitched], onset[:, pitched]):
        yield planes.sum(-1).to(torch.int16).numpy()
    classes = (torch.arange(spec.num_pitches) + spec.lowest_pitch) % 12
    fold = torch.nn.functional.one_hot(classes, 12).float()
    yield (sounding[:, pitched].float() @ fold > 0).numpy()
    yield onset[:, drums].numpy()
    bars = rolls[:, ONSET].flatten(3).float()  # [phrases, tracks, bars, cells]
    bars = bars / bars.norm(dim=-1, keepdim=True)
    for lag in range(1, spec.bars):
        yield (bars[:, :, lag:] * bars[:, :, :-lag]).sum(-1).numpy()


def _outermost(planes: Tensor, mirrored: bool) -> Ints:
    """The first pitch of each step, counted from the other end where the planes are mirrored."""
    present, place = planes.to(torch.uint8).max(-1)
    pitch = planes.shape[-1] - 1 - place if mirrored else place
    found: Ints = torch.where(present > 0, pitch, NONE).to(torch.int16).numpy()
    return found


@dataclass(frozen=True)
class Moves:
    """Moves of a line from one onset to the next, in a phrase each."""

    phrase: NDArray[np.int64]
    """Of each move the number of its phrase."""
    step: NDArray[np.int64]
    """The step at which it arrives."""
    interval: NDArray[np.int64]
    """Semitones, upwards positive; 0 is a repeated note."""
    gap: NDArray[np.int64]
    """Steps between the two onsets."""


def moves_of(struck: Ints) -> Moves:
    """The moves of a line that begins notes at `struck`, `[phrases, time]`."""
    phrase, step = np.nonzero(struck != NONE)
    pitch = struck[phrase, step].astype(np.int64)
    same = phrase[1:] == phrase[:-1]
    return Moves(phrase[1:][same], step[1:][same], np.diff(pitch)[same], np.diff(step)[same])


def interval(upper: Ints, lower: Ints) -> Floats:
    """Semitones between two lines; NaN where either has no note."""
    both = (upper != NONE) & (lower != NONE)
    return np.where(both, upper.astype(np.float32) - lower, np.float32(np.nan))


def pitch_class(line: Ints, spec: RollSpec) -> Floats:
    """Pitch classes of a line, C being 0; NaN where it has no note."""
    return np.where(line != NONE, (line.astype(np.float32) + spec.lowest_pitch) % 12, np.float32(np.nan))


@dataclass(frozen=True)
class FeatureMatrix:
    """Features of windows or phrases."""

    values: Floats
    """`[rows, features]`, NaN where a row has no value."""
    names: tuple[str, ...]
    phrases: NDArray[np.int64]
    """Of each row the number of its phrase."""
