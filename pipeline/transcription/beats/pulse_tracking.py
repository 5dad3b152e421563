"""Beat tracking of onsets: a constant pulse where that explains them, else one that follows them.

The pulse that follows is found by dynamic programming (Ellis, "Beat tracking by dynamic programming", JNMR 2007), then
smoothed by penalised least squares.
"""

from __future__ import annotations

import numpy as np

from pipeline.transcription.beats.onsets import Floats, Onsets
from pipeline.transcription.beats.tempo import (
    HARMONICS,
    HOP_SECONDS,
    RATE_HZ,
    tempo_candidates,
    tempo_path,
    tempogram,
)

_SUBDIVISIONS = np.array([0, 3, 4, 6, 8, 9, 12]) / 12  # where in a beat notes are struck: eighths, sixteenths, triplets
_NEAR_SECONDS = 0.025
_STIFFNESSES = (300.0, 30.0, 3.0)  # in onsets of a pulse: what its second difference weighs against them
_MARGIN = 0.035  # of the onsets' weight: what a looser pulse must explain more


def find_pulse(onsets: Onsets, bpm: float | None = None) -> Floats:
    """Pulse of the onsets, steady or drifting: the beat, or maybe half or double of it.

    A constant pulse at the tempogram's strongest tempo, refined by least squares, is kept unless one that follows the
    tempo through the tempogram explains clearly more of the onsets.

    Parameters
    ----------
    onsets
        At least two onsets.
    bpm
        The tempo where it is known: the pulse stays within 2 % of it.

    Returns
    -------
    NDArray
        `[pulses]` seconds, rising, from before the first onset to past the last.
    """
    tempos = tempo_candidates(bpm)
    strengths = tempogram(onsets, tempos, bpm)
    best = _constant_pulse(onsets, tempos, strengths.mean(axis=0), bpm)
    explained = explained_share(best, onsets)
    tracked = _track_onsets(onsets, 60 / tempos[tempo_path(strengths)])
    for stiffness in _STIFFNESSES:
        loose = _smooth(tracked, onsets, stiffness)
        share = explained_share(loose, onsets)
        if share > explained + _MARGIN:
            best, explained = loose, share
    return best


def explained_share(pulse: Floats, onsets: Onsets) -> float:
    """The share of the onsets' weight that lies on sixteenths or triplets of the pulse, 0 to 1."""
    places, _ = _nearest_subdivisions(pulse, onsets.seconds)
    late = onsets.seconds - np.interp(places, np.arange(len(pulse)), pulse)
    return float(np.average(np.exp(-((late / _NEAR_SECONDS) ** 2)), weights=onsets.weights))


def extended(pulse: Floats, start: float, end: float) -> Floats:
    """The pulse with beats added at its ends, at the tempo there, until it spans `start` to `end` seconds."""
    first, last = np.median(np.diff(pulse[:9])), np.median(np.diff(pulse[-9:]))
    before = max(int(np.ceil((pulse[0] - start) / first)), 0)
    after = max(int(np.ceil((end - pulse[-1]) / last)), 0)
    return np.concatenate(
        [pulse[0] - first * np.arange(before, 0, -1), pulse, pulse[-1] + last * np.arange(1, after + 1)]
    )


def _constant_pulse(onsets: Onsets, tempos: Floats, strengths: Floats, bpm: float | None) -> Floats:
    """Constant pulse by the greatest coherence with all onsets, then by weighted least squares."""
    around = tempos[strengths.argmax()]
    span = max(onsets.seconds[-1] - onsets.seconds[0], 4.0)
    step = 1 / (24 * span)  # an error of half a step is an eighth of a sixteenth at the ends
    width = 0.02 * around / 60
    hz = around / 60 + np.arange(-width, width + step, step)
    if bpm is not None:
        hz = hz[(hz >= bpm / 60 / 1.021) & (hz <= bpm / 60 * 1.021)]
    middle = (onsets.seconds[-1] + onsets.seconds[0]) / 2
    phasors = np.exp(2j * np.pi * np.outer(hz, onsets.seconds - middle))
    lines = {harmonic: phasors**harmonic @ onsets.weights for harmonic, _ in HARMONICS}
    total = sum(weight * np.abs(lines[harmonic]) for harmonic, weight in HARMONICS)
    rate = hz[np.argmax(total)]
    phases = np.arange(48) / 48
    at_phase = sum(
        weight * (lines[harmonic][np.argmax(total)] * np.exp(-2j * np.pi * harmonic * phases)).real
        for harmonic, weight in HARMONICS
    )
    start = middle + (phases[np.argmax(at_phase)]) / rate
    first = start - np.ceil((start - onsets.seconds[0]) * rate + 1) / rate
    pulse = first + np.arange(int((onsets.seconds[-1] - first) * rate) + 3) / rate
    for _ in range(4):
        places, weights = _nearest_subdivisions(pulse, onsets.seconds)
        late = onsets.seconds - np.interp(places, np.arange(len(pulse)), pulse)
        weights = weights * onsets.weights * np.exp(-((late / _NEAR_SECONDS) ** 2))
        used = places[weights > 1e-3]
        if not len(used) or np.ptp(used) < 1:
            break
        period, first = np.polyfit(places, onsets.seconds, 1, w=np.sqrt(weights))
        if bpm is not None:
            period = np.clip(period, 60 / bpm / 1.02, 60 / bpm * 1.02)
        if not 0.9 < period * rate < 1.1:
            break
        pulse = first + period * np.arange(len(pulse))
    return extended(pulse, onsets.seconds[0], onsets.seconds[-1] + 1e-6)


