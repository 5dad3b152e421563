"""The evaluator: `python -m pipeline +stage=evaluate name=mine`, or `evaluate.path=DIR` for any program's MIDI.

Of one run it writes `report.json` (keys in `pipeline.evaluation.evaluator`), `report.md`, plots, and a picture and a
sound of the first phrases; of a sweep, or of `evaluate.runs=[a,b]`, the runs' reports ranked: `ranking.json`,
`index.html`, plots, and a sample of each.
"""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch

from gan.interface import PhraseGenerator
from gan.networks.checkpoint import load_discriminator, load_generator
from gan.networks.generator import Generator
from gan.rolls import unpack
from gan.spec import RollSpec
from pipeline.config import Config, stage_directory
from pipeline.dataset.cutting import cutting_settings
from pipeline.dataset.labels import labels_of, styles_of
from pipeline.dataset.store import PhraseStore, open_store
from pipeline.dataset.whole_songs import WholeSong, real_songs, songs_of_files
from pipeline.devices import choose_device, load_checkpoint, prepare_torch
from pipeline.drawing.piano_rolls import draw_samples
from pipeline.errors import UserError
from pipeline.evaluation.accompaniment import accompany
from pipeline.evaluation.attribute_control import AttributeControl, LabelledPhrases
from pipeline.evaluation.evaluator import FORMAT, Evaluator
from pipeline.evaluation.phrase_sets import (
    PhraseSet,
    folder_phrases,
    generated_phrases,
    held_out_phrases,
    nothing_to_score,
    phrases_on_request,
    real_phrases,
)
from pipeline.evaluation.ranking import RankedRun, rank_runs
from pipeline.evaluation.report import markdown_report
from pipeline.evaluation.report_plots import draw_accompaniments, draw_densities, draw_report
from pipeline.evaluation.runs import RANKING, evaluation_of
from pipeline.evaluation.whole_songs.comparison import compare_songs
from pipeline.evaluation.whole_songs.nearest import nearest_songs
from pipeline.files import Manifest, bring, read_manifest, write_json, write_text
from pipeline.pages.ranking import write_ranking_page
from pipeline.progress import counted, say
from pipeline.rendering.phrase_audio import write_sample
from pipeline.scores.notes import roll_from_notes
from pipeline.settings.song_requests import run_directory
from pipeline.songs.request import MAX_CHORD_STRENGTH, MAX_CONDITION_STRENGTH
from pipeline.songs.song import Song, song_paths
from pipeline.sources.folders import files_of, folder_print
from pipeline.stage_table import Outcome, Plan

NUM_PICTURED = 8
"""Phrases in the picture."""
NUM_HEARD = 4
"""Phrases in the sound."""
MOST_SONGS = 200
"""Unseen songs, and training songs, that whole songs are held against."""
WITHOUT_REQUESTS: dict[str, Any] = {"accompaniment": None, "control": None}
"""What a report has of music that takes no requests."""


def inputs(config: Config) -> dict[str, str]:
    """The listing of the folder, or the evaluations that are ranked; settings that can't work are told first."""
    settings = config.evaluate
    for key, low, high in (("phrases", 2, 100_000), ("samples", 2, 100_000), ("resamples", 2, 100_000)):
        if not low <= getattr(settings, key) <= high:
            raise UserError(f"evaluate.{key} must lie between {low} and {high}, not {getattr(settings, key)}.")
    if settings.requests != 0 and not 2 <= settings.requests <= 100_000:
        raise UserError(f"evaluate.requests must be 0 or lie between 2 and 100000, not {settings.requests}.")
    if not 0 <= settings.chord_strength <= MAX_CHORD_STRENGTH:
        raise UserError(
            f"evaluate.chord_strength must lie between 0 and {MAX_CHORD_STRENGTH:g}, not {settings.chord_strength:g}."
        )
    if not 0 <= settings.condition_strength <= MAX_CONDITION_STRENGTH:
        raise UserError(
            f"evaluate.condition_strength must lie between 0 and {MAX_CONDITION_STRENGTH:g}, "
            f"not {settings.condition_strength:g}."
        )
    if settings.runs is not None:
        if settings.path is not None:
            raise UserError(
                "evaluate.path and evaluate.runs can't both be given: evaluate the folder first, by a name=."
            )
        return {run: manifest.fingerprint for run in settings.runs if (manifest := evaluation_of(run)) is not None}
    if settings.request is not None:
        if settings.path is not None:
            raise UserError(
                "evaluate.request names songs of a checkpoint; evaluate.path is a folder: give one of them."
            )
        return {"songs": manifest_of_songs(config).fingerprint}
    if settings.path is not None:
        return {"folder": folder_print(settings.path, "evaluate.path")}
    choose_device(config)
    return {}


