"""Band limit of a recording, and the spectrum above it: telephones and low sampling rates leave no treble to drums.

The drum network was trained on whole spectra and hears nothing where the upper bands are empty. They are filled by
continuing the spectrum of each moment: a drum's is flat up to the limit, that of strings and pianos falls.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.transcription.drums.features import BANDS, band_centres

LOWEST_LIMIT, HIGHEST_LIMIT = 24, 62
"""Bands at which a limit is looked for: 1.1 to 14 kHz."""

CLIFF_DB, EVEN_DB = 25.0, 20.0
"""At a limit the mean power falls by at least the first, where within the bands below it varies by less than the
second. Instruments fade out by 2 to 5 decibels a band."""

BESIDE = 8
"""Bands below a limit that are looked at."""

FITTED = 16
"""Bands below the limit on which a line is fitted in each frame."""

STEEPER = 2.0
"""How many times as steeply the spectrum goes on: with 1 a piano at 8 kHz has drums, with 2 it has none."""


def band_limit(power: NDArray[np.float32]) -> int | None:
    """The band from which a recording is cut off, by its band power `[frames, BANDS]`; None where it is not."""
    mean = power.mean(axis=0, dtype=np.float64)
    if not mean.sum() > 0:
        return None
    decibels = 10 * np.log10(mean / mean.sum() + 1e-12)
    for band in range(LOWEST_LIMIT, HIGHEST_LIMIT):
        below = decibels[band - BESIDE : band - 1]
        if decibels[band + 1 :].max() < below.min() - CLIFF_DB and np.ptp(below) < EVEN_DB:
            return band - 1
    return None


def limit_hz(band: int) -> float:
    """The frequency up to which a recording sounds that is cut off from this band on."""
    return float(band_centres()[band])


def continued_spectrum(power: NDArray[np.float32], limit: int) -> NDArray[np.float32]:
    """The band power with the bands from `limit` on filled, each frame along the line of the bands below them."""
    fitted = power[:, limit - FITTED : limit]
    logarithm = np.log(fitted + 1e-12 * float(power.mean()))
    place = np.arange(FITTED) - (FITTED - 1) / 2
    slope = np.minimum(STEEPER * (logarithm @ place) / (place @ place), 0)
    above = np.arange(limit, BANDS) - (limit - FITTED) - (FITTED - 1) / 2
    filled = power.copy()
    filled[:, limit:] = np.exp(logarithm.mean(axis=1)[:, None] + slope[:, None] * above)
    return filled
