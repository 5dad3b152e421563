"""MIDI files to phrases once more, slowly: loops, dictionaries and fractions, and nothing of `pipeline/music`.

Written from section 3 of the design, the settings' words and the definitions in docstrings; files are read by mido.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import mido

MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
LATER = Fraction(501, 1000)
"""What lies between two steps goes to the later, with room for how files round."""

Pitched = tuple[int, int]
"""Track and pitch."""


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
    file = mido.MidiFile(path)
    ticks = file.ticks_per_beat
    voices, signatures = listen(file)
    for (_, channel, _), voice in voices.items():
        if channel != 9:
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


def listen(file: mido.MidiFile) -> tuple[dict[tuple[int, int, int], Voice], list[tuple[Fraction, int, int]]]:
    """The voices by track, channel and program; and the time signatures."""
    voices: dict[tuple[int, int, int], Voice] = defaultdict(Voice)
    signatures = []
    for number, track in enumerate(file.tracks):
        tick = 0
        program: dict[int, int] = defaultdict(int)
        sounding: dict[Pitched, list[tuple[int, int]]] = defaultdict(list)
        for message in track:
            tick += message.time
            if message.type == "time_signature":
                signatures.append((Fraction(tick, file.ticks_per_beat), message.numerator, message.denominator))
            elif message.type == "program_change":
                program[message.channel] = message.program
            elif message.type == "control_change" and message.control == 64:
                voices[number, message.channel, program[message.channel]].pedal.append((tick, message.value >= 64))
            elif message.type == "note_on" and message.velocity > 0:
                sounding[message.channel, message.note].append((tick, program[message.channel]))
            elif message.type in ("note_on", "note_off") and sounding[message.channel, message.note]:
                began, plays = sounding[message.channel, message.note].pop(0)
                voices[number, message.channel, plays].notes.append([began, tick, message.note])
    return voices, sorted(signatures, key=lambda one: one[0])


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
    voices: dict[tuple[int, int, int], Voice], start: Fraction, bars: int, ticks: int, want: Slow
) -> list[tuple[int, int, int, int]]:
    """Track, pitch, first step and length of each note of a stretch."""
    last = bars * want.beats * want.steps
    lines: dict[Pitched, dict[int, int]] = defaultdict(dict)
    for (_, channel, program), voice in voices.items():
        for index, family in enumerate(want.families):
            if (family is None) != (channel == 9) or (family is not None and program not in family):
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
