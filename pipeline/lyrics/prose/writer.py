"""Essays and books' text, freely written: what people expect of sampling.

    writer = FreeWriter(model, texts.vocabulary, texts.training, settings)
    best, *others = writer.write(1)
    print(markdown(best))

The rules are kept while a text is written; nothing is cut out afterwards but an unfinished sentence at its end.
"""

from __future__ import annotations

import math
import random
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from pipeline.errors import UserError
from pipeline.lyrics.corpus.encoded_texts import Side
from pipeline.lyrics.corpus.song_lyrics import START
from pipeline.lyrics.corpus.text_decoding import clean, tidy
from pipeline.lyrics.corpus.vocabulary import Vocabulary
from pipeline.lyrics.language_model.baselines import Copies
from pipeline.lyrics.language_model.lstm import LanguageModel
from pipeline.lyrics.prose.rules import FreeRules, TitleRules, pieces_of
from pipeline.lyrics.prose.sampling import Place, Row, likeliest, read, write
from pipeline.lyrics.prose.scoring import distinct_2, merit
from pipeline.lyrics.prose.training_text import Known, words_of
from pipeline.lyrics.song.scoring import Usage
from pipeline.lyrics.song.titles import title_case, titles_of
from pipeline.settings.lyrics import LyricsSettings

TITLES = 4
"""Titles that are written for each one that is kept."""
CURLED = {"'": "\u2019", '"': "\u201d"}
"""What is read for a straight quote by a model that knows curled ones alone."""


@dataclass(frozen=True)
class Written:
    """One text.

    Attributes
    ----------
    number
        Which text of the run.
    title
        An essay's; None in a book.
    text
        An essay's paragraphs, blank lines between them; a book's text, which begins with the prompt.
    prompted
        Characters at the start of `text` that are the prompt.
    bits_per_character
        Of what was written, under the model, before temperature and cuts.
    merit
        What the candidates are ranked by; more is better.
    """

    number: int
    title: str | None
    text: str
    prompted: int
    bits_per_character: float
    merit: float

    @property
    def own(self) -> str:
        """The text without the prompt."""
        return self.text[self.prompted :]


