"""Assignment of parts to tracks: by General MIDI program, by register, by name, or the tune and the rest by program."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UnusableError
from pipeline.progress import counted
from pipeline.scores.closed_scores import split_closed_score
from pipeline.scores.melody import BASSES, find_melody, top_line
from pipeline.scores.notes import Notes
from pipeline.scores.score import Events, Part, Score, WrittenVoices
from pipeline.settings.data import TracksSettings

HEARD_TRACKS = ("Lead", "Drums", "Piano", "Guitar", "Bass", "Strings")
"""What a transcription tells apart, by the names of the track set `pop`."""
LEAD_TRACK = HEARD_TRACKS[0]
FAR = 7
"""Semitones; a wider move of a line is a leap."""
MOST_LEAPS = {"Lead": 0.15, "Piano": 0.6, "Guitar": 0.4, "Bass": 0.45, "Strings": 0.4}
"""The share of leaps in the moves of a top line that few tracks of MIDI files exceed: .07 of tunes, .17 of strings."""
FEWEST_MOVES = 16
"""Of fewer moves nothing is said."""
LEAST_TUNE_NOTES, LEAST_TUNE_BARS = 2.4, 4.0
"""Notes in a bar of the tune, and bars that it goes on for, in the mean.

Of 138 tunes of game music and POP909 one in twenty has fewer notes, one in ten goes on for less.
"""


@dataclass(frozen=True)
class AssignedPart:
    """The notes of one part, and the index of the track that they belong to."""

    track: int
    program: int
    events: Events
    parts: tuple[Part, ...] = ()
    """The parts of the score that they come from."""
    is_line: bool = False
    """Whether its notes sound one at a time, also once they are on the grid."""


def assign(score: Score, tracks: TracksSettings) -> list[AssignedPart]:
    """Assignment of parts to tracks: the parts of `score` that have notes and a track in the track set.

    Several parts may share a track. The rule is `tracks.assign`: `program`, `register`, `name` or `melody`.

    Raises
    ------
    UnusableError
        There are no notes, or the parts do not fit the track set.
    """
    sounding = [part for part in score.parts if len(part.events)]
    if not sounding:
        raise UnusableError("no notes")
    rules: dict[str, Callable[[list[Part], TracksSettings], Iterator[AssignedPart]]] = {
        "program": _by_program,
        "register": _by_register,
        "name": _by_name,
        "melody": lambda parts, tracks: _melody_and_rest(parts, tracks, score.syllables),
    }
    return list(rules[tracks.assign](sounding, tracks))


def tells_tracks_apart(tracks: TracksSettings) -> bool:
    """Whether a track set has every track that a transcription tells apart."""
    return {track.name for track in tracks.tracks} >= set(HEARD_TRACKS)


def only_heard(score: Score, heard: Collection[str]) -> Score:
    """A transcription without the parts of tracks that it does not teach; `heard` names those that it does.

    Raises
    ------
    UnusableError
        It teaches none, or those that it teaches have no notes.
    """
    parts = tuple(part for part in score.parts if part.name in heard)
    if not any(len(part.events) for part in parts):
        raise UnusableError("heard too badly: it teaches no track")
    return replace(score, parts=parts)


def leaping_tracks(tables: Sequence[Notes], names: Sequence[str]) -> list[int]:
    """Numbers of the tracks whose top line leaps more often than such tracks of real music do.

    What was misheard leaps: octave errors, and several instruments that were taken for one.

    Parameters
    ----------
    tables
        Notes of stretches of a song, on the grid.
    names
        Of the tracks.
    """
    found = []
    for track, name in enumerate(names):
        moves = np.concatenate([_moves_of_top_line(table[table["track"] == track]) for table in tables])
        if len(moves) >= FEWEST_MOVES and (np.abs(moves) > FAR).mean() > MOST_LEAPS.get(name, 1.0):
            found.append(track)
    return found


def fragmentary_tunes(tables: Sequence[Notes], names: Sequence[str], steps_per_bar: int) -> list[int]:
    """Numbers of the tracks for tunes that are heard in snatches, a note here and there, as no tune of real music goes.

    Parameters are those of `leaping_tracks`, and the steps of a bar.
    """
    found = []
    for track in (number for number, name in enumerate(names) if name == LEAD_TRACK):
        own = [table["onset"][table["track"] == track] // steps_per_bar for table in tables]
        bars = [np.unique(one) for one in own]
        played = sum(len(one) for one in bars)
        runs = sum(int((np.diff(one) > 1).sum()) + 1 for one in bars if len(one))
        notes = sum(len(one) for one in own)
        if played and (notes < LEAST_TUNE_NOTES * played or played < LEAST_TUNE_BARS * runs):
            found.append(track)
    return found


def _moves_of_top_line(own: Notes) -> NDArray[np.int64]:
    """The intervals between the highest notes that begin at each step, in semitones."""
    own = own[np.lexsort((own["pitch"], own["onset"]))]
    is_highest = np.append(np.diff(own["onset"]) != 0, True)[: len(own)]
    moves: NDArray[np.int64] = np.diff(own["pitch"][is_highest].astype(np.int64))
    return moves


def known_tracks(
    found: list[AssignedPart],
    tracks: TracksSettings,
    *,
    is_transcription: bool,
    unknown: list[str] | None,
    heard: Collection[str] | None = None,
) -> tuple[bool, ...]:
    """Of each track whether a song says what it plays; a track that is not known is silent for want of knowledge.

    Tracks that play are known. Of the others none is in a transcription, which writes down what it can hear, and none
    in a score whose tune was found but that has neither drums nor bass: a lead sheet or a piano arrangement does not
    say what a band would play. Drums alone do not say it either. `unknown` names the tracks that are not known instead.
    Where a transcription itself names those that it teaches, `heard`, the others are not known.
    """
    playing = {part.track for part in found if len(part.events)}
    drums = set(_drum_tracks(tracks))
    if unknown is not None:
        silent = {index for index, track in enumerate(tracks.tracks) if track.name in unknown}
    elif heard is not None:
        silent = set()
    elif (
        is_transcription
        or playing <= drums
        or (
            tracks.assign == "melody"
            and not any(index in drums or BASSES[0] in tracks.tracks[index].programs for index in playing)
        )
    ):
        silent = set(range(len(tracks.tracks)))
    else:
        silent = set()
    if heard is not None:
        silent |= {index for index, track in enumerate(tracks.tracks) if track.name not in heard}
    return tuple(index in playing or index not in silent for index in range(len(tracks.tracks)))


def _whole(track: int, part: Part) -> AssignedPart:
    """A part that goes to a track as it is."""
    return AssignedPart(track, part.program, part.events, (part,))


def _plain(name: str) -> str:
    """A name for comparison: case and spaces around it do not matter."""
    return name.strip().casefold()


def _drum_tracks(tracks: TracksSettings) -> list[int]:
    return [index for index, track in enumerate(tracks.tracks) if track.is_drum]


def _by_program(parts: list[Part], tracks: TracksSettings) -> Iterator[AssignedPart]:
    """Percussion to the drum track, every other part to the track that lists its program."""
    found = list(_homes_by_program(parts, tracks))
    if not found:
        raise UnusableError(f"no part plays a program of the track set {tracks.name}")
    yield from found


def _homes_by_program(parts: list[Part], tracks: TracksSettings) -> Iterator[AssignedPart]:
    """The parts that have a track by their program."""
    drums = _drum_tracks(tracks)
    for part in parts:
        homes = drums if part.is_drum else [at for at, one in enumerate(tracks.tracks) if part.program in one.programs]
        if homes:
            yield _whole(homes[0], part)


def _melody_and_rest(parts: list[Part], tracks: TracksSettings, syllables: tuple[float, ...]) -> Iterator[AssignedPart]:
    """The tune, one note at a time, to the track that has the voice; all other notes by name or program.

    What is below the top line of the part that has the tune, such as the chords of a piano, is accompaniment. A file
    whose parts are all called as tracks, the tune among them, is taken at its word: it was most likely made here.
    """
    lead = tracks.lead
    if lead is None:
        raise UnusableError(f"the track set {tracks.name} has no track with voice: true for the tune")
    called = {_plain(part.name) for part in parts if not part.is_drum}
    if _plain(tracks.tracks[lead].name) in called <= {_plain(track.name) for track in tracks.tracks}:
        yield from _by_name(parts, tracks)
        return
    melody = find_melody(tuple(parts), syllables)
    others = [part for part in parts if not any(part is one for one in melody)]
    by_name = {_plain(name): index for index, track in enumerate(tracks.tracks) for name in track.names}
    found = [_whole(by_name[_plain(part.name)], part) for part in others if _plain(part.name) in by_name]
    found += _homes_by_program([part for part in others if _plain(part.name) not in by_name], tracks)
    if melody:
        line, rest = top_line(np.concatenate([part.events for part in melody]))
        found.append(AssignedPart(lead, melody[0].program, line, melody, is_line=True))
        if len(rest):
            found += [
                replace(one, parts=melody[:1]) for one in _homes_by_program([replace(melody[0], events=rest)], tracks)
            ]
    if not found:
        raise UnusableError(f"no part plays a program of the track set {tracks.name}")
    yield from found


def _by_register(parts: list[Part], tracks: TracksSettings) -> Iterator[AssignedPart]:
    """As many pitched parts as pitched tracks, the highest first.

    Of more parts, such as voices and the instruments that double them, those with the tracks' own names are taken,
    where every track finds one. Of fewer parts, such as a hymn on two staves, the voices that are written in them; an
    accompaniment beside them is left out.
    """
    drums = [part for part in parts if part.is_drum]
    players = _join_players([part for part in parts if not part.is_drum])
    places = [index for index, track in enumerate(tracks.tracks) if not track.is_drum]
    names = sorted(_plain(tracks.tracks[place].name) for place in places)
    named = [one for one in players if _plain(one.part.name) in names]
    if len(players) > len(places) and sorted(_plain(one.part.name) for one in named) == names:
        players = named
    if len(players) == len(places):
        players.sort(key=lambda one: -float(np.mean(one.part.events["pitch"])))
        lines = [(one, one.part.events) for one in players]
    else:
        lines = _closed_score(players, len(places))
        if not lines:
            have = counted(len(players), "part")
            raise UnusableError(f"has {have}, the track set {tracks.name} needs {len(places)}")
    for place, (one, events) in zip(places, lines, strict=True):
        yield AssignedPart(place, one.part.program, events, one.written)
    for drum in _drum_tracks(tracks)[:1]:
        yield from (_whole(drum, part) for part in drums)


@dataclass(frozen=True)
class _Player:
    """One part as written, and the parts of the score that it was read as: one for each of its instruments."""

    part: Part
    written: tuple[Part, ...]


def _join_players(parts: list[Part]) -> list[_Player]:
    """Parts, those of one group made one again."""
    grouped: dict[object, list[Part]] = {}
    for index, part in enumerate(parts):
        grouped.setdefault(f"part {index}" if part.group is None else part.group, []).append(part)
    players = []
    for own in grouped.values():
        part = max(own, key=lambda one: len(one.events))
        if len(own) > 1:
            voices = [one.written for one in own if one.written is not None]
            written = None
            if len(voices) == len(own):
                staff, voice = (np.concatenate([getattr(one, name) for one in voices]) for name in ("staff", "voice"))
                written = WrittenVoices(staff, voice, voices[0].rests)
            part = replace(part, events=np.concatenate([one.events for one in own]), written=written)
        players.append(_Player(part, tuple(own)))
    return players


VOICES = (52, 53, 54)
"""General MIDI programs of voices."""


def _closed_score(players: list[_Player], count: int) -> list[tuple[_Player, Events]]:
    """The voices of a closed score: of all its parts, or of those that sing; nothing where they are not so many."""
    singing = [one for one in players if one.part.program in VOICES]
    for own in (players, singing):
        if 0 < len(own) < count and any(one.part.written is not None for one in own):
            lines = split_closed_score([one.part for one in own], count)
            if lines:
                return [(next(one for one in own if one.part is part), events) for part, events in lines]
    return []


def _by_name(parts: list[Part], tracks: TracksSettings) -> Iterator[AssignedPart]:
    """Each part to the track of its name; case and spaces around it do not matter."""
    track_of = {_plain(track.name): index for index, track in enumerate(tracks.tracks)}
    named = [(track_of[_plain(part.name)], part) for part in parts if _plain(part.name) in track_of]
    if not named:
        wanted = ", ".join(track.name for track in tracks.tracks)
        have = ", ".join(sorted({part.name or "(no name)" for part in parts}))
        raise UnusableError(f"no part is called {wanted} (its parts are {have[:80]})")
    yield from (_whole(track, part) for track, part in named)


TOGETHER = 0.2
"""Quarter notes: what begins nearer than this begins together."""
CROSSING = 12.0
"""Semitones of leap that a line makes rather than cross another that sounds."""
UNSURE_PART = "Unsure"
"""What the part of a transcription is called that holds the notes whose instrument is unknown."""


def fit_to_tracks(score: Score, tracks: TracksSettings) -> Score:
    """A transcription with the parts that a track set asks for.

    By program, and where the tune is found, it stays as it is, without the notes whose instrument is unknown. By
    register its pitched notes become as many lines as there are pitched tracks. By name its highest line is the first
    pitched track, and all other notes are the last.
    """
    pitched = [track.name for track in tracks.tracks if not track.is_drum]
    own = [part for part in score.parts if not part.is_drum and len(part.events)]
    if tracks.assign in ("program", "melody"):
        return replace(score, parts=tuple(part for part in score.parts if part.name != UNSURE_PART))
    if not own or len(pitched) < 2:
        return score
    events = np.concatenate([part.events for part in own])
    if tracks.assign == "register":
        lines = monophonic_voices(events, len(pitched))
    else:
        high = highest_line(events)
        lines, pitched = [events[high], events[~high]], [pitched[0], pitched[-1]]
    parts = [Part(name, 0, False, line) for name, line in zip(pitched, lines, strict=True)]
    return replace(score, parts=(*parts, *(part for part in score.parts if part.is_drum)))


def highest_line(events: Events) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Skyline: which notes are higher than all that sound when they begin, bool `[notes]`."""
    onset, end, pitch = events["onset"], events["onset"] + events["duration"], events["pitch"]
    return np.array(
        [
            not np.any((onset < start + TOGETHER) & (end > start + TOGETHER) & (pitch > own))
            for start, own in zip(onset.tolist(), pitch.tolist(), strict=True)
        ],
        bool,
    )


