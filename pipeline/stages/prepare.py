"""Turn the scores of a catalog into piano-roll phrases."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gan.spec import RollSpec
from pipeline.config import stage_directory
from pipeline.csv import read_rows, write_rows
from pipeline.dataset.cutting import PreparedFile, SourceFile, cutting_settings
from pipeline.dataset.reasons import count_reasons, none_usable
from pipeline.dataset.resumable_reading import read_files_resuming
from pipeline.dataset.sample_identification.catalog_pairs import (
    FoundSample,
    MetreSettings,
    match_pairs,
    pairs_of,
    samples_of,
)
from pipeline.dataset.sample_identification.context import sample_notes, with_samples
from pipeline.dataset.sample_identification.matches import write_matches
from pipeline.dataset.store import SAMPLED, Reject, SamplePhrase, open_store
from pipeline.dataset.store_writer import StoreSummary, write_store
from pipeline.errors import UserError
from pipeline.formats import SCORES, is_recording
from pipeline.progress import bar, counted, duration, say
from pipeline.sources.catalog import CATALOG, CatalogRow, call_row, locate
from pipeline.sources.stem_folders import stems_fingerprint
from pipeline.stage_table import Outcome, Plan
from pipeline.transcription.cache import (
    BYTES_PER_MINUTE,
    PICTURE,
    TranscriptionResult,
    recordings_of,
    remaining_work,
    transcribe_all,
)

if TYPE_CHECKING:
    from pipeline.config import Config

ESTIMATES = {"midi": (0.02, 90), "musicxml": (0.03, 30), "abc": (0.5, 30), "recording": (0.02, 90)}
"""Seconds to read one file on one core of an ordinary machine, and bars in it; a recording once it is transcribed."""
SECONDS_PER_PAIR = 15
"""To look for a sample in the song that used it."""


def inputs(config: Config) -> dict[str, str]:
    """The stems of recordings, where there are some; what the catalog lists, its own fingerprint covers."""
    return {} if config.transcribe.stems is None else {"stems": stems_fingerprint(config.transcribe.stems)}


def plan(config: Config) -> Plan:
    """Say how many files will be read, and how long that takes."""
    spec = cutting_settings(config).spec
    rows = songs_of(read_catalog(config))
    workers = config.executor.workers or 2
    estimates = [reading_estimate(row.where) for row in rows]
    seconds = 15 + sum(one for one, _ in estimates) / workers
    num_phrases = sum(bars // config.prepare.hop_bars + 1 for _, bars in estimates)
    phrase_bytes = 2 * spec.num_tracks * spec.num_steps * -(-spec.num_pitches // 8)
    work = remaining_work(
        recordings_of(
            [*rows, *heard_samples(read_catalog(config))], config.transcribe, spec.beats_per_bar, spec.quarters_per_beat
        ),
        config.executor,
    )
    text = f"Cuts {counted(len(rows), 'song')} into phrases of {counted(spec.bars, 'bar')}, "
    num_samples = len(samples_of(read_catalog(config)))
    seconds += num_samples * SECONDS_PER_PAIR / workers
    text += f"about {duration(seconds + work.seconds)}"
    if work.files:
        text += f", {counted(work.files, 'recording')} of them to transcribe first"
    if num_samples:
        text += f"; looks for {counted(num_samples, 'sample')} in the songs that used them"
    text += "."
    sound_bytes = int(work.minutes * BYTES_PER_MINUTE)
    return Plan(text, num_phrases * (phrase_bytes + 200) + sound_bytes + 5_000_000)


def run(config: Config, directory: Path) -> Outcome:
    """Write the store's files; a `UserError` counts the reasons where no file can be used, and names a page of them."""
    from pipeline.pages.dataset.rejected import remove_rejected_page

    settings = cutting_settings(config)
    rows, found = transcribe_first(config, read_catalog(config), settings.spec)
    written = {where: str(one.midi) for where, one in found.items()}
    sources = [source_of(row, found.get(row.where)) for row in songs_of(rows)]
    files = called_by_user(read_files_resuming(sources, settings, config.executor, journal_path(config)), rows)
    files = with_problems(bar(files, len(sources), "prepare", "files"), rows)
    samples, sampled = find_samples(config, rows, found, settings.spec), list[SamplePhrase]()
    files = with_samples(files, sample_notes(samples, settings.spec), settings.spec, config.tracks, sampled)
    summary = write_store(files, settings, directory)
    if summary.songs == 0:
        journal_path(config).unlink(missing_ok=True)
        raise nothing_prepared(config, sum(row.kind == "song" for row in rows), summary)
    remove_rejected_page(stage_directory("prepare", config))
    say(f"prepare: {counted(summary.songs, 'song')}, {describe_phrases(summary)}; {describe_rejects(summary)}")
    if summary.remarks:
        say(f"prepare: {describe_remarks(summary)}")
    if samples:
        write_matches(directory, [one.match for one in samples])
        write_rows(directory / SAMPLED, sampled, SamplePhrase)
        say(f"prepare: {describe_samples(samples, len(sampled))}")
    add_page(config, directory, rows, written, samples)
    journal_path(config).unlink(missing_ok=True)
    notes = {"songs": summary.songs, "phrases": summary.phrases, "rejects": dict(summary.reasons())}
    return Outcome(notes=notes)


