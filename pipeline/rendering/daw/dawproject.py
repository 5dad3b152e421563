"""Songs as DAWproject 1.0, the open exchange format that Bitwig Studio, Studio One, Cubase and others open.

A zip archive of `project.xml`, `metadata.xml` and the stems. Times are beats, which this format counts in quarter
notes; the order of elements is that of its schema. Stems sound and tracks of notes are muted, so that nothing sounds
twice: a person who gives a track an instrument of their own unmutes it and mutes its stem.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from pipeline.audio.synthesizers import Sound
from pipeline.drawing.palette import QUIET_TEXT, track_colour
from pipeline.rendering.daw.archive import wav_bytes, write_archive
from pipeline.rendering.daw.clips import (
    CHORDS,
    NoteClip,
    Stem,
    chord_clips,
    instrument_text,
    master_gain,
    note_clips,
    quarters_at,
    stems_of,
)
from pipeline.rendering.midi import channels_of
from pipeline.songs.song import TICKS_PER_BEAT, Song

VERSION = "1.0"
"""Of the format."""
SLOWEST_BPM, FASTEST_BPM = 20, 666
"""What the tempo may be set to by hand."""
LOUDEST = 2.0
"""The highest volume of a fader, as an amplitude."""
FORBIDDEN = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
"""What XML 1.0 doesn't allow in texts."""


def write_dawproject(
    path: Path, song: Song, title: str, stems: Mapping[str, Sound], rate_hz: int, artist: str | None = None
) -> None:
    """Write a song as a DAWproject, atomically.

    Parameters
    ----------
    path
        Its name ends in `.dawproject`.
    song, title
        With the volumes that its MIDI file has.
    stems, rate_hz
        By the name of the track, each from the beginning of the song, `[samples, 2]` at `rate_hz`, as loud as in the
        mix (`Mix.stems`); tracks without one are not muted.
    artist
        Who is named beside the title.
    """
    placed, gain = stems_of(song, stems), master_gain(stems)

    def files() -> Iterator[tuple[str, bytes]]:
        yield "project.xml", project_xml(song, placed, rate_hz, gain)
        yield "metadata.xml", metadata_xml(title, artist)
        for stem in placed:
            yield stem.path, wav_bytes(stem.sound, rate_hz)

    write_archive(path, files())


def metadata_xml(title: str, artist: str | None) -> bytes:
    """`metadata.xml`: title and artist."""
    root = Element("MetaData")
    SubElement(root, "Title").text = title
    if artist:
        SubElement(root, "Artist").text = artist
    return _xml(root)


def project_xml(song: Song, stems: Sequence[Stem], rate_hz: int, master: float = 1.0) -> bytes:
    """`project.xml`: transport, tracks with their channels, and the arrangement."""
    return _xml(_ProjectTree(song, stems, rate_hz, master).root)


