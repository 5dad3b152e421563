"""Decoding of recordings: a file to mono or stereo samples in memory, or one plain reason why not."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.downmix import CancellationMeter, PhaseAlignedDownmix
from pipeline.audio.synthesizers import Sound
from pipeline.audio.wav_header import RestoredWav, wav_layout
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

PIECE = 4096
"""Frames that are decoded at once where a file is damaged."""

LONGEST_GAP_SECONDS = 30.0
"""What is damaged for longer is the end."""

MISSING_SECONDS = 0.25
"""What lacks more than this of the length that it names is cut off."""

LARGEST = 1e12
"""A sample from here on is no sound."""

MOST_BAD = 0.1
"""A recording with a greater share of such samples can't be mended."""

LARGEST_OFFSET = 0.02
"""A mean of the samples beyond this is an offset that hides how quiet the sound is."""

LOUDEST, USUAL_SHARE, SPIKE = 8.0, 0.9999, 50.0
"""A peak beyond the first is no full scale of 1: the scale is then what this share of the samples stays within, and
what is so many times as loud is a spike."""

MP3_FRAME_BYTES = 4096
LARGEST_OGG_PAGE = 65307

M4A_HINT = 'm4a takes one more package: pip install "av==18.1.0"'


class SilentRecordingError(UnusableError):
    """There is nothing to hear in a recording."""


@dataclass(frozen=True, eq=False)
class DecodedRecording:
    """The sound of a recording.

    Attributes
    ----------
    samples
        Float32 `[samples]`, one channel at `SAMPLE_RATE_HZ`, nominally between -1 and 1.
    remarks
        What had to be mended, a sentence part each; empty for a sound file.
    """

    samples: NDArray[np.float32]
    remarks: tuple[str, ...] = ()


@dataclass
class _Mending:
    """What is mended while a file is decoded."""

    remarks: list[str] = field(default_factory=list)
    bad_samples: int = 0


Blocks = Iterator[tuple[int, NDArray[np.float32]]]
"""Sampling rate and samples `[samples, channels]`, block by block."""

Mix = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""What is kept of a block `[samples, channels]`: one channel `[samples]`, or two `[samples, 2]`."""


def read_recording(path: Path, max_minutes: float) -> DecodedRecording:
    """The sound of a file, its channels mixed into one, at `SAMPLE_RATE_HZ`.

    It is decoded block by block, so that only the mixed sound is ever held in memory. Where the mean of its channels
    would lose what sounds, as they are of opposite polarity, it is decoded once more and mixed with aligned phases.

    Parameters
    ----------
    path
        The file; its content says what it is, not its name.
    max_minutes
        Longer recordings are refused, by what their header says or else as soon as that much is decoded.

    Raises
    ------
    UnusableError
        It can't be read, or there is nothing to hear, with one plain reason.
    """
    samples, remarks = _read(path, max_minutes, lambda block: block.mean(axis=1))
    return DecodedRecording(_checked(samples, remarks), tuple(remarks))


def read_channels(path: Path, max_minutes: float) -> Sound:
    """The sound of a file in stereo at `SAMPLE_RATE_HZ`, `[samples, 2]`, sample by sample beside `read_recording`.

    One channel becomes two that are alike, and so do the mean of more than two, and the mix of such whose mean would
    lose what sounds, as they are of opposite polarity. Damaged files are mended as `read_recording` does, which says
    how; parameters and errors are its own.
    """
    samples, remarks = _read(path, max_minutes, _in_stereo)
    return _checked(samples, remarks)


def _read(path: Path, max_minutes: float, mix: Mix) -> tuple[NDArray[np.float32], list[str]]:
    """What a file sounds like, mixed block by block, and what had to be mended.

    Raises `UnusableError` where it can't be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(12)
        if not head:
            raise UnusableError("broken file: it is empty")
        if head[:4] == b"MThd":
            raise UnusableError("a MIDI file and no recording: give it a name that ends in .mid")
        decode = _decode_m4a if head[4:8] == b"ftyp" else _decode
        mending = _Mending()
        samples, cancels = _mixed(decode(path, max_minutes, mending), max_minutes, mending, mix)
        if cancels:
            aligned = _aligned_channels(decode(path, max_minutes, _Mending()))
            samples = mix(aligned[:, None])
            mending.remarks.append("channels of opposite polarity were turned")
    except OSError as error:
        raise UnusableError(f"can't be read: {error.strerror or error}".lower()) from error
    if mending.bad_samples:
        mending.remarks.append(f"samples that are no numbers were filled in: {mending.bad_samples:,}")
    return samples, mending.remarks


