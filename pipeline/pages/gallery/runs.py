"""Runs of an outputs folder as the gallery shows them, whatever state they are in.

A run is a folder with a stage's folder in it; the jobs of a sweep are runs of their own, `sweep/0`, `sweep/1`. Nothing
that is damaged, half made or of another version keeps the others from being shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.files import SET_ASIDE, Manifest, read_manifest
from pipeline.pages.dataset.commands import stage_command, usual_settings
from pipeline.pages.gallery.authorship import Authorship, authorship_of
from pipeline.progress import counted, duration
from pipeline.settings.song_requests import REQUEST_STAGES

ALBUM, TEXT, EXPERIMENT, UNFINISHED = "album", "text", "experiment", "unfinished"
KINDS = (ALBUM, TEXT, EXPERIMENT, UNFINISHED)
"""What a run is shown as: a finished album; words alone; a trained, evaluated or transcribed one; or nothing yet."""
RUN_STAGES = ("transcribe", "train", "evaluate", "generate", "lyrics", "render", "album")
"""Stages whose folders lie in a run, in the order in which they are made."""
DEEPEST = 4
"""Folders below `outputs` in which runs are looked for."""
MOST_EXCERPT_LINES = 6
SECTION_NAME = re.compile(r"\[.*\]")
"""A line of `lyrics.txt` that nobody sings: `[verse 2]`."""
LINKS = (
    ("Listen", "album/index.html"),
    ("Words", "lyrics/lyrics.txt"),
    ("Ranking", "evaluate/index.html"),
    ("Report on the music", "evaluate/report.md"),
    ("Report on the words", "lyrics/report.md"),
    ("Notebook of the music", "train/notebook.ipynb"),
    ("Notebook of the words", "lyrics/notebook.ipynb"),
    ("Learning curves", "train/learning.png"),
    ("Transcription", "transcribe/index.html"),
)
"""Pages of a run that are linked where they are there."""


@dataclass(frozen=True)
class GalleryRun:
    """A run as the gallery shows it. Paths are relative to the outputs folder; None where there is no such file.

    Attributes
    ----------
    name, title, artist
        The run's name; what it is called, and by whom.
    kind
        One of `KINDS`.
    page
        What opens with a click on its picture and title.
    picture, is_cover
        A picture, and whether it is the square cover of an album.
    sound
        To hear: a song's title or a sample's name, and the file.
    facts, excerpt, links
        Short facts; first lines of its words; labels and paths.
    authorship
        Who wrote what.
    command
        What makes it again; None where nothing says with which settings.
    unfinished
        Sentences on stages that have not come to their end.
    """

    name: str
    kind: str
    title: str
    artist: str = ""
    page: str | None = None
    picture: str | None = None
    is_cover: bool = False
    sound: tuple[str, str] | None = None
    facts: list[str] = field(default_factory=list)
    excerpt: list[str] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    authorship: Authorship = field(default_factory=Authorship)
    command: str | None = None
    unfinished: list[str] = field(default_factory=list)


def run_names(outputs: Path) -> list[str]:
    """The names of all runs below a folder, those that were finished last in front."""
    found = {str(path.relative_to(outputs)): _finished_at(path) for path in _run_folders(outputs, DEEPEST)}
    return sorted(found, key=lambda name: (-found[name], name))


def _run_folders(folder: Path, depth: int) -> Iterator[Path]:
    """Folders with a stage's folder in them; in a run only the jobs of a sweep are looked for."""
    stages = {path.name for path in _folders(folder)} & set(RUN_STAGES)
    for inner in _folders(folder) if depth else []:
        stages_there = [path for path in _folders(inner) if path.name in RUN_STAGES]
        is_run = any(path.name != ".hydra" for stage in stages_there for path in stage.iterdir())
        if is_run and (inner.name not in RUN_STAGES or depth == DEEPEST):
            yield inner
        if inner.name not in stages or depth == DEEPEST:
            yield from _run_folders(inner, depth - 1)


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith(".") and path.is_dir())
    except OSError:
        return []


def _finished_at(run: Path) -> float:
    """When the youngest manifest of a run was written, in seconds; 0 where none was."""
    times = [path.stat().st_mtime for pattern in ("*", "*/*") for path in run.glob(f"{pattern}/manifest.json")]
    return max(times, default=0.0)


def read_run(outputs: Path, name: str) -> GalleryRun:
    """What there is to show of the run `name`, finished or not."""
    run = outputs / name
    manifests, before, unfinished = _manifests(run)
    settings: dict[str, Any] = {}
    for manifest in (*before.values(), *manifests.values()):
        settings |= manifest.settings
    notes = {stage: manifest.notes for stage, manifest in manifests.items()}
    kind = _kind(run, manifests)
    links = [(label, path) for label, path in LINKS if (run / path).is_file()]
    links += [
        (f"Songs of the request {path.name}", f"render/{path.name}")
        for path in _folders(run / "render")
        if path.name != "album" and (path / "manifest.json").is_file()
    ]
    picture = _picture(run, kind)
    title = notes.get("album", {}).get("title") if kind == ALBUM else None
    return GalleryRun(
        name=name,
        kind=kind,
        title=str(title or name),
        artist=str(settings.get("album.artist", "")) if kind == ALBUM else "",
        page=next((f"{name}/{path}" for _, path in links), None),
        picture=picture and f"{name}/{picture}",
        is_cover=picture == "album/cover.png",
        sound=_sound(run, name),
        facts=_facts(manifests, settings),
        excerpt=_excerpt(run) if kind == TEXT else [],
        links=[(label, f"{name}/{path}") for label, path in links],
        authorship=authorship_of(run, settings),
        command=_command(name, before | manifests, settings),
        unfinished=unfinished,
    )


