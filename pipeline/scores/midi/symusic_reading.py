"""Clean MIDI files read by symusic, which is quick but tells neither channels nor notes that never end.

So that it does, its copy of the file gets probes. At the beginning of each track its channels are set to a program
that music hardly knows: notes that come back with it had no program of their own. At its end all notes are switched
off, long after, so that what never ended lasts long. Where tracks play several channels, a last note follows on every
program that may have been chosen: its pitch names the track, its velocity the channel.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.formats import printable
from pipeline.scores.midi.channels import BANK, COARSE_TUNING, MELODY_BANK, RHYTHM_BANKS, RPN_LSB
from pipeline.scores.midi.chunks import END_OF_TRACK, TRACK, clean_tracks
from pipeline.scores.midi.events import CONTROL, DRUM_CHANNEL, NOTE_ON, PROGRAM
from pipeline.scores.midi.parts import NAMES, decode_text, name_remarks, named_part
from pipeline.scores.midi.sustain import LONGEST_PEDAL, PEDAL_DOWN, SUSTAIN, sustain
from pipeline.scores.midi.sysex import XG, effects
from pipeline.scores.score import EVENT, Metre, Part, Score

PROBE_PROGRAM = 124
"""A telephone, for channels without a program. A file that chooses it is read by events."""
MOST_TRACKS, MOST_PROGRAMS = 128, 64
"""In a file, and program changes in a track, that are probed."""
FIRST_NOTE = re.compile(rb"(?<=[\x00-\x7f])[\x90-\x9f][\x00-\x7f][\x00-\x7f]")
"""The first note-on of a clean track; in few it is something else, which shows."""
PERHAPS_PROGRAM = re.compile(rb"(?<=[\x00-\x7f])[\xc0-\xcf][\x00-\x7f]")
"""What may be a program change."""
BANK_CHANGE = re.compile(rb"([\xb0-\xbf])(?:[\x00-\x7f]{3})*?\x00([\x00-\x7f])")
"""A bank select, with controllers in running status before it."""
BANK_REACH = 64
"""Bytes; how far before a program change its bank select is looked for."""
TUNING = re.compile(
    rb"\x64\x02(?:[\x80-\xff]?[\x00-\x7f][\xb0-\xbf]?\x65\x00)?[\x80-\xff]?[\x00-\x7f][\xb0-\xbf]?\x06(?!\x40)"
)
"""The registered parameter that transposes, and a value that does."""
LONG = 0x0FFFFFFF
"""Ticks; the longest distance of events."""
HEADS = [bytes((0, PROGRAM | channel, PROBE_PROGRAM)) for channel in range(16)]
"""The probe at the beginning of a track, by channel."""
ALL_HEADS = b"".join(HEADS)
NAME = re.compile(rb"\xff([\x03\x04\x08])([\x00-\x7f])")
"""A meta event with the name of a track, an instrument or a program, and its length."""
SILENCE = [
    bytes((0, NOTE_ON | channel, 0, 0)) + b"".join(bytes((0, pitch, 0)) for pitch in range(1, 128))
    for channel in range(16)
]
"""All notes of a channel switched off one by one."""
TICK = b"\xff\x01\x00" + b"\xff\xff\xff\x7f" + b"\xff\x01\x00"
"""Empty texts: one in place of the end of a track, and one long after."""

COUNT_BYTES = 4
SYMUSIC_NOTE = np.dtype([("time", "<i4"), ("duration", "<i4"), ("pitch", "i1"), ("velocity", "i1")], align=True)
SYMUSIC_CONTROL = np.dtype([("time", "<i4"), ("number", "u1"), ("value", "u1")], align=True)
"""How symusic 0.6.0 pickles lists of notes and of controls, after their count."""
AROUND = np.array([[-1], [1], [2], [3]])
"""What is looked at around what may be a program change."""
TAILS = [TICK + silence for silence in SILENCE]
LAST = b"\x00" + END_OF_TRACK
ANY_CHANNEL = 0
"""Of a track with melody whose channel does not matter."""
Player = tuple[int, int, int]
"""Number of a track in the file, channel, program."""
Changes = dict[tuple[int, int, int], int]
"""Perhaps program changes, by track, channel and program; and where the last of each stands."""


def read_by_symusic(content: bytes, title: str) -> Score | None:
    """The score in a MIDI file, or None where only a reading by events can tell what is in it.

    That is so where lengths or data bytes are wrong, notes never end, running status goes on after a system-exclusive
    message, or banks, tunings, system-exclusive messages or other tracks choose what a track plays.
    """
    tracks = clean_tracks(content)
    if tracks is None or len(tracks) > MOST_TRACKS:
        return None
    data = np.frombuffer(content, np.uint8)
    exclusive = _exclusive_messages(content, tracks)
    if exclusive.matter or _transposes(content, data):
        return None
    if _has_bank(content, data, exclusive.has_xg):
        return None
    found = _ask_simply(content, data, tracks, exclusive) or _ask_each_channel(content, data, tracks, exclusive)
    if found is None:
        return None
    file, probed = found
    ticks = file.ticks_per_quarter
    parts, remarks, end = _parts(content, tracks, probed, ticks)
    metres = [
        Metre(one.time / ticks, one.numerator, one.denominator)
        for one in file.time_signatures
        if one.numerator > 0 and one.denominator > 0
    ]
    if not metres or metres[0].start > 0:
        metres.insert(0, Metre(0.0, 4, 4))
    tempos = [(one.time / ticks, one.qpm) for one in file.tempos]
    tempos = [(start, bpm) for start, bpm in tempos if 1 < bpm < 2000]
    score = Score(title, parts, tuple(metres), tuple(tempos), remarks)
    vars(score)["end"] = end / ticks  # what the property would find anew, part by part
    return score


@dataclass
class ExclusiveMessages:
    """What a look at the bytes of a file says of its system-exclusive messages."""

    matter: bool = False
    """Whether they choose drums or tunings, or running status goes on after one."""
    has_xg: bool = False
    """Whether one switches XG on."""
    doubtful: list[tuple[int, int]] = field(default_factory=list)
    """Bytes that look like one but are part of a distance between events, if symusic found it: track and ticks."""


def _exclusive_messages(content: bytes, tracks: list[tuple[int, int]]) -> ExclusiveMessages:
    """The messages of a file whose tracks begin and end there."""
    found = ExclusiveMessages()
    starts = [start for start, _ in tracks]
    ends = set()
    for status in (b"\xf0", b"\xf7"):
        place = content.find(status, starts[0])
        while place >= 0 and not found.matter:
            track = bisect_right(starts, place) - 1
            if place in ends or place >= tracks[track][1] or _is_inside_event(content, place):
                pass
            elif (
                status == b"\xf0"
                and content[place + 1 + content[place + 1] : place + 2 + content[place + 1]] == b"\xf7"
            ):
                stop = place + 2 + content[place + 1]
                ends.add(stop - 1)
                _take_in(found, content[place + 2 : stop])
                found.matter |= not _status_follows(content, stop)
            else:
                ticks, after = 0, place
                while content[after] >= 0x80:
                    ticks, after = ticks << 7 | content[after] & 0x7F, after + 1
                found.doubtful.append((track, ticks << 7 | content[after]))
            place = content.find(status, place + 1)
    return found


def _take_in(found: ExclusiveMessages, body: bytes) -> None:
    """Note what one message does, given without its first byte."""
    for effect in effects(body):
        if effect.kind == "system":
            found.has_xg |= effect.system == XG
        else:
            found.matter |= effect.value != (effect.kind == "drums" and effect.channel == DRUM_CHANNEL)


def _is_inside_event(content: bytes, place: int) -> bool:
    """Whether a byte above 127 is surely no status byte: one of a distance, or of a tempo."""
    return (
        content[place - 1] >= 0x80
        or content[place - 4 : place - 1] == b"\xff\x51\x03"
        or content[place - 5 : place - 2] == b"\xff\x51\x03"
    )


def _status_follows(content: bytes, place: int) -> bool:
    """Whether a distance and a status byte stand here, not data in running status."""
    while content[place : place + 1] >= b"\x80":
        place += 1
    return content[place + 1 : place + 2] >= b"\x80"


def _transposes(content: bytes, data: NDArray[np.uint8]) -> bool:
    """Whether a registered parameter transposes a channel."""
    matches = (data[:-1] == RPN_LSB) & (data[1:] == COARSE_TUNING[1])
    if not matches.any():
        return False
    places = np.flatnonzero(matches)
    return any(TUNING.match(content, place) for place in places.tolist())


def _has_bank(content: bytes, data: NDArray[np.uint8], is_xg: bool) -> bool:
    """Whether a bank select, with a status byte of its own, may matter."""
    banks = np.flatnonzero(((data[:-1] & 0xF0) == CONTROL) & (data[1:] == BANK))
    return any(_bank_matters(content[place] & 15, content[place + 2], is_xg) for place in banks.tolist())


def _ask_simply(
    content: bytes, data: NDArray[np.uint8], tracks: list[tuple[int, int]], exclusive: ExclusiveMessages
) -> tuple[Any, ProbedTracks] | None:
    """What symusic says of a file whose tracks play one channel each, and choose its program themselves.

    None where they may not. Each track is silenced on the channel of its first note, and nothing but that is probed.
    """
    pieces: list[bytes | memoryview] = [content[:14]]
    view = memoryview(content)
    players: list[tuple[int, int]] = []  # number and channel of each track with notes
    elsewhere: list[tuple[int, int]] = []  # channels and programs that are chosen before other notes or without any
    for number, (start, stop) in enumerate(tracks):
        first = FIRST_NOTE.search(content, start, stop)
        channel = first[0][0] & 15 if first else -1
        for match in PERHAPS_PROGRAM.finditer(content, start, first.start() if first else stop):
            if match[0][0] & 15 != channel and _is_program_change(content, match.start()):
                elsewhere.append((match[0][0] & 15, match[0][1]))
        if first is None:
            pieces.append(view[start - 8 : stop])
            continue
        if _has_bank_near(content[start : first.start()], exclusive.has_xg):
            return None
        tail = TAILS[channel]
        length = len(ALL_HEADS) + stop - start - 3 + len(tail) + len(LAST)
        pieces += (TRACK, length.to_bytes(4, "big"), ALL_HEADS, view[start : stop - 3], tail, LAST)
        players.append((number, channel))
    file = _parse(b"".join(pieces))
    if file is None:
        return None
    found = [track for track in file.tracks if track.note_num()]
    if len(found) != len(players):
        changes = _program_changes(content, data, [start for start, _ in tracks], exclusive.has_xg)
        channels = dict(players)
        drums = sum(track.is_drum for track in found)
        if changes is None or drums != sum(channel == DRUM_CHANNEL for _, channel in players):
            return None
        if exclusive.doubtful or any(channel in channels.values() for channel, _ in elsewhere):
            return None
        for (number, channel, _), place in changes.items():
            if channels.get(number, channel) != channel and _is_program_change(content, place):
                return None
        if any("\ufffd" in track.name for track in found):
            return None
        players = [(0, DRUM_CHANNEL if track.is_drum else ANY_CHANNEL) for track in found]
    for (_, channel), track in zip(players, found, strict=True):
        if any(own == channel and program != track.program for own, program in elsewhere) and channel != DRUM_CHANNEL:
            return None
        if track.is_drum != (channel == DRUM_CHANNEL) or (track.program == PROBE_PROGRAM and not track.is_drum):
            return None
    notes = _table([track.notes for track in found], SYMUSIC_NOTE)
    if len(notes) and notes["duration"].max() >= LONG:
        return None
    stops = list(accumulate(track.note_num() for track in found))
    rows = [(*player, track.program) for player, track in zip(players, found, strict=True)]
    probed = ProbedTracks(found, notes, stops, rows, num_probes=0)
    return (file, probed) if _lasts(file, probed, exclusive.doubtful) else None


def _ask_each_channel(
    content: bytes, data: NDArray[np.uint8], tracks: list[tuple[int, int]], exclusive: ExclusiveMessages
) -> tuple[Any, ProbedTracks] | None:
    """What symusic says of a file with probes on every channel of its tracks, and every program that may be chosen.

    None where it still may be wrong.
    """
    changes = _program_changes(content, data, [start for start, _ in tracks], exclusive.has_xg)
    if changes is None:
        return None
    for thorough in (False, True):
        file = _parse(_with_probes(content, tracks, changes, thorough))
        probed = _listen(file) if file is not None else None
        if probed is not None:
            is_clear = not _is_set_elsewhere(content, probed.players, changes)
            return (file, probed) if is_clear and _lasts(file, probed, exclusive.doubtful) else None
    return None


def _parse(content: bytes) -> Any:
    """The file as symusic has it, or None where it gives up."""
    import symusic

    try:
        return symusic.Score.from_midi(content)
    except Exception:  # symusic raises RuntimeError, ValueError and its own kinds
        return None


def _program_changes(content: bytes, data: NDArray[np.uint8], starts: list[int], is_xg: bool) -> Changes | None:
    """What may be a program change by its bytes; None where a bank select before one matters."""
    places = np.flatnonzero((data & 0xF0) == PROGRAM)
    before, program, after, later = data.take(places + AROUND, mode="clip")
    # its status byte stands between bytes below 128, and no data in running status follow it
    places = places[((before | program) < 0x80) & ((after | later) >= 0x80)]
    codes = np.searchsorted(starts, places, "right") << 16 | data[places].astype(int) << 8 | data[places + 1]
    changes = {}
    for code, place in dict(zip(codes.tolist(), places.tolist(), strict=True)).items():
        channel = code >> 8 & 15
        if _has_bank_near(content[place - BANK_REACH if place > BANK_REACH else 0 : place], is_xg):
            return None
        changes[(code >> 16) - 1, channel, code & 127] = place
    return changes


def _has_bank_near(setup: bytes, is_xg: bool) -> bool:
    """Whether a bank select in these bytes, in running status or not, may matter."""
    if b"\x00\x7f" in setup or b"\x00\x7e" in setup or b"\x00\x78" in setup or b"\x00\x79" in setup or is_xg:
        return any(_bank_matters(status[0] & 15, bank[0], is_xg) for status, bank in BANK_CHANGE.findall(setup))
    return False


def _bank_matters(channel: int, bank: int, is_xg: bool) -> bool:
    """Whether a bank may make drums of a channel that plays none, or the other way round."""
    if channel != DRUM_CHANNEL:
        return bank in RHYTHM_BANKS
    return bank == MELODY_BANK or (is_xg and bank not in RHYTHM_BANKS)


def _with_probes(content: bytes, tracks: list[tuple[int, int]], changes: Changes, thorough: bool) -> bytes:
    """A copy of the file with probes in each track that has notes: on one channel without a program, or on more."""
    pieces: list[bytes | memoryview] = [content[:14]]
    view = memoryview(content)
    of_track: dict[int, list[tuple[int, int]]] = {}
    for track, channel, program in changes:
        of_track.setdefault(track, []).append((channel, program))
    for number, (start, stop) in enumerate(tracks):
        first = FIRST_NOTE.search(content, start, stop)
        if first is None:
            pieces.append(view[start - 8 : stop])
            continue
        channel = content[first.start()] & 15
        programs = of_track.get(number, [])
        channels = {channel}
        if thorough:
            statuses = np.frombuffer(content, np.uint8, stop - start, start)
            channels.update((np.unique(statuses[(statuses & 0xF0) == NOTE_ON]) & 15).tolist())
        if thorough or all(one != channel for one, _ in programs):
            programs = [*programs, *((one, PROBE_PROGRAM) for one in channels)]
        if len(programs) > 1:
            channels.update(one for one, _ in programs)
        head, tail = HEADS[channel], TAILS[channel]
        for one in channels - {channel}:
            head, tail = head + HEADS[one], tail + SILENCE[one]
        for one, program in programs:
            tail += bytes((0, PROGRAM | one, program, 0, NOTE_ON | one, number, one + 1, 0, number, 0))
        length = len(head) + stop - start + len(tail) + 1
        pieces += (TRACK, length.to_bytes(4, "big"), head, view[start : stop - 3], tail, LAST)
    return b"".join(pieces)


@dataclass
class ProbedTracks:
    """What symusic found, and what its probes say."""

    tracks: list[Any]
    """Symusic's tracks that have notes."""
    notes: NDArray[np.void]
    """The notes of all, of dtype `SYMUSIC_NOTE`, track by track."""
    stops: list[int]
    """Where the notes of each end."""
    players: list[Player]
    num_probes: int = 1
    """Notes at the end of each track that are none of the file's."""


