"""MIDI files: read to scores by symusic, written from events by mido."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from typing import Any

import numpy as np
from mido import Message, MetaMessage, MidiFile, MidiTrack  # type: ignore[import-untyped]
from numpy.typing import NDArray

from pipeline.errors import UnusableError
from pipeline.formats import printable
from pipeline.scores.score import Events, Metre, Part, Score, make_events

SUSTAIN, PEDAL_DOWN = 64, 64
"""The controller of the sustain pedal, and the least value that means down."""
LONGEST_PEDAL = 16
"""Quarter notes. In POP909 pedals stay down for one or two, seldom for eight, or else for hundreds."""
NEVER = np.int64(2**62)
"""A tick that no note has."""

DRUM_CHANNEL = 9
"""Counted from 0: the tenth channel is General MIDI's drum set."""

Columns = dict[str, NDArray[np.integer[Any]]]
"""One kind of event of a track, a column a field, as symusic gives it."""
MidiEvent = tuple[int, Message | MetaMessage]
"""What is written: a tick counted from the beginning of the file, and a message."""


def read_midi(content: bytes, title: str, limit: int) -> list[Score]:
    """The score in the bytes of a MIDI file.

    A file that names no time signature is in 4/4, as the format says. Notes of no length are kept: they get a step.
    Notes held by the sustain pedal last as long as they sound (`sustain`); a pedal counts for the notes of its own
    track and program, and drums have none.

    Raises
    ------
    UnusableError
        The bytes are not those of a whole MIDI file.
    """
    import symusic

    if content[:4] == b"RIFF":  # an RMID file: the MIDI file is a chunk of it
        content = content[max(content.find(b"MThd"), 0) :]
    if content[:4] != b"MThd":
        raise UnusableError("broken file: it does not begin like a MIDI file")
    try:
        file: Any = symusic.Score.from_midi(content)
    except Exception as error:  # symusic raises RuntimeError, ValueError and its own kinds
        raise UnusableError(f"broken file: {_plain(str(error))}") from error
    ticks = file.ticks_per_quarter
    if ticks < 1:
        raise UnusableError("broken file: it counts no ticks a beat")
    metres = [
        Metre(one.time / ticks, one.numerator, one.denominator)
        for one in sorted(file.time_signatures, key=lambda one: one.time)
        if one.numerator > 0 and one.denominator > 0
    ]
    if not metres or metres[0].start > 0:
        metres.insert(0, Metre(0.0, 4, 4))
    tempos = [(one.time / ticks, one.qpm) for one in sorted(file.tempos, key=lambda one: one.time)]
    tempos = [(start, bpm) for start, bpm in tempos if 1 < bpm < 2000]
    return [Score(title, _parts(file.tracks, ticks), tuple(metres), tuple(tempos))]


