"""Beats from elsewhere: the files of beat trackers (madmom, beat_this, BeatNet) read and made a grid of beats."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UnusableError
from pipeline.scores.reading.score_files import read_bytes
from pipeline.transcription.beats.bar_length import find_bar_length
from pipeline.transcription.beats.downbeats import PHASES_PER_BEAT
from pipeline.transcription.beats.grid import Beats, trimmed
from pipeline.transcription.beats.metrical_levels import find_metres
from pipeline.transcription.beats.onsets import Floats, find_onsets
from pipeline.transcription.beats.pulse_tracking import extended

FEWEST_BEATS = 4
FEWEST_ONSETS = 8
"""Fewer say nothing of where a bar begins."""
MOST_BYTES = 10_000_000
LAST_POSITION = 32
"""No bar has more beats."""
COMMENT = "#"


@dataclass(frozen=True, eq=False)
class GivenBeats:
    """The beats of a recording as a file has them.

    Attributes
    ----------
    name
        Of the file, for people.
    seconds
        `[beats]`, at least four, rising.
    positions
        `[beats]`: the place of each in its bar, 1 on a bar line, where the file says so; else None.
    """

    name: str
    seconds: Floats
    positions: NDArray[np.int64] | None


def read_given_beats(path: Path) -> GivenBeats:
    """Read a list of beats: seconds a line, and optionally the beat's position in its bar in a second column.

    Columns are parted by tabs, blanks, commas or semicolons. Lines above the first number are a header; blank lines
    and what follows a `#` are left out, and so is a second column without whole numbers.

    Raises
    ------
    UnusableError
        It is no such list, with one plain sentence that names the file and the line.
    """
    called = f"the list of beats {path}"
    try:
        text = read_bytes(path, MOST_BYTES).decode("utf-8-sig")
    except UnusableError as error:
        raise UnusableError(f"{called} can't be used ({error})") from error
    except UnicodeDecodeError as error:
        raise UnusableError(f"{called} is no text: give one with the seconds of a beat on each line") from error
    seconds: list[float] = []
    positions: list[int | None] = []
    for number, line in enumerate(text.splitlines(), start=1):
        cells = [cell for cell in re.split(r"[\s,;]+", line.partition(COMMENT)[0]) if cell]
        moment = _number(cells[0]) if cells else None
        if moment is None:
            if cells and seconds:
                raise UnusableError(f"{called}: line {number} begins with no number of seconds")
            continue
        if seconds and moment <= seconds[-1]:
            raise UnusableError(f"{called}: line {number} comes no later than the beat before it ({seconds[-1]:g} s)")
        seconds.append(moment)
        positions.append(_position(cells[1]) if len(cells) > 1 else None)
    if len(seconds) < FEWEST_BEATS:
        raise UnusableError(f"{called} has {len(seconds)} beats: it takes at least {FEWEST_BEATS}, seconds a line")
    return GivenBeats(str(path), np.array(seconds), _positions(positions, called))


def _number(text: str) -> float | None:
    """A finite number, None for anything else."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def _position(text: str) -> int | None:
    """A whole number that can be a beat's position in its bar, None for anything else."""
    value = _number(text)
    return int(value) if value is not None and value == int(value) and 0 <= value <= LAST_POSITION else None


def _positions(found: list[int | None], called: str) -> NDArray[np.int64] | None:
    """The positions of all beats, None where there are none. Raises `UnusableError` where some have one."""
    known = [one for one in found if one is not None]
    if not known:
        return None
    if len(known) < len(found):
        raise UnusableError(
            f"{called}: some of its beats have a position in the bar, others have none: give all or none"
        )
    if 1 not in known:
        raise UnusableError(f"{called}: no beat has position 1 in its bar: bars begin there")
    return np.array(known)


@dataclass(frozen=True)
class BarHints:
    """What is known of the bars of a recording besides its beats.

    Attributes
    ----------
    downbeat_seconds
        When a bar begins; None where it is to be found.
    beats_per_bar
        Beats a bar, where the beats have no positions.
    recognise
        Whether bars of another length are recognised.
    is_compound
        Whether the beats are dotted, as in 6/8.
    """

    downbeat_seconds: float | None
    beats_per_bar: int
    recognise: bool
    is_compound: bool


