"""Songs to MIDI files, with programs, names, tempo and key where players and notation programs look for them.

Words are lyric events as the MIDI Association's RP-017 has them, on a track of their own named Words: an event a
syllable, a space after the end of a word, a carriage return at the end of a line, a line feed at that of a section.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path

from mido import Message, MetaMessage, bpm2tempo  # type: ignore[import-untyped]

from gan.spec import RollSpec
from pipeline.errors import UserError
from pipeline.files import atomic_path
from pipeline.rendering.excerpt import excerpt
from pipeline.scores.midi.events import DRUM_CHANNEL
from pipeline.scores.midi.writing import MidiEvent, midi_file, midi_track, note_events
from pipeline.scores.swing import STRAIGHT, swing_text
from pipeline.songs.song import TICKS_PER_BEAT, Song
from pipeline.songs.sung_syllables import SungSyllable, lines_of, ticks_of

VOLUME, PAN = 7, 10
"""Controller numbers."""


def channels_of(spec: RollSpec) -> list[int]:
    """A MIDI channel (0 to 15) for each track: drums on the tenth, every other track on its own."""
    free = [channel for channel in range(16) if channel != DRUM_CHANNEL]
    if len(spec.pitched) > len(free):
        raise UserError(f"MIDI has 15 channels for tracks with pitches, and there are {len(spec.pitched)}.")
    pitched = iter(free)
    return [DRUM_CHANNEL if track.is_drum else next(pitched) for track in spec.tracks]


def midi_bytes(
    song: Song,
    title: str | None = None,
    only_track: int | None = None,
    tail_beats: int = 0,
    words: Sequence[SungSyllable] = (),
) -> bytes:
    """A song as a MIDI file of type 1.

    Parameters
    ----------
    song
        What to write.
    title
        Name of the song; none leaves it out.
    only_track
        Index of the one track to write the notes of; all if None.
    tail_beats
        Quarter notes of silence before the end of the file, in which the last sounds may fade.
    words
        What is sung, on the notes of `song`.
    """
    wanted = range(song.spec.num_tracks) if only_track is None else (only_track,)
    return _file_of(song, title, wanted, tail_beats, words)


def selection_bytes(
    song: Song, tracks: Collection[int], first_bar: int = 0, end_bar: int | None = None, title: str | None = None
) -> bytes:
    """Some tracks (by index) in the bars from `first_bar` to before `end_bar` of a song, as a MIDI file of type 1.

    Tempi, section names and chords of these bars stand in it as in the file of the song; there is no track, program or
    controller but of the tracks that were asked for. `excerpt` says which notes it holds.
    """
    return _file_of(excerpt(song, first_bar, song.num_bars if end_bar is None else end_bar), title, tracks)


def _file_of(
    song: Song,
    title: str | None,
    wanted: Collection[int],
    tail_beats: int = 0,
    words: Sequence[SungSyllable] = (),
) -> bytes:
    """The conductor's track, the words, and the tracks that are wanted."""
    end = song.num_steps * song.ticks_per_step + tail_beats * TICKS_PER_BEAT
    tracks = [midi_track(_conductor(song, title), end)]
    if words:
        tracks.append(midi_track(_words(song, words), end))
    starts, ends = song.bounds_ticks()
    for index, channel in enumerate(channels_of(song.spec)):
        if index in wanted:
            mine = song.notes["track"] == index
            columns = (starts[mine], ends[mine], song.notes["pitch"][mine], song.velocities[mine])
            notes = note_events(channel, *(column.tolist() for column in columns))
            tracks.append(midi_track([*_setup(song, index, channel), *notes], end))
    return midi_file(tracks, TICKS_PER_BEAT)


def _conductor(song: Song, title: str | None) -> list[MidiEvent]:
    """The first track: title, metre, key, tempi, and as markers section names and chord symbols."""
    events: list[MidiEvent] = [(0, MetaMessage("track_name", name=title))] if title else []
    spec = song.spec
    numerator, denominator = map(int, spec.metre.split("/"))
    clicks = round(24 * spec.quarters_per_beat)  # MIDI clocks between two clicks of a metronome
    metre = MetaMessage("time_signature", numerator=numerator, denominator=denominator, clocks_per_click=clicks)
    events.append((0, metre))
    events.append((0, MetaMessage("key_signature", key=midi_key(song.key))))
    if song.swing != STRAIGHT:
        events.append((0, MetaMessage("text", text=swing_text(song.swing))))
    for step, tempo in song.tempo_map:
        events.append((step * song.ticks_per_step, MetaMessage("set_tempo", tempo=bpm2tempo(tempo))))
    for section in song.sections:
        tick = section.first_bar * spec.steps_per_bar * song.ticks_per_step
        events.append((tick, MetaMessage("marker", text=section.name)))
    events += [
        (step * song.ticks_per_step, MetaMessage("marker", text=symbol)) for step, symbol in song.chord_changes()
    ]
    return sorted(events, key=lambda event: event[0])


def _words(song: Song, words: Sequence[SungSyllable]) -> list[MidiEvent]:
    """The lyric events."""
    events: list[MidiEvent] = [(0, MetaMessage("track_name", name="Words"))]
    lines, ticks = lines_of(words), iter(ticks_of(song, words))
    for number, line in enumerate(lines):
        for one in line:
            begins, stops = next(ticks)
            events.append((begins, MetaMessage("lyrics", text=one.text + " " * one.ends_word)))
        last = number + 1 == len(lines) or lines[number + 1][0].section != line[0].section
        events.append((stops, MetaMessage("lyrics", text="\n" if last else "\r")))
    return events


def _setup(song: Song, index: int, channel: int) -> list[MidiEvent]:
    """Name, program, volume and pan of a track."""
    return [
        (0, MetaMessage("track_name", name=song.spec.tracks[index].name)),
        (0, Message("program_change", channel=channel, program=song.programs[index])),
        (0, Message("control_change", channel=channel, control=VOLUME, value=round(127 * song.volumes[index]))),
        (0, Message("control_change", channel=channel, control=PAN, value=midi_pan(song.pans[index]))),
    ]


def midi_pan(pan: float) -> int:
    """The value of controller 10 (pan) for a place from -1 (left) to 1 (right)."""
    return max(0, min(127, round(64 + 63.5 * pan)))


def midi_key(key: str) -> str:
    """`F# minor` as MIDI files write it: `F#m`."""
    match = re.fullmatch(r"([A-G][b#]?) (major|minor)", key)
    if not match:
        raise ValueError(f"{key} is no key such as G major or F# minor")
    return match[1] + ("m" if match[2] == "minor" else "")


def write_midi(path: Path, song: Song, title: str | None = None, words: Sequence[SungSyllable] = ()) -> None:
    """Write a song as a MIDI file, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(midi_bytes(song, title, words=words))
