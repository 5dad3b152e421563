"""A pulse through the onsets of a recording: constant where that explains them, following them where it does not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.transcription.beats.onsets import Floats, Onsets

_RATE_HZ = 100  # of the train of onsets whose spectrum is looked at
_WINDOW_SECONDS = 10.0
_HOP_SECONDS = 0.5
_HARMONICS = ((1, 1.0), (2, 0.8), (4, 0.6), (3, 0.3))
_SLOWEST_BPM, _FASTEST_BPM = 45.0, 220.0
_PER_OCTAVE = 60
_USUAL_BPM, _SPREAD_OCTAVES = 105.0, 0.6
_DRIFT_COST = 1.0  # for each bin (1.2 %) that the tempo moves in half a second
_JUMP_COST = 12.0  # for a change of tempo at once

_LATTICE = np.array([0, 3, 4, 6, 8, 9, 12]) / 12  # where in a beat notes are struck: eighths, sixteenths, triplets
_NEAR_SECONDS = 0.025
_STIFF = (300.0, 30.0, 3.0)  # in onsets of a pulse: what its second difference weighs against them
_MARGIN = 0.035  # of the onsets' weight: what a looser pulse must explain more


def find_pulse(onsets: Onsets, bpm: float | None = None) -> Floats:
    """Times of a steady or drifting pulse, near the beat but maybe half or double of it.

    The tempo is the strongest line of the onsets' spectrum at beat, eighth, triplet and sixteenth level under a
    log-normal prior (Grosche and Mueller, 2011: predominant local pulse), followed through windows of ten seconds.
    A constant pulse, refined by least squares, is kept unless one that follows explains clearly more of the onsets.

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
    tempos = _tempos(bpm)
    salience = _salience(onsets, tempos, bpm)
    best = _constant_pulse(onsets, tempos, salience.mean(axis=0), bpm)
    explained = explained_share(best, onsets)
    followed = _follow(onsets, 60 / tempos[_path(salience)])
    for stiffness in _STIFF:
        loose = _settle(followed, onsets, stiffness)
        share = explained_share(loose, onsets)
        if share > explained + _MARGIN:
            best, explained = loose, share
    return best


def explained_share(pulse: Floats, onsets: Onsets) -> float:
    """The share of the onsets' weight that lies on sixteenths or triplets of the pulse, 0 to 1."""
    places, _ = _places(pulse, onsets.seconds)
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


def _tempos(bpm: float | None) -> Floats:
    """The tempos that are tried, evenly spaced by their logarithm."""
    if bpm is not None:
        return np.geomspace(bpm / 1.02, bpm * 1.02, 9)
    octaves = np.log2(_FASTEST_BPM / _SLOWEST_BPM)
    return np.geomspace(_SLOWEST_BPM, _FASTEST_BPM, int(octaves * _PER_OCTAVE) + 1)


def _salience(onsets: Onsets, tempos: Floats, bpm: float | None) -> Floats:
    """`[windows, tempos]`: how strongly each tempo is heard, the whole about 1 where it is heard alone."""
    length, hop = int(_WINDOW_SECONDS * _RATE_HZ), int(_HOP_SECONDS * _RATE_HZ)
    train = np.zeros(int(onsets.seconds[-1] * _RATE_HZ) + 2 * length)
    place = onsets.seconds * _RATE_HZ + length / 2
    below = place.astype(int)
    np.add.at(train, below, onsets.weights * (1 - place + below))
    np.add.at(train, below + 1, onsets.weights * (place - below))
    starts = np.arange(0, len(train) - length + 1, hop)
    windows = train[starts[:, None] + np.arange(length)] * np.hanning(length)
    size = 8192
    spectrum = np.abs(np.fft.rfft(windows, size))
    spectrum /= np.maximum(spectrum[:, :1], 1.0)
    hz = tempos / 60
    total = np.zeros((len(starts), len(tempos)))
    for harmonic, weight in _HARMONICS:
        at = hz * harmonic * size / _RATE_HZ
        low = at.astype(int)
        total += weight * (spectrum[:, low] * (1 - at + low) + spectrum[:, low + 1] * (at - low))
    if bpm is None:
        total *= np.exp(-0.5 * (np.log2(tempos / _USUAL_BPM) / _SPREAD_OCTAVES) ** 2)
    return total


def _path(salience: Floats) -> NDArray[np.intp]:
    """`[windows]`: the tempo in each window, by the best path through the salience (Viterbi)."""
    windows, tempos = salience.shape
    gain = salience * 4
    apart = np.abs(np.arange(tempos)[:, None] - np.arange(tempos))
    cost = np.minimum(_DRIFT_COST * apart, _JUMP_COST)
    score, came = gain[0], np.zeros((windows, tempos), np.intp)
    for index in range(1, windows):
        options = score[None, :] - cost
        came[index] = options.argmax(axis=1)
        score = gain[index] + options[np.arange(tempos), came[index]]
    path = np.zeros(windows, np.intp)
    path[-1] = score.argmax()
    for index in range(windows - 1, 0, -1):
        path[index - 1] = came[index, path[index]]
    return path


