"""Parts of the tracks of a MIDI file: notes paired, by channel, program and name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pipeline.formats import printable
from pipeline.scores.instruments import instrument_by_name
from pipeline.scores.midi.channels import Channels, Patch
from pipeline.scores.midi.events import TrackEvents
from pipeline.scores.midi.sustain import LONGEST_PEDAL, PEDAL_DOWN, SUSTAIN, sustain
from pipeline.scores.score import Part, make_events

TRACK_NAME, INSTRUMENT_NAME, PROGRAM_NAME = 0x03, 0x04, 0x08
NAMES = (PROGRAM_NAME, INSTRUMENT_NAME, TRACK_NAME)
"""Types of meta events, the first to be believed first."""
PERCUSSION_PITCHES = (27, 87)
"""Of GM2's drum sets."""
SILENCING = (120, 123)
"""Controllers that end all notes of a channel: all sound off, all notes off."""
SINGERS = range(52, 55)
"""Programs of voices."""
MOST = 0.75
"""The share of a part's notes that lie there, so that its name is believed when it says drums."""

Row = list[int]
"""A note: tick, place in its track, tick of its end or -1, pitch, velocity."""


def pair_notes(track: TrackEvents) -> tuple[dict[int, list[Row]], int]:
    """Notes of a track by channel, and how many had no end of their own.

    Of overlapping notes of one pitch the first to begin ends first. A damaged velocity, which says neither, ends a note
    that sounds and begins one where none does. Where one of them never ends, each is taken to end
    when the next begins, and what is left at the end of the track ends at -1.
    """
    rows: dict[int, list[Row]] = {}
    sounding: dict[tuple[int, int], list[Row]] = {}
    for tick, place, channel, pitch, velocity in track.notes:
        waiting = sounding.setdefault((channel, pitch), [])
        if velocity > 127 and waiting:
            waiting.pop(0)[2] = tick
        elif velocity:
            row = [tick, place, -1, pitch, min(velocity, 127)]
            rows.setdefault(channel, []).append(row)
            waiting.append(row)
        elif waiting:
            waiting.pop(0)[2] = tick
    endless = 0
    for channel, pitch in [key for key, waiting in sounding.items() if waiting]:
        endless += _pair_again(track, channel, pitch, [row for row in rows[channel] if row[3] == pitch])
        rows[channel] = [row for row in rows[channel] if row[4]]
    return rows, endless


def _pair_again(track: TrackEvents, channel: int, pitch: int, rows: list[Row]) -> int:
    """End the notes of one pitch where the next begins, or all notes of the channel end; how many had no end.

    A doubled note loses its velocity.
    """
    endless, current = 0, None
    begun = {row[1]: row for row in rows}
    moments = [(tick, place) for tick, place, *what, _ in track.notes if what == [channel, pitch]]
    moments += [(tick, place) for tick, place, of, what, _ in track.controls if of == channel and what in SILENCING]
    for tick, place in sorted(moments):
        following = begun.get(place)
        if current is not None:
            current[2] = tick
            if following is not None and tick == current[0]:
                current[4] = 0
            elif following is not None:
                endless += 1
        current = following
        if current is not None:
            current[2] = -1
    return endless + (current is not None)


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
    channels = Channels(tracks)
    parts: list[Part] = []
    endless, by_name, unknown = 0, [], []
    for number, track in enumerate(tracks):
        rows_of, without_end = pair_notes(track)
        endless += without_end
        names = [name for kind in NAMES if (name := meta_text(track, kind))]
        for channel in sorted(rows_of):
            rows = rows_of[channel]
            for row in rows:
                if row[2] < 0:
                    row[2] = min(bar_end(row[0]), track.end if track.end > row[0] else bar_end(row[0]))
            sounds = channels.sounds(number, channel, [(row[0], row[1]) for row in rows])
            pedal = [
                (tick, value >= PEDAL_DOWN)
                for tick, _, of, what, value in track.controls
                if (of, what) == (channel, SUSTAIN)
            ]
            for program, is_drum, is_chosen in sorted({(one.program, one.is_drum, one.is_chosen) for one in sounds}):
                chosen = [
                    (row, one.transposition)
                    for row, one in zip(rows, sounds, strict=True)
                    if (one.program, one.is_drum, one.is_chosen) == (program, is_drum, is_chosen)
                ]
                part = _part(names[-1] if names else "", Patch(program, is_drum), chosen, pedal, ticks)
                if not is_chosen and not is_drum and len(rows_of) == 1:
                    part, is_known = named_part(part, names)
                    if (part.program, part.is_drum) != (0, False):
                        by_name.append(part.name)
                    elif part.name and not is_known:
                        unknown.append(part.name)
                parts.append(part)
    return tuple(parts), [*_endless_remark(endless), *name_remarks(by_name, unknown)]


def meta_text(track: TrackEvents, kind: int) -> str:
    """The last text of a kind of meta event in a track; Windows-1252 where it is not UTF-8."""
    texts = [body for _, of, body in track.metas if of == kind]
    return decode_text(texts[-1]) if texts else ""


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


def _part(name: str, sound: Patch, rows: list[tuple[Row, int]], pedal: list[tuple[int, bool]], ticks: float) -> Part:
    """The notes of one channel and program, with the pedal of the channel in this track."""
    table = np.array(
        [(row[0], row[2], row[3] + (0 if sound.is_drum else shift), row[4]) for row, shift in rows], np.int64
    )
    onset, end, pitch, velocity = table.T
    if pedal and not sound.is_drum:
        times, down = np.array([tick for tick, _ in pedal], np.int64), np.array([one for _, one in pedal])
        end = sustain(onset, end, pitch, times, down, round(LONGEST_PEDAL * ticks))
    events = make_events(onset / ticks, (end - onset) / ticks, pitch, velocity)
    return Part(name, sound.program, sound.is_drum, events[(events["pitch"] >= 0) & (events["pitch"] <= 127)])
