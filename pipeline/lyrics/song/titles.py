"""Titles by keyphrase extraction: phrases of the lines that say most."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

from pipeline.lyrics.corpus.song_lyrics import WORD, capitalised
from pipeline.lyrics.phonetics.syllables import word_set
from pipeline.lyrics.song.scoring import WordUsage

SMALL_IN_TITLES = word_set("a an and as at but by for from in into is of on or so than that the to with was were")
DETERMINERS = word_set("the a an my your his her our their no every")
WEAK_WORDS = (
    SMALL_IN_TITLES
    | DETERMINERS
    | word_set("i i'm i'd i'll i've he she it it's we you they there there's if when who not")
)
"""Words that no title ends with, nor begins with but for a determiner."""
PICTURE = 0.15
"""What two strong words count beside how rare and how usual a phrase is."""


def titles_of(lines: Sequence[str], usage: WordUsage, avoids: Callable[[str], bool]) -> list[str]:
    """Phrases out of `lines`, in title case, the one that says most first; there is always one.

    Parameters
    ----------
    lines
        As people read them.
    usage
        How the training texts use words.
    avoids
        Whether a word must not be in a title.
    """
    found: dict[str, float] = {}
    for line in lines:
        for part in line.split(","):
            words = WORD.findall(part)
            for start, end in combinations(range(len(words) + 1), 2):
                phrase = words[start:end]
                if _is_title(phrase) and (start == 0 or end == len(words)):
                    found[title_case(phrase)] = _weight(phrase, usage)
    ranked = sorted(found, key=lambda phrase: (-found[phrase], phrase))
    ranked += [title_case(words) for line in lines if (words := WORD.findall(line))]
    kept = [title for title in ranked if not any(map(avoids, WORD.findall(title)))]
    return list(dict.fromkeys(kept)) or ["Untitled"]


def _is_title(words: Sequence[str]) -> bool:
    strong = sum(word.lower() not in WEAK_WORDS for word in words)
    return (
        2 <= len(words) <= 4
        and strong >= 1
        and words[0].lower() not in WEAK_WORDS - DETERMINERS
        and words[-1].lower() not in WEAK_WORDS
        and not words[-1].endswith("'s")
    )


def _weight(words: Sequence[str], usage: WordUsage) -> float:
    """How rare the phrase's strong words are, and how usual they are side by side."""
    lowered = [word.lower() for word in words]
    strong = [word for word in lowered if word not in WEAK_WORDS]
    rare = sum(1 / (3 + len(usage.homes.get(word, ()))) for word in strong)
    return rare / len(words) + 0.3 * usage.idiom(lowered) + PICTURE * (len(strong) > 1)


def title_case(words: Sequence[str]) -> str:
    """Large first letters, but for the small words inside.

    >>> title_case(["salt", "on", "the", "window"])
    'Salt on the Window'
    """
    last = len(words) - 1
    return " ".join(
        word if 0 < at < last and word.lower() in SMALL_IN_TITLES else capitalised(word)
        for at, word in enumerate(words)
    )