def manifest_of_songs(config: Config) -> Manifest:
    """What is known of the songs of `evaluate.request`. Raises `UserError` where they have not been made."""
    request = str(config.evaluate.request)
    manifest = read_manifest(run_directory("generate", config.name, request))
    if manifest is None:
        raise UserError(
            f"evaluate.request={request}: outputs/{config.name} has no songs of that name; make them with "
            f"+stage=generate name={config.name} generate.songs=60 generate.request={request}."
        )
    return manifest


def plan(config: Config) -> Plan:
    """What is held against what."""
    settings = config.evaluate
    if settings.runs is not None:
        return Plan(f"ranks {counted(len(settings.runs), 'run')}.", 3_000_000 * len(settings.runs))
    what = f"the music in {settings.path}" if settings.path else "the generator's phrases"
    classifier = " and has classifiers tell them apart" if settings.classifier else ""
    return Plan(
        f"holds {what} against the test songs of {config.data.title}{classifier}; one to three minutes.", 10_000_000
    )


def run(config: Config, directory: Path) -> Outcome:
    """Evaluate one run, or rank several."""
    if config.evaluate.runs is not None:
        return rank_all(config.evaluate.runs, config.name, directory)
    return evaluate(config, directory)


def evaluate(config: Config, directory: Path) -> Outcome:
    """Score the phrases of a checkpoint or a folder."""
    prepare_torch(config)
    store = open_store(stage_directory("prepare", config))
    spec = store.spec
    test, validation = held_out_phrases(store, config.data.name)
    generator = None
    if config.evaluate.path:
        (scored, samples), prior = from_folder(config), None
    else:
        scored, samples, prior, generator = from_checkpoint(config, spec, test.known)
    evaluator = Evaluator(test, validation, real_phrases(store, "train"), spec, config.evaluate)
    measured, found = evaluator.score(samples, prior)
    found |= (
        evaluate_requests(generator, store, config, directory) if isinstance(generator, Generator) else WITHOUT_REQUESTS
    )
    if generator is not None and not isinstance(generator, Generator):
        found["notes"].append("Accompaniment and control are left out: this design takes no requests.")
    found["whole_songs"] = evaluate_songs(store, config)
    reference = {
        "set": store.directory.name,
        "title": config.data.title,
        "spec": spec.to_dict(),
        "phrases": store.statistics["phrases"],
        "songs": store.statistics["songs"],
    }
    report = {"format": FORMAT, "scored": scored, "reference": reference} | found
    write_json(directory / "report.json", report)
    write_text(directory / "report.md", markdown_report(report))
    draw_report(directory, {"test": evaluator.test} | measured, report)
    show(config, samples, spec, directory)
    quality = found["headline"]["quality"]
    told = two_sample_in_words(found["two_sample"])
    say(f"evaluate: {in_words(config.name, quality)}{told} All of it: {stage_directory('evaluate', config)}/report.md")
    return Outcome(notes={"quality": quality, "overlap": found["headline"]["overlap"]["generated"]})


