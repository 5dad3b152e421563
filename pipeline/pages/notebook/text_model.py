"""A trained language model to write single lines and texts with, as the cells of its notebook do.

    model = TextModel("mine")
    for line in model.lines(seed=1, temperature=0.8):
        print(line)
    print(model.verse(seed=1))

The same seed and settings give the same words.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipeline.config import compose_run
from pipeline.devices import choose_device, load_tensors, prepare_torch
from pipeline.errors import UserError
from pipeline.lyrics.corpus.corpus import read_texts
from pipeline.lyrics.corpus.vocabulary import Characters, vocabulary_from
from pipeline.lyrics.language_model.pretrained import load_pretrained, pretrained_vocabulary
from pipeline.lyrics.language_model.training import build_model
from pipeline.lyrics.prose.writer import ProseWriter, markdown
from pipeline.lyrics.song.plan import plan_lyric
from pipeline.lyrics.song.writer import LyricDraft, LyricWriter
from pipeline.lyrics.writing import MOST_READ
from pipeline.settings.lyrics import LanguageModelSettings, LyricsSettings
from pipeline.settings.song_requests import run_directory

CANDIDATES = 24
"""Lines that are sampled for each one that is written."""


class TextModel:
    """The language model of a run, with the texts whose words it knows.

    Parameters
    ----------
    name
        The run: `outputs/NAME/lyrics` holds its checkpoint.

    Raises
    ------
    UserError
        When there is no such checkpoint, it is damaged, or the texts that it learnt from are gone.
    """

    def __init__(self, name: str) -> None:
        config = compose_run(name, "lyrics")
        prepare_torch(config)
        directory = run_directory("lyrics", name)
        path = directory / "model.pt"
        saved = load_tensors(path)
        try:
            vocabulary, settings = vocabulary_from(saved["vocabulary"]), LanguageModelSettings(**saved["settings"])
            self.model = build_model(len(vocabulary), settings).to(choose_device(config))
            self.model.load_state_dict(saved["best"]["model"])
            kind, digest = str(saved["kind"]), saved["texts"]
        except (ValueError, TypeError, KeyError, RuntimeError) as error:
            raise UserError(f"{path} is damaged or of another version; give force=true to make it again.") from error
        self.vocabulary = vocabulary
        self.settings = replace(config.lyrics, kind=kind, candidates=CANDIDATES, prompt=None, interactive=False)
        known = pretrained_vocabulary(load_pretrained(config.lyrics))
        self.texts = read_texts(config.lyrics, directory, known).texts
        if self.texts.digest != digest:
            raise UserError(f"{path} was trained on other texts than there are now: put them back, or train it anew.")

    def lines(self, seed: int = 1, **settings: Any) -> list[str]:
        """Lines that a song may begin with, the best first. For `settings` see `verse`."""
        return [one.line for one in self._draft(seed, settings).candidates()]

    def verse(self, seed: int = 1, **settings: Any) -> str:
        """The first section of a song, line by line the best candidate.

        Parameters
        ----------
        seed
            All its chance follows from it.
        settings
            Settings of `lyrics`, such as `temperature=0.7`, `scheme="AABB"`, `syllables=[8, 6]`, `prompt="First line"`.

        Raises
        ------
        UserError
            The model finds no line, or writes no songs.
        TypeError
            There is no such setting.
        """
        draft = self._draft(seed, settings)
        while draft.next_line is not None and draft.next_line.section == 0:
            draft.take(draft.candidates()[0])
        return "\n".join(one.line for one in draft.taken)

    def prose(self, seed: int = 1, **settings: Any) -> str:
        """An essay, or a text that goes on like a book, as Markdown; `settings` such as `prompt` and `length`."""
        asked = self._asked(seed, settings)
        best, *_ = ProseWriter(self.model, self.vocabulary, self.texts.training, asked).write(1)
        return markdown(best)

    def _draft(self, seed: int, settings: dict[str, Any]) -> LyricDraft:
        """A song of which no line is written but `prompt`, where one is given."""
        if self.settings.kind != "song" or not isinstance(self.vocabulary, Characters):
            raise UserError(f"this model writes no songs but lyrics={self.settings.kind}: call prose().")
        asked = self._asked(seed, settings)
        training = list(self.texts.read(self.texts.training, MOST_READ))
        return LyricWriter(self.model, self.vocabulary.symbols, training, asked).begin(1, plan_lyric(asked, 1))

    def _asked(self, seed: int, settings: dict[str, Any]) -> LyricsSettings:
        """The run's settings with others in their places. Raises `UserError` for one that makes no sense."""
        asked = replace(self.settings, seed=seed, **settings)
        try:
            asked.check()
        except ValueError as error:
            raise UserError(f"{error}.") from error
        return asked
