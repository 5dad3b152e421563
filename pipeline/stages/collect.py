"""Gather the music of a data set: what there is, where it lies, and what it is allowed to be used for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.config import stage_directory
from pipeline.csv import write_rows
from pipeline.dataset.reasons import count_reasons, none_usable
from pipeline.dataset.store import Reject
from pipeline.errors import UserError
from pipeline.files import lock
from pipeline.formats import count_others, is_other_format
from pipeline.progress import counted, say
from pipeline.sources.catalog import CATALOG, CatalogRow, MusicSource, call_row, mark_duplicates
from pipeline.sources.content_store import FILES, sweep_up
from pipeline.sources.debian import debian_inputs, find_in_packages
from pipeline.sources.folders import (
    chorales_inputs,
    find_chorales,
    find_in_folder,
    find_originals,
    find_pianorolls,
    folder_inputs,
    originals_inputs,
    pianoroll_inputs,
)
from pipeline.sources.listing import find_listed, listing_inputs
from pipeline.stage_table import Outcome, Plan

if TYPE_CHECKING:
    from pipeline.config import Config

SOURCES = {
    "chorales": MusicSource(chorales_inputs, find_chorales),
    "originals": MusicSource(originals_inputs, find_originals),
    "folder": MusicSource(folder_inputs, find_in_folder),
    "catalog": MusicSource(listing_inputs, find_listed, num_bytes=100_000_000),
    "lpd5": MusicSource(pianoroll_inputs, find_pianorolls),
    "debian": MusicSource(debian_inputs, find_in_packages, num_bytes=200_000_000),
}
"""The kinds of source by `data.source`."""

BYTES_PER_ROW = 500
MOST_REASONS = 4
"""That the summary names."""


def source_of(config: Config) -> MusicSource:
    """The source that the settings name. Raises `UserError`."""
    if config.data.source not in SOURCES:
        raise UserError(f"data.source must be one of {', '.join(SOURCES)}, not {config.data.source}.")
    return SOURCES[config.data.source]


def inputs(config: Config) -> dict[str, str]:
    """What the source would give, without reading it."""
    return source_of(config).inputs(config.data)


def plan(config: Config) -> Plan:
    """Say where the music comes from."""
    return Plan(
        f"Lists the files of a data set: {config.data.title}.", BYTES_PER_ROW * 1000 + source_of(config).num_bytes
    )


def run(config: Config, directory: Path) -> Outcome:
    """Write `catalog.csv`, a row a file. Raises `UserError` where nothing can be used."""
    from pipeline.pages.dataset.rejected import remove_rejected_page

    check_limits(config)
    with lock(FILES):
        sweep_up()
        rows = mark_duplicates(source_of(config).find(config.data, config.collect, config.force))
    counts = Counter(row.kind for row in rows if not row.problem)
    if not counts:
        raise nothing_collected(config, rows)
    remove_rejected_page(stage_directory("collect", config))
    write_rows(directory / CATALOG, rows, CatalogRow)
    megabytes = sum(row.bytes for row in rows) / 1e6
    where = stage_directory("collect", config) / CATALOG
    say(f"collect: {count_kinds(counts)} ({megabytes:,.1f} MB); {describe_problems(rows)}. See {where}.")
    for sentence in count_others(row.problem for row in rows):
        say(f"collect: passed over: {sentence}.")
    return Outcome(notes={"files": len(rows), "kinds": dict(counts), "licence": config.data.licence})


def check_limits(config: Config) -> None:
    """Refuse limits that let nothing through."""
    for key in ("max_file_megabytes", "max_recording_megabytes", "max_archive_megabytes", "timeout_seconds"):
        if getattr(config.collect, key) <= 0:
            raise UserError(f"collect.{key} must be more than 0, not {getattr(config.collect, key):g}.")
    if config.collect.retries < 0:
        raise UserError(f"collect.retries must be at least 0, not {config.collect.retries}.")


def count_kinds(counts: Counter[str]) -> str:
    """`12 songs, 3 samples, 1 text`."""
    return ", ".join(counted(counts[kind], kind) for kind in ("song", "sample", "text") if counts[kind]) or "nothing"


def describe_problems(rows: Sequence[CatalogRow]) -> str:
    """How many rows came to nothing and why, the most frequent reason first; and how many have a remark."""
    lost = [row for row in rows if row.problem]
    others = sum(is_other_format(row.problem) for row in lost)
    remarks = sum(bool(row.remark) for row in rows)
    text = "no problems"
    if lost:
        reasons = [count_reasons([row.problem for row in lost if not is_other_format(row.problem)], MOST_REASONS)]
        reasons += [f"{others:,} in {'a format' if others == 1 else 'formats'} that can't be read"] if others else []
        text = f"{counted(len(lost), 'problem')}: {'; '.join(reason for reason in reasons if reason)}"
        if any(row.problem.startswith("the link") for row in lost):
            text += " (force=true tries the links again)"
    if remarks:
        text += f"; {counted(remarks, 'row' if rows[0].row else 'file')} with a remark"
    return text


def nothing_collected(config: Config, rows: Sequence[CatalogRow]) -> UserError:
    """The error for a data set of which nothing can be used; every file and its reason stand on a page beside it."""
    from pipeline.pages.dataset.rejected import write_rejected_page

    place = f"data.path={config.data.path}" if config.data.path else f"data={config.data.name}"
    if not rows:
        return UserError(f"{place} holds nothing.")
    rejects = [Reject(call_row(row), row.problem) for row in rows]
    sentence = none_usable(place, rejects, len(rows), "row" if rows[0].row else "file")
    page = write_rejected_page(stage_directory("collect", config), config.data.title, sentence, rejects)
    return UserError(f"{sentence}. What became of each: {page}")
