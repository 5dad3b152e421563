"""Sung syllables: a melody out of a track, syllables set to its notes, and the song with the notes that they need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan.spec import RollSpec
from pipeline.errors import UserError
from pipeline.files import read_json
from pipeline.scores.notes import Notes, cut_overlaps, make_notes
from pipeline.songs.song import Song


@dataclass(frozen=True)
class SungSyllable:
    """A syllable and where it is sung.

    Attributes
    ----------
    section
        Index of the song's section, counted from 0.
    line, word
        Index of its line in the words of the section, and of its word in the line.
    text
        As written, with punctuation.
    position
        `single`, `begin`, `middle` or `end` of its word.
    stress
        1 for the main stress of a word, 2 for another, 0 for none.
    track
        Name of the track that sings it.
    onset, length, pitch
        First step in the song, steps to the end of its last note, MIDI pitch of its first note.
    notes
        (pitch, onset, length) of each of its notes; more than one is a melisma.
    split
        Whether its note is a part of one that was divided among several syllables.
    """

    section: int
    line: int
    word: int
    text: str
    position: str
    stress: int
    track: str
    onset: int
    length: int
    pitch: int
    notes: tuple[tuple[int, int, int], ...]
    split: bool

    @property
    def ends_word(self) -> bool:
        """Whether a space follows."""
        return self.position in ("single", "end")


@dataclass(frozen=True)
class SungLyrics:
    """The words of a song: its sections that have some, by index and in order, and their syllables."""

    sections: tuple[int, ...]
    syllables: tuple[SungSyllable, ...]


NO_LYRICS = SungLyrics((), ())


def lines_of(syllables: Sequence[SungSyllable]) -> list[list[SungSyllable]]:
    """The syllables of each line."""
    lines: list[list[SungSyllable]] = []
    for one in syllables:
        if not lines or (lines[-1][-1].section, lines[-1][-1].line) != (one.section, one.line):
            lines.append([])
        lines[-1].append(one)
    return lines


def melody_of(notes: Notes, track: int) -> Notes:
    """The highest line of a track: no two of its notes sound together, each lasts to the next one at most."""
    mine = notes[notes["track"] == track]
    mine = mine[np.lexsort((-mine["pitch"], mine["onset"]))]
    kept: list[int] = []
    sounds_until, height, last = 0, 0, -1
    for index, (_, pitch, onset, length) in enumerate(mine.tolist()):
        if onset >= sounds_until or (pitch >= height and onset > last):
            kept.append(index)
            sounds_until, height, last = onset + length, pitch, onset
    line: Notes = mine[kept]
    line["length"][:-1] = np.minimum(line["length"][:-1], np.diff(line["onset"]))
    return line


def singers(song: Song, preferred: str | None) -> list[int]:
    """The tracks with pitches, the one that is to sing first, the others from the highest down."""
    pitched = [index for index, track in enumerate(song.spec.tracks) if not track.is_drum]
    heights = [song.notes["pitch"][song.notes["track"] == index] for index in range(song.spec.num_tracks)]
    mean = [float(pitches.mean()) if len(pitches) else -1.0 for pitches in heights]
    return sorted(pitched, key=lambda index: (song.spec.names[index] != preferred, -mean[index], index))


def check_singer(spec: RollSpec, name: str | None) -> None:
    """Raise `UserError` where the track named by `lyrics.track` can't sing."""
    names = [track.name for track in spec.tracks if not track.is_drum]
    if name is not None and name not in names:
        raise UserError(f"lyrics.track must be one of {', '.join(names)} or null, not {name}.")


def with_words(song: Song, syllables: Iterable[SungSyllable]) -> Song:
    """The song with every divided note as several, each as loud and as punctual as the one it was part of."""
    places = [(song.spec.names.index(one.track), one.pitch, one.onset) for one in syllables if one.split]
    if not places:
        return song
    tracks, pitches, onsets = np.transpose(places)
    begun = make_notes(tracks, pitches, onsets, 1)
    divided = song.notes[_parents(song, begun)]
    begun["length"] = divided["onset"] + divided["length"] - begun["onset"]
    notes = cut_overlaps(np.concatenate([song.notes, begun]))
    parents = _parents(song, notes)
    return replace(song, notes=notes, velocities=song.velocities[parents], timing_ticks=song.timing_ticks[parents])