def monophonic_voices(events: Events, count: int) -> list[Events]:
    """Voice separation: notes as `count` monophonic lines that leap as little as they can, the highest first.

    Where more notes sound together than there are lines, the longest are kept.
    """
    events = events[np.argsort(events["onset"], kind="stable")]
    last = np.quantile(events["pitch"], (np.arange(count)[::-1] + 0.5) / count)
    ends = np.full(count, -np.inf)
    lines: list[list[int]] = [[] for _ in range(count)]
    first = 0
    while first < len(events):
        start = float(events["onset"][first])
        past = first + int(np.searchsorted(events["onset"][first:], start + TOGETHER))
        group = sorted(range(first, past), key=lambda one: -float(events["duration"][one]))[:count]
        group.sort(key=lambda one: -int(events["pitch"][one]))
        for line, index in zip(_places(events["pitch"][group], last, ends > start + TOGETHER), group, strict=True):
            if lines[line]:
                before = lines[line][-1]
                room = events["onset"][index] - events["onset"][before]
                events["duration"][before] = min(events["duration"][before], room)
            lines[line].append(index)
            last[line] = events["pitch"][index]
            ends[line] = events["onset"][index] + events["duration"][index]
        first = past
    return [events[np.array(line, int)] for line in lines]


def _places(
    pitches: np.ndarray[tuple[int], np.dtype[np.int16]],
    last: np.ndarray[tuple[int], np.dtype[np.float64]],
    held: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> tuple[int, ...]:
    """The lines, the highest first, that notes with these falling pitches go to, lines that sound only at need."""
    free = np.flatnonzero(~held).tolist()
    lines = free if len(free) >= len(pitches) else range(len(last))

    def cost(places: tuple[int, ...]) -> float:
        leaps = float(sum(abs(float(pitch) - last[place]) for pitch, place in zip(pitches, places, strict=True)))
        crossed = sum(
            bool(held[other] and other not in places and (last[other] - float(pitch)) * (place - other) < 0)
            for pitch, place in zip(pitches, places, strict=True)
            for other in range(len(last))
        )
        return leaps + CROSSING * crossed

    return min(combinations(lines, len(pitches)), key=cost)
