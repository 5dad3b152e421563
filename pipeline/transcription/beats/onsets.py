"""Onset detection: notes and drum hits of a recording as layers of onsets; by spectral flux where there are none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LAYERS = ("kick", "snare", "hat", "cymbal", "tom", "bass", "chord", "top", "long", "change", "any")
"""Kinds of onsets, in the order of the downbeat features."""

_DRUMS = {
    "kick": (35, 36),
    "snare": (37, 38, 39, 40),
    "hat": (42, 44, 46, 51, 53, 54, 59, 69, 70, 82),
    "cymbal": (49, 52, 55, 57),
    "tom": (41, 43, 45, 47, 48, 50, 60, 61, 62, 63, 64),
}
_DRUM_WEIGHTS = {"kick": 1.5, "snare": 1.5, "hat": 0.7, "cymbal": 1.0, "tom": 0.7}

_CHORD_SECONDS = 0.04  # notes that start within it are one chord; a hand's chord is spread by 20 to 30 ms
_CHANGE_SECONDS = 0.8  # harmony before and after an onset is compared over about a beat and a half


@dataclass(frozen=True)
class Onsets:
    """The onsets of a recording.

    Attributes
    ----------
    seconds, weights
        `[onsets]`, sorted: when something is struck, and how much it says of the beat (a loud chord about 1.5).
    layers
        For each of `LAYERS`: times in seconds and strengths from 0 to 1, `[onsets of the layer]` each.
    end
        When the last note stops, in seconds.
    """

    seconds: Floats
    weights: Floats
    layers: dict[str, tuple[Floats, Floats]]
    end: float


def find_onsets(pitches: NDArray[np.void], hits: NDArray[np.void]) -> Onsets:
    """The onsets of notes and drum hits.

    Parameters
    ----------
    pitches
        Notes with `start` and `end` in seconds, `pitch` and `velocity`.
    hits
        Drum hits with `start` in seconds, `pitch` (General MIDI percussion key) and `velocity`.
    """
    layers = {name: (np.zeros(0), np.zeros(0)) for name in LAYERS}
    times, weights, end = [], [], 0.0
    if len(pitches):
        layers |= _note_layers(np.sort(pitches, order="start", kind="stable"))
        seconds, strength = layers["any"]
        low = np.isin(seconds, layers["bass"][0])
        times.append(seconds)
        weights.append(strength * (1 + 0.5 * low))
        end = float(pitches["end"].max())
    for name, keys in _DRUMS.items():
        struck = hits[np.isin(hits["pitch"], keys)]
        if len(struck):
            seconds, strength = struck["start"].astype(float), np.sqrt(struck["velocity"] / 127)
            layers[name] = seconds, strength
            times.append(seconds)
            weights.append(strength * _DRUM_WEIGHTS[name])
            end = max(end, float(seconds.max()) + 0.1)
    if not times:
        return Onsets(np.zeros(0), np.zeros(0), layers, end)
    seconds, strength = np.concatenate(times), np.concatenate(weights)
    order = np.argsort(seconds, kind="stable")
    return Onsets(seconds[order], strength[order], layers, end)


def flux_onsets(samples: NDArray[np.float32], rate_hz: int) -> Onsets:
    """Spectral flux onset detection, for sound in which no notes are found."""
    empty = find_onsets(np.zeros(0, [("start", float)]), np.zeros(0, [("start", float), ("pitch", int)]))
    if len(samples) < rate_hz // 2 or not np.any(np.abs(samples) > 1e-5):
        return empty
    size, hop = 1024, rate_hz // 100
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(samples, size), size)[::hop]
    flux = np.zeros(len(frames))
    last = np.zeros(size // 2 + 1)
    for first in range(0, len(frames), 1000):  # ten seconds at a time: the spectra of an hour would not fit
        spectra = np.log1p(100 * np.abs(np.fft.rfft(frames[first : first + 1000] * np.hanning(size))))
        rises = np.diff(np.concatenate([last[None], spectra]), axis=0)
        flux[first : first + 1000] = np.maximum(rises, 0).mean(axis=1)
        last = spectra[-1]
    around = np.convolve(flux, np.ones(41) / 41, mode="same")
    padded = np.pad(flux, 3)
    highest = np.max([padded[shift : shift + len(flux)] for shift in range(7)], axis=0)
    peaks = np.flatnonzero((flux >= highest) & (flux > 1.3 * around) & (flux > 0.02))
    if not len(peaks):
        return empty
    # the flux rises when an onset has come into the last quarter of a frame
    seconds = np.maximum((peaks * hop - size / 4) / rate_hz, 0)
    strength = np.clip(flux[peaks] / np.percentile(flux[peaks], 90), 0, 1)
    layers = empty.layers | {"any": (seconds, strength)}
    return Onsets(seconds, strength, layers, len(samples) / rate_hz)


def _note_layers(notes: NDArray[np.void]) -> dict[str, tuple[Floats, Floats]]:
    """Layers of the pitched notes, which are sorted by start; each chord is one onset of its layers."""
    chords = _chord_numbers(notes["start"])
    count = chords[-1] + 1
    loud = notes["velocity"] / 127
    size = np.bincount(chords, minlength=count)
    seconds = np.bincount(chords, loud * notes["start"]) / np.bincount(chords, loud)
    strength = np.clip(np.sqrt(np.bincount(chords, loud)), 0, 1.5)
    lengths = notes["end"] - notes["start"]
    longest, lowest, highest = np.zeros(count), np.full(count, 999), np.zeros(count, int)
    np.maximum.at(longest, chords, lengths)
    np.minimum.at(lowest, chords, notes["pitch"])
    np.maximum.at(highest, chords, notes["pitch"])
    bass_top = min(max(45, np.percentile(notes["pitch"], 25)), 55)
    parts = {
        "bass": lowest <= bass_top,
        "chord": size >= 3,
        "top": highest >= np.percentile(notes["pitch"], 60),
        "long": longest >= max(0.25, np.percentile(longest, 75)),
    }
    layers = {name: (seconds[mask], np.clip(strength[mask], 0, 1)) for name, mask in parts.items()}
    layers["change"] = seconds, _harmony_changes(notes, seconds)
    layers["any"] = seconds, strength
    return layers


def _chord_numbers(starts: Floats) -> NDArray[np.intp]:
    """`[notes]`: the number of the chord each note belongs to; `starts` are sorted."""
    numbers = np.zeros(len(starts), np.intp)
    first, number = starts[0], 0
    for index, start in enumerate(starts):
        if start - first > _CHORD_SECONDS:
            first, number = start, number + 1
        numbers[index] = number
    return numbers


def _harmony_changes(notes: NDArray[np.void], seconds: Floats) -> Floats:
    """`[seconds]`: cosine distance of the pitch classes after each moment from those before, 0 to 1."""
    rate = 20
    frames = int(notes["end"].max() * rate) + 2
    edges = np.zeros((frames + 1, 12))
    starts = (notes["start"] * rate).astype(int)
    ends = np.maximum((notes["end"] * rate).astype(int), starts + 1)
    np.add.at(edges, (starts, notes["pitch"] % 12), 1)
    np.add.at(edges, (np.minimum(ends, frames), notes["pitch"] % 12), -1)
    sounding = np.cumsum(np.clip(np.cumsum(edges, axis=0), 0, 2), axis=0)
    span = int(_CHANGE_SECONDS * rate)
    here = np.clip(np.round(seconds * rate).astype(int), 0, frames)
    before = sounding[np.maximum(here - 1, 0)] - sounding[np.maximum(here - 1 - span, 0)]
    after = sounding[np.minimum(here + span, frames)] - sounding[here]
    size = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    similarity = (before * after).sum(axis=1) / np.maximum(size, 1e-9)
    changes: Floats = np.where(size > 0, 1 - similarity, 0.5)
    return changes
