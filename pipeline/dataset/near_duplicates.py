"""Phrases that are nearly the same, within a song and between songs: found by min-hashes, told by their notes.

Min-hashes in bands after Broder ("On the resemblance and containment of documents", 1997) and Indyk and Motwani
("Approximate nearest neighbors: towards removing the curse of dimensionality", STOC 1998).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gan.spec import HOLD, ONSET, RollSpec
from pipeline.scores.grid import Stretch
from pipeline.scores.notes import Notes
from pipeline.scores.tracks import Voice

SAME_ONSETS, SAME_SOUND = 0.95, 0.9
"""The part of the onsets, and of what sounds step by step, that copies share at least of those that either has."""
BANDS, ROWS = 4, 6
"""Min-hashes: two phrases are compared where all rows of a band agree. Of those that share 95 % of their onsets
99.5 % are, of those that share 60 % one in six."""


def sketch(notes: Notes, starts: list[int], phrases: NDArray[np.uint8], spec: RollSpec) -> NDArray[np.uint64]:
    """What finds the copies of each phrase: a hash for each band of min-hashes and one of the whole phrase.

    Parameters
    ----------
    notes
        The stretch of music that the phrases were cut from.
    starts, phrases, spec
        As `phrases.cut_phrases` takes and returns them.

    Returns
    -------
    uint64 `[phrases, BANDS + 1]`.
    """
    bar, step = np.divmod(notes["onset"].astype(np.int64), spec.steps_per_bar)
    order = np.argsort(bar, kind="stable")
    bar, step = bar[order], step[order]
    note = (notes["track"][order].astype(np.int64) * 128 + notes["pitch"][order]) * spec.steps_per_bar + step
    begins = np.searchsorted(bar, np.arange(max(starts, default=0) + spec.bars + 1))
    own = np.arange(1, BANDS * ROWS + 1, dtype=np.uint64)
    found = np.empty((len(starts), BANDS + 1), np.uint64)
    for number, start in enumerate(starts):
        some = slice(begins[start], begins[start + spec.bars])
        place = (note[some] * spec.bars + bar[some] - start).view(np.uint64)
        hashes = _mix(place[:, None] * np.uint64(64) + own)
        least = hashes.min(axis=0, initial=np.iinfo(np.uint64).max).reshape(BANDS, ROWS)
        for band in range(BANDS):
            found[number, band] = np.bitwise_xor.reduce(_mix(least[band] + own[:ROWS]))
        found[number, BANDS] = np.bitwise_xor.reduce(_mix(_words(phrases[number])))
    return found


def _words(phrase: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """A packed phrase as numbers that say what bytes lie where."""
    flat = np.flatnonzero(phrase)
    return flat.astype(np.uint64) * np.uint64(256) + phrase.reshape(-1)[flat]


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Numbers that look drawn at random, the same for the same values (the finaliser of splitmix64)."""
    values = values * np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(values ^ (values >> np.uint64(31)))


def find_copies(sketches: NDArray[np.uint64], phrases: NDArray[np.uint8]) -> NDArray[np.int64]:
    """For each phrase the first one that it is a copy of, or itself, `[phrases]`.

    Parameters
    ----------
    sketches
        As `sketch` makes them, `[phrases, BANDS + 1]`.
    phrases
        Packed phrases in the same order; may be mapped from disk.
    """
    leader = np.full(sketches.shape, -1, np.int64)  # the first phrase with the same hash, where there is one
    for band in range(sketches.shape[1]):
        order = np.argsort(sketches[:, band], kind="stable")
        ordered = sketches[order, band]
        fresh = np.append(True, ordered[1:] != ordered[:-1]) if len(order) else np.zeros(0, np.bool_)
        first = order[fresh][np.cumsum(fresh) - 1]
        leader[order, band] = np.where(first == order, -1, first)
    copy_of = np.arange(len(sketches))
    for one in np.flatnonzero((leader >= 0).any(axis=1)).tolist():
        candidates = {int(copy_of[other]) for other in leader[one] if other >= 0}
        for other in sorted(candidates):
            if are_copies(phrases[one], phrases[other]):
                copy_of[one] = other
                break
    return copy_of


