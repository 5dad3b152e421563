"""Samples as context in training: where a song plays one, its moved notes are known notes of a track of the phrase.

They go to a track that the song says nothing of, or that rests in the phrase: so a generator learns what such songs
play around their samples.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gan.spec import RollSpec
from pipeline.dataset.cutting import PreparedFile, PreparedSong
from pipeline.dataset.sample_identification.catalog_pairs import FoundSample
from pipeline.dataset.store import SamplePhrase
from pipeline.scores.keys import into_range
from pipeline.scores.notes import Notes, make_notes, pack_rolls, roll_from_notes
from pipeline.settings.data import TracksSettings

TRACKS = ("Strings", "Guitar", "Piano")
"""Tracks that a sample's notes may go to, by the order in which they are tried."""
TRACK_SET = "pop"
SHORTEST_STEPS = 1


@dataclass(frozen=True, eq=False)
class SampleNotes:
    """A sample's notes in a song.

    Attributes
    ----------
    notes
        Of track 0, in steps from the song's bar 0, in the song's own key.
    bars
        In which bars of the song it plays, the numbers of the first and the end of each stretch.
    """

    notes: Notes
    bars: tuple[tuple[int, int], ...]

    def plays_in(self, first: int, end: int) -> bool:
        """Whether it plays in one of the bars from `first` to `end`."""
        return any(begin < end and stop > first for begin, stop in self.bars)


def sample_notes(found: Sequence[FoundSample], spec: RollSpec) -> dict[str, list[SampleNotes]]:
    """Of each song (by its path) in which a match is sure the notes of its samples, on its bars."""
    songs: dict[str, list[SampleNotes]] = {}
    for one in found:
        if one.match.problem or not one.notes:
            continue
        lines, rows = np.array(one.lines), np.array(one.notes)
        steps = [
            np.rint((one.first_bar + np.interp(rows[:, at], lines, np.arange(len(lines)))) * spec.steps_per_bar)
            for at in (0, 1)
        ]
        begin, length = steps[0].astype(int), np.maximum(steps[1] - steps[0], SHORTEST_STEPS).astype(int)
        notes = make_notes(np.zeros(len(rows), int), rows[:, 2].astype(int), begin, length)
        songs.setdefault(one.song, []).append(SampleNotes(notes, one.match.places))
    return songs


def with_samples(
    files: Iterator[PreparedFile],
    songs: Mapping[str, Sequence[SampleNotes]],
    spec: RollSpec,
    tracks: TracksSettings,
    sampled: list[SamplePhrase],
) -> Iterator[PreparedFile]:
    """The files, the phrases in which a sample plays with its notes; each of these is added to `sampled`.

    Only of the track set `pop`; other sets and songs without samples stay as they are.
    """
    for file in files:
        if songs and tracks.name == TRACK_SET:
            file.songs = [_with_samples(song, songs, spec, sampled) for song in file.songs]
        yield file


def _with_samples(
    song: PreparedSong, songs: Mapping[str, Sequence[SampleNotes]], spec: RollSpec, sampled: list[SamplePhrase]
) -> PreparedSong:
    own = songs.get(re.sub(r"#\d+$", "", song.path), ())
    if not own:
        return song
    phrases = song.phrases.copy()
    for place, first in enumerate(song.starts):
        playing = [one for one in own if one.plays_in(first, first + spec.bars)]
        track = free_track(phrases[place], song.known, spec)
        if track is None:
            continue
        notes = notes_in(playing, first, spec, song.shift)
        if not len(notes):
            continue
        notes["track"] = track
        roll = pack_rolls(roll_from_notes(into_range(notes, spec), spec, spec.bars))
        phrases[place][:, track] = roll[:, track]
        sampled.append(SamplePhrase(song.id, first, spec.names[track]))
    return replace(song, phrases=phrases)


def free_track(phrase: NDArray[np.uint8], known: Sequence[bool], spec: RollSpec) -> int | None:
    """The first of `TRACKS` that the song does not know or that rests in a packed phrase; None where there is none."""
    for name in TRACKS:
        if name in spec.names:
            track = spec.names.index(name)
            if not known[track] or not phrase[:, track].any():
                return track
    return None


def notes_in(playing: Sequence[SampleNotes], first: int, spec: RollSpec, shift: int) -> Notes:
    """The notes of samples that sound in a phrase from bar `first` on, in steps of the phrase, moved by `shift`."""
    begin, end = first * spec.steps_per_bar, (first + spec.bars) * spec.steps_per_bar
    tables = []
    for one in playing:
        stops = one.notes["onset"] + one.notes["length"]
        own = one.notes[(one.notes["onset"] < end) & (stops > begin)].copy()
        starts = np.maximum(own["onset"], begin)
        own["length"] = np.minimum(own["onset"] + own["length"], end) - starts
        own["onset"] = starts - begin
        own["pitch"] += shift
        tables.append(own)
    return np.concatenate(tables) if tables else make_notes([], [], [], [])
