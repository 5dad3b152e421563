"""Settings of the stage `lyrics`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pipeline.settings import PROGRAM_SEED

KINDS = ("song", "essay", "book")
"""What is read and written: lyrics with a form, essays with a title and paragraphs, text as it comes."""
TOKENS = ("characters", "subwords")
FREE = "free"
"""The rhyme scheme of lines that need not rhyme."""


@dataclass
class LanguageModelSettings:
    """The LSTM and its training: what takes long."""

    tokens: str = "characters"
    """`characters`, or `subwords`: frequent pieces of words, for essays and books."""
    vocabulary_size: int = 2000
    """Subwords to learn from the training text; characters are all kept that are frequent enough."""
    hidden_size: int = 256
    """Numbers in the state of each layer, and in a token's vector."""
    num_layers: int = 2
    """LSTM layers, one over the other."""
    dropout: float | None = None
    """Share of features dropped before, between and after the layers; null goes by how often the text is read."""
    weight_drop: float | None = None
    """Share of recurrent weights dropped; null takes half of `dropout`."""
    weight_decay: float = 0.01
    """Of AdamW."""
    learning_rate: float = 0.005
    """At its highest; it falls as half a cosine."""
    batch_size: int = 8
    """Stretches of text that one step reads side by side."""
    sequence_length: int = 64
    """Tokens of backpropagation through time; the state is carried over from one stretch to the next."""
    steps: int = 500
    """Optimiser steps; what counts, as it makes runs repeatable."""
    minutes: float = 10.0
    """Upper bound of the training time."""
    patience: int = 6
    """Validations without improvement after which training stops."""
    seed: int = PROGRAM_SEED
    """Draws the first weights, dropout and the order of the texts."""


@dataclass
class LyricsSettings:
    """The language model, and the texts it writes."""

    kind: str = "song"
    """`song`, `essay` or `book`; the presets lyrics=... set it."""
    path: str | None = None
    """A text file (.txt, .md, .lrc, .srt, .vtt, .csv) or a folder of them; null takes this project's own lyrics."""
    column: str | None = None
    """The column of a .csv file that holds the texts; null takes the one named so (text, lyrics, ...) or the widest."""
    clean: bool = True
    """Take out what is no word of the text: HTML, time stamps; of songs chords, too, and what lyric sites add."""
    init: str | None = "verse"
    """A `model.pt` to start from, the folder that holds it, or `verse`, which is shipped; null starts from nothing."""
    model: LanguageModelSettings = field(default_factory=LanguageModelSettings)
    """See below."""
    seed: int = PROGRAM_SEED
    """Draws what is written."""
    count: int = 6
    """Texts to write; where there are generated songs, one is written for each of them."""
    interactive: bool = False
    """Ask a person at the terminal for each line of a song."""
    prompt: str | None = None
    """How the texts begin: a song's first line, an essay's title, a book's first words."""
    temperature: float = 1.0
    """Below 1 plays safe, above 1 takes risks."""
    top_k: int | None = None
    """Sample among so many of the likeliest tokens; null among all."""
    top_p: float = 0.95
    """Nucleus: sample among the likeliest tokens that hold this share of the probability."""
    length: int = 2000
    """Characters of an essay or a book's text; a song is as long as its form."""
    candidates: int = 48
    """Lines sampled for each line kept in a song, whole texts for each one kept in an essay or a book."""
    avoid: list[str] = field(default_factory=list)
    """Words that are never written."""
    copy_limit: int = 22
    """Most characters in a row that may stand word for word in the training text."""
    scheme: str | None = None
    """Which lines rhyme: AABB, ABAB, any such pattern, or `free`; null draws one for each song."""
    syllables: list[int] | None = None
    """Syllables of the lines, read again from the start; null goes by the melody, where there is one."""
    track: str | None = None
    """The track that sings; null takes the one that leads, `voice` in the track set, else the highest."""

    def check(self) -> None:
        """Raise `ValueError`, naming the key, for a value that nothing could be trained or written with."""
        model = self.model
        if self.kind not in KINDS:
            raise ValueError(f"lyrics.kind must be one of {', '.join(KINDS)}, not {self.kind}")
        if model.tokens not in TOKENS:
            raise ValueError(f"lyrics.model.tokens must be one of {', '.join(TOKENS)}, not {model.tokens}")
        if self.kind == "song" and model.tokens != "characters":
            raise ValueError("lyrics.model.tokens=subwords is for lyrics=essay and lyrics=book; songs rhyme by letters")
        positive = ("hidden_size", "num_layers", "learning_rate", "batch_size", "sequence_length", "steps", "minutes")
        for name in (*positive, "vocabulary_size", "patience"):
            if getattr(model, name) <= 0:
                raise ValueError(f"lyrics.model.{name} must be more than 0, not {getattr(model, name)}")
        for name in ("dropout", "weight_drop"):
            share = getattr(model, name)
            if share is not None and not 0 <= share < 1:
                raise ValueError(f"lyrics.model.{name} must be at least 0 and below 1, or null, not {share}")
        if model.weight_decay < 0:
            raise ValueError(f"lyrics.model.weight_decay must not be negative, but is {model.weight_decay}")
        for name in ("count", "temperature", "candidates", "length", "copy_limit"):
            if getattr(self, name) <= 0:
                raise ValueError(f"lyrics.{name} must be more than 0, not {getattr(self, name)}")
        if self.top_k is not None and self.top_k <= 0:
            raise ValueError(f"lyrics.top_k must be more than 0 or null, not {self.top_k}")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"lyrics.top_p must be more than 0 and at most 1, not {self.top_p}")
        if self.scheme not in (None, FREE) and not re.fullmatch(r"[A-Z]{1,16}", self.scheme or ""):
            raise ValueError(f"lyrics.scheme must be letters such as AABB or ABAB, free, or null, not {self.scheme}")
        if self.syllables is not None and not (self.syllables and all(2 <= one <= 24 for one in self.syllables)):
            raise ValueError(
                f"lyrics.syllables must be numbers from 2 to 24, such as [8,6,8,6], or null, not {self.syllables}"
            )
        if self.interactive and self.kind != "song":
            raise ValueError("lyrics.interactive=true writes songs, line by line: give lyrics=song with it")
