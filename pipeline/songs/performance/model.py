"""A statistical model of performance: context tells how loud a note is, a performer how loud, how even and how late.

Each *performer* is one performance that was learnt from. Of each voice it keeps the quantiles of its velocities, what
it adds to every place in the bar, and when it plays there. A song is played by one performer who plays at such a tempo
and such rhythms, so that its notes differ as those of one player do and songs differ as players do.

Velocities are modelled by their normal scores (a Gaussian copula): a ridge regression on the context, which all
performers share, the performer's own accents, and what is left, which is correlated from onset to onset (AR(1)) and
within a chord. Of performers that they have not seen, a small network and boosted trees tell more where there is much
data and less where there is little (README of the room).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import rankdata

from gan.spec import RollSpec
from pipeline.dataset.performances import LEAST_VELOCITIES, PlayedNotes
from pipeline.scores.notes import Notes
from pipeline.songs.performance.context import (
    FEATURES,
    PLACES,
    PlayedVoice,
    note_context,
    note_voices,
    places_of,
    voices_of,
)

PLAIN_VELOCITY = 88
"""Of a machine."""
LARGEST_STEPS = 0.4
"""No note leaves its step further than this, so that rounding finds it again."""
LEAST_NOTES = 20
"""That a voice needs to be learnt from."""
LEAST_TOGETHER = 0.35
"""Length of the mean of offsets as unit vectors (a step is a full turn): less has no grid to be early or late on."""
RIDGE = 10.0
SHRINKAGE = 4.0
"""Notes of a place that count as much as knowing nothing of it."""
VELOCITY_SHARES = np.linspace(0.02, 0.98, 17)
TIMING_SHARES = np.linspace(0.05, 0.95, 7)
"""Where quantiles are kept."""
TEMPO_WEIGHT, RHYTHM_WEIGHT, STYLE_WEIGHT = 3.0, 6.0, 3.0
"""How much less likely performers are for an octave of tempo, other rhythms (0 to 2) and another style (logits)."""
TABLE = Path(__file__).with_name("performers.npz")


@dataclass(frozen=True, eq=False)
class Performer:
    """Who plays a song: the `PlayedVoice` of each track, and rows of the model's profiles by track and voice."""

    voices: NDArray[np.int8]
    profiles: dict[tuple[int, int], int]


