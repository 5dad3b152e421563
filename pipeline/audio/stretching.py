"""Time stretching and pitch shifting, by Signalsmith Stretch, and playing at another speed, by resampling."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.synthesizers import Sound

MOST_CHANNELS = 2
FADE_SECONDS = 0.01
"""Of the crossfade that closes a loop."""
LEAST_CORRELATION = -0.6
"""Of sounds that crossfade: more opposite ones cancel each other, and no gain makes up for it."""


def stretch(sound: Sound, num_samples: int, semitones: float, rate_hz: int, seed: int = 0) -> Sound:
    """Time stretching and pitch shifting, each for itself.

    What is struck stays as sharp as it was and comes at its share of the length; the time that the spectra take is
    made up for. Sound that keeps length and pitch comes back as it is.

    Parameters
    ----------
    sound
        Float32 `[samples, channels]`, one or two channels.
    num_samples
        Length of the result, exactly.
    semitones
        How far the pitch moves; fractions are fine.
    rate_hz
        Sampling rate.
    seed
        Of the phases that chance decides: the same seed gives the same bytes.

    Returns
    -------
    Sound
        Float32 `[num_samples, channels]`. Phases change, and so peaks grow, often by some decibels; they are left as
        they are, above full scale too.

    Raises
    ------
    ValueError
        There is nothing to stretch, no length to stretch it to, or there are more channels.
    """
    _check(sound, num_samples)
    if num_samples == len(sound) and semitones == 0:
        return sound.copy()
    import python_stretch

    stretcher = python_stretch.Signalsmith.Stretch(seed)
    stretcher.preset(sound.shape[1], rate_hz)
    before = stretcher.blockSamples()  # silence around it, so that its ends are like its middle
    after = round(before * num_samples / len(sound))
    padded = np.ascontiguousarray(np.pad(sound, ((before, before), (0, 0))).T, dtype=np.float32)
    stretcher.setTransposeSemitones(semitones)
    stretcher.setTimeFactor(padded.shape[1] / (num_samples + 2 * after))
    return _of_length(np.asarray(stretcher.process(padded), np.float32).T[after:], num_samples)


def stretch_loop(sound: Sound, num_samples: int, semitones: float, rate_hz: int, seed: int = 0) -> Sound:
    """Time stretching and pitch shifting of a loop, so that it closes as it did.

    It is stretched three times in a row and the middle is taken, whose end fades into what comes before its beginning.
    Parameters and errors are those of `stretch`.
    """
    if num_samples == len(sound) and semitones == 0:
        return sound.copy()
    return closed(stretch(np.tile(sound, (3, 1)), 3 * num_samples, semitones, rate_hz, seed), num_samples, rate_hz)


def closed(sound: Sound, start: int, rate_hz: int, fade_seconds: float = FADE_SECONDS) -> Sound:
    """The samples of a sound from `start` to twice that, `[start, channels]`, as a loop whose end leads to its start.

    Over the last `fade_seconds` it fades into what comes before `start`.
    """
    fade = min(round(fade_seconds * rate_hz), start)
    loop = sound[start : 2 * start].copy()
    if fade:
        loop[-fade:] = crossfade(loop[-fade:], sound[start - fade : start])
    return loop


def change_speed(sound: Sound, num_samples: int) -> Sound:
    """Playing at another speed, as a turntable does: pitch and tempo move together, by resampling.

    `[samples, channels]` becomes `[num_samples, channels]`, exactly. Raises `ValueError` as `stretch` does.
    """
    _check(sound, num_samples)
    if num_samples == len(sound):
        return sound.copy()
    import soxr

    return _of_length(soxr.resample(sound, len(sound), num_samples), num_samples)


def change_loop_speed(sound: Sound, num_samples: int) -> Sound:
    """A loop at another speed, so that it closes as it did; see `change_speed`."""
    return change_speed(np.tile(sound, (3, 1)), 3 * num_samples)[num_samples : 2 * num_samples]


def crossfade(fading: Sound, rising: Sound) -> Sound:
    """Power-complementary crossfade of two sounds of the same shape, `[samples, channels]`.

    Its curves fit how far the two are correlated, so that neither equal nor unrelated sounds become louder or softer on
    the way (M. Fink, M. Holters and U. Zölzer, "Signal-Matched Power-Complementary Cross-Fading and Dry-Wet Mixing",
    DAFx 2016).
    """
    angle = (np.arange(len(fading)) + 0.5)[:, None] / len(fading) * np.pi / 2
    down, up = np.cos(angle), np.sin(angle)
    power = float(np.sqrt((fading**2).sum(dtype=np.float64) * (rising**2).sum(dtype=np.float64)))
    correlation = float((fading * rising).sum(dtype=np.float64)) / power if power > 0 else 0.0
    mixed: Sound = (
        (fading * down + rising * up) / np.sqrt(1 + 2 * max(correlation, LEAST_CORRELATION) * down * up)
    ).astype(np.float32)
    return mixed


def _check(sound: Sound, num_samples: int) -> None:
    """Raise `ValueError` where there is nothing to do."""
    if not len(sound) or num_samples < 1:
        raise ValueError(f"{len(sound)} samples can't become {num_samples}")
    if sound.shape[1] > MOST_CHANNELS:
        raise ValueError(f"sound has one channel or two, not {sound.shape[1]}")


def _of_length(sound: NDArray[np.float32], num_samples: int) -> Sound:
    """The sound, cut or filled with silence by what rounding made of its length."""
    found = np.ascontiguousarray(sound[:num_samples])
    return np.pad(found, ((0, num_samples - len(found)), (0, 0)))
