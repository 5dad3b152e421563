"""Files of a song as it stands: MIDI at once; sound, stems, loops, projects and scores by the process that mixes."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.audio.files import write_wav
from pipeline.audio.mastering import within_full_scale
from pipeline.audio.synthesizers import Sound
from pipeline.rendering.daw.dawproject import write_dawproject
from pipeline.rendering.daw.loops import loops_zip
from pipeline.rendering.daw.rpp import write_rpp_zip
from pipeline.rendering.midi import midi_bytes, selection_bytes
from pipeline.rendering.mix import mix_song
from pipeline.rendering.musicxml import write_score
from pipeline.rendering.song_files import file_name
from pipeline.settings.render import RenderSettings
from pipeline.songs.song import Song
from pipeline.songs.sung_syllables import SungSyllable

KINDS = {
    "song.mid": "audio/midi",
    "track.mid": "audio/midi",
    "selection.mid": "audio/midi",
    "song.wav": "audio/wav",
    "song.musicxml": "application/vnd.recordare.musicxml+xml",
    "song.dawproject": "application/zip",
    "song.rpp.zip": "application/zip",
    "stems.zip": "application/zip",
    "loops.zip": "application/zip",
}
"""Files on offer, and their media types."""


@dataclass(frozen=True, eq=False)
class SongDownload:
    """A file that is asked for.

    Attributes
    ----------
    kind
        One of `KINDS`.
    song, words
        The song with every divided note as several, and what is sung on it.
    title, artist
        Of the song.
    tracks
        Indices of the tracks that are wanted.
    first_bar, end_bar
        The bars that are wanted, from 0, the end exclusive.
    """

    kind: str
    song: Song
    words: tuple[SungSyllable, ...]
    title: str
    artist: str
    tracks: tuple[int, ...]
    first_bar: int
    end_bar: int

    @property
    def file_name(self) -> str:
        """What it is saved as: `03-salt-on-the-window-bass.mid`."""
        stem = file_name(self.song.number, self.title)
        names = [self.song.spec.names[track] for track in self.tracks]
        bars = f"-bars-{self.first_bar + 1}-{self.end_bar}"
        if self.kind == "track.mid":
            return f"{stem}-{file_name(0, names[0])[3:] or 'track'}.mid"
        if self.kind in ("selection.mid", "loops.zip"):
            return stem + bars + self.kind.removeprefix("selection").replace("loops", "-loops")
        return stem + self.kind.removeprefix("song").replace("stems", "-stems")

    @property
    def media_type(self) -> str:
        """What kind of file it is."""
        return KINDS[self.kind]

    def midi(self) -> bytes | None:
        """The file where it is MIDI, with section markers and chord names; None for others."""
        if self.kind == "song.mid":
            return midi_bytes(self.song, self.title, words=self.words)
        if self.kind == "track.mid":
            return midi_bytes(self.song, self.title, only_track=self.tracks[0])
        if self.kind == "selection.mid":
            return selection_bytes(self.song, self.tracks, self.first_bar, self.end_bar, self.title)
        return None


def write_download(
    path: Path, asked: SongDownload, settings: RenderSettings, soundfont: Path, loops: Sequence[Sound]
) -> None:
    """Write a file that takes seconds to make; `loops` are the sounds of the song's loops of old records."""
    if asked.kind == "song.musicxml":
        write_score(path, asked.song, asked.title, asked.words)
    else:
        _write_sound(path, asked, settings, soundfont, loops)


def _write_sound(
    path: Path, asked: SongDownload, settings: RenderSettings, soundfont: Path, loops: Sequence[Sound]
) -> None:
    settings = replace(settings, stems=asked.kind != "song.wav", vocal=settings.vocal and asked.kind == "song.wav")
    mix = mix_song(asked.song, settings, soundfont, asked.words, loops)
    song, rate_hz, stems = mix.song, settings.sample_rate_hz, mix.stems
    if asked.kind == "song.wav":
        write_wav(path, mix.sound, rate_hz)
    elif asked.kind == "song.dawproject":
        write_dawproject(path, song, asked.title, stems, rate_hz, asked.artist)
    elif asked.kind == "song.rpp.zip":
        write_rpp_zip(path, song, asked.title, stems, rate_hz)
    elif asked.kind == "loops.zip":
        names = [song.spec.names[track] for track in asked.tracks]
        loops_zip(path, song, asked.title, within_full_scale(stems), rate_hz, asked.first_bar, asked.end_bar, names)
    else:
        _stems_zip(path, within_full_scale(stems), rate_hz, file_name(song.number, asked.title))


def _stems_zip(path: Path, stems: dict[str, Sound], rate_hz: int, name: str) -> None:
    """A zip archive with a WAV a stem."""
    with zipfile.ZipFile(path, "w") as archive:
        for number, (track, stem) in enumerate(stems.items()):
            part = path.parent / f"{number}.wav"
            write_wav(part, stem, rate_hz)
            archive.write(part, f"{name}-{file_name(0, track)[3:] or 'track'}.wav")