def find_samples(
    config: Config, rows: Sequence[CatalogRow], songs: Mapping[str, TranscriptionResult], spec: RollSpec
) -> list[FoundSample]:
    """What is found of the catalog's samples in the songs that used them, whose transcriptions are `songs`."""
    if not samples_of(rows):
        return []
    _, samples = transcribe_first(config, heard_samples(rows), spec)
    metre = MetreSettings(spec, config.data.trust_metre, config.data.pair_bars)
    pairs = pairs_of(rows, {**songs, **samples}, metre, config.transcribe.max_minutes)
    return list(bar(match_pairs(pairs, config.executor), len(pairs), "samples", "samples"))


def heard_samples(rows: Sequence[CatalogRow]) -> list[CatalogRow]:
    """The rows of samples that a song used and that can be heard, each file once, as rows of songs."""
    files = {row.where: replace(row, kind="song", problem="") for row in samples_of(rows) if row.sha256}
    return list(files.values())


def add_page(
    config: Config,
    directory: Path,
    rows: Sequence[CatalogRow],
    written: Mapping[str, str],
    samples: Sequence[FoundSample] = (),
) -> None:
    """Write the page of the set in `directory`; what keeps it from being made never costs the set.

    `written` names the MIDI file of each recording that was transcribed, by the path of the recording, and `samples`
    says what was found of the catalog's samples.
    """
    from pipeline.pages.dataset.commands import next_commands, with_batches_of_at_most
    from pipeline.pages.dataset.page import PAGE, PageFacts, write_set_page

    try:
        does = ("Train on this set", "Train on it and make an album")
        store = open_store(directory)
        trainable = with_batches_of_at_most(config, len(store.packed("train")))
        facts = PageFacts(
            title=config.data.title,
            num_files=sum(row.kind == "song" for row in rows),
            num_others=sum(row.kind != "song" for row in rows),
            commands=list(zip(does, next_commands(trainable, ("train", "album")), strict=True)),
            common_key=config.prepare.key == "common",
            pictures={
                recording: os.path.relpath(Path(midi).with_name(PICTURE), directory)
                for recording, midi in written.items()
            },
            samples=samples,
        )
        remarks = write_set_page(directory, store, facts, config.tracks, config.render)
    except Exception as error:  # nothing on the page is worth more than the phrases that are there
        say(f"prepare: the set is complete, but its page could not be made: {error or type(error).__name__}")
        return
    for remark in remarks:
        say(f"prepare: {remark}")
    say(f"prepare: what became of the files, and phrases to hear: {stage_directory('prepare', config) / PAGE}")


def journal_path(config: Config) -> Path:
    """Where what was read is kept until the set is finished: beside its directory, which a stopped run leaves empty."""
    directory = stage_directory("prepare", config)
    return directory.with_name(f".{directory.name}.journal")


def read_catalog(config: Config) -> list[CatalogRow]:
    """The catalog that `collect` wrote."""
    return read_rows(stage_directory("collect", config) / CATALOG, CatalogRow, "collect")


def songs_of(rows: Sequence[CatalogRow]) -> list[CatalogRow]:
    """The rows that are music to learn from: samples and texts are not, nor rows that nothing came of."""
    return [row for row in rows if row.kind == "song" and not row.problem]


def source_of(row: CatalogRow, transcribed: TranscriptionResult | None) -> SourceFile:
    """The file of a row; that of a recording with what its transcription says."""
    source = SourceFile(row.id, row.where, row.title, row.bpm, row.key, row.split)
    if transcribed is None:
        return source
    return replace(
        source,
        transcription=str(transcribed.midi),
        remarks=transcribed.remarks,
        known=transcribed.known,
        confidence=transcribed.confidence,
        returns=transcribed.returns,
    )


