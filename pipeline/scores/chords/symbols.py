"""Chord symbols: `Am7 F C/E G7` read and printed, one chord or a whole progression.

A chord of a song is one of the qualities that `gan.chords` tells apart; richer symbols become the nearest of them (`C6`
is `C`, `G13` is `G7`, `Cdim7` is `Cdim`). A half bar is the shortest time that a chord has.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gan.chords import BASS, CHORD_NUMBERS, NO_CHORD, NO_PITCH_CLASS, QUALITIES, QUALITY, ROOT

ChordRows = NDArray[np.int8]
"""Chords of half bars, int8 `[half_bars, 3]`: root, quality and bass as in `gan.chords`; `UNKNOWN` in all three."""
UNKNOWN = -1
"""The quality where a chord is not known."""
UNKNOWN_SYMBOL: Final = "?"
"""Stands where it is not known any more which chord sounds."""
LETTERS = "CDEFGAB"
PITCH_CLASSES = (0, 2, 4, 5, 7, 9, 11)
"""Of the letters."""
ACCIDENTALS = {"": 0, "#": 1, "##": 2, "b": -1, "bb": -2, "is": 1, "es": -1, "s": -1}
NOTE = r"(?:([AEae])(s)(?!us)|([A-Ga-g])(##|bb|#|b|is|es)?|([Hh])(is|#)?)"
"""A note in English or in German: `F#`, `Fis`, `Bb`, `Es`, `H`; `B` is the English one."""
SYMBOL = re.compile(rf"{NOTE}(.*?)(?:/{NOTE})?")
REST = re.compile(r"n\.?\s?c\.?|n|none|no chord", re.IGNORECASE)
ALTERED = r"(?:[b#+-](?:5|9|11|13)|add\d+|no\d+|omit\d+|alt)*"
MINOR, MAJOR = r"(?:m|-|(?i:minor|min|mi))", r"(?:M|Δ|\^|j|(?i:major|maj|ma))"
SUFFIXES = (
    ("m7b5", re.compile(rf"{MINOR}(?:7|9|11)[b-]5|ø7?|(?i:hdim|half-?dim(?:inished)?)7?")),
    ("dim", re.compile(r"(?:o|°|(?i:diminished|dim))(?:7|9)?|mb5")),
    ("aug", re.compile(r"(?:\+|(?i:augmented|aug))(?:7|9|maj7|M7)?|(?:7|9)?[#+]5|7\+")),
    ("maj", re.compile(r"(?i:sus)2|2")),
    ("sus4", re.compile(rf"(?:{MAJOR}?(?:7|9|11|13))?(?i:sus)4?{ALTERED}|4")),
    ("min", re.compile(rf"{MINOR}{MAJOR}(?:7|9|11|13)|{MINOR}(?:6/9|69|6|add\d+|5|b6)*")),
    ("min7", re.compile(rf"{MINOR}(?:7|9|11|13){ALTERED}")),
    ("maj7", re.compile(rf"(?:{MAJOR}(?:7|9|11|13)|Δ|\^){ALTERED}")),
    ("maj", re.compile(rf"{MAJOR}?(?:6/9|69|6|5|add\d+|no\d+|b5)*")),
    ("7", re.compile(rf"(?i:dom)?(?:7|9|11|13){ALTERED}|(?i:alt)")),
)
"""What stands behind the root, and the quality that it means; the first that fits counts."""
PRINTED = dict.fromkeys(QUALITIES, "") | {quality: quality for quality in QUALITIES if quality != "maj"}
PRINTED |= {"min": "m", "min7": "m7"}
SPELLED_FLAT = ((0, 0), (1, -1), (1, 0), (2, -1), (2, 0), (3, 0), (3, 1), (4, 0), (5, -1), (5, 0), (6, -1), (6, 0))
"""Letter and accidental of each pitch class as the root of a major chord."""
SPELLED_SHARP = (*SPELLED_FLAT[:1], (0, 1), *SPELLED_FLAT[2:8], (4, 1), *SPELLED_FLAT[9:])
"""The same of a minor chord."""
DEGREES = (0, 1, 1, 2, 2, 3, 4, 4, 5, 5, 6, 6)
"""Letters above the root by semitones."""
MOST_CHORDS = 2
"""Chords in a bar."""


@dataclass(frozen=True)
class Chord:
    """A chord: pitch classes of its root and bass (0 for C), and one of `gan.chords.QUALITIES`."""

    root: int
    quality: str
    bass: int

    @property
    def spelled(self) -> tuple[tuple[str, int], tuple[str, int]]:
        """Letter and accidental (semitones) of root and bass; the bass is spelled as a note of the chord."""
        sharp = self.quality in ("min", "min7", "dim", "m7b5")
        letter, accidental = (SPELLED_SHARP if sharp else SPELLED_FLAT)[self.root]
        low = (letter + DEGREES[(self.bass - self.root) % 12]) % 7
        off = (self.bass - PITCH_CLASSES[low] + 6) % 12 - 6
        if abs(off) > 1:
            low, off = SPELLED_FLAT[self.bass]
        return (LETTERS[letter], accidental), (LETTERS[low], off)

    def __str__(self) -> str:
        """Such as `Am7` or `C/E`."""
        root, bass = (letter + {-1: "b", 0: "", 1: "#"}[off] for letter, off in self.spelled)
        return root + PRINTED[self.quality] + ("" if self.bass == self.root else f"/{bass}")

    @property
    def row(self) -> tuple[int, int, int]:
        """Its numbers, as in `gan.chords`."""
        return self.root, QUALITIES.index(self.quality), self.bass


ChordSymbol: TypeAlias = Chord | Literal["?"] | None
"""What stands above the notes: a chord, `None` for `N.C.`, or `UNKNOWN_SYMBOL`."""


def read_chord(text: str) -> Chord | None:
    """The chord that a symbol means, `None` for `N.C.`. Raises `ValueError` that says what a chord looks like."""
    plain = text.strip().replace("♭", "b").replace("♯", "#").replace("(", "").replace(")", "").replace(" ", "")
    if REST.fullmatch(plain):
        return None
    found = SYMBOL.fullmatch(plain)
    quality = next((name for name, pattern in SUFFIXES if found and pattern.fullmatch(found[7])), None)
    if found is None or quality is None:
        raise ValueError(f"{text.strip()} is no chord; chords are written like Am, F#7, Bbmaj7, C/E")
    root = _pitch_class(found.groups()[:6])
    return Chord(root, quality, root if not any(found.groups()[7:]) else _pitch_class(found.groups()[7:]))


def symbol_of(chord: ChordSymbol) -> str:
    """The symbol of a chord, `N.C.` for none."""
    return "N.C." if chord is None else str(chord)


def row_of(symbol: ChordSymbol) -> tuple[int, int, int]:
    """The numbers of what a symbol says, as in `ChordRows`."""
    if symbol == UNKNOWN_SYMBOL:
        return UNKNOWN, UNKNOWN, UNKNOWN
    return NO_ROW if symbol is None else symbol.row


def transposed(chord: Chord | None, semitones: int) -> Chord | None:
    """A chord moved by `semitones`."""
    if chord is None:
        return None
    return Chord((chord.root + semitones) % 12, chord.quality, (chord.bass + semitones) % 12)


def _pitch_class(groups: Sequence[str | None]) -> int:
    """The pitch class that the groups of `NOTE` hold."""
    letter = next(one for one in groups[::2] if one).upper()
    accidental = next((one for one in groups[1::2] if one), "")
    return (PITCH_CLASSES[LETTERS.index("B" if letter == "H" else letter)] + ACCIDENTALS[accidental]) % 12


def read_progression(text: str) -> ChordRows:
    """The chords of half bars that a line of symbols means: one a bar, or those that stand between bar lines.

    `Am F C G` has four bars, `Am F | C G` two of two chords each; `%` repeats the bar before. Raises `ValueError` that
    says what is wrong.
    """
    line = text.replace(",", " ").strip()
    bars = [part.split() for part in line.strip("|").split("|")] if "|" in line else [[one] for one in line.split()]
    if not any(bars):
        raise ValueError("it has no chords; chords are written like Am F C G")
    rows: list[tuple[int, int, int]] = []
    for bar in bars:
        symbols = [one for one in bar if one not in ("-", ".", "/")]
        if symbols == ["%"] and rows:
            rows += rows[-2:]
            continue
        if not symbols:
            raise ValueError("nothing stands between two of its bar lines")
        if len(symbols) > MOST_CHORDS:
            raise ValueError(f"{' '.join(bar)} are {len(symbols)} chords in one bar, and a bar has two at most")
        own = [chord.row if (chord := read_chord(one)) else NO_ROW for one in symbols]
        rows += own if len(own) == MOST_CHORDS else own * 2
    return np.array(rows, np.int8)


NO_ROW = (NO_PITCH_CLASS, NO_CHORD, NO_PITCH_CLASS)
"""The numbers of no chord."""


def unknown_chords(half_bars: int) -> ChordRows:
    """Chords `[half_bars, 3]` of which nothing is known."""
    return np.full((half_bars, CHORD_NUMBERS), UNKNOWN, np.int8)


def chord_of_row(row: NDArray[np.integer]) -> Chord | None:
    """The chord of one row, `None` where none sounds or it is unknown."""
    root, quality, bass = (int(row[place]) for place in (ROOT, QUALITY, BASS))
    return Chord(root, QUALITIES[quality], bass) if 0 <= quality < NO_CHORD else None


def transpose_rows(chords: ChordRows, semitones: int) -> ChordRows:
    """The chords moved by `semitones`: roots and basses move, what is none or unknown stays."""
    moved = chords.copy()
    for place in (ROOT, BASS):
        moved[..., place] = np.where(chords[..., place] >= 0, (chords[..., place] + semitones) % 12, chords[..., place])
    return moved


def changes_of(chords: ChordRows) -> list[tuple[int, Chord | None]]:
    """The half bars in which another chord begins, each with that chord; where it is unknown the last one holds."""
    changes: list[tuple[int, Chord | None]] = []
    last: tuple[int, ...] | None = None
    for index, row in enumerate(chords.tolist()):
        if row[QUALITY] != UNKNOWN and tuple(row) != last:
            last = tuple(row)
            changes.append((index, chord_of_row(chords[index])))
    return changes


def print_progression(chords: ChordRows) -> str:
    """A line of symbols that `read_progression` reads: `Am | F | C G`; unknown chords are printed as none."""
    bars = []
    for first, second in zip(chords[::2], chords[1::2], strict=True):
        names = [symbol_of(chord_of_row(one)) for one in (first, second)]
        bars.append(names[0] if names[0] == names[1] else " ".join(names))
    return " | ".join(bars)
