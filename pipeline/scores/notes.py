"""Notes to piano rolls and back: the same music as a table of notes and as planes of steps; rolls packed into bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan.spec import HOLD, ONSET, RollSpec

NOTE = np.dtype([("track", np.int32), ("pitch", np.int32), ("onset", np.int32), ("length", np.int32)])
"""One note: index of its track, MIDI pitch (0 to 127), first step and number of steps (at least 1).

Tracks are fewer than 64, onset and length below 2^23 steps; so a note makes one number of 64 bits, and numbers sort
several times faster than rows.
"""

STEP_BITS, PITCH_BITS, TRACK_BITS = 24, 9, 6
"""Of that number; one bit of steps is spare, and a pitch on its way to another key may leave MIDI's range."""
STEPS, PITCHES = (1 << STEP_BITS) - 1, (1 << PITCH_BITS) - 1
LOWEST = -128
"""The pitch that counts as zero there."""

Notes = NDArray[np.void]
"""A structured array `[notes]` of dtype `NOTE`."""

Planes = NDArray[np.bool_]
"""A roll of any number of bars, bool `[2, tracks, bars, steps, pitches]`: onset and hold."""


def make_notes(track: object, pitch: object, onset: object, length: object) -> Notes:
    """A table of notes out of four columns (numbers or arrays that broadcast together), in canonical order.

    Raises
    ------
    ValueError
        A number is too large for a note.
    """
    columns = np.broadcast_arrays(*(np.atleast_1d(np.asarray(one)) for one in (track, pitch, onset, length)))
    notes = np.empty(columns[0].shape, NOTE)
    for name, column, bits in zip(
        ("track", "pitch", "onset", "length"),
        columns,
        (TRACK_BITS, PITCH_BITS - 1, STEP_BITS - 1, STEP_BITS - 1),
        strict=True,
    ):
        if column.size and max(int(column.max()), -int(column.min())) >= 1 << bits:
            raise ValueError(f"a note's {name} is {bits} bits at most")
        notes[name] = column
    return in_order(notes)


def in_order(notes: Notes) -> Notes:
    """The notes in canonical order: by track, then onset, then pitch, then length."""
    high = _column(notes, "track") << STEP_BITS | _column(notes, "onset")
    low = _column(notes, "pitch") - LOWEST << STEP_BITS | _column(notes, "length")
    return notes[np.argsort(high << STEP_BITS + PITCH_BITS | low)]


def _column(notes: Notes, name: str) -> NDArray[np.int64]:
    return notes[name].astype(np.int64)


def cut_overlaps(notes: Notes) -> Notes:
    """The notes with none of the same track and pitch overlapping, in canonical order.

    A later note cuts the earlier one where it begins; of several that begin together the longest stays.
    """
    return cut_columns(*(_column(notes, name) for name in ("track", "pitch", "onset", "length")))


def cut_columns(
    track: NDArray[np.int64], pitch: NDArray[np.int64], onset: NDArray[np.int64], length: NDArray[np.int64]
) -> Notes:
    """`cut_overlaps` of the notes in four columns `[notes]`.

    A note is one number, as in `in_order`, of no more bits than these notes need: 32 do for most songs, and such
    numbers sort twice as fast.
    """
    if not len(track):
        return np.empty(0, NOTE)
    lowest = int(pitch.min())
    track_bits, pitch_bits, length_bits = (
        int(largest).bit_length() for largest in (track.max(), pitch.max() - lowest, length.max())
    )
    step_bits = int((onset + length).max()).bit_length()
    kind = np.dtype(np.uint32 if track_bits + pitch_bits + step_bits + length_bits <= 32 else np.int64)
    keys: NDArray[np.integer[Any]] = track.astype(kind)
    for column, bits in ((pitch - lowest, pitch_bits), (onset, step_bits), (length, length_bits)):
        keys = keys << bits | column.astype(kind)
    keys.sort()
    places, lengths = keys >> length_bits, keys & (1 << length_bits) - 1  # a place is a line and an onset on it
    # places of two lines are further apart than any note is long
    np.minimum(lengths[:-1], places[1:] - places[:-1], out=lengths[:-1])
    lines, onsets = places >> step_bits, places & (1 << step_bits) - 1
    keys = (lines >> pitch_bits << step_bits | onsets) << pitch_bits | lines & (1 << pitch_bits) - 1
    keys = keys << length_bits | lengths
    if not lengths.all():
        keys = keys[lengths > 0]
    keys.sort()
    notes = np.empty(keys.shape, NOTE)
    notes["length"] = keys & (1 << length_bits) - 1
    keys >>= length_bits
    notes["pitch"] = (keys & (1 << pitch_bits) - 1).astype(np.int64) + lowest
    keys >>= pitch_bits
    notes["onset"] = keys & (1 << step_bits) - 1
    notes["track"] = keys >> step_bits
    return notes


