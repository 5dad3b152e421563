"""Onset detection: notes and drum hits of a recording as layers of onsets; by spectral flux where there are none."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STRUCK = ("kick", "snare", "hat", "cymbal", "tom", "bass", "chord", "top", "long", "change", "any")
"""Kinds of onsets."""

ACCENTS = ("harmony", "bass change", "held", "first")
"""Onsets at which the harmony changes most, or the bass, that are not followed at once, or that come after a rest."""

LAYERS = STRUCK + ACCENTS
"""All layers of onsets, in the order of the bar profile."""

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
_HARMONY_SECONDS = 1.2  # the same for changes of which no two are closer than a third of it
_HELD_SECONDS = 1.5  # an onset that nothing follows for so long is as much held as can be
_CHROMA_HZ = 10


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
    chroma
        `[frames, 12]`, ten frames a second: how many notes of each pitch class sound, 2 at most.
    """

    seconds: Floats
    weights: Floats
    layers: dict[str, tuple[Floats, Floats]]
    end: float
    chroma: Floats = field(default_factory=lambda: np.zeros((0, 12)))

    def chroma_at(self, seconds: Floats) -> Floats:
        """`[moments, 12]`: the chroma at some moments; none before and after."""
        frame = np.rint(seconds * _CHROMA_HZ).astype(int)
        padded = np.concatenate([self.chroma, np.zeros((1, 12))])
        inside = (frame >= 0) & (frame < len(self.chroma))
        return padded[np.where(inside, frame, len(self.chroma))]


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
    times, weights, end, chroma = [], [], 0.0, np.zeros((0, 12))
    if len(pitches):
        layers |= _note_layers(np.sort(pitches, order="start", kind="stable"))
        seconds, strength = layers["any"]
        low = np.isin(seconds, layers["bass"][0])
        times.append(seconds)
        weights.append(strength * (1 + 0.5 * low))
        end = float(pitches["end"].max())
        chroma = _sounding_classes(pitches, _CHROMA_HZ)
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
    return Onsets(seconds[order], strength[order], layers, end, chroma)


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
    layers["change"] = seconds, _harmony_changes(notes, seconds, _CHANGE_SECONDS)
    layers["any"] = seconds, strength
    return layers | _accent_layers(notes, seconds, lowest, parts["bass"])


def _accent_layers(
    notes: NDArray[np.void], seconds: Floats, lowest: Floats, is_bass: NDArray[np.bool_]
) -> dict[str, tuple[Floats, Floats]]:
    """`ACCENTS` of chords at some moments with their lowest pitches, of which some are bass."""
    novelty = _harmony_changes(notes, seconds, _HARMONY_SECONDS)
    most = np.array([novelty[np.abs(seconds - at) < _HARMONY_SECONDS / 3].max() for at in seconds])
    changes = novelty >= most
    low = np.flatnonzero(is_bass)
    moves = low[np.diff(lowest[low], prepend=-1) != 0]
    gaps = np.minimum(np.diff(seconds, append=seconds[-1] + _HELD_SECONDS), _HELD_SECONDS) / _HELD_SECONDS
    after = np.concatenate([[1.0], gaps[:-1]])
    return {
        "harmony": (seconds[changes], novelty[changes]),
        "bass change": (seconds[moves], np.ones(len(moves))),
        "held": (seconds, gaps),
        "first": (seconds, np.maximum(after - np.median(after), 0.0)),
    }


def _chord_numbers(starts: Floats) -> NDArray[np.intp]:
    """`[notes]`: the number of the chord each note belongs to; `starts` are sorted."""
    numbers = np.zeros(len(starts), np.intp)
    first, number = starts[0], 0
    for index, start in enumerate(starts):
        if start - first > _CHORD_SECONDS:
            first, number = start, number + 1
        numbers[index] = number
    return numbers


def _sounding_classes(notes: NDArray[np.void], rate: int) -> Floats:
    """`[frames, 12]`, `rate` frames a second: how many notes of each pitch class sound, 2 at most."""
    frames = int(notes["end"].max() * rate) + 2
    edges = np.zeros((frames + 1, 12))
    starts = (notes["start"] * rate).astype(int)
    ends = np.maximum((notes["end"] * rate).astype(int), starts + 1)
    np.add.at(edges, (starts, notes["pitch"] % 12), 1)
    np.add.at(edges, (np.minimum(ends, frames), notes["pitch"] % 12), -1)
    sounding: Floats = np.clip(np.cumsum(edges, axis=0), 0, 2)
    return sounding


def _harmony_changes(notes: NDArray[np.void], seconds: Floats, window: float) -> Floats:
    """`[seconds]`: cosine distance of the pitch classes in a window after each moment from those before, 0 to 1."""
    rate = 20
    sounding = np.cumsum(_sounding_classes(notes, rate), axis=0)
    frames = len(sounding) - 1
    span = int(window * rate)
    here = np.clip(np.round(seconds * rate).astype(int), 0, frames)
    before = sounding[np.maximum(here - 1, 0)] - sounding[np.maximum(here - 1 - span, 0)]
    after = sounding[np.minimum(here + span, frames)] - sounding[here]
    size = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    similarity = (before * after).sum(axis=1) / np.maximum(size, 1e-9)
    changes: Floats = np.where(size > 0, 1 - similarity, 0.5)
    return changes
