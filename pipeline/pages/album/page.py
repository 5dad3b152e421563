"""The listening page: one HTML file that opens by double click and needs nothing but the files beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.drawing.palette import BACKGROUND, track_colour
from pipeline.drawing.piano_rolls import SONG_BOX, SONG_SIZE
from pipeline.pages.album.cover import Theme
from pipeline.pages.album.provenance import PageProvenance
from pipeline.pages.html import clock, inset, templates


@dataclass(frozen=True)
class PageSection:
    """A part of a song and when it begins."""

    name: str
    start_seconds: float


@dataclass(frozen=True)
class PageSyllable:
    """A syllable with the space after it, and when it is sung, in seconds."""

    text: str
    start: float
    end: float


@dataclass(frozen=True)
class PageLine:
    """A line of a lyric; without syllables where it is not sung."""

    text: str
    syllables: Sequence[PageSyllable] = ()


@dataclass(frozen=True)
class PageVerse:
    """A part of a lyric."""

    name: str
    lines: Sequence[PageLine]


@dataclass(frozen=True)
class PageDownload:
    """A file beside the page; `path` is relative to it."""

    label: str
    path: str
    num_bytes: int


@dataclass(frozen=True)
class AlbumTrack:
    """One song of the page. Paths are relative to the page; None where there is no such file.

    `marks` are (seconds, share of the roll's width) pairs that rise; in between the playhead moves evenly.
    """

    number: int
    title: str
    seconds: float
    audio: str | None
    picture: str | None
    facts: Sequence[str]
    instruments: Sequence[tuple[int, str, str]]
    """Place, which gives its colour, and name of each track that sounds, and the instrument that plays it."""
    sections: Sequence[PageSection]
    marks: Sequence[tuple[float, float]]
    lyric: Sequence[PageVerse]
    downloads: Sequence[PageDownload]
    provenance: PageProvenance | None = None


@dataclass(frozen=True)
class TrainingSample:
    """What the generator made at some point of its training: a picture, and a sound where there is one."""

    label: str
    path: str
    sound: str | None = None


@dataclass(frozen=True)
class AlbumPage:
    """All that the page tells."""

    title: str
    artist: str
    cover: str
    theme: Theme
    tracks: Sequence[AlbumTrack]
    samples: Sequence[TrainingSample]
    learning: str | None
    structure: str
    credits: Sequence[tuple[str, str]]
    command: str

    @property
    def seconds(self) -> float:
        """Length of the album."""
        return sum(track.seconds for track in self.tracks)


def render_page(page: AlbumPage) -> str:
    """The page as HTML; every text is escaped, every path quoted."""
    return (
        templates(Path(__file__).parent)
        .get_template("page.html.j2")
        .render(
            page=page, picture_size=SONG_SIZE, box=inset(SONG_SIZE, SONG_BOX), panel=BACKGROUND, colour=track_colour
        )
    )


def credits_text(page: AlbumPage) -> str:
    """The same credits as plain text, for `credits.txt`."""
    lines = [f"{page.title} - {page.artist}", ""]
    lines += [f"{track.number:2d}. {track.title} ({clock(track.seconds)})" for track in page.tracks]
    lines += ["", *(f"{name}: {text}" for name, text in page.credits), "", "Make it again:", page.command, ""]
    return "\n".join(lines)


def playlist(page: AlbumPage) -> str:
    """An extended M3U playlist of the songs that have sound."""
    lines = ["#EXTM3U"]
    for track in page.tracks:
        if track.audio:
            lines += [f"#EXTINF:{round(track.seconds)},{page.artist} - {track.title}", track.audio]
    return "\n".join(lines) + "\n"
