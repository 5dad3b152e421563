"""Rows of a prepared set's page: why files are not in it, its songs, and what its tracks are like."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.dataset.reasons import count_of_reason
from pipeline.dataset.store import Reject, SongRow, kind_of_reason
from pipeline.drawing.palette import track_colour
from pipeline.formats import SCORES, is_recording, printable
from pipeline.pages.dataset import charts
from pipeline.pages.dataset.counts import MusicCounts

MOST_FILES = 100
"""Files listed under one reason."""
MOST_REASONS = 24
"""Reasons that are shown apart."""
OTHER = "other reasons"
MOST_SONGS = 1000
"""Songs in the table."""
MOST_INSTRUMENTS = 6
REASON_COLOURS = ("#f2725c", "#ffd166", "#6f8ff7", "#c060a0", "#a8793e", "#8c95a8")
KINDS = {"midi": "MIDI", "musicxml": "MusicXML", "abc": "ABC"}


@dataclass(frozen=True)
class RejectReason:
    """Why files are not in the set, and which."""

    text: str
    colour: str
    count: int
    files: Sequence[tuple[str, str]]
    """The first of them: name, and what is particular to it."""

    @property
    def counted(self) -> str:
        """`2 broken files`."""
        return f"{self.count:,} for {OTHER}" if self.text == OTHER else count_of_reason(self.count, self.text)


@dataclass(frozen=True)
class SongTableRow:
    """A row of the table of songs."""

    title: str
    source: str
    kind: str
    picture: str | None
    key: str
    tempo_bpm: float
    bars: int
    seconds: float
    phrases: int
    split: str


@dataclass(frozen=True)
class TrackTableRow:
    """What a track of the set is like."""

    name: str
    colour: str
    share: float
    """Of the phrases that it sounds in."""
    notes: tuple[float, float, float] | None
    """Notes a bar: usual, and the range of nine phrases in ten; None for a silent track."""
    voices: float
    pitch_range: str
    instruments: Sequence[tuple[str, float]]
    more: int
    """Instruments that are not named."""


def reasons_of(rejects: Sequence[Reject]) -> list[RejectReason]:
    """The reasons, the most frequent first; those beyond `MOST_REASONS` share the last."""
    kinds = [kind_of_reason(reject.reason) for reject in rejects]
    counts = sorted(Counter(kinds).items(), key=lambda one: (-one[1], one[0]))
    named = [kind for kind, _ in counts[: MOST_REASONS if len(counts) <= MOST_REASONS else MOST_REASONS - 1]]
    totals: Counter[str] = Counter()
    files: dict[str, list[tuple[str, str]]] = {}
    for reject, kind in zip(rejects, kinds, strict=True):
        text = kind if kind in named else OTHER
        totals[text] += 1
        own = files.setdefault(text, [])
        if len(own) < MOST_FILES:
            own.append((printable(reject.path), printable(reject.reason)))
    texts = [*named, *([OTHER] if OTHER in totals else [])]
    return [
        RejectReason(text, REASON_COLOURS[place % len(REASON_COLOURS)], totals[text], files[text])
        for place, text in enumerate(printable(text) for text in texts)
    ]


def remarks_of(songs: Sequence[SongRow]) -> list[tuple[str, str]]:
    """Title and remark of each song that has one: what was mended or guessed when it was read."""
    return [(printable(song.title), printable(song.remark)) for song in songs if song.remark]


def groups_of(songs: Sequence[SongRow]) -> list[list[str]]:
    """The titles of songs that share a tune, group by group, the largest first."""
    groups: dict[str, list[str]] = {}
    for song in songs:
        groups.setdefault(song.group, []).append(printable(song.title))
    return sorted((group for group in groups.values() if len(group) > 1), key=lambda group: -len(group))


def kind_of_source(source: str) -> str:
    """`MIDI`, `MusicXML`, `ABC`, `recording`, or the end of the file's name."""
    name = re.sub(r"#\d+$", "", source)
    suffix = Path(name).suffix.lower()
    if is_recording(name):
        return "recording"
    return KINDS.get(SCORES.get(suffix, ""), suffix.lstrip(".") or "file")


def song_row(song: SongRow, seconds: float, pictures: Mapping[str, str]) -> SongTableRow:
    """A song with what is known of its file; `pictures` of recordings by source."""
    source = printable(song.source)
    title = printable(song.title) or Path(source).stem
    kind, picture = kind_of_source(song.source), pictures.get(song.source)
    return SongTableRow(
        title, source, kind, picture, song.key, song.tempo_bpm, song.bars, seconds, song.phrases, song.split
    )


def track_row(music: MusicCounts, statistics: Mapping[str, Any], track: int) -> TrackTableRow:
    """What was counted of one track."""
    spec = music.spec
    name, is_drum = spec.tracks[track].name, spec.tracks[track].is_drum
    own = music.notes_per_bar(track)
    low, middle, high = (float(one) for one in np.quantile(own, (0.05, 0.5, 0.95))) if len(own) else (0.0, 0.0, 0.0)
    pitch_range = None if is_drum else music.pitch_range(track)
    counts = _drums(music, track) if is_drum else _instruments(statistics["programs"].get(name, {}))
    total = max(sum(counts.values()), 1)
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return TrackTableRow(
        name=name,
        colour=track_colour(track),
        share=float(music.sounding[:, track].mean()),
        notes=(middle, low, high) if len(own) else None,
        voices=float(music.voices[track]),
        pitch_range=f"{charts.note_name(pitch_range[0])} to {charts.note_name(pitch_range[2])}" if pitch_range else "",
        instruments=[(one, count / total) for one, count in ordered[:MOST_INSTRUMENTS]],
        more=max(0, len(ordered) - MOST_INSTRUMENTS),
    )


def _instruments(programs: Mapping[str, int]) -> dict[str, int]:
    """Notes by the name of the General MIDI instrument."""
    from pretty_midi import program_to_instrument_name

    return {program_to_instrument_name(int(program)): count for program, count in programs.items()}


def _drums(music: MusicCounts, track: int) -> dict[str, int]:
    """Hits by the name of the General MIDI drum."""
    from pretty_midi import note_number_to_drum_name

    spec = music.spec
    hits: Counter[str] = Counter()
    for pitch, count in enumerate(music.by_pitch[track].tolist()):
        if count:
            hits[note_number_to_drum_name(pitch + spec.lowest_pitch) or f"key {pitch + spec.lowest_pitch}"] += count
    return dict(hits)
