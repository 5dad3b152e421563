"""Sound to files: WAV with dither, tagged MP3 or FLAC, and Ogg Vorbis."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from pipeline.audio.synthesizers import Sound
from pipeline.files import atomic_path

COMPRESSED = {"mp3": ("MP3", "MPEG_LAYER_III"), "flac": ("FLAC", "PCM_16")}
"""What soundfile calls the kinds of compressed files on offer."""


@dataclass(frozen=True)
class Tags:
    """What players show of a track."""

    title: str
    artist: str
    album: str
    number: int
    total: int


def dithered(sound: Sound) -> Sound:
    """Sound with triangular noise of one 16-bit step, which turns the error of rounding into even, faint hiss.

    The noise is the same each time, so that files are repeatable; digital silence stays silent.
    """
    generator = np.random.default_rng(0)
    noise = generator.random(sound.shape, dtype=np.float32) - generator.random(sound.shape, dtype=np.float32)
    noise *= np.float32(1 / 32768)
    noise[(sound == 0).all(axis=1)] = 0
    return sound + noise


def write_wav(path: Path, sound: Sound, rate_hz: int) -> None:
    """Write a 16-bit WAV, atomically."""
    with atomic_path(path) as temporary:
        soundfile.write(temporary, dithered(sound), rate_hz, format="WAV", subtype="PCM_16")


def write_fine_wav(path: Path, sound: Sound, rate_hz: int) -> None:
    """Write a 24-bit WAV, atomically; sound with peaks above full scale is made as much softer."""
    scaled = sound / max(1.0, float(np.abs(sound).max(initial=0.0)))
    with atomic_path(path) as temporary:
        soundfile.write(temporary, scaled, rate_hz, format="WAV", subtype="PCM_24")


def write_ogg(path: Path, sound: NDArray[np.float32], rate_hz: int) -> None:
    """Write sound `[samples]` or `[samples, channels]` as Ogg Vorbis, atomically.

    A second at a time: the encoder takes what it is given at once on the stack.
    """
    channels = 1 if sound.ndim == 1 else sound.shape[1]
    with (
        atomic_path(path) as temporary,
        soundfile.SoundFile(temporary, "w", rate_hz, channels, format="OGG", subtype="VORBIS") as file,
    ):
        for begin in range(0, len(sound), rate_hz):
            file.write(sound[begin : begin + rate_hz])


def write_compressed(path: Path, sound: Sound, rate_hz: int, kind: str, tags: Tags) -> None:
    """Write a tagged `mp3` or `flac`, atomically."""
    import mutagen
    from mutagen.easyid3 import EasyID3
    from mutagen.flac import FLAC
    from mutagen.mp3 import MP3

    container, subtype = COMPRESSED[kind]
    with atomic_path(path) as temporary:
        soundfile.write(temporary, dithered(sound), rate_hz, format=container, subtype=subtype)
        audio: mutagen.FileType = MP3(temporary, ID3=EasyID3) if kind == "mp3" else FLAC(temporary)
        if audio.tags is None:
            audio.add_tags()
        audio["title"], audio["artist"], audio["album"] = tags.title, tags.artist, tags.album
        audio["tracknumber"] = f"{tags.number}/{tags.total}"
        audio.save()
