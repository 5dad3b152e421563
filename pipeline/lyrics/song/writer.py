"""Lyrics with a form, line by line: title, verses that rhyme, a chorus that comes back word for word.

    song = LyricWriter(model, symbols, texts, settings).begin(1, plan_lyric(settings, 1))
    while song.next_line is not None:
        song.take(song.candidates()[0])
    lyric = song.lyric()

A song depends on the model, the seed, its number, its plan and the settings alone, not on the songs before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from pipeline.errors import UserError
from pipeline.lyrics.corpus.song_lyrics import SECTION_MARKS, START, WORD, LyricSection
from pipeline.lyrics.corpus.text_decoding import clean
from pipeline.lyrics.language_model.lstm import LanguageModel, State
from pipeline.lyrics.phonetics.syllables import syllables_of
from pipeline.lyrics.song.lexicon import Lexicon
from pipeline.lyrics.song.line_sampling import LineCandidate, LineSampler
from pipeline.lyrics.song.lyric import AUTHORS, Lyric, NextLine, TakenLine, WrittenSection
from pipeline.lyrics.song.plan import LyricPlan, random_number
from pipeline.lyrics.song.scoring import BEAT, HANGING, LineScorer, WordUsage, off_beat
from pipeline.lyrics.song.titles import titles_of
from pipeline.settings.lyrics import LyricsSettings

RHYME_SHARES = 10
"""Each song prefers one in so many rhymes, which keeps songs different without one knowing of the other."""


@dataclass(frozen=True)
class Relaxation:
    """Constraint relaxation: how many syllables a line may be off, which rhymes and last words it may have."""

    syllables_off: int = 0
    any_rhyme: bool = False
    any_word: bool = False
    unrhymed: bool = False


RELAXATIONS = (
    Relaxation(),
    Relaxation(any_rhyme=True),
    Relaxation(any_rhyme=True),
    Relaxation(1, any_rhyme=True),
    Relaxation(1, any_rhyme=True, any_word=True),
    Relaxation(1, any_rhyme=True, any_word=True),
    Relaxation(3, any_rhyme=True, any_word=True),
    Relaxation(3, any_rhyme=True, any_word=True, unrhymed=True),
    Relaxation(6, any_rhyme=True, any_word=True, unrhymed=True),
)
"""Constraints from the strictest to the loosest: tried one after the other until there is a candidate."""


class LyricWriter:
    """Writes lyrics with a trained model.

    Parameters
    ----------
    model, symbols
        The language model and its vocabulary.
    texts
        The training texts as the model reads them: their words are used, their lines are not.
    settings
        All of `lyrics` but what concerns training.
    """

    def __init__(self, model: LanguageModel, symbols: str, texts: Sequence[str], settings: LyricsSettings) -> None:
        self.model, self.symbols, self.settings = model, symbols, settings
        self.lexicon = Lexicon(texts, settings.copy_limit, settings.avoid)
        self.usage = WordUsage(
            [[word.lower() for word in WORD.findall(line[::-1])] for line in text.split("\n")] for text in texts
        )
        self.sampler = LineSampler(model, symbols, self.lexicon, settings)
        self.titles: set[str] = set()
        """Titles that no song may have, such as those of the training texts."""

    def begin(self, number: int, plan: LyricPlan) -> LyricDraft:
        """A lyric to be written line by line; its first line is `lyrics.prompt`, where there is one."""
        return LyricDraft(self, number, plan)

    def write(self, number: int, plan: LyricPlan) -> Lyric:
        """The lyric of song `number`: the best line each time."""
        song = self.begin(number, plan)
        while song.next_line is not None:
            song.take(song.candidates()[0])
        return song.lyric()

    def spelt(self, line: str) -> str:
        """A person's line as the model reads it: its first letter small, unless the texts write it large."""
        line = clean(line)
        first = WORD.search(line)
        if first is not None and first[0] not in self.lexicon.words:
            line = line[: first.start()] + first[0][0].lower() + line[first.start() + 1 :]
        return line[::-1]

    def titled(self, lyrics: Iterable[Lyric]) -> list[Lyric]:
        """The lyrics with titles that differ: in their order, each has the best one of its own that is not taken."""
        taken = set(self.titles)
        found = []
        for lyric in lyrics:
            found.append(replace(lyric, title=self.title(lyric.sections, taken)))
            taken.add(found[-1].title)
        return found

    def title(self, sections: Sequence[LyricSection], taken: set[str]) -> str:
        """The phrase of the chorus (of the first section where there is none) that says most and is not `taken`."""
        core = next((one for one in sections if one.name == "chorus"), sections[0])
        ranked = titles_of(core.lines, self.usage, self.lexicon.avoids)
        free = [title for title in ranked if title not in taken]
        return free[0] if free else f"{ranked[0]} {1 + sum(title.startswith(ranked[0]) for title in taken)}"