def _constant_pulse(onsets: Onsets, tempos: Floats, salience: Floats, bpm: float | None) -> Floats:
    """The constant pulse that explains the onsets best: coherent over the whole piece, then least squares."""
    around = tempos[salience.argmax()]
    span = max(onsets.seconds[-1] - onsets.seconds[0], 4.0)
    step = 1 / (24 * span)  # an error of half a step is an eighth of a sixteenth at the ends
    width = 0.02 * around / 60
    hz = around / 60 + np.arange(-width, width + step, step)
    if bpm is not None:
        hz = hz[(hz >= bpm / 60 / 1.021) & (hz <= bpm / 60 * 1.021)]
    middle = (onsets.seconds[-1] + onsets.seconds[0]) / 2
    turns = np.exp(2j * np.pi * np.outer(hz, onsets.seconds - middle))
    lines = {harmonic: turns**harmonic @ onsets.weights for harmonic, _ in _HARMONICS}
    total = sum(weight * np.abs(lines[harmonic]) for harmonic, weight in _HARMONICS)
    rate = hz[np.argmax(total)]
    phases = np.arange(48) / 48
    at_phase = sum(
        weight * (lines[harmonic][np.argmax(total)] * np.exp(-2j * np.pi * harmonic * phases)).real
        for harmonic, weight in _HARMONICS
    )
    start = middle + (phases[np.argmax(at_phase)]) / rate
    first = start - np.ceil((start - onsets.seconds[0]) * rate + 1) / rate
    pulse = first + np.arange(int((onsets.seconds[-1] - first) * rate) + 3) / rate
    for _ in range(4):
        places, weights = _places(pulse, onsets.seconds)
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


def _places(pulse: Floats, seconds: Floats) -> tuple[Floats, Floats]:
    """For each moment the nearest place of the lattice, counted in pulses, and how much it is to be believed."""
    index = np.clip(np.searchsorted(pulse, seconds, side="right") - 1, 0, len(pulse) - 2)
    inside = (seconds - pulse[index]) / (pulse[index + 1] - pulse[index])
    nearest = np.abs(inside[:, None] - _LATTICE).argmin(axis=1)
    belief = np.array([1.0, 0.4, 0.3, 0.7, 0.3, 0.4, 1.0])[nearest]
    return index + _LATTICE[nearest], belief


def _follow(onsets: Onsets, periods: Floats) -> Floats:
    """Pulses that follow the periods (`[windows]`, seconds) and fall on onsets (dynamic programming, Ellis 2007)."""
    frames = int(onsets.seconds[-1] * _RATE_HZ) + 2
    train = np.bincount((onsets.seconds * _RATE_HZ).round().astype(int), onsets.weights, minlength=frames)
    bell = np.exp(-0.5 * (np.arange(-6, 7) / 2) ** 2)
    train = np.minimum(np.convolve(train, bell, mode="same"), 3.0)
    centres = np.arange(len(periods)) * _HOP_SECONDS
    period = np.interp(np.arange(frames) / _RATE_HZ, centres, periods) * _RATE_HZ
    heard = train.copy()
    for part, weight in ((0.5, 0.5), (0.25, 0.2), (0.75, 0.2)):
        ahead = np.minimum((np.arange(frames) + part * period).round().astype(int), frames - 1)
        heard += weight * train[ahead]
    score, came = heard.copy(), np.full(frames, -1)
    for frame in range(frames):
        lags = np.arange(int(period[frame] * 0.7), int(period[frame] * 1.4) + 1)
        lags = lags[lags <= frame]
        if not len(lags):
            continue
        options = score[frame - lags] - 60 * np.log(lags / period[frame]) ** 2
        best = options.argmax()
        if options[best] > 0:
            score[frame] += options[best]
            came[frame] = frame - lags[best]
    last = max(frames - int(period[-1] * 1.2), 0)
    frame = last + int(score[last:].argmax())
    pulse = []
    while frame >= 0:
        pulse.append(frame / _RATE_HZ)
        frame = int(came[frame])
    if len(pulse) < 2:
        pulse = [pulse[0], pulse[0] - float(periods[0])]
    return extended(np.array(pulse[::-1]), onsets.seconds[0], onsets.seconds[-1] + 1e-6)


def _settle(pulse: Floats, onsets: Onsets, stiffness: float) -> Floats:
    """The pulse moved to the onsets near its lattice by least squares; its second differences cost `stiffness`."""
    from scipy.linalg import solveh_banded

    count = len(pulse)
    if count < 4:
        return pulse
    stiffness *= float(onsets.weights.sum()) / count
    for near in (0.06, 0.04, _NEAR_SECONDS, _NEAR_SECONDS):
        places, belief = _places(pulse, onsets.seconds)
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
