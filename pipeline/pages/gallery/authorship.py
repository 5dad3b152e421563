"""Authorship of a run: which notes and lines the machine wrote, and what a person wrote, gave, asked for or sent back.

Everything is read from what the stages left on disk; a file that is missing or damaged tells nothing.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.lyrics.song.lyric import AUTHORS
from pipeline.progress import counted
from pipeline.songs.provenance import Origin

MACHINE, PERSON, BOTH, FILE = "machine", "person", "both", "file"
"""Who wrote a part: the machine, a person, the machine with changes by a person, or a file of the person's."""
AUTHOR_OF = {Origin.MADE: MACHINE, Origin.DRAWN: PERSON, Origin.GIVEN: FILE}
"""Who wrote a bar of a track."""
FILES = ("data.path", "generate.given", "generate.flip", "generate.like", "generate.towards", "lyrics.path")
"""Settings that name files of the person's."""
SAID = {
    "generate.chords": "chords",
    "generate.key": "key",
    "generate.form": "form",
    "generate.tempo_bpm": "tempo",
    "generate.tempo_range_bpm": "tempo",
    "generate.density": "density",
    "generate.style": "style",
    "generate.instruments": "instruments",
    "lyrics.prompt": "first words",
    "album.title": "title",
}
"""What a person may have said of the music and the words, by the settings that hold it."""


@dataclass(frozen=True)
class Shares:
    """Who wrote how much of something.

    Attributes
    ----------
    noun
        What is counted, in the plural.
    counts
        How many are by `MACHINE`, `PERSON`, `BOTH` and `FILE`.
    """

    noun: str
    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts.values())

    def percent(self, author: str) -> float:
        """The share of an author, from 0 to 100."""
        return 100 * self.counts.get(author, 0) / max(1, self.total)

    def in_words(self, author: str) -> str:
        """The same for people: `34 %`, `under 1 %`, `over 99 %`; only all of it is `100 %`."""
        percent = self.percent(author)
        if 0 < percent < 1:
            return "under 1 %"
        return "over 99 %" if 99 < percent < 100 else f"{percent:.0f} %"


@dataclass(frozen=True)
class Authorship:
    """What of a run is whose: shares, and in words what the machine and the person did."""

    shares: list[Shares] = field(default_factory=list)
    machine: list[str] = field(default_factory=list)
    person: list[str] = field(default_factory=list)


def authorship_of(run: Path, settings: Mapping[str, Any]) -> Authorship:
    """Who wrote the songs and the words of a run.

    Parameters
    ----------
    run
        Its folder.
    settings
        Those of its finished stages, by dotted keys.
    """
    found = Authorship()
    songs = sorted((run / "generate" / "album" / "songs").glob("[0-9]*.npz"))
    bars = sum(map(origins_in, songs), Counter[str]())
    if bars:
        found.shares.append(Shares("bars of the tracks", bars))
        found.machine.append(f"{counted(bars[MACHINE], 'bar')} of the tracks of {counted(len(songs), 'song')}")
        for author, words in ((PERSON, "drawn by hand"), (FILE, "from given files")):
            if bars[author]:
                found.person.append(f"{counted(bars[author], 'bar')} of the tracks {words}")
    lines = lines_in(run / "lyrics" / "lyrics.json")
    if lines:
        found.shares.append(Shares("lines of the words", lines))
        for author, words, side in (
            (MACHINE, "of words", found.machine),
            (PERSON, "written by hand", found.person),
            (BOTH, "of the machine's changed by hand", found.person),
        ):
            if lines[author]:
                side.append(f"{counted(lines[author], 'line')} {words}")
    if rerolls := settings.get("generate.rerolls"):
        found.person.append(f"songs or sections sent back: {len(rerolls)}")
    found.person.extend(f"given: {name}" for name in given_files(settings))
    if said := list(dict.fromkeys(word for key, word in SAID.items() if settings.get(key))):
        found.person.append(f"asked for: {', '.join(said)}")
    return found


def origins_in(song: Path) -> Counter[str]:
    """Bars of tracks of a song file by who wrote them; empty where it can't be read."""
    try:
        with song.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            if "origins" in arrays.files:
                return Counter(AUTHOR_OF[Origin(cell)] for cell in arrays["origins"].ravel().tolist())
            header = json.loads(str(arrays["header"]))
            bars = sum(int(section[3]) for section in header["sections"])
            return Counter({MACHINE: bars * len(header["spec"]["tracks"])})
    except (OSError, ValueError, KeyError, TypeError, IndexError, EOFError, zipfile.BadZipFile, zlib.error):
        return Counter()


def lines_in(lyrics: Path) -> Counter[str]:
    """Lines of `lyrics.json` by who wrote them, a chorus that comes back counted once; empty where there are none."""
    whose = dict(zip(AUTHORS, (MACHINE, PERSON, BOTH), strict=True))
    try:
        songs = json.loads(lyrics.read_text(encoding="utf-8"))["songs"]
        lines = {
            (song["number"], line, whose[author])
            for song in songs
            for section in song["sections"]
            for line, author in zip(section["lines"], section["authors"], strict=True)
        }
    except (OSError, ValueError, KeyError, TypeError):
        return Counter()
    return Counter(author for _, _, author in lines)


def given_files(settings: Mapping[str, Any]) -> list[str]:
    """The names of files and folders that a person gave, without the folders above them."""
    names = []
    for key in FILES:
        value = settings.get(key)
        paths = value if isinstance(value, list) else [] if value is None else [value]
        names += [Path(str(path)).name or str(path) for path in paths if not str(path).isdigit()]
    return list(dict.fromkeys(names))
