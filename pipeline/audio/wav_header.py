"""Headers of WAV files that do not say where the sound is, as recorders leave them that crash."""

from __future__ import annotations

import io
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

UNKNOWN_LENGTH = 0x7FFFF000
"""From so many bytes on a length is no length: what is written to a pipe has FFFFFFFF or 7FFFFFFF there."""

LONGEST_CHUNK = 0xFFFFFFFF
LONGEST_FORMAT, MOST_CHUNKS = 4096, 1000

LEFT_OVER_SECONDS = 0.5
"""What stands behind the sound counts as sound from this much on, where it is no chunk and no tag."""


@dataclass(frozen=True)
class WavLayout:
    """Where the sound of a RIFF WAVE file lies.

    Attributes
    ----------
    format_chunk
        The content of its chunk `fmt `.
    start, length
        The sound, in bytes: where it begins in the file, and how much of it there is.
    declared
        How much of it there should be, by the header; None where that does not say.
    is_wrong
        Whether a decoder that believes the header would miss the sound.
    """

    format_chunk: bytes
    start: int
    length: int
    declared: int | None
    is_wrong: bool

    @property
    def bytes_per_second(self) -> int:
        """Of sound, as the format says."""
        return int(struct.unpack_from("<I", self.format_chunk, 8)[0])


def wav_layout(path: Path) -> WavLayout | None:
    """Walk the chunks of a RIFF WAVE file; None for all other files, RF64 too, and where there is no sound chunk."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(12)
        if head[:4] != b"RIFF" or head[8:] != b"WAVE":
            return None
        format_chunk, at, unpadded = b"", 12, False
        for _ in range(MOST_CHUNKS):
            name, length = _chunk_at(file, at)
            if not _is_name(name) and _is_name(_chunk_at(file, at - 1)[0]):  # an odd chunk without its byte of padding
                at, unpadded = at - 1, True
                name, length = _chunk_at(file, at)
            if not _is_name(name):
                return None
            if name == b"data":
                break
            if name == b"fmt ":
                format_chunk = file.read(min(length, LONGEST_FORMAT))
            at += 8 + length + length % 2
        if name != b"data" or len(format_chunk) < 16:
            return None
        start, there = at + 8, size - at - 8
        per_second = struct.unpack_from("<I", format_chunk, 8)[0]
        if length >= UNKNOWN_LENGTH > there:
            return WavLayout(format_chunk, start, there, None, unpadded)
        if length >= there:
            return WavLayout(format_chunk, start, there, length, unpadded)
        if _more_sound(file, start + length, there - length, per_second):
            return WavLayout(format_chunk, start, there, None, True)
        return WavLayout(format_chunk, start, length, length, unpadded)


def _chunk_at(file: BinaryIO, at: int) -> tuple[bytes, int]:
    """Name and length of the chunk that begins there; the file then stands at its content."""
    file.seek(at)
    head = file.read(8)
    return (head[:4], int(struct.unpack("<I", head[4:])[0])) if len(head) == 8 else (b"", 0)


def _is_name(name: bytes) -> bool:
    """Whether this names a chunk: four printable letters."""
    return len(name) == 4 and all(32 <= letter < 127 for letter in name) and name[:1] != b" "


def _more_sound(file: BinaryIO, at: int, left: int, per_second: int) -> bool:
    """Whether what stands behind the end of the sound, as the header has it, is more sound."""
    if left < LEFT_OVER_SECONDS * per_second:
        return False
    at += at % 2
    name, length = _chunk_at(file, at)
    if name[:3] in (b"ID3", b"TAG") or (_is_name(name) and length <= left):
        return False
    file.seek(at)
    return any(file.read(1 << 16))


class RestoredWav(io.RawIOBase):
    """A WAV file as it would be with a right header, to be read without a copy of its sound."""

    def __init__(self, path: Path, layout: WavLayout) -> None:
        super().__init__()
        length = min(layout.length, LONGEST_CHUNK - 1024)
        padded = layout.format_chunk + bytes(len(layout.format_chunk) % 2)
        chunks = (
            b"WAVEfmt " + struct.pack("<I", len(layout.format_chunk)) + padded + b"data" + struct.pack("<I", length)
        )
        self._header = b"RIFF" + struct.pack("<I", len(chunks) + length) + chunks
        self._file = path.open("rb")
        self._start, self._size, self._at = layout.start, len(self._header) + length, 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a byte."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def tell(self) -> int:
        """The byte that is read next."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read bytes of the header, or of the sound."""
        view = memoryview(buffer).cast("B")
        if self._at < len(self._header):
            part = self._header[self._at : self._at + len(view)]
        else:
            self._file.seek(self._start + self._at - len(self._header))
            part = self._file.read(max(min(len(view), self._size - self._at), 0))
        view[: len(part)] = part
        self._at += len(part)
        return len(part)

    def close(self) -> None:
        """Close the file."""
        if not self.closed:
            self._file.close()
        super().close()
