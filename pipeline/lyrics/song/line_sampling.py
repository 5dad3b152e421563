"""Constrained sampling of single lines: known words, a given number of syllables, a given rhyme.

A line is sampled from its end. While it is, only those characters are allowed that go on with a word of the training
text and leave syllables for the words before it, so no line has to be rejected afterwards; the others share the
probability by top-k (Fan et al. 2018, arXiv 1805.04833) and nucleus sampling (Holtzman et al. 2020, arXiv 1904.09751).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from pipeline.lyrics.corpus.song_lyrics import SECTION_MARKS, START, WORD, line_for_people
from pipeline.lyrics.language_model.lstm import LanguageModel, State
from pipeline.lyrics.language_model.training import encode_characters
from pipeline.lyrics.song.lexicon import Lexicon, StressMask, WordTrie
from pipeline.settings.lyrics import LyricsSettings

END_MARKS = ",?!"
"""Marks that may stand at the end of a line; inside one only a comma may."""
MIN_WORDS = 3
LONGEST_FREE = 100
"""Characters of a line that nothing is asked of."""
LONGEST = 14
"""Characters of a syllable, with spaces and marks; a line that takes more is given up."""


@dataclass(frozen=True)
class LineCandidate:
    """A line in the model's spelling, its syllables, and the mean log-probability of its characters."""

    spelt: str
    syllables: int
    log_probability: float

    @property
    def line(self) -> str:
        """As people read it."""
        return line_for_people(self.spelt)

    @property
    def words(self) -> list[str]:
        """Its words in reading order, small letters."""
        return [word.lower() for word in WORD.findall(self.spelt[::-1])]


def strong_beats(beats: Sequence[float]) -> list[bool]:
    """For each beat whether it is at least as strong as its neighbours.

    >>> strong_beats([0.6, 1.0, 0.6, 0.8])
    [False, True, False, True]
    """
    padded = [0.0, *beats, 0.0]
    return [before <= beat >= after for before, beat, after in zip(padded[:-2], beats, padded[2:], strict=True)]


@dataclass
class _UnfinishedLine:
    """A line that is being spelt: the word it is at, and how many syllables and words there are to come."""

    tree: WordTrie
    stresses: StressMask
    left: int
    spelt: str = ""
    word: str = ""
    num_words: int = 1