def grid_of_beats(
    given: GivenBeats, pitches: NDArray[np.void], hits: NDArray[np.void], seconds: float, hints: BarHints
) -> tuple[Beats, list[str]]:
    """The beat grid on given beats, which are extended evenly to both ends of the recording.

    Bars begin at position 1 of the beats, or where the downbeat is given; else the downbeat is found on the beats.

    Parameters
    ----------
    given
        The beats.
    pitches, hits
        As in `find_beats`.
    seconds
        How long the recording is.
    hints
        What is known of the bars.

    Returns
    -------
    The grid, and what is to be said of it, a sentence part each.

    Raises
    ------
    UnusableError
        The beats are not those of so short a recording.
    """
    own = given.seconds[given.seconds <= seconds]
    if len(own) < FEWEST_BEATS:
        raise UnusableError(
            f"the list of beats {given.name} goes from {given.seconds[0]:g} to {given.seconds[-1]:g} s, and the "
            f"recording ends at {seconds:g} s: it is of another recording, or not in seconds"
        )
    onsets = find_onsets(pitches, hits)
    sound = float(onsets.seconds[0]) if len(onsets.seconds) else 0.0
    end = max(seconds, onsets.end)
    remarks: list[str] = []
    length, line = hints.beats_per_bar, 0
    if given.positions is not None:
        length, line, astray = _bars_of(given.positions[: len(own)])
        if astray:
            remarks.append(f"bars of other lengths are counted through ({astray} of its bar lines)")
    elif hints.downbeat_seconds is None:
        line = find_downbeat(own, pitches, hits, length)
    if hints.downbeat_seconds is not None:
        line = _nearest_beat(own, hints.downbeat_seconds, length)
    beats = _in_bars(own, line, length, sound, end)
    if given.positions is None and hints.recognise and not hints.is_compound:
        found = find_bar_length(pitches, hits, beats)
        if found.beats_per_found_beat == 1 and found.beats_per_bar != length:
            length = found.beats_per_bar
            at = hints.downbeat_seconds
            line = find_downbeat(own, pitches, hits, length) if at is None else _nearest_beat(own, at, length)
            beats = _in_bars(own, line, length, sound, end)
    if length != hints.beats_per_bar:
        taken = f"{3 * length}/8" if hints.is_compound else f"{length}/4"
        remarks.append(
            f"its bars have {length} beats and not {hints.beats_per_bar}: data.metre={taken} takes such music"
        )
    return beats, remarks


def find_downbeat(seconds: Floats, pitches: NDArray[np.void], hits: NDArray[np.void], beats_per_bar: int) -> int:
    """Downbeat classification on known beats: the index of a beat that is a bar line, from 0 to `beats_per_bar` - 1."""
    onsets = find_onsets(pitches, hits)
    if len(onsets.seconds) < FEWEST_ONSETS:
        return 0
    wide = extended(seconds, float(onsets.seconds[0]), float(onsets.seconds[-1]) + 1e-6)
    found = find_metres(onsets, wide, beats_per_bar, (1.0,))
    around = [np.roll(found.log_odds, shift) for shift in (-1, 0, 1)]  # notes are heard a little before or after beats
    phase = int(np.max(around, axis=0)[::PHASES_PER_BEAT].argmax())
    return (phase - _added_before(wide, seconds)) % beats_per_bar


def _bars_of(positions: NDArray[np.int64]) -> tuple[int, int, int]:
    """Beats of most bars, the index of a beat on most bar lines, and how many bar lines are elsewhere."""
    lines = np.flatnonzero(positions == 1)
    gaps = np.diff(lines)
    length = int(np.bincount(gaps).argmax()) if len(gaps) else int(positions.max())
    places = np.bincount(lines % length, minlength=length) if len(lines) else np.ones(1, int)
    return length, int(places.argmax()), int(places.sum() - places.max())


def _nearest_beat(seconds: Floats, moment: float, beats_per_bar: int) -> int:
    """The index of the beat nearest to a moment, counted within a bar."""
    wide = extended(seconds, moment, moment)
    return (int(np.abs(wide - moment).argmin()) - _added_before(wide, seconds)) % beats_per_bar


def _in_bars(seconds: Floats, line: int, beats_per_bar: int, sound: float, end: float) -> Beats:
    """The grid from the bar line at or before the first sound to the end, beat number `line` being a bar line."""
    margin = (beats_per_bar + 1) * float(np.median(np.diff(seconds)))
    wide = extended(seconds, min(sound, seconds[0]) - 2 * margin, end + 2 * margin)
    return trimmed(wide[(line + _added_before(wide, seconds)) % beats_per_bar :], beats_per_bar, sound, end)


def _added_before(wide: Floats, seconds: Floats) -> int:
    """How many beats `extended` put before the first."""
    return int(np.searchsorted(wide, seconds[0] - 1e-6))
