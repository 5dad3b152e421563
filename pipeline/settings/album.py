"""Settings of the stage `album`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class AlbumSettings:
    """The listening page."""

    title: str | None = None
    """On cover, page and in the tags of sound files; null takes the title of the first song."""
    artist: str = "AlbumGAN"
    """Who is named there."""
    reroll: Any = None
    """Songs to make anew, such as `[3]`, or sections of songs with their returns, `[3.chorus]`; the rest stays."""
    runs: list[str] | None = None
    """Runs to show in the gallery, `outputs/index.html`, in this order, such as `[mine,theirs]`, or `all`: makes that
    page and nothing else. Without it, an album that is made brings the gallery of all runs up to date."""
