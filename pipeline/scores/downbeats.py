"""Downbeat estimation: where bars begin in a score whose bar lines can't be trusted.

A multinomial logit over the beats of a bar. Of each beat and of those after it count five shares of the music: long
notes, how many begin, how much the harmony changes from beat to beat and from bar to bar, and whether the piece begins
there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.scores.score import Events, Score, make_events

CUES = ("long notes", "onsets", "harmony of a beat", "harmony of a bar", "first note")
WEIGHTS = np.array(
    [
        [2.89, -3.42, 1.26, -0.72],
        [2.92, 1.74, -1.19, -3.46],
        [1.31, 4.30, -0.12, -5.50],
        [3.61, -4.31, 1.88, -1.17],
        [1.34, -1.19, -1.61, 1.46],
    ]
)
"""How much each cue counts for a beat, and on the beats after it: `[cues, beats later]`.

Of the multinomial logit that `pipeline.dataset.fitting.downbeats` fits to scores with known bar lines.
"""
NEAR = 0.13
"""Quarter notes; what begins further from a beat is not on it."""
MOST_BEATS = 16
"""Longer notes count so long."""
PARTS, COMPOUND_PARTS = (1, 2, 4), (1, 3, 6)
"""A beat, eighth notes and sixteenths: how many there are of each in a beat that is a quarter note, or a dotted one."""
PHASES = 96
"""Places in a beat that beats are looked for at."""
MARGIN = 0.2
"""Share of a perfect fit by which beats elsewhere must fit better than beats at 0."""
PHASE_LENGTHS = (0.1, 4.0)
"""Quarter notes; shorter and longer notes tell of the beat what these do."""


def estimate_downbeat(score: Score, beats_per_bar: int, beat: float = 1.0) -> float:
    """Where bars most likely start, in quarter notes from the beginning: at least 0, less than a bar.

    First where the beats lie, then which of them begins a bar. The weights are those of four beats a bar; elsewhere all
    beats that are no downbeat count alike. `beat` is their length in quarter notes, 1.5 in compound metres.
    """
    onset, duration, pitch = _notes_of(score)
    parts = PARTS if beat == 1 else COMPOUND_PARTS
    phase = estimate_phase(onset / beat, duration / beat, parts)
    fits = _fits(onset / beat - phase, duration / beat, pitch, beats_per_bar)
    return (phase + float(np.argmax(fits))) * beat


def downbeat_fits(
    score: Score, start: float, stop: float, beats_per_bar: int, beat: float = 1.0
) -> NDArray[np.float64]:
    """How well each beat of a bar from `start` on fits as the downbeat of what begins before `stop`, `[beats]`.

    Times in quarter notes, as is the length of a `beat`.
    """
    onset, duration, pitch = _notes_of(score)
    inside = (onset > start - NEAR) & (onset < stop)
    if not inside.any():
        return np.zeros(beats_per_bar)
    return _fits((onset[inside] - start) / beat, duration[inside] / beat, pitch[inside], beats_per_bar)


def _notes_of(score: Score) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int16]]:
    """Onset, duration and pitch of all pitched notes, or of the drums where there are no others."""
    pitched = [part.events for part in score.parts if len(part.events) and not part.is_drum]
    anything = pitched or [part.events for part in score.parts if len(part.events)]
    onset, duration, pitch = (
        np.concatenate([one[name] for one in anything]) for name in ("onset", "duration", "pitch")
    )
    return onset, duration, pitch


def _fits(
    onset: NDArray[np.float64], duration: NDArray[np.float64], pitch: NDArray[np.int16], beats_per_bar: int
) -> NDArray[np.float64]:
    """How well each beat fits as the downbeat, `[beats]`; times in beats."""
    moved = onset + beats_per_bar  # a bar later, so that nothing begins before the first beat
    cues = downbeat_cues(make_events(moved, duration, pitch, np.zeros(len(onset))), beats_per_bar)
    weights = WEIGHTS
    if beats_per_bar != WEIGHTS.shape[1]:
        others = np.repeat(WEIGHTS[:, 1:].mean(axis=1, keepdims=True), beats_per_bar - 1, axis=1)
        weights = np.concatenate([WEIGHTS[:, :1], others], axis=1)
    return fit_of_beats(cues, weights)


def estimate_phase(
    onset: NDArray[np.float64], duration: NDArray[np.float64], parts: tuple[int, int, int] = PARTS
) -> float:
    """Phase of the beats: how far after whole beats they most likely lie, in beats, 0 to less than 1.

    Recordings that were written down against a steady click begin anywhere. Long notes tell more than short ones; beats
    count twice as much as eighth notes and these twice as much as sixteenths, each as a sum of unit vectors that turn
    once in that time: so many `parts` of a beat. Most files have beats at 0, so another place must fit better by
    `MARGIN` of what a perfect one would.
    """
    weight = np.clip(duration, *PHASE_LENGTHS) ** 1.5
    phases = np.arange(PHASES) / PHASES
    fit = np.zeros(PHASES)
    for cycles, share in zip(parts, (1, 0.5, 0.25), strict=True):
        pulse = np.sum(weight * np.exp(-2j * np.pi * cycles * onset))
        fit += share * (pulse * np.exp(2j * np.pi * cycles * phases)).real
    perfect = 1.75 * weight.sum()
    return float(phases[np.argmax(fit)]) if fit.max() - fit[0] > MARGIN * perfect else 0.0


def fit_of_beats(cues: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """How well each beat fits as the downbeat: `[beats]` out of cues and weights `[cues, beats]`."""
    beats = cues.shape[1]
    later = (np.arange(beats)[:, None] + np.arange(beats)) % beats  # [downbeat, beats later]
    fits: NDArray[np.float64] = np.einsum("cbl,cl->b", cues[:, later], weights)
    return fits


def downbeat_cues(events: Events, beats_per_bar: int) -> NDArray[np.float64]:
    """What share of each cue falls on each beat of the bar, less an even share: `[cues, beats]`."""
    onset, duration = events["onset"], np.maximum(events["duration"], 0.1)
    beat = np.rint(onset).astype(np.int64)
    near = np.abs(onset - beat) < NEAR
    place = beat % beats_per_bar
    long = np.bincount(place[near], np.minimum(duration[near], beats_per_bar) ** 2, beats_per_bar)
    count = np.bincount(place[near], minlength=beats_per_bar)
    first = np.bincount(place[[np.argmin(onset)]], minlength=beats_per_bar)
    sounding = chroma_of_beats(onset, duration, events["pitch"])
    changes = [change_of_harmony(sounding, width) for width in (1, beats_per_bar)]
    harmony = [np.bincount(np.arange(len(one)) % beats_per_bar, one, beats_per_bar) for one in changes]
    cues = np.stack([long, count, *harmony, first]).astype(np.float64)
    total = cues.sum(axis=1, keepdims=True)
    return np.where(total > 0, cues / np.maximum(total, 1e-9) - 1 / beats_per_bar, 0.0)


def chroma_of_beats(
    onset: NDArray[np.float64], duration: NDArray[np.float64], pitch: NDArray[np.int16]
) -> NDArray[np.float64]:
    """Chroma of each beat: how long each pitch class sounds, in quarter notes `[beats, 12]`."""
    end = onset + np.minimum(duration, MOST_BEATS)
    first = np.floor(onset).astype(np.int64)
    num_beats = int(np.ceil(end.max())) + 1
    chroma = np.zeros(num_beats * 12)
    for later in range(int((np.ceil(end) - first).max())):
        beat = first + later
        shared = np.minimum(end, beat + 1) - np.maximum(onset, beat)
        inside = shared > 0
        chroma += np.bincount(beat[inside] * 12 + pitch[inside] % 12, shared[inside], num_beats * 12)
    return chroma.reshape(num_beats, 12)


def change_of_harmony(chroma: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Harmonic change: how much `width` beats differ from the same number before, `[beats]` from 0 to 1.

    One less the cosine of the two; 0 where there are not enough beats or nothing sounds on one side.
    """
    until = np.cumsum(np.concatenate([np.zeros((1, 12)), chroma]), axis=0)
    windows = until[width:] - until[:-width]  # [first beat, 12]
    windows /= np.maximum(np.linalg.norm(windows, axis=1, keepdims=True), 1e-9)
    change = np.zeros(len(chroma))
    before, after = windows[:-width], windows[width:]
    both = (before.any(axis=1)) & (after.any(axis=1))
    change[width : width + len(after)] = np.where(both, 1 - (before * after).sum(axis=1), 0)
    return change