def evaluate_songs(store: PhraseStore, config: Config) -> dict[str, Any] | None:
    """The report's `whole_songs`, of a folder or of `evaluate.request`; None where there are too few."""
    settings = config.evaluate
    if settings.path:
        generated = songs_of_files(files_of(settings.path, "evaluate.path"), cutting_settings(config))
    elif settings.request:
        made = map(Song.load, song_paths(run_directory("generate", config.name, settings.request)))
        generated = [WholeSong(f"Song {song.number}", song.notes, song.num_bars, song.tempo_bpm) for song in made]
    else:
        return None
    unseen, training = (
        real_songs(config, store.directory, MOST_SONGS, splits) for splits in (("test", "validation"), ("train",))
    )
    compared = compare_songs(generated, unseen, training, store.spec, settings.resamples, settings.seed)
    if compared is None:
        say("evaluate: whole songs are not compared: too few of them have 16 to 200 bars.")
        return None
    planes = [roll_from_notes(song.notes, store.spec, song.bars) for song in generated]
    nearest, unseen_share = nearest_songs(store, planes)
    found = [
        {"song": song.title, "nearest": one.title, "share": one.share, "bars": one.bars}
        for song, one in zip(generated, nearest, strict=True)
    ]
    return compared | {"nearest": found, "nearest_unseen": unseen_share}


def evaluate_requests(generator: Generator, store: PhraseStore, config: Config, directory: Path) -> dict[str, Any]:
    """The report's `accompaniment` and `control`, with their pictures."""
    settings, spec = config.evaluate, store.spec
    if not settings.requests:
        return WITHOUT_REQUESTS
    generate = partial(phrases_on_request, generator, (settings.condition_strength, settings.chord_strength))
    test, training = (
        LabelledPhrases(real_phrases(store, split), torch.from_numpy(labels_of(store, split)))
        for split in ("test", "train")
    )
    accompanied = accompany(generate, test.phrases, training.phrases, spec, settings)
    if accompanied is not None:
        draw_accompaniments(directory / "accompaniment.png", accompanied[0], spec, config.name)
    densities, control = AttributeControl(generate, test, training, styles_of(store), spec, settings).measure()
    draw_densities(directory / "density.png", densities, spec, config.name)
    return {"accompaniment": None if accompanied is None else accompanied[1], "control": control}


def in_words(name: str, quality: dict[str, float | None]) -> str:
    """The headline as a sentence."""
    value, low, high = (quality[key] for key in ("value", "low", "high"))
    if value is None or low is None or high is None:
        return f"{name} can't be told from notes at random by this reference."
    return f"{name} has quality {value:.2f} ({low:.2f} to {high:.2f}; 1 is as close as other real songs, 0 is random)."


def two_sample_in_words(found: dict[str, Any] | None) -> str:
    """How well windows and phrases are told from real ones, as a sentence."""
    if found is None:
        return ""
    told = []
    for key in ("windows", "phrases"):
        beside = {"prior": "prior alone", "training": "training songs"}
        others = [f"{text} {found[key][one]['value']:.2f}" for one, text in beside.items() if one in found[key]]
        told.append(f"by {key} {found[key]['generated']['value']:.2f} ({', '.join(others)})")
    return f" Told from unseen songs {', '.join(told)}; .5 is alike."


