"""Parts of the tracks of a MIDI file: notes paired, by channel, program and name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.formats import printable
from pipeline.scores.instruments import instrument_by_name
from pipeline.scores.midi.channels import Channels, Patch
from pipeline.scores.midi.events import CHANNEL, PLACE, TABLES, TICK, VALUE, WHAT, Rows, TrackEvents, compiled
from pipeline.scores.midi.sustain import LONGEST_PEDAL, PEDAL_DOWN, sustain
from pipeline.scores.score import Part, make_events

TRACK_NAME, INSTRUMENT_NAME, PROGRAM_NAME = 0x03, 0x04, 0x08
NAMES = (PROGRAM_NAME, INSTRUMENT_NAME, TRACK_NAME)
"""Types of meta events, the first to be believed first."""
NUM_PITCHES, NUM_KEYS = 128, 16 * 128
"""Of a channel, and of all channels."""
MOST_VELOCITY = 127
PERCUSSION_PITCHES = (27, 87)
"""Of GM2's drum sets."""
SINGERS = range(52, 55)
"""Programs of voices."""
MOST = 0.75
"""The share of a part's notes that lie there, so that its name is believed when it says drums."""

ONSET, ROW_PLACE, END, PITCH, VELOCITY, ROW_CHANNEL = range(6)
"""Columns of notes with their ends: tick, place in the track, tick of the end or -1, pitch, velocity, channel."""


@dataclass(frozen=True)
class PairedNotes:
    """Notes of a track with their ends."""

    rows: Rows
    """`[notes, 6]` in the order of their onsets."""
    channels: list[int]
    """Those that play."""
    endless: int = 0
    """Notes without an end of their own."""


def pair_notes(tracks: list[TrackEvents]) -> list[PairedNotes]:
    """Notes and their ends, for each track.

    Of overlapping notes of one pitch the first to begin ends first. A damaged velocity, which says neither, ends a note
    that sounds and begins one where none does. Where one of them never ends, each is taken to end
    when the next begins, and what is left at the end of the track ends at -1.
    """
    begins = np.array([track.first_note for track in tracks])
    stops = begins + [len(track.notes) for track in tracks]
    rows, counts = TABLES.paired, np.empty((len(tracks), 3), np.int64)
    compiled(pair_events)(TABLES.tables[0], begins, stops, rows, counts)
    paired, start = [], 0
    for track, (count, waiting, bits) in zip(tracks, counts.tolist(), strict=True):
        own = rows[start : start + count]
        start += count
        endless = 0
        if waiting:
            for channel, pitch in np.unique(own[own[:, END] < 0][:, [ROW_CHANNEL, PITCH]], axis=0).tolist():
                endless += _pair_again(track, channel, pitch, own)
            own = own[own[:, VELOCITY] > 0]
        paired.append(
            PairedNotes(own, [channel for channel in range(16) if bits >> channel & 1] if bits else [], endless)
        )
    return paired


def pair_events(events: Rows, begins: NDArray[np.int64], stops: NDArray[np.int64], rows: Rows, counts: Rows) -> None:
    """Fill `rows` with notes and their ends, first in first out, track by track; `numba` compiles this.

    Of each track `counts` gets the number of notes, of those that never end, and a bit for each channel that has any.
    """
    first, last = np.empty(NUM_KEYS, np.int64), np.empty(NUM_KEYS, np.int64)
    following = np.empty(np.sum(stops - begins), np.int64)
    count = 0
    for track in range(len(stops)):
        first[:] = -1
        begin = count
        num_waiting = channels = 0
        for at in range(begins[track], stops[track]):
            event = events[at]
            key, velocity = event[2] * NUM_PITCHES + event[3], event[4]
            waiting = first[key]
            if waiting >= 0 and (velocity == 0 or velocity > MOST_VELOCITY):
                rows[waiting, 2] = event[0]
                first[key] = following[waiting]
                num_waiting -= 1
            elif velocity:
                row = rows[count]
                row[0], row[1], row[2], row[3], row[5] = event[0], event[1], -1, event[3], event[2]
                row[4] = min(velocity, MOST_VELOCITY)
                if waiting < 0:
                    first[key] = count
                else:
                    following[last[key]] = count
                last[key], following[count] = count, -1
                count += 1
                num_waiting += 1
                channels |= 1 << event[2]
        counts[track, 0], counts[track, 1], counts[track, 2] = count - begin, num_waiting, channels


