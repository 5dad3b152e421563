"""A lyric set to a song: each section's lines to the melody of that section, the same words the same way each time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.lyrics.alignment.dynamic_programming import PlacedSyllable, SectionGrid, place_syllables
from pipeline.lyrics.phonetics.syllables import Syllable, syllables_of
from pipeline.scores.notes import Notes
from pipeline.songs.song import Song
from pipeline.songs.sung_syllables import SungSyllable, lines_of, melody_of, singers

CROWDED = 4
"""A track that has fewer notes than one for so many syllables leaves the words to another, where there is one."""


@dataclass(frozen=True)
class Unsung:
    """A section's words that no track could sing."""

    section: int
    reason: str


@dataclass(frozen=True)
class Alignment:
    """The words of a song on its notes."""

    number: int
    sections: tuple[int, ...]
    """Index of the song's section for each section of the lyric."""
    syllables: tuple[SungSyllable, ...]
    unsung: tuple[Unsung, ...]


def fit_words(song: Song, words: Mapping[int, Sequence[str]], wanted: str | None, english: bool) -> Alignment:
    """Set words to a song.

    Parameters
    ----------
    song
        The music.
    words
        Lines by the index of the song's section.
    wanted
        The track that sings; where it is silent, or none is named, the highest that has notes enough.
    english
        Whether the words sound as the pronouncing dictionary says.
    """
    melodies = {index: melody_of(song.notes, index) for index in singers(song, wanted)}
    habits: dict[str, list[int]] = {}
    found: list[SungSyllable] = []
    unsung: list[Unsung] = []
    for number, lines in sorted(words.items()):
        section = song.sections[number]
        bar = song.spec.steps_per_bar
        grid = SectionGrid(
            song.spec.steps_per_beat, song.spec.beats_per_bar, section.first_bar * bar, section.num_bars * bar
        )
        syllables = [syllables_of(line, english) for line in lines]
        places = [place for place, one in enumerate(syllables) if one]
        spoken = [syllables[place] for place in places]
        if not spoken:
            continue
        before = habits.get(lines[0], [])
        notes = {track: _inside(melody, grid) for track, melody in melodies.items()}
        needed = sum(map(len, spoken)) / CROWDED
        tracks = sorted(notes, key=lambda track: len(notes[track]) < needed)  # stable: those with notes enough first
        ways = ((track, place_syllables(spoken, notes[track], grid, before)) for track in tracks)
        track, placed = next(((track, way) for track, way in ways if way is not None), (0, None))
        if placed is None:
            unsung.append(Unsung(number, "the music is too short for so many syllables"))
            continue
        found += _sung(number, places, spoken, placed, notes[track], song.spec.names[track])
        habits.setdefault(lines[0], [one.onset - grid.first_step for one in placed])
    return Alignment(song.number, tuple(sorted(words)), tuple(found), tuple(unsung))


def _inside(melody: Notes, grid: SectionGrid) -> Notes:
    """The notes that begin in a section, cut at its end."""
    end = grid.first_step + grid.num_steps
    notes: Notes = melody[(melody["onset"] >= grid.first_step) & (melody["onset"] < end)].copy()
    notes["length"] = np.minimum(notes["length"], end - notes["onset"])
    return notes


def _sung(
    section: int,
    places: Sequence[int],
    lines: Sequence[Sequence[Syllable]],
    placed: Sequence[PlacedSyllable],
    notes: Notes,
    track: str,
) -> list[SungSyllable]:
    """Syllables and their notes together."""
    marked = [(place, one) for place, line in zip(places, lines, strict=True) for one in line]
    found = []
    for (line, syllable), place in zip(marked, placed, strict=True):
        table = notes[place.first : place.last + 1].tolist()
        own = [(pitch, onset, length) for _, pitch, onset, length in table]
        if place.split:
            own = [(own[0][0], place.onset, place.length)]
        found.append(
            SungSyllable(
                section=section,
                line=line,
                word=syllable.word,
                text=syllable.text,
                position=syllable.position,
                stress=syllable.stress,
                track=track,
                onset=place.onset,
                length=place.length,
                pitch=own[0][0],
                notes=tuple(own),
                split=place.split,
            )
        )
    return found


def alignment_metrics(songs: Iterable[tuple[Song, Alignment]]) -> dict[str, float]:
    """Metrics of alignments: how the words sit on the notes.

    Counts of syllables, of those on divided notes, of melismas, of lines and of those that end on a long note or before
    a rest; the share of stressed syllables on strong beats (the first and the middle of a bar), and the same of all
    syllables, which is what chance would give.
    """
    strong: dict[bool, list[bool]] = {True: [], False: []}
    counts = {"syllables": 0, "on_divided_notes": 0, "melismas": 0, "lines": 0, "lines_with_an_end": 0}
    for song, alignment in songs:
        sung = alignment.syllables
        counts["syllables"] += len(sung)
        counts["on_divided_notes"] += sum(one.split for one in sung)
        counts["melismas"] += sum(len(one.notes) > 1 for one in sung)
        beats = max(1, song.spec.beats_per_bar // 2) * song.spec.steps_per_beat
        for one in sung:
            strong[one.stress == 1].append(one.onset % song.spec.steps_per_bar in (0, beats))
        begun = {(one.track, one.onset) for one in sung}
        for line in lines_of(sung):
            last = line[-1]
            rests = (last.track, last.onset + last.length) not in begun
            counts["lines"] += 1
            counts["lines_with_an_end"] += rests or last.length >= 1.5 * song.spec.steps_per_beat
    shares = {"stressed_on_strong_beats": strong[True], "all_on_strong_beats": strong[True] + strong[False]}
    return {**counts, **{name: round(float(np.mean(one)), 3) if one else 0.0 for name, one in shares.items()}}


def alignment_summary(metrics: Mapping[str, float]) -> str:
    """The metrics in words."""
    return (
        f"{metrics['syllables']} syllables set to the melodies, {metrics['on_divided_notes']} on divided notes, "
        f"{metrics['melismas']} on several; {metrics['stressed_on_strong_beats']:.0%} of the stressed ones fall on "
        f"strong beats, {metrics['all_on_strong_beats']:.0%} of all"
    )
