"""A song that is being edited: versions to choose from, edits by hand, more bars, undo and redo."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import RLock

import numpy as np

from pipeline.errors import UserError
from pipeline.songs.song import Song
from pipeline.studio.session.cell_request import NEAR_BARS, cell_request
from pipeline.studio.session.edits import (
    lengthened,
    transposed_to,
    with_instrument,
    with_notes,
    with_swing,
    with_tempo,
    with_volume,
)
from pipeline.studio.session.history import SongHistory
from pipeline.studio.session.model import StudioModel
from pipeline.studio.session.selection import Selection, Version, VersionRequest
from pipeline.studio.session.version_making import LARGEST_SEED, make_versions
from pipeline.studio.session.words import WordsDraft

MOST_OFFERED = 48
"""Versions of a song that are kept to be chosen."""


class SongDraft:
    """One song of a session; every edit is on disk before it returns. Safe for several threads.

    Parameters
    ----------
    model
        Makes music and words.
    history
        The song's states, of which there is at least one.
    """

    def __init__(self, model: StudioModel, history: SongHistory) -> None:
        self.model, self.history = model, history
        self._lock = RLock()
        self._song = history.song()
        self._offered: dict[str, Version] = {}
        self.words = WordsDraft(model.words, lambda: self._song)

    @property
    def song(self) -> Song:
        """The song as it is now."""
        return self._song

    @property
    def number(self) -> int:
        """The song's number in the album, or beyond it."""
        return self._song.number

    @property
    def title(self) -> str:
        """The title of its words, the name of its file, or its number."""
        return self.words.title or str(self.history.facts.get("name") or untitled(self.number))

    @property
    def remarks(self) -> tuple[str, ...]:
        """What of the person's file was left out, a sentence each."""
        return tuple(self.history.facts.get("remarks", ()))

    @property
    def version(self) -> int:
        """Where in its history the song is."""
        return self.history.position

    @property
    def can_undo(self) -> bool:
        """Whether there is an earlier state."""
        return self.history.position > 0

    @property
    def can_redo(self) -> bool:
        """Whether there is a later state."""
        return self.history.position + 1 < len(self.history.entries)

    @property
    def seed(self) -> int | None:
        """The seed of what was made last, None where nothing was."""
        made = [entry.seed for entry in self.history.entries[: self.history.position + 1] if entry.seed is not None]
        return made[-1] if made else None

    def versions(self, selection: Selection, request: VersionRequest) -> list[Version]:
        """Versions of a selection to choose from; nothing changes, and they can be chosen until the next edit.

        Raises
        ------
        UserError
            What is selected or requested makes no sense.
        """
        with self._lock:
            asked = cell_request(self._song, selection.cells(self._song), request, self.model)
            seed = secrets.randbelow(LARGEST_SEED) if request.seed is None else request.seed
            made = make_versions(self._song, asked, self.model, request.count, seed, request.seed is not None)
            found = [Version(secrets.token_hex(8), own, song) for own, song in made]
            self._offered |= {version.id: version for version in found}
            for old in list(self._offered)[:-MOST_OFFERED]:
                del self._offered[old]
            return found

    def choose(self, version_id: str) -> None:
        """Take one of the versions. Raises `UserError` where it is not there any more."""
        with self._lock:
            version = self._offered.get(version_id)
            if version is None:
                raise UserError("This version is gone since the song was changed: make the selection anew.")
            self._add(version.song, "made", version.seed)

    def draw(self, track: int, add: Sequence[tuple[int, int, int, int]], remove: Sequence[tuple[int, int]]) -> None:
        """Draw and erase notes of a track: (step, length, pitch, velocity), and (step, pitch); see `with_notes`."""
        self._edit(lambda song: with_notes(song, track, add, remove), "drawn")

    def set_instrument(self, track: int, program: int) -> None:
        """Let another General MIDI program play a track, of drums another set."""
        self._edit(lambda song: with_instrument(song, track, program), "instrument")

    def set_tempo(self, bpm: float) -> None:
        """Set the tempo; where the song slows down it still does."""
        self._edit(lambda song: with_tempo(song, bpm), "tempo")

    def set_swing(self, share: float) -> None:
        """Set the share of each beat that its first half lasts, from 0.5 to 0.75."""
        self._edit(lambda song: with_swing(song, share), "swing")

    def set_volume(self, track: int, volume: float) -> None:
        """Set the volume of a track, from 0 to 1."""
        self._edit(lambda song: with_volume(song, track, volume), "volume")

    def transpose(self, key: str) -> None:
        """Move the song to another key, such as `E minor`."""
        self._edit(lambda song: transposed_to(song, key, self.model), "key")

    def go_on(self, bars: int, request: VersionRequest, progress: Callable[[int, int], None]) -> None:
        """Go on for so many bars in all tracks that play before, and in those whose density is requested.

        `progress` is told how many bars are made, of how many.
        """
        with self._lock:
            song = self._song
            longer = lengthened(song, bars)
            tail = song.notes["onset"] >= (song.num_bars - NEAR_BARS) * song.spec.steps_per_bar
            playing = set((song.notes[tail] if tail.any() else song.notes)["track"].tolist())
            silent = {name: 0.0 for track, name in enumerate(song.spec.names) if track not in playing}
            free = np.zeros((song.spec.num_tracks, longer.num_bars), np.bool_)
            free[:, song.num_bars :] = True
            asked = cell_request(longer, free, replace(request, density=silent | (request.density or {})), self.model)
            seed = secrets.randbelow(LARGEST_SEED) if request.seed is None else request.seed
            found, made = make_versions(longer, asked, self.model, 1, seed, request.seed is not None, progress)[0]
            self._add(made, "continued", found)

    def undo(self) -> None:
        """Go back to the state before. Raises `UserError` where there is none."""
        self._move(-1)

    def redo(self) -> None:
        """Go on to the state that was undone. Raises `UserError` where there is none."""
        self._move(1)

    def _edit(self, change: Callable[[Song], Song], action: str) -> None:
        with self._lock:
            self._add(change(self._song), action)

    def _add(self, song: Song, action: str, seed: int | None = None) -> None:
        self.history.add(song, action, seed)
        self._song, self._offered = song, {}

    def _move(self, steps: int) -> None:
        with self._lock:
            self.history.move(steps)
            self._song, self._offered = self.history.song(), {}


def untitled(number: int) -> str:
    """What a song without a title is called."""
    return f"Song {number}"