def _manifests(run: Path) -> tuple[dict[str, Manifest], dict[str, Manifest], list[str]]:
    """The manifests of the finished stages (of songs that of the album's), and sentences on the others.

    Between the two those of stages that are being made again, from before.
    """
    found, before, unfinished = {}, {}, []
    for stage in RUN_STAGES:
        folder = run / stage / "album" if stage in REQUEST_STAGES else run / stage
        try:
            manifest, set_aside = read_manifest(folder), read_manifest(folder, SET_ASIDE)
        except (UserError, OSError):
            unfinished.append(f"{stage}: its manifest can't be read.")
            continue
        if manifest is not None:
            found[stage] = manifest
            continue
        if set_aside is not None:
            before[stage] = set_aside
        if any(not path.name.startswith(".") for path in _entries(folder)):
            step = _last_step(folder / "metrics.jsonl")
            unfinished.append(f"{stage}: not finished{'' if step is None else f', stopped or busy at step {step:,}'}.")
    return found, before, unfinished


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _last_step(log: Path) -> int | None:
    """The step of the last whole line of a metrics log."""
    try:
        lines = log.read_text(encoding="utf-8").splitlines()
        return max((int(json.loads(line)["step"]) for line in lines if line.endswith("}")), default=None)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _kind(run: Path, manifests: Mapping[str, Manifest]) -> str:
    if "album" in manifests and (run / "album" / "index.html").is_file():
        return ALBUM
    if "lyrics" in manifests and "train" not in manifests:
        return TEXT
    return EXPERIMENT if manifests else UNFINISHED


def _picture(run: Path, kind: str) -> str | None:
    """A picture of a run: its cover, the newest sample, or what was measured."""
    samples = sorted((run / "train" / "samples").glob("*.png"))
    shown = ["album/cover.png"] if kind == ALBUM else []
    shown += [f"train/samples/{path.name}" for path in samples[-1:]]
    shown += ["evaluate/ranking.png", "evaluate/samples.png", "lyrics/learning.png"]
    return next((path for path in shown if (run / path).is_file()), None)


def _sound(run: Path, name: str) -> tuple[str, str] | None:
    """The first song of the album's playlist, else the newest sample."""
    try:
        playlist = (run / "album" / "album.m3u").read_text(encoding="utf-8")
    except (OSError, ValueError):
        playlist = ""
    songs = re.findall(r"^#EXTINF:\d+,(.*)\n([^#\n].*)$", playlist, re.M)
    samples = sorted((run / "train" / "samples").glob("*.mp3"))[-1:] + sorted((run / "evaluate").glob("sample.mp3"))
    heard = [(title.partition(" - ")[2] or title, f"album/{path}") for title, path in songs[:1]]
    heard += [("what it makes", str(path.relative_to(run))) for path in samples[:1]]
    return next(((title, f"{name}/{path}") for title, path in heard if (run / path).is_file()), None)


def _facts(manifests: Mapping[str, Manifest], settings: Mapping[str, Any]) -> list[str]:
    """How much it is, what it learnt from and for how long, and how good it was found to be."""
    album, generate, train, lyrics, evaluate = (
        manifests.get(stage) for stage in ("album", "generate", "train", "lyrics", "evaluate")
    )
    facts = []
    if generate:
        facts.append(counted(int(generate.facts.get("songs", 0)), "song"))
    if album and "seconds" in album.notes:
        facts.append(duration(album.notes["seconds"]))
    if train and settings.get("data.title"):
        facts.append(f"after: {settings['data.title']}")
    if train and "train_seconds" in train.notes:
        steps = int(train.facts.get("steps", 0))
        facts.append(f"{counted(steps, 'step')} in {duration(train.notes['train_seconds'])}" if steps else "untrained")
    quality = evaluate and evaluate.notes.get("quality")
    if isinstance(quality, Mapping) and isinstance(quality.get("value"), float):
        facts.append(f"quality {quality['value']:.2f}")
    if lyrics and "bits_per_character" in lyrics.notes:
        facts.append(f"words at {lyrics.notes['bits_per_character']:.2f} bits a character")
    return facts


def _excerpt(run: Path) -> list[str]:
    """The first lines of the words, or of the first text that was written."""
    for path in (run / "lyrics" / "lyrics.txt", *sorted((run / "lyrics" / "written").glob("[0-9]*"))):
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError):
            continue
        said = [line.strip(" #") for line in lines if not SECTION_NAME.fullmatch(line.strip())]
        return [line for line in said if line][:MOST_EXCERPT_LINES]
    return []


def _command(name: str, manifests: Mapping[str, Manifest], settings: Mapping[str, Any]) -> str | None:
    """The command that makes the last of these stages again; None where it can't be told."""
    last = next((stage for stage in reversed(RUN_STAGES) if stage in manifests), None)
    if last is None:
        return None
    if last == "evaluate" and "ranking" in manifests[last].notes:
        return f"python -m pipeline +stage=evaluate name={name}"
    try:
        return stage_command({**usual_settings(), **settings}, last, name)
    except (UserError, ValueError, TypeError, KeyError, AttributeError):
        return None
