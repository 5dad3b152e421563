"""Effects on the guide vocal: equaliser, compressor, reverberation."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from pyloudnorm.iirfilter import IIRfilter
from scipy.ndimage import uniform_filter1d
from scipy.signal import lfilter, oaconvolve

from pipeline.audio.loudness import loudness_lufs
from pipeline.audio.mastering import resample
from pipeline.audio.synthesizers import RATE_HZ, Sound

COMPRESSOR_LU, COMPRESSOR_RATIO = 0.0, 3.0
"""Above this level beside the mean loudness, three decibels become one."""
ROOM_SECONDS, ROOM_DB = 0.8, -17.0
"""The time in which the room falls by 60 dB, and how loud it is beside the voice."""

Floats = NDArray[np.float64]


def produced(sound: Floats, rate_hz: int) -> Sound:
    """A dry voice `[samples]` as it goes into a mix: without rumble, clearer, evener, in a room, at `RATE_HZ`."""
    for filter_ in (
        IIRfilter(0.0, 0.7, 100.0, rate_hz, "high_pass"),
        IIRfilter(4.0, 0.8, 3000.0, rate_hz, "peaking"),
    ):
        sound = lfilter(filter_.b, filter_.a, sound)
    voice = resample(compressed(sound, rate_hz)[:, None].astype(np.float32), rate_hz, RATE_HZ)
    random = np.random.default_rng(0)
    size = round(ROOM_SECONDS * RATE_HZ)
    room = random.standard_normal((size, 2)) * np.exp(-6.9 * np.arange(size) / size)[:, None]
    room *= np.minimum(1, np.arange(size) / (0.02 * RATE_HZ))[:, None]  # the first reflections take a moment
    room *= 10 ** (ROOM_DB / 20) / np.sqrt(np.square(room).sum(axis=0))
    wet: Sound = (voice + oaconvolve(np.repeat(voice, 2, axis=1), room, axes=0)[: len(voice)]).astype(np.float32)
    return wet


def compressed(sound: Floats, rate_hz: int) -> Floats:
    """The voice with its loud passages turned down smoothly, `[samples]`."""
    mean = loudness_lufs(np.repeat(sound[:, None], 2, axis=1).astype(np.float32), rate_hz)
    if not math.isfinite(mean):
        return sound
    level = np.sqrt(np.maximum(uniform_filter1d(np.square(sound), round(0.05 * rate_hz)), 0))
    threshold = 10 ** ((mean + COMPRESSOR_LU - 3) / 20)  # two equal channels are 3 LU louder than one
    over = np.maximum(level / threshold, 1.0)
    result: Floats = sound * uniform_filter1d(over ** (1 / COMPRESSOR_RATIO - 1), round(0.02 * rate_hz))
    return result