def minutes_of(path: Path) -> float:
    """How long a file says that it is, for estimates; 4 where it does not say."""
    import soundfile

    try:
        with _quiet(), _opened(path) as file:
            return float(file.frames / file.samplerate) / 60
    except (soundfile.LibsndfileError, OSError):
        return 4.0


def _in_stereo(block: NDArray[np.float32]) -> NDArray[np.float32]:
    """A block `[samples, channels]` as two channels."""
    if block.shape[1] == 2:
        return block
    return np.repeat(block.mean(axis=1, keepdims=True), 2, axis=1)


def _mixed(blocks: Blocks, max_minutes: float, mending: _Mending, mix: Mix) -> tuple[NDArray[np.float32], bool]:
    """The mix of all blocks at `SAMPLE_RATE_HZ`, and whether channels cancel each other in their mean."""
    import soxr

    parts: list[NDArray[np.float32]] = []
    nothing = mix(np.zeros((0, 2), np.float32))
    resample: Any = None
    meter: CancellationMeter | None = None
    decoded, rate_hz = 0, 1
    for rate_hz, block in blocks:
        if resample is None:
            if rate_hz < LOWEST_RATE_HZ:
                raise UnusableError(f"its sampling rate of {rate_hz} Hz is too low for music")
            resample = soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, nothing.ndim, dtype="float32")
            meter = CancellationMeter(rate_hz) if block.shape[1] > 1 else None
        decoded += len(block)
        if decoded > max_minutes * 60 * rate_hz:
            raise _too_long(max_minutes)
        whole, bad = without_bad_samples(block)
        mending.bad_samples += bad
        if meter is not None:
            meter.add(whole)
        parts.append(resample.resample_chunk(mix(whole)))
    if resample is None:
        raise UnusableError("broken file: there is no sound in it")
    if mending.bad_samples > MOST_BAD * decoded:
        raise UnusableError("broken file: most of its samples are no numbers")
    parts.append(resample.resample_chunk(nothing, last=True))
    return np.concatenate(parts), meter is not None and meter.cancels


def _aligned_channels(blocks: Blocks) -> NDArray[np.float32]:
    """The mix of all channels with aligned phases at `SAMPLE_RATE_HZ`."""
    import soxr

    parts: list[NDArray[np.float32]] = []
    resample: Any = None
    for rate_hz, block in blocks:
        if resample is None:
            resample = soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, 1, dtype="float32")
            mix = PhaseAlignedDownmix(rate_hz, block.shape[1])
        parts.append(resample.resample_chunk(mix.add(without_bad_samples(block)[0])))
    parts.append(resample.resample_chunk(mix.end(), last=True))
    return np.concatenate(parts)


def without_bad_samples(block: NDArray[np.float32]) -> tuple[NDArray[np.float32], int]:
    """A block `[samples, channels]` with samples that are no numbers on a line between their neighbours; how many."""
    if not block.size or max(float(block.max()), -float(block.min())) < LARGEST:  # not so with a NaN either
        return block, 0
    good = np.abs(block) < LARGEST
    mended, at = block.copy(), np.arange(len(block))
    for channel in range(block.shape[1]):
        known = good[:, channel]
        mended[:, channel] = np.interp(at, at[known], block[known, channel]) if known.any() else 0
    return mended, int(np.count_nonzero(~good.all(axis=1)))


