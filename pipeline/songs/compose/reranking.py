"""Reranking: the best of several phrases for one place of a song.

By the discriminator's score, key, dissonance, densities, the seams to the neighbours, the ending.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gan.context import Conditioning
from gan.latents import Latents
from gan.metrics.counts import PhraseCounts
from gan.metrics.features import dissonance
from gan.networks.discriminator import Discriminator
from gan.spec import ONSET, RollSpec
from gan.statistics import DataStatistics
from pipeline.scores.keys import MAJOR, MINOR, Key, estimate_key, pitch_class_durations
from pipeline.scores.notes import Planes, notes_from_roll, roll_from_notes
from pipeline.songs.compose.ending import ending_score
from pipeline.songs.key_and_tempo import transpose_into_range
from pipeline.songs.plan import PhraseConditions
from pipeline.songs.trained_model import TrainedModel

SEAM_WEIGHT, MODE_WEIGHT, HARMONY_WEIGHT, DENSITY_WEIGHT, ENDING_WEIGHT = 0.5, 0.5, 1.0, 1.0, 3.0
"""Beside the discriminator's score of a phrase: of the seams to its neighbours, the song's mode, how far the share of
dissonances between tracks lies from the data's and the densities from those requested, the ending."""
MAY_REST = 0.25
"""A track silent in a larger share of the data's bars may be silent for a whole phrase."""
ALWAYS_SOUNDS = 0.01
"""A track silent in no larger share of the data's bars has to sound in each bar."""
SILENT_TRACK = 10
"""Faults of a phrase in which a track is silent that should play."""


@dataclass(frozen=True)
class SampledPhrase:
    """A phrase of a song: latents (a batch of one), bool planes of `RollSpec.shape`, semitones it was moved by."""

    latents: Latents
    planes: Planes
    shift: int


@dataclass(frozen=True)
class PhraseSlot:
    """Where a phrase belongs in a song.

    Attributes
    ----------
    home
        The key of the song.
    before, after
        Its neighbours, where there are any yet.
    closes
        Whether it is the last phrase of the song.
    fills
        Whether its last bar leads on to something else.
    conditions
        Those of the phrase; None for a generator without conditions.
    """

    home: Key
    before: SampledPhrase | None
    after: SampledPhrase | None
    closes: bool
    fills: bool
    conditions: PhraseConditions | None


@dataclass(frozen=True)
class Reranker:
    """Rates phrases of a trained model by a weighted sum of scores."""

    model: TrainedModel

    @property
    def spec(self) -> RollSpec:
        """The shape of the phrases."""
        return self.model.spec

    def best(self, latents: Latents, rolls: Tensor, shift: int | None, slot: PhraseSlot) -> tuple[SampledPhrase, int]:
        """The best phrase of a batch, moved home by `shift` semitones or by what its key asks for; and its faults."""
        spec = self.spec
        planes = rolls.cpu().numpy()
        shifts = [self.shift_home(one) if shift is None else shift for one in planes]
        placed = np.stack([transpose_roll(one, by, spec) for one, by in zip(planes, shifts, strict=True)])
        ratings = _standard(self._scores(rolls, slot.conditions))
        ratings = ratings + MODE_WEIGHT * _standard(mode_fit(placed, slot.home, spec))
        off = (dissonance(PhraseCounts(rolls, spec)) - self.model.dissonance).abs().nan_to_num(0.0)
        ratings = ratings - HARMONY_WEIGHT * _standard(off.cpu().numpy())
        if slot.conditions is not None:
            ratings = ratings - DENSITY_WEIGHT * _standard(density_error(placed, slot.conditions))
        for seams in self._seams(placed, slot):
            ratings = ratings + SEAM_WEIGHT * _standard(self._scores(torch.from_numpy(seams).to(rolls.device), None))
        if slot.closes:
            songs = (notes_from_roll(one, spec.lowest_pitch) for one in placed)
            ratings = ratings + ENDING_WEIGHT * np.array(
                [ending_score(notes, spec.bars, spec, slot.home) for notes in songs]
            )
        if slot.conditions is None:
            faults = count_silences(placed, self.model.statistics)
        else:
            faults = count_unplanned_silences(placed, slot.conditions, self.model.statistics)
        index = int(np.lexsort((-ratings, faults))[0])
        return SampledPhrase(latents[index : index + 1], placed[index], shifts[index]), int(faults[index])

    def shift_home(self, planes: Planes) -> int:
        """Semitones to the home key (or its relative) for a phrase in whatever key."""
        if self.model.in_common_key:
            return 0
        key = estimate_key(pitch_class_durations(notes_from_roll(planes, self.spec.lowest_pitch), self.spec))
        return key.shift_to_common if key is not None else 0

    def _scores(self, rolls: Tensor, conditions: PhraseConditions | None) -> NDArray[np.float64]:
        """The discriminator's scores of rolls `[batch, *spec.shape]` under these conditions, `[batch]`."""
        if conditions is None or not isinstance(self.model.discriminator, Discriminator):
            scores = self.model.discriminator.score(rolls)
        else:
            row = conditions.values.expand(len(rolls), -1)
            mask = torch.from_numpy(conditions.rests).expand(len(rolls), -1, -1)
            scores = self.model.discriminator.score(rolls, Conditioning(row.to(rolls.device), mask.to(rolls.device)))
        return np.asarray(scores.cpu().numpy(), np.float64)

    def _seams(self, placed: Planes, slot: PhraseSlot) -> list[Planes]:
        """The phrases' ends with those of their neighbours, as phrases, `[batch, *spec.shape]` each."""
        half, seams = self.spec.bars // 2, []
        if half and slot.before is not None:
            head = np.repeat(slot.before.planes[None, :, :, -half:], len(placed), axis=0)
            seams.append(np.concatenate([head, placed[:, :, :, : self.spec.bars - half]], axis=3))
        if half and slot.after is not None:
            tail = np.repeat(slot.after.planes[None, :, :, : self.spec.bars - half], len(placed), axis=0)
            seams.append(np.concatenate([placed[:, :, :, -half:], tail], axis=3))
        return seams


