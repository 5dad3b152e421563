"""Plan of a lyric: its sections, and for each line how many syllables it has and which line it rhymes with.

Where there is music, the lines of a section are cut out of its melody, one about every two bars, and a line has as
many syllables as notes begin in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from pipeline.lyrics.alignment.alignment import ATTACHED, BREATHLESS, NO_REST, SectionGrid
from pipeline.lyrics.corpus.song_lyrics import SECTION_MARKS
from pipeline.scores.notes import Notes
from pipeline.settings.lyrics import FREE, LyricsSettings
from pipeline.songs.song import Song
from pipeline.songs.sung_syllables import melody_of, singers

DEFAULT_FORM = (("verse", 4), ("chorus", 4), ("verse", 4), ("chorus", 4), ("bridge", 4), ("chorus", 4))
"""Sections and their lines, where there is no music to fit."""
SUNG = {"verse", "chorus", "prechorus", "bridge", "outro", "rap"}
"""Sections that have words; the others are left to the instruments."""
KINDS_OF_ROLES = {
    "refrain": "chorus",
    "abgesang": "chorus",
    "theme": "chorus",
    "path": "chorus",
    "stollen": "verse",
    "episode": "verse",
    "gate": "verse",
    "digression": "bridge",
    "summit": "bridge",
    "coda": "outro",
}
"""What the sections of the music's forms are in a lyric, where the two have different words for it."""
REPEATED = {"chorus", "prechorus"}
"""Sections written once and sung word for word each time."""
BARS_PER_LINE = 2
SCHEMES = ("ABAB", "AABB")
"""Rhyme schemes of songs for which none is given."""
METRES = {"ABAB": ((8, 6), (8, 8), (7, 7), (10, 10), (8, 7)), "AABB": ((8,), (7,), (9,), (10,), (11,))}
"""Syllables of the lines where there is no music; lines that rhyme are as long as one another."""
RAP_METRE = (11,)
STRONG = 0.6
"""How strong a strong syllable is, where there is no music."""
SINGABLE = (4, 12)
"""Fewest and most syllables of a line that is set to a melody."""
FEW_NOTES = 5
"""Where lines have fewer notes than this on average, a section gets half as many lines."""
MOST_LINES = 16
"""Of a section."""
UNEVEN = 1.6
"""What it costs, beside the alignment's prices, to begin a line a bar from where an even share of the section does."""


@dataclass(frozen=True)
class LinePlan:
    """What one line is asked for.

    Attributes
    ----------
    syllables
        How many it is to have.
    rhymes_with
        The earlier line of its section that it rhymes with, the nearest one; None where it opens a rhyme or has none.
    rhymes_later
        How many later lines rhyme with it.
    beats
        How strong the place of each of its syllables is, from 0 to 1; empty where that is not known.
    """

    syllables: int
    rhymes_with: int | None = None
    rhymes_later: int = 0
    beats: tuple[float, ...] = ()


@dataclass(frozen=True)
class SectionPlan:
    """One section: its kind, its lines, and the index of the music's section that it is sung to (None: to none)."""

    kind: str
    lines: tuple[LinePlan, ...]
    index: int | None = None


@dataclass(frozen=True)
class LyricPlan:
    """A whole lyric.

    Attributes
    ----------
    scheme
        `free`, or the letters of the rhyme scheme.
    sections
        In the order they are sung. Sections of a kind that comes back word for word have the same lines, as far as
        they go.
    """

    scheme: str
    sections: tuple[SectionPlan, ...]

    @cached_property
    def written(self) -> tuple[SectionPlan, ...]:
        """The sections that have to be written; one that comes back is there once, at its full length."""
        found: list[SectionPlan] = []
        for place, section in enumerate(self.sections):
            if self.source(place) == len(found):
                again = [other for other in self.sections if other.kind == section.kind in REPEATED]
                found.append(max(again, key=lambda other: len(other.lines), default=section))
        return tuple(found)

    def source(self, place: int) -> int:
        """Which of the sections that are `written` is sung at `place`."""
        kinds = [section.kind for section in self.sections]
        opens = [kind not in REPEATED or kind not in kinds[:at] for at, kind in enumerate(kinds)]
        first = place if opens[place] else kinds.index(kinds[place])
        return sum(opens[:first])


