"""Train the language model and write the album's words: `python -m pipeline +stage=lyrics lyrics.path=DIR`.

Writes `model.pt` (a resumed run equals an uninterrupted one), `metrics.jsonl` (a line a report), `lyrics.json`,
`lyrics.txt` and, where there are generated songs, `alignment.json`: on which notes each syllable is sung. Where only
the writing's settings or the songs changed, the model is kept. With `lyrics.interactive=true` a person writes along;
`session.json` holds what is written so far.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from pipeline.artefacts import atomic_path, write_json, write_text
from pipeline.building import STAGES, refuse_change
from pipeline.config import Config
from pipeline.contract import Outcome, Plan
from pipeline.devices import choose_device, load_tensors, prepare_torch
from pipeline.errors import UserError
from pipeline.lyrics.alignment import Alignment, fit_words
from pipeline.lyrics.alignment import figures as alignment_figures
from pipeline.lyrics.baselines import longest_copy, trigram_bits, xz_bits
from pipeline.lyrics.corpus import Corpus, files_fingerprint, read_corpus, texts_of
from pipeline.lyrics.interactive import SESSION, require_person, write_together
from pipeline.lyrics.interactive_screen import lyric_page
from pipeline.lyrics.plans import LyricPlan, plan_of
from pipeline.lyrics.syllables import is_english
from pipeline.lyrics.training import FORMAT, Trainer, bits_per_character
from pipeline.lyrics.writing import Lyric, Writer
from pipeline.music.singing import check_singer
from pipeline.music.song import Song, song_paths
from pipeline.places import stage_directory
from pipeline.progress import bar, counter, duration, finish_step_first, say

NUM_REASONS = 5
"""Files that can't be used which are named one by one."""
MOST_READ = 4_000_000
"""Characters of training text that the writer learns words and lines from."""
SAVE_SECONDS = 10.0
"""At most this long passes between two checkpoints."""


def inputs(config: Config) -> dict[str, str]:
    """Fingerprint of the texts."""
    try:
        config.lyrics.check()
    except ValueError as error:
        raise UserError(f"{error}.") from error
    return {"texts": files_fingerprint(config.lyrics.path)}


def plan(config: Config) -> Plan:
    """Text, steps, and how long at the most."""
    settings = config.lyrics.model
    corpus = read_corpus(config.lyrics.path)
    made = songs_made(config)
    if made:
        check_singer(made[0].spec, config.lyrics.track)
    if config.lyrics.interactive:
        require_person(stage_directory("lyrics", config) / SESSION, plans(made, config), config.lyrics.prompt)
    songs = len(made) or config.lyrics.count
    text = (
        f"trains an LSTM of {settings.num_layers} x {settings.hidden_size} on {corpus.num_characters:,} characters of "
        f"{config.lyrics.path or 'the lyrics written for this project'} to step {settings.steps:,}, "
        f"{duration(60 * settings.minutes)} at the most, and writes {songs} lyrics, some seconds each."
    )
    weights = 8 * settings.num_layers * settings.hidden_size**2
    return Plan(text, 4 * 4 * weights + 10_000 * songs + 200_000)


def run(config: Config, directory: Path) -> Outcome:
    """Train the model, or go on, or take it as it is; then write."""
    prepare_torch(config)
    corpus = read_corpus(config.lyrics.path)
    say_skipped(corpus)
    texts = texts_of(corpus)
    trainer = Trainer(texts, config.lyrics.model, choose_device(config))
    resume(trainer, directory / "model.pt")
    train(trainer, directory)
    trainer.model.load_state_dict(trainer.best)
    figures = judge(trainer)
    writer = Writer(trainer.model, trainer.symbols, list(texts.read(texts.training, MOST_READ)), config.lyrics)
    writer.titles.update(document.title for document in corpus.training if document.title)
    songs = songs_made(config)
    asked = plans(songs, config)
    if config.lyrics.interactive:
        lyrics = write_together(writer, asked, directory / SESSION)
    else:
        written = (writer.write(number, one) for number, one in bar(asked.items(), len(asked), "lyrics", "songs"))
        lyrics = writer.titled(written)
    figures["longest_copy"] = len(copied(lyrics, corpus))
    say(f"lyrics: the longest run of characters copied from the texts is {figures['longest_copy']}.")
    (directory / "alignment.json").unlink(missing_ok=True)
    if songs:
        alignments = set_to_music(songs, asked, lyrics, config)
        write_json(directory / "alignment.json", {"songs": [asdict(one) for one in alignments]})
        figures["alignment"] = alignment_figures(zip(songs, alignments, strict=True))
        say(f"lyrics: {told(figures['alignment'])}.")
    write_json(directory / "lyrics.json", {"songs": [asdict(lyric) for lyric in lyrics], "model": figures})
    write_text(directory / "lyrics.txt", "\n\n".join(map(lyric_page, lyrics)))
    return Outcome({"steps": trainer.step, "songs": len(lyrics)}, figures)


