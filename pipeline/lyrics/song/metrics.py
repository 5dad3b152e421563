"""The form of lyrics in figures: the same measures for generated, training and held-out human words.

Sections that come back word for word count once, and so do shorter returns of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.lyrics.corpus.song_lyrics import KINDS, MARKS, START, WORD, Section, spoken
from pipeline.lyrics.language_model.baselines import Copies
from pipeline.lyrics.phonetics.pronunciation import is_vowel, pronunciations, sounds_of
from pipeline.lyrics.phonetics.rhyme import rhymes
from pipeline.lyrics.phonetics.syllables import syllables_of
from pipeline.lyrics.song.lexicon import plain
from pipeline.lyrics.song.lyric import Lyric

NEAR_LINES = 4
"""Lines from one end of a rhyme to the other, at the most."""
NEAR_WORDS = 15
"""Words before a word that its rhyme density looks at."""

Words = Sequence[Section]
"""A song's sections."""


@dataclass(frozen=True)
class Figures:
    """Measures of some songs; None where one does not apply.

    Attributes
    ----------
    lines
        How many were measured.
    on_target
        Share of lines within one syllable of what they were asked for; of human words, of the mean of their section.
    rhyming_lines
        Share of lines whose last word rhymes with that of another line of the section, four lines away at the most.
    rhyming_pairs
        Share of the pairs of lines asked to rhyme that do, by the dictionary and on different words.
    rhyme_density
        Mean length, in vowels, of the longest rhyme of a word with one of the 15 words before it.
    distinct_2
        Different pairs of neighbouring words in a line, as a share of all pairs.
    longest_copy
        Characters of the longest run inside a line that stands word for word in the training text.
    copied_lines
        Lines that stand in the training text as a whole.
    known_words
        Share of words that the pronouncing dictionary has.
    """

    lines: int
    on_target: float | None
    rhyming_lines: float | None
    rhyming_pairs: float | None
    rhyme_density: float | None
    distinct_2: float | None
    longest_copy: int
    copied_lines: int
    known_words: float | None


