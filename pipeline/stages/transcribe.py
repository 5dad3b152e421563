"""Stage `transcribe`: recordings to notes on a beat grid."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.config import stage_directory
from pipeline.csv import read_rows
from pipeline.dataset.store import kind_of_reason
from pipeline.errors import UserError
from pipeline.files import file_hash
from pipeline.formats import is_recording
from pipeline.pages.dataset.commands import set_overrides
from pipeline.progress import bar, counted, duration, say
from pipeline.settings.metre import read_metre
from pipeline.sources.catalog import CATALOG, CatalogRow
from pipeline.sources.stem_folders import stems_fingerprint
from pipeline.stage_table import STAGES, Outcome, Plan
from pipeline.transcription.cache import (
    BYTES_PER_MINUTE,
    Recording,
    TranscriptionResult,
    recording_of,
    recordings_of,
    remaining_work,
    transcribe_all,
)

if TYPE_CHECKING:
    from pipeline.config import Config


def inputs(config: Config) -> dict[str, str]:
    """The recording, where one is named, and what its transcription is corrected by."""
    stems = {} if config.transcribe.stems is None else {"stems": stems_fingerprint(config.transcribe.stems)}
    if config.transcribe.input is None:
        return stems
    found = {"input": file_hash(input_path(config)), **stems}
    for key in ("notes", "beats"):
        value = getattr(config.transcribe, key)
        if value is not None:
            found[key] = file_hash(named_file(value, f"transcribe.{key}"))
    return found


def plan(config: Config) -> Plan:
    """Say how much sound will be transcribed, and how long that takes."""
    recordings = recordings_to_do(config)
    work = remaining_work(recordings, config.executor)
    text = f"Transcribes {counted(len(recordings), 'recording')}"
    cached = len(recordings) - work.files
    if cached:
        text += f", {'' if cached == len(recordings) else f'{cached} of them '}transcribed before"
    return Plan(f"{text}; about {duration(work.seconds)}.", int(work.minutes * BYTES_PER_MINUTE) + 100_000)


def run(config: Config, directory: Path) -> Outcome:
    """Transcribe, and write a page that lists what was found. Raises `UserError` where nothing could be."""
    from pipeline.pages.transcription import PAGE, write_transcription_page

    recordings = recordings_to_do(config)
    found = list(bar(transcribe_all(recordings, config.executor), len(recordings), "transcribe", "recordings"))
    lost = [one for one in found if one.problem]
    if len(lost) == len(found):
        example = lost[0]
        others = len(lost) - 1
        more = f" (and {counted(others, 'more recording')} {'fails' if others == 1 else 'fail'})" if others else ""
        raise UserError(f"{example.recording.path} can't be transcribed: {example.problem}{more}.")
    write_transcription_page(directory, found, remake_transcription_command(config))
    if config.transcribe.input is not None:
        say_result(found[0])
    else:
        say(f"transcribe: {counted(len(found) - len(lost), 'transcription')}, {counted(len(lost), 'failure')}.")
        say_remarks(found)
    say(f"transcribe: see {stage_directory('transcribe', config) / PAGE}.")
    notes = {str(one.recording.path): one.problem or str(one.midi) for one in found}
    return Outcome(notes=notes)


def input_path(config: Config) -> Path:
    """The recording that `transcribe.input` names. Raises `UserError` where there is none."""
    path = Path(config.transcribe.input or "").expanduser()
    if not path.is_file():
        raise UserError(f"transcribe.input={config.transcribe.input} is not there: give a recording.")
    if not is_recording(path.name):
        raise UserError(f"transcribe.input={config.transcribe.input} is no recording that can be read, such as an mp3.")
    return path


def named_file(value: str, key: str) -> Path:
    """The file that a setting names. Raises `UserError` where there is none."""
    path = Path(value).expanduser()
    if not path.is_file():
        raise UserError(f"{key}={value} is {'a folder' if path.is_dir() else 'not there'}: give a file.")
    return path


def recordings_to_do(config: Config) -> list[Recording]:
    """The one that is named, or those of the catalog. Raises `UserError` where there are none."""
    metre = read_metre(config.data.metre)
    if config.transcribe.input is not None:
        found = recording_of(
            input_path(config), config.transcribe, metre.beats_per_bar, quarters_per_beat=metre.quarters_per_beat
        )
        return [found]
    own = [key for key in ("bpm", "downbeat", "notes", "beats") if getattr(config.transcribe, key) is not None]
    if own:
        raise UserError(
            f"transcribe.{own[0]} belongs to one recording: name it with transcribe.input=, or give each its own in "
            f"the column {own[0]} of a spreadsheet."
        )
    rows = read_rows(stage_directory("collect", config) / CATALOG, CatalogRow, "collect")
    recordings = recordings_of(rows, config.transcribe, metre.beats_per_bar, metre.quarters_per_beat)
    if not recordings:
        raise UserError(
            f"data={config.data.name} lists no recordings: name one with transcribe.input=song.mp3, or a folder that "
            "has some with data=folder data.path=DIR."
        )
    return recordings


def say_result(found: TranscriptionResult) -> None:
    """Print what was found in one recording."""
    report = found.report
    notes = ", ".join(f"{name} {number}" for name, number in report["notes"].items())
    say(f"transcribe: {counted(report['bars'], 'bar')} of {report['metre']} at {report['bpm']:g} bpm; notes: {notes}.")
    for remark in found.remarks:
        say(f"transcribe: {remark}.")
    say(f"transcribe: MIDI {found.midi}, picture {found.picture}.")


def say_remarks(found: Sequence[TranscriptionResult]) -> None:
    """Print what was mended or guessed in how many recordings; each is named on the page."""
    kinds = Counter(kind_of_reason(remark) for one in found for remark in one.remarks)
    if kinds:
        text = ", ".join(f"{kind} ({count})" for kind, count in kinds.most_common())
        say(f"transcribe: recordings with a remark on the page: {text}")


def remake_transcription_command(config: Config) -> str:
    """What makes the page again, as a shell takes it."""
    words = set_overrides(config, STAGES["transcribe"].groups)
    return shlex.join(["python", "-m", "pipeline", "+stage=transcribe", *words, f"name={config.name}"])