@dataclass(frozen=True)
class _DraftState:
    """All that a song's next line depends on."""

    scores: Tensor
    state: State
    scorer: LineScorer
    taken: tuple[TakenLine, ...] = ()
    ends: frozenset[str] = field(default_factory=frozenset)


class LyricDraft:
    """A lyric in the making, line after line; nothing that it gives depends on what was asked for and not taken.

    Parameters
    ----------
    writer
        Whose model and words are used.
    number
        Of the song.
    plan
        What it is asked for.

    Raises
    ------
    UserError
        When `lyrics.prompt` has no word.
    """

    def __init__(self, writer: LyricWriter, number: int, plan: LyricPlan) -> None:
        self.writer, self.number, self.plan = writer, number, plan
        self._slots = [
            (index, line) for index, section in enumerate(plan.written) for line in range(len(section.lines))
        ]
        scores, state = writer.sampler.read(START, writer.model.initial_state(1))
        self._past: list[_DraftState] = []
        self._now = self._entered(_DraftState(scores, state, LineScorer(writer.usage, number)))
        self._shown: list[LineCandidate] = []
        prompt = writer.settings.prompt
        if prompt is not None:
            if not any(map(str.isalnum, prompt)):
                raise UserError("lyrics.prompt has no word; give the song's first line, or null.")
            self._take(" ".join(prompt.split()), None, "person", given=True)

    @property
    def taken(self) -> tuple[TakenLine, ...]:
        """The lines so far."""
        return self._now.taken

    @property
    def outlook(self) -> tuple[Tensor, State]:
        """Log-probabilities of the next line's first character `[1, symbols]`, and the model's state before it."""
        return self._now.scores, self._now.state

    @property
    def next_line(self) -> NextLine | None:
        """Where the next line goes; None when all is written."""
        if len(self.taken) == len(self._slots):
            return None
        index, line = self._slots[len(self.taken)]
        section = self.plan.written[index]
        before = self.taken[len(self.taken) - line :]
        partner = section.lines[line].rhymes_with
        return NextLine(
            section=index,
            kind=section.kind,
            number=1 + sum(one.kind == section.kind for one in self.plan.written[:index]),
            line=line,
            num_lines=len(section.lines),
            plan=section.lines[line],
            rhyme=None if partner is None else before[partner].line,
            before=tuple(one.line for one in before),
        )

    def candidates(self) -> list[LineCandidate]:
        """Lines for the next place, the best first; asked again, others.

        Raises
        ------
        UserError
            When the model can't fill a line with words, as one that was hardly trained.
        ValueError
            When all is written.
        """
        place = self.next_line
        if place is None:
            raise ValueError("all lines are written")
        shown = {one.spelt for one in self._shown}
        lines = {one.line for one in self.taken}
        settings = self.writer.settings
        for attempt, relaxation in enumerate(RELAXATIONS):
            purpose = f"{len(self.taken)}/{len(shown)}/{attempt}"
            draws = torch.Generator().manual_seed(random_number(settings.seed, self.number, purpose))
            endings = self._endings(place, relaxation)
            sizes = _sizes(place.plan.syllables, relaxation.syllables_off, settings.candidates)
            drawn = self.writer.sampler.draw(self._now.scores, self._now.state, sizes, endings, draws, place.plan.beats)
            fresh = [one for one in drawn if one.spelt not in shown and one.line not in lines]
            if fresh:
                self._shown += fresh
                return sorted(fresh, key=lambda one: (-self._score(one, place), one.spelt))
        raise UserError(
            "the language model finds no new line: raise lyrics.model.steps, lyrics.candidates or lyrics.temperature, "
            "name fewer words in lyrics.avoid, or give it more text."
        )

    def take(self, line: LineCandidate | str, author: str = "model") -> None:
        """Put a line in the next place: a candidate, or any words of a person's.

        Raises
        ------
        ValueError
            When all is written, the line is empty, or `author` is none of `AUTHORS`.
        """
        if author not in AUTHORS:
            raise ValueError(f"a line is by one of {', '.join(AUTHORS)}, not {author}")
        if isinstance(line, LineCandidate):
            self._take(line.line, line.spelt, author)
        else:
            self._take(" ".join(line.split()), None, author)

    def back(self) -> None:
        """Take the last line back; all is as it was before it. `ValueError` where there is none."""
        if not self._past:
            raise ValueError("no line was taken")
        self._now = self._past.pop()
        self._shown = []

    def lyric(self) -> Lyric:
        """The whole lyric; `ValueError` while lines are missing."""
        if self.next_line is not None:
            raise ValueError("not all lines are written")
        written: list[WrittenSection] = []
        rest = list(self.taken)
        for section in self.plan.written:
            lines, rest = rest[: len(section.lines)], rest[len(section.lines) :]
            written.append(
                WrittenSection(
                    section.kind,
                    lines=tuple(one.line for one in lines),
                    authors=tuple(one.author for one in lines),
                    syllables=tuple(
                        None if one.given else plan.syllables for one, plan in zip(lines, section.lines, strict=True)
                    ),
                    rhymes_with=tuple(plan.rhymes_with for plan in section.lines),
                )
            )
        sections = tuple(
            _first_lines(written[self.plan.source(place)], len(one.lines))
            for place, one in enumerate(self.plan.sections)
        )
        return Lyric(self.number, self.writer.title(sections, self.writer.titles), self.plan.scheme, sections)

    def _take(self, line: str, spelt: str | None, author: str, given: bool = False) -> None:
        if self.next_line is None:
            raise ValueError("all lines are written")
        if not line:
            raise ValueError("a line has at least one character")
        if spelt is None:
            spelt = self.writer.spelt(line)
        now = self._now
        words = tuple(word.lower() for word in WORD.findall(spelt[::-1]))
        scores, state = self.writer.sampler.read(spelt + "\n", now.state)
        scorer = now.scorer.with_line(words) if words else now.scorer
        taken = (*now.taken, TakenLine(line, author, words, given))
        self._past.append(now)
        self._now = self._entered(_DraftState(scores, state, scorer, taken, now.ends | set(words[-1:])))
        self._shown = []

    def _entered(self, draft: _DraftState) -> _DraftState:
        """The draft once the mark of a section was read, where the next line opens one."""
        if len(draft.taken) == len(self._slots):
            return draft
        index, line = self._slots[len(draft.taken)]
        if line:
            return draft
        mark = SECTION_MARKS[self.plan.written[index].kind]
        mark = mark if mark in self.writer.symbols else "\n"
        scores, state = self.writer.sampler.read(mark, draft.state)
        return replace(draft, scores=scores, state=state)

    def _score(self, line: LineCandidate, place: NextLine) -> float:
        stresses = [one.stress for one in syllables_of(line.line, self.writer.lexicon.english)]
        hangs = place.line == place.num_lines - 1 and line.spelt.startswith(",")
        score = self._now.scorer.score(line.words, line.log_probability) - HANGING * hangs
        return score - BEAT * off_beat(stresses, place.plan.beats)

    def _endings(self, place: NextLine, relaxation: Relaxation) -> set[str]:
        """Words the line may end with: those that rhyme with its partner, or with words enough for the lines to come.

        Of these, the ones that no line of the song ends with, where there are any.
        """
        lexicon, ends = self.writer.lexicon, self._now.ends
        taboo = {one.words[-1] for one in self.taken[len(self.taken) - place.line :] if one.words}
        partner = None if relaxation.unrhymed else place.plan.rhymes_with
        if partner is not None:
            last = self.taken[len(self.taken) - place.line + partner].words[-1:]
            rhyming = lexicon.rhyming(last[0], relaxation.any_word) or lexicon.rhyming(last[0], True) if last else set()
            words = {word for word in rhyming if word.lower() not in taboo}
            if words:
                return {word for word in words if word.lower() not in ends} or words
        classes = lexicon.all_rhymes if relaxation.any_word else lexicon.rhymes
        found: set[str] = set()
        for key, words in classes.items():
            fresh = {word for word in words if word.lower() not in ends}
            enough = len({word.lower() for word in fresh}) > place.plan.rhymes_later
            if enough and (relaxation.any_rhyme or self._prefers(key)):
                found |= fresh
        return found or {word for word in lexicon.endings if word.lower() not in taboo} or lexicon.endings

    def _prefers(self, key: str) -> bool:
        """Whether a rhyme is of the song's own share."""
        return (random_number(self.writer.settings.seed, 0, key) + self.number) % RHYME_SHARES == 0


def _sizes(syllables: int, off: int, number: int) -> list[int]:
    """So many numbers of syllables, the most of them right, the others off by `off` at most."""
    sizes = [syllables, *(syllables + sign * step for step in range(1, off + 1) for sign in (-1, 1))]
    kept = [size for size in sizes if size >= 2]
    return [kept[at % len(kept)] for at in range(number)]


def _first_lines(section: WrittenSection, count: int) -> WrittenSection:
    """The first `count` lines of a section."""
    return replace(
        section,
        lines=section.lines[:count],
        authors=section.authors[:count],
        syllables=section.syllables[:count],
        rhymes_with=section.rhymes_with[:count],
    )
