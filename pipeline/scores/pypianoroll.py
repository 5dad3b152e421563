"""Files of pypianoroll (`.npz`), in which the Lakh Pianoroll Dataset is published, to scores.

Such a file is a zip archive of NumPy arrays: for each track a matrix of steps and pitches in compressed columns
(`pianoroll_0_csc_data`, `_indices`, `_indptr`), `tempo` and `downbeat` a step, and `info.json` (Dong et al. 2018,
"Pypianoroll"). Its rolls have one plane, so what they don't tell, nobody can: where a note of the same pitch and
velocity follows without a gap, the two are one.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UnusableError
from pipeline.formats import printable
from pipeline.scores.score import Events, Metre, Part, Score, make_events

PITCHES = 128
MOST_TRACKS = 256
INFO = "info.json"
BINARY_VELOCITY = 80
"""Of notes in rolls that only say whether something sounds."""


def read_pianoroll(content: bytes, title: str, limit: int) -> list[Score]:
    """The score in the bytes of a `.npz` file; `limit` bytes at most when unzipped.

    The steps of a beat are those of the file (24 in the data set). Bars are counted from its downbeats, what comes
    before the first is a pickup; a file with fewer than two is in 4/4.

    Raises
    ------
    UnusableError
        The bytes are not those of such a file.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return [_read(_ArchiveArrays(archive, limit), title)]
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise UnusableError("broken file: a damaged zip file") from error
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise UnusableError(f"broken file: {printable(str(error))[:100]}") from error


def _read(arrays: _ArchiveArrays, title: str) -> Score:
    info = json.loads(arrays.read(INFO)) if INFO in arrays.names else None
    if not isinstance(info, dict) or "0" not in info:
        raise UnusableError("has no piano roll in it")
    resolution = int(info.get("resolution") or info.get("beat_resolution") or 0)
    if not 1 <= resolution <= 1000:
        raise UnusableError(f"broken file: {resolution} steps a beat")
    parts = []
    for index in range(min(len(info), MOST_TRACKS)):
        track = info.get(str(index))
        if not isinstance(track, dict):
            break
        program = min(max(int(track.get("program") or 0), 0), 127)
        events = _events(*(arrays.column(f"pianoroll_{index}_csc_{one}") for one in ("data", "indices", "indptr")))
        for name in ("onset", "duration"):
            events[name] /= resolution
        parts.append(Part(printable(str(track.get("name") or "")), program, bool(track.get("is_drum")), events))
    metres = _metres(arrays.column("downbeat"), resolution)
    tempos = _tempos(arrays.column("tempo"), resolution)
    return Score(printable(str(info.get("name") or "")) or title, tuple(parts), metres, tempos)


class _ArchiveArrays:
    """The arrays in the archive, read one by one until `limit` bytes are spent."""

    def __init__(self, archive: zipfile.ZipFile, limit: int) -> None:
        self.archive, self.limit, self.left = archive, limit, limit
        self.names = set(archive.namelist())

    def read(self, name: str) -> bytes:
        """The bytes of one member. Raises `UnusableError` where they are too many."""
        with self.archive.open(name) as file:
            content = file.read(self.left + 1)
        self.left -= len(content)
        if self.left < 0:
            raise UnusableError(f"too large: more than {self.limit / 1e6:g} MB when unzipped")
        return content

    def column(self, name: str) -> NDArray[Any]:
        """One array of plain numbers, flat; empty where there is none. Raises `ValueError`."""
        if f"{name}.npy" not in self.names:
            return np.zeros(0, np.int64)
        content = self.read(f"{name}.npy")
        file = io.BytesIO(content)
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        _, _, kind = read(file)
        if kind.kind not in "biuf":
            raise ValueError(f"{name} is not made of numbers")
        rest = len(content) - file.tell()
        return np.frombuffer(content, kind, rest // kind.itemsize, file.tell())


def _events(velocity: NDArray[Any], steps: NDArray[Any], ends: NDArray[Any]) -> Events:
    """The notes of a track, times in steps: runs of steps of one pitch and velocity.

    Parameters
    ----------
    velocity, steps
        Of everything that sounds, column by column (a column is a pitch).
    ends
        Where each column begins, and the last one ends: `[PITCHES + 1]`.
    """
    if len(ends) != PITCHES + 1 or len(velocity) != len(steps):
        raise ValueError("a piano roll that is no matrix of 128 pitches")
    ends = ends.astype(np.int64)
    counts = ends[1:] - ends[:-1]
    if ends[0] != 0 or ends[-1] != len(steps) or counts.min() < 0 or steps.min(initial=0) < 0:
        raise ValueError("a piano roll whose columns make no sense")
    pitch, step = np.repeat(np.arange(PITCHES), counts), steps.astype(np.int64)
    loud = np.full(len(step), BINARY_VELOCITY) if velocity.dtype == np.bool_ else np.clip(velocity, 0, 127)
    sounding = velocity != 0
    pitch, step, loud = pitch[sounding], step[sounding], loud[sounding].astype(np.int64)
    order = np.lexsort((step, pitch))
    pitch, step, loud = pitch[order], step[order], loud[order]
    new = np.ones(len(step), np.bool_)
    new[1:] = (np.diff(pitch) != 0) | (np.diff(step) != 1) | (np.diff(loud) != 0)
    first = np.flatnonzero(new)
    return make_events(step[first], np.diff(np.append(first, len(step))), pitch[first], loud[first])


def _metres(downbeat: NDArray[Any], resolution: int) -> tuple[Metre, ...]:
    """A metre wherever the distance between downbeats changes; the last one goes on."""
    at = np.flatnonzero(downbeat)
    if len(at) < 2:
        return (Metre(float(at[0]) / resolution if len(at) else 0.0, 4, 4),)
    gaps = np.diff(at)
    changes = np.flatnonzero(np.concatenate([[True], gaps[1:] != gaps[:-1]]))
    metres = []
    for start, gap in zip(at[changes].tolist(), gaps[changes].tolist(), strict=True):
        bar = Fraction(gap, 4 * resolution)
        scale = max(1, 4 // bar.denominator)
        metres.append(Metre(start / resolution, bar.numerator * scale, bar.denominator * scale))
    return tuple(metres)


def _tempos(tempo: NDArray[Any], resolution: int) -> tuple[tuple[float, float], ...]:
    """The tempo of each beat, where it changes."""
    beats = tempo[::resolution].astype(np.float64)
    changes = np.flatnonzero(np.append(True, beats[1:] != beats[:-1])[: len(beats)])
    return tuple((float(at), float(beats[at])) for at in changes if 1 < beats[at] < 2000)
