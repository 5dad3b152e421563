"""Lyrics with a form: title, verses that rhyme, a chorus that comes back word for word."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from pipeline.errors import UserError
from pipeline.lyrics.merit import Song, Usage
from pipeline.lyrics.model import LanguageModel
from pipeline.lyrics.rhyme import rhyme_key
from pipeline.lyrics.sampling import Candidate, Lexicon, LineSampler
from pipeline.lyrics.settings import LyricsSettings
from pipeline.lyrics.verse import MARKS, START, WORD, Section, capitalised, spoken

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
LENGTHS = (26, 46)
"""Characters of a line."""
SPREAD = 8
"""How far a line's length may stray from the first line's of its section."""
SCHEMES = ("ABAB", "AABB")
LEVELS = (0, 0, 1, 1, 2, 2, 3, 3)
"""How far the demands on a line are eased, round by round of candidates."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


SMALL_WORDS = _set("a an and as at but by for from in into is of on or so than that the to with was were")
DETERMINERS = _set("the a an my your his her our their no every")
WEAK_WORDS = (
    SMALL_WORDS | DETERMINERS | _set("i i'm i'd i'll i've he she it it's we you they there there's if when who not")
)
"""Words that no title ends with, nor begins with but for a determiner."""


def lines_of(kind: str, num_bars: int) -> int:
    """Lines that fit a section of the music: one to two bars, two at least and eight at most."""
    return min(8, max(2, num_bars // BARS_PER_LINE)) if kind in SUNG else 0


def words_for(sections: Sequence[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    """Kinds and lines of a lyric for the music's sections (role, bars).

    What returns most beside the verses is the chorus, where no section is called so; a section of another kind than
    lyrics know, such as one around notes that were given, is a verse.
    """
    kinds = [KINDS_OF_ROLES.get(role, role if role in MARKS else "verse") for role, _ in sections]
    others = [kind for kind in kinds if kind in SUNG and kind != "verse"]
    if "chorus" not in kinds and others:
        chorus = max(others, key=others.count)
        if others.count(chorus) > 1:
            kinds = ["chorus" if kind == chorus else kind for kind in kinds]
    return tuple((kind, lines_of(kind, bars)) for kind, (_, bars) in zip(kinds, sections, strict=True))


@dataclass(frozen=True)
class Lyric:
    """One song's words."""

    number: int
    title: str
    sections: tuple[Section, ...]


class Writer:
    """Writes lyrics with a trained model, all different.

    Parameters
    ----------
    model, symbols
        The language model and its vocabulary.
    texts
        The training texts as the model reads them: their words are used, their lines are not.
    settings
        Temperature, nucleus, candidates and seed.
    """

    def __init__(self, model: LanguageModel, symbols: str, texts: Sequence[str], settings: LyricsSettings) -> None:
        self.model, self.symbols, self.settings = model, symbols, settings
        self.lexicon = Lexicon(texts)
        self.usage = Usage(
            [[word.lower() for word in WORD.findall(line[::-1])] for line in text.split("\n")] for text in texts
        )
        self.titles: set[str] = set()
        self.lines: set[str] = set()
        self.endings: set[str] = set()
        """Words that ended a line of any song: each is used once while there are others."""

    def write(self, number: int, form: Sequence[tuple[str, int]]) -> Lyric:
        """The lyric of song `number`: for each (kind of section, lines) of `form` that has lines, its words."""
        sung = [(kind, num_lines) for kind, num_lines in form if num_lines]
        return SongWriter(self, number).write(sung or DEFAULT_FORM)

    def title(self, lines: Sequence[str]) -> str:
        """A phrase out of `lines` that says most, in title case; no two songs get the same one."""
        found: dict[str, float] = {}
        for line in lines:
            for part in line.split(","):
                words = WORD.findall(part)
                for start, end in combinations(range(len(words) + 1), 2):
                    phrase = words[start:end]
                    if self._is_title(phrase) and (start == 0 or end == len(words)):
                        found[title_case(phrase)] = self._weight(phrase)
        ranked = sorted(found, key=lambda phrase: (-found[phrase], phrase))
        spare = (title_case(WORD.findall(line)) for line in lines)
        title = next((phrase for phrase in (*ranked, *spare) if phrase not in self.titles), " ".join(lines))
        self.titles.add(title)
        return title

    def _is_title(self, words: Sequence[str]) -> bool:
        strong = sum(word.lower() not in WEAK_WORDS for word in words)
        return (
            2 <= len(words) <= 4
            and strong >= 1
            and words[0].lower() not in WEAK_WORDS - DETERMINERS
            and words[-1].lower() not in WEAK_WORDS
            and not words[-1].endswith("'s")
        )

    def _weight(self, words: Sequence[str]) -> float:
        """How rare the phrase's strong words are, and how usual they are side by side."""
        lowered = [word.lower() for word in words]
        rare = sum(1 / (3 + len(self.usage.homes.get(word, ()))) for word in lowered if word not in WEAK_WORDS)
        return rare / len(words) + 0.3 * self.usage.idiom(lowered)


class SongWriter:
    """Writes one song, line after line."""

    def __init__(self, writer: Writer, number: int) -> None:
        self.writer, self.settings, self.number = writer, writer.settings, number
        seed = int.from_bytes(hashlib.sha256(f"{self.settings.seed}/{number}".encode()).digest()[:7], "big")
        self.sampler = LineSampler(
            writer.model, writer.symbols, writer.lexicon, self.settings.temperature, self.settings.top_p, seed
        )
        self.scheme = SCHEMES[seed % len(SCHEMES)]
        self.song = Song(writer.usage)
        self.scores, self.state = self.sampler.read(START, writer.model.initial_state(1))

    def write(self, form: Sequence[tuple[str, int]]) -> Lyric:
        """All sections; one that is repeated is written once, as long as its longest place asks."""
        written: dict[str, tuple[str, ...]] = {}
        sections: list[Section] = []
        for kind, num_lines in form:
            if kind not in REPEATED:
                lines = self.section(kind, num_lines)
            else:
                if kind not in written:
                    written[kind] = self.section(kind, max(lines for other, lines in form if other == kind))
                lines = written[kind][:num_lines]
            sections.append(Section(kind, lines))
        core = next((one for one in sections if one.name == "chorus"), sections[0])
        return Lyric(self.number, self.writer.title(core.lines), tuple(sections))

    def section(self, kind: str, num_lines: int) -> tuple[str, ...]:
        """New lines of one section, rhymed by the song's scheme."""
        mark = MARKS[kind] if MARKS[kind] in self.writer.symbols else "\n"
        self.scores, self.state = self.sampler.read(mark, self.state)
        lines: list[Candidate] = []
        for place in range(num_lines):
            partner = rhyme_partner(self.scheme, place)
            line = self.line(lines, None if partner is None else lines[partner])
            self.scores, self.state = self.sampler.read(line.spelt + "\n", self.state)
            self.writer.lines.add(line.spelt)
            self.writer.endings.add(line.words[-1])
            self.song.add(line.words)
            lines.append(line)
        return tuple(spoken(line.spelt) for line in lines)

    def line(self, before: Sequence[Candidate], partner: Candidate | None) -> Candidate:
        """The best of the candidates for the next line; demands are eased until there is one.

        Raises
        ------
        UserError
            When the model can't fill a line with words, as one that was hardly trained.
        """
        low, high = LENGTHS
        if before:
            length = len(before[0].spelt)
            low, high = max(low, length - SPREAD), min(high, length + SPREAD)
        for eased in LEVELS:
            endings = self._endings(partner if eased < max(LEVELS) else None)
            lengths = max(1, low - 6 * eased), high + 15 * eased
            drawn = self.sampler.draw(self.scores, self.state, self.settings.candidates, lengths, endings)
            if fresh := [one for one in drawn if one.spelt not in self.writer.lines]:
                return max(fresh, key=lambda one: self.song.merit(one.words, one.score))
        raise UserError(
            "the language model finds no new line: raise lyrics.model.steps, lyrics.candidates or lyrics.temperature, "
            "or give it more text."
        )

    def _endings(self, partner: Candidate | None) -> set[str]:
        """Words the line may end with: new ones that rhyme with the partner, or that others rhyme with."""
        used, classes = self.writer.endings, self.writer.lexicon.rhymes
        if partner is not None:
            last = partner.words[-1]
            rhyming = {word for word in classes[rhyme_key(last)] if word.lower() != last}
            words = {word for word in rhyming if word.lower() not in used} or rhyming
            if words:
                return words
        fresh = [{word for word in words if word.lower() not in used} for words in classes.values()]
        return set().union(*(words for words in fresh if len(words) > 1)) or self.writer.lexicon.endings


def title_case(words: Sequence[str]) -> str:
    """Large first letters, but for the small words inside.

    >>> title_case(["salt", "on", "the", "window"])
    'Salt on the Window'
    """
    last = len(words) - 1
    return " ".join(
        word if 0 < at < last and word.lower() in SMALL_WORDS else capitalised(word) for at, word in enumerate(words)
    )


def rhyme_partner(scheme: str, place: int) -> int | None:
    """The earlier line that line `place` rhymes with; the scheme is read again every four lines."""
    block, within = divmod(place, len(scheme))
    earlier = scheme.rfind(scheme[within], 0, within)
    return None if earlier < 0 else block * len(scheme) + earlier