def _pair_again(track: TrackEvents, channel: int, pitch: int, rows: Rows) -> int:
    """End the notes of one pitch where the next begins, or all notes of the channel end; how many had no end.

    A doubled note loses its velocity.
    """
    own = np.flatnonzero((rows[:, ROW_CHANNEL] == channel) & (rows[:, PITCH] == pitch))
    begun = dict(zip(rows[own, ROW_PLACE].tolist(), own.tolist(), strict=True))
    struck = track.notes[(track.notes[:, CHANNEL] == channel) & (track.notes[:, WHAT] == pitch)]
    silenced = track.silences[track.silences[:, CHANNEL] == channel]
    endless, current = 0, -1
    for tick, place in sorted(np.concatenate([struck, silenced])[:, [TICK, PLACE]].tolist()):
        following = begun.get(place, -1)
        if current >= 0:
            rows[current, END] = tick
            if following >= 0 and tick == rows[current, ONSET]:
                rows[current, VELOCITY] = 0
            elif following >= 0:
                endless += 1
        current = following
        if current >= 0:
            rows[current, END] = -1
    return endless + (current >= 0)


def track_parts(
    tracks: list[TrackEvents], ticks: float, bar_end: Callable[[int], int]
) -> tuple[tuple[Part, ...], list[str]]:
    """The parts of tracks that sound together, and what was mended or guessed.

    Parameters
    ----------
    tracks
        Of one piece.
    ticks
        A quarter note.
    bar_end
        The tick at which the bar of a tick ends.
    """
    all_paired = pair_notes(tracks)
    channels = Channels(tracks, {(number, one) for number, paired in enumerate(all_paired) for one in paired.channels})
    found: list[_Found] = []
    endless = 0
    for number, (track, paired) in enumerate(zip(tracks, all_paired, strict=True)):
        endless += paired.endless
        if paired.endless:
            for at in np.flatnonzero(paired.rows[:, END] < 0).tolist():
                onset = int(paired.rows[at, ONSET])
                paired.rows[at, END] = min(bar_end(onset), track.end) if track.end > onset else bar_end(onset)
        is_alone = len(paired.channels) == 1
        for channel in paired.channels:
            own = paired.rows if is_alone else paired.rows[paired.rows[:, ROW_CHANNEL] == channel]
            for patch, chosen, shift in _by_patch(own, *channels.sounds(number, channel, own)):
                sounding = chosen if patch.is_drum else _as_heard(chosen, shift, track.pedals, ticks)
                found.append(_Found(track, patch, sounding, is_alone))
    if not found:
        return (), []
    num_notes = sum(len(one.rows) for one in found)
    table = np.concatenate([one.rows for one in found], out=TABLES.heard[:num_notes])
    onsets = table[:, ONSET]
    events = make_events(onsets / ticks, (table[:, END] - onsets) / ticks, table[:, PITCH], table[:, VELOCITY])
    parts, by_name, unknown, start = [], [], [], 0
    for one in found:
        names = [name for kind in NAMES if (name := meta_text(one.track, kind))]
        own_events = events[start : start + len(one.rows)]
        start += len(one.rows)
        part = Part(names[-1] if names else "", one.patch.program, one.patch.is_drum, own_events)
        if one.is_alone and not one.patch.is_chosen and not one.patch.is_drum:
            part, is_known = named_part(part, names)
            if (part.program, part.is_drum) != (0, False):
                by_name.append(part.name)
            elif part.name and not is_known:
                unknown.append(part.name)
        parts.append(part)
    return tuple(parts), [*_endless_remark(endless), *name_remarks(by_name, unknown)]


@dataclass(frozen=True)
class _Found:
    """The notes of a track that one channel plays with one program."""

    track: TrackEvents
    patch: Patch
    rows: Rows
    is_alone: bool
    """Whether the track plays no other channel."""


