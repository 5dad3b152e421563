"""Songs cut into phrases, and what tells that two of them are the same music."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gan.spec import HOLD, ONSET, RollSpec
from pipeline.scores.notes import Notes, in_order, pack, roll_from_notes


def cut_phrases(
    notes: Notes, bars: int, spec: RollSpec, hop_bars: int, min_tracks: int, sections: Sequence[int] = (0,)
) -> tuple[list[int], NDArray[np.uint8]]:
    """Phrases of `spec.bars` bars, a new one every `hop_bars` bars of a section, in which `min_tracks` tracks sound.

    No phrase reaches from one section into the next. A note that is held into a phrase starts at its beginning. A
    phrase that came before in the song is left out.

    Parameters
    ----------
    notes, bars, spec
        A stretch of music in one metre, and how many bars it has.
    hop_bars, min_tracks
        As in the settings of `prepare`.
    sections
        The bars at which its sections begin, the first being 0.

    Returns
    -------
    starts
        The first bar of each phrase.
    packed
        The phrases, packed along pitches: uint8 `[phrases, 2, tracks, bars, steps, ceil(pitches / 8)]`.
    """
    packed = pack(roll_from_notes(notes, spec, bars))
    starts: list[int] = []
    phrases: list[NDArray[np.uint8]] = []
    seen: set[bytes] = set()
    ends = (*sections[1:], bars)
    for start in (
        start
        for begin, end in zip(sections, ends, strict=True)
        for start in range(begin, end - spec.bars + 1, hop_bars)
    ):
        phrase = packed[:, :, start : start + spec.bars].copy()
        if np.count_nonzero(phrase.any(axis=(0, 2, 3, 4))) < min_tracks:
            continue
        phrase[ONSET, :, 0, 0] |= phrase[HOLD, :, 0, 0]
        phrase[HOLD, :, 0, 0] = 0
        digest = phrase_digest(phrase)
        if digest not in seen:
            seen.add(digest)
            starts.append(start)
            phrases.append(phrase)
    shape = (0, *packed.shape[:2], spec.bars, *packed.shape[3:])
    return starts, np.stack(phrases) if phrases else np.zeros(shape, np.uint8)


def phrase_digest(packed: NDArray[np.uint8]) -> bytes:
    """What tells one packed phrase from another: 16 bytes."""
    return hashlib.blake2b(np.ascontiguousarray(packed).tobytes(), digest_size=16).digest()


def song_digest(stretches: list[Notes], spec: RollSpec) -> str:
    """What tells one song from another whatever its key: 32 hex digits out of all its notes.

    Pitched tracks count from their common lowest note, drums as they are.
    """
    digest = hashlib.blake2b(digest_size=16)
    for notes in stretches:
        relative = in_order(notes)
        pitched = np.isin(relative["track"], spec.pitched)
        if pitched.any():
            relative["pitch"] -= np.where(pitched, relative["pitch"][pitched].min(), 0)
        digest.update(b"|" + in_order(relative).tobytes())
    return digest.hexdigest()
