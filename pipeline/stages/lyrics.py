"""Train the language model and write with it: `python -m pipeline +stage=lyrics lyrics.path=DIR`.

Writes `model.pt` (a resumed run equals an uninterrupted one), `metrics.jsonl` (a line a report), `learning.png` and
`report.md`. Then, with `lyrics=song`, `lyrics.json`, `lyrics.txt` and, where there are generated songs,
`alignment.json`: on which notes each syllable is sung; with `lyrics=essay` and `lyrics=book` the folder `written/`.
Where only the writing's settings or the songs changed, the model is kept. With `lyrics.interactive=true` a person
writes along; `session.json` holds what is written so far.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.config import Config, stage_directory
from pipeline.devices import choose_device, load_tensors, prepare_torch
from pipeline.drawing.learning_curves import draw_language_model_curves
from pipeline.errors import UserError
from pipeline.files import refuse_change, write_json, write_text
from pipeline.lyrics.alignment.alignment import Alignment, fit_words
from pipeline.lyrics.alignment.alignment import figures as alignment_figures
from pipeline.lyrics.corpus.corpus import Reading, read_texts
from pipeline.lyrics.corpus.song_lyrics import START
from pipeline.lyrics.corpus.text_files import files_fingerprint, text_size
from pipeline.lyrics.editor.screen import lyric_page
from pipeline.lyrics.editor.terminal import SESSION, require_person, write_together
from pipeline.lyrics.language_model.checkpointing import judged, records, train
from pipeline.lyrics.language_model.pretrained import starting_hash, starting_point, starting_vocabulary
from pipeline.lyrics.language_model.training import FORMAT, Trainer
from pipeline.lyrics.prose import writer as freehand
from pipeline.lyrics.report import prose_rows, report
from pipeline.lyrics.song.cost import cost
from pipeline.lyrics.song.lyric import Lyric
from pipeline.lyrics.song.metrics import Figures, table
from pipeline.lyrics.song.metrics import figures as measured
from pipeline.lyrics.song.plan import LyricPlan, plan_of
from pipeline.lyrics.song.writer import Writer
from pipeline.progress import bar, duration, say
from pipeline.songs.song import Song, song_paths
from pipeline.songs.sung_syllables import check_singer
from pipeline.stage_table import STAGES, Outcome, Plan

NUM_REASONS = 5
"""Files that can't be used which are named one by one."""
MOST_READ = 4_000_000
"""Characters of training text that the writer of songs learns words and lines from."""
MOST_HELD_OUT = 1_000_000
"""Characters of people's text that what was written is compared with."""
WRITTEN = "written"
"""The folder of essays and books' texts."""
SUFFIXES = {"essay": ".md", "book": ".txt"}


def inputs(config: Config) -> dict[str, str]:
    """Fingerprints of the texts and of the model to start from."""
    settings = config.lyrics
    try:
        settings.check()
    except ValueError as error:
        raise UserError(f"{error}.") from error
    if settings.kind != "song" and config.stage == "album":
        raise UserError(
            f"an album's words are songs: give lyrics=song, or write with lyrics={settings.kind} by +stage=lyrics and "
            "another name=."
        )
    return {"texts": files_fingerprint(settings), **starting_hash(settings.init)}


def plan(config: Config) -> Plan:
    """Text, steps, and how long at the most."""
    settings, model = config.lyrics, config.lyrics.model
    num_files, num_bytes = text_size(settings)
    songs = songs_made(config)
    if songs:
        check_singer(songs[0].spec, settings.track)
    if settings.interactive:
        require_person(stage_directory("lyrics", config) / SESSION, plans(songs, config), settings.prompt)
    count = len(songs) or settings.count
    what = {"song": "lyrics", "essay": "essays", "book": "texts"}[settings.kind]
    start = f" that starts from {settings.init}" if settings.init else ""
    text = (
        f"trains an LSTM of {model.num_layers} x {model.hidden_size}{start} on {num_bytes / 1e6:,.2f} MB in "
        f"{num_files:,} files of {settings.path or 'the lyrics written for this project'} to step {model.steps:,}, "
        f"{duration(60 * model.minutes)} at the most, and writes {count} {what}, some seconds each."
    )
    weights = 8 * model.num_layers * model.hidden_size**2
    return Plan(text, 4 * 4 * weights + (10_000 + settings.length * settings.candidates) * count + 200_000)


