"""What the music of a prepared set is like, counted in its phrases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gan.spec import ONSET, RollSpec
from pipeline.dataset.splits import SPLITS
from pipeline.dataset.store import PhraseStore, SongRow
from pipeline.scores.notes import Planes, unpack_rolls

MOST_PHRASES = 2000
"""Phrases that are counted; of a larger set they are taken evenly spread."""
CHUNK = 64
"""Phrases unpacked at a time."""


@dataclass(frozen=True)
class MusicCounts:
    """What was counted; an onset is a note that begins."""

    spec: RollSpec
    onsets: NDArray[np.int64]
    """Notes of each phrase and track, `[phrases, tracks]`."""
    by_step: NDArray[np.int64]
    """Notes by the step of the bar that they begin at, `[tracks, steps]`."""
    by_pitch: NDArray[np.int64]
    """Notes by pitch, `[tracks, pitches]`, the first being `spec.lowest_pitch`."""
    voices: NDArray[np.float64]
    """Pitches at once in the steps in which the track sounds, `[tracks]`; 0 where it never does."""
    sounding: NDArray[np.bool_]
    """Whether a track sounds in a phrase, `[phrases, tracks]`."""

    @property
    def phrases(self) -> int:
        """How many were counted."""
        return len(self.onsets)

    def together(self, most: int) -> list[tuple[tuple[int, ...], float]]:
        """The sets of tracks that sound in a phrase, the most frequent first, and their shares of all phrases."""
        counts = Counter(tuple(np.flatnonzero(row).tolist()) for row in self.sounding)
        ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
        return [(tracks, count / self.phrases) for tracks, count in ordered[:most]]

    def notes_per_bar(self, track: int) -> NDArray[np.float64]:
        """Notes a bar, in each phrase in which the track sounds: `[phrases]`."""
        own: NDArray[np.float64] = self.onsets[self.sounding[:, track], track] / self.spec.bars
        return own

    def pitch_range(self, track: int) -> tuple[int, int, int] | None:
        """MIDI pitches under which 1, 50 and 99 % of the track's notes lie; None without notes."""
        total = self.by_pitch[track].sum()
        if not total:
            return None
        share = np.cumsum(self.by_pitch[track]) / total
        low, middle, high = (int(np.searchsorted(share, at)) + self.spec.lowest_pitch for at in (0.01, 0.5, 0.99))
        return low, middle, high

    def pitch_classes(self) -> NDArray[np.int64]:
        """Notes of all pitched tracks by pitch class, from C: `[12]`."""
        totals = self.by_pitch[list(self.spec.pitched)].sum(axis=0)
        classes = (np.arange(self.spec.num_pitches) + self.spec.lowest_pitch) % 12
        return np.bincount(classes, weights=totals, minlength=12).astype(np.int64)


def count_music(store: PhraseStore) -> MusicCounts:
    """Count what is in the phrases of a set; at least one phrase."""
    spec = store.spec
    count = len(store)
    chosen = np.unique(np.linspace(0, count - 1, min(count, MOST_PHRASES)).round().astype(np.int64))
    onsets, sounding = [], []
    by_step = np.zeros((spec.num_tracks, spec.steps_per_bar), np.int64)
    by_pitch = np.zeros((spec.num_tracks, spec.num_pitches), np.int64)
    cells, steps = np.zeros(spec.num_tracks), np.zeros(spec.num_tracks)
    for rolls in _chunks(store, chosen):
        struck = rolls[:, ONSET]  # [phrases, tracks, bars, steps, pitches]
        onsets.append(struck.sum(axis=(2, 3, 4)))
        by_step += struck.sum(axis=(0, 2, 4))
        by_pitch += struck.sum(axis=(0, 2, 3))
        voices = rolls.any(axis=1).sum(axis=4)  # [phrases, tracks, bars, steps]
        sounding.append(voices.any(axis=(2, 3)))
        cells += voices.sum(axis=(0, 2, 3))
        steps += np.count_nonzero(voices, axis=(0, 2, 3))
    return MusicCounts(
        spec, np.concatenate(onsets), by_step, by_pitch, cells / np.maximum(steps, 1), np.concatenate(sounding)
    )


def phrases_at(store: PhraseStore, places: Sequence[int]) -> Planes:
    """The phrases with these numbers (0 is the first of train): bool `[count, 2, tracks, bars, steps, pitches]`."""
    return np.concatenate(list(_chunks(store, np.asarray(places, np.int64))))


def _chunks(store: PhraseStore, places: NDArray[np.int64]) -> Iterator[Planes]:
    """Phrases by number, in ascending order, some at a time."""
    begin = 0
    for split in SPLITS:
        packed = store.packed(split)
        own = places[(places >= begin) & (places < begin + len(packed))] - begin
        for at in range(0, len(own), CHUNK):
            yield unpack_rolls(np.ascontiguousarray(packed[own[at : at + CHUNK]]), store.spec.num_pitches)
        begin += len(packed)


def usable_seconds(song: SongRow, spec: RollSpec) -> float:
    """How long the usable bars of a song last at its mean tempo."""
    return song.bars * spec.quarters_per_bar * 60 / song.tempo_bpm