def _listen(file: Any) -> ProbedTracks | None:
    """The tracks with notes; None where a probe is missing or notes never end."""
    tracks = [track for track in file.tracks if track.note_num() > 1 or _is_unprobed(track)]
    notes = _table([track.notes for track in tracks], SYMUSIC_NOTE)
    stops = list(accumulate(track.note_num() for track in tracks))
    if not tracks:
        return ProbedTracks(tracks, notes, stops, [])
    probes = notes[np.array(stops) - 1]
    numbers, channels = probes["pitch"].tolist(), (probes["velocity"] - 1).tolist()
    if probes["time"].min() < LONG or notes["duration"].max() >= LONG:
        return None
    players = list(zip(numbers, channels, [track.program for track in tracks], strict=True))
    return ProbedTracks(tracks, notes, stops, players)


def _is_unprobed(track: Any) -> bool:
    """Whether a track has notes of the file, if it has one note at most."""
    return bool(track.note_num()) and track.notes[0].time < LONG


def _parts(
    content: bytes, places: list[tuple[int, int]], probed: ProbedTracks, ticks: int
) -> tuple[tuple[Part, ...], tuple[str, ...], int]:
    """The tracks as parts, what was guessed, and the tick at which the last note ends.

    Their events are slices of one table, since one piece of work is quicker than many.
    """
    notes, stops = probed.notes, probed.stops
    starts = [0, *stops[:-1]]
    duration = notes["duration"].copy()
    for (_, channel, _), track, start, stop in zip(probed.players, probed.tracks, starts, stops, strict=False):
        if channel != DRUM_CHANNEL and len(track.pedals):
            _press_pedal(notes[start:stop], duration[start:stop], track.controls, LONGEST_PEDAL * ticks)
    events = np.empty(len(notes), EVENT)
    np.divide(notes["time"], ticks, out=events["onset"])
    np.divide(duration, ticks, out=events["duration"])
    events["pitch"], events["velocity"] = notes["pitch"], notes["velocity"]
    parts, by_name, unknown = [], [], []
    for player, track, start, stop in zip(probed.players, probed.tracks, starts, stops, strict=False):
        number, channel, program = player
        name = printable(track.name)
        is_drum, is_chosen = channel == DRUM_CHANNEL, program != PROBE_PROGRAM
        names = [name]
        if "\ufffd" in name or not (is_chosen or is_drum):
            names = _names(content, *places[number])
            name = names[-1] if names else ""
        part = Part(name, program if is_chosen else 0, is_drum, events[start : stop - probed.num_probes])
        if not is_chosen and not is_drum and sum(one[0] == number for one in probed.players) == 1:
            part, is_known = named_part(part, names)
            if (part.program, part.is_drum) != (0, False):
                by_name.append(name)
            elif name and not is_known:
                unknown.append(name)
        parts.append(part)
    ends = notes["time"] + duration
    if probed.num_probes:
        ends[np.array(stops, int) - 1] = 0
    return tuple(parts), tuple(name_remarks(by_name, unknown)), int(ends.max(initial=0))


