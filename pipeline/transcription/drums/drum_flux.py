"""Drum hits without training: what is left of a recording without its held tones, and where each band of it rises.

The plain way to find drums, and what the network of `drum_hits` is measured against. The percussive part of the
spectrogram comes from median filters (D. FitzGerald, "Harmonic/percussive separation using median filtering", DAFx
2010), here on bands; a hit is a peak of the positive change of a register's level.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.transcription.drums.drum_peaks import find_peaks
from pipeline.transcription.drums.features import FRAMES_PER_SECOND, band_centres, band_power
from pipeline.transcription.drums.kit import CLOSED_HAT, KICK, SNARE, make_hits

REGISTERS_HZ = {KICK: (20.0, 120.0), SNARE: (180.0, 3000.0), CLOSED_HAT: (7000.0, 16000.0)}
"""The drum that a register's rise stands for."""

THRESHOLD = 0.25
"""A rise counts when it stands out by this part of the song's greatest ones (their 99th percentile)."""

AROUND = 21
"""Frames (0.2 s) from whose mean a rise stands out."""

MEDIAN_FRAMES, MEDIAN_BANDS = 31, 9
"""What is held longer than half of these frames is a tone, what covers more than half of these bands is percussive."""


def find_hits_by_flux(samples: NDArray[np.float32]) -> NDArray[np.void]:
    """Kick, snare and hi-hat hits of mono sound `[samples]` at 44,100 Hz, as `drum_kit.HIT`."""
    from scipy.ndimage import median_filter, uniform_filter1d

    starts, pitches, velocities = [np.zeros(0)], [np.zeros(0, np.int64)], [np.zeros(0)]
    power = band_power(samples)
    held, struck = median_filter(power, (MEDIAN_FRAMES, 1)), median_filter(power, (1, MEDIAN_BANDS))
    percussive = np.sqrt(power) * (struck / np.maximum(held + struck, 1e-20))
    centres = band_centres()
    for pitch, (low, high) in REGISTERS_HZ.items():
        level = np.log1p(1000 * percussive[:, (centres >= low) & (centres < high)]).mean(axis=1)
        rise = np.maximum(np.diff(level, prepend=level[:1]), 0)
        scale = np.percentile(rise, 99)
        if scale < 1e-3:
            continue
        peaks, places = find_peaks((rise - uniform_filter1d(rise, AROUND)) / scale, THRESHOLD)
        starts.append(places / FRAMES_PER_SECOND)
        pitches.append(np.full(len(peaks), pitch))
        velocities.append(20 + 100 * np.minimum(rise[peaks] / scale, 1))
    return make_hits(np.concatenate(starts), np.concatenate(pitches), np.concatenate(velocities))