class _ProjectTree:
    """The tree of `project.xml`, whose tracks, channels and parameters have ids that others name."""

    def __init__(self, song: Song, stems: Sequence[Stem], rate_hz: int, master: float) -> None:
        self._song, self._rate_hz = song, rate_hz
        self._ids = (f"id{number}" for number in count())
        self.root = Element("Project", version=VERSION)
        SubElement(self.root, "Application", name="AlbumGAN", version=VERSION)
        self._tempo = self._transport()
        structure = SubElement(self.root, "Structure")
        arrangement = SubElement(self.root, "Arrangement", id=next(self._ids))
        self._lanes = SubElement(arrangement, "Lanes", timeUnit="beats", id=next(self._ids))
        self._tracks(structure, stems, master)
        self._markers(arrangement)
        self._tempo_automation(arrangement)

    def _transport(self) -> str:
        """Tempo and metre; the id of the tempo."""
        transport = SubElement(self.root, "Transport")
        least, most = min(SLOWEST_BPM, *self._song.tempi_bpm), max(FASTEST_BPM, *self._song.tempi_bpm)
        tempo = self._parameter(transport, "Tempo", self._song.tempo_bpm, least, most, "bpm")
        numerator, denominator = self._song.spec.metre.split("/")
        SubElement(transport, "TimeSignature", denominator=denominator, numerator=numerator, id=next(self._ids))
        return tempo

    def _tracks(self, structure: Element, stems: Sequence[Stem], master: float) -> None:
        """The tracks and their clips: a group of stems, the tracks of notes, the chords, the master."""
        song, main = self._song, next(self._ids)
        if stems:
            group, bus = self._track(structure, "Stems", "tracks", QUIET_TEXT, main, role="submix")
            for stem in stems:
                name, volume = f"{stem.name} stem", stem.gain
                track, _ = self._track(group, name, "audio", stem.colour, bus, volume=volume)
                self._sound(self._clips_of(track), stem)
        heard = {stem.name for stem in stems}
        for index, channel in enumerate(channels_of(song.spec)):
            name, colour = song.spec.tracks[index].name, track_colour(index)
            volume, pan = song.volumes[index] ** 2, song.pans[index]  # General MIDI's volume law
            track, _ = self._track(structure, name, "notes", colour, main, volume, pan, name in heard)
            track.set("comment", instrument_text(song, index))
            self._notes(self._clips_of(track), note_clips(song, index), channel, colour)
        track, _ = self._track(structure, CHORDS, "notes", QUIET_TEXT, main, muted=True)
        self._notes(self._clips_of(track), chord_clips(song), 0, QUIET_TEXT)
        self._track(structure, "Master", "audio notes", None, None, master, role="master", channel_id=main)

    def _track(
        self,
        parent: Element,
        name: str,
        content: str,
        colour: str | None,
        destination: str | None,
        volume: float = 1.0,
        pan: float = 0.0,
        muted: bool = False,
        role: str = "regular",
        channel_id: str | None = None,
    ) -> tuple[Element, str]:
        """A track with its channel, and the id of the channel."""
        track = SubElement(parent, "Track", contentType=content, loaded="true", id=next(self._ids), name=name)
        if colour is not None:
            track.set("color", colour)
        channel = SubElement(track, "Channel", audioChannels="2", role=role, solo="false")
        channel.set("id", channel_id or next(self._ids))
        if destination is not None:
            channel.set("destination", destination)
        SubElement(channel, "Mute", value=str(muted).lower(), id=next(self._ids), name="Mute")
        self._parameter(channel, "Pan", (pan + 1) / 2, 0, 1, "normalized")
        self._parameter(channel, "Volume", volume, 0, max(LOUDEST, volume), "linear")
        return track, channel.attrib["id"]

    def _parameter(self, parent: Element, name: str, value: float, least: float, most: float, unit: str) -> str:
        """A parameter, and its id."""
        found = SubElement(parent, name, max=_number(most), min=_number(least), unit=unit, value=_number(value))
        found.set("id", next(self._ids))
        found.set("name", name)
        return found.attrib["id"]

    def _clips_of(self, track: Element) -> Element:
        """The place for the clips of a track."""
        lanes = SubElement(self._lanes, "Lanes", track=track.attrib["id"], id=next(self._ids))
        return SubElement(lanes, "Clips", id=next(self._ids))

    def _notes(self, clips: Element, of_track: Sequence[NoteClip], channel: int, colour: str) -> None:
        """Clips of notes."""
        for one in of_track:
            clip = SubElement(clips, "Clip", name=one.name, color=colour, time=_beats(one.start), playStart="0")
            clip.set("duration", _beats(one.end - one.start))
            notes = SubElement(clip, "Notes", id=next(self._ids))
            for start, end, pitch, velocity in one.notes.tolist():
                note = SubElement(notes, "Note", time=_beats(start), duration=_beats(end - start))
                note.attrib |= {"channel": str(channel), "key": str(pitch), "vel": _number(velocity / 127)}

    def _sound(self, clips: Element, stem: Stem) -> None:
        """The sound of a stem, from the beginning of the song at its own speed."""
        seconds = len(stem.sound) / self._rate_hz
        clip = SubElement(clips, "Clip", name=stem.name, color=stem.colour, time="0", contentTimeUnit="seconds")
        clip.attrib |= {
            "duration": _number(quarters_at(self._song, seconds)),
            "playStart": "0",
            "playStop": _number(seconds),
        }
        audio = SubElement(clip, "Audio", timeUnit="seconds", duration=_number(seconds), id=next(self._ids))
        audio.attrib |= {"channels": "2", "sampleRate": str(self._rate_hz)}
        SubElement(audio, "File", path=stem.path)

    def _markers(self, arrangement: Element) -> None:
        """A marker at the beginning of each section."""
        markers = SubElement(arrangement, "Markers", timeUnit="beats", id=next(self._ids))
        for section in self._song.sections:
            tick = section.first_bar * self._song.spec.steps_per_bar * self._song.ticks_per_step
            SubElement(markers, "Marker", name=section.name, time=_beats(tick))

    def _tempo_automation(self, arrangement: Element) -> None:
        """The tempo map, where the tempo changes."""
        if len(self._song.tempo_map) == 1:
            return
        points = SubElement(arrangement, "TempoAutomation", timeUnit="beats", unit="bpm", id=next(self._ids))
        SubElement(points, "Target", parameter=self._tempo)
        for step, tempo in self._song.tempo_map:
            time = _beats(step * self._song.ticks_per_step)
            SubElement(points, "RealPoint", time=time, value=_number(tempo), interpolation="hold")


def _beats(tick: int) -> str:
    """Ticks in quarter notes."""
    return _number(tick / TICKS_PER_BEAT)


def _number(value: float) -> str:
    """A number with as many decimals as it needs, at most nine."""
    return f"{value:.9f}".rstrip("0").rstrip(".")


def _xml(root: Element) -> bytes:
    """A tree as UTF-8, readable by people; characters that XML has no place for are left out."""
    for element in root.iter():
        element.text = element.text and FORBIDDEN.sub("", element.text)
        element.attrib.update({key: FORBIDDEN.sub("", value) for key, value in element.items()})
    indent(root)
    return bytes(tostring(root, encoding="UTF-8", xml_declaration=True)) + b"\n"
