"""What tells how long a beat is: tempo, density, and how the onsets of each kind fall together at its divisions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.transcription.beats.onsets import Floats

Turns = NDArray[np.complex128]

USUAL_BPM = 105.0
"""Tempos are told by how far they are from it."""

_GROUPS = {
    "notes": ("any",),
    "bass": ("bass",),
    "chords": ("chord", "long"),
    "kick": ("kick",),
    "snare": ("snare",),
    "hat": ("hat",),
    "drums": ("kick", "snare", "hat", "cymbal", "tom"),
}
_TURNS = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0)  # turns a beat: two beats, a beat, dotted, eighths, triplets, sixteenths
_HALF, _BEAT, _EIGHTH = 0, 1, 3  # places in it
_DOUBT = 4.0  # onsets: a group of so few has half its coherence


def describe_levels(layers: dict[str, tuple[Floats, Floats]], bpm: Floats, ratio: Floats) -> Floats:
    """What speaks for a beat of each length, whatever its phase.

    Parameters
    ----------
    layers
        For each layer of onsets its places, counted in pulses, and its strengths.
    bpm, ratio
        `[levels]`: the tempo of each level, and its beat in pulses.

    Returns
    -------
    NDArray
        `[levels, 61]`: the tempo's distance from 105 bpm in octaves (itself, squared, when faster, absolute); for each
        group of onsets its coherence (the length of the mean vector, 0 to 1) at six divisions of the beat and the
        logarithm of its density; whether the eighths of notes, drums and bass lie on their beats, and their beats on
        pairs of beats; whether kick and snare take turns by beats, and by pairs of beats.
    """
    away = np.log2(bpm / USUAL_BPM)
    tempo = np.stack([away, away**2, np.maximum(away, 0) ** 2, np.abs(away)])
    places = np.concatenate([at for at, _ in layers.values()])
    beats = max(float(np.ptp(places)), 1.0) / ratio
    columns, sums = [], {}
    for group, names in _GROUPS.items():
        at = np.concatenate([layers[name][0] for name in names])
        strength = np.concatenate([layers[name][1] for name in names])
        turned = np.exp(2j * np.pi * at[:, None, None] / ratio * np.array(_TURNS)[:, None])
        sums[group] = np.tensordot(strength, turned, axes=1) / (strength.sum() + _DOUBT)  # [turns, levels]
        columns += [np.abs(sums[group]), np.log2(len(at) / beats + 0.06)[None]]
    for group in ("notes", "drums", "bass"):
        of = sums[group]
        columns.append(np.stack([_together(of[_EIGHTH], of[_BEAT]), _together(of[_BEAT], of[_HALF])]))
    opposed = (sums["kick"] * sums["snare"].conj()).real
    described: Floats = np.concatenate([tempo, *columns, opposed[[_HALF, _BEAT]]]).T
    return described


def _together(fast: Turns, slow: Turns) -> Floats:
    """`[levels]`: how far the fast turns are in phase with two of the slow, -1 to 1, by as much as both are there."""
    size = np.abs(slow)
    told: Floats = (fast * slow.conj() ** 2).real / (size**2 + 1e-3) * size
    return told