def _parts(tracks: Any, ticks: int) -> tuple[Part, ...]:
    """The tracks as parts; their events are slices of one table, since one piece of work is quicker than many."""
    kinds = [(printable(track.name), track.program, track.is_drum) for track in tracks]
    columns = [track.notes.numpy() for track in tracks]
    for (_, _, is_drum), track, notes in zip(kinds, tracks, columns, strict=True):
        if not is_drum and len(track.pedals) and track.pedals.numpy()["duration"].any():
            _press_pedal(notes, track.controls.numpy(), LONGEST_PEDAL * ticks)
    if not columns:
        return ()
    time, duration, pitch, velocity = (
        np.concatenate([notes[name] for notes in columns]) for name in ("time", "duration", "pitch", "velocity")
    )
    events = make_events(time / ticks, np.maximum(duration, 0) / ticks, pitch, velocity)
    ends = np.cumsum([len(notes["time"]) for notes in columns]).tolist()
    slices = [events[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    if pitch.min(initial=0) < 0 or time.min(initial=0) < 0:
        slices = [_real(one) for one in slices]
    return tuple(Part(*kind, one) for kind, one in zip(kinds, slices, strict=True))


def _real(events: Events) -> Events:
    """The notes that can be: a damaged file may claim negative pitches and times."""
    return events[(events["pitch"] >= 0) & (events["onset"] >= 0)]


def _press_pedal(notes: Columns, controls: Columns, longest: int) -> None:
    """Lengthen the notes of a track in place, where its pedal holds them."""
    pedal = controls["number"] == SUSTAIN
    down = controls["value"][pedal] >= PEDAL_DOWN
    if len(notes["time"]) and np.any(down):
        onset = notes["time"].astype(np.int64)
        end = sustain(onset, onset + notes["duration"], notes["pitch"], controls["time"][pedal], down, longest)
        notes["duration"] = end - onset


def sustain(
    onset: NDArray[np.integer[Any]],
    end: NDArray[np.integer[Any]],
    pitch: NDArray[np.integer[Any]],
    times: NDArray[np.integer[Any]],
    down: NDArray[np.bool_],
    longest: int,
) -> NDArray[np.int64]:
    """Where notes end when the sustain pedal holds them.

    A note whose key is let go while the pedal is down lasts until the pedal is lifted or the same pitch is struck
    again. Of what happens at one tick the pedal moves first, as in Magenta's `apply_sustain_control_changes`. A pedal
    that stays down for longer than `longest`, or to the end, was forgotten and holds nothing: the notes of minutes
    would pile up, where a piano's strings had died away.

    Parameters
    ----------
    onset, end, pitch
        The notes, in ticks `[notes]`.
    times, down
        Movements of the pedal `[movements]` in order: when (in ticks), and whether it is down then.
    longest
        In ticks.

    Returns
    -------
    NDArray
        Ends in ticks, int64 `[notes]`, none before the one given.
    """
    moves = times[down != np.concatenate([[False], down[:-1]])]  # down, up, down, up ...
    pressed, lifted = moves[::2], moves[1::2]
    pressed = pressed[: len(lifted)]
    meant = lifted - pressed <= longest
    pressed, lifted = np.append(pressed[meant], NEVER), np.append(lifted[meant], -1)
    until = lifted[np.searchsorted(pressed, end, "right") - 1]
    if not np.any(until > end):
        return end.astype(np.int64)
    keys = (pitch.astype(np.int64) << 32) + onset
    ordered = np.append(np.sort(keys), NEVER)
    following = ordered[np.searchsorted(ordered, keys, "right")]
    struck = np.where(following >> 32 == pitch, following & (2**32 - 1), NEVER)
    held: NDArray[np.int64] = np.maximum(end, np.minimum(until, struck)).astype(np.int64)
    return held


def _plain(words: str) -> str:
    """What symusic said of a damaged file, in plain words where it is one of the usual things."""
    if re.search("chunk length|EOF|iostream error|Cursor", words):
        return "it is cut off or its lengths are wrong"
    wrong = re.search(r"Get (\w+)=(\d+)", words)
    if wrong:
        return f"a {wrong[1].replace('_', ' ')} of {wrong[2]}, where 127 is the most"
    return printable(words)[:100] or "symusic can't read it"


def note_events(
    channel: int, starts: Iterable[int], ends: Iterable[int], pitches: Iterable[int], velocities: Iterable[int]
) -> list[MidiEvent]:
    """Note-ons and note-offs in their order, of notes whose starts and ends are ticks.

    At the same tick notes end before others begin, so that a repeated note stays two.
    """
    rows: list[tuple[int, str, int, int]] = []
    for start, end, pitch, velocity in zip(starts, ends, pitches, velocities, strict=True):
        rows += [(start, "note_on", pitch, velocity), (end, "note_off", pitch, 0)]
    return [
        (tick, Message(kind, channel=channel, note=pitch, velocity=velocity))
        for tick, kind, pitch, velocity in sorted(rows)  # "note_off" comes before "note_on" in the alphabet too
    ]


def midi_track(events: Iterable[MidiEvent], end: int | None = None) -> MidiTrack:
    """Events in the order given as a track, each with its distance from the one before.

    With `end` the track lasts until that tick; without, until its last event.
    """
    track, now = MidiTrack(), 0
    closing = [] if end is None else [(end, MetaMessage("end_of_track"))]
    for tick, message in (*events, *closing):
        message.time = max(0, tick - now)
        track.append(message)
        now += message.time
    return track


def midi_file(tracks: Iterable[MidiTrack], ticks_per_beat: int) -> bytes:
    """A MIDI file of type 1; its texts are UTF-8."""
    file, target = MidiFile(type=1, ticks_per_beat=ticks_per_beat, charset="utf-8", tracks=list(tracks)), io.BytesIO()
    file.save(file=target)
    return target.getvalue()
