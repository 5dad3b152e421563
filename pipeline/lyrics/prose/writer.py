"""The prose writer: essays and texts of books, sampled within rules.

    writer = ProseWriter(model, texts.vocabulary, texts.training, settings)
    best, *others = writer.write(1)
    print(markdown(best))

The rules are kept while a text is written; nothing is cut out afterwards but an unfinished sentence at its end.
"""

from __future__ import annotations

import math
import random
import re
import unicodedata
from dataclasses import dataclass
from functools import partial

from pipeline.errors import UserError
from pipeline.lyrics.corpus.encoded_texts import TextSplit
from pipeline.lyrics.corpus.song_lyrics import START
from pipeline.lyrics.corpus.text_decoding import clean, tidy
from pipeline.lyrics.corpus.vocabulary import Vocabulary
from pipeline.lyrics.language_model.lstm import LanguageModel
from pipeline.lyrics.prose.rules import ProseRules, TitleRules, pieces_of
from pipeline.lyrics.prose.sampling import Prediction, UnfinishedText, finish_texts, likeliest, read_tokens
from pipeline.lyrics.prose.scoring import score_text
from pipeline.lyrics.prose.training_text import TrainingText, spelt_words
from pipeline.lyrics.song.scoring import WordUsage
from pipeline.lyrics.song.titles import title_case, titles_of
from pipeline.settings.lyrics import LyricsSettings

TITLES = 4
"""Titles that are written for each one that is kept."""
CURLED = {"'": "\u2019", '"': "\u201d"}
"""What is read for a straight quote by a model that knows curled ones alone."""


@dataclass(frozen=True)
class ProseText:
    """An essay, or a text that goes on like a book.

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
    score
        What the candidates are ranked by; more is better.
    """

    number: int
    title: str | None
    text: str
    prompted: int
    bits_per_character: float
    score: float

    @property
    def own(self) -> str:
        """The text without the prompt."""
        return self.text[self.prompted :]


class ProseWriter:
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

    def __init__(
        self, model: LanguageModel, vocabulary: Vocabulary, training: TextSplit, settings: LyricsSettings
    ) -> None:
        self.model, self.vocabulary, self.settings = model, vocabulary, settings
        self.known = TrainingText(training, vocabulary, settings.copy_limit)
        self.pieces, self.unusable = pieces_of(vocabulary, self.known)
        usable = (piece for piece, bad in zip(self.pieces, self.unusable, strict=True) if not bad)
        self._characters = set("".join(usable)) - {START}
        prompt = (settings.prompt or "").encode("utf-8", "replace").decode()
        self.prompt = " ".join(clean(prompt).split()) if settings.kind == "essay" else tidy(prompt).strip()

    def write(self, number: int) -> list[ProseText]:
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
        finish_texts(self.model, rows)
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
        return sorted(texts, key=lambda one: -one.score)

    def _titles(self, number: int) -> list[str]:
        """A title for each candidate, the likeliest of several; empty ones where the model has none to give."""
        wanted = self.settings.candidates
        if not self.known.titles:
            return [""] * wanted
        rules = TitleRules(self.pieces, self.unusable, self.known, self.settings, 0)
        first = self._read("")
        rows = [self._row("", first, rules, f"{number}/title {place}") for place in range(TITLES * wanted)]
        finish_texts(self.model, rows)
        ended = [row for row in rows if row.text[-1:].isalnum() and len(row.text) <= rules.longest]
        # the likeliest as a whole: short ones, of two words at least
        ended.sort(key=lambda row: (len(row.text.split()) < 2, -sum(row.scores)))
        return (list(dict.fromkeys(row.text for row in ended)) + [""] * wanted)[:wanted]

    def _rules(self, given: int) -> ProseRules:
        return ProseRules(self.pieces, self.unusable, self.known, self.settings, given)

    def _row(self, given: str, first: Prediction, rules: ProseRules, purpose: str) -> UnfinishedText:
        """A text to write from `first`; all its chance comes from the seed and `purpose`."""
        settings = self.settings
        to_chances = partial(likeliest, temperature=settings.temperature, top_k=settings.top_k, top_p=settings.top_p)
        own = Prediction(first.scores, first.state)
        return UnfinishedText(given, own, self.pieces, rules, to_chances, random.Random(f"{settings.seed}/{purpose}"))

    def _read(self, given: str) -> Prediction:
        """What the model makes of the start of a text; of characters that the texts lack it reads a plain form."""
        tokens: list[int] = self.vocabulary.encode("".join(map(self._readable, given))).tolist()
        return read_tokens(self.model, [self.pieces.index(START), *tokens])

    def _readable(self, character: str) -> str:
        forms = (character, clean(character), unicodedata.normalize("NFKD", character), CURLED.get(character, ""))
        kept = ("".join(one for one in form if one in self._characters) for form in forms)
        return next((form for form in kept if form), "")

    def _written(self, number: int, row: UnfinishedText, given: str) -> ProseText | None:
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
        score = score_text(text[prompted:], bits, self.known, self.settings.length)
        return ProseText(number, title, text, prompted, bits, score)

    def _bits(self, row: UnfinishedText, kept: int) -> float:
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
        usage = WordUsage([spelt_words(line.lower()) for line in sample.split("\n")] for sample in self.known.samples)
        phrases = titles_of(re.split(r"(?<=[.!?;:])\s+", text), usage, lambda word: False)
        return next((phrase for phrase in phrases if phrase.lower() not in self.known.titles), phrases[0])


def markdown(written: ProseText) -> str:
    """A text for people: an essay as Markdown, a book's text as it is."""
    heading = "" if written.title is None else f"# {written.title}\n\n"
    return f"{heading}{written.text}\n"