def _checked(samples: NDArray[np.float32], remarks: list[str]) -> NDArray[np.float32]:
    """The samples on a usual scale, with a remark. Raises `UnusableError` where there is nothing to hear."""
    if len(samples) < SHORTEST_SECONDS * SAMPLE_RATE_HZ:
        raise UnusableError(f"lasts less than {SHORTEST_SECONDS:g} s")
    offset = samples.mean(axis=0, dtype=np.float64)  # of each channel
    if np.abs(offset).max() > LARGEST_OFFSET:
        samples = samples - offset.astype(np.float32)
        remarks.append(f"a DC offset was removed: {offset.flat[np.abs(offset).argmax()]:.2g} of full scale")
    peak = max(float(samples.max()), -float(samples.min()))
    if peak > LOUDEST:  # float samples on the scale of integers, or a spike that is no sound
        level = float(np.quantile(np.abs(samples), USUAL_SHARE))
        scale = max(level, 1.0)
        if peak > SPIKE * scale:
            samples = np.clip(samples, -2 * scale, 2 * scale)
            remarks.append("spikes in the sound were cut")
        samples = samples / np.float32(scale)
        peak = max(float(samples.max()), -float(samples.min()))
    if peak < QUIETEST:
        raise SilentRecordingError("silent from beginning to end")
    return samples


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


def _too_long(max_minutes: float) -> UnusableError:
    return UnusableError(f"lasts more than transcribe.max_minutes={max_minutes:g}")


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The file for soundfile, with a right header where its own is wrong."""
    import soundfile

    layout = wav_layout(path)
    if layout is None or not layout.is_wrong:
        with soundfile.SoundFile(path) as file:
            yield file
    else:
        with RestoredWav(path, layout) as restored, soundfile.SoundFile(restored) as file:
            yield file


def _decode(path: Path, max_minutes: float, mending: _Mending) -> Blocks:
    """Blocks of a file by soundfile; what can't be decoded in its middle is silent, its end is missing."""
    import soundfile

    decoded = lost = 0
    try:
        with _quiet(), _opened(path) as file:
            rate_hz, promised = int(file.samplerate), int(file.frames)
            guessed = file.format == "MP3" and not _has_mp3_length(path)
            if promised > max_minutes * 60 * rate_hz:
                raise _too_long(max_minutes)
            for block in _until_damaged(file):
                decoded += len(block)
                yield rate_hz, block
        if decoded % BLOCK == 0 and decoded < promised:
            with _quiet():
                for block, is_lost in _between_damages(path, decoded, promised, rate_hz):
                    decoded += len(block)
                    lost += is_lost * len(block)
                    yield rate_hz, block
    except soundfile.LibsndfileError as error:
        raise UnusableError("broken file: no sound can be decoded from it") from error
    if decoded > lost:
        whole = decoded if guessed else promised
        mending.remarks += _damages(path, decoded / rate_hz, whole / rate_hz, lost / rate_hz)


def _until_damaged(file: Any) -> Iterator[NDArray[np.float32]]:
    """The blocks of an open file as far as it can be decoded."""
    import soundfile

    with suppress(soundfile.LibsndfileError):
        while len(block := file.read(BLOCK, dtype="float32", always_2d=True)):
            yield block


def _between_damages(path: Path, at: int, end: int, rate_hz: int) -> Iterator[tuple[NDArray[np.float32], bool]]:
    """The rest of a damaged file in small pieces, each with whether it is lost, which makes it silent."""
    import soundfile

    lost = 0
    while at + lost < end and lost <= LONGEST_GAP_SECONDS * rate_hz:
        try:
            with _opened(path) as file:  # a decoder that failed may not go on elsewhere
                file.seek(at + lost)
                while len(block := file.read(PIECE, dtype="float32", always_2d=True)):
                    if lost:
                        yield np.zeros((lost, block.shape[1]), np.float32), True
                    yield block, False
                    at, lost = at + lost + len(block), 0
                return
        except soundfile.LibsndfileError:
            lost += PIECE


