"""Cache of transcriptions on disk, each in a folder of its own, made once: `data/transcribed/HASH/`.

HASH stands for the recording's bytes and the hints given with it. A folder appears when everything in it is
written, so what was interrupted leaves nothing that could be taken for a transcription.
"""

from __future__ import annotations

import importlib.metadata
import math
import os
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from pipeline.audio.decoding import minutes_of, read_recording
from pipeline.errors import UnusableError, UserError
from pipeline.files import (
    atomic_path,
    file_hash,
    fingerprint,
    lock,
    read_json,
    remove_abandoned,
    replaced_directory,
    write_json,
)
from pipeline.formats import is_recording, printable
from pipeline.parallel import work_on
from pipeline.settings.data import ExecutorSettings
from pipeline.settings.transcribe import TranscribeSettings
from pipeline.sources.catalog import CatalogRow
from pipeline.sources.stem_folders import stem_folders
from pipeline.transcription.corrections.correction_files import CorrectionFiles, correction_files
from pipeline.transcription.transcriber import Transcription, TranscriptionHints, transcribe_samples

TRANSCRIBED_DIRECTORY = Path("data/transcribed")
FORMAT = 4
"""Counts up when the same recording is transcribed differently."""

MIDI, NOTES, SOUND, PICTURE, REPORT = "song.mid", "notes.csv", "sound.ogg", "picture.png", "transcription.json"

SECONDS_PER_SECOND = 0.067
"""What a second of sound takes on one core of an ordinary machine, until this one was measured."""
START_SECONDS = 4.0
"""What it takes until a process can begin."""
MEASURED, SHORTEST_MEASURED = 20, 30.0
"""So many transcriptions at most say how fast this machine is, and of so many seconds at least."""
BYTES_PER_MINUTE = 2_200_000
"""Of MIDI, list of notes, sound and picture."""
CRASHED = "the program that read it crashed"
PACKAGES = ("basic-pitch", "onnxruntime", "librosa", "soxr", "soundfile")


@dataclass(frozen=True)
class Recording:
    """A recording to transcribe.

    Attributes
    ----------
    path
        Where it lies.
    title
        For people.
    hints
        Its tempo, downbeat and the like, where known.
    max_minutes
        Longer ones are refused.
    sha256
        Of its bytes; empty where they could not be read.
    corrections
        Files that correct its transcription.
    """

    path: str
    title: str
    hints: TranscriptionHints
    max_minutes: float
    sha256: str
    corrections: CorrectionFiles = field(default_factory=CorrectionFiles)

    @property
    def directory(self) -> Path:
        """Where its transcription lies, or will."""
        values = [FORMAT, self.sha256, asdict(self.hints), *self.corrections.sha256]
        return TRANSCRIBED_DIRECTORY / fingerprint(values)[:16]


