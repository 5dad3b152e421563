"""Provenance of a song for people: which bars of which tracks were made, drawn and given, in words and as a strip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.songs.provenance import Origin, stretches_of
from pipeline.songs.song import Song

WORDS = {Origin.DRAWN: "drawn by hand", Origin.GIVEN: "from a file that was given"}
KEPT = "kept in the studio"


@dataclass(frozen=True)
class StripCell:
    """Bars of one origin in the row of a track, and how the strip shows them.

    Attributes
    ----------
    track, first_bar, num_bars
        Where they are, counted from 0.
    top, height
        Shares of the row: what was drawn fills it, what was given is half as high, what was made is a line.
    """

    track: int
    first_bar: int
    num_bars: int
    top: float
    height: float


HEIGHTS = {Origin.MADE: (0.44, 0.12), Origin.DRAWN: (0.04, 0.92), Origin.GIVEN: (0.27, 0.46)}


@dataclass(frozen=True)
class PageProvenance:
    """What the page tells of a song that is not all the generator's.

    Attributes
    ----------
    sentences
        Such as `Bass, bars 9 to 12: drawn by hand`.
    cells
        The strip; none where the generator made all bars.
    tracks, bars
        Its size.
    """

    sentences: Sequence[str]
    cells: Sequence[StripCell]
    tracks: int
    bars: int

    @property
    def text(self) -> str:
        """The sentences as one text."""
        return "; ".join(self.sentences)


def provenance_of(song: Song, is_kept: bool) -> PageProvenance | None:
    """What is to be told of a song; None where the generator made all of it and nobody kept it."""
    sentences = [KEPT] * is_kept
    if not song.all_origins.any():
        return PageProvenance([*sentences, "all bars made by the generator"], [], 0, 0) if is_kept else None
    sentences += list(_sentences(song))
    cells = [
        StripCell(track, first, end - first, *HEIGHTS[origin])
        for track, row in enumerate(song.all_origins)
        for origin, first, end in stretches_of(row)
    ]
    return PageProvenance(sentences, cells, song.spec.num_tracks, song.num_bars)


def _sentences(song: Song) -> Iterator[str]:
    """Each track and origin that is not all the generator's; a song of one origin in one sentence."""
    origins = song.all_origins
    for origin, words in WORDS.items():
        if (origins == origin).all():
            yield f"all bars of all tracks: {words}"
            return
        for track, row in enumerate(origins):
            spans = [(first, end) for found, first, end in stretches_of(row) if found == origin]
            if spans:
                bars = "all bars" if spans == [(0, song.num_bars)] else bars_in_words(spans)
                yield f"{song.spec.names[track]}, {bars}: {words}"
    if (origins == Origin.MADE).any():
        yield "all other bars made by the generator"


def bars_in_words(spans: Sequence[tuple[int, int]]) -> str:
    """Stretches of bars, first and one after the last, counted from 0, as people count them.

    >>> bars_in_words([(8, 12), (16, 17)])
    'bars 9 to 12 and 17'
    """
    words = [f"{first + 1}" if end == first + 1 else f"{first + 1} to {end}" for first, end in spans]
    noun = "bar" if len(spans) == 1 and spans[0][1] == spans[0][0] + 1 else "bars"
    listed = " and ".join(words) if len(words) < 3 else f"{', '.join(words[:-1])} and {words[-1]}"
    return f"{noun} {listed}"