def are_copies(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    """Whether two packed phrases differ in next to nothing."""
    if not _share(one[ONSET], other[ONSET]) >= SAME_ONSETS:
        return False
    return _share(one[ONSET] | one[HOLD], other[ONSET] | other[HOLD]) >= SAME_SOUND


def _share(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """The part of the bits set in either that are set in both; 1 where none is."""
    either = int(np.bitwise_count(one | other).sum())
    return int(np.bitwise_count(one & other).sum()) / either if either else 1.0


GRAM = 8
"""Notes in a row whose intervals and rhythm make up a melodic turn that is recognised again."""
MIN_INTERVALS = 3
"""Different intervals in a turn that tells one tune from another."""
MIN_MOVES = 4
"""Intervals of it at least that are no repetition of a note."""
GRIDS = (1, 2)
"""How much finer than the roll's the grids are that voices are looked at on."""
KEPT = 64
"""Turns of a voice that are kept at most: those with the lowest hashes, which are the same ones in every song."""

Turns = tuple[NDArray[np.uint32], ...]
"""For each voice of a song the hashes of its melodic turns, sorted, each once, the lowest `KEPT` at most."""


def song_turns(voices: Sequence[Voice], stretches: Sequence[Stretch], spec: RollSpec) -> Turns:
    """The melodic turns of each pitched voice of a song that has any.

    Voices are taken one by one, as the file has them: in which track of the roll they come together, and beneath what
    they lie there, depends on their programs. They are put on the grid and on one twice as fine, so that a piece
    notated at half or double speed has the turns of one of them.
    """
    found = []
    for voice in voices:
        if spec.tracks[voice.track].is_drum or len(voice.events) < GRAM:
            continue
        parts = [
            melodic_turns(*_top_line(voice, stretch, steps * spec.steps_per_beat, spec))
            for stretch in stretches
            for steps in GRIDS
        ]
        turns = np.unique(np.concatenate(parts))[:KEPT]
        if len(turns):
            found.append(turns)
    return tuple(found)


def _top_line(
    voice: Voice, stretch: Stretch, steps_per_beat: int, spec: RollSpec
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Onsets in steps and pitches of the highest notes of a voice, one an onset."""
    onset = np.rint((voice.events["onset"] - stretch.start) * steps_per_beat).astype(np.int64)
    pitch = voice.events["pitch"].astype(np.int64)
    inside = (onset >= 0) & (onset < stretch.bars * spec.beats_per_bar * steps_per_beat)
    ordered = np.sort(onset[inside] * 128 + pitch[inside])
    onset, pitch = np.divmod(ordered, 128)
    last = np.append(onset[1:] != onset[:-1], True) if len(onset) else np.zeros(0, np.bool_)
    return onset[last], pitch[last]


def melodic_turns(onset: NDArray[np.int64], pitch: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Hashes of the melodic turns of a line, whatever its key and speed: sorted, each once.

    A turn is `GRAM` successive notes: their intervals in semitones, and the steps between their onsets without what
    these have in common. Those that hardly move are left out, and those of fewer than `MIN_INTERVALS` different
    intervals: repeated notes, trills and scales are everywhere.
    """
    interval, wait = np.diff(pitch), np.diff(onset)
    if len(interval) < GRAM - 1:
        return np.zeros(0, np.uint32)
    intervals = np.lib.stride_tricks.sliding_window_view(interval, GRAM - 1)
    waits = np.lib.stride_tricks.sliding_window_view(wait, GRAM - 1)
    ordered = np.sort(intervals, axis=1)
    distinct = 1 + np.count_nonzero(ordered[:, 1:] != ordered[:, :-1], axis=1)
    telling = (distinct >= MIN_INTERVALS) & (np.count_nonzero(intervals, axis=1) >= MIN_MOVES)
    intervals, waits = intervals[telling], waits[telling]
    waits = waits // np.gcd.reduce(waits, axis=1, keepdims=True)
    hashes = np.zeros(len(intervals), np.uint64)
    for column in range(GRAM - 1):  # a polynomial hash, modulo 2^64
        for values in (intervals, waits):
            term = values[:, column].astype(np.int64).view(np.uint64)
            hashes = hashes * np.uint64(0x9E3779B97F4A7C15) + term + np.uint64(1)
    hashes ^= hashes >> np.uint64(31)  # every bit of the hash counts in the upper half
    hashes *= np.uint64(0xBF58476D1CE4E5B9)
    return np.unique((hashes >> np.uint64(32)).astype(np.uint32))
