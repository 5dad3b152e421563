"""The listening page: one HTML file that opens by double click and needs nothing but the files beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline.drawing.palette import BACKGROUND, track_colour
from pipeline.drawing.plots import SONG_BOX, SONG_SIZE
from pipeline.pages.album.cover import Theme
from pipeline.progress import duration


@dataclass(frozen=True)
class PageSection:
    """A part of a song and when it begins."""

    name: str
    start_seconds: float


@dataclass(frozen=True)
class Syllable:
    """A syllable with the space after it, and when it is sung, in seconds."""

    text: str
    start: float
    end: float


@dataclass(frozen=True)
class Line:
    """A line of a lyric; without syllables where it is not sung."""

    text: str
    syllables: Sequence[Syllable] = ()


@dataclass(frozen=True)
class Verse:
    """A part of a lyric."""

    name: str
    lines: Sequence[Line]


@dataclass(frozen=True)
class Download:
    """A file beside the page; `path` is relative to it."""

    label: str
    path: str
    num_bytes: int


@dataclass(frozen=True)
class PageTrack:
    """One song of the page. Paths are relative to the page; None where there is no such file.

    `marks` are (seconds, share of the roll's width) pairs that rise; in between the playhead moves evenly.
    """

    number: int
    title: str
    seconds: float
    audio: str | None
    picture: str | None
    facts: Sequence[str]
    instruments: Sequence[tuple[str, str]]
    """Track and the instrument that plays it."""
    sections: Sequence[PageSection]
    marks: Sequence[tuple[float, float]]
    lyric: Sequence[Verse]
    downloads: Sequence[Download]


@dataclass(frozen=True)
class Sample:
    """What the generator made at some point of its training: a picture, and a sound where there is one."""

    label: str
    path: str
    sound: str | None = None


@dataclass(frozen=True)
class Page:
    """All that the page tells."""

    title: str
    artist: str
    cover: str
    theme: Theme
    tracks: Sequence[PageTrack]
    samples: Sequence[Sample]
    learning: str | None
    structure: str
    credits: Sequence[tuple[str, str]]
    command: str

    @property
    def seconds(self) -> float:
        """Length of the album."""
        return sum(track.seconds for track in self.tracks)


def clock(seconds: float) -> str:
    """`3:07`."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def size(num_bytes: int) -> str:
    """`340 kB`, `12.3 MB`."""
    return f"{num_bytes / 1e6:.1f} MB" if num_bytes >= 1e6 else f"{max(1, round(num_bytes / 1e3))} kB"


def templates(folder: Path) -> Environment:
    """The page templates of a folder: every text is escaped, a name that is not given is an error."""
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"clock": clock, "duration": duration, "size": size, "href": quote}
    return environment


def inset(size: tuple[int, int], box: tuple[int, int, int, int]) -> dict[str, float]:
    """Where a roll lies in its picture, as percent from each side: there the playhead moves.

    Parameters
    ----------
    size
        Width and height of the picture in pixels.
    box
        Left, top, right and bottom of the roll.
    """
    width, height = size
    left, top, right, bottom = box
    return {
        "left": 100 * left / width,
        "right": 100 * (1 - right / width),
        "top": 100 * top / height,
        "bottom": 100 * (1 - bottom / height),
    }


def render_page(page: Page) -> str:
    """The page as HTML; every text is escaped, every path quoted."""
    return (
        templates(Path(__file__).parent)
        .get_template("page.html.j2")
        .render(
            page=page, picture_size=SONG_SIZE, box=inset(SONG_SIZE, SONG_BOX), panel=BACKGROUND, colour=track_colour
        )
    )


def credits_text(page: Page) -> str:
    """The same credits as plain text, for `credits.txt`."""
    lines = [f"{page.title} - {page.artist}", ""]
    lines += [f"{track.number:2d}. {track.title} ({clock(track.seconds)})" for track in page.tracks]
    lines += ["", *(f"{name}: {text}" for name, text in page.credits), "", "Make it again:", page.command, ""]
    return "\n".join(lines)


def playlist(page: Page) -> str:
    """An extended M3U playlist of the songs that have sound."""
    lines = ["#EXTM3U"]
    for track in page.tracks:
        if track.audio:
            lines += [f"#EXTINF:{round(track.seconds)},{page.artist} - {track.title}", track.audio]
    return "\n".join(lines) + "\n"