def plan_lyric(settings: LyricsSettings, number: int, song: Song | None = None, wanted: str | None = None) -> LyricPlan:
    """What the lyric of song `number` is asked for.

    Parameters
    ----------
    settings
        Scheme, syllables and seed.
    number
        Of the song; what the settings leave open depends on the seed and on it.
    song
        The music; None for words that are not sung. Music of nothing but instrumental sections has such words, too.
    wanted
        The track that sings; where it is silent, or none is named, the highest that has notes.
    """
    chance = random_number(settings.seed, number, "form")
    scheme = settings.scheme or SCHEMES[chance % len(SCHEMES)]
    if song is not None:
        kinds = lyric_form([(section.role, section.num_bars) for section in song.sections])
        sections = _sections_of(song, kinds, wanted, settings)
        if sections:
            return LyricPlan(scheme, tuple(_rhymed(section, scheme, settings.scheme is None) for section in sections))
    sections = []
    for kind, num_lines in DEFAULT_FORM:
        metre = settings.syllables or _metre(kind, scheme, settings.seed, number)
        sizes = [metre[place % len(metre)] for place in range(num_lines)]
        lines = tuple(LinePlan(size, beats=_alternating(size)) for size in sizes)
        sections.append(SectionPlan(kind, lines))
    return LyricPlan(scheme, tuple(_rhymed(section, scheme, settings.scheme is None) for section in sections))


def random_number(seed: int, number: int, purpose: str) -> int:
    """A number below 2**56 by chance that depends on these three alone."""
    mixed = hashlib.sha256(f"{seed}/{number}/{purpose}".encode()).digest()
    return int.from_bytes(mixed[:7], "big")


