"""Credits of an album: the data, model, settings and program it comes from, and the command that makes it again."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.config import PROGRAM, compose, flatten, stage_directory
from pipeline.files import Manifest, read_manifest
from pipeline.pages.dataset.commands import changed_settings, stage_command
from pipeline.progress import counted, duration
from pipeline.settings.train import BASE

if TYPE_CHECKING:
    from pipeline.config import Config

RECORD_LICENCE = "that of each record, which nobody here knows: clear it with its owner before you publish these songs"


def credit_rows(
    config: Config, records: Sequence[tuple[str, str]] = (), by_people: Sequence[tuple[str, str]] = ()
) -> list[tuple[str, str]]:
    """Name and text of each row; what is not known is left out.

    `records` are songs by title, each with a loop of an old record in words; `by_people` those that are not all the
    generator's, each with what was drawn, given and kept.
    """
    rows = [
        *training_rows(config, read_manifest(stage_directory("train", config))),
        ("Words", _words(config, read_manifest(stage_directory("lyrics", config)))),
        (
            "Sound",
            f"{config.render.synth} with {config.render.soundfont or 'the General MIDI sounds TimGM6mb (GPL-2)'}"
            + "; the words are spoken by espeak-ng (GPL-3) and sung by the WORLD vocoder" * config.render.vocal,
        ),
        ("Not by the generator alone", ". ".join(f"{title}: {words}" for title, words in by_people)),
        ("Records", "; ".join(f"{title}: {words}" for title, words in records)),
        ("Licence of the records", RECORD_LICENCE if records else ""),
        ("Seed", str(config.seed)),
        ("Changed settings", ", ".join(changed_settings(flatten(config), "album")) or "none"),
        ("Program", _program()),
    ]
    return [(name, text) for name, text in rows if text]


def training_rows(config: Config, train: Manifest | None) -> list[tuple[str, str]]:
    """The rows on the music that a model learnt from, its sizes and its training; empty texts for what is not known."""
    notes, facts = (train.notes, train.facts) if train else ({}, {})
    return [
        ("Plans and tempi from" if facts.get("steps") == 0 else "Learnt from", config.data.title),
        ("Licence of the music", config.data.licence),
        ("Began with", _beginning(train)),
        ("Songs and phrases", _counts(notes.get("music", {}))),
        ("Model", _model(notes)),
        ("Training", _training(notes, facts)),
    ]


def remake_command(config: Config) -> str:
    """The command line that makes the album again."""
    return stage_command(flatten(config), "album", config.name)


def _counts(music: Mapping[str, Any]) -> str:
    """How many songs and phrases the training set has, all splits together."""
    words = []
    for noun in ("song", "phrase"):
        value = music.get(f"{noun}s")
        count = sum(value.values()) if isinstance(value, Mapping) else value
        if count:
            words.append(counted(count, noun))
    return ", ".join(words)


def _model(notes: Mapping[str, Any]) -> str:
    sizes = [
        f"{part} of {notes[key]:,} parameters"
        for part in ("generator", "discriminator")
        if (key := f"{part}_parameters") in notes
    ]
    return ", ".join(sizes)


def _beginning(train: Manifest | None) -> str:
    """The model that training began with, and what the base model was made from; empty where it began with nothing."""
    init = train.settings.get("train.init") if train else None
    if init != BASE:
        return init or ""
    music = compose(f"data={BASE}").data
    return f"the base model, which learnt from: {music.title}. Licences: {music.licence}"


def _training(notes: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    if facts.get("steps") == 0:
        return "none: the networks as they began"
    words = []
    if "steps" in facts:
        words.append(counted(facts["steps"], "step"))
    if "train_seconds" in notes:
        words.append(f"in {duration(notes['train_seconds'])}")
    if "device" in notes:
        words.append(f"on {notes['device']}")
    return " ".join(words)


def _words(config: Config, lyrics: Manifest | None) -> str:
    """What the language model read, and for how long it learnt."""
    corpus = config.lyrics.path or "lyrics written for this project (MIT)"
    took = f", made in {duration(lyrics.seconds)}" if lyrics else ""
    return f"an LSTM that read {corpus}{took}"


def _program() -> str:
    """Name and version, from the clone's own `pyproject.toml`."""
    project = tomllib.loads((PROGRAM / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return f"AlbumGAN {project['version']} ({project['license']} licence)"
