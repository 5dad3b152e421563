"""What a project of a digital audio workstation shows of a song: clips of notes, clips of chords, and stems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gan.chords import CHORD_TONES
from pipeline.audio.synthesizers import Sound
from pipeline.drawing.palette import QUIET_TEXT, track_colour
from pipeline.rendering.excerpt import excerpt
from pipeline.rendering.song_files import file_name
from pipeline.scores.chords.recognition import half_bar_starts
from pipeline.scores.chords.symbols import Chord, changes_of
from pipeline.songs.song import TICKS_PER_BEAT, Song

CHORDS = "Chords"
"""What the track of the chords is called."""
CHORD_OCTAVE, BASS_OCTAVE = 60, 48
"""The lowest C of the tones and of the bass of a chord, as MIDI pitches."""
CHORD_VELOCITY = 80
HEADROOM = 0.9
"""Highest peak of the sum of all stems behind the master fader, as an amplitude."""


@dataclass(frozen=True)
class NoteClip:
    """Notes of one track from bar line to bar line.

    Attributes
    ----------
    name
        The sections it plays, or the chord.
    start, end
        In ticks (480 a quarter note) from the beginning of the song.
    notes
        Start and end in ticks from the beginning of the clip, pitch, velocity: int64 `[notes, 4]`.
    """

    name: str
    start: int
    end: int
    notes: NDArray[np.int64]


@dataclass(frozen=True)
class Stem:
    """The sound of one track, from the beginning of the song.

    Attributes
    ----------
    name, colour
        What its track is called, and `#rrggbb`.
    path
        The file inside the archive.
    sound
        With peaks of at most full scale.
    gain
        What brings it back to its loudness in the mix: 1 unless it went over full scale.
    """

    name: str
    colour: str
    path: str
    sound: Sound
    gain: float


def note_clips(song: Song, track: int) -> list[NoteClip]:
    """The clips of a track, one a section; sections without notes have none, and those that a note ties share one."""
    ticks_per_bar = song.spec.steps_per_bar * song.ticks_per_step
    clips = []
    for name, first_bar, end_bar in _runs(song, track):
        part = excerpt(song, first_bar, end_bar)
        mine = part.notes["track"] == track
        if mine.any():
            starts, ends = part.bounds_ticks()
            columns = (starts[mine], ends[mine], part.notes["pitch"][mine], part.velocities[mine])
            notes = np.stack([column.astype(np.int64) for column in columns], axis=1)
            clips.append(NoteClip(name, first_bar * ticks_per_bar, end_bar * ticks_per_bar, notes))
    return clips


def _runs(song: Song, track: int) -> Iterator[tuple[str, int, int]]:
    """Names and bars (first, end) of the runs of sections that no note of a track is held across."""
    mine = song.notes[song.notes["track"] == track]
    onsets, ends = mine["onset"].astype(np.int64), mine["onset"].astype(np.int64) + mine["length"]
    names, first_bar = [], 0
    for section in song.sections:
        end_bar = section.first_bar + section.num_bars
        line = end_bar * song.spec.steps_per_bar
        names.append(section.name)
        if not np.any((onsets < line) & (ends > line)):
            yield " + ".join(names), first_bar, end_bar
            names, first_bar = [], end_bar


def chord_clips(song: Song) -> list[NoteClip]:
    """A clip for each chord, named by its symbol, in which the chord is held; where there is none there is no clip."""
    steps = [*half_bar_starts(song.num_bars, song.spec).tolist(), song.num_steps]
    changes = changes_of(song.chords)
    bounds = [steps[index] * song.ticks_per_step for index in (*(index for index, _ in changes), len(steps) - 1)]
    clips = []
    for (_, chord), (start, end) in zip(changes, pairwise(bounds), strict=True):
        if chord is not None:
            notes = [(0, end - start, pitch, CHORD_VELOCITY) for pitch in _pitches(chord)]
            clips.append(NoteClip(str(chord), start, end, np.array(notes, np.int64)))
    return clips


def _pitches(chord: Chord) -> list[int]:
    """A chord as MIDI pitches: its bass, and its tones above."""
    tones = [CHORD_OCTAVE + (chord.root + tone) % 12 for tone in CHORD_TONES[chord.quality]]
    return [BASS_OCTAVE + chord.bass, *sorted(tones)]


def stems_of(song: Song, stems: Mapping[str, Sound]) -> list[Stem]:
    """Stems by the name of their track (`Mix.stems`), in the order of the tracks; what is no track comes last."""
    names = song.spec.names
    found = []
    for name in sorted(stems, key=lambda one: names.index(one) if one in names else len(names)):
        colour = track_colour(names.index(name)) if name in names else QUIET_TEXT
        gain = max(1.0, float(np.abs(stems[name]).max(initial=0.0)))
        sound = stems[name] if gain == 1 else (stems[name] / np.float32(gain)).astype(np.float32)
        found.append(Stem(name, colour, f"stems/{slug(name)}.wav", sound, gain))
    return found


def slug(name: str) -> str:
    """The name of a track as that of a file: `lead-guitar`."""
    return file_name(0, name)[3:] or "track"


def master_gain(stems: Mapping[str, Sound]) -> float:
    """The gain at which the sum of the stems, which no limiter holds, keeps under full scale; 1 where it does."""
    total = np.zeros((max(map(len, stems.values()), default=0), 2), np.float32)
    for sound in stems.values():
        total[: len(sound)] += sound
    peak = float(np.abs(total).max(initial=0.0))
    return min(1.0, HEADROOM / peak) if peak > 1 else 1.0


def instrument_text(song: Song, track: int) -> str:
    """What plays a track: `General MIDI program 33 (counted from 0): Electric Bass (finger)`."""
    from pretty_midi import program_to_instrument_name

    program = song.programs[track]
    if song.spec.tracks[track].is_drum:
        return f"General MIDI drum kit {program} (counted from 0), channel 10"
    return f"General MIDI program {program} (counted from 0): {program_to_instrument_name(program)}"


def quarters_at(song: Song, seconds: float) -> float:
    """Quarter notes from the beginning of the song after so many seconds; the last tempo goes on behind its end."""
    steps = np.array([step for step, _ in song.tempo_map])
    passed = song.seconds_at(steps)
    piece = max(0, int(np.searchsorted(passed, seconds, side="right")) - 1)
    return float(steps[piece] / song.spec.steps_per_quarter + (seconds - passed[piece]) * song.tempi_bpm[piece] / 60)


def seconds_at_tick(song: Song, tick: int) -> float:
    """Seconds from the beginning of the song to a tick (480 a quarter note)."""
    return float(song.seconds_at(tick / TICKS_PER_BEAT * song.spec.steps_per_quarter))
