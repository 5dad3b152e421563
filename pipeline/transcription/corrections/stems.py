"""Transcription by stems: what each separated source of a song plays, as tracks of its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ, SilentRecordingError, read_recording
from pipeline.errors import UnusableError
from pipeline.transcription.corrections.alignment import seconds_to_nearest
from pipeline.transcription.drums.hits import find_drum_hits
from pipeline.transcription.pitches.loudness import are_loud, loudness_floor
from pipeline.transcription.pitches.single_line import lowest_line, surest_line

Samples = NDArray[np.float32]
Notes = NDArray[np.void]

TRACK_OF_STEM: Mapping[str, str] = {"vocals": "Lead", "bass": "Bass", "piano": "Piano", "guitar": "Guitar"}
"""The track that the pitched notes of a stem are; `other` is told apart as a whole recording is."""
USUAL_STEMS = ("drums", "bass", "vocals", "other")
"""What every model separates: one that is missing is heard in the mix."""
LINES: Mapping[str, Callable[[Notes], Notes]] = {"vocals": surest_line, "bass": lowest_line}
"""Stems that play one note at a time."""

MOST_APART_SECONDS = 1.0
"""By how much a stem may be longer or shorter than its recording."""
SAME_SECONDS = 0.1
"""Notes of one pitch that begin so near to one another are the same."""


@dataclass(frozen=True, eq=False)
class HeardNotes:
    """The pitched notes and drum hits that are heard in a recording, as far as stems tell them apart.

    Attributes
    ----------
    rest
        Notes that the method for whole recordings is to tell apart, sorted by start.
    rest_sound
        The sound `[samples]` in which they are told apart: the stem `other`, or the whole recording where that plays
        what no stem does.
    tracks
        Notes whose track is known, by its name.
    hits
        Drum hits of a stem; None where they are to be found in the mix.
    remarks
        What is to be said, a sentence part each.
    """

    rest: Notes
    rest_sound: Samples
    tracks: Mapping[str, Notes] = field(default_factory=dict)
    hits: Notes | None = None
    remarks: tuple[str, ...] = ()

    @property
    def pitches(self) -> Notes:
        """All pitched notes, sorted by start."""
        return np.sort(np.concatenate([self.rest, *self.tracks.values()]), order=("start", "pitch"))


def hear_stems(stems: Mapping[str, Path], mix: Samples, find: Callable[[Samples], Notes]) -> HeardNotes:
    """Transcribe each stem of a song by itself.

    Where one of the usual four stems is missing, notes of the mix that no stem plays are added to the rest, which is
    then heard in the mix.

    Parameters
    ----------
    stems
        Paths of the stems, by their names in `STEMS`; at least one.
    mix
        The recording that they came out of, float32 `[samples]` at 44,100 Hz.
    find
        Finds the pitched notes in sound, sorted by start.

    Raises
    ------
    UnusableError
        A stem can't be read, or is longer or shorter than the recording.
    """
    floor = loudness_floor(mix)
    hits, rest_sound, rest = None, mix, None
    tracks: dict[str, Notes] = {}
    for name, path in stems.items():
        sound = read_stem(path, len(mix))
        if name == "drums":
            hits = find_drum_hits(sound)
            continue
        notes = find(sound)
        notes = notes[are_loud(notes, sound, floor)]
        if name == "other":
            rest, rest_sound = notes, sound
        else:
            tracks[TRACK_OF_STEM[name]] = LINES[name](notes) if name in LINES else notes
    missing = [name for name in USUAL_STEMS if name not in stems]
    remarks = [f"its stems lack {' and '.join(missing)}: the mix is heard for them"] if missing else []
    if rest is None or missing not in ([], ["drums"]):
        rest_sound = mix
        known = [*tracks.values(), *([] if rest is None else [rest])]
        left = find(mix)
        if known:
            played = np.sort(np.concatenate(known), order="start")
            left = left[seconds_to_nearest(left, played) > SAME_SECONDS]
        rest = left if rest is None else np.sort(np.concatenate([rest, left]), order=("start", "pitch"))
    return HeardNotes(rest, rest_sound, tracks, hits, tuple(remarks))


def read_stem(path: Path, length: int) -> Samples:
    """The sound of a stem, as long as its recording, `[length]`; zeros where it is silent. Raises `UnusableError`."""
    try:
        samples = read_recording(path, math.inf).samples
    except SilentRecordingError:
        return np.zeros(length, np.float32)
    except UnusableError as error:
        raise UnusableError(f"its stem {path} can't be read ({error})") from error
    if abs(len(samples) - length) > MOST_APART_SECONDS * SAMPLE_RATE_HZ:
        own, whole = (count / SAMPLE_RATE_HZ for count in (len(samples), length))
        raise UnusableError(f"its stem {path} lasts {own:.1f} s and the recording {whole:.1f} s: separate it once more")
    return np.pad(samples[:length], (0, max(length - len(samples), 0)))