def _names(content: bytes, start: int, stop: int) -> list[str]:
    """What a track is called: the names of its program, its instrument, and its own, as far as there are any."""
    found = {
        match[1][0]: decode_text(content[match.end() : match.end() + match[2][0]])
        for match in NAME.finditer(content, start, stop)
    }
    return [found[kind] for kind in NAMES if found.get(kind)]


def _table(lists: list[Any], kind: np.dtype[np.void]) -> NDArray[np.void]:
    """The events of symusic's lists, one list after the other, out of the bytes that it pickles.

    Its `numpy` takes ten times as long, which is as long as parsing the file.
    """
    table = np.frombuffer(bytearray().join([one.__getstate__()[COUNT_BYTES:] for one in lists]), kind)
    if len(table) != sum(map(len, lists)):
        raise RuntimeError(f"symusic {version('symusic')} keeps its events another way than 0.6.0")
    return table


def _is_set_elsewhere(content: bytes, players: list[Player], changes: Changes) -> bool:
    """Whether another track than its own may choose a channel's program, or one plays notes before its own change."""
    programs: dict[int, set[int]] = {}
    for _, channel, program in players:
        programs.setdefault(channel, set()).add(program)
    programs.pop(DRUM_CHANNEL, None)
    own = {(track, channel) for track, channel, _ in players}
    for (track, channel, program), place in changes.items():
        if channel in programs:
            chosen = programs[channel]
            is_foreign = (track, channel) not in own and chosen != {program}
            if (is_foreign or PROBE_PROGRAM in chosen) and _is_program_change(content, place):
                return True
    return False


