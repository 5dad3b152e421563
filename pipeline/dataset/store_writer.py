"""Writer of the store: prepared files put together in the catalog's order, duplicates dropped, songs split."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.csv import write_rows
from pipeline.dataset.cutting import CuttingSettings, PreparedFile, PreparedSong
from pipeline.dataset.near_duplicates import find_near_duplicates
from pipeline.dataset.performances import MOST_SONGS, pack_performances
from pipeline.dataset.same_tune import group_same_tunes
from pipeline.dataset.splits import SPLITS, choose_splits
from pipeline.dataset.statistics import describe_music
from pipeline.dataset.store import (
    CHORDS,
    KNOWN_SEPARATOR,
    PERFORMANCE,
    PHRASES,
    PLANS,
    RECOGNISED,
    REJECTS,
    ROLLS,
    SONGS,
    STATISTICS,
    WRITTEN,
    PhraseIndexRow,
    Reject,
    SongRow,
    kind_of_reason,
)
from pipeline.files import atomic_path, write_json
from pipeline.scores.structure.song_plan import pack_plans


@dataclass(frozen=True)
class StoreSummary:
    """What became of the files."""

    songs: int
    phrases: dict[str, int]
    """By split."""
    rejects: list[Reject]
    remarks: Counter[str] = field(default_factory=Counter)
    """Songs by what was mended or guessed when they were read, without what is particular to one."""

    def reasons(self) -> Counter[str]:
        """Rejects by the kind of reason, without what is particular to a file."""
        return Counter(kind_of_reason(reject.reason) for reject in self.rejects)


def write_store(prepared_files: Iterator[PreparedFile], settings: CuttingSettings, directory: Path) -> StoreSummary:
    """Write the store's files into `directory` and say what became of the files.

    Of songs that are the same music in whatever key, and of phrases that are next to the same, the first is kept.
    Phrases go to disk as they come, so memory holds some kilobytes a song. With no songs, nothing is written.
    """
    songs: list[PreparedSong] = []
    rejects: list[Reject] = []
    place_of: dict[str, int] = {}
    ids: Counter[str] = Counter()
    tell: list[int] = []  # songs that say how they are played
    raw = directory / "phrases.partial"
    with raw.open("wb") as file:
        for prepared in prepared_files:
            rejects += prepared.rejects
            for song in prepared.songs:
                place = place_of.setdefault(song.digest, len(songs))
                if place < len(songs):
                    rejects.append(Reject(song.path, f"duplicate of {songs[place].path}"))
                    songs[place] = replace(songs[place], split=songs[place].split or song.split)
                    continue
                song.phrases.tofile(file)
                ids[song.id] += 1
                own_id = song.id if ids[song.id] == 1 else f"{song.id}-again-{ids[song.id]}"
                songs.append(replace(song, id=own_id, phrases=song.phrases[:0].copy()))
                if len(song.played):
                    tell.append(len(songs) - 1)
                if len(tell) > 2 * MOST_SONGS:
                    tell = _forget_how_played(songs, tell)
    _forget_how_played(songs, tell)
    kept, phrases = _without_near_duplicates(raw, songs, rejects, settings)
    if kept:
        table = _SplitSongs(kept)
        _write_rolls(phrases, directory / ROLLS, table)
        _write_tables(directory, table, rejects, settings.spec.names)
        write_json(directory / STATISTICS, describe_music(table.songs, table.splits, settings.spec))
        counts = {split: sum(len(song.starts) for song in table.of(split)) for split in SPLITS}
    else:
        counts = dict.fromkeys(SPLITS, 0)
    raw.unlink()
    remarks = Counter(kind_of_reason(remark) for song, _ in kept for remark in song.remarks)
    return StoreSummary(len(kept), counts, rejects, remarks)


def _forget_how_played(songs: list[PreparedSong], places: list[int]) -> list[int]:
    """Leave `MOST_SONGS` of the songs at these places their performance, those of the lowest digests; their places."""
    places = sorted(places, key=lambda place: songs[place].digest)
    for place in places[MOST_SONGS:]:
        songs[place] = replace(songs[place], played=songs[place].played[:0].copy())
    return places[:MOST_SONGS]


def _without_near_duplicates(
    raw: Path, songs: list[PreparedSong], rejects: list[Reject], settings: CuttingSettings
) -> tuple[list[tuple[PreparedSong, NDArray[np.int64]]], NDArray[np.uint8]]:
    """The songs without phrases that came before, each with the places in `raw` of those that are left.

    A song of which none is left goes to `rejects`. Beside the songs come all phrases of `raw`, mapped from
    disk.
    """
    counts = [len(song.starts) for song in songs]
    shape = (sum(counts), *settings.spec.shape[:-1], -(-settings.spec.num_pitches // 8))
    if not songs:
        return [], np.zeros(shape, np.uint8)
    phrases = np.memmap(raw, np.uint8, "r", shape=shape)
    copy_of = find_near_duplicates(np.concatenate([song.signatures for song in songs]), phrases)
    ends = np.cumsum(counts)
    kept = []
    for song, end, count in zip(songs, ends.tolist(), counts, strict=True):
        own = np.arange(end - count, end)
        stays = copy_of[own] == own
        if stays.any():
            starts = tuple(start for start, stay in zip(song.starts, stays.tolist(), strict=True) if stay)
            weights = tuple(compress(song.weights, stays))
            chords, none = song.chords[stays], song.signatures[:0].copy()
            song = replace(song, starts=starts, weights=weights, signatures=none, chords=chords)
            kept.append((song, own[stays]))
        else:
            first = songs[int(np.searchsorted(ends, copy_of[own[0]], side="right"))]
            rejects.append(Reject(song.path, f"duplicate of {first.path}"))
    return kept, phrases


class _SplitSongs:
    """The songs of a set, and what they were given beside one another: group, split, remark."""

    def __init__(self, kept: list[tuple[PreparedSong, NDArray[np.int64]]]) -> None:
        self.songs = [song for song, _ in kept]
        self.places = [places for _, places in kept]
        self.groups = group_same_tunes([song.ngrams for song in self.songs])
        self.splits = choose_splits(
            [song.digest for song in self.songs], self.groups, [song.split for song in self.songs]
        )

    def of(self, split: str) -> list[PreparedSong]:
        return [song for song, its in zip(self.songs, self.splits, strict=True) if its == split]

    def remark(self, number: int) -> str:
        """What was mended when the song was read, and why it does not lie in the split that the catalog names."""
        song, group, split = self.songs[number], self.groups[number], self.splits[number]
        remarks = list(song.remarks)
        if song.split in ("", split):
            return "; ".join(remarks)
        twin = next(
            one for one, its in zip(self.songs, self.groups, strict=True) if its == group and one.split == split
        )
        remarks.append(f"in {split} instead of {song.split}, like {twin.path}, which has the same tune")
        return "; ".join(remarks)


def _write_rolls(phrases: NDArray[np.uint8], path: Path, table: _SplitSongs) -> None:
    """Copy the phrases into `rolls.npy`, split by split."""
    shape = (sum(map(len, table.places)), *phrases.shape[1:])
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    with atomic_path(path) as temporary, temporary.open("wb") as target:
        np.lib.format.write_array_header_1_0(target, header)
        for split in SPLITS:
            for places, its in zip(table.places, table.splits, strict=True):
                if its == split:
                    phrases[places].tofile(target)


def _write_tables(directory: Path, table: _SplitSongs, rejects: list[Reject], names: Sequence[str]) -> None:
    """Write `chords.npy`, `plans.npz`, `performance.npz`, `phrases.csv`, `songs.csv` and `rejects.csv`."""
    phrase_rows, song_rows = [], []
    for split in SPLITS:
        for number, (song, its) in enumerate(zip(table.songs, table.splits, strict=True)):
            if its != split:
                continue
            for start, weight in zip(song.starts, song.weights, strict=True):
                section = bisect_right(song.sections, start) - 1
                phrase_rows.append(PhraseIndexRow(song.id, start, section, weight))
            song_rows.append(
                SongRow(
                    song=song.id,
                    title=song.title,
                    source=song.path,
                    group=table.songs[table.groups[number]].id,
                    split=split,
                    bars=song.bars,
                    phrases=len(song.starts),
                    shift=song.shift,
                    key=song.key,
                    tempo_bpm=song.tempo_bpm,
                    chords=WRITTEN if song.has_written_chords else RECOGNISED,
                    sections=" ".join(map(str, song.sections)),
                    known="" if all(song.known) else KNOWN_SEPARATOR.join(compress(names, song.known)),
                    remark=table.remark(number),
                )
            )
    ordered = [song for split in SPLITS for song in table.of(split)]
    with atomic_path(directory / CHORDS) as temporary, temporary.open("wb") as file:
        np.save(file, np.concatenate([song.chords for song in ordered]))
    packed: dict[str, dict[str, Any]] = {
        PLANS: pack_plans([song.plan for song in ordered]),
        PERFORMANCE: pack_performances([song.played for song in ordered]),
    }
    for name, arrays in packed.items():
        with atomic_path(directory / name) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **arrays)
    write_rows(directory / PHRASES, phrase_rows, PhraseIndexRow)
    write_rows(directory / SONGS, song_rows, SongRow)
    write_rows(directory / REJECTS, sorted(rejects, key=lambda one: os.fsencode(one.path)), Reject)
