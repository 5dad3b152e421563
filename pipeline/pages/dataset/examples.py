"""A few phrases of a prepared set to look at and to hear."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gan.spec import RollSpec
from pipeline.dataset.store import PhraseStore, SongRow
from pipeline.drawing.canvas import Canvas
from pipeline.drawing.palette import QUIET_TEXT
from pipeline.drawing.piano_rolls import RollFrame, draw_pitch_axis, paint_roll
from pipeline.files import fingerprint
from pipeline.formats import printable
from pipeline.pages.dataset.counts import phrases_at
from pipeline.rendering.phrase_audio import write_sample
from pipeline.scores.notes import Planes, notes_from_roll
from pipeline.settings.data import TracksSettings
from pipeline.settings.render import RenderSettings

FOLDER = "page"
"""Where everything but the page itself lies, beside it."""
PICTURE_SIZE = (760, 300)
"""Width and height of a picture in pixels."""
PICTURE_BOX = (62, 12, 748, 272)
"""Where its roll lies: left, top, right, bottom; the page moves its playhead there."""
NUM_EXAMPLES = 6
NUM_CANDIDATES = 60
"""Songs of which the examples are chosen."""
FULLNESS = (0.6, 1.0, 0.3, 0.8, 0.1, 0.9)
"""Which candidate is taken when those of about one tempo are in order of their tracks, 0 the one with the fewest."""
SHORTEST_SECONDS, LONGEST_SECONDS = 7.0, 16.0
"""A phrase that lasts less is heard together with the next one of its song, where both stay within the longest."""


@dataclass(frozen=True)
class PhraseExample:
    """A phrase, or two that follow one another, and the song it is from. Paths are relative to the page."""

    song: SongRow
    title: str
    first_bar: int
    bars: int
    score_seconds: float
    tracks: int
    """Tracks that sound."""
    picture: str
    sound: str
    sound_seconds: float

    @property
    def where(self) -> str:
        """`bars 17 to 20`, or `bar 17`, counted from 1."""
        if self.bars == 1:
            return f"bar {self.first_bar + 1}"
        return f"bars {self.first_bar + 1} to {self.first_bar + self.bars}"


@dataclass(frozen=True)
class _ExampleCandidate:
    """A stretch of a song that could be shown."""

    song: SongRow
    first_bar: int
    planes: Planes
    """Bool `[phrases, 2, tracks, bars, steps, pitches]`."""

    @property
    def tracks(self) -> int:
        """Tracks that sound."""
        return int(np.count_nonzero(self.planes.any(axis=(0, 1, 3, 4, 5))))


def make_phrase_examples(
    directory: Path,
    store: PhraseStore,
    tracks: TracksSettings,
    render: RenderSettings,
) -> list[PhraseExample]:
    """Choose phrases, draw them and play them: `page/phrase-1.png`, `page/phrase-1.mp3` and so on.

    The choice differs in songs, tempi and numbers of tracks, and is the same whenever the set is the same. All have
    the loudness that `render` names, and are played by the first arrangement of `tracks`.
    """
    examples = []
    for number, one in enumerate(_choose(store), start=1):
        song, spec = one.song, store.spec
        bars = len(one.planes) * spec.bars
        picture, sound = (f"{FOLDER}/phrase-{number}.{kind}" for kind in ("png", "mp3"))
        title = printable(song.title)
        _draw(directory / picture, np.concatenate(list(one.planes), axis=2), spec, one.first_bar)
        heard = write_sample(
            directory / sound, one.planes, spec, tracks, render, song.tempo_bpm, title, "phrases of the data set"
        )
        seconds = 0.0 if heard is None else len(heard) / render.sample_rate_hz
        score_seconds = bars * spec.quarters_per_bar * 60 / song.tempo_bpm
        examples.append(
            PhraseExample(song, title, one.first_bar, bars, score_seconds, one.tracks, picture, sound, seconds)
        )
    return examples


def _draw(path: Path, planes: Planes, spec: RollSpec, first_bar: int) -> None:
    """The roll, bool `[2, tracks, bars, steps, pitches]`, over the numbers of its bars."""
    canvas = Canvas(*PICTURE_SIZE)
    left, top, right, bottom = PICTURE_BOX
    width, height = right - left, bottom - top
    notes = notes_from_roll(planes, spec.lowest_pitch)
    frame = RollFrame.around(notes, spec, planes.shape[2] * spec.steps_per_bar)
    canvas.pixels[top:bottom, left:right] = paint_roll(notes, spec, frame, width, height)
    draw_pitch_axis(canvas, left, top, height, spec, frame, size=9.5)
    for bar in range(planes.shape[2]):
        x = left + frame.column(bar * spec.steps_per_bar, width)
        canvas.text(x + 3, bottom + 14, f"{first_bar + bar + 1}", size=9.5, colour=QUIET_TEXT)
    canvas.save(path)


def _choose(store: PhraseStore) -> list[_ExampleCandidate]:
    """Stretches from the slowest to the fastest: one out of each sixth of the tempi, with few and many tracks."""
    random = np.random.default_rng(int(fingerprint(store.statistics)[:16], 16))
    candidates = _candidates(store, random)
    by_tempo = sorted(range(len(candidates)), key=lambda index: (candidates[index].song.tempo_bpm, index))
    parts = np.array_split(by_tempo, min(NUM_EXAMPLES, len(candidates)))
    chosen = []
    for part, share in zip(parts, FULLNESS, strict=False):
        fuller = sorted(part.tolist(), key=lambda index: (candidates[index].tracks, index))
        chosen.append(candidates[fuller[round(share * (len(fuller) - 1))]])
    return chosen


def _candidates(store: PhraseStore, random: np.random.Generator) -> list[_ExampleCandidate]:
    """A stretch of each of some songs that have no tune in common; more of a song where there are few songs."""
    songs, places = store.songs, store.index()
    order = random.permutation(len(songs)).tolist()
    groups: set[str] = set()
    first: list[int] = []
    others: list[int] = []
    for number in order:
        (others if songs[number].group in groups else first).append(number)
        groups.add(songs[number].group)
    wanted = min(NUM_CANDIDATES, len(songs)) if len(songs) >= NUM_EXAMPLES else NUM_EXAMPLES
    found = []
    starts: set[tuple[int, int]] = set()
    for number in itertools.islice(itertools.cycle([*first, *others]), max(wanted, 1)):
        by_bar = places.of(number)
        free = [
            bar for bar in by_bar if all(abs(bar - other) >= store.spec.bars for one, other in starts if one == number)
        ]
        if free:
            start = int(random.choice(free))
            starts.add((number, start))
            song = songs[number]
            stretch = _stretch(by_bar, start, song.tempo_bpm, store.spec)
            found.append(_ExampleCandidate(song, start, phrases_at(store, stretch)))
    return found


def _stretch(by_bar: dict[int, int], start: int, tempo_bpm: float, spec: RollSpec) -> Sequence[int]:
    """The number of the phrase at `start`, and of the next where one is too short to be heard alone."""
    seconds = spec.bars * spec.quarters_per_bar * 60 / tempo_bpm
    following = by_bar.get(start + spec.bars)
    if following is not None and seconds < SHORTEST_SECONDS and 2 * seconds <= LONGEST_SECONDS:
        return [by_bar[start], following]
    return [by_bar[start]]