def _is_program_change(content: bytes, place: int) -> bool:
    """Whether what may be a program change is one, by a closer look."""
    return not _is_inside_event(content, place) and _status_follows(content, place + 2)


def _lasts(file: Any, probed: ProbedTracks, doubtful: list[tuple[int, int]]) -> bool:
    """Whether of each track given two events follow each other at the distance given with it."""
    for number, distance in doubtful:
        own = [index for index, player in enumerate(probed.players) if player[0] == number]
        tracks = [probed.tracks[index] for index in own]
        rows = [
            probed.notes[probed.stops[index] - probed.tracks[index].note_num() : probed.stops[index]] for index in own
        ]
        times = [np.array([0]), *(one["time"] for one in rows), *(one["time"] + one["duration"] for one in rows)]
        if probed.num_probes:
            times += [one["time"][-1:] - LONG for one in rows]  # the end of the track, before the probe
        others = [events for track in tracks for events in (track.controls, track.pitch_bends)]
        if not own or number == 0:
            others += [file.tempos, file.time_signatures, file.key_signatures, file.markers]
        times += [np.array([one.time for one in events], np.int64) for events in others]
        if distance not in np.diff(np.unique(np.concatenate(times))):
            return False
    return True


def _press_pedal(notes: NDArray[np.void], duration: NDArray[np.int32], controls: Any, longest: int) -> None:
    """Lengthen the notes of a track in place, where its pedal holds them."""
    controls = _table([controls], SYMUSIC_CONTROL)
    pedal = controls["number"] == SUSTAIN
    down = controls["value"][pedal] >= PEDAL_DOWN
    if np.any(down):
        onset = notes["time"].astype(np.int64)
        end = sustain(onset, onset + duration, notes["pitch"], controls["time"][pedal], down, longest)
        duration[:] = end - onset