def run(config: Config, directory: Path) -> Outcome:
    """Train the model, or go on, or take it as it is; then write."""
    prepare_torch(config)
    settings = config.lyrics
    start = starting_point(settings)
    reading = read_texts(settings, directory, starting_vocabulary(start))
    say_skipped(reading)
    trainer = Trainer(reading.texts, settings.model, choose_device(config), settings.kind, start)
    resume(trainer, directory / "model.pt")
    train(trainer, directory / "metrics.jsonl", directory / "model.pt")
    trainer.model.load_state_dict(trainer.best)
    figures = judged(trainer)
    others = {
        "character trigram": figures["trigram_bits"],
        "xz": figures["xz_bits"],
        "this, on test text": figures["bits_per_character"],
    }
    draw_language_model_curves(directory / "learning.png", records(directory / "metrics.jsonl"), others)
    write = write_songs if settings.kind == "song" else write_texts
    count, written, rows = write(trainer, reading, figures, config, directory)
    write_text(directory / "report.md", report(figures, rows))
    return Outcome({"steps": trainer.step, "texts": count}, figures | {"written": written})


def say_skipped(reading: Reading) -> None:
    """Name the files that could not be used, and why."""
    for path, reason in reading.skipped[:NUM_REASONS]:
        say(f"lyrics: skipped {path}: {reason}.")
    if len(reading.skipped) > NUM_REASONS:
        say(f"lyrics: skipped {len(reading.skipped) - NUM_REASONS} more files for such reasons.")


def resume(trainer: Trainer, checkpoint: Path) -> None:
    """Load the state that `checkpoint` holds, if there is one; one of other settings or texts is a `UserError`."""
    if not checkpoint.exists():
        return
    saved = load_tensors(checkpoint)
    if not isinstance(saved, dict) or saved.get("format") != FORMAT:
        refuse_change("lyrics", checkpoint, [], {}, {})
    new, old = asdict(trainer.settings), saved["settings"]
    extendable = {key.rpartition(".")[2] for key in STAGES["lyrics"].extendable}
    if changed := [key for key in sorted(new) if new[key] != old.get(key) and key not in extendable]:
        prefix = "lyrics.model."
        named = [{prefix + key: values.get(key) for key in changed} for values in (new, old)]
        refuse_change("lyrics", checkpoint, [prefix + key for key in changed], *named)
    if saved["texts"] != trainer.texts.digest:
        raise UserError(
            f"{checkpoint} was trained on other texts than lyrics.path has now; "
            "give force=true to replace it, or another name= to keep it."
        )
    try:
        trainer.load_state_dict(saved)
    except (KeyError, ValueError, RuntimeError) as error:
        raise UserError(f"{checkpoint} does not fit: {str(error).splitlines()[0]}; give force=true.") from error


Rows = list[tuple[str, ...]]
"""A table, its heads first."""


def write_texts(
    trainer: Trainer, reading: Reading, figures: Mapping[str, Any], config: Config, directory: Path
) -> tuple[int, dict[str, Any], Rows]:
    """Write essays, or a book's texts: the best candidate of each to a file, the others to one.

    Gives how many there are, and their figures as values and as rows.
    """
    settings, texts = config.lyrics, reading.texts
    writer = freehand.FreeWriter(trainer.model, texts.vocabulary, texts.training, settings)
    numbers = range(1, settings.count + 1)
    ranked = [writer.write(number) for number in bar(numbers, settings.count, "lyrics", "texts")]
    folder = directory / WRITTEN
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for best, *_ in ranked:
        write_text(folder / f"{best.number:02d}{SUFFIXES[settings.kind]}", freehand.markdown(best))
    others = [
        f"({one.number}, place {place})\n\n{freehand.markdown(one)}"
        for _, *rest in ranked
        for place, one in enumerate(rest, 2)
    ]
    if others:
        write_text(folder / "others.txt", "\n\n".join(others))
    training, test = (
        "".join(texts.read(side, most)).replace(START, "")
        for side, most in ((texts.training, MOST_READ), (texts.test, MOST_HELD_OUT))
    )
    found = freehand.figures([best for best, *_ in ranked], training, test, writer.known)
    say(f"lyrics: {freehand.told(found)}. All of it: {folder}")
    return len(ranked), found, prose_rows(found)


