"""Songs for five tracks, written by rule: music of the shape of a band, for measuring where no data set is at hand.

Their note counts, silences, chords and compass are those of multi-track game music, so that networks of the same size
come out of them; nobody need listen.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.config import Config
from pipeline.rendering.midi import write_midi
from pipeline.scores.notes import make_notes, roll_from_notes
from pipeline.settings.music import roll_spec
from pipeline.songs.song import Song

SCALE = (0, 2, 4, 5, 7, 9, 11)
SECTION_BARS = 8
SILENT = (0.07, 0.55, 0.5, 0.2, 0.2)
"""Chance of each track to be silent in a section."""
DRUMS, PIANO, GUITAR, BASS, STRINGS = range(5)
KICK, SNARE, HAT, CRASH = 36, 38, 42, 49

Row = tuple[int, int, int, int]
"""Track, pitch, onset and length in sixteenths."""


def write_band(directory: Path, songs: int, bars: int, seed: int, config: Config) -> list[Path]:
    """Write `songs` MIDI files of `bars` bars for the tracks of `conf/tracks/band.yaml`; their paths in order."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = [directory / f"band-{number:03d}.mid" for number in range(songs)]
    for number, path in enumerate(paths):
        write_midi(path, band_song(bars, np.random.default_rng((seed, number)), config), path.stem)
    return paths


def band_song(bars: int, random: np.random.Generator, config: Config) -> Song:
    """One song of whole phrases, different for each `random`."""
    spec = roll_spec(config.roll, config.tracks, config.data.metre)
    key = int(random.integers(-5, 7))
    rows: list[Row] = []
    for first in range(0, bars, SECTION_BARS):
        playing = random.random(len(SILENT)) >= SILENT
        playing[int(random.choice([DRUMS, BASS]))] = True
        chords = random.integers(0, 7, SECTION_BARS)
        density = random.uniform(0.2, 0.9)
        for bar in range(first, min(first + SECTION_BARS, bars)):
            written = bar_of_band(int(chords[bar - first]), key, density, random)
            rows += [(track, pitch, 16 * bar + at, length) for track, pitch, at, length in written if playing[track]]
    planes = roll_from_notes(make_notes(*zip(*rows, strict=True)), spec, bars)
    phrases = np.stack(np.split(planes, bars // spec.bars, axis=2))
    return Song.of_phrases(phrases, spec, config.tracks, float(random.integers(80, 150)))


def bar_of_band(degree: int, key: int, density: float, random: np.random.Generator) -> list[Row]:
    """A bar of all five tracks over the chord of a degree of the scale."""
    tones = [60 + key + 12 * ((degree + third) // 7) + SCALE[(degree + third) % 7] for third in (0, 2, 4)]
    left, right = int(random.choice([12, 24, 31])), int(random.choice([0, 12, 24]))
    rows: list[Row] = [(DRUMS, KICK, at, 1) for at in (0, 8, *(random.integers(0, 16, 2) if density > 0.6 else ()))]
    rows += [(DRUMS, SNARE, at, 1) for at in (4, 12)]
    rows += [(DRUMS, HAT, at, 1) for at in range(0, 16, 2 if density > 0.4 else 4)]
    rows += [(DRUMS, CRASH, 0, 1)] if random.random() < 0.1 else []
    for at in (0, 8) if density > 0.5 else (0,):
        rows += [(PIANO, tone + right, at, 6) for tone in tones]
        rows.append((PIANO, tones[0] - left, at, 8))
    for at in range(0, 16, 4):
        rows += [(GUITAR, tone - left // 2, at, 2) for tone in tones[: int(random.integers(1, 4))]]
        pitch = tones[0] - 24 + (12 if random.random() < 0.2 else 0)
        rows.append((BASS, pitch, at, 3))
        if random.random() < 0.1:
            rows.append((BASS, pitch + 7, at, 3))
    for at in range(0, 16, 4 if density > 0.3 else 8):
        rows += [(STRINGS, tone + right, at, 4) for tone in random.choice(tones, 2, replace=False).tolist()]
    return rows
