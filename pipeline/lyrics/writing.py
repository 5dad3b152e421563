"""What a trained language model writes, and its files: lyrics set to the songs there are, essays, texts of books."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.files import write_json, write_text
from pipeline.lyrics.alignment.alignment import Alignment, alignment_metrics, alignment_summary, fit_words
from pipeline.lyrics.corpus.corpus import TextCorpus, read_texts
from pipeline.lyrics.corpus.song_lyrics import START
from pipeline.lyrics.editor.completion import complete_lyric, retitled
from pipeline.lyrics.editor.screen import lyric_page
from pipeline.lyrics.editor.session import Session
from pipeline.lyrics.editor.terminal import SESSION, model_fingerprint, write_together
from pipeline.lyrics.finished_lyrics import MADE_FROM, finished_lyrics, lyric_fingerprint, made_from
from pipeline.lyrics.language_model.checkpointing import resume_language_model
from pipeline.lyrics.language_model.pretrained import load_pretrained, pretrained_vocabulary
from pipeline.lyrics.language_model.training import LanguageModelTrainer
from pipeline.lyrics.prose.metrics import PROSE_HEADS, prose_metrics, prose_rows, prose_summary
from pipeline.lyrics.prose.writer import ProseWriter, markdown
from pipeline.lyrics.song.lyric import Lyric
from pipeline.lyrics.song.metrics import (
    METRICS_HEADS,
    LineCosts,
    form_cost,
    form_summary,
    line_costs,
    lyric_metrics,
    metrics_rows,
)
from pipeline.lyrics.song.plan import LyricPlan
from pipeline.lyrics.song.writer import LyricWriter
from pipeline.markdown import markdown_table
from pipeline.progress import bar, say
from pipeline.settings.lyrics import LyricsSettings
from pipeline.songs.song import Song

MOST_READ = 4_000_000
"""Characters of training text that the writer of songs learns words and lines from."""
MOST_HELD_OUT = 1_000_000
"""Characters of people's text that what was written is compared with."""
MODEL = "model.pt"
"""The language model's checkpoint in the stage's directory."""
PROSE_FOLDER = "written"
"""The folder of essays and books' texts."""
SUFFIXES = {"essay": ".md", "book": ".txt"}


@dataclass(frozen=True)
class WrittenTexts:
    """How many texts were written, their metrics, and these beside people's texts as a Markdown table."""

    count: int
    metrics: dict[str, Any]
    table: str


def write_prose(trainer: LanguageModelTrainer, settings: LyricsSettings, directory: Path) -> WrittenTexts:
    """Write essays, or a book's texts: the best candidate of each to a file, the others to one."""
    texts = trainer.texts
    writer = ProseWriter(trainer.model, texts.vocabulary, texts.training, settings)
    numbers = range(1, settings.count + 1)
    ranked = [writer.write(number) for number in bar(numbers, settings.count, "lyrics", "texts")]
    folder = directory / PROSE_FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for best, *_ in ranked:
        write_text(folder / f"{best.number:02d}{SUFFIXES[settings.kind]}", markdown(best))
    others = [
        f"({one.number}, place {place})\n\n{markdown(one)}" for _, *rest in ranked for place, one in enumerate(rest, 2)
    ]
    if others:
        write_text(folder / "others.txt", "\n\n".join(others))
    training, test = (
        "".join(texts.read(side, most)).replace(START, "")
        for side, most in ((texts.training, MOST_READ), (texts.test, MOST_HELD_OUT))
    )
    found = prose_metrics([best for best, *_ in ranked], training, test, writer.known)
    say(f"lyrics: {prose_summary(found)}. All of it: {folder}")
    return WrittenTexts(len(ranked), found, markdown_table(PROSE_HEADS, prose_rows(found)))


