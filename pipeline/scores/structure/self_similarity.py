"""Self-similarity matrix of a song's bars: where its sections begin, and how much of it comes back.

The matrix after Foote ("Visualizing music and audio using self-similarity", ACM Multimedia 1999); novelty along its
diagonal after Foote ("Automatic audio segmentation using a measure of audio novelty", ICME 2000); where repetitions
begin and end after Serra et al. ("Unsupervised music structure annotation by time series structure features and segment
similarity", IEEE Trans. Multimedia 2014); the choice among them by regular lengths after Sargent et al. ("Estimating
the structural segmentation of popular music pieces under regularity constraints", IEEE/ACM TASLP 2017). Here of notes
instead of sound.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan.spec import RollSpec
from pipeline.scores.notes import Notes

REACH = 4
"""Bars on either side of a boundary that are compared."""
FARTHEST = 64
"""Bars within which a section is looked for again."""
SHARE_OF_REPETITION = 0.6
"""How much beginnings and ends of repetitions count beside novelty."""
LONGEST = 256
"""Bars; a longer section is parted somewhere."""
PRICE = 0.7
"""What a boundary costs, in standard deviations of the evidence."""
APART = 4
"""Bars that lie nearer to each other are no return but a repetition."""
USUAL, ODD = 4, 0.35
"""Sections last a multiple of so many bars; what another length costs beside it."""


def find_sections(notes: Notes, bars: int, spec: RollSpec) -> list[int]:
    """Section boundaries: the bars at which sections begin, the first being 0; none is shorter than `spec.bars` bars.

    Parameters
    ----------
    notes, bars, spec
        A whole song, or a stretch of it in one metre, and how many bars it has; pitches may lie outside the range of
        `spec`.
    """
    if bars < 2 * spec.bars:
        return [0]
    evidence = boundary_evidence(notes, bars, spec)
    return _choose(evidence, spec.bars)


def boundary_evidence(notes: Notes, bars: int, spec: RollSpec) -> NDArray[np.float64]:
    """How much speaks for a section to begin at each bar, `[bars]`, in standard deviations from the song's mean."""
    alike = bar_similarity(notes, bars, spec)
    fresh, returning = _standard(novelty(alike)), _standard(repetition_change(alike))
    return _standard((1 - SHARE_OF_REPETITION) * fresh + SHARE_OF_REPETITION * returning)


def bar_similarity(notes: Notes, bars: int, spec: RollSpec, measure: str = "cosine") -> NDArray[np.floating[Any]]:
    """Self-similarity matrix of the bars of a song: how alike two bars are, `[bars, bars]` from 0 to 1.

    The mean over the tracks that play in either bar; two silent bars are alike. A track's bar is what begins in it, as
    step and pitch class (drums: step and drum), and two such are compared by

    - `cosine`: the mean of the cosines of these, of their pitch classes (drums) alone and of their rhythms alone,
      float32; it varies smoothly, which boundaries of sections are found by;
    - `jaccard`: the share of notes in common among those that either has, float64; 1 is a bar that returns note for
      note.
    """
    bar, step = np.divmod(notes["onset"], spec.steps_per_bar)
    tracks = []
    for track, kind in enumerate(spec.tracks):
        own = notes["track"] == track
        size = 128 if kind.is_drum else 12
        place = (bar[own] * spec.steps_per_bar + step[own]) * size + notes["pitch"][own] % size
        count = np.bincount(place, minlength=bars * spec.steps_per_bar * size)
        tracks.append(count.reshape(bars, spec.steps_per_bar, size).astype(np.float32))
    sounds = np.stack([played.any(axis=(1, 2)) for played in tracks], axis=1).astype(np.float32)
    counts = sounds.sum(axis=1)
    playing = counts[:, None] + counts[None, :] - sounds @ sounds.T  # tracks that play in either bar
    if measure == "cosine":
        together = np.concatenate([_unit(aspect) for played in tracks for aspect in _aspects(played)], axis=1)
        return np.where(playing > 0, together @ together.T / (3 * np.maximum(playing, 1)), np.float32(1))
    total = sum(_jaccard(np.minimum(played, 1).reshape(bars, -1)) for played in tracks)
    return np.where(playing > 0, total / np.maximum(playing, 1), 1.0)


