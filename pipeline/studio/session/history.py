"""The history of one song on disk: a song file an edit, and a list of them with the place where the person is.

Each entry is written before the list that names it, both atomically: whenever the process is killed, the list names
songs that are there. Files that no list names are removed by the next edit.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.files import read_json, write_json
from pipeline.songs.song import Song

HISTORY = "history.json"
FORMAT = 1
MOST_ENTRIES = 500
"""Entries kept; of a longer history the second one goes, so that the way back still ends where it began."""


@dataclass(frozen=True)
class HistoryEntry:
    """One state of a song: its file, what was done, and the seed of what was made last."""

    file: str
    action: str
    seed: int | None = None


class SongHistory:
    """States of a song that an edit adds to and that undo and redo move through.

    Raises `UserError` where the list can't be read.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.entries: list[HistoryEntry] = []
        self.position = -1
        self.count = 0
        """Entries that were ever added: it names the next file."""
        self.facts: dict[str, Any] = {}
        """Of the song, whatever its state: title, base."""
        if self.path.exists():
            self._read()

    @property
    def path(self) -> Path:
        """The list."""
        return self.directory / HISTORY

    def song(self) -> Song:
        """The song as it is now."""
        return Song.load(self.directory / self.entries[self.position].file)

    @property
    def now(self) -> HistoryEntry:
        """The entry of the song as it is now."""
        return self.entries[self.position]

    def add(self, song: Song, action: str, seed: int | None = None) -> None:
        """Write a new state behind the present one; states that were undone are gone."""
        self.count += 1
        file = f"{self.count:06d}.npz"
        song.save(self.directory / file)
        self.entries = [*self.entries[: self.position + 1], HistoryEntry(file, action, seed)]
        if len(self.entries) > MOST_ENTRIES:
            del self.entries[1]
        self.position = len(self.entries) - 1
        self.save()
        known = {entry.file for entry in self.entries}
        for path in self.directory.glob("*.npz"):
            if path.name not in known:
                path.unlink(missing_ok=True)

    def move(self, steps: int) -> None:
        """Go so many entries on, or back. Raises `UserError` where there is none."""
        if not 0 <= self.position + steps < len(self.entries):
            raise UserError("There is nothing to undo." if steps < 0 else "There is nothing to redo.")
        self.position += steps
        self.save()

    def save(self) -> None:
        """Write the list."""
        write_json(
            self.path,
            {
                "format": FORMAT,
                "position": self.position,
                "count": self.count,
                "facts": self.facts,
                "entries": [asdict(entry) for entry in self.entries],
            },
        )

    def _read(self) -> None:
        values = read_json(self.path)
        try:
            if values["format"] != FORMAT:
                raise ValueError(f"format {values['format']}, not {FORMAT}")
            self.entries = [HistoryEntry(**entry) for entry in values["entries"]]
            self.position, self.count, self.facts = values["position"], values["count"], values["facts"]
            self.entries[self.position]
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise UserError(
                f"{self.path} is damaged ({error}): move its folder away, and the song is opened anew."
            ) from error