class FreeWriter:
    """Writes texts with a trained model: text `number` depends on the settings and its number alone.

    Parameters
    ----------
    model, vocabulary
        The language model and what its tokens stand for.
    training
        The training texts: their runs of characters are not written again.
    settings
        Kind, prompt, temperature, cuts, length, candidates, words to avoid, limit of copies, seed.
    """

    def __init__(self, model: LanguageModel, vocabulary: Vocabulary, training: Side, settings: LyricsSettings) -> None:
        self.model, self.vocabulary, self.settings = model, vocabulary, settings
        self.known = Known(training, vocabulary, settings.copy_limit)
        self.pieces, self.unusable = pieces_of(vocabulary, self.known)
        usable = (piece for piece, bad in zip(self.pieces, self.unusable, strict=True) if not bad)
        self._characters = set("".join(usable)) - {START}
        prompt = (settings.prompt or "").encode("utf-8", "replace").decode()
        self.prompt = " ".join(clean(prompt).split()) if settings.kind == "essay" else tidy(prompt).strip()

    def write(self, number: int) -> list[Written]:
        """The candidates for text `number`, best first.

        Raises
        ------
        UserError
            When the words to avoid and the limit of copies leave nothing to write.
        """
        begun = [self.prompt] * self.settings.candidates
        if self.settings.kind == "essay":
            begun = [f"{title}\n\n" for title in (begun if self.prompt else self._titles(number))]
        places = {given: self._read(given) for given in dict.fromkeys(begun)}
        rows = [
            self._row(given, places[given], self._rules(len(given)), f"{number}/{candidate}")
            for candidate, given in enumerate(begun)
        ]
        write(self.model, rows)
        texts = [
            one
            for row, given in zip(rows, begun, strict=True)
            if (one := self._written(number, row, given)) is not None
        ]
        if not texts:
            raise UserError(
                "the language model finds nothing to write: name fewer words in lyrics.avoid, or raise "
                "lyrics.copy_limit, lyrics.temperature or lyrics.model.steps."
            )
        return sorted(texts, key=lambda one: -one.merit)

    def _titles(self, number: int) -> list[str]:
        """A title for each candidate, the likeliest of several; empty ones where the model has none to give."""
        wanted = self.settings.candidates
        if not self.known.titles:
            return [""] * wanted
        rules = TitleRules(self.pieces, self.unusable, self.known, self.settings, 0)
        first = self._read("")
        rows = [self._row("", first, rules, f"{number}/title {place}") for place in range(TITLES * wanted)]
        write(self.model, rows)
        ended = [row for row in rows if row.text[-1:].isalnum() and len(row.text) <= rules.longest]
        # the likeliest as a whole: short ones, of two words at least
        ended.sort(key=lambda row: (len(row.text.split()) < 2, -sum(row.scores)))
        return (list(dict.fromkeys(row.text for row in ended)) + [""] * wanted)[:wanted]

    def _rules(self, given: int) -> FreeRules:
        return FreeRules(self.pieces, self.unusable, self.known, self.settings, given)

    def _row(self, given: str, first: Place, rules: FreeRules, purpose: str) -> Row:
        """A text to write from `first`; all its chance comes from the seed and `purpose`."""
        settings = self.settings
        choose = partial(likeliest, temperature=settings.temperature, top_k=settings.top_k, top_p=settings.top_p)
        own = Place(first.scores, first.state)
        return Row(given, own, self.pieces, rules, choose, random.Random(f"{settings.seed}/{purpose}"))

    def _read(self, given: str) -> Place:
        """What the model makes of the start of a text; of characters that the texts lack it reads a plain form."""
        tokens: list[int] = self.vocabulary.encode("".join(map(self._readable, given))).tolist()
        return read(self.model, [self.pieces.index(START), *tokens])

    def _readable(self, character: str) -> str:
        forms = (character, clean(character), unicodedata.normalize("NFKD", character), CURLED.get(character, ""))
        kept = ("".join(one for one in form if one in self._characters) for form in forms)
        return next((form for form in kept if form), "")

    def _written(self, number: int, row: Row, given: str) -> Written | None:
        """What a row has become, its unfinished end cut off; None where that leaves no word."""
        text, prompted, title = self._rules(len(given)).finished(row.text), len(given), None
        bits = self._bits(row, len(text) - prompted)
        if self.settings.kind == "essay":
            paragraphs = [line.strip() for line in text[prompted:].split("\n")]
            text, prompted, title = "\n\n".join(filter(None, paragraphs)), 0, given.strip()
            if not self.prompt:
                title = title_case(title.split()) or self._title(text)
        if not any(character.isalnum() for character in text[prompted:]):
            return None
        rank = merit(text[prompted:], bits, self.known, self.settings.length)
        return Written(number, title, text, prompted, bits, rank)

    def _bits(self, row: Row, kept: int) -> float:
        """Bits a character of the first `kept` characters that were written."""
        written, bits = 0, 0.0
        for token, score in zip(row.tokens, row.scores, strict=True):
            if written >= kept:
                break
            written += len(self.pieces[token])
            bits -= score / math.log(2)
        return bits / max(1, written)

    def _title(self, text: str) -> str:
        """A phrase of the text, where the model has no title to give."""
        usage = Usage([words_of(line.lower()) for line in sample.split("\n")] for sample in self.known.samples)
        phrases = titles_of(re.split(r"(?<=[.!?;:])\s+", text), usage, lambda word: False)
        return next((phrase for phrase in phrases if phrase.lower() not in self.known.titles), phrases[0])


def markdown(written: Written) -> str:
    """A text for people: an essay as Markdown, a book's text as it is."""
    heading = "" if written.title is None else f"# {written.title}\n\n"
    return f"{heading}{written.text}\n"


def figures(written: Sequence[Written], training: str, held_out: str, known: Known) -> dict[str, float | str]:
    """What can be counted about texts, beside as much of what people wrote.

    Parameters
    ----------
    written
        The texts that were kept.
    training
        The training text, or as much of it as copies are looked for in.
    held_out
        Text of people that the model was not trained on; as much as was written is compared.
    known
        What the writer knows of the training text.

    Returns
    -------
    dict
        `characters`; `bits_per_character`; `copied`, the longest run that stands in `training`; and, each once more
        with `_held_out` behind, `longest_copy`, `distinct_2` and `known_words`, the share of words that the training
        text has.
    """
    own = [one.own for one in written]
    characters = sum(map(len, own))
    held_out = held_out[:characters]
    copies = Copies(training)
    copied = copies.longest(own)
    found: dict[str, float | str] = {
        "characters": characters,
        "bits_per_character": sum(one.bits_per_character * len(one.own) for one in written) / max(1, characters),
        "copied": copied,
        "longest_copy": len(copied),
        "longest_copy_held_out": len(copies.longest([held_out])),
    }
    for side, text in (("", "\n".join(own)), ("_held_out", held_out)):
        found[f"distinct_2{side}"] = distinct_2(words_of(text.lower()))
        found[f"known_words{side}"] = known.words.share(words_of(text))
    return found


def told(figures: dict[str, float | str]) -> str:
    """The figures in words."""
    return (
        f"{figures['characters']:,} characters written at {figures['bits_per_character']:.2f} bits each; the longest "
        f"run copied from the training text is {figures['longest_copy']} characters (held-out text of that length: "
        f"{figures['longest_copy_held_out']}), distinct-2 {figures['distinct_2']:.2f} "
        f"({figures['distinct_2_held_out']:.2f}), {figures['known_words']:.1%} of the words are known "
        f"({figures['known_words_held_out']:.1%})"
    )