def _nearest_subdivisions(pulse: Floats, seconds: Floats) -> tuple[Floats, Floats]:
    """Quantise moments: the nearest subdivision of each, counted in pulses, and how much to believe it (0 to 1)."""
    index = np.clip(np.searchsorted(pulse, seconds, side="right") - 1, 0, len(pulse) - 2)
    inside = (seconds - pulse[index]) / (pulse[index + 1] - pulse[index])
    nearest = np.abs(inside[:, None] - _SUBDIVISIONS).argmin(axis=1)
    belief = np.array([1.0, 0.4, 0.3, 0.7, 0.3, 0.4, 1.0])[nearest]
    return index + _SUBDIVISIONS[nearest], belief


def _track_onsets(onsets: Onsets, periods: Floats) -> Floats:
    """Dynamic programming (Ellis 2007): pulses that fall on onsets and follow the periods, `[windows]` in seconds."""
    frames = int(onsets.seconds[-1] * RATE_HZ) + 2
    strength = np.bincount((onsets.seconds * RATE_HZ).round().astype(int), onsets.weights, minlength=frames)
    kernel = np.exp(-0.5 * (np.arange(-6, 7) / 2) ** 2)
    strength = np.minimum(np.convolve(strength, kernel, mode="same"), 3.0)
    centres = np.arange(len(periods)) * HOP_SECONDS
    period = np.interp(np.arange(frames) / RATE_HZ, centres, periods) * RATE_HZ
    wanted = strength.copy()
    for part, weight in ((0.5, 0.5), (0.25, 0.2), (0.75, 0.2)):
        ahead = np.minimum((np.arange(frames) + part * period).round().astype(int), frames - 1)
        wanted += weight * strength[ahead]
    score, previous = wanted.copy(), np.full(frames, -1)
    for frame in range(frames):
        lags = np.arange(int(period[frame] * 0.7), int(period[frame] * 1.4) + 1)
        lags = lags[lags <= frame]
        if not len(lags):
            continue
        options = score[frame - lags] - 60 * np.log(lags / period[frame]) ** 2
        best = options.argmax()
        if options[best] > 0:
            score[frame] += options[best]
            previous[frame] = frame - lags[best]
    last = max(frames - int(period[-1] * 1.2), 0)
    frame = last + int(score[last:].argmax())
    pulse = []
    while frame >= 0:
        pulse.append(frame / RATE_HZ)
        frame = int(previous[frame])
    if len(pulse) < 2:
        pulse = [pulse[0], pulse[0] - float(periods[0])]
    return extended(np.array(pulse[::-1]), onsets.seconds[0], onsets.seconds[-1] + 1e-6)


def _smooth(pulse: Floats, onsets: Onsets, stiffness: float) -> Floats:
    """Smoothing spline of a pulse: least squares to the onsets near its subdivisions, second differences penalised."""
    from scipy.linalg import solveh_banded

    count = len(pulse)
    if count < 4:
        return pulse
    stiffness *= float(onsets.weights.sum()) / count
    for near in (0.06, 0.04, _NEAR_SECONDS, _NEAR_SECONDS):
        places, belief = _nearest_subdivisions(pulse, onsets.seconds)
        late = onsets.seconds - np.interp(places, np.arange(count), pulse)
        weights = belief * onsets.weights * np.exp(-((late / near) ** 2))
        index = np.minimum(places.astype(int), count - 2)
        right = places - index
        left = 1 - right
        bands = np.zeros((3, count))  # upper form: diagonal last
        bands[2] = np.bincount(index, weights * left**2, count) + np.bincount(index + 1, weights * right**2, count)
        bands[1] = np.bincount(index + 1, weights * left * right, count)
        target: Floats = np.bincount(index, weights * left * onsets.seconds, count) + 1e-6 * pulse
        target = target + np.bincount(index + 1, weights * right * onsets.seconds, count)
        bands[2] = bands[2] + 1e-6
        ones = np.ones(count - 2)
        for offset, row in ((0, 2), (1, 1), (2, 0)):
            for first in range(3 - offset):
                factor = stiffness * (1, -2, 1)[first] * (1, -2, 1)[first + offset]
                bands[row, first + offset : first + offset + count - 2] += factor * ones
        before, pulse = pulse, np.asarray(solveh_banded(bands, target), dtype=np.float64)
        if np.diff(pulse).min() <= 0.05:  # too loose for what is there
            return before
    return pulse