def notes_from_roll(planes: Planes, lowest_pitch: int) -> Notes:
    """The notes that a roll holds, in canonical order.

    A note is an onset and the holds that follow it. A hold that follows neither an onset nor a hold starts a note
    too, since it would be heard. Where both planes are set the onset counts.

    Parameters
    ----------
    planes
        Bool `[2, tracks, bars, steps, pitches]`.
    lowest_pitch
        MIDI number of the first pitch (`RollSpec.lowest_pitch`).
    """
    _, tracks, bars, steps, pitches = planes.shape
    lines = planes.reshape(2, tracks, bars * steps, pitches).transpose(0, 1, 3, 2)  # [2, tracks, pitches, time]
    sounding = lines[ONSET] | lines[HOLD]
    start = lines[ONSET].copy()
    start[..., 0] |= sounding[..., 0]
    start[..., 1:] |= sounding[..., 1:] & ~sounding[..., :-1]
    end = sounding.copy()
    end[..., :-1] &= ~sounding[..., 1:] | start[..., 1:]
    track, pitch, onset = np.nonzero(start)
    last = np.nonzero(end)[2]
    return make_notes(track, pitch + lowest_pitch, onset, last - onset + 1)


def roll_from_notes(notes: Notes, spec: RollSpec, bars: int) -> Planes:
    """The roll of some notes: bool `[2, tracks, bars, steps, pitches]`.

    A later note cuts an earlier one of its track and pitch; notes longer than the roll are cut at its end.

    Raises
    ------
    ValueError
        A note starts outside the bars, or its track or pitch is not in `spec`.
    """
    num_steps = bars * spec.steps_per_bar
    for name, low, high in (
        ("track", 0, spec.num_tracks),
        ("pitch", spec.lowest_pitch, spec.lowest_pitch + spec.num_pitches),
        ("onset", 0, num_steps),
    ):
        if np.any((notes[name] < low) | (notes[name] >= high)):
            raise ValueError(f"a note's {name} is outside {low} to {high - 1}")
    notes = cut_overlaps(notes)
    track, pitch, onset = notes["track"], notes["pitch"] - spec.lowest_pitch, notes["onset"]
    held = np.minimum(notes["length"], num_steps - onset) - 1  # steps after the first
    planes = np.zeros((2, spec.num_tracks, num_steps, spec.num_pitches), np.bool_)
    planes[ONSET, track, onset, pitch] = True
    within = np.arange(held.sum()) - np.repeat(np.cumsum(held) - held, held)
    planes[HOLD, np.repeat(track, held), np.repeat(onset, held) + 1 + within, np.repeat(pitch, held)] = True
    return planes.reshape(2, spec.num_tracks, bars, spec.steps_per_bar, spec.num_pitches)


def pack_rolls(rolls: Planes) -> NDArray[np.uint8]:
    """Rolls as bytes, eight pitches each: bool `[..., pitches]` to uint8 `[..., ceil(pitches / 8)]`."""
    return np.packbits(rolls, axis=-1)


def unpack_rolls(packed: NDArray[np.uint8], num_pitches: int) -> Planes:
    """What `pack_rolls` packed: uint8 `[..., ceil(pitches / 8)]` to bool `[..., pitches]`."""
    return np.unpackbits(packed, axis=-1, count=num_pitches).view(np.bool_)