class LineSampler:
    """Draws lines from `model`, with symbols and words as in training."""

    def __init__(self, model: LanguageModel, symbols: str, lexicon: Lexicon, settings: LyricsSettings) -> None:
        self.model, self.symbols, self.lexicon, self.settings = model, symbols, lexicon, settings
        self.index = {symbol: number for number, symbol in enumerate(symbols)}
        self._masks: dict[frozenset[str], Tensor] = {}

    @torch.no_grad()
    def read(self, text: str, state: State) -> tuple[Tensor, State]:
        """Log-probabilities `[1, symbols]` of the next character after `text` was read from `state`, and the state."""
        symbols = encode_characters(text, self.symbols)[None].to(self.model.bias.device)
        logits, state = self.model(symbols, state)
        return logits[:, -1].log_softmax(-1).cpu(), state

    @torch.no_grad()
    def log_probability(self, text: str, scores: Tensor, state: State) -> float:
        """Log-probability of `text` where `scores` and `state` come from `read`."""
        symbols = encode_characters(text, self.symbols)[None].to(self.model.bias.device)
        logits, _ = self.model(symbols[:, :-1], state)
        each = torch.cat([scores, logits[0].log_softmax(-1).cpu()])
        return float(each.gather(1, symbols[0].cpu()[:, None]).sum())

    @torch.no_grad()
    def draw(
        self,
        scores: Tensor,
        state: State,
        syllables: Sequence[int],
        endings: Iterable[str],
        draws: torch.Generator,
        beats: Sequence[float] = (),
    ) -> list[LineCandidate]:
        """Different lines, the best first.

        Parameters
        ----------
        scores, state
            From `read`.
        syllables
            Of each line that is tried.
        endings
            The words that the lines may end with.
        draws
            Decides.
        beats
            How strong the place of each syllable is, from 0 to 1. Every other line with as many syllables puts main
            stresses only on places that are at least as strong as the ones beside them.

        Returns
        -------
        list of LineCandidate
            Without those that stand in the training text, share more than `lyrics.copy_limit` characters in a row with
            it or repeat a word too often.
        """
        tree = WordTrie(endings, self.lexicon)
        free = {size: StressMask(self.lexicon, [True] * size) for size in syllables}
        strict = {len(beats): StressMask(self.lexicon, strong_beats(beats))}
        rows = [
            _UnfinishedLine(tree, (strict if at % 2 else free).get(size, free[size]), size)
            for at, size in enumerate(syllables)
        ]
        totals = torch.zeros(len(rows))
        scores = scores.expand(len(rows), -1)
        state = [(hidden.expand(-1, len(rows), -1), cell.expand(-1, len(rows), -1)) for hidden, cell in state]
        state = [(hidden.contiguous(), cell.contiguous()) for hidden, cell in state]
        done: list[LineCandidate] = []
        active = list(range(len(rows)))
        for _ in range(LONGEST * max(syllables, default=0)):
            masks = torch.stack([self._mask(self._allowed(rows[row])) for row in active])
            picks = self._pick(scores, masks, draws)
            totals[active] += scores.gather(1, picks[:, None])[:, 0]
            kept = []
            alive = masks.any(1).tolist()
            for place, (row, pick) in enumerate(zip(active, picks.tolist(), strict=True)):
                if not alive[place]:
                    continue
                if self.symbols[pick] == "\n":
                    spelt = rows[row].spelt
                    done.append(LineCandidate(spelt, syllables[row], totals[row].item() / (len(spelt) + 1)))
                else:
                    self._take(rows[row], self.symbols[pick])
                    kept.append(place)
            if not kept:
                break
            active = [active[place] for place in kept]
            if len(kept) < len(picks):
                state = [(hidden[:, kept].contiguous(), cell[:, kept].contiguous()) for hidden, cell in state]
            logits, state = self.model(picks[kept, None].to(self.model.bias.device), state)
            scores = logits[:, 0].log_softmax(-1).cpu()
        best = sorted({one.spelt: one for one in done}.values(), key=lambda one: (-one.log_probability, one.spelt))
        return [one for one in best if self._is_fresh(one)]

    @torch.no_grad()
    def free(
        self, outlooks: Sequence[tuple[Tensor, State]], number: int, draws: torch.Generator
    ) -> list[tuple[str, float]]:
        """Lines that nothing is asked of, not even words: each as spelt, and its log-probability.

        `number` lines go on from each of `outlooks` (what `read` gave). They end with their line's end, or after
        `LONGEST_FREE` characters; only the marks of sections are barred.
        """
        if not outlooks:
            return []
        count = number * len(outlooks)
        allowed = self._mask(frozenset(self.symbols) - {START, *SECTION_MARKS.values()}).expand(count, -1)
        scores = torch.cat([scores for scores, _ in outlooks]).repeat(number, 1)
        layers = zip(*(state for _, state in outlooks), strict=True)
        state = [
            (torch.cat(hidden, 1).repeat(1, number, 1), torch.cat(cell, 1).repeat(1, number, 1))
            for hidden, cell in (zip(*layer, strict=True) for layer in layers)
        ]
        rows, totals, goes_on = [""] * count, torch.zeros(count), torch.ones(count, dtype=torch.bool)
        for _ in range(LONGEST_FREE):
            picks = self._pick(scores, allowed, draws)
            totals += scores.gather(1, picks[:, None])[:, 0] * goes_on
            symbols = [self.symbols[pick] for pick in picks.tolist()]
            rows = [row + symbol * going for row, symbol, going in zip(rows, symbols, goes_on.tolist(), strict=True)]
            goes_on &= torch.tensor([symbol != "\n" for symbol in symbols])
            if not goes_on.any():
                break
            logits, state = self.model(picks[:, None].to(self.model.bias.device), state)
            scores = logits[:, 0].log_softmax(-1).cpu()
        return list(zip(rows, totals.tolist(), strict=True))

    def _pick(self, scores: Tensor, masks: Tensor, draws: torch.Generator) -> Tensor:
        """One symbol a row `[rows]`, from the top k and the nucleus of the allowed ones."""
        chances = (scores / self.settings.temperature).masked_fill(~masks, -torch.inf).softmax(-1).nan_to_num(0)
        ordered, order = chances.sort(dim=-1, descending=True, stable=True)
        if self.settings.top_k is not None:
            ordered[:, self.settings.top_k :] = 0
        ordered = ordered.masked_fill(ordered.cumsum(-1) - ordered > self.settings.top_p, 0)
        ordered[ordered.sum(-1) == 0, 0] = 1
        return order.gather(1, torch.multinomial(ordered, 1, generator=draws))[:, 0]

    def _allowed(self, row: _UnfinishedLine) -> frozenset[str]:
        """Characters that may come next."""
        letters = row.tree.after(row.word, row.stresses, row.left)
        if not row.spelt:
            return frozenset(letters | set(END_MARKS))
        if row.spelt.endswith(" "):
            pause = self._before(row, pause=True)
            return frozenset(letters | ({","} if pause.fits("", row.stresses, row.left) else set()))
        if row.word in row.tree.whole:
            word = row.word[::-1]
            left = row.left - self.lexicon.syllables(word)
            if left > 0:
                letters.add(" ")
            elif left == 0 and row.num_words >= MIN_WORDS:
                paused = row.spelt.rpartition(" ")[2].startswith(",")
                starts = self.lexicon.paused_starts if paused else self.lexicon.starts
                letters |= {"\n"} if word in starts else set()
        return frozenset(letters)

    def _take(self, row: _UnfinishedLine, symbol: str) -> None:
        """Go on with one character."""
        if symbol == " ":
            row.left -= self.lexicon.syllables(row.word[::-1])
            row.num_words += 1
            row.spelt, row.word = row.spelt + " ", ""
            row.tree = self._before(row, pause=False)
            return
        if symbol in END_MARKS and not row.word:
            if row.spelt:
                row.tree = self._before(row, pause=True)
        else:
            row.word += symbol
        row.spelt += symbol

    def _before(self, row: _UnfinishedLine, pause: bool) -> WordTrie:
        """The words that may stand before the last one, with a comma or without."""
        later = row.spelt[:-1].rpartition(" ")[2].lstrip(END_MARKS)[::-1]
        return self.lexicon.tree_before(later, pause, row.stresses, row.left)

    def _mask(self, allowed: frozenset[str]) -> Tensor:
        if allowed not in self._masks:
            mask = torch.zeros(len(self.symbols), dtype=torch.bool)
            mask[[self.index[character] for character in allowed if character in self.index]] = True
            self._masks[allowed] = mask
        return self._masks[allowed]

    def _is_fresh(self, line: LineCandidate) -> bool:
        """Not copied, no word twice in a row or three times."""
        words = line.words
        stutters = any(first == second for first, second in pairwise(words))
        crowded = max(map(words.count, words)) > 2
        return not (stutters or crowded or self.lexicon.is_copied(line.spelt))
