"""Nearest training song: how many bars of a song occur in one song that the generator learnt from, in any key.

A bar occurs where a bar of the training song shares most of its notes: onsets of the pitched tracks at the same track,
step and pitch over those in either (Jaccard), both moved to any key. Drums are left out, as half of all songs share
them, and so are bars of fewer than `FEWEST_NOTES` notes, which are everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from gan.spec import ONSET, RollSpec
from pipeline.dataset.store import PhraseStore
from pipeline.scores.notes import Planes, unpack_rolls

ALIKE = 0.8
"""Share of notes in common from which on a bar occurs in another song."""
FEWEST_NOTES = 4
SHIFTS = tuple(range(-6, 6))
"""Semitones that a bar is moved by: every key once."""
PHRASES_AT_ONCE = 512
UNSEEN = 20
"""Test songs that say how near songs come that nobody copied."""


@dataclass(frozen=True)
class NearestSong:
    """The training song that most bars of a song occur in."""

    title: str
    share: float
    """Of the bars that are compared; 0 where no bar occurs in any song."""
    bars: int
    """Bars that are compared."""

    @property
    def words(self) -> str:
        """The finding as a sentence for a page."""
        if not self.bars:
            return "no bars to compare with training songs"
        if not self.share:
            return "none of its bars is in a training song"
        return f"{100 * self.share:.0f} % of its bars are in {self.title}"


class TrainingBars:
    """All bars of a set's training songs, each once a song, to look for the bars of other songs in."""

    def __init__(self, store: PhraseStore) -> None:
        parts: list[csr_matrix] = []
        places: list[tuple[str, int]] = []
        for bars, own in bar_chunks(store, "train"):
            parts.append(onset_rows(bars))
            places += own
        self.songs = np.array([number for _, number in places], np.int64)
        self.names = {int(number): title for title, number in places}
        self.matrix = vstack(parts, format="csr")
        self.sizes = np.asarray(self.matrix.sum(axis=1)).ravel()

    def nearest(self, bars: NDArray[np.bool_]) -> NearestSong:
        """The nearest song to one of these bars, bool `[bars, pitched tracks, steps, pitches]` of onsets."""
        bars = bars[bars.sum((1, 2, 3)) >= FEWEST_NOTES]
        if not len(bars) or not self.names:
            return NearestSong("", 0.0, len(bars))
        shared = np.zeros((len(bars), self.matrix.shape[0]), np.float32)
        for shift in SHIFTS:
            moved = onset_rows(shifted(bars, shift))
            shared = np.maximum(shared, (moved @ self.matrix.T).toarray())
        alike = shared / (bars.sum((1, 2, 3))[:, None] + self.sizes - shared)
        occurs = np.zeros((len(bars), max(self.names) + 1), bool)
        bar, place = np.nonzero(alike >= ALIKE)
        occurs[bar, self.songs[place]] = True
        counts = occurs.sum(0)
        best = int(counts.argmax())
        share = float(counts[best] / len(bars))
        return NearestSong(self.names[best] if share else "", share, len(bars))


def song_bars(planes: Planes, spec: RollSpec) -> NDArray[np.bool_]:
    """Onsets of a song's pitched tracks by bar, bool `[bars, pitched tracks, steps, pitches]`, of its planes."""
    return planes[ONSET, list(spec.pitched)].transpose(1, 0, 2, 3)


def bar_chunks(store: PhraseStore, split: str) -> Iterator[tuple[NDArray[np.bool_], list[tuple[str, int]]]]:
    """Onsets of the bars that the phrases of a split hold, each once a song, and title and number of the song of each.

    A few phrases at a time, at least one chunk. Bars of fewer than `FEWEST_NOTES` notes are left out.
    """
    spec = store.spec
    index, packed = store.index(split), store.packed(split)
    numbers: dict[int, int] = {}
    seen: set[tuple[int, int]] = set()
    for start in range(0, max(1, len(index)), PHRASES_AT_ONCE):
        onset = unpack_rolls(
            np.ascontiguousarray(packed[start : start + PHRASES_AT_ONCE, ONSET][:, list(spec.pitched)]),
            spec.num_pitches,
        ).transpose(0, 2, 1, 3, 4)  # [phrases, bars, pitched tracks, steps, pitches]
        fit = onset.sum((2, 3, 4)) >= FEWEST_NOTES
        chosen = np.zeros(fit.shape, bool)
        places = []
        some = index[start : start + PHRASES_AT_ONCE]
        for place, (song, first_bar) in enumerate(zip(some.songs.tolist(), some.first_bars.tolist(), strict=True)):
            for bar in np.flatnonzero(fit[place]).tolist():
                if (song, first_bar + bar) not in seen:
                    seen.add((song, first_bar + bar))
                    chosen[place, bar] = True
                    places.append((store.songs[song].title, numbers.setdefault(song, len(numbers))))
        yield onset[chosen], places


def bars_of(store: PhraseStore, split: str) -> tuple[NDArray[np.bool_], list[tuple[str, int]]]:
    """The chunks of `bar_chunks` as one."""
    chunks = list(bar_chunks(store, split))
    return np.concatenate([bars for bars, _ in chunks]), [place for _, own in chunks for place in own]


def shifted(bars: NDArray[np.bool_], semitones: int) -> NDArray[np.bool_]:
    """Bars moved by semitones; notes that leave the range are lost."""
    moved = np.zeros_like(bars)
    size = bars.shape[-1]
    moved[..., max(0, semitones) : size + min(0, semitones)] = bars[..., max(0, -semitones) : size + min(0, -semitones)]
    return moved


def onset_rows(bars: NDArray[np.bool_]) -> csr_matrix:
    """Bars as rows of a sparse matrix, `[bars, tracks * steps * pitches]`."""
    return csr_matrix(bars.reshape(len(bars), -1), dtype=np.float32)


def nearest_songs(store: PhraseStore, songs: Sequence[Planes]) -> tuple[list[NearestSong], float | None]:
    """The nearest training song of each song, and how near test songs come in the median.

    Parameters
    ----------
    store
        The prepared set that the generator learnt from.
    songs
        Planes of the songs, bool `[2, tracks, bars, steps, pitches]`.
    """
    training = TrainingBars(store)
    found = [training.nearest(song_bars(planes, store.spec)) for planes in songs]
    bars, places = bars_of(store, "test")
    numbers = np.array([number for _, number in places], np.int64)
    unseen = [training.nearest(bars[numbers == number]).share for number in np.unique(numbers)[:UNSEEN]]
    return found, float(np.median(unseen)) if unseen else None
