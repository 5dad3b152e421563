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
from pathlib import Path
from typing import Any

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
from pipeline.transcription.transcriber import Transcription, TranscriptionHints, transcribe_samples

TRANSCRIBED_DIRECTORY = Path("data/transcribed")
FORMAT = 2
"""Counts up when the same recording is transcribed differently."""

MIDI, PICTURE, REPORT = "song.mid", "picture.png", "transcription.json"

SECONDS_PER_SECOND = 0.055
"""What a second of sound takes on one core of an ordinary machine, until this one was measured."""
START_SECONDS = 4.0
"""What it takes until a process can begin."""
MEASURED, SHORTEST_MEASURED = 20, 30.0
"""So many transcriptions at most say how fast this machine is, and of so many seconds at least."""
BYTES_PER_MINUTE = 1_500_000
"""Of MIDI and picture."""
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
    """

    path: str
    title: str
    hints: TranscriptionHints
    max_minutes: float
    sha256: str

    @property
    def directory(self) -> Path:
        """Where its transcription lies, or will."""
        values = [FORMAT, self.sha256, asdict(self.hints)]
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
        return tuple(self.report.get("remarks", ()))

    @property
    def midi(self) -> Path:
        """The MIDI file."""
        return self.recording.directory / MIDI

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
    a minute; beats are of `quarters_per_beat`, 1.5 in 6/8.
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
    return Recording(str(path), title or printable(path.stem), hints, settings.max_minutes, sha256)


def recordings_of(
    rows: Sequence[CatalogRow], settings: TranscribeSettings, beats_per_bar: int, quarters_per_beat: float = 1.0
) -> list[Recording]:
    """The recordings of a catalog, with the tempo and the downbeat that it knows."""
    settings = settings.for_many()
    return [
        recording_of(
            Path(row.where),
            settings,
            beats_per_bar,
            row.title,
            row.bpm,
            row.downbeat_seconds,
            row.sha256,
            quarters_per_beat,
        )
        for row in rows
        if row.kind == "song" and not row.problem and is_recording(row.where)
    ]


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
    return replace(found, report=report) if found.midi.is_file() and found.picture.is_file() else None


def _make(recording: Recording) -> dict[str, Any]:
    """Transcribe a recording into its folder; the report."""
    from pipeline.transcription.midi import transcription_midi
    from pipeline.transcription.picture import draw_transcription

    began = time.monotonic()
    decoded = read_recording(Path(recording.path), recording.max_minutes)
    samples = decoded.samples
    transcription = transcribe_samples(samples, recording.hints)
    with replaced_directory(recording.directory) as place:
        with atomic_path(place / MIDI) as temporary:
            temporary.write_bytes(transcription_midi(transcription, recording.title))
        draw_transcription(place / PICTURE, samples, transcription, recording.title)
        remarks = [*decoded.remarks, *transcription.remarks]
        report = _report(recording, transcription) | {"remarks": remarks}
        report |= {"took_seconds": round(time.monotonic() - began, 1)}
        write_json(place / REPORT, report)
    return report


def _report(recording: Recording, transcription: Transcription) -> dict[str, Any]:
    """The report `transcription.json`."""
    beats = transcription.beats
    end = max(float((part.events["onset"] + part.events["duration"]).max()) for part in transcription.parts)
    return {
        "title": recording.title,
        "sha256": recording.sha256,
        "seconds": round(transcription.seconds, 2),
        "bpm": round(beats.bpm, 2),
        "beats_per_bar": beats.beats_per_bar,
        "bars": math.ceil(end / beats.beats_per_bar),
        "notes": transcription.counts,
        "beats_seconds": [round(one, 4) for one in beats.seconds.tolist()],
        "hints": asdict(recording.hints),
        "format": FORMAT,
        "versions": {package: importlib.metadata.version(package) for package in PACKAGES},
    }