@dataclass(frozen=True, eq=False)
class PerformanceModel:
    """What was learnt; arrays over voices, performers and profiles (a performer's voice on a track).

    Attributes
    ----------
    weights
        `[voices, PLACES + features]`: of places and context, in normal scores of velocity.
    means
        `[voices, features]`: of the context.
    correlations
        `[voices, 4]`: of what is left of velocity and of timing: from onset to onset, and within a chord.
    tempo_bpm, rhythms, styles
        Of each performer: tempo, `[performers, 4]` share of its notes on each quarter of the beat, name of the style.
    performer, voice, track
        Of each profile: row of the performer, `PlayedVoice`, name of the track.
    velocities
        `[profiles, len(VELOCITY_SHARES)]`: quantiles.
    accents, spread
        `[profiles, PLACES]` what the performer adds to a place, and `[profiles]` the deviation of what is left, both in
        normal scores.
    timing, jitter
        `[profiles, PLACES]` mean offset, `[profiles, len(TIMING_SHARES)]` quantiles around it: in quarters of a beat.
    """

    weights: NDArray[np.float32]
    means: NDArray[np.float32]
    correlations: NDArray[np.float32]
    tempo_bpm: NDArray[np.float32]
    rhythms: NDArray[np.float32]
    styles: NDArray[np.str_]
    performer: NDArray[np.int32]
    voice: NDArray[np.int8]
    track: NDArray[np.str_]
    velocities: NDArray[np.uint8]
    accents: NDArray[np.float16]
    spread: NDArray[np.float16]
    timing: NDArray[np.float16]
    jitter: NDArray[np.float16]

    def to_dict(self) -> dict[str, NDArray[Any]]:
        """The arrays by name."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def completed(self, other: PerformanceModel) -> PerformanceModel:
        """The model with another's performers for the voices that it knows nothing of."""
        missing = ~np.isin(np.arange(len(PlayedVoice)), self.voice)
        lent = missing[other.voice]
        both: dict[str, Any] = {
            name: np.concatenate([getattr(self, name), getattr(other, name)[lent]])
            for name in ("voice", "track", "velocities", "accents", "spread", "timing", "jitter")
        }
        for name in ("tempo_bpm", "rhythms", "styles"):
            both[name] = np.concatenate([getattr(self, name), getattr(other, name)])
        for name in ("weights", "means", "correlations"):
            both[name] = np.where(missing[:, None], getattr(other, name), getattr(self, name))
        both["performer"] = np.concatenate([self.performer, other.performer[lent] + len(self.tempo_bpm)])
        return PerformanceModel(**both)

    def draw(
        self, notes: Notes, spec: RollSpec, tempo_bpm: float, random: np.random.Generator, style: str = ""
    ) -> Performer:
        """Draw who plays a song: one performer, with others for the voices that it has not.

        Parameters
        ----------
        notes, spec, tempo_bpm
            The song.
        random
            Draws.
        style
            A style's name; performers of it are likelier.
        """
        voices = voices_of(notes, spec)
        found = np.unique(np.stack([notes["track"], note_voices(notes, voices, spec)]), axis=1).T
        logits = -TEMPO_WEIGHT * np.abs(np.log2(self.tempo_bpm / tempo_bpm))
        logits = logits - RHYTHM_WEIGHT * np.abs(self.rhythms - rhythm_of(notes, spec)).sum(axis=1)
        logits += STYLE_WEIGHT * np.array([bool(style) and one.casefold() == style.casefold() for one in self.styles])
        covered = np.zeros(len(logits))
        for voice in set(found[:, 1].tolist()):
            covered[np.unique(self.performer[self.voice == voice])] += 1
        shuffled = np.argsort(-(logits + covered + random.gumbel(size=len(logits))), kind="stable")
        rank = np.empty(len(logits), np.int64)
        rank[shuffled] = np.arange(len(logits))
        profiles = {}
        for track, voice in found.tolist():
            fitting = np.flatnonzero(self.voice == voice)
            if not len(fitting):
                continue
            other_track = self.track[fitting] != spec.names[track]
            profiles[track, voice] = int(fitting[np.lexsort((other_track, rank[self.performer[fitting]]))[0]])
        return Performer(voices, profiles)

    def perform(
        self,
        performer: Performer,
        notes: Notes,
        spec: RollSpec,
        random: np.random.Generator,
        is_swung: bool = False,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Velocities, and offsets in steps, of a section's notes, `[notes]` each.

        Parameters
        ----------
        performer
            Of the whole song.
        notes, spec
            In canonical order; the first bar begins the section.
        random
            Draws what is left to chance.
        is_swung
            Whether something else swings the beats, so that all parts of a beat are as early or late as the beat.
        """
        voices = note_voices(notes, performer.voices, spec)
        places, context = places_of(notes["onset"].astype(np.int64), spec), note_context(notes, voices, spec)
        velocities, offsets = np.full(len(notes), float(PLAIN_VELOCITY)), np.zeros(len(notes))
        for (track, voice), row in performer.profiles.items():
            own = np.flatnonzero((notes["track"] == track) & (voices == voice))
            steps = notes["onset"][own]
            shares = self.correlations[voice]
            score = self.weights[voice, places[own]] + (context[own] - self.means[voice]) @ self.weights[voice, PLACES:]
            score = score + self.accents[row, places[own]].astype(np.float64)
            score += float(self.spread[row]) * _correlated(steps, float(shares[0]), float(shares[1]), random)
            velocities[own] = np.interp(ndtr(score), VELOCITY_SHARES, self.velocities[row])
            late = _correlated(steps, float(shares[2]), float(shares[3]), random)
            jitter = np.interp(ndtr(late), TIMING_SHARES, self.jitter[row].astype(np.float64))
            timing = self.timing[row].astype(np.float64)
            if is_swung:
                timing = np.repeat(timing[::4], 4)
            offsets[own] = timing[places[own]] + jitter
        return velocities, offsets * spec.steps_per_beat / 4


def _correlated(steps: NDArray[Any], after: float, within: float, random: np.random.Generator) -> NDArray[np.float64]:
    """Standard normal noise `[notes]`, correlated from onset to onset (AR(1)) and within a chord."""
    if not len(steps):
        return np.zeros(0)
    onsets, group = np.unique(steps, return_inverse=True)
    shared, own = random.standard_normal(len(onsets)), random.standard_normal(len(steps))
    last, keep = 0.0, np.sqrt(1 - after**2)
    for at, fresh in enumerate(shared.tolist()):
        last = fresh if at == 0 else after * last + keep * fresh
        shared[at] = last
    return np.asarray(np.sqrt(within) * shared[group.reshape(-1)] + np.sqrt(1 - within) * own)


def rhythm_of(notes: Notes, spec: RollSpec) -> NDArray[np.float64]:
    """The share of notes on each quarter of the beat, `[4]`."""
    counts = np.bincount(places_of(notes["onset"].astype(np.int64), spec) % 4, minlength=4)
    return np.asarray(counts / max(1, counts.sum()))


@dataclass
class _VoiceOfPerformance:
    """The notes of a voice of a track in a performance: columns `[notes]`."""

    performer: int
    track: str
    voice: int
    steps: NDArray[np.int64]
    places: NDArray[np.int64]
    context: NDArray[np.float32]
    velocities: NDArray[np.uint8]
    offsets: NDArray[np.float64]

    def __post_init__(self) -> None:
        ranks = rankdata(self.velocities)
        self.scores = ndtri((ranks - 0.5) / len(ranks))


def fit_performance(performances: Sequence[PlayedNotes]) -> PerformanceModel | None:
    """The model of performances; None where none has velocities of a player.

    Those whose velocities hardly differ, or that lie on no grid at all, are left out, and what a performance is early
    or late as a whole does not count.
    """
    kept: list[PlayedNotes] = []
    found: list[_VoiceOfPerformance] = []
    for performance in performances:
        turned = np.exp(2j * np.pi * performance.offsets).mean() if len(performance.notes) else 0j
        if abs(turned) < LEAST_TOGETHER:
            continue
        late = np.clip(performance.offsets - np.angle(turned) / (2 * np.pi), -0.5, 0.5)
        own = _voices_in(performance, late * 4 / performance.spec.steps_per_beat, len(kept))
        if own:
            kept.append(performance)
            found += own
    if not found:
        return None
    weights = np.zeros((len(PlayedVoice), PLACES + len(FEATURES)))
    means, correlations = np.zeros((len(PlayedVoice), len(FEATURES))), np.ones((len(PlayedVoice), 4))
    accents, spread, timing, jitter = [], [], [], []
    for voice in {one.voice for one in found}:
        weights[voice], means[voice] = _regression([one for one in found if one.voice == voice])
    left: dict[int, list[tuple[float, ...]]] = {}
    for one in found:
        told = weights[one.voice, one.places] + (one.context - means[one.voice]) @ weights[one.voice, PLACES:]
        accents.append(_shrunk_means(one.scores - told, one.places, 0.0))
        rest = one.scores - told - accents[-1][one.places]
        spread.append(rest.std())
        timing.append(_shrunk_means(one.offsets, one.places, float(one.offsets.mean())))
        rest_late = one.offsets - timing[-1][one.places]
        jitter.append(np.quantile(rest_late, TIMING_SHARES))
        rows = left.setdefault(one.voice, [])
        rows.append((*_correlations(rest, one.steps), *_correlations(rest_late, one.steps)))
    for voice, rows in left.items():
        known = np.isfinite(rows)
        total = np.where(known, rows, 0.0).sum(axis=0)
        # a voice without chords is one with its only notes
        correlations[voice] = np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), (0, 1, 0, 1))
    correlations = np.clip(correlations, 0, 0.98)
    return PerformanceModel(
        weights=weights.astype(np.float32),
        means=means.astype(np.float32),
        correlations=correlations.astype(np.float32),
        tempo_bpm=np.array([one.tempo_bpm for one in kept], np.float32),
        rhythms=np.array([rhythm_of(one.notes, one.spec) for one in kept], np.float32),
        styles=np.array([one.style for one in kept], np.str_),
        performer=np.array([one.performer for one in found], np.int32),
        voice=np.array([one.voice for one in found], np.int8),
        track=np.array([one.track for one in found], np.str_),
        velocities=np.array([np.quantile(one.velocities, VELOCITY_SHARES) for one in found]).round().astype(np.uint8),
        accents=np.array(accents, np.float16),
        spread=np.array(spread, np.float16),
        timing=np.array(timing, np.float16),
        jitter=np.array(jitter, np.float16),
    )


def _voices_in(one: PlayedNotes, offsets: NDArray[np.float64], performer: int) -> list[_VoiceOfPerformance]:
    """The voices of a performance that have velocities of a player."""
    notes, spec = one.notes, one.spec
    voices = note_voices(notes, voices_of(notes, spec), spec)
    steps = notes["onset"].astype(np.int64)
    places, context = places_of(steps, spec), note_context(notes, voices, spec)
    found = []
    for track, voice in np.unique(np.stack([notes["track"], voices]), axis=1).T.tolist():
        own = (notes["track"] == track) & (voices == voice)
        if own.sum() >= LEAST_NOTES and len(np.unique(one.velocities[own])) >= LEAST_VELOCITIES:
            columns = (column[own] for column in (steps, places, context, one.velocities, offsets))
            found.append(_VoiceOfPerformance(performer, spec.names[track], voice, *columns))
    return found


def _regression(performances: list[_VoiceOfPerformance]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ridge regression of the scores on place and context: weights `[PLACES + features]`, means of the context."""
    context = np.concatenate([one.context for one in performances]).astype(np.float64)
    places = np.concatenate([one.places for one in performances])
    scores = np.concatenate([one.scores for one in performances])
    means = context.mean(axis=0)
    columns = np.concatenate([np.eye(PLACES)[places], context - means], axis=1)
    square = columns.T @ columns + RIDGE * np.eye(columns.shape[1])
    return np.linalg.solve(square, columns.T @ scores), means


def _shrunk_means(values: NDArray[np.float64], places: NDArray[np.int64], towards: float) -> NDArray[np.float64]:
    """The mean of each place `[PLACES]`, nearer to `towards` the fewer notes it has."""
    total = np.bincount(places, values - towards, PLACES)
    return np.asarray(towards + total / (np.bincount(places, minlength=PLACES) + SHRINKAGE))


def _correlations(values: NDArray[np.float64], steps: NDArray[np.int64]) -> tuple[float, float]:
    """Of noise: from onset to onset, and within chords; NaN where nothing tells."""
    _, group, sizes = np.unique(steps, return_inverse=True, return_counts=True)
    means = np.bincount(group, values) / sizes
    variance = values.var()
    if variance < 1e-8 or len(means) < 16:
        return np.nan, np.nan
    centred = means - means.mean()
    after = float((centred[1:] * centred[:-1]).mean() / max(1e-12, float((centred**2).mean())))
    several = sizes > 1
    if several.sum() < 8:
        return after, np.nan
    inside = (values - means[group]) ** 2
    free = np.bincount(group, inside)[several].sum() / (sizes[several] - 1).sum()
    return after, float(1 - free / variance)


def performance_state(model: PerformanceModel | None) -> dict[str, Any]:
    """A model as a checkpoint keeps it: tensors, and lists of names; empty for none."""
    arrays = {} if model is None else model.to_dict()
    return {
        name: values.tolist() if values.dtype.kind == "U" else torch.from_numpy(values)
        for name, values in arrays.items()
    }


def performance_from(state: dict[str, Any]) -> PerformanceModel | None:
    """The model that `performance_state` was given."""
    if not state:
        return None
    arrays: dict[str, Any] = {
        name: np.array(values, np.str_) if isinstance(values, list) else values.numpy()
        for name, values in state.items()
    }
    return PerformanceModel(**arrays)


@cache
def bundled_model() -> PerformanceModel:
    """The model that comes along, for songs whose data has no performances of its own; see the README."""
    with np.load(TABLE, allow_pickle=False) as arrays:
        return PerformanceModel(**{name: arrays[name] for name in arrays.files})


def completed_performance(found: PerformanceModel | None) -> PerformanceModel:
    """A model of the data, the one that comes along for what it knows nothing of."""
    return bundled_model() if found is None else found.completed(bundled_model())
