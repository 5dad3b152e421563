"""Lyrics with a form: title, verses that rhyme, a chorus that comes back word for word."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from pipeline.lyrics.model import LanguageModel
from pipeline.lyrics.rhyme import rhyme_key
from pipeline.lyrics.sampling import Candidate, Lexicon, LineSampler
from pipeline.lyrics.settings import LyricsSettings
from pipeline.lyrics.verse import MARKS, START, WORD, Section, capitalised, spoken

DEFAULT_FORM = (("verse", 4), ("chorus", 4), ("verse", 4), ("chorus", 4), ("bridge", 4), ("chorus", 4))
"""Sections and their lines, where there is no music to fit."""
REPEATED = {"chorus", "prechorus"}
"""Sections written once and sung word for word each time."""
LENGTHS = (20, 44)
"""Characters of a line."""
SPREAD = 8
"""How far a line's length may stray from the first line's of its section."""
ATTEMPTS = 4
"""Rounds of candidates before the demands on a line are eased."""
SCHEMES = ("ABAB", "AABB")
SUNG = {"verse", "chorus", "prechorus", "bridge", "outro", "rap"}
"""Sections that have words; the others are left to the instruments."""
BARS_PER_LINE = 2


def lines_of(kind: str, num_bars: int) -> int:
    """Lines that fit a section of the music: one to two bars, two at least and eight at most."""
    return min(8, max(2, num_bars // BARS_PER_LINE)) if kind in SUNG else 0


@dataclass(frozen=True)
class Lyric:
    """One song's words."""

    number: int
    title: str
    sections: tuple[Section, ...]


class Writer:
    """Writes lyrics with a trained model.

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
        self.document_counts = Counter(
            word for text in texts for word in {word.lower() for word in WORD.findall(text[::-1])}
        )
        self.titles: set[str] = set()
        self.lines: set[str] = set()

    def write(self, number: int, form: Sequence[tuple[str, int]]) -> Lyric:
        """The lyric of song `number`: for each (kind of section, lines) of `form` that has lines, its words."""
        return SongWriter(self, number).write(form)

    def title(self, chorus: Sequence[str]) -> str:
        """The phrase of `chorus` with the rarest words, in title case; no two songs get the same one."""
        found: dict[str, float] = {}
        for line in chorus:
            for part in line.split(","):
                words = WORD.findall(part)
                for start, end in combinations(range(len(words) + 1), 2):
                    phrase = words[start:end]
                    whole = start == 0 or end == len(words)
                    if 2 <= len(phrase) <= 4 and whole and phrase[-1].lower() not in SMALL_WORDS:
                        weights = [1 / (2 + self.document_counts[word.lower()]) for word in phrase]
                        found[title_case(phrase)] = sum(weights) / (1 + len(phrase)) + 0.05 * (start == 0)
        ranked = sorted(found, key=lambda phrase: (-found[phrase], phrase))
        title = next((phrase for phrase in ranked if phrase not in self.titles), f"{chorus[0].rstrip(',?!')}")
        self.titles.add(title)
        return title


class SongWriter:
    """Writes one song, line after line."""

    def __init__(self, writer: Writer, number: int) -> None:
        self.writer, self.settings, self.number = writer, writer.settings, number
        seed = int.from_bytes(hashlib.sha256(f"{self.settings.seed}/{number}".encode()).digest()[:7], "big")
        self.sampler = LineSampler(
            writer.model, writer.symbols, writer.lexicon, self.settings.temperature, self.settings.top_p, seed
        )
        self.scheme = SCHEMES[seed % len(SCHEMES)]
        self.scores, self.state = self.sampler.read(START, writer.model.initial_state(1))
        self.endings: set[str] = set()
        self.counts: Counter[str] = Counter()

    def write(self, form: Sequence[tuple[str, int]]) -> Lyric:
        """All sections; repeated ones are written at their first place and length that serves all."""
        written: dict[str, tuple[str, ...]] = {}
        sections: list[Section] = []
        if not any(num_lines for _, num_lines in form):
            form = DEFAULT_FORM
        for kind, num_lines in form:
            if not num_lines:
                continue
            if kind in REPEATED and kind not in written:
                written[kind] = self.section(kind, max(lines for other, lines in form if other == kind))
            lines = written[kind][:num_lines] if kind in REPEATED else self.section(kind, num_lines)
            sections.append(Section(kind, lines))
        core = next((one for one in sections if one.name == "chorus"), sections[0])
        return Lyric(self.number, self.writer.title(core.lines), tuple(sections))

    def section(self, kind: str, num_lines: int) -> tuple[str, ...]:
        """New lines of one section, rhymed by the song's scheme."""
        self.scores, self.state = self.sampler.read(MARKS[kind], self.state)
        lines: list[Candidate] = []
        for place in range(num_lines):
            partner = rhyme_partner(self.scheme, place)
            line = self.line(lines, None if partner is None else lines[partner])
            self.scores, self.state = self.sampler.read(line.spelt + "\n", self.state)
            self.writer.lines.add(line.spelt)
            self.endings.add(line.words[-1])
            self.counts.update(set(line.words))
            lines.append(line)
        return tuple(spoken(line.spelt) for line in lines)

    def line(self, before: Sequence[Candidate], partner: Candidate | None) -> Candidate:
        """The best of the candidates for the next line; demands are eased until there is one."""
        low, high = LENGTHS
        if before:
            length = len(before[0].spelt)
            low, high = max(low, length - SPREAD), min(high, length + SPREAD)
        for attempt in range(2 * ATTEMPTS):
            eased = attempt // 2
            endings = self._endings(partner if eased < ATTEMPTS - 1 else None)
            lengths = low - 4 * eased, high + 8 * eased
            drawn = self.sampler.draw(self.scores, self.state, self.settings.candidates, lengths, endings)
            fresh = [one for one in drawn if one.spelt not in self.writer.lines]
            if fresh:
                return max(fresh, key=self._merit)
        raise RuntimeError("the language model gives no line of words; train it longer")

    def _endings(self, partner: Candidate | None) -> set[str]:
        """Words the line may end with: new ones that rhyme with the partner, or that something rhymes with."""
        lexicon = self.writer.lexicon
        if partner is not None:
            words = {word for word in lexicon.rhymes[rhyme_key(partner.words[-1])] if word.lower() not in self.endings}
            if words:
                return words
        sociable = {word for words in lexicon.rhymes.values() if len(words) > 2 for word in words}
        return {word for word in sociable if word.lower() not in self.endings} or lexicon.endings

    def _merit(self, line: Candidate) -> float:
        """Likely under the model, and not on words that the song has used up."""
        common = self.writer.document_counts
        worn = sum(self.counts[word] for word in set(line.words) if common[word] < 40)
        return line.score - 0.05 * worn


SMALL_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "as",
        "at",
        "but",
        "by",
        "for",
        "from",
        "in",
        "into",
        "is",
        "nor",
        "of",
        "on",
        "or",
        "so",
        "that",
        "the",
        "to",
        "with",
        "was",
        "were",
        "i",
    ]
)


def title_case(words: Sequence[str]) -> str:
    """`salt on the window` becomes `Salt on the Window`."""
    large = [word if at and word.lower() in SMALL_WORDS - {"i"} else capitalised(word) for at, word in enumerate(words)]
    return " ".join(large)


def rhyme_partner(scheme: str, place: int) -> int | None:
    """The earlier line that line `place` rhymes with; the scheme is read again every four lines."""
    block, within = divmod(place, len(scheme))
    earlier = scheme.rfind(scheme[within], 0, within)
    return None if earlier < 0 else block * len(scheme) + earlier
