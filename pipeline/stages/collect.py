"""Gather the music of a data set: what there is, where it lies, and what it is allowed to be used for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.contract import Outcome, Plan
from pipeline.errors import UserError
from pipeline.music.catalog import (
    CATALOG,
    CatalogRow,
    MusicSource,
    catalog_row,
    chorales_inputs,
    find_chorales,
    find_in_folder,
    folder_inputs,
)
from pipeline.music.debian import debian_inputs, find_in_packages
from pipeline.music.tables import write_rows
from pipeline.places import stage_directory
from pipeline.progress import bar, say

if TYPE_CHECKING:
    from pipeline.config import Config

SOURCES = {
    "chorales": MusicSource(chorales_inputs, find_chorales),
    "folder": MusicSource(folder_inputs, find_in_folder),
    "debian": MusicSource(debian_inputs, find_in_packages, num_bytes=200_000_000),
}
"""The kinds of source by `data.source`."""

BYTES_PER_ROW = 500


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
    return Plan(f"Lists the files of {config.data.title}.", BYTES_PER_ROW * 1000 + source_of(config).num_bytes)


def run(config: Config, directory: Path) -> Outcome:
    """Write `catalog.csv`, a row a file; files unpacked into `directory` are listed where they will lie at last."""
    found = source_of(config).find(config.data, directory)
    limit = config.collect.max_file_megabytes
    rows = [catalog_row(where, config.data.licence, limit) for where in bar(found, len(found), "collect", "files")]
    home = stage_directory("collect", config)
    rows = [
        replace(row, where=str(home / Path(row.where).relative_to(directory)))
        if Path(row.where).is_relative_to(directory)
        else row
        for row in rows
    ]
    write_rows(directory / CATALOG, rows, CatalogRow)
    say(f"collect: {len(rows)} files, {sum(row.bytes for row in rows) / 1e6:,.1f} MB")
    return Outcome(notes={"files": len(rows), "licence": config.data.licence})