def say_skipped(corpus: Corpus) -> None:
    """Name the files that could not be used, and why."""
    for path, reason in corpus.skipped[:NUM_REASONS]:
        say(f"lyrics: skipped {path}: {reason}.")
    if len(corpus.skipped) > NUM_REASONS:
        say(f"lyrics: skipped {len(corpus.skipped) - NUM_REASONS} more files for such reasons.")


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
    songs: Sequence[Song], asked: Mapping[int, LyricPlan], lyrics: Sequence[Lyric], config: Config
) -> list[Alignment]:
    """Set each lyric to its song; says which words nothing could sing."""
    english = is_english(line for lyric in lyrics for section in lyric.sections for line in section.lines)
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


def told(figures: dict[str, float]) -> str:
    """How the words sit on the notes, in words."""
    return (
        f"{figures['syllables']} syllables set to the melodies, {figures['on_divided_notes']} on divided notes, "
        f"{figures['melismas']} on several; {figures['stressed_on_strong_beats']:.0%} of the stressed ones fall on "
        f"strong beats, {figures['all_on_strong_beats']:.0%} of all"
    )


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


def train(trainer: Trainer, directory: Path) -> None:
    """Train to the end, with a log and a checkpoint that is never old; Ctrl-C saves and stops between two steps."""
    log, checkpoint = directory / "metrics.jsonl", directory / "model.pt"
    records = [record for record in _records(log) if record["step"] <= trainer.step]
    write_text(log, "".join(json.dumps(record) + "\n" for record in records))
    if trainer.is_done:
        say(f"lyrics: the language model is trained ({trainer.step:,} steps); its words are written anew.")
        return
    if trainer.step:
        say(f"lyrics: goes on from step {trainer.step:,} of {checkpoint}.")
    step, saved_at = trainer.step, time.monotonic()
    with counter(trainer.settings.steps, "lyrics", "steps", start=step) as count, finish_step_first() as stopped:
        for report in trainer.run(stopped):
            count(trainer.step - step)
            step = trainer.step
            if report is not None:
                with log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(report)) + "\n")
            if report is not None and (report.last or time.monotonic() - saved_at > SAVE_SECONDS):
                save(trainer, checkpoint)
                saved_at = time.monotonic()
        if stopped():
            save(trainer, checkpoint)
    if trainer.step < trainer.settings.steps:
        why = "lyrics.model.minutes" if trainer.is_late else "validation, which got no better"
        say(f"lyrics: stopped at step {trainer.step:,} by {why}.")


def _records(log: Path) -> list[dict[str, Any]]:
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def save(trainer: Trainer, checkpoint: Path) -> None:
    """Write the checkpoint atomically."""
    with atomic_path(checkpoint) as temporary:
        torch.save(trainer.state_dict(), temporary)


def judge(trainer: Trainer) -> dict[str, Any]:
    """Bits a character on the test documents, beside a trigram model and xz on the same text."""
    texts = trainer.texts
    training, test = ("".join(texts.read(side, MOST_READ)) for side in (texts.training, texts.test))
    figures: dict[str, Any] = {
        "bits_per_character": round(bits_per_character(trainer.model, texts.test, texts.vocabulary), 3),
        "trigram_bits": round(trigram_bits(training, test), 3),
        "xz_bits": round(xz_bits(training, test), 3),
        "steps": trainer.step,
        "best_step": trainer.best_step,
        "train_seconds": round(trainer.seconds, 1),
        "training_characters": len(training),
    }
    say(
        f"lyrics: {figures['bits_per_character']:.2f} bits a character on held-out text after "
        f"{duration(trainer.seconds)} of training; a trigram model needs {figures['trigram_bits']:.2f}, "
        f"xz {figures['xz_bits']:.2f}."
    )
    return figures


def copied(lyrics: list[Lyric], corpus: Corpus) -> str:
    """The longest run of characters that a generated line shares with a line of the training text, case aside."""
    text = "\n".join(line.lower() for document in corpus.training for line in document.lines)
    return longest_copy((line.lower() for lyric in lyrics for one in lyric.sections for line in one.lines), text)