def table(
    lyrics: Sequence[Lyric], training: Sequence[str], held_out: Sequence[str], english: bool = True
) -> list[tuple[str, ...]]:
    """Rows of a table, the first one its heading: a measure's name, then generated, training and held-out words.

    The training column is a sample of the training songs, as many as there are held-out ones, against the others.

    Parameters
    ----------
    lyrics
        What was written.
    training, held_out
        Texts in the model's spelling.
    english
        Whether their words sound as the pronouncing dictionary says.
    """
    step = max(1, len(training) // max(1, len(held_out)))
    sample, others = list(training[::step]), [text for at, text in enumerate(training) if at % step]
    columns: list[tuple[Sequence[Words], Sequence[str]]] = [
        ([lyric.sections for lyric in lyrics], training),
        ([sections_of(text) for text in sample], others),
        ([sections_of(text) for text in held_out], training),
    ]
    amount = min(len(_word_pairs(songs)) for songs, _ in columns)
    found = [figures(songs, against, amount, english) for songs, against in columns]
    names = {
        "lines": "lines, those that come back counted once",
        "on_target": "lines within one syllable of their target (human: of the section's mean)",
        "rhyming_lines": "lines that rhyme with one at most four lines away",
        "rhyming_pairs": "pairs asked to rhyme that do",
        "rhyme_density": "rhyme density (vowels a word)",
        "distinct_2": f"distinct-2, on {amount:,} pairs of words each",
        "longest_copy": "longest run copied from the training text (characters)",
        "copied_lines": "lines copied whole",
        "known_words": "words in the pronouncing dictionary",
    }
    rows: list[tuple[str, ...]] = [("measure", "generated", "training", "held-out")]
    rows += [(text, *(_told(getattr(one, name), name) for one in found)) for name, text in names.items()]
    return rows


def figures(
    songs: Sequence[Words], training: Sequence[str], num_pairs: int | None = None, english: bool = True
) -> Figures:
    """The measures of `songs`.

    Parameters
    ----------
    songs
        Their sections.
    training
        Texts in the model's spelling that may have been copied from.
    num_pairs
        Pairs of words that distinct-2 counts at a time (the more of them, the smaller it is); None for all at once.
    english
        Whether their words sound as the pronouncing dictionary says.
    """
    sections = [section for song in songs for section in once(song)]
    lines = [line for section in sections for line in section.lines]
    known = [line for text in training for line in text.split("\n")]
    whole = {plain(line[::-1]) for line in known}
    copies = Copies("\n".join(line[::-1].lower() for line in known))
    words = [word for line in lines for word in WORD.findall(line)]
    return Figures(
        lines=len(lines),
        on_target=_mean(hit for section in sections for hit in _on_target(section, english)),
        rhyming_lines=_mean(hit for section in sections for hit in _rhyming(section.lines)),
        rhyming_pairs=_mean(hit for section in sections for hit in _pairs(section)),
        rhyme_density=_mean(length for song in songs for length in rhyme_lengths(song)),
        distinct_2=distinct_2(songs, num_pairs),
        longest_copy=len(copies.longest([line.lower() for line in lines])),
        copied_lines=sum(plain(line) in whole for line in lines),
        known_words=_mean(bool(pronunciations(word)) for word in words),
    )


def sections_of(text: str) -> list[Section]:
    """The sections of a text in the model's spelling, as people read them."""
    kinds = {mark: kind for kind, mark in MARKS.items()}
    found: list[Section] = []
    name, lines = KINDS[0], list[str]()
    for line in [*text.removeprefix(START).split("\n"), MARKS[KINDS[0]]]:
        if line[:1] in kinds:
            if lines:
                found.append(Section(name, tuple(lines)))
            name, lines = kinds[line[0]], []
        if kept := line.lstrip("".join(kinds)):
            lines.append(spoken(kept))
    return found


def once(song: Words) -> list[Section]:
    """The sections of a song without those whose lines another of its kind begins with."""
    found: dict[int, Section] = {}
    for at, section in sorted(enumerate(song), key=lambda place: -len(place[1].lines)):
        size = len(section.lines)
        if all(section.name != other.name or section.lines != other.lines[:size] for other in found.values()):
            found[at] = section
    return [found[at] for at in sorted(found)]


def rhyme_lengths(song: Words) -> list[int]:
    """For each word of a song the vowels of its longest rhyme with one of the 15 words before it.

    The words' vowels are compared backwards, across words, until they differ; the rhyme of a word with itself does not
    count. The mean is the rhyme density of Malmi et al. 2016, *DopeLearning*, arXiv 1505.04771.
    """
    words = [word.lower() for section in once(song) for line in section.lines for word in WORD.findall(line)]
    vowels: list[tuple[str, int]] = []  # each vowel and the word it stands in
    ends: list[int] = []
    for number, word in enumerate(words):
        vowels += [(sound.rstrip("012"), number) for sound in sounds_of(word) if is_vowel(sound)]
        ends.append(len(vowels))
    lengths = []
    for number, end in enumerate(ends):
        longest = 0
        for other in range(max(0, number - NEAR_WORDS), number):
            length = 0
            while length < ends[other]:
                (here, word), (there, earlier) = vowels[end - 1 - length], vowels[ends[other] - 1 - length]
                if here != there or words[word] == words[earlier]:
                    break
                length += 1
            longest = max(longest, length)
        lengths.append(longest)
    return lengths


def distinct_2(songs: Sequence[Words], num_pairs: int | None = None) -> float | None:
    """Different pairs of neighbouring words as a share of all pairs; the mean over stretches of `num_pairs` of them.

    Li et al. 2016, *A Diversity-Promoting Objective Function*, arXiv 1510.03055.
    """
    pairs = _word_pairs(songs)
    size = num_pairs or len(pairs)
    if not size or len(pairs) < size:
        return None
    return _mean(len({*pairs[at : at + size]}) / size for at in range(0, len(pairs) - size + 1, size))


def _word_pairs(songs: Sequence[Words]) -> list[tuple[str, str]]:
    lines = [line for song in songs for section in once(song) for line in section.lines]
    return [pair for line in lines for pair in pairwise(word.lower() for word in WORD.findall(line))]


def _on_target(section: Section, english: bool) -> list[bool]:
    """For each line that has a target whether it is met within one syllable; human lines have their section's mean."""
    counts = [len(syllables_of(line, english)) for line in section.lines]
    targets = getattr(section, "syllables", [sum(counts) / max(1, len(counts))] * len(counts))
    return [abs(count - target) <= 1 for count, target in zip(counts, targets, strict=True) if target is not None]


def _rhyming(lines: Sequence[str]) -> list[bool]:
    """For each line whether its end rhymes with one near it."""
    ends = [_last_word(line) for line in lines]
    return [
        any(rhymes(end, other) for other in (*ends[max(0, at - NEAR_LINES) : at], *ends[at + 1 : at + 1 + NEAR_LINES]))
        for at, end in enumerate(ends)
    ]


def _pairs(section: Section) -> list[bool]:
    """For each pair of lines that was asked to rhyme whether it does."""
    partners: Sequence[int | None] = getattr(section, "rhymes_with", ())
    ends = [_last_word(line) for line in section.lines]
    return [rhymes(ends[at], ends[partner]) for at, partner in enumerate(partners) if partner is not None]


def _last_word(line: str) -> str:
    words: list[str] = WORD.findall(line)
    return words[-1] if words else ""


def _mean(values: Iterable[float]) -> float | None:
    listed = list(values)
    return sum(listed) / len(listed) if listed else None


def _told(value: float | None, name: str) -> str:
    if value is None:
        return "-"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.2f}" if name in ("rhyme_density", "distinct_2") else f"{value:.1%}"
