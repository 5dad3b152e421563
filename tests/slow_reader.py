"""MIDI files to phrases once more, slowly: loops, dictionaries and fractions, and of `pipeline` only what names mean.

Written from section 3 of the design, the settings' words and the definitions in docstrings; files are read by mido.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import mido

from pipeline.scores.instruments import instrument_by_name

MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
LATER = Fraction(501, 1000)
"""What lies between two steps goes to the later, with room for how files round."""

Pitched = tuple[int, int]
"""Track and pitch."""
Player = tuple[int, int, int, bool]
"""Track of the file, channel, program, and whether it plays drums."""


@dataclass
class Slow:
    """What is asked for: a band in sixteenths."""

    families: list[set[int] | None]
    """Programs of each track; None are the drums."""
    beats: int = 4
    steps: int = 4
    bars: int = 4
    hop: int = 2
    min_tracks: int = 2
    lowest: int = 24
    pitches: int = 84
    common_key: bool = True


@dataclass
class Voice:
    """What one channel of one track plays with one program."""

    notes: list[list[int]] = field(default_factory=list)
    """Tick, tick of its end, pitch."""
    pedal: list[tuple[int, bool]] = field(default_factory=list)


def read_slowly(path: Path, want: Slow) -> list[tuple[int, bytes]]:
    """The first bar and the packed bytes of every phrase; none where there is nothing to be used."""
    file = mido.MidiFile(path, clip=True)
    ticks = file.ticks_per_beat
    voices, signatures = listen(file)
    for (_, _, _, is_drum), voice in voices.items():
        if not is_drum:
            press_pedal(voice, 16 * ticks)
    end = max((note[1] for voice in voices.values() for note in voice.notes), default=0)
    phrases = []
    tables = []
    stretches = find_stretches(signatures, Fraction(end, ticks), want)
    for start, num_bars, first_bar in stretches:
        tables.append((to_grid(voices, start, num_bars, ticks, want), num_bars, first_bar))
    if not any(table for table, _, _ in tables):
        return []
    shift = to_common_key([table for table, _, _ in tables], want) if want.common_key else 0
    for table, num_bars, first_bar in tables:
        moved = move(table, shift, want)
        phrases += [(first_bar + bar, packed) for bar, packed in cut(moved, num_bars, want)]
    return phrases


def listen(file: mido.MidiFile) -> tuple[dict[Player, Voice], list[tuple[Fraction, int, int]]]:
    """The voices by track, channel, program and whether they are drums; and the time signatures."""
    voices: dict[Player, Voice] = defaultdict(Voice)
    signatures = []
    everything = []  # tick, track, place, message
    for number, track in enumerate(file.tracks):
        tick = 0
        for place, message in enumerate(track):
            tick += message.time
            everything.append((tick, number, place, message))
            if message.type == "time_signature":
                signatures.append((Fraction(tick, file.ticks_per_beat), message.numerator, message.denominator))
    signatures.sort(key=lambda one: one[0])
    players = {(number, one.channel) for _, number, _, one in everything if is_start(one)}
    for number, channel in sorted(players):
        own = [row for row in everything if row[1] == number and getattr(row[3], "channel", None) == channel]
        states = states_of(everything, players, number, channel)
        pedal = [(row[0], row[3].value >= 64) for row in own if row[3].is_cc(64)]
        alone = sum(one == number for one, _ in players) == 1
        called = instrument_by_name(file.tracks[number].name) if alone else None
        last = max(row[0] for row in everything if row[1] == number)
        for began, place, end, pitch in notes_of(own, last, file.ticks_per_beat, signatures):
            program, is_drum = None, channel == 9
            found = [what for when, what in states if when < (began, 1, number, place)]
            if found:
                program, is_drum = found[-1]
            if program is None and called is not None and not is_drum:
                program, is_drum = called.program, called.is_drum
            voice = voices[number, channel, program or 0, is_drum]
            voice.notes.append([began, end, pitch])
            voice.pedal = pedal
    return voices, signatures


def is_start(message: mido.Message) -> bool:
    """Whether a note begins."""
    return bool(message.type == "note_on" and message.velocity)


def notes_of(
    own: list[tuple[int, int, int, mido.Message]], last: int, ticks: int, signatures: list[tuple[Fraction, int, int]]
) -> list[tuple[int, int, int, int]]:
    """Begin, place, end and pitch of the notes of a track and channel; `last` is the tick at which the track ends."""
    notes = []
    for pitch in range(128):
        rows = [row for row in own if row[3].type in ("note_on", "note_off") and row[3].note == pitch]
        waiting: list[tuple[int, int]] = []
        paired = []
        for tick, _, place, message in rows:
            if is_start(message):
                waiting.append((tick, place))
            elif waiting:
                paired.append((*waiting.pop(0), tick, pitch))
        if waiting:  # some never end: each ends where the next of its pitch begins
            paired = []
            for row, following in zip(rows, [*rows[1:], None], strict=True):
                if is_start(row[3]):
                    bar = bar_end(row[0], ticks, signatures)
                    end = following[0] if following else min(bar, last) if last > row[0] else bar
                    if end > row[0] or not (following and is_start(following[3])):
                        paired.append((row[0], row[2], end, pitch))
        notes += paired
    return sorted(notes)


def bar_end(tick: int, ticks: int, signatures: list[tuple[Fraction, int, int]]) -> int:
    """The tick at which the bar of a tick ends."""
    start, length = Fraction(0), Fraction(4)
    for at, numerator, denominator in signatures:
        if at * ticks <= tick:
            start, length = at, Fraction(4 * numerator, denominator)
    return int((start + ((Fraction(tick, ticks) - start) // length + 1) * length) * ticks)


def states_of(
    everything: list[tuple[int, int, int, mido.Message]], players: set[tuple[int, int]], number: int, channel: int
) -> list[tuple[tuple[int, int, int, int], tuple[int | None, bool]]]:
    """From when on a channel has which program (None: none was chosen) and whether it plays drums, for one track."""
    changes = [row for row in everything if row[3].type == "program_change" and row[3].channel == channel]
    own = [row[0] for row in changes if row[1] == number]
    states = []
    program: int | None = None
    is_drum, bank, system = channel == 9, None, ""
    rows = sorted(everything, key=lambda row: (row[0], row[1] == number, row[1], row[2]))
    for tick, track, place, message in rows:
        fellow = track != number and (track, channel) in players and own and tick >= own[0]
        if message.type == "program_change" and message.channel == channel and not fellow:
            program = message.program
            if bank in (120, 126, 127) and system != "GS":
                is_drum = True
            elif (bank == 121 and system != "GS") or (bank is not None and system == "XG"):
                is_drum = False
        elif message.is_cc(0) and message.channel == channel and not fellow:
            bank = message.value
        elif message.type == "sysex":
            data = message.data
            part = 0 if channel == 9 else channel + 1 if channel < 9 else channel
            if data[2:6] == (0x42, 0x12, 0x40, 0x10 | part) and data[6] == 0x15:
                is_drum = data[7] > 0
            elif data[:1] == (0x43,) and data[2:6] == (0x4C, 8, channel, 7):
                is_drum = data[6] > 0
            elif data[2:3] == (9,) or data[2:7] == (0x42, 0x12, 0x40, 0, 0x7F) or data[2:6] == (0x4C, 0, 0, 0x7E):
                system = {0x7E: "GM", 0x41: "GS", 0x43: "XG"}[data[0]]
                is_drum, bank = channel == 9, None
            else:
                continue
        else:
            continue
        states.append(((tick, int(track == number), track, place), (program, is_drum)))
    return states


def press_pedal(voice: Voice, longest: int) -> None:
    """Lengthen what the pedal holds; a pedal that is down for longer, or never lifted, holds nothing."""
    down, held = None, []
    for tick, is_down in voice.pedal:
        if is_down and down is None:
            down = tick
        elif not is_down and down is not None:
            if tick - down <= longest:
                held.append((down, tick))
            down = None
    onsets: dict[int, list[int]] = defaultdict(list)
    for began, _, pitch in voice.notes:
        onsets[pitch].append(began)
    for note in voice.notes:
        began, end, pitch = note
        for pressed, lifted in held:
            if pressed <= end < lifted:
                struck = min((one for one in onsets[pitch] if one > began), default=lifted)
                note[1] = max(end, min(lifted, struck))


def find_stretches(
    signatures: list[tuple[Fraction, int, int]], end: Fraction, want: Slow
) -> list[tuple[Fraction, int, int]]:
    """Start in quarter notes, bars, and bars before, of every stretch in the metre that is long enough."""
    if not signatures or signatures[0][0] > 0:
        signatures = [(Fraction(0), 4, 4), *signatures]
    metres: list[tuple[Fraction, Fraction, bool]] = []
    for at, numerator, denominator in signatures:
        length = Fraction(4 * numerator, denominator)
        compound = denominator >= 8 and numerator > 3 and numerator % 3 == 0
        if metres and metres[-1][0] == at:
            metres.pop()
        if metres and metres[-1][1:] == (length, compound) and (at - metres[-1][0]) % length == 0:
            continue
        metres.append((at, length, compound))
    found = []
    before = 0
    for index, (at, length, compound) in enumerate(metres):
        last = index + 1 == len(metres) or metres[index + 1][0] >= end
        stop = end if last else metres[index + 1][0]
        bars = math.ceil((stop - at - Fraction(1, 1000)) / length) if last else (stop - at) // length
        bars = max(bars, 0)
        if length == want.beats and not compound and bars >= want.bars:
            found.append((at, bars, before))
        before += bars
    return found


def to_grid(
    voices: dict[Player, Voice], start: Fraction, bars: int, ticks: int, want: Slow
) -> list[tuple[int, int, int, int]]:
    """Track, pitch, first step and length of each note of a stretch."""
    last = bars * want.beats * want.steps
    lines: dict[Pitched, dict[int, int]] = defaultdict(dict)
    for (_, _, program, is_drum), voice in voices.items():
        for index, family in enumerate(want.families):
            if (family is None) != is_drum or (family is not None and program not in family):
                continue
            for began, end, pitch in voice.notes:
                step = math.floor((Fraction(began, ticks) - start) * want.steps + LATER)
                stop = math.floor((Fraction(end, ticks) - start) * want.steps + LATER)
                length = 1 if family is None else max(min(stop, last) - step, 1)
                if 0 <= step < last:
                    line = lines[index, pitch]
                    line[step] = max(line.get(step, 0), length)
    return without_overlaps(lines)


def without_overlaps(lines: dict[Pitched, dict[int, int]]) -> list[tuple[int, int, int, int]]:
    """A later note of a track and pitch cuts the earlier."""
    notes = []
    for (track, pitch), line in lines.items():
        steps = sorted(line)
        for step, following in zip(steps, [*steps[1:], 1 << 40], strict=True):
            notes.append((track, pitch, step, min(line[step], following - step)))
    return notes


def to_common_key(tables: list[list[tuple[int, int, int, int]]], want: Slow) -> int:
    """Semitones to C major or A minor."""
    time = [0] * 12
    for table in tables:
        for track, pitch, _, length in table:
            if want.families[track] is not None:
                time[pitch % 12] += length
    if max(time) == min(time):
        return 0
    best, tonic, minor = -2.0, 0, False
    for is_minor, profile in ((False, MAJOR), (True, MINOR)):
        mean = sum(profile) / 12
        size = math.sqrt(sum((one - mean) ** 2 for one in profile))
        for candidate in range(12):
            fit = sum(time[(candidate + degree) % 12] * (profile[degree] - mean) for degree in range(12)) / size
            if fit > best:
                best, tonic, minor = fit, candidate, is_minor
    up = ((9 if minor else 0) - tonic) % 12
    return up - 12 if up > 5 else up


def move(table: list[tuple[int, int, int, int]], shift: int, want: Slow) -> list[tuple[int, int, int, int]]:
    """Into the common key, then by octaves into the range; drums stay, or fall out."""
    lines: dict[Pitched, dict[int, int]] = defaultdict(dict)
    for track, pitch, step, length in table:
        if want.families[track] is not None:
            pitch += shift
            while pitch < want.lowest:
                pitch += 12
            while pitch >= want.lowest + want.pitches:
                pitch -= 12
        if want.lowest <= pitch < want.lowest + want.pitches:
            line = lines[track, pitch]
            line[step] = max(line.get(step, 0), length)
    return without_overlaps(lines)


def cut(table: list[tuple[int, int, int, int]], num_bars: int, want: Slow) -> list[tuple[int, bytes]]:
    """The phrases of a stretch that have enough tracks and have not been there before: first bar and bytes."""
    bar = want.beats * want.steps
    width = -(-want.pitches // 8)
    seen = set()
    phrases = []
    for first in range(0, num_bars - want.bars + 1, want.hop):
        begin, end = first * bar, (first + want.bars) * bar
        planes = bytearray(2 * len(want.families) * want.bars * bar * width)
        tracks = set()
        for track, pitch, step, length in table:
            for at in range(max(step, begin), min(step + length, end)):
                hold = at > max(step, begin)
                place = (hold * len(want.families) + track) * want.bars * bar + at - begin
                planes[place * width + (pitch - want.lowest) // 8] |= 128 >> (pitch - want.lowest) % 8
                tracks.add(track)
        if len(tracks) >= want.min_tracks and bytes(planes) not in seen:
            seen.add(bytes(planes))
            phrases.append((first, bytes(planes)))
    return phrases