def write_songs(
    trainer: Trainer, reading: Reading, figures: Mapping[str, Any], config: Config, directory: Path
) -> tuple[int, dict[str, Any], Rows]:
    """Write lyrics, alone or with a person, and set them to the songs that there are; gives what `write_texts` does."""
    texts = reading.texts
    training = list(texts.read(texts.training, MOST_READ))
    writer = Writer(trainer.model, trainer.symbols, training, config.lyrics)
    writer.titles.update(reading.titles)
    songs = songs_made(config)
    asked = plans(songs, config)
    if config.lyrics.interactive:
        lyrics = write_together(writer, asked, directory / SESSION)
    else:
        written = (writer.write(number, one) for number, one in bar(asked.items(), len(asked), "lyrics", "songs"))
        lyrics = writer.titled(written)
    held_out = [text for side in (texts.validation, texts.test) for text in texts.read(side, MOST_HELD_OUT)]
    english = writer.lexicon.english
    rows = table(lyrics, training, held_out, english)
    price = cost(writer, lyrics, [*asked.values()])
    rows.append(("bits a character under the model (drawn freely)", f"{price.written:.2f} ({price.free:.2f})", "", ""))
    form = measured([lyric.sections for lyric in lyrics], training, english=english)
    say(f"lyrics: {form_told(form)}.")
    found = {"cost_bits": round(price.written - price.free, 3), **asdict(form)}
    (directory / "alignment.json").unlink(missing_ok=True)
    if songs:
        alignments = set_to_music(songs, asked, lyrics, english, config)
        write_json(directory / "alignment.json", {"songs": [asdict(one) for one in alignments]})
        found["alignment"] = alignment_figures(zip(songs, alignments, strict=True))
        say(f"lyrics: {told(found['alignment'])}.")
    model = {**figures, **found}
    write_json(directory / "lyrics.json", {"songs": [asdict(lyric) for lyric in lyrics], "model": model})
    write_text(directory / "lyrics.txt", "\n\n".join(map(lyric_page, lyrics)))
    return len(lyrics), found, rows


def songs_made(config: Config) -> list[Song]:
    """The generated songs; none where there are none."""
    generated = stage_directory("generate", config)
    return [Song.load(path) for path in song_paths(generated)] if (generated / "songs").is_dir() else []


def singer(config: Config) -> str | None:
    """The track that sings: the one that is asked for, else the one that leads in the track set."""
    return config.lyrics.track or next((track.name for track in config.tracks.tracks if track.voice), None)


def plans(songs: Sequence[Song], config: Config) -> dict[int, LyricPlan]:
    """What the lyric of each song is asked for; so many as `lyrics.count` where there is no music."""
    if songs:
        return {song.number: plan_of(config.lyrics, song.number, song, singer(config)) for song in songs}
    return {number: plan_of(config.lyrics, number) for number in range(1, config.lyrics.count + 1)}


def set_to_music(
    songs: Sequence[Song], asked: Mapping[int, LyricPlan], lyrics: Sequence[Lyric], english: bool, config: Config
) -> list[Alignment]:
    """Set each lyric to its song; says which words nothing could sing."""
    found = []
    for song, lyric in zip(songs, lyrics, strict=True):
        places = [section.index for section in asked[song.number].sections]
        # a song of nothing but instrumental sections has words to read, none to sing
        parts = zip(places, lyric.sections, strict=True)
        words = {index: section.lines for index, section in parts if index is not None}
        found.append(fit_words(song, words, singer(config), english))
        for one in found[-1].unsung:
            say(f"lyrics: song {song.number}, {song.sections[one.section].name}: not sung, {one.reason}.")
    return found


def form_told(form: Figures) -> str:
    """How the words keep to their form, in words."""
    parts = [f"{form.lines} lines, the longest run copied from the texts is {form.longest_copy} characters"]
    if form.on_target is not None:
        parts.append(f"{form.on_target:.0%} of them within a syllable of their target")
    if form.rhyming_pairs is not None:
        parts.append(f"{form.rhyming_pairs:.0%} of the pairs that should rhyme do")
    return "; ".join(parts)


def told(figures: dict[str, float]) -> str:
    """How the words sit on the notes, in words."""
    return (
        f"{figures['syllables']} syllables set to the melodies, {figures['on_divided_notes']} on divided notes, "
        f"{figures['melismas']} on several; {figures['stressed_on_strong_beats']:.0%} of the stressed ones fall on "
        f"strong beats, {figures['all_on_strong_beats']:.0%} of all"
    )