def _damages(path: Path, there: float, promised: float, lost: float) -> list[str]:
    """What is to be said of a file's header, and of its seconds that are missing."""
    layout, found = wav_layout(path), []
    if layout is not None:
        if layout.is_wrong:
            found.append("a wrong header: the sound was found behind it")
        if layout.declared is not None and layout.length:
            promised = max(promised, there * layout.declared / layout.length)
    found += _losses(there, promised, lost)
    if promised - there <= MISSING_SECONDS and _lacks_its_end(path):
        found.append("cut off: its end is missing")
    return found


def _losses(there: float, promised: float, lost: float) -> list[str]:
    """What is to be said of seconds that are silent or missing."""
    found = [f"damaged: {lost:.1f} s of it are silent"] if lost else []
    if promised - there > MISSING_SECONDS:
        found.append(f"cut off: {there:.1f} s of {promised:.1f} s are there")
    return found


def _has_mp3_length(path: Path) -> bool:
    """Whether an mp3 file has a header of its own that names its length; without it, decoders guess."""
    with path.open("rb") as file:
        head = file.read(10)
        tag = sum((byte & 127) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True)) + 10
        file.seek(tag if head[:3] == b"ID3" else 0)
        first = file.read(MP3_FRAME_BYTES)
    return any(name in first for name in (b"Xing", b"Info", b"VBRI"))


def _lacks_its_end(path: Path) -> bool:
    """Whether an Ogg file lacks the page that says that it ends, or an AIFF file is shorter than it says."""
    with path.open("rb") as file:
        head, size = file.read(8), path.stat().st_size
        if head[:4] == b"FORM":
            return int.from_bytes(head[4:], "big") + 8 > size + 1
        if head[:4] != b"OggS":
            return False
        file.seek(max(size - LARGEST_OGG_PAGE, 0))
        last = file.read()
    at = last.rfind(b"OggS")
    return at < 0 or len(last) < at + 6 or not last[at + 5] & 4


def _decode_m4a(path: Path, max_minutes: float, mending: _Mending) -> Blocks:
    """Blocks of a file by PyAV."""
    try:
        import av
    except ImportError as error:
        raise UnusableError(M4A_HINT) from error
    decoded = lost = 0
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise UnusableError("broken file: there is no sound in it")
            stream = container.streams.audio[0]
            if container.duration and container.duration / av.time_base > max_minutes * 60:
                raise _too_long(max_minutes)
            to_float = av.AudioResampler(format="fltp", layout=stream.layout, rate=stream.rate)
            waiting: list[NDArray[np.float32]] = []
            for packet in container.demux(stream):
                try:
                    frames = [part for frame in packet.decode() for part in to_float.resample(frame)]
                    waiting += [frame.to_ndarray().T.astype(np.float32) for frame in frames]
                except av.FFmpegError:
                    length = round(float((packet.duration or 0) * packet.time_base) * stream.rate)
                    waiting.append(np.zeros((length, stream.channels), np.float32))
                    lost += length
                if sum(map(len, waiting)) >= BLOCK:
                    block = np.concatenate(waiting)
                    decoded, waiting = decoded + len(block), []
                    yield int(stream.rate), block
            if waiting:
                decoded += sum(map(len, waiting))
                yield int(stream.rate), np.concatenate(waiting)
            promised = (container.duration or 0) / av.time_base
            mending.remarks += _losses(decoded / stream.rate, promised, lost / stream.rate)
    except av.FFmpegError as error:
        if not decoded:
            raise UnusableError(f"broken file: {printable(str(error.strerror)).lower()}") from error
        mending.remarks.append("cut off: its end is missing")