def write_lyrics(
    trainer: LanguageModelTrainer,
    corpus: TextCorpus,
    plans: Mapping[int, LyricPlan],
    songs: Sequence[Song],
    singer: str | None,
    settings: LyricsSettings,
    directory: Path,
    model: Mapping[str, Any],
) -> WrittenTexts:
    """Write lyrics, alone or with a person, and set them to the songs that there are.

    Parameters
    ----------
    trainer, corpus
        The language model, and the texts that it has learnt.
    plans
        What each lyric is asked for, by the number of its song.
    songs, singer
        The music, none where there is none, and the track that sings.
    settings
        All of `lyrics`.
    directory
        Takes `lyrics.json`, `lyrics.txt`, `alignment.json`; holds the editor's session, whose lines stay.
    model
        Metrics of the language model, which `lyrics.json` holds, too.
    """
    texts = corpus.texts
    writer = trained_writer(trainer, corpus, settings)
    training = list(texts.read(texts.training, MOST_READ))
    if settings.interactive:
        lyrics = write_together(writer, plans, directory / SESSION)
        prints, costs = dict[int, str](), dict[int, LineCosts]()
    else:
        lyrics, prints, costs = write_alone(writer, plans, directory)
    for lyric in lyrics:
        if lyric.number not in costs:
            costs[lyric.number] = line_costs(writer, lyric, plans[lyric.number])
    held_out = [text for side in (texts.validation, texts.test) for text in texts.read(side, MOST_HELD_OUT)]
    english = writer.lexicon.english
    rows = metrics_rows(lyrics, training, held_out, english)
    cost = form_cost(costs.values())
    rows.append(("bits a character under the model (drawn freely)", f"{cost.written:.2f} ({cost.free:.2f})", "", ""))
    form = lyric_metrics([lyric.sections for lyric in lyrics], training, english=english)
    say(f"lyrics: {form_summary(form)}.")
    found: dict[str, Any] = {"cost_bits": round(cost.written - cost.free, 3), **asdict(form)}
    (directory / "alignment.json").unlink(missing_ok=True)
    if songs:
        alignments = set_to_music(songs, plans, lyrics, singer, english)
        write_json(directory / "alignment.json", {"songs": [asdict(one) for one in alignments]})
        found["alignment"] = alignment_metrics(zip(songs, alignments, strict=True))
        say(f"lyrics: {alignment_summary(found['alignment'])}.")
    values = {"songs": [asdict(lyric) for lyric in lyrics], "model": {**model, **found}}
    write_json(directory / "lyrics.json", values | {MADE_FROM: made_from(prints, costs)})
    write_text(directory / "lyrics.txt", "\n\n".join(map(lyric_page, lyrics)))
    return WrittenTexts(len(lyrics), found, markdown_table(METRICS_HEADS, rows))


def write_alone(
    writer: LyricWriter, plans: Mapping[int, LyricPlan], directory: Path
) -> tuple[list[Lyric], dict[int, str], dict[int, LineCosts]]:
    """Write the lyrics that are not in `directory` yet, around the lines that a person took.

    Returns
    -------
    lyrics, prints, costs
        All lyrics in order, the fingerprint of each by its number, and the costs of those that were there.
    """
    session, finished = Session.load(directory / SESSION), finished_lyrics(directory / "lyrics.json")
    taken = session.songs
    model = model_fingerprint(writer)
    prints = {number: lyric_fingerprint(model, number, plan, taken.get(number)) for number, plan in plans.items()}
    known = {number: finished[one] for number, one in prints.items() if one in finished}
    missing = [number for number in plans if number not in known]
    written = {number: one.lyric for number, one in known.items()}
    for number in bar(missing, len(missing), "lyrics", "songs"):
        written[number] = complete_lyric(writer, number, plans[number], taken.get(number))
    lyrics = retitled(writer.titled(written[number] for number in plans), session)
    return lyrics, prints, {number: one.costs for number, one in known.items()}


def trained_writer(trainer: LanguageModelTrainer, corpus: TextCorpus, settings: LyricsSettings) -> LyricWriter:
    """The writer of songs with a trained model, which knows the words and lines of its texts."""
    training = list(corpus.texts.read(corpus.texts.training, MOST_READ))
    writer = LyricWriter(trainer.model, trainer.symbols, training, settings)
    writer.titles.update(corpus.titles)
    return writer


def load_writer(settings: LyricsSettings, directory: Path, device: str, extendable: Collection[str]) -> LyricWriter:
    """The writer of songs with the model that the stage left in `directory`.

    Parameters
    ----------
    settings
        All of `lyrics`, as the model was trained with.
    directory, device
        Of the stage, and where the model is to be.
    extendable
        Settings that may differ, such as `lyrics.model.steps`.

    Raises
    ------
    UserError
        The model is missing, or of other settings or texts.
    """
    if not (directory / MODEL).exists():
        raise UserError(f"{directory / MODEL} is missing; run +stage=lyrics.")
    pretrained = load_pretrained(settings)
    corpus = read_texts(settings, directory, pretrained_vocabulary(pretrained))
    trainer = LanguageModelTrainer(corpus.texts, settings.model, device, settings.kind, pretrained)
    resume_language_model(trainer, directory / MODEL, extendable)
    trainer.model.load_state_dict(trainer.best)
    return trained_writer(trainer, corpus, settings)


def set_to_music(
    songs: Sequence[Song], plans: Mapping[int, LyricPlan], lyrics: Sequence[Lyric], singer: str | None, english: bool
) -> list[Alignment]:
    """Set each lyric to its song; says which words nothing could sing."""
    found = []
    for song, lyric in zip(songs, lyrics, strict=True):
        indices = [section.index for section in plans[song.number].sections]
        # a song of nothing but instrumental sections has words to read, none to sing
        parts = zip(indices, lyric.sections, strict=True)
        words = {index: section.lines for index, section in parts if index is not None}
        found.append(fit_words(song, words, singer, english))
        for one in found[-1].unsung:
            say(f"lyrics: song {song.number}, {song.sections[one.section].name}: not sung, {one.reason}.")
    return found
