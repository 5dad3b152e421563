"""Train the language model and write with it: `python -m pipeline +stage=lyrics lyrics.path=DIR`.

Writes `model.pt` (a resumed run equals an uninterrupted one), `metrics.jsonl` (a line a report), `learning.png`,
`report.md` and `notebook.ipynb` (`pipeline.pages.notebook`). Then, with `lyrics=song`, `lyrics.json`, `lyrics.txt`
and, where there are generated songs, `alignment.json`: on which notes each syllable is sung; with `lyrics=essay` and
`lyrics=book` the folder `written/`.
Where only the writing's settings or the songs changed, the model is kept. With `lyrics.interactive=true` a person
writes along; `session.json` holds what is written so far, and its lines stay where the stage writes alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.config import Config, stage_directory
from pipeline.devices import choose_device, prepare_torch
from pipeline.drawing.learning_curves import draw_language_model_curves
from pipeline.errors import UserError
from pipeline.files import write_text
from pipeline.lyrics.corpus.corpus import TextCorpus, read_texts
from pipeline.lyrics.corpus.text_files import PASSED_OVER, files_fingerprint, passed_over, text_size
from pipeline.lyrics.editor.completion import taken_words
from pipeline.lyrics.editor.session import Session
from pipeline.lyrics.editor.terminal import SESSION, require_person
from pipeline.lyrics.language_model.checkpointing import read_log, resume_language_model, train_and_save
from pipeline.lyrics.language_model.pretrained import load_pretrained, pretrained_hash, pretrained_vocabulary
from pipeline.lyrics.language_model.training import LanguageModelTrainer
from pipeline.lyrics.report import language_model_report, model_metrics
from pipeline.lyrics.song.plan import LyricPlan, plan_lyric
from pipeline.lyrics.writing import MODEL, write_lyrics, write_prose
from pipeline.pages.notebook.language_model import write_language_model_notebook
from pipeline.progress import counted, duration, say
from pipeline.songs.song import Song, song_paths
from pipeline.songs.sung_syllables import check_singer
from pipeline.stage_table import STAGES, Outcome, Plan

NUM_REASONS = 5
"""Files that can't be used which are named one by one."""


def inputs(config: Config) -> dict[str, str]:
    """Fingerprints of the texts, of the model to start from, and of the lines that a person took."""
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
    taken = {}
    if settings.kind == "song" and not settings.interactive:  # else they change while the stage runs
        taken = taken_words(Session.load(stage_directory("lyrics", config) / SESSION))
    return {"texts": files_fingerprint(settings), **pretrained_hash(settings.init), **taken}


def plan(config: Config) -> Plan:
    """Text, steps, and how long at the most."""
    settings, model = config.lyrics, config.lyrics.model
    num_files, num_bytes = text_size(settings)
    songs = songs_made(config)
    if songs:
        check_singer(songs[0].spec, settings.track)
    if settings.interactive:
        require_person(stage_directory("lyrics", config) / SESSION, lyric_plans(songs, config), settings.prompt)
    count = len(songs) or settings.count
    what = {"song": "song lyric", "essay": "essay", "book": "text"}[settings.kind]
    start = f" that starts from {settings.init}" if settings.init else ""
    place = settings.path or "the lyrics written for this project"
    text = (
        f"trains an LSTM of {model.num_layers} x {model.hidden_size}{start} on {num_bytes / 1e6:,.2f} MB in "
        f"{counted(num_files, 'file')} of {place} to step {model.steps:,}, "
        f"{duration(60 * model.minutes)} at the most, and writes {counted(count, what)}, some seconds each."
    )
    weights = 8 * model.num_layers * model.hidden_size**2
    return Plan(text, 4 * 4 * weights + (10_000 + settings.length * settings.candidates) * count + 200_000)


def run(config: Config, directory: Path) -> Outcome:
    """Train the model, or go on, or take it as it is; then write."""
    prepare_torch(config)
    settings = config.lyrics
    pretrained = load_pretrained(settings)
    corpus = read_texts(settings, directory, pretrained_vocabulary(pretrained))
    say_skipped(corpus, settings.path)
    cleaned = str(corpus.cleaned)
    if cleaned:
        say(f"lyrics: {cleaned}{' (lyrics.clean=false reads texts as they are)' if settings.clean else ''}.")
    trainer = LanguageModelTrainer(corpus.texts, settings.model, choose_device(config), settings.kind, pretrained)
    resume_language_model(trainer, directory / MODEL, STAGES["lyrics"].extendable)
    train_and_save(trainer, directory / "metrics.jsonl", directory / MODEL)
    trainer.model.load_state_dict(trainer.best)
    model = model_metrics(trainer)
    others = {
        "character trigram": model["trigram_bits"],
        "xz": model["xz_bits"],
        "this, on test text": model["bits_per_character"],
    }
    draw_language_model_curves(directory / "learning.png", read_log(directory / "metrics.jsonl"), others)
    if settings.kind == "song":
        songs = songs_made(config)
        plans = lyric_plans(songs, config)
        written = write_lyrics(trainer, corpus, plans, songs, singer(config), settings, directory, model)
    else:
        written = write_prose(trainer, settings, directory)
    write_text(directory / "report.md", language_model_report(model, written.table, cleaned))
    num_texts = len(corpus.texts.training)
    write_language_model_notebook(directory, config, model, num_texts, cleaned)
    return Outcome({"steps": trainer.step, "texts": written.count}, model | {"written": written.metrics})


def say_skipped(corpus: TextCorpus, place: str | None) -> None:
    """Name the files that could not be used, and why, and the kinds of files that are passed over."""
    for path, reason in corpus.skipped[:NUM_REASONS]:
        say(f"lyrics: skipped {path}: {reason}.")
    if len(corpus.skipped) > NUM_REASONS:
        more = counted(len(corpus.skipped) - NUM_REASONS, "more file")
        say(f"lyrics: skipped {more} for such reasons.")
    for suffix, number in passed_over(place).items():
        say(f"lyrics: passed over {counted(number, f'{suffix} file')}: {PASSED_OVER[suffix]}.")


def songs_made(config: Config) -> list[Song]:
    """The generated songs; none where there are none."""
    generated = stage_directory("generate", config)
    return [Song.load(path) for path in song_paths(generated)] if (generated / "songs").is_dir() else []


def singer(config: Config) -> str | None:
    """The track that sings: the one that is asked for, else the one that leads in the track set."""
    return config.lyrics.track or next((track.name for track in config.tracks.tracks if track.voice), None)


def lyric_plans(songs: Sequence[Song], config: Config) -> dict[int, LyricPlan]:
    """What the lyric of each song is asked for; so many as `lyrics.count` where there is no music."""
    if songs:
        return {song.number: plan_lyric(config.lyrics, song.number, song, singer(config)) for song in songs}
    return {number: plan_lyric(config.lyrics, number) for number in range(1, config.lyrics.count + 1)}
