"""Small pieces of music that the tests of the music room share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import mido
import numpy as np
import pytest

from gan.spec import RollSpec, Track
from pipeline.dataset.cutting import CuttingSettings
from pipeline.errors import UnusableError
from pipeline.scores.reading.score_files import read_scores
from pipeline.scores.score import Metre, Part, Score, make_events
from pipeline.settings.data import TrackSettings, TracksSettings

BAND = TracksSettings(
    name="band",
    assign="program",
    tracks=[
        TrackSettings("Drums", is_drum=True),
        TrackSettings("Piano", programs=list(range(8))),
        TrackSettings("Bass", programs=list(range(32, 40))),
    ],
    arrangements=[],
)
SPEC = RollSpec((Track("Drums", is_drum=True), Track("Piano"), Track("Bass")))
JIG = RollSpec(SPEC.tracks, beats_per_bar=2, steps_per_beat=6, is_compound=True)
"""The same in 6/8."""

Row = tuple[float, float, int]
"""Onset and duration in quarter notes, and pitch."""


def cutting(**changes: object) -> CuttingSettings:
    """Phrases of the band, a new one every bar, in the common key."""
    values = {
        "spec": SPEC,
        "tracks": BAND,
        "trust_metre": True,
        "pair_bars": False,
        "hop_bars": 1,
        "min_tracks": 2,
        "common_key": True,
        "by_sections": False,
        "max_file_megabytes": 1.0,
    }
    return CuttingSettings(**values | changes)  # type: ignore[arg-type]


def part(rows: Sequence[Row], name: str = "", program: int = 0, is_drum: bool = False) -> Part:
    """A part out of notes."""
    table = np.array(rows, float).reshape(-1, 3)
    return Part(name, program, is_drum, make_events(*table.T, np.full(len(table), 80)))


def score(*parts: Part, metres: Sequence[Metre] = (Metre(0.0, 4, 4),)) -> Score:
    """A score out of parts, in 4/4 unless told."""
    return Score("piece", tuple(parts), tuple(metres))


def tune(seed: int, bars: int = 8, root: int = 60) -> list[Row]:
    """A line of quarter notes in the major key of `root`, different for each seed."""
    random = np.random.default_rng(seed)
    scale = np.array([0, 2, 4, 5, 7, 9, 11])
    return [(beat, 1.0, int(root + random.choice(scale))) for beat in range(4 * bars)]


def write_midi(
    path: Path,
    channels: dict[tuple[int, int, str], Sequence[Row]],
    metre: tuple[int, int] | None = (4, 4),
    ticks: int = 480,
    bpm: float = 120,
) -> Path:
    """Write a MIDI file with mido: for each (channel, program, name) a track of notes."""
    file = mido.MidiFile(ticks_per_beat=ticks)
    head = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(bpm))])
    if metre:
        head.append(mido.MetaMessage("time_signature", numerator=metre[0], denominator=metre[1]))
    file.tracks.append(head)
    for (channel, program, name), rows in channels.items():
        track = mido.MidiTrack([mido.MetaMessage("track_name", name=name)])
        track.append(mido.Message("program_change", channel=channel, program=program))
        events = []
        for onset, duration, pitch in rows:
            events.append((round((onset + duration) * ticks), 0, pitch))  # a note ends before the next starts
            events.append((round(onset * ticks), 90, pitch))
        now = 0
        for tick, velocity, pitch in sorted(events):
            kind = "note_on" if velocity else "note_off"
            track.append(mido.Message(kind, channel=channel, note=int(pitch), velocity=velocity, time=tick - now))
            now = tick
        file.tracks.append(track)
    file.save(path)
    return path


def song_midi(path: Path, seed: int, root: int = 60, bars: int = 8, metre: tuple[int, int] = (4, 4)) -> Path:
    """Write a song of piano, bass and drums."""
    line = tune(seed, bars, root)
    return write_midi(
        path,
        {
            (0, 0, "piano"): line,
            (1, 33, "bass"): [(onset, duration, pitch - 24) for onset, duration, pitch in line],
            (9, 0, "drums"): [(beat, 0.5, 36 + 2 * (beat % 2)) for beat in range(4 * bars)],
        },
        metre,
    )


def read_one(path: Path) -> Score:
    """The first score in a file of at most 1 MB."""
    return read_scores(path, max_megabytes=1)[0]


def note_rows(one: Score, index: int = 0) -> list[Row]:
    """The notes of a part in order: onset, duration, pitch."""
    events = one.parts[index].events
    columns = (np.round(events[name], 6).tolist() for name in ("onset", "duration", "pitch"))
    return sorted(zip(*columns, strict=True))


def reason_against(path: Path) -> str:
    """Why a file can't be read."""
    with pytest.raises(UnusableError) as caught:
        read_one(path)
    return str(caught.value)


CHORDS = ((60, 64, 67), (65, 69, 72), (67, 71, 74), (57, 60, 64))


def accompanied(shift: float, beats: int = 4, bars: int = 8) -> list[list[Row]]:
    """A chord and a bass note a bar under quarter notes, bars starting at `shift`."""
    chords: list[Row] = []
    line: list[Row] = []
    for bar in range(bars):
        start = shift + beats * bar
        tones = CHORDS[bar % len(CHORDS)]
        chords += [(start, beats, pitch - 12) for pitch in (*tones, tones[0] - 12)]
        line += [(start + beat, 1, tones[beat % 3] + 12) for beat in range(beats)]
    return [chords, line]
