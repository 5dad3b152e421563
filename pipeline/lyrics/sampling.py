"""Single lines out of the language model: made of known words, of a given length, on a given rhyme.

A line is sampled from its end. While it is, only those characters are allowed that go on with a word of the training
text, so no word has to be rejected afterwards; the others share the probability by nucleus sampling (Holtzman et al.
2020, arXiv 1904.09751).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import torch
from torch import Tensor

from pipeline.lyrics.model import LanguageModel, State
from pipeline.lyrics.rhyme import rhyme_key
from pipeline.lyrics.training import encode
from pipeline.lyrics.verse import WORD

LINE_ENDS = ",?!"
"""Marks that may stand at the end of a line; inside one only a comma may."""
MIN_WORDS = 3
MIN_CHOICE = 3
MAX_COPY = 22
"""Characters in a row that a line may share with the training text."""


PAUSE = re.compile(rf"({WORD.pattern}),(?= )")


class Tree:
    """Words spelt backwards, as a tree of their characters."""

    def __init__(self, words: Iterable[str]) -> None:
        self.next: dict[str, set[str]] = defaultdict(set)
        self.whole: set[str] = set()
        for word in words:
            spelt = word[::-1]
            self.whole.add(spelt)
            for at, character in enumerate(spelt):
                self.next[spelt[:at]].add(character)


class Lexicon:
    """What the training lines teach about words: which there are, which end a line, and which lines there are."""

    def __init__(self, texts: Iterable[str]) -> None:
        lines = [line for text in texts for line in text.split("\n")]
        self.lines = {plain(line) for line in lines}
        self.runs = {line[at : at + MAX_COPY + 1] for line in lines for at in range(len(line) - MAX_COPY)}
        words = [WORD.findall(line[::-1]) for line in lines]
        self.words = {word for line in words for word in line}
        self.endings = {line[-1] for line in words if line}
        self.starts = {line[0] for line in words if line}
        self.before: dict[str, set[str]] = defaultdict(set)
        for line in words:
            for first, second in pairwise(line):
                self.before[second].add(first)
        self.paused = {match[1] for line in lines for match in PAUSE.finditer(line[::-1])}
        self._all = {False: Tree(self.words), True: Tree(self.paused or self.words)}
        self._trees: dict[tuple[str, bool], Tree] = {}

    def tree_before(self, word: str, pause: bool) -> Tree:
        """Words that stand before `word` in the texts, or before a comma; all such where there are too few."""
        if (word, pause) not in self._trees:
            known = self.before.get(word, set()) & (self.paused if pause else self.words)
            self._trees[word, pause] = Tree(known) if len(known) >= MIN_CHOICE else self._all[pause]
        return self._trees[word, pause]

    @cached_property
    def rhymes(self) -> dict[str, set[str]]:
        """Words that end a training line, by rhyme."""
        found: dict[str, set[str]] = defaultdict(set)
        for word in self.endings:
            found[rhyme_key(word)].add(word)
        return found


@dataclass(frozen=True)
class Candidate:
    """A line in the model's spelling, and the mean log-probability of its characters."""

    spelt: str
    score: float

    @property
    def words(self) -> list[str]:
        """Its words in reading order, small letters."""
        return [word.lower() for word in WORD.findall(self.spelt[::-1])]


def plain(spelt: str) -> str:
    """A line's letters and spaces alone, for comparing lines."""
    return "".join(character for character in spelt.lower() if character.isalpha() or character == " ")