def _aspects(played: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
    """What the bars of a track, `[bars, steps, classes]`, are compared by: notes, pitch classes and rhythm."""
    return np.minimum(played, 1).reshape(len(played), -1), np.sqrt(played.sum(axis=1)), np.sqrt(played.sum(axis=2))


def _jaccard(rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """The share in common of what either of two rows of 0 and 1 has, `[rows, rows]`; 0 for two empty ones."""
    both = (rows @ rows.T).astype(np.float64)
    counts = rows.sum(axis=1, dtype=np.float64)
    either = counts[:, None] + counts[None, :] - both
    return np.asarray(both / np.maximum(either, 1))


def novelty(alike: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Foote's checkerboard kernel: how much each bar and what follows differ from what came before, `[bars]`."""
    bars = len(alike)
    reach = np.arange(-REACH, REACH) + 0.5
    weights = np.exp(-((reach / (REACH / 2)) ** 2) / 2) * np.sign(reach)
    kernel = weights[:, None] * weights[None, :]
    padded = np.pad(alike, REACH, mode="edge")
    down, right = padded.strides
    windows = np.lib.stride_tricks.as_strided(
        padded, (bars, *kernel.shape), (down + right, down, right), writeable=False
    )
    found = np.asarray(np.einsum("bij,ij->b", windows, kernel))
    found[0] = 0.0
    return np.asarray(np.maximum(found, 0.0))


def repetition_change(alike: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Structure features after Serra et al.: how much begins or ceases to repeat another part at each bar, `[bars]`.

    The lags of each bar (how it resembles the one so many bars before or after) are averaged over the `REACH` bars
    before and after; where the two differ, another part begins to be repeated.
    """
    bars = len(alike)
    far = min(bars - 1, FARTHEST)
    padded = np.pad(alike, ((0, 0), (far, far)), constant_values=alike.mean())
    down, right = padded.strides
    lags = np.lib.stride_tricks.as_strided(padded, (bars, 2 * far + 1), (down + right, right), writeable=False)
    lags = lags**2
    lags[:, far] = 0.0
    sums = np.concatenate([np.zeros((1, lags.shape[1])), np.cumsum(lags, axis=0)])
    places = np.arange(bars)
    before, after = np.maximum(places - REACH, 0), np.minimum(places + REACH, bars)
    past = (sums[places] - sums[before]) / np.maximum(places - before, 1)[:, None]
    future = (sums[after] - sums[places]) / (after - places)[:, None]
    found = np.asarray(np.sqrt(np.sum((future - past) ** 2, axis=1)))
    found[0] = 0.0
    return found


def _choose(evidence: NDArray[np.float64], shortest: int) -> list[int]:
    """Dynamic programming: the boundaries with the most evidence, less what their number and odd lengths cost."""
    bars = len(evidence)
    best = np.full(bars + 1, -np.inf)
    best[0] = 0.0
    came_from = np.zeros(bars + 1, np.int64)
    lengths = np.arange(LONGEST + 1)
    odd = np.where(lengths % USUAL, ODD, np.where(lengths % (2 * USUAL), ODD / 2, 0.0))
    for end in range(shortest, bars + 1):
        first, past = max(0, end - LONGEST), end - shortest + 1
        costs = odd[end - first : shortest - 1 : -1] if end < bars else 0.0  # the last may break off anywhere
        scores = best[first:past] - costs
        place = int(np.argmax(scores))
        came_from[end] = first + place
        best[end] = scores[place] + (evidence[end] - PRICE if end < bars else 0.0)
    boundaries = [int(came_from[bars])]
    while boundaries[-1] > 0:
        boundaries.append(int(came_from[boundaries[-1]]))
    return boundaries[::-1]


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of length 1 (silent ones stay 0), without the columns that hold nothing."""
    rows = rows[:, rows.any(axis=0)]
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-9)))


def _standard(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Moved to mean 0 and scaled to standard deviation 1; nothing but zeros where they are all the same."""
    return np.asarray((values - values.mean()) / max(float(values.std()), 1e-9))


def recurrence(alike: NDArray[np.floating[Any]]) -> float:
    """How much of a song comes back: the mean over its bars of the best match at least `APART` bars away, 0 to 1.

    NaN for a song that has no bars so far apart.
    """
    place = np.arange(len(alike))
    apart = np.abs(place[:, None] - place[None, :]) >= APART
    return float(np.where(apart, alike, 0).max(axis=1).mean()) if apart.any() else float("nan")
