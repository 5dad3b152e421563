"""Stray notes: what a slip of the hand left an hour after the end of a song."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipeline.scores.score import Score

LONG_SILENCE = 256.0
"""Quarter notes; 64 bars of 4/4, more than rests in the middle of songs."""
LONG_SONG = 4 * LONG_SILENCE
"""Quarter notes; shorter scores are not looked at."""
MOST_STRAYS, SHARE_OF_STRAYS = 3, 0.005
"""Notes after a long silence, in number or of all, that are strays; more of them are another piece."""


def without_strays(score: Score) -> Score:
    """A score without the few notes that come after a long silence at its end, which it remarks."""
    if score.end < LONG_SONG:
        return score
    parts = score.parts
    onsets = np.sort(np.concatenate([part.events["onset"] for part in parts]))
    most = max(MOST_STRAYS, int(SHARE_OF_STRAYS * len(onsets)))
    tail = onsets[-most - 1 :]
    gaps = np.flatnonzero(np.diff(tail) >= LONG_SILENCE)
    if not len(gaps):
        return score
    first = tail[gaps[0] + 1]
    kept = tuple(replace(part, events=part.events[part.events["onset"] < first]) for part in parts)
    count = int(np.count_nonzero(onsets >= first))
    return replace(score, parts=kept, remarks=(*score.remarks, f"notes long after the end were left out ({count})"))