def reading_estimate(where: str) -> tuple[float, int]:
    """Seconds to read the file that a row names, and bars in it."""
    kind = "recording" if is_recording(where) else SCORES.get(locate(where).suffix.lower(), "midi")
    return ESTIMATES.get(kind, ESTIMATES["midi"])


def transcribe_first(
    config: Config, rows: list[CatalogRow], spec: RollSpec
) -> tuple[list[CatalogRow], dict[str, TranscriptionResult]]:
    """Write down the recordings of the catalog that are not written down yet.

    Returns
    -------
    The rows, with the problem of those that failed; and what the others were written down as, by the row's `where`.
    """
    recordings = recordings_of(rows, config.transcribe, spec.beats_per_bar, spec.quarters_per_beat)
    if not recordings:
        return rows, {}
    found = list(bar(transcribe_all(recordings, config.executor), len(recordings), "transcribe", "recordings"))
    problems = {one.recording.path: one.problem for one in found if one.problem}
    written = {one.recording.path: one for one in found if not one.problem}
    return [replace(row, problem=problems.get(row.where, row.problem)) for row in rows], written


def called_by_user(files: Iterator[PreparedFile], rows: Sequence[CatalogRow]) -> Iterator[PreparedFile]:
    """The files, their rejects called as the user calls the file, not as it was stored after a download.

    Songs get the remarks that the catalog has on their files.
    """
    names = {row.where: row.source for row in songs_of(rows) if row.where != row.source}
    remarks = {row.where: tuple(row.remark.split("; ")) for row in songs_of(rows) if row.remark}
    for reading in files:
        if names:
            reading.rejects = [call_by(names, reject) for reject in reading.rejects]
        if remarks:
            reading.songs = [
                replace(song, remarks=(*song.remarks, *remarks.get(re.sub(r"#\d+$", "", song.path), ())))
                for song in reading.songs
            ]
        yield reading


def call_by(names: dict[str, str], reject: Reject) -> Reject:
    """The reject of a file, or of one tune in it (`path#2`), under the file's name for people."""
    path, _, tune = reject.path.rpartition("#")
    if path in names:
        return replace(reject, path=f"{names[path]}#{tune}")
    return replace(reject, path=names.get(reject.path, reject.path))


def with_problems(files: Iterator[PreparedFile], rows: Sequence[CatalogRow]) -> Iterator[PreparedFile]:
    """The files, after a reject for each song of the catalog that nothing came of."""
    lost = [Reject(call_row(row), row.problem) for row in rows if row.kind == "song" and row.problem]
    yield PreparedFile(rejects=lost)
    yield from files


def describe_phrases(summary: StoreSummary) -> str:
    """How many phrases, in all and by split."""
    splits = ", ".join(f"{split} {count:,}" for split, count in summary.phrases.items())
    return f"{counted(sum(summary.phrases.values()), 'phrase')} ({splits})"


def describe_rejects(summary: StoreSummary) -> str:
    """How many files were rejected and why, the most frequent reason first."""
    if not summary.rejects:
        return "no rejects"
    reasons = count_reasons([reject.reason for reject in summary.rejects])
    return f"{counted(len(summary.rejects), 'reject')} in rejects.csv: {reasons}"


def describe_remarks(summary: StoreSummary) -> str:
    """What was mended or guessed in how many songs, the most frequent first."""
    remarks = ", ".join(f"{remark} ({count})" for remark, count in summary.remarks.most_common())
    return f"songs with a remark in songs.csv: {remarks}"


def describe_samples(samples: Sequence[FoundSample], num_phrases: int) -> str:
    """How many samples were found in their songs, and what became of the others."""
    found = sum(not one.match.problem for one in samples)
    text = f"{found} of {counted(len(samples), 'sample')} found in the songs that used them (samples.csv)"
    return f"{text}, in {counted(num_phrases, 'phrase')} as context" if num_phrases else text


def nothing_prepared(config: Config, num_files: int, summary: StoreSummary) -> UserError:
    """The error for a data set without a single usable song; every file and its reason stand on a page beside it."""
    from pipeline.pages.dataset.rejected import write_rejected_page

    place = f"data.path={config.data.path}" if config.data.path else f"data={config.data.name}"
    if not summary.rejects:
        return UserError(f"{place} lists no songs: samples and texts are not learnt from.")
    sentence = none_usable(place, summary.rejects, num_files)
    page = write_rejected_page(stage_directory("prepare", config), config.data.title, sentence, summary.rejects)
    return UserError(f"{sentence}. What became of every file: {page}")
