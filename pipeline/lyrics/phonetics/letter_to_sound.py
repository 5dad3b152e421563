"""Grapheme-to-phoneme conversion by IGTree: letters in their surroundings (Daelemans and van den Bosch 1997).

Each letter is read from left to right. It stands for no sound, one, or two in a row; which ones is decided by the
largest surroundings (letters to both sides, and whether the letter before gave a vowel) that the dictionary taught
something about.
"""

from __future__ import annotations

import lzma
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PLACES = (1, -1, 2, -2, 3, -3, 4, -4, 5)
"""Neighbours of a letter, the most telling first."""
EDGE = "#"
MOST_SOUNDS = 2
UNSEEN = 12.0
"""Cost of a letter standing for what it never stood for."""
LAST_VOWEL = "f"
"""The last code that stands for a vowel, see `pipeline.lyrics.phonetics.pronunciation.CODES`."""


def surroundings(word: str, at: int, before: str) -> str:
    """Letter `at` of `word` and its neighbours, the most telling first; `before` is `sound_kind` of the one before."""
    padded = EDGE * 5 + word + EDGE * 5
    near = [padded[at + 5 + place] for place in PLACES]
    return padded[at + 5] + near[0] + before + "".join(near[1:])


def sound_kind(codes: str) -> str:
    """What the sounds of a letter are: `v` with a vowel, `c` consonants, `0` none."""
    return "0" if not codes else "v" if any(code <= LAST_VOWEL for code in codes) else "c"


@dataclass(frozen=True)
class LetterToSound:
    """Letter-to-sound rules: the tree, and the costs of its alignment of letters and sounds.

    Attributes
    ----------
    rules
        Surroundings (any number of them from the first on) to the codes of the sounds.
    costs
        (letter, codes) to the negative logarithm of how often the letter stands for them.
    """

    rules: Mapping[str, str]
    costs: Mapping[tuple[str, str], float]

    def read(self, word: str) -> list[str]:
        """The codes of the sounds that each letter of `word` stands for."""
        found: list[str] = []
        for at in range(len(word)):
            here = surroundings(word, at, sound_kind(found[-1]) if found else EDGE)
            known = (self.rules[here[:size]] for size in range(len(here), 0, -1) if here[:size] in self.rules)
            found.append(next(known, ""))
        return found

    def align(self, word: str, codes: str) -> list[str] | None:
        """The sounds `codes` shared out among the letters of `word` in order, as cheaply as can be.

        None where there are more than two sounds a letter.
        """
        return align(word, codes, self.costs)

    def save(self, path: Path) -> None:
        """Write both, packed."""
        lines = [f"{letter} {codes} {cost:.2f}" for (letter, codes), cost in sorted(self.costs.items())]
        lines += ["", *(f"{around} {codes}" for around, codes in sorted(self.rules.items()))]
        path.write_bytes(lzma.compress("\n".join(lines).encode("ascii"), preset=9 | lzma.PRESET_EXTREME))

    @classmethod
    def load(cls, path: Path) -> LetterToSound:
        """Read what `save` wrote."""
        head, _, tail = lzma.decompress(path.read_bytes()).decode("ascii").partition("\n\n")
        costs = {}
        for line in head.split("\n"):
            letter, codes, cost = line.split(" ")
            costs[letter, codes] = float(cost)
        return cls(dict(line.split(" ") for line in tail.split("\n")), costs)


def align(word: Sequence[str], codes: str, costs: Mapping[tuple[str, str], float]) -> list[str] | None:
    """Alignment of letters and sounds by dynamic programming; see `LetterToSound.align`."""
    num, total = len(word), len(codes)
    best = [[float("inf")] * (total + 1) for _ in range(num + 1)]
    taken = [[0] * (total + 1) for _ in range(num + 1)]
    best[0][0] = 0.0
    for at, letter in enumerate(word):
        for done in range(max(0, total - MOST_SOUNDS * (num - at)), min(total, MOST_SOUNDS * at) + 1):
            for more in range(min(MOST_SOUNDS, total - done) + 1):
                cost = best[at][done] + costs.get((letter, codes[done : done + more]), UNSEEN)
                if cost < best[at + 1][done + more]:
                    best[at + 1][done + more], taken[at + 1][done + more] = cost, more
    if best[num][total] == float("inf"):
        return None
    shares: list[str] = []
    done = total
    for at in range(num, 0, -1):
        more = taken[at][done]
        shares.append(codes[done - more : done])
        done -= more
    return shares[::-1]