def _by_patch(
    rows: Rows, patches: list[Patch], choice: NDArray[np.intp]
) -> Iterator[tuple[Patch, Rows, NDArray[np.int64] | int]]:
    """The notes of each program, whatever its tuning: a patch of it, its rows, and the semitones they are moved by."""
    if choice[0] == choice[-1]:
        patch = patches[choice[0]]
        yield patch, rows, patch.transposition
        return
    kinds = [patch._replace(transposition=0) for patch in patches]
    chosen = {kinds[at] for at in np.unique(choice).tolist()}
    shifts = np.array([patch.transposition for patch in patches])[choice]
    for kind in sorted(chosen, key=lambda one: (one.program, one.is_drum, one.is_chosen)):
        own = np.array([one == kind for one in kinds])[choice]
        yield kind, rows[own], shifts[own]


def meta_text(track: TrackEvents, kind: int) -> str:
    """The last text of a kind of meta event in a track; Windows-1252 where it is not UTF-8."""
    texts = track.metas(kind)
    return decode_text(texts[-1][-1]) if texts else ""


def decode_text(text: bytes) -> str:
    """Words of a file: UTF-8, or else Windows-1252; on one line."""
    try:
        return printable(text.decode())
    except UnicodeDecodeError:
        return printable(text.decode("cp1252", "replace"))


def named_part(part: Part, names: list[str]) -> tuple[Part, bool]:
    """A part that no program was chosen for, as the first of its names that is an instrument's has it.

    Also whether there was such a name. Where pitches are not those of drums, drums are not believed.
    """
    for name in names:
        found = instrument_by_name(name)
        if found is None:
            continue
        pitch = part.events["pitch"]
        lowest, highest = PERCUSSION_PITCHES
        if found.is_drum and np.mean((pitch >= lowest) & (pitch <= highest)) < MOST:
            continue
        return Part(part.name, 0 if found.is_drum else found.program, found.is_drum, part.events), True
    return part, False


def trust_names(parts: tuple[Part, ...]) -> tuple[tuple[Part, ...], str]:
    """Parts that all have the first program, with the instruments of their names, and a remark.

    Many programs write the first program for whatever has none. So that a piano's staves stay a piano, names are only
    believed where they tell two different instruments besides piano and singers.
    """
    if any(part.program for part in parts if not part.is_drum):
        return parts, ""
    named = [part if part.is_drum else named_part(part, [part.name])[0] for part in parts]
    changed = [new for old, new in zip(parts, named, strict=True) if new is not old and (new.program or new.is_drum)]
    told = {(part.program, part.is_drum) for part in changed if part.program not in SINGERS}
    if len(told) < 2:
        return parts, ""
    names = ", ".join(part.name for part in changed)
    return tuple(named), f"instruments by the names of tracks, as all have the first program: {names}"[:200]


def name_remarks(by_name: list[str], unknown: list[str]) -> list[str]:
    """What was guessed of parts that no program was chosen for."""
    remarks = []
    if by_name:
        remarks.append(f"instruments by the names of tracks, as there are no programs: {', '.join(by_name)}"[:200])
    if len(unknown) > 1:
        remarks.append(f"tracks with neither a program nor a known name are piano: {', '.join(unknown)}"[:200])
    return remarks


def _endless_remark(count: int) -> list[str]:
    return (
        [f"notes that are never switched off end with their bar or where they are struck again ({count})"]
        if count
        else []
    )


def _as_heard(rows: Rows, shift: NDArray[np.int64] | int, pedals: Rows, ticks: float) -> Rows:
    """The notes of a pitched part as tuning moves them and the pedal of their channel in this track holds them."""
    if not isinstance(shift, int) or shift:
        rows = rows.copy()
        rows[:, PITCH] += shift
        rows = rows[(rows[:, PITCH] >= 0) & (rows[:, PITCH] < NUM_PITCHES)]
    pedal = pedals[pedals[:, CHANNEL] == rows[0, ROW_CHANNEL]] if len(pedals) and len(rows) else pedals[:0]
    if len(pedal):
        times, down = pedal[:, TICK], pedal[:, VALUE] >= PEDAL_DOWN
        longest = round(LONGEST_PEDAL * ticks)
        rows = rows.copy()
        rows[:, END] = sustain(rows[:, ONSET], rows[:, END], rows[:, PITCH], times, down, longest)
    return rows