class LineSampler:
    """Draws lines from `model`, with symbols and words as in training."""

    def __init__(
        self, model: LanguageModel, symbols: str, lexicon: Lexicon, temperature: float, top_p: float, seed: int
    ) -> None:
        self.model, self.symbols, self.lexicon = model, symbols, lexicon
        self.temperature, self.top_p = temperature, top_p
        self.draws = torch.Generator().manual_seed(seed)
        self.index = {symbol: number for number, symbol in enumerate(symbols)}
        self._masks: dict[frozenset[str], Tensor] = {}

    @torch.no_grad()
    def read(self, text: str, state: State) -> tuple[Tensor, State]:
        """Log-probabilities `[1, symbols]` of the next character after `text` was read from `state`, and the state."""
        symbols = encode(text, self.symbols)[None].to(self.model.bias.device)
        logits, state = self.model(symbols, state)
        return logits[:, -1].log_softmax(-1).cpu(), state

    @torch.no_grad()
    def draw(
        self, scores: Tensor, state: State, number: int, lengths: tuple[int, int], endings: set[str]
    ) -> list[Candidate]:
        """Up to `number` different lines of `lengths[0]` to `lengths[1]` characters whose last word is in `endings`.

        `scores` and `state` come from `read`. Lines that run too long, stand in the training text, share more than
        `MAX_COPY` characters in a row with it or repeat a word too often are left out; the best come first.
        """
        tree = Tree(endings)
        rows = [""] * number
        totals = torch.zeros(number)
        scores = scores.expand(number, -1)
        state = [(hidden.expand(-1, number, -1), cell.expand(-1, number, -1)) for hidden, cell in state]
        state = [(hidden.contiguous(), cell.contiguous()) for hidden, cell in state]
        done: list[Candidate] = []
        active = list(range(number))
        for _ in range(lengths[1] + 1):
            masks = torch.stack([self._mask(self._allowed(rows[row], tree, lengths[0])) for row in active])
            picks = self._pick(scores, masks)
            totals[active] += scores.gather(1, picks[:, None])[:, 0]
            kept = []
            for place, row in enumerate(active):
                symbol = self.symbols[int(picks[place])]
                if symbol == "\n":
                    done.append(Candidate(rows[row], totals[row].item() / (len(rows[row]) + 1)))
                elif masks[place].any():
                    rows[row] += symbol
                    kept.append(place)
            if not kept:
                break
            active = [active[place] for place in kept]
            state = [(hidden[:, kept].contiguous(), cell[:, kept].contiguous()) for hidden, cell in state]
            logits, state = self.model(picks[kept, None].to(self.model.bias.device), state)
            scores = logits[:, 0].log_softmax(-1).cpu()
        best = sorted(dict.fromkeys(done), key=lambda one: (-one.score, one.spelt))
        return [one for one in best if self._is_fresh(one)]

    def _pick(self, scores: Tensor, masks: Tensor) -> Tensor:
        """One symbol a row `[rows]`, from the nucleus of the allowed ones."""
        chances = (scores / self.temperature).masked_fill(~masks, -torch.inf).softmax(-1).nan_to_num(0)
        ordered, order = chances.sort(dim=-1, descending=True, stable=True)
        ordered = ordered.masked_fill(ordered.cumsum(-1) - ordered > self.top_p, 0)
        ordered[ordered.sum(-1) == 0, 0] = 1
        return order.gather(1, torch.multinomial(ordered, 1, generator=self.draws))[:, 0]

    def _allowed(self, row: str, endings: Tree, shortest: int) -> frozenset[str]:
        """Characters that may follow `row`, a line's end spelt backwards."""
        if not row:
            return frozenset(endings.next[""] | set(LINE_ENDS))
        rest, _, word = row.rpartition(" ")
        word, later = word.lstrip(LINE_ENDS), rest.rpartition(" ")[2].lstrip(LINE_ENDS)[::-1]
        tree = self.lexicon.tree_before(later, pause=row[len(rest) :].startswith(" ,")) if rest else endings
        if row[-1] in LINE_ENDS or row[-1] == " ":
            return frozenset(tree.next[""] | ({","} if row[-1] == " " else set()))
        allowed = set(tree.next.get(word, ()))
        if word in tree.whole:
            allowed.add(" ")
            enough = len(row) >= shortest and row.count(" ") + 1 >= MIN_WORDS
            if enough and word[::-1] in self.lexicon.starts:
                allowed.add("\n")
        return frozenset(allowed)

    def _mask(self, allowed: frozenset[str]) -> Tensor:
        if allowed not in self._masks:
            mask = torch.zeros(len(self.symbols), dtype=torch.bool)
            mask[[self.index[character] for character in allowed if character in self.index]] = True
            self._masks[allowed] = mask
        return self._masks[allowed]

    def _is_fresh(self, line: Candidate) -> bool:
        """Not in the training text, not most of a line of it, no word twice in a row or three times."""
        words = line.words
        stutters = any(first == second for first, second in pairwise(words))
        crowded = max(map(words.count, words)) > 2
        if stutters or crowded or plain(line.spelt) in self.lexicon.lines:
            return False
        size = MAX_COPY + 1
        return not any(line.spelt[at : at + size] in self.lexicon.runs for at in range(len(line.spelt) - MAX_COPY))
