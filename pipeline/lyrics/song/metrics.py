"""Metrics of lyrics: the same measures of form for generated, training and held-out words, and what form costs.

Sections that come back word for word count once, and so do shorter returns of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch

from pipeline.lyrics.corpus.copy_detection import CopyFinder
from pipeline.lyrics.corpus.diversity import distinct_2
from pipeline.lyrics.corpus.song_lyrics import WORD, LyricSection, sections_of_text
from pipeline.lyrics.phonetics.pronunciation import is_vowel, pronunciations, sounds_of
from pipeline.lyrics.phonetics.rhyme import rhymes
from pipeline.lyrics.phonetics.syllables import syllables_of
from pipeline.lyrics.song.lexicon import letters_only
from pipeline.lyrics.song.lyric import Lyric
from pipeline.lyrics.song.plan import LyricPlan, random_number
from pipeline.lyrics.song.writer import LyricWriter

NEAR_LINES = 4
"""Lines from one end of a rhyme to the other, at the most."""
NEAR_WORDS = 15
"""Words before a word that may rhyme with it, for the rhyme density."""
FREE_LINES = 8
"""Lines drawn freely beside each written one."""
METRICS_HEADS = ("measure", "generated", "training", "held-out")

SongSections = Sequence[LyricSection]
"""A song's sections."""


@dataclass(frozen=True)
class LyricMetrics:
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


def metrics_rows(
    lyrics: Sequence[Lyric], training: Sequence[str], held_out: Sequence[str], english: bool = True
) -> list[tuple[str, ...]]:
    """Rows of a table under `METRICS_HEADS`: a measure's name, then generated, training and held-out words.

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
    columns: list[tuple[Sequence[SongSections], Sequence[str]]] = [
        ([lyric.sections for lyric in lyrics], training),
        ([sections_of_text(text) for text in sample], others),
        ([sections_of_text(text) for text in held_out], training),
    ]
    amount = min(len(word_pairs(songs)) for songs, _ in columns)
    found = [lyric_metrics(songs, against, amount, english) for songs, against in columns]
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
    return [(text, *(_told(getattr(one, name), name) for one in found)) for name, text in names.items()]


def lyric_metrics(
    songs: Sequence[SongSections], training: Sequence[str], num_pairs: int | None = None, english: bool = True
) -> LyricMetrics:
    """Metrics of `songs`: rhymes, syllables, distinct-2, copies, known words.

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
    whole = {letters_only(line[::-1]) for line in known}
    copies = CopyFinder("\n".join(line[::-1].lower() for line in known))
    words = [word for line in lines for word in WORD.findall(line)]
    return LyricMetrics(
        lines=len(lines),
        on_target=_mean(hit for section in sections for hit in _on_target(section, english)),
        rhyming_lines=_mean(hit for section in sections for hit in _rhyming(section.lines)),
        rhyming_pairs=_mean(hit for section in sections for hit in _pairs(section)),
        rhyme_density=_mean(length for song in songs for length in rhyme_lengths(song)),
        distinct_2=distinct_2(word_pairs(songs), num_pairs),
        longest_copy=len(copies.longest([line.lower() for line in lines])),
        copied_lines=sum(letters_only(line) in whole for line in lines),
        known_words=_mean(bool(pronunciations(word)) for word in words),
    )


def form_summary(form: LyricMetrics) -> str:
    """How the words keep to their form, in words."""
    parts = [f"{form.lines} lines, the longest run copied from the texts is {form.longest_copy} characters"]
    if form.on_target is not None:
        parts.append(f"{form.on_target:.0%} of them within a syllable of their target")
    if form.rhyming_pairs is not None:
        parts.append(f"{form.rhyming_pairs:.0%} of the pairs that should rhyme do")
    return "; ".join(parts)


def once(song: SongSections) -> list[LyricSection]:
    """The sections of a song without those whose lines another of its kind begins with."""
    found: dict[int, LyricSection] = {}
    for at, section in sorted(enumerate(song), key=lambda place: -len(place[1].lines)):
        size = len(section.lines)
        if all(section.name != other.name or section.lines != other.lines[:size] for other in found.values()):
            found[at] = section
    return [found[at] for at in sorted(found)]


def rhyme_lengths(song: SongSections) -> list[int]:
    """Rhyme density (Malmi et al. 2016, *DopeLearning*, arXiv 1505.04771), word by word; the mean is the density.

    For each word of a song the vowels of its longest rhyme with one of the 15 words before it: their vowels are
    compared backwards, across words, until they differ. The rhyme of a word with itself does not count.
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


def word_pairs(songs: Sequence[SongSections]) -> list[tuple[str, str]]:
    """Each word of the songs' lines and the next one; what comes back counts once."""
    lines = [line for song in songs for section in once(song) for line in section.lines]
    return [pair for line in lines for pair in pairwise(word.lower() for word in WORD.findall(line))]


class LineCosts(NamedTuple):
    """Bits and characters, line ends included: of the written lines, and of lines drawn freely in the same places."""

    written_bits: float
    written_characters: int
    free_bits: float
    free_characters: int


@dataclass(frozen=True)
class FormCost:
    """Bits a character, line ends included: of the written lines, and of lines drawn freely in the same places."""

    written: float
    free: float


def line_costs(writer: LyricWriter, lyric: Lyric, plan: LyricPlan) -> LineCosts:
    """What the lines of a lyric cost under the model of `writer`, and lines drawn freely.

    A free line is drawn after the same lines, with the same temperature, top k and nucleus. Both kinds are counted by
    the model's own probabilities, those without a temperature.
    """
    written, free = [0.0, 0], [0.0, 0]
    song = writer.begin(lyric.number, plan)
    outlooks = []
    for line in _written(lyric, plan)[len(song.taken) :]:
        outlooks.append(song.outlook)
        spelt = writer.spelt(line) + "\n"
        written = [written[0] - writer.sampler.log_probability(spelt, *song.outlook), written[1] + len(spelt)]
        song.take(line)
    draws = torch.Generator().manual_seed(random_number(writer.settings.seed, lyric.number, "free lines"))
    for spelt, total in writer.sampler.free(outlooks, FREE_LINES, draws):
        free = [free[0] - total, free[1] + len(spelt)]
    return LineCosts(written[0] / math.log(2), int(written[1]), free[0] / math.log(2), int(free[1]))


def form_cost(costs: Iterable[LineCosts]) -> FormCost:
    """The cost of syllables, rhymes and known words in all songs, less what reranking of candidates gains."""
    written, characters, free, free_characters = map(sum, zip(*costs, strict=True))
    return FormCost(written / max(1, characters), free / max(1, free_characters))


def _written(lyric: Lyric, plan: LyricPlan) -> list[str]:
    """The lines in the order they were written in; what comes back is there once."""
    places = [plan.source(place) for place in range(len(plan.sections))]
    longest = [
        max(
            (one for one, source in zip(lyric.sections, places, strict=True) if source == index),
            key=lambda one: len(one.lines),
        )
        for index in range(len(plan.written))
    ]
    return [line for section in longest for line in section.lines]


def _on_target(section: LyricSection, english: bool) -> list[bool]:
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


def _pairs(section: LyricSection) -> list[bool]:
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
