"""Decoding of recordings: a file to mono samples in memory, or one plain reason why not."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UnusableError
from pipeline.formats import printable

SAMPLE_RATE_HZ = 44100
"""Of every recording in memory, whatever its file has."""

LOWEST_RATE_HZ = 4000
"""Below this no note has harmonics that could be heard."""

SHORTEST_SECONDS = 1.0
QUIETEST = 1e-4
"""A recording that never leaves this range around zero (-80 decibels) is silent."""

BLOCK = 1 << 18
"""Frames that are decoded at once."""

M4A_HINT = 'm4a takes one more package: pip install "av==18.1.0"'


def read_recording(path: Path, max_minutes: float) -> NDArray[np.float32]:
    """The sound of a file, its channels mixed into one, at `SAMPLE_RATE_HZ`.

    It is decoded block by block, so that only the mixed sound is ever held in memory.

    Parameters
    ----------
    path
        The file.
    max_minutes
        Longer recordings are refused, by what their header says or else as soon as that much is decoded.

    Returns
    -------
    Samples, float32 `[samples]`, nominally between -1 and 1.

    Raises
    ------
    UnusableError
        It can't be read, or there is nothing to hear, with one plain reason.
    """
    import soxr

    try:
        if path.stat().st_size == 0:
            raise UnusableError("broken file: it is empty")
        stream = _decode_m4a(path, max_minutes) if path.suffix.lower() == ".m4a" else _decode(path, max_minutes)
        rate_hz, first = next(stream)
        if rate_hz < LOWEST_RATE_HZ:
            raise UnusableError(f"its sampling rate of {rate_hz} Hz is too low for music")
        resample = soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, 1, dtype="float32")
        parts, decoded = [resample.resample_chunk(first)], len(first)
        for _, block in stream:
            decoded += len(block)
            if decoded > max_minutes * 60 * rate_hz:
                raise _too_long(max_minutes)
            parts.append(resample.resample_chunk(block))
        parts.append(resample.resample_chunk(np.zeros(0, np.float32), last=True))
    except StopIteration:
        raise UnusableError("broken file: there is no sound in it") from None
    except OSError as error:
        raise UnusableError(f"can't be read: {error.strerror or error}".lower()) from error
    samples: NDArray[np.float32] = np.concatenate(parts)
    _check(samples)
    return samples


def minutes_of(path: Path) -> float:
    """How long a file says that it is, for estimates; 4 where it does not say."""
    import soundfile

    try:
        with _quiet():
            return float(soundfile.info(path).duration) / 60
    except (soundfile.LibsndfileError, OSError):
        return 4.0


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the mp3 decoder, a C library, from printing notes on what is wrong with a file."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)


def _check(samples: NDArray[np.float32]) -> None:
    """Raise `UnusableError` where there is nothing to hear."""
    if len(samples) < SHORTEST_SECONDS * SAMPLE_RATE_HZ:
        raise UnusableError(f"lasts less than {SHORTEST_SECONDS:g} s")
    peak = max(float(samples.max()), -float(samples.min()))
    if not np.isfinite(peak):
        raise UnusableError("broken file: some of its samples are no numbers")
    if peak < QUIETEST:
        raise UnusableError("silent from beginning to end")


def _too_long(max_minutes: float) -> UnusableError:
    return UnusableError(f"lasts more than transcribe.max_minutes={max_minutes:g}")


def _decode(path: Path, max_minutes: float) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Sampling rate and mixed samples of one block after the other, by soundfile."""
    import soundfile

    try:
        with _quiet(), soundfile.SoundFile(path) as file:
            if file.frames > max_minutes * 60 * file.samplerate:
                raise _too_long(max_minutes)
            for block in file.blocks(BLOCK, dtype="float32", always_2d=True):
                yield int(file.samplerate), block.mean(axis=1)
    except soundfile.LibsndfileError as error:
        raise UnusableError("broken file: no sound can be decoded from it") from error


def _decode_m4a(path: Path, max_minutes: float) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Sampling rate and mixed samples of one block after the other, by PyAV."""
    try:
        import av
    except ImportError as error:
        raise UnusableError(M4A_HINT) from error
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise UnusableError("broken file: there is no sound in it")
            stream = container.streams.audio[0]
            if container.duration and container.duration / av.time_base > max_minutes * 60:
                raise _too_long(max_minutes)
            to_float = av.AudioResampler(format="fltp", layout=stream.layout, rate=stream.rate)
            frames: Iterator[Any] = (
                frame for packet in container.decode(stream) for frame in to_float.resample(packet)
            )
            for frame in frames:
                yield int(frame.sample_rate), frame.to_ndarray().mean(axis=0).astype(np.float32)
    except av.FFmpegError as error:
        raise UnusableError(f"broken file: {printable(str(error.strerror)).lower()}") from error
