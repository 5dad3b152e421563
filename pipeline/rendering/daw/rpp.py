"""Songs as REAPER projects: a zip archive of a folder with the project (`.rpp`, text) and its stems.

Times of items, markers and tempi are seconds, those inside MIDI items ticks of the project's own tempo map; tempi count
quarter notes. As in `dawproject.py` the stems sound and the tracks of notes are muted.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pipeline.audio.synthesizers import Sound
from pipeline.drawing.palette import QUIET_TEXT, rgb, track_colour
from pipeline.rendering.daw.archive import wav_bytes, write_archive
from pipeline.rendering.daw.clips import (
    CHORDS,
    NoteClip,
    Stem,
    chord_clips,
    instrument_text,
    master_gain,
    note_clips,
    seconds_at_tick,
    stems_of,
)
from pipeline.rendering.midi import channels_of
from pipeline.rendering.song_files import file_name
from pipeline.scores.midi.writing import note_events
from pipeline.songs.song import TICKS_PER_BEAT, Song

NAMESPACE = uuid.UUID("7b0e8a52-5d0e-4ac5-9f5e-3f3a3f0f6c1d")
"""From which the ids of tracks and items follow, so that a song always gives the same file."""
CUSTOM_COLOUR = 0x1000000
"""Marks a colour as one that was chosen."""
HOLD = 1
"""Shape of a tempo marker: its tempo holds until the next."""
BEATS, SECONDS = 1, 0
"""What items keep their place by when tempi are changed."""
IS_REGION = 1
"""Flag of a marker."""

Lines = list[str]


def write_rpp_zip(path: Path, song: Song, title: str, stems: Mapping[str, Sound], rate_hz: int) -> None:
    """Write a song as a REAPER project in a zip archive, atomically; the parameters are those of `write_dawproject`."""
    placed, gain, folder = stems_of(song, stems), master_gain(stems), file_name(song.number, title)

    def files() -> Iterator[tuple[str, bytes]]:
        yield f"{folder}/{folder}.rpp", rpp_text(song, title, placed, rate_hz, gain).encode()
        for stem in placed:
            yield f"{folder}/{stem.path}", wav_bytes(stem.sound, rate_hz)

    write_archive(path, files())


def rpp_text(song: Song, title: str, stems: Sequence[Stem], rate_hz: int, master: float = 1.0) -> str:
    """The text of the project file."""
    numerator, denominator = song.spec.metre.split("/")
    heard = {stem.name for stem in stems}
    lines = [
        *_chunk("NOTES 0 2", [f"|{line}" for line in _notes_on(song, title)]),
        "TIMEMODE 1 5 -1 30 0 0 -1",
        f"TIMELOCKMODE {BEATS}",
        f"SAMPLERATE {rate_hz} 0 0",
        f"TEMPO {_number(song.tempo_bpm)} {numerator} {denominator}",
        f"MASTER_VOLUME {_number(master)} 0 -1 -1 1",
        *_chunk("TEMPOENVEX", _tempo_map(song)),
        *_markers(song),
        *_stem_tracks(stems, rate_hz),
    ]
    for index, channel in enumerate(channels_of(song.spec)):
        track, colour = song.spec.tracks[index], track_colour(index)
        volume = song.volumes[index] ** 2  # General MIDI's volume law
        items = [_midi_item(song, track.name, one, channel) for one in note_clips(song, index)]
        lines += _track(track.name, colour, items, volume, song.pans[index], track.name in heard)
    chords = [_midi_item(song, CHORDS, one, 0) for one in chord_clips(song)]
    lines += _track(CHORDS, QUIET_TEXT, chords, muted=True)
    return "\n".join(_chunk('REAPER_PROJECT 0.1 "7.0" 0', lines)) + "\n"


def _notes_on(song: Song, title: str) -> Lines:
    """What the notes of the project say: what it is, and which General MIDI programs its tracks are meant for."""
    tracks = [f"{name}: {instrument_text(song, index)}" for index, name in enumerate(song.spec.names)]
    return [f"{title}, in {song.key}. The stems sound; the tracks of notes are muted.", *tracks]


def _tempo_map(song: Song) -> Lines:
    """The points of the tempo envelope, the first with the metre."""
    numerator, denominator = map(int, song.spec.metre.split("/"))
    lines = ["ACT 1 -1", "VIS 1 0 1", "LANEHEIGHT 0 0", "ARM 0", f"DEFSHAPE {HOLD} -1 -1"]
    for step, tempo in song.tempo_map:
        metre = f" {denominator << 16 | numerator} 0 1" if step == 0 else ""
        lines.append(f"PT {_number(float(song.seconds_at(step)))} {_number(tempo)} {HOLD}{metre}")
    return lines


def _markers(song: Song) -> Lines:
    """A marker at the beginning of each section, to go there by its number, and a region over it, to move it."""
    markers, regions = [], []
    for number, section in enumerate(song.sections, start=1):
        bars = (section.first_bar, section.first_bar + section.num_bars)
        start, end = (_number(float(song.seconds_at(bar * song.spec.steps_per_bar))) for bar in bars)
        markers.append(f"MARKER {number} {start} {_quoted(section.name)} 0 0 1")
        regions.append(f"MARKER {number} {start} {_quoted(section.name)} {IS_REGION} 0 1")
        regions.append(f'MARKER {number} {end} "" {IS_REGION}')
    return markers + regions


def _stem_tracks(stems: Sequence[Stem], rate_hz: int) -> Lines:
    """A folder with a track for each stem."""
    if not stems:
        return []
    lines = _track("Stems", QUIET_TEXT, [], folder="1 1")
    for place, stem in enumerate(stems, start=1):
        name, folder = f"{stem.name} stem", "2 -1" if place == len(stems) else "0 0"
        source = _chunk("SOURCE WAVE", [f"FILE {_quoted(stem.path)}"])
        item = _item(name, stem.name, 0.0, len(stem.sound) / rate_hz, source, SECONDS)
        lines += _track(name, stem.colour, [item], stem.gain, folder=folder)
    return lines


def _track(
    name: str,
    colour: str,
    items: Sequence[Lines],
    volume: float = 1.0,
    pan: float = 0.0,
    muted: bool = False,
    folder: str = "0 0",
) -> Lines:
    """A track with its items; `folder` says whether it opens or closes one."""
    identity = _identity(name)
    head = [
        f"NAME {_quoted(name)}",
        f"PEAKCOL {_colour(colour)}",
        f"VOLPAN {_number(volume)} {_number(pan)} -1 -1 1",
        f"MUTESOLO {int(muted)} 0 0",
        f"ISBUS {folder}",
        "NCHAN 2",
        f"TRACKID {identity}",
        "MAINSEND 1 0",
    ]
    return _chunk(f"TRACK {identity}", [*head, *(line for item in items for line in item)])


def _midi_item(song: Song, track: str, clip: NoteClip, channel: int) -> Lines:
    """A clip of notes as an item of MIDI events, which ends with a controller (all notes off) as REAPER has it."""
    begins, ends = seconds_at_tick(song, clip.start), seconds_at_tick(song, clip.end)
    events, now = [f"HASDATA 1 {TICKS_PER_BEAT} QN"], 0
    for tick, message in note_events(channel, *clip.notes.T.tolist()):
        status = (0x90 if message.type == "note_on" else 0x80) | channel
        events.append(f"E {tick - now} {status:02x} {message.note:02x} {message.velocity:02x}")
        now = tick
    events.append(f"E {clip.end - clip.start - now} {0xB0 | channel:02x} 7b 00")
    return _item(f"{track} {clip.start}", clip.name, begins, ends - begins, _chunk("SOURCE MIDI", events), BEATS)


def _item(key: str, name: str, start: float, length: float, source: Lines, keeps: int) -> Lines:
    """An item of a track, in seconds; `key` tells it from others."""
    identity = _identity(f"item {key}")
    head = [f"POSITION {_number(start)}", f"LENGTH {_number(length)}", "LOOP 0", f"BEAT {keeps}", f"IGUID {identity}"]
    return _chunk("ITEM", [*head, f"NAME {_quoted(name)}", f"GUID {_identity(f'take {key}')}", *source])


def _chunk(head: str, lines: Sequence[str]) -> Lines:
    """Lines between `<HEAD` and `>`, indented."""
    return [f"<{head}", *(f"  {line}" for line in lines), ">"]


def _identity(key: str) -> str:
    return f"{{{uuid.uuid5(NAMESPACE, key)}}}".upper()


def _colour(colour: str) -> int:
    """`#rrggbb` as REAPER writes colours: red in the lowest byte."""
    red, green, blue = (int(value) for value in rgb(colour))
    return CUSTOM_COLOUR | blue << 16 | green << 8 | red


def _quoted(text: str) -> str:
    """A text between the first of REAPER's quotation marks that it doesn't hold, on one line."""
    plain = " ".join(text.split())
    mark = next((mark for mark in "\"'`" if mark not in plain), "`")
    return f"{mark}{plain.replace('`', chr(39)) if mark == '`' else plain}{mark}"


def _number(value: float) -> str:
    """A number with as many decimals as it needs, at most twelve."""
    return f"{value:.12f}".rstrip("0").rstrip(".")