def lines_for_bars(kind: str, num_bars: int) -> int:
    """Lines that fit a section of the music: one to two bars, two at least and eight at most."""
    return min(8, max(2, num_bars // BARS_PER_LINE)) if kind in SUNG else 0


def lyric_form(sections: Sequence[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    """Kinds and lines of a lyric for the music's sections (role, bars).

    What returns most beside the verses is the chorus, where no section is called so; a section of another kind than
    lyrics know, such as one around notes that were given, is a verse.
    """
    kinds = [KINDS_OF_ROLES.get(role, role if role in SECTION_MARKS else "verse") for role, _ in sections]
    others = [kind for kind in kinds if kind in SUNG and kind != "verse"]
    if "chorus" not in kinds and others:
        chorus = max(others, key=others.count)
        if others.count(chorus) > 1:
            kinds = ["chorus" if kind == chorus else kind for kind in kinds]
    return tuple((kind, lines_for_bars(kind, bars)) for kind, (_, bars) in zip(kinds, sections, strict=True))


def rhyme_partner(scheme: str, place: int) -> int | None:
    """The nearest earlier line that line `place` rhymes with; the scheme is read again from its start."""
    if scheme == FREE:
        return None
    block, within = divmod(place, len(scheme))
    earlier = scheme.rfind(scheme[within], 0, within)
    return None if earlier < 0 else block * len(scheme) + earlier


def _rhymed(section: SectionPlan, scheme: str, drawn: bool) -> SectionPlan:
    """The section with its rhymes; two lines that are left over rhyme where the scheme is `drawn`."""
    count = len(section.lines)
    partners = [rhyme_partner(scheme, place) for place in range(count)]
    if drawn and count % len(scheme) == 2:
        partners[-1] = count - 2
    later = [0] * count
    for place in range(count - 1, -1, -1):
        partner = partners[place]
        if partner is not None:
            later[partner] = later[place] + 1
    rhymed = zip(section.lines, partners, later, strict=True)
    lines = tuple(LinePlan(one.syllables, partner, count, one.beats) for one, partner, count in rhymed)
    return SectionPlan(section.kind, lines, section.index)


def _alternating(size: int) -> tuple[float, ...]:
    """Beats of a line without music: every other syllable is strong, the last one is."""
    return tuple(STRONG * ((size - at) % 2) for at in range(size))


def _metre(kind: str, scheme: str, seed: int, number: int) -> Sequence[int]:
    """Syllables of the lines of a kind of section, where nothing else decides; all such sections of a song agree."""
    if kind == "rap":
        return RAP_METRE
    metres = METRES.get(scheme, METRES["AABB"])
    return metres[random_number(seed, number, f"metre of {kind}") % len(metres)]


def _sections_of(
    song: Song, kinds: Sequence[tuple[str, int]], wanted: str | None, settings: LyricsSettings
) -> list[SectionPlan]:
    """The sections that are sung, their lines cut out of the melody."""
    melodies = [melody_of(song.notes, track) for track in singers(song, wanted)]
    found: list[SectionPlan] = []
    for index, ((kind, num_lines), section) in enumerate(zip(kinds, song.sections, strict=True)):
        if not num_lines:
            continue
        bar = song.spec.steps_per_bar
        grid = SectionGrid(song.spec, section.first_bar * bar, section.num_bars * bar)
        first = next((one for one in found if one.kind == kind and kind in REPEATED), None)
        if first is not None and first.index is not None:
            # the words of the first place, as many lines as its bars ask for
            share = section.num_bars / song.sections[first.index].num_bars
            num_lines = max(1, int(len(first.lines) * share + 0.25))
        notes = _heard(melodies, grid, num_lines)
        if first is None and settings.syllables is None:
            num_lines = _num_lines(num_lines, len(notes), section.num_bars)
        lines = tuple(
            _line_plan(part, grid, settings, place) for place, part in enumerate(_cut_melody(notes, num_lines, grid))
        )
        if first is not None:
            longest = max((one.lines for one in found if one.kind == kind), key=len)
            lines = (*longest, *lines[len(longest) :])[:num_lines]
        found.append(SectionPlan(kind, lines, index))
    return found


def _heard(melodies: Sequence[Notes], grid: SectionGrid, num_lines: int) -> Notes:
    """The notes of a section on the first track that has some for every line, else on the one with the most."""
    end = grid.first_step + grid.num_steps
    inside = [one[(one["onset"] >= grid.first_step) & (one["onset"] < end)] for one in melodies]
    enough = [notes for notes in inside if len(notes) >= num_lines]
    found: Notes = enough[0] if enough else max(inside, key=len)
    return found


def _num_lines(num_lines: int, num_notes: int, num_bars: int) -> int:
    """More lines where there are many notes, fewer where there are few."""
    while num_notes > SINGABLE[1] * num_lines and 2 * num_lines <= min(num_bars, MOST_LINES):
        num_lines *= 2
    while num_notes < FEW_NOTES * num_lines and num_lines >= 4:
        num_lines //= 2
    return num_lines


def _cut_melody(notes: Notes, num_lines: int, grid: SectionGrid) -> list[Notes]:
    """The notes of each line, by the cheapest places for lines to begin (the prices are those of the alignment).

    A line should begin near where an even share of the section does, and after a rest or a long note.
    """
    if len(notes) < num_lines:
        return [notes[:0]] * num_lines
    onsets, lengths = notes["onset"].astype(np.int64), notes["length"].astype(np.int64)
    gaps = onsets[1:] - onsets[:-1] - lengths[:-1]
    long = lengths[:-1] >= 1.5 * grid.spec.steps_per_quarter
    breath = np.where(gaps > 0, 0.0, ATTACHED + np.where(long, NO_REST, BREATHLESS))
    bars = (onsets[1:] - grid.first_step) / grid.spec.steps_per_bar
    least = min(SINGABLE[0], len(notes) // num_lines)
    costs = np.full(len(notes) + 1, np.inf)  # of the cheapest way to begin the line so far with each note
    costs[0] = 0.0
    before: list[np.ndarray[tuple[int], np.dtype[np.int64]]] = []
    for line in range(1, num_lines):
        planned = grid.num_steps / grid.spec.steps_per_bar * line / num_lines
        price = breath + UNEVEN * np.abs(bars - planned)
        cheapest = np.minimum.accumulate(costs)
        origin = np.maximum.accumulate(np.where(costs <= cheapest, np.arange(len(costs)), 0))
        costs = np.full(len(notes) + 1, np.inf)
        starts = np.arange(least, len(notes))
        costs[starts] = cheapest[starts - least] + price[starts - 1]
        before.append(np.concatenate([np.zeros(least, np.int64), origin[: len(origin) - least]]))
    costs[len(notes) - least + 1 :] = np.inf
    bounds = [len(notes)]
    if num_lines > 1:
        bounds.insert(0, int(np.argmin(costs)))
        for origin in reversed(before[1:]):
            bounds.insert(0, int(origin[bounds[0]]))
        bounds.insert(0, 0)
    else:
        bounds.insert(0, 0)
    return [notes[start:end] for start, end in pairwise(bounds)]


def _line_plan(notes: Notes, grid: SectionGrid, settings: LyricsSettings, place: int) -> LinePlan:
    """A syllable a note, where that can be sung and nothing else is asked for."""
    if settings.syllables is not None:
        syllables = settings.syllables[place % len(settings.syllables)]
    else:
        syllables = min(max(len(notes), SINGABLE[0]), SINGABLE[1])
    beats = tuple(grid.weight(notes["onset"].astype(np.int64)).tolist()) if syllables == len(notes) else ()
    return LinePlan(syllables, beats=beats)