def _parents(song: Song, notes: Notes) -> NDArray[np.intp]:
    """For each of `notes` the index of the song's note that sounds where it begins."""
    before, after = _keys(song, song.notes), _keys(song, notes)
    order = np.argsort(before)
    return order[np.searchsorted(before[order], after, side="right") - 1]


def _keys(song: Song, notes: Notes) -> NDArray[np.int64]:
    """A number for each note that orders them by track, pitch and onset."""
    tone = notes["track"].astype(np.int64) * 128 + notes["pitch"]
    return np.asarray(tone * song.num_steps + notes["onset"], dtype=np.int64)


def ticks_of(song: Song, syllables: Sequence[SungSyllable]) -> list[tuple[int, int]]:
    """When each syllable begins and ends in MIDI ticks, with the timing of its notes; none ends in the next one.

    `song` is one that `with_words` gave.
    """
    starts, ends = song.bounds_ticks()
    index = {
        (int(note["track"]), int(note["pitch"]), int(note["onset"])): number for number, note in enumerate(song.notes)
    }
    found: list[tuple[int, int]] = []
    for one in syllables:
        track = song.spec.names.index(one.track)
        (pitch, onset, _), (last_pitch, last_onset, length) = one.notes[0], one.notes[-1]
        start = int(starts[index[track, pitch, onset]])
        written_end = song.swung(np.array((last_onset + length) * song.ticks_per_step))
        end = min(int(ends[index[track, last_pitch, last_onset]]), int(written_end))
        found.append((start, max(start + 1, end)))
    following = [*(start for start, _ in found), song.num_steps * song.ticks_per_step][1:]
    return [(start, max(start, min(end, after))) for (start, end), after in zip(found, following, strict=True)]


def seconds_of(song: Song, syllables: Sequence[SungSyllable]) -> list[tuple[float, float]]:
    """`ticks_of` in seconds, by the tempo map."""
    steps = np.reshape(ticks_of(song, syllables), (-1, 2)) / song.ticks_per_step
    return [(float(start), float(end)) for start, end in song.seconds_at(steps)]


def read_alignment(path: Path) -> dict[int, SungLyrics]:
    """What the lyrics stage wrote: the words of each song by its number; empty where there is no file."""
    if not path.exists():
        return {}
    try:
        return {int(song["number"]): _words_from(song) for song in read_json(path)["songs"]}
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} is not what the lyrics stage writes; run +stage=lyrics force=true.") from error


def _words_from(song: dict[str, Any]) -> SungLyrics:
    syllables = []
    for one in song["syllables"]:
        notes = tuple((int(pitch), int(onset), int(length)) for pitch, onset, length in one["notes"])
        syllables.append(SungSyllable(**{**one, "notes": notes}))
    return SungLyrics(tuple(int(section) for section in song["sections"]), tuple(syllables))


def check_fits(song: Song, syllables: Sequence[SungSyllable]) -> None:
    """Raise `UserError` where the words were set to other music than `song`."""
    sounding = song.planes.any(axis=0).reshape(song.spec.num_tracks, song.num_steps, song.spec.num_pitches)
    for one in syllables:
        places = [(pitch - song.spec.lowest_pitch, onset, onset + length) for pitch, onset, length in one.notes]
        fits = one.track in song.spec.names and all(
            0 <= pitch < song.spec.num_pitches
            and 0 <= start < end <= song.num_steps
            and bool(sounding[song.spec.names.index(one.track), start:end, pitch].all())
            for pitch, start, end in places
        )
        if not fits:
            raise UserError(f"the words of song {song.number} were set to other music; run +stage=lyrics first.")