def from_checkpoint(
    config: Config, spec: RollSpec, known: torch.Tensor | None
) -> tuple[dict[str, Any], PhraseSet, PhraseSet | None, PhraseGenerator]:
    """What the checkpoint of this run is, phrases that its discriminator chose, others that nobody did, its generator.

    None did not choose where one of one is drawn, or where the design has nobody to choose. `known` is what real
    phrases know, as in `generated_phrases`.
    """
    directory = stage_directory("train", config)
    path = directory / "checkpoint.pt"
    state = load_checkpoint(path)
    manifest = read_manifest(directory)
    notes = manifest.notes if manifest else {}
    try:
        found = RollSpec.from_dict(state["spec"])
        chosen, trainer = state["chosen"], state["trainer"]
        device = choose_device(config)
        generator = load_generator(trainer | {"average": chosen["average"]}, device)
        discriminator = load_discriminator(trainer, device)
        numbers = {"step": int(chosen["step"]), "steps": int(trainer["step"]), "train_seconds": trainer["seconds"]}
        groups = ("data", "tracks", "roll", "prepare", "model", "train", "seed")
        settings = {key: value for key, value in state["settings"].items() if key.split(".")[0] in groups}
    except (ValueError, TypeError, KeyError, AttributeError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{path} is damaged or of another version ({reason}).") from error
    if found != spec:
        raise UserError(
            f"{path} was made for other rolls than {config.data.name} has; drop the override of data or roll."
        )
    asked = config.evaluate
    count = max(asked.phrases, asked.samples)
    samples = generated_phrases(generator, discriminator, count, asked.candidates, asked.seed, known)
    prior = None
    if asked.candidates > 1 and isinstance(generator, Generator):
        prior = generated_phrases(generator, discriminator, asked.phrases, 1, asked.seed + 1, known)
    scored = {
        "kind": "checkpoint",
        "name": config.name,
        "path": str(path),
        "phrases": min(len(samples), config.evaluate.phrases),
        "songs": len(samples),
        **numbers,
        "parameters": sum(notes.get(f"{side}_parameters", 0) for side in ("generator", "discriminator")),
        "settings": settings,
    }
    return scored, samples, prior, generator


def from_folder(config: Config) -> tuple[dict[str, Any], PhraseSet]:
    """What became of a folder's files, and their phrases."""
    path = config.evaluate.path
    count = max(config.evaluate.phrases, config.evaluate.samples)
    reading = folder_phrases(files_of(path, "evaluate.path"), cutting_settings(config), config.executor, count)
    if not len(reading.phrases):
        raise nothing_to_score(str(path), reading)
    scored = {
        "kind": "folder",
        "name": config.name,
        "path": str(path),
        "phrases": min(len(reading.phrases), config.evaluate.phrases),
        "songs": reading.num_songs,
        "files": reading.num_files,
        "rejects": reading.reasons,
    }
    return scored, reading.phrases


def show(config: Config, samples: PhraseSet, spec: RollSpec, directory: Path) -> None:
    """A picture and a sound of the first phrases."""
    phrases = unpack(samples.rolls[:NUM_PICTURED], spec).numpy()
    draw_samples(directory / "samples.png", phrases, spec, f"{config.name}: the first {len(phrases)} phrases")
    write_sample(
        directory / "sample.mp3",
        phrases[:NUM_HEARD],
        spec,
        config.tracks,
        config.render,
        config.data.tempo_bpm,
        config.name,
        "samples of an evaluation",
    )
    learning = stage_directory("train", config) / "learning.png"
    if config.evaluate.path is None and learning.exists():
        bring(learning, directory / "learning.png")


def rank_all(runs: list[str], name: str, directory: Path) -> Outcome:
    """The page of several evaluated runs, best first."""
    place = Path("outputs") / name / "evaluate"
    ranked, notes, floor = rank_runs(runs, directory, place)
    write_json(directory / "ranking.json", [asdict(run) for run in ranked])
    command = f"python -m pipeline +stage=evaluate name={name}"
    if name == RANKING:
        command = f"python -m pipeline +stage=evaluate evaluate.runs=[{','.join(runs)}]"
    write_ranking_page(directory, ranked, name, command, notes, floor)
    for note in notes:
        say(f"evaluate: {note}")
    say(f"evaluate: by quality on the validation songs (on the test songs): {'; '.join(map(in_short, ranked))}.")
    say(f"evaluate: the ranking, with sounds, is {place}/index.html")
    return Outcome(notes={"ranking": [run.name for run in ranked]})


def in_short(run: RankedRun) -> str:
    """`1. mine .87 (.85)`."""
    values = (one.value for one in (run.validation, run.test))
    validation, test = ("-" if value is None else f"{value:.2f}" for value in values)
    return f"{run.rank}. {run.name} {validation} ({test})"
