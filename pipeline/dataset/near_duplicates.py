"""MinHash near-duplicate detection: phrases that are nearly the same, within a song and between songs.

Candidates by min-hashes in bands (locality-sensitive hashing), after Broder ("On the resemblance and containment of
documents", 1997) and Indyk and Motwani ("Approximate nearest neighbors: towards removing the curse of dimensionality",
STOC 1998); what they find is decided by the notes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gan.spec import HOLD, ONSET, RollSpec
from pipeline.scores.notes import Notes

SAME_ONSETS, SAME_SOUND = 0.95, 0.9
"""The part of the onsets, and of what sounds step by step, that copies share at least of those that either has."""
BANDS, ROWS = 4, 6
"""Min-hashes: two phrases are compared where all rows of a band agree. Of those that share 95 % of their onsets
99.5 % are, of those that share 60 % one in six."""


def minhash_signatures(
    notes: Notes, starts: list[int], phrases: NDArray[np.uint8], spec: RollSpec
) -> NDArray[np.uint64]:
    """MinHash signatures of phrases: a hash for each band of min-hashes, and one of the whole phrase.

    Parameters
    ----------
    notes
        The stretch of music that the phrases were cut from.
    starts, phrases, spec
        As `cut_phrases` takes and returns them.

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


def find_near_duplicates(signatures: NDArray[np.uint64], phrases: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Locality-sensitive hashing: for each phrase the first that it nearly equals, or itself, `[phrases]`.

    Parameters
    ----------
    signatures
        As `minhash_signatures` makes them, `[phrases, BANDS + 1]`.
    phrases
        Packed phrases in the same order; may be mapped from disk.
    """
    leader = np.full(signatures.shape, -1, np.int64)  # the first phrase with the same hash, where there is one
    for band in range(signatures.shape[1]):
        order = np.argsort(signatures[:, band], kind="stable")
        ordered = signatures[order, band]
        fresh = np.append(True, ordered[1:] != ordered[:-1]) if len(order) else np.zeros(0, np.bool_)
        first = order[fresh][np.cumsum(fresh) - 1]
        leader[order, band] = np.where(first == order, -1, first)
    copy_of = np.arange(len(signatures))
    for one in np.flatnonzero((leader >= 0).any(axis=1)).tolist():
        candidates = {int(copy_of[other]) for other in leader[one] if other >= 0}
        for other in sorted(candidates):
            if are_near_duplicates(phrases[one], phrases[other]):
                copy_of[one] = other
                break
    return copy_of


def are_near_duplicates(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    """Whether two packed phrases are nearly equal: by the Jaccard similarity of onsets, and of all that sounds."""
    if not _share(one[ONSET], other[ONSET]) >= SAME_ONSETS:
        return False
    return _share(one[ONSET] | one[HOLD], other[ONSET] | other[HOLD]) >= SAME_SOUND


def _share(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Jaccard similarity of two arrays of bits: the share set in both of those set in either; 1 where none is."""
    either = int(np.bitwise_count(one | other).sum())
    return int(np.bitwise_count(one & other).sum()) / either if either else 1.0
