"""The stages of the pipeline: what each reads and writes, what it needs, and what its module offers."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

from pipeline.config import MUSIC, Config


@dataclass(frozen=True)
class Plan:
    """What a stage is about to do: a sentence for the user, and the bytes it will leave on disk at most."""

    text: str
    num_bytes: int


@dataclass(frozen=True)
class Outcome:
    """What came of a stage: `facts` count in its fingerprint, `notes` are for people and later pages only."""

    facts: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)


class StageModule(Protocol):
    """A module of `pipeline/stages/`."""

    def inputs(self, config: Config) -> dict[str, str]:
        """Fingerprints of what is read besides the artefacts of other stages. Cheap; raises `UserError`."""

    def plan(self, config: Config) -> Plan:
        """What will be done. Called when everything upstream is there."""

    def run(self, config: Config, directory: Path) -> Outcome:
        """Do it, writing into `directory` only; the manifest is written by the caller."""


@dataclass(frozen=True)
class Stage:
    """One stage: its place in the chain and what of its artefact is protected."""

    name: str
    reads: str
    writes: str
    format: int
    groups: tuple[str, ...]
    """Settings groups that change the result."""
    needs: tuple[str, ...] = ()
    """Stages that are run first where their artefact is missing."""
    uses: tuple[str, ...] = ()
    """Stages whose artefact is read where it is there, of the request `album` alone."""
    replaced_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Needs that fall away where one of these settings is given."""
    protected: tuple[str, ...] = ()
    """Settings (or groups) and inputs that took long: a finished artefact is not replaced when they change."""
    extendable: tuple[str, ...] = ()
    """Settings that may be raised to go on from where it stopped."""
    stands_alone: bool = False
    """Once finished, stages downstream take it as it is, without looking further up."""
    keeps: tuple[str, ...] = ()
    """Files that a person wrote in; force=true leaves them."""
    is_open: bool = False
    """A person works with it until they end it: it leaves no artefact, and runs whenever it is asked for."""

    @property
    def in_place(self) -> bool:
        """Protected artefacts are continued where they lie; the others are made aside and swapped in."""
        return bool(self.protected)

    def module(self) -> StageModule:
        """The module that does the work; heavy imports happen here."""
        return cast("StageModule", importlib.import_module(f"pipeline.stages.{self.name}"))


STAGES = {
    stage.name: stage
    for stage in (
        Stage(
            "collect",
            "a folder or spreadsheet of music (links, zip archives), music21's corpus, or Debian packages",
            "data/collected/SET/: catalog.csv",
            format=4,
            groups=("data", "collect"),
        ),
        Stage(
            "transcribe",
            "recordings of the catalog, or one: transcribe.input=song.mp3",
            "data/transcribed/HASH/: MIDI on a beat grid, its sound, a picture; a page in outputs/NAME/transcribe/",
            format=2,
            groups=("transcribe", "data.metre"),
            needs=("collect",),
            replaced_by={"collect": ("transcribe.input",)},
        ),
        Stage(
            "prepare",
            "MIDI, MusicXML, ABC and recordings of the catalog",
            "data/prepared/SET/: index.html, rolls.npy, chords.npy, plans.npz, three tables, statistics.json",
            format=9,
            groups=MUSIC,
            needs=("collect",),
        ),
        Stage(
            "train",
            "a prepared set",
            "outputs/NAME/train/: checkpoint, metrics.jsonl, sample pictures and sounds",
            format=4,
            groups=(*MUSIC, "seed", "model", "train"),
            needs=("prepare",),
            protected=(*MUSIC, "seed", "model", "train"),
            extendable=("train.steps", "train.minutes"),
            stands_alone=True,
        ),
        Stage(
            "evaluate",
            "a checkpoint or any folder of scores, and the held-out songs; or several runs",
            "outputs/NAME/evaluate/: report.json, report.md, plots; of several runs index.html, ranked",
            format=3,
            groups=(*MUSIC, "evaluate"),
            needs=("train", "prepare"),
            replaced_by={"train": ("evaluate.path", "evaluate.runs"), "prepare": ("evaluate.runs",)},
        ),
        Stage(
            "generate",
            "a checkpoint",
            "outputs/NAME/generate/REQUEST/: songs/NN.npz; of exploring also phrases.png",
            format=2,
            groups=("generate",),
            needs=("train",),
        ),
        Stage(
            "lyrics",
            "a folder of texts; the album's songs where there are any",
            "outputs/NAME/lyrics/: language model, lyrics.json, lyrics.txt, alignment.json (words on notes)",
            format=2,
            groups=("lyrics",),
            uses=("generate",),
            protected=("lyrics.kind", "lyrics.path", "lyrics.column", "lyrics.init", "lyrics.model", "texts"),
            extendable=("lyrics.model.steps", "lyrics.model.minutes"),
            keeps=("session.json",),
        ),
        Stage(
            "render",
            "songs of render.request; the album's titles and words where there are any",
            "outputs/NAME/render/REQUEST/: .mid .wav .png .musicxml .lrc a song, stems and mp3 or flac on request",
            format=2,
            groups=("render", "album.title", "album.artist"),
            needs=("generate",),
            uses=("lyrics",),
        ),
        Stage(
            "album",
            "all of the above",
            "outputs/NAME/album/index.html with everything it needs beside it",
            format=2,
            groups=("album",),
            needs=("generate", "lyrics", "render"),
        ),
        Stage(
            "studio",
            "a checkpoint and the album",
            "outputs/NAME/studio/: what is changed in the browser; with studio.export=DIR a page that needs no server",
            format=1,
            groups=("studio",),
            needs=("album",),
            is_open=True,
        ),
    )
}


def upstream_of(name: str) -> tuple[str, ...]:
    """All stages below `name` that it needs or uses, the farthest first."""
    found: list[str] = []
    for other in (*STAGES[name].needs, *STAGES[name].uses):
        for stage in (*upstream_of(other), other):
            if stage not in found:
                found.append(stage)
    return tuple(found)