@dataclass(frozen=True)
class TranscriptionResult:
    """A recording's transcription on disk, or why there is none.

    Attributes
    ----------
    recording
        The recording.
    problem
        Why there is no transcription; empty where there is one.
    report
        What `transcription.json` says: `bpm`, `bars`, `notes` by family, `seconds`, `remarks` and more.
    """

    recording: Recording
    problem: str = ""
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What was mended or guessed, a sentence part each."""
        said = tuple(self.report.get("remarks", ()))
        return (*said, self.recording.corrections.remark) if self.recording.corrections.remark else said

    @property
    def known(self) -> tuple[str, ...] | None:
        """The tracks of the track set `pop` that it teaches; None where nobody asked."""
        known = self.report.get("known")
        return None if known is None else tuple(known)

    @property
    def confidence(self) -> tuple[float, ...]:
        """How surely the notes of each bar were heard, 0 to 1; empty where nobody asked."""
        return tuple(self.report.get("confidence", ()))

    @property
    def returns(self) -> tuple[int, ...]:
        """For each bar the earlier one that it sounds like, `NEW` where it sounds like none; empty: nobody asked."""
        return tuple(self.report.get("returns", ()))

    @property
    def midi(self) -> Path:
        """The MIDI file."""
        return self.recording.directory / MIDI

    @property
    def notes(self) -> Path:
        """The list of its notes, with how surely each was heard."""
        return self.recording.directory / NOTES

    @property
    def sound(self) -> Path:
        """How it sounds, on the clock of the recording."""
        return self.recording.directory / SOUND

    @property
    def picture(self) -> Path:
        """The picture."""
        return self.recording.directory / PICTURE


def recording_of(
    path: Path,
    settings: TranscribeSettings,
    beats_per_bar: int,
    title: str = "",
    bpm: float | None = None,
    downbeat_seconds: float | None = None,
    sha256: str = "",
    quarters_per_beat: float = 1.0,
) -> Recording:
    """A recording with what the settings and (where they are given) its own tempo and first downbeat say.

    The settings `transcribe.bpm` and `transcribe.downbeat` win over a recording's own. Tempi are said in quarter notes
    a minute; beats are of `quarters_per_beat`, 1.5 in 6/8. Its transcription is corrected by the files that the
    settings name. Raises `UserError` where `transcribe.stems` has no stems of it.
    """
    if not sha256:
        with suppress(OSError):  # who reads it will say why it can't be read
            sha256 = file_hash(path)
    bpm = settings.bpm if settings.bpm is not None else bpm
    hints = TranscriptionHints(
        rest=settings.rest,
        bpm=bpm if bpm is None or quarters_per_beat == 1 else bpm / quarters_per_beat,
        downbeat_seconds=settings.downbeat if settings.downbeat is not None else downbeat_seconds,
        beats_per_bar=beats_per_bar,
        recognise_metre=settings.recognise_metre,
        is_compound=quarters_per_beat != 1,
    )
    songs = None if settings.stems is None else stem_folders(settings.stems)
    names = [path.stem, Path(settings.stems or "").expanduser().absolute().name]  # or the folder is that of its stems
    files = correction_files(settings.notes or "", settings.beats or "", songs, names)
    if songs and not files.stems:
        raise UserError(
            f"transcribe.stems={settings.stems} has no stems of {path.name}: put them into a folder called {path.stem}."
        )
    return Recording(str(path), title or printable(path.stem), hints, settings.max_minutes, sha256, files)


def recordings_of(
    rows: Sequence[CatalogRow], settings: TranscribeSettings, beats_per_bar: int, quarters_per_beat: float = 1.0
) -> list[Recording]:
    """The recordings of a catalog, with the tempo and the downbeat that it knows, and what corrects each.

    Raises `UserError` where `transcribe.stems` names no folder of stems.
    """
    plain = replace(settings.for_many(), stems=None)
    songs = None if settings.stems is None else stem_folders(settings.stems)
    found = []
    for row in rows:
        if row.kind != "song" or row.problem or not is_recording(row.where):
            continue
        path = Path(row.where)
        one = recording_of(
            path, plain, beats_per_bar, row.title, row.bpm, row.downbeat_seconds, row.sha256, quarters_per_beat
        )
        names = [path.stem, PurePath(row.source).stem, row.title]
        files = correction_files(row.notes, row.beats, songs, names)
        found.append(replace(one, corrections=files))
    return found


@dataclass(frozen=True)
class TranscriptionWorkload:
    """What is left to transcribe: recordings, minutes of sound in them, and seconds that it takes."""

    files: int
    minutes: float
    seconds: float


def remaining_work(recordings: Sequence[Recording], executor: ExecutorSettings) -> TranscriptionWorkload:
    """What of the recordings is not on disk."""
    left = [one for one in recordings if cached_result(one) is None]
    minutes = sum(minutes_of(Path(one.path)) for one in left)
    workers = min(executor.workers or os.cpu_count() or 1, max(len(left), 1))
    seconds = START_SECONDS + 60 * minutes * seconds_per_second() / workers if left else 0.0
    return TranscriptionWorkload(len(left), minutes, seconds)


def seconds_per_second() -> float:
    """What a second of sound took on this machine when it last transcribed some, else on an ordinary one."""
    reports = sorted(TRANSCRIBED_DIRECTORY.glob(f"*/{REPORT}"), key=lambda path: path.stat().st_mtime)[-MEASURED:]
    speeds = []
    for path in reports:
        with suppress(UserError, KeyError, ZeroDivisionError, TypeError):
            report = read_json(path)
            if report["seconds"] >= SHORTEST_MEASURED:
                speeds.append(float(report["took_seconds"]) / float(report["seconds"]))
    return statistics.median(speeds) if speeds else SECONDS_PER_SECOND


def transcribe_all(recordings: Sequence[Recording], executor: ExecutorSettings) -> Iterator[TranscriptionResult]:
    """What came of each recording, in order; those on disk already are not made again."""
    remove_abandoned(TRANSCRIBED_DIRECTORY)  # a process that is stopped among others leaves its lock
    yield from work_on(recordings, transcribe_one, partial(TranscriptionResult, problem=CRASHED), executor)


def transcribe_one(recording: Recording) -> TranscriptionResult:
    """Transcribe one recording, unless that was done before; never raises on account of what is in the file.

    Raises `UserError` where a package that this takes is missing.
    """
    try:
        if not recording.sha256:
            recording = replace(recording, sha256=file_hash(Path(recording.path)))
        with lock(recording.directory):
            kept = cached_result(recording)
            return TranscriptionResult(recording, report=_make(recording)) if kept is None else kept
    except UnusableError as error:
        problem = str(error)
    except UserError:
        raise
    except MemoryError:
        problem = "too large for the memory of this machine"
    except OSError as error:
        problem = f"can't be read or transcribed: {error.strerror or error}".lower()
    except Exception as error:  # whatever a hostile file makes a library do, the other files go on
        problem = f"can't be made sense of: {type(error).__name__}: {printable(str(error))[:100]}"
    return TranscriptionResult(recording, problem)


def cached_result(recording: Recording) -> TranscriptionResult | None:
    """The transcription that is on disk, None where it must be made."""
    found = TranscriptionResult(recording)
    try:
        report = read_json(recording.directory / REPORT)
    except UserError:
        return None
    files = (found.midi, found.notes, found.sound, found.picture)
    return replace(found, report=report) if all(path.is_file() for path in files) else None


def _make(recording: Recording) -> dict[str, Any]:
    """Transcribe a recording into its folder; the report."""
    from pipeline.transcription.midi import transcription_midi
    from pipeline.transcription.note_list import write_note_list
    from pipeline.transcription.picture import draw_transcription
    from pipeline.transcription.sound import write_transcription_sound

    began = time.monotonic()
    corrections = recording.corrections.read(recording.hints.is_compound)
    decoded = read_recording(Path(recording.path), recording.max_minutes)
    samples = decoded.samples
    transcription = transcribe_samples(samples, recording.hints, corrections)
    with replaced_directory(recording.directory) as place:
        given = transcription.given
        midi = given.content if given else transcription_midi(transcription, recording.title)
        with atomic_path(place / MIDI) as temporary:
            temporary.write_bytes(midi)
        write_note_list(place / NOTES, transcription)
        write_transcription_sound(place / SOUND, midi, float(transcription.beats.seconds[0]), samples)
        draw_transcription(place / PICTURE, samples, transcription, recording.title)
        remarks = [*decoded.remarks, *transcription.remarks]
        report = _report(recording, transcription) | {"remarks": remarks}
        report |= {"took_seconds": round(time.monotonic() - began, 1)}
        write_json(place / REPORT, report)
    return report


def _report(recording: Recording, transcription: Transcription) -> dict[str, Any]:
    """The report `transcription.json`."""
    beats, given = transcription.beats, transcription.given
    end = max(float((part.events["onset"] + part.events["duration"]).max()) for part in transcription.parts)
    metre = f"{3 * beats.beats_per_bar}/8" if recording.hints.is_compound else f"{beats.beats_per_bar}/4"
    return {
        "title": recording.title,
        "sha256": recording.sha256,
        "seconds": round(transcription.seconds, 2),
        "bpm": round(beats.bpm, 2),
        "beats_per_bar": beats.beats_per_bar,
        "metre": str(given.metre) if given and not recording.hints.is_compound else metre,
        "bars": given.bars if given else math.ceil(end / beats.beats_per_bar),
        "notes": transcription.counts,
        "known": None if transcription.known is None else list(transcription.known),
        "confidence": np.round(transcription.confidence, 2).tolist(),
        "returns": transcription.returns.tolist(),
        "chord_confidence": np.round(transcription.chord_confidence, 2).tolist(),
        "beats_seconds": [round(one, 4) for one in beats.seconds.tolist()],
        "hints": asdict(recording.hints),
        "corrections": dict(recording.corrections.sha256),
        "format": FORMAT,
        "versions": {package: importlib.metadata.version(package) for package in PACKAGES},
    }
