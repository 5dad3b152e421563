"""Which track of the track set a part's notes belong to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.scores.score import Events, Part, Score, UnusableError
from pipeline.settings.music import TracksSettings


@dataclass(frozen=True)
class Voice:
    """The notes of one part, and the index of the track that they belong to."""

    track: int
    program: int
    events: Events


def assign(score: Score, tracks: TracksSettings) -> list[Voice]:
    """The parts of `score` that have notes and a track in the track set, with that track.

    Several parts may share a track. The rule is `tracks.assign`: `program`, `register` or `name`.

    Raises
    ------
    UnusableError
        There are no notes, or the parts do not fit the track set.
    """
    sounding = [part for part in score.parts if len(part.events)]
    if not sounding:
        raise UnusableError("no notes")
    rules: dict[str, Callable[[list[Part], TracksSettings], Iterator[tuple[int, Part]]]] = {
        "program": _by_program,
        "register": _by_register,
        "name": _by_name,
    }
    return [Voice(track, part.program, part.events) for track, part in rules[tracks.assign](sounding, tracks)]


def _plain(name: str) -> str:
    """A name for comparison: case and spaces around it do not matter."""
    return name.strip().casefold()


def _drum_tracks(tracks: TracksSettings) -> list[int]:
    return [index for index, track in enumerate(tracks.tracks) if track.is_drum]


def _by_program(parts: list[Part], tracks: TracksSettings) -> Iterator[tuple[int, Part]]:
    """Percussion to the drum track, every other part to the track that lists its program."""
    drums = _drum_tracks(tracks)
    found = False
    for part in parts:
        homes = drums if part.is_drum else [at for at, one in enumerate(tracks.tracks) if part.program in one.programs]
        if homes:
            found = True
            yield homes[0], part
    if not found:
        raise UnusableError(f"no part plays a program of the track set {tracks.name}")


def _by_register(parts: list[Part], tracks: TracksSettings) -> Iterator[tuple[int, Part]]:
    """As many pitched parts as pitched tracks, the highest first.

    Of more parts, such as voices and the instruments that double them, those with the tracks' own names are taken,
    where every track finds one.
    """
    pitched = [part for part in parts if not part.is_drum]
    places = [index for index, track in enumerate(tracks.tracks) if not track.is_drum]
    names = sorted(_plain(tracks.tracks[place].name) for place in places)
    named = [part for part in pitched if _plain(part.name) in names]
    if len(pitched) > len(places) and sorted(_plain(part.name) for part in named) == names:
        pitched = named
    if len(pitched) != len(places):
        count = f"{len(pitched)} part" + ("s" if len(pitched) != 1 else "")
        raise UnusableError(f"has {count}, the track set {tracks.name} needs {len(places)}")
    yield from zip(places, sorted(pitched, key=lambda part: -float(np.mean(part.events["pitch"]))), strict=True)
    for drum in _drum_tracks(tracks)[:1]:
        yield from ((drum, part) for part in parts if part.is_drum)


def _by_name(parts: list[Part], tracks: TracksSettings) -> Iterator[tuple[int, Part]]:
    """Each part to the track of its name; case and spaces around it do not matter."""
    track_of = {_plain(track.name): index for index, track in enumerate(tracks.tracks)}
    named = [(track_of[_plain(part.name)], part) for part in parts if _plain(part.name) in track_of]
    if not named:
        wanted = ", ".join(track.name for track in tracks.tracks)
        have = ", ".join(sorted({part.name or "(no name)" for part in parts}))
        raise UnusableError(f"no part is called {wanted} (its parts are {have[:80]})")
    yield from named
