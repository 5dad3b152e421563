"""Words of songs that are being edited: lines under the notes that they are sung on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.config import Config, stage_directory
from pipeline.songs.song import Song


class StudioWords:
    """The words of a run, shared by all sessions."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.directory: Path = stage_directory("lyrics", config)

    def title(self, number: int) -> str | None:
        """The title of a song, None where it has none."""
        return None


class WordsDraft:
    """The words of one song."""

    def __init__(self, words: StudioWords, song: Callable[[], Song]) -> None:
        self.words, self._song = words, song

    @property
    def title(self) -> str | None:
        """The title, None where there is none."""
        return self.words.title(self._song().number)

    def lines(self) -> list[dict[str, Any]]:
        """The lines as a page shows them."""
        return []
