"""Labels of phrases: key, tempo, style.

They are numbers that a network can be conditioned on beside the notes. The style of a song is the folder it lies in:
the first one in which the files of a data set part ways.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gan.chords import QUALITY
from pipeline.dataset.performances import PlayedNotes, performance_from_table
from pipeline.dataset.store import PhraseStore, SongRow
from pipeline.errors import UserError
from pipeline.scores.chords.symbols import UNKNOWN
from pipeline.scores.keys import read_key
from pipeline.scores.score import DEFAULT_BPM

MOST_STYLES = 32
"""A data set with more folders than this is sorted by something else than style."""
FEWEST_SONGS = 2
"""A folder with fewer songs is no style."""
NO_STYLE = -1


def style_of(source: str, depth: int) -> str:
    """The folder of a file at a depth; empty for a file that lies higher."""
    folders = source.replace("\\", "/").split("/")[:-1]
    return folders[depth] if len(folders) > depth else ""


def fork(sources: Sequence[str]) -> int:
    """The depth of the first folder that not all files share."""
    paths = [source.replace("\\", "/").split("/")[:-1] for source in sources]
    depth = 0
    while all(len(path) > depth for path in paths) and len({path[depth] for path in paths}) == 1:
        depth += 1
    return depth


def styles_of(store: PhraseStore) -> list[str]:
    """The styles of a data set, in alphabetical order; empty where its folders are none."""
    songs = {row.song: row.source for row in store.songs}
    depth = fork(list(songs.values()))
    counts = Counter(style_of(source, depth) for source in songs.values())
    styles = sorted(name for name, count in counts.items() if name and count >= FEWEST_SONGS)
    return styles if 2 <= len(styles) <= MOST_STYLES else []


def key_label(song: SongRow) -> float:
    """0 to 11 for a major key from C upwards, 12 to 23 for minor, as its phrases were stored; NaN where unknown."""
    try:
        key = read_key(song.key)
    except UserError:
        return float("nan")
    return (key.tonic + song.shift) % 12 + 12 * key.is_minor


def labels_of(store: PhraseStore, split: str) -> NDArray[np.float32]:
    """Chords, key, tempo in beats a minute and number of the style of each phrase of a split; NaN if unknown.

    `[phrases, 3 * half_bars + 3]` in the order of `store.packed(split)`, as `gan.conditions` has them.
    """
    of_songs = [
        (key_label(row), row.tempo_bpm or np.nan, np.nan if style == NO_STYLE else style)
        for row, style in zip(store.songs, _style_numbers(store), strict=True)
    ]
    songs = np.array(of_songs, np.float32).reshape(len(of_songs), 3)
    chords = store.chords(split).astype(np.float32)
    chords[chords[:, :, QUALITY] == UNKNOWN] = np.nan
    return np.concatenate([chords.reshape(len(chords), -1), songs[store.index(split).songs]], axis=1)


def styles_of_songs(store: PhraseStore, split: str) -> NDArray[np.int64]:
    """The number of the style of each song of a split, -1 without one, `[songs]` in the order of `store.songs`."""
    own = np.array([row.split == split for row in store.songs], np.bool_)
    return _style_numbers(store)[own]


def _style_numbers(store: PhraseStore) -> NDArray[np.int64]:
    """The number of the style of each song, -1 without one, `[songs]`."""
    styles = {name: number for number, name in enumerate(styles_of(store))}
    depth = fork([row.source for row in store.songs])
    return np.array([styles.get(style_of(row.source, depth), NO_STYLE) for row in store.songs], np.int64)


def performances_of(store: PhraseStore, split: str) -> list[PlayedNotes]:
    """How the songs of a split are played, where that is known, with tempo and style."""
    names = styles_of(store)
    rows = [row for row in store.songs if row.split == split]
    found = []
    for row, number, table in zip(rows, styles_of_songs(store, split), store.played(split), strict=True):
        style = "" if number == NO_STYLE else names[number]
        if len(table):
            found.append(performance_from_table(table, store.spec, row.tempo_bpm or DEFAULT_BPM, style))
    return found