def _standard(values: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Values with mean 0 and deviation 1, so that different scores can be added."""
    exact = values.astype(np.float64)
    spread = exact.std()
    return np.asarray((exact - exact.mean()) / spread if spread > 1e-9 else np.zeros(len(exact)))


def transpose_roll(planes: Planes, semitones: int, spec: RollSpec) -> Planes:
    """A roll with its pitched tracks moved."""
    if semitones == 0:
        return planes
    notes = transpose_into_range(notes_from_roll(planes, spec.lowest_pitch), semitones, spec)
    return roll_from_notes(notes, spec, planes.shape[2])


def mode_fit(planes: Planes, home: Key, spec: RollSpec) -> NDArray[np.float64]:
    """How much better phrases `[batch, 2, tracks, bars, steps, pitches]` fit `home` than its relative key, `[batch]`.

    The difference of two correlations with the key profiles of Krumhansl and Kessler.
    """
    sounding = planes[:, :, list(spec.pitched)].sum(axis=(1, 2, 3, 4))  # [batch, pitches]
    classes = (np.arange(spec.num_pitches) + spec.lowest_pitch) % 12
    chroma = np.stack([sounding[:, classes == pitch_class].sum(axis=1) for pitch_class in range(12)], axis=1)
    chroma = chroma - chroma.mean(axis=1, keepdims=True)
    length = np.maximum(np.linalg.norm(chroma, axis=1), 1e-9)
    fits = []
    for profile, tonic in ((MAJOR, 0), (MINOR, 9)):
        template = np.roll(profile, tonic) - np.mean(profile)
        fits.append(chroma @ template / (length * np.linalg.norm(template)))
    return np.asarray(fits[1] - fits[0] if home.is_minor else fits[0] - fits[1])


def density_error(planes: Planes, conditions: PhraseConditions) -> NDArray[np.float64]:
    """How far the densities of phrases `[batch, 2, tracks, ...]` lie from those of their conditions, `[batch]`.

    Mean over tracks of the absolute difference of logarithms of one more than the notes a bar.
    """
    notes = planes[:, ONSET].sum(axis=(3, 4)).mean(axis=2)  # [batch, tracks]
    requested = conditions.values[: notes.shape[1]].numpy()
    return np.asarray(np.nanmean(np.abs(np.log1p(notes) - np.log1p(requested)), axis=1))


def count_unplanned_silences(
    planes: Planes, conditions: PhraseConditions, statistics: DataStatistics
) -> NDArray[np.int64]:
    """How often phrases `[batch, 2, tracks, ...]` are silent where they should not be, `[batch]`.

    Counts `SILENT_TRACK` for each track without a note, and 1 for each silent bar of a track that never rests.
    """
    sounding = np.any(planes, axis=(1, 4, 5))  # [batch, tracks, bars]
    always = (np.array(statistics.empty_bars) <= ALWAYS_SOUNDS)[:, None]
    bars = (~sounding & always & ~conditions.rests).sum(axis=(1, 2))
    return np.asarray(bars + SILENT_TRACK * (~sounding.any(axis=2) & conditions.plays).sum(axis=1))


def count_silences(planes: Planes, statistics: DataStatistics) -> NDArray[np.int64]:
    """How often phrases `[batch, 2, tracks, ...]` are silent where the data is not, `[batch]`.

    Counts bars of tracks that never rest, and whole phrases of tracks that seldom do.
    """
    sounding = np.any(planes, axis=(1, 4, 5))  # [batch, tracks, bars]
    empty = np.array(statistics.empty_bars)
    bars = (~sounding & (empty <= ALWAYS_SOUNDS)[None, :, None]).sum(axis=(1, 2))
    phrases = (~np.any(sounding, axis=2) & (empty < MAY_REST)[None, :]).sum(axis=1)
    return np.asarray(bars + phrases)
