"""Ten small MIDI files, each with one habit of real ones, written by mido."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import mido

from tests.music_makers import Row, song_midi, tune, write_midi

Timed = tuple[int, mido.Message | mido.MetaMessage]
"""A tick from the beginning, and what happens there; of one tick what stands first comes first."""


def write_midi_files(folder: Path) -> list[Path]:
    """Write all ten into `folder`; each has at least four bars of 4/4 in which two tracks of a band sound."""
    folder.mkdir(parents=True, exist_ok=True)
    bass: list[Row] = [(onset, duration, pitch - 24) for onset, duration, pitch in tune(20)]
    beat: list[Row] = [(step, 0.25, 36 + 2 * (step % 2)) for step in range(32)]
    return [
        song_midi(folder / "band.mid", 1, bars=12),
        _in_order(folder / "pickup.mid", [tune(2), bass], metres=[(0, 1), (1, 4)]),
        _in_order(folder / "metres.mid", [tune(3, 12), tune(4, 12, 36)], metres=[(0, 4), (16, 3), (22, 4)]),
        _in_order(folder / "one-track.mid", [tune(5), bass], ticks=96, kind=0),
        _in_order(folder / "programs.mid", [tune(6), bass], changes=[(8, 0, 25), (16, 0, 48), (24, 1, 0)]),
        _in_order(folder / "pedal.mid", [_short(tune(7)), bass], pedal=[(0.5, 3.5), (4, 4.25), (6, 30)]),
        write_midi(folder / "uneven.mid", {(0, 0, "piano"): _uneven(), (9, 0, "drums"): beat}, bpm=97),
        write_midi(folder / "repeated.mid", {(0, 0, "piano"): _repeated(), (1, 33, "bass"): bass}),
        write_midi(folder / "far.mid", {(0, 0, "piano"): _far(), (9, 8, "drums"): beat}),
        write_midi(folder / "no-metre.mid", {(0, 0, "piano"): tune(9), (1, 33, "bass"): bass}, metre=None),
    ]


def _short(rows: Sequence[Row]) -> list[Row]:
    """The notes let go after an eighth, so that a pedal has something to hold."""
    return [(onset, duration / 2, pitch) for onset, duration, pitch in rows]


def _uneven() -> list[Row]:
    """Triplets, swing, and notes a little early and late."""
    triplets: list[Row] = [(third / 3, 1 / 3, 60 + third % 7) for third in range(48)]
    swing: list[Row] = [(16 + beat + late, 0.3, 67 + beat % 3) for beat in range(8) for late in (0, 2 / 3)]
    loose: list[Row] = [(24 + beat + 0.02 * (beat % 3 - 1), 0.9, 60 + beat) for beat in range(8)]
    return [*triplets, *swing, *loose]


def _repeated() -> list[Row]:
    """One pitch again and again without a gap, and notes that last into the next of their pitch."""
    again: list[Row] = [(step / 2, 0.5, 60) for step in range(32)]
    overlapping: list[Row] = [(16 + beat, 1.5, 64 + beat // 4) for beat in range(16)]
    return [*again, *overlapping]


def _far() -> list[Row]:
    """Pitches beyond the roll, a note over all bars, one of no length to speak of, and one past the last bar line."""
    edges: list[Row] = [(beat, 1, pitch) for beat, pitch in enumerate((3, 12, 23, 108, 115, 127) * 5)]
    return [*edges, (0, 32, 50), (5, 0.01, 62), (31.75, 1, 64)]


def _in_order(
    path: Path,
    lines: Sequence[Sequence[Row]],
    metres: Sequence[tuple[int, int]] = ((0, 4),),
    changes: Sequence[tuple[float, int, int]] = (),
    pedal: Sequence[tuple[float, float]] = (),
    ticks: int = 480,
    kind: int = 1,
) -> Path:
    """Write a file of piano and bass out of messages.

    `metres` are beats and numerators over 4, `changes` beats, channels and programs, `pedal` when it is down, in beats;
    of `kind` 0 the file has one track for all.
    """
    head: list[Timed] = [
        (beat * ticks, mido.MetaMessage("time_signature", numerator=numerator, denominator=4))
        for beat, numerator in metres
    ]
    tracks = [head]
    for channel, (program, rows) in enumerate(zip((0, 33), lines, strict=True)):
        track: list[Timed] = [(0, mido.Message("program_change", channel=channel, program=program))]
        for onset, duration, pitch in rows:
            for kind_of, at, velocity in (("note_off", onset + duration, 0), ("note_on", onset, 90)):
                message = mido.Message(kind_of, channel=channel, note=pitch, velocity=velocity)
                track.append((round(at * ticks), message))
        track += [
            (round(beat * ticks), mido.Message("program_change", channel=channel, program=new))
            for beat, of, new in changes
            if of == channel
        ]
        for down, up in pedal if channel == 0 else ():
            for at, value in ((down, 127), (up, 0)):
                message = mido.Message("control_change", channel=0, control=64, value=value)
                track.append((round(at * ticks), message))
        tracks.append(track)
    if kind == 0:
        tracks = [[event for track in tracks for event in track]]
    file = mido.MidiFile(type=kind, ticks_per_beat=ticks)
    for events in tracks:
        now, track_of_file = 0, mido.MidiTrack()
        order = ("program_change", "note_off", "control_change", "time_signature", "note_on")
        for tick, message in sorted(events, key=lambda event: (event[0], order.index(event[1].type))):
            track_of_file.append(message.copy(time=tick - now))
            now = tick
        file.tracks.append(track_of_file)
    file.save(path)
    return path
