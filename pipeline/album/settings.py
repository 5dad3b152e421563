"""Settings of the album page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class AlbumSettings:
    """The listening page."""

    title: str | None
    """Null takes the title of the first song."""
    artist: str
