"""Made-up pairs of a record and a song that samples it, of which the truth is known, to measure identification with.

A loop of some bars is cut out of a rendered MIDI file, stretched and transposed or played faster as by a turntable, and
laid under drums, a bass line and an accompaniment of other files, in some sections of the song and not in others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.errors import UnusableError
from pipeline.scores.reading.score_files import read_scores
from pipeline.transcription.training.beat_examples import AnnotatedPiece
from pipeline.transcription.training.beat_excerpts import (
    draw_excerpt,
    drum_bpm,
    drum_files,
    drums_on_beats,
    excerpt_midi,
    files_of,
)
from pipeline.transcription.training.rendering.midi_rendering import midi_of, render

Floats = NDArray[np.float64]
Sound = NDArray[np.float32]

LOOP_BARS = (1, 2, 4)
SEMITONES = (-5, 7)
RATIOS = (0.75, 1.33)
TURNTABLE_SHARE = 0.3
"""So many loops are moved as a turntable does, the others are stretched and transposed by whole semitones."""
SECTION_BARS, SECTIONS = 4, 7
SONG_BPM = (58.0, 172.0)
TREATMENTS = ("whole", "chopped", "reversed")
"""What else is done to loops: nothing, half bars in another order, or played backwards."""
LOUDNESS_DB = (-3.0, 3.0)
"""The loop against all that is laid over it."""
DRUM_FOLD = 1.5
"""A drummer's performance is played at most so many times faster or slower."""
FEWEST_NOTES, FEWEST_PITCHES = 4, 3
"""Notes in each bar of a loop, and pitches, at least."""
CROSSFADE_SECONDS = 0.01
BASS_PROGRAMS = range(32, 40)
KEYS_PROGRAMS = (0, 4, 5, 16, 24, 25, 27, 48, 89)
"""General MIDI programs, from 0, that play accompaniments."""
RECORD_PROGRAMS = (0, 4, 7, 11, 16, 24, 26, 48, 50, 52, 56, 61, 66, 73)
"""General MIDI programs that files of piano alone are given."""


@dataclass(frozen=True)
class Transform:
    """What is done to a loop: semitones up, how many times as fast it plays, and whether a turntable did both."""

    semitones: float
    ratio: float
    is_turntable: bool


@dataclass(frozen=True, eq=False)
class MadePair:
    """A record, a song that samples it, and the truth.

    Attributes
    ----------
    name
        Tells it from others.
    record, song
        Float32 `[samples]` at `SAMPLE_RATE_HZ`.
    lines
        The record's bar lines in seconds, `[bars + 1]`.
    first_bar, loop_bars
        Which bars of the record the loop is.
    transform
        What was done to it.
    places
        Where it sounds in the song, seconds `[places, 2]`.
    song_lines
        The song's bar lines in seconds.
    bars
        What each bar of the record plays: pairs of sixteenth and pitch.
    """

    name: str
    record: Sound
    song: Sound
    lines: Floats
    first_bar: int
    loop_bars: int
    transform: Transform
    places: Floats
    song_lines: Floats
    bars: tuple[frozenset[tuple[int, int]], ...]

    def is_same_music(self, first: int, other: int, count: int) -> bool:
        """Whether `count` bars of the record from two bars on play nearly the same: Jaccard index of .9 or more."""
        if min(first, other) < 0 or max(first, other) + count > len(self.bars):
            return False
        shared = united = 0
        for one, two in zip(self.bars[first : first + count], self.bars[other : other + count], strict=True):
            shared, united = shared + len(one & two), united + len(one | two)
        return shared >= 0.9 * united


def make_pairs(
    folders: Sequence[Path],
    drums: Path,
    soundfont: Path,
    count: int,
    training: bool,
    first: int = 0,
    treatment: str = TREATMENTS[0],
    loudness_db: float = 0.0,
) -> list[MadePair]:
    """Pairs of MIDI files below `folders`, those for training or the others; turns through the folders.

    Parameters
    ----------
    folders, drums, soundfont
        MIDI files of music and of drums in 4/4, and what plays them.
    count, training
        How many pairs, and of which files.
    first
        The number of the first draw: pairs of other numbers are others.
    treatment, loudness_db
        What else is done to the loops, and how much louder than usual they are.
    """
    files = [files_of(folder, training) for folder in folders]
    drummers, everything = drum_files(drums, training), [one for some in files for one in some]
    found: list[MadePair] = []
    for number in range(first, first + 20 * count):
        own = files[number % len(files)]
        path = own[number // len(files) % len(own)]
        pair = make_pair(path, everything, drummers, soundfont, number, treatment, loudness_db)
        if pair is not None:
            found.append(pair)
        if len(found) == count:
            break
    return found


def make_pair(
    path: Path,
    others: Sequence[Path],
    drummers: Sequence[Path],
    soundfont: Path,
    number: int,
    treatment: str = TREATMENTS[0],
    loudness_db: float = 0.0,
) -> MadePair | None:
    """The pair of that number on a MIDI file; None where the file, or what was drawn for it, gives none."""
    random = np.random.default_rng([len(path.name), *path.name.encode(), number])
    drawn = draw_excerpt(path, number, drummers)
    if drawn is None or not drawn[1].knows_bars or drawn[1].beats_per_bar != 4:
        return None
    excerpt, piece = drawn
    lines = piece.beats[::4]
    lines = lines[lines < excerpt.seconds]
    bars = bar_contents(piece, lines)
    loop_bars = int(random.choice(LOOP_BARS))
    first = choose_loop(piece, lines, loop_bars, random)
    transform = draw_transform(random)
    bpm = 240 * loop_bars / (lines[first + loop_bars] - lines[first]) * transform.ratio if first is not None else 0.0
    near = [one for one in drummers if max(bpm / drum_bpm(one), drum_bpm(one) / max(bpm, 1)) < DRUM_FOLD]
    if first is None or not SONG_BPM[0] < bpm < SONG_BPM[1] or not near:
        return None
    midi = excerpt_midi(excerpt, None if excerpt.drums is None else piece.hits)
    record = normalised(render(recoloured(midi, random), soundfont)[: int(excerpt.seconds * SAMPLE_RATE_HZ)])
    start, end = (int(lines[at] * SAMPLE_RATE_HZ) for at in (first, first + loop_bars))
    loop = treated(transformed(record[start:end], transform), treatment, loop_bars, random)
    song_lines: Floats = np.arange(SECTION_BARS * SECTIONS + 1) * 240.0 / bpm
    plays = draw_sections(random)
    on = np.repeat(plays, SECTION_BARS)
    chroma = loop_chroma(piece, lines[first], lines[first + loop_bars], transform.semitones)
    beat = play_band(random, song_lines, on, chroma, near, others, soundfont)
    if beat is None:
        return None
    sound = lay_loop(loop, song_lines, on, len(beat))
    heard = sound != 0
    level = rms(beat[heard]) / max(rms(sound[heard]), 1e-6) * 10 ** ((random.uniform(*LOUDNESS_DB) + loudness_db) / 20)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], on.astype(int), [0]])))
    return MadePair(
        name=f"{path.parent.name}-{path.stem}-{number}",
        record=record,
        song=normalised(beat + np.float32(level) * sound),
        lines=lines,
        first_bar=first,
        loop_bars=loop_bars,
        transform=transform,
        places=song_lines[edges.reshape(-1, 2)],
        song_lines=song_lines,
        bars=bars,
    )


def bar_contents(piece: AnnotatedPiece, lines: Floats) -> tuple[frozenset[tuple[int, int]], ...]:
    """What is struck in each bar: pairs of sixteenth and pitch."""
    places = np.interp(piece.notes["start"], lines, np.arange(len(lines)), left=-1, right=len(lines))
    steps = np.rint(16 * places).astype(int)
    rows = list(zip(steps.tolist(), piece.notes["pitch"].tolist(), strict=True))
    return tuple(
        frozenset((step - 16 * bar, pitch) for step, pitch in rows if 16 * bar <= step < 16 * bar + 16)
        for bar in range(len(lines) - 1)
    )


def choose_loop(piece: AnnotatedPiece, lines: Floats, loop_bars: int, random: np.random.Generator) -> int | None:
    """A bar from which every bar of a loop has notes enough; None where there is none."""
    good = []
    for bar in range(len(lines) - 1):
        own = piece.notes[(piece.notes["start"] >= lines[bar] - 0.05) & (piece.notes["start"] < lines[bar + 1] - 0.05)]
        good.append(len(own) >= FEWEST_NOTES and len(np.unique(own["pitch"])) >= FEWEST_PITCHES)
    starts = [bar for bar in range(1, len(good) - loop_bars) if all(good[bar : bar + loop_bars])]
    return int(random.choice(starts)) if starts else None


def draw_transform(random: np.random.Generator) -> Transform:
    """A transform as musicians use them."""
    if random.random() < TURNTABLE_SHARE:
        ratio = float(np.exp(random.uniform(*np.log(RATIOS))))
        return Transform(12 * float(np.log2(ratio)), ratio, True)
    semitones = int(random.integers(SEMITONES[0], SEMITONES[1] + 1))
    return Transform(float(semitones), float(np.exp(random.uniform(*np.log(RATIOS)))), False)


def draw_sections(random: np.random.Generator) -> NDArray[np.bool_]:
    """In which sections the loop plays: in two at least, and not in two at least."""
    while True:
        plays = random.random(SECTIONS) < 0.55
        if 2 <= plays.sum() <= SECTIONS - 2:
            return plays


def transformed(loop: Sound, transform: Transform) -> Sound:
    """The loop, moved; as it goes round, its end is followed by its beginning."""
    import soxr

    length = round(len(loop) / transform.ratio)
    if transform.is_turntable:
        moved = soxr.resample(np.tile(loop, 3), transform.ratio * SAMPLE_RATE_HZ, SAMPLE_RATE_HZ, quality="HQ")
    else:
        from python_stretch import Signalsmith

        stretch = Signalsmith.Stretch(0)
        stretch.preset(1, SAMPLE_RATE_HZ)
        stretch.setTransposeSemitones(transform.semitones)
        stretch.setTimeFactor(transform.ratio)
        moved = np.asarray(stretch.process(np.ascontiguousarray(np.tile(loop, 3)[None])))[0]
    return np.asarray(moved[length : 2 * length], np.float32)


def treated(loop: Sound, treatment: str, loop_bars: int, random: np.random.Generator) -> Sound:
    """The loop as it is, its half bars in another order, or backwards."""
    if treatment == "reversed":
        return np.ascontiguousarray(loop[::-1])
    if treatment == "chopped":
        parts = np.array_split(loop, 2 * loop_bars)
        order = np.roll(random.permutation(len(parts)), 1) if loop_bars > 1 else np.array([1, 0])
        return np.concatenate([parts[one] for one in order.tolist()])
    return loop


def lay_loop(loop: Sound, lines: Floats, on: NDArray[np.bool_], length: int) -> Sound:
    """The loop over and over where it plays, `[length]`; it begins with each stretch, its ends faded."""
    sound = np.zeros(length, np.float32)
    fade = int(CROSSFADE_SECONDS * SAMPLE_RATE_HZ)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], on.astype(int), [0]]))).reshape(-1, 2)
    for begin, end in edges:
        start, stop = int(lines[begin] * SAMPLE_RATE_HZ), min(int(lines[end] * SAMPLE_RATE_HZ), length)
        own = np.resize(loop, stop - start)
        own[:fade] *= np.linspace(0, 1, fade)
        own[-fade:] *= np.linspace(1, 0, fade)
        sound[start:stop] = own
    return sound


def loop_chroma(piece: AnnotatedPiece, start: float, end: float, semitones: float) -> Floats:
    """How long each pitch class of a loop sounds once it is moved, `[12]`."""
    own = piece.notes[(piece.notes["start"] >= start - 0.05) & (piece.notes["start"] < end - 0.05)]
    classes = (own["pitch"] + round(semitones)) % 12
    chroma: Floats = np.bincount(classes, own["end"] - own["start"], 12).astype(np.float64)
    return chroma


def play_band(
    random: np.random.Generator,
    lines: Floats,
    on: NDArray[np.bool_],
    chroma: Floats,
    drummers: Sequence[Path],
    others: Sequence[Path],
    soundfont: Path,
) -> Sound | None:
    """Drums, a bass line, and keys (where the loop rests, in half of the songs throughout), `[samples]`."""
    beats = np.interp(np.arange(4 * (len(lines) - 1) + 1) / 4, np.arange(len(lines)), lines)
    hits = drums_on_beats(drummers[int(random.integers(len(drummers)))], beats, float(lines[-1]))
    rows = np.stack([hits["start"], hits["start"] + 0.1, hits["pitch"], hits["velocity"], 0 * hits["start"]], axis=1)
    length = int(lines[-1] * SAMPLE_RATE_HZ)
    sound = fitted(render(midi_of(rows.astype(np.float64), True), soundfont), length)
    for _ in range(20):
        lent = borrowed_parts(others[int(random.integers(len(others)))], lines, chroma)
        if lent is not None:
            break
    else:
        return None
    bass, keys = lent
    bass[:, 4] = random.choice(list(BASS_PROGRAMS))
    keys[:, 4] = random.choice(KEYS_PROGRAMS)
    if random.random() < 0.5:
        bars = np.searchsorted(lines, keys[:, 0] + 0.02, side="right") - 1
        keys = keys[~on[np.clip(bars, 0, len(on) - 1)]]
    for part, share in ((bass, random.uniform(0.5, 1.0)), (keys, random.uniform(0.4, 0.8))):
        if len(part):
            own = fitted(render(midi_of(part, False), soundfont), length)
            sound = sound + np.float32(share * rms(sound) / max(rms(own), 1e-6)) * own
    return sound


def borrowed_parts(path: Path, lines: Floats, chroma: Floats) -> tuple[Floats, Floats] | None:
    """A bass line and an accompaniment of a file laid on bar lines, in the key that fits the loop; None without them.

    Each holds rows of start, end, pitch, velocity and program.
    """
    try:
        score = read_scores(path, 100)[0]
    except UnusableError:
        return None
    pitched = [part for part in score.parts if not part.is_drum and len(part.events) >= 32]
    if not pitched:
        return None
    by_height = sorted(pitched, key=lambda part: float(np.median(part.events["pitch"])))
    bars = len(lines) - 1
    begin = 4.0 * int(np.random.default_rng(len(path.name)).integers(0, max(int(score.end // 4) - bars, 1)))
    tables = []
    for part in (by_height[0], max(by_height, key=lambda part: len(part.events))):
        events = part.events[(part.events["onset"] >= begin) & (part.events["onset"] < begin + 4 * bars)]
        at, end = ((events["onset"] - begin) / 4, (events["onset"] + events["duration"] - begin) / 4)
        seconds = [np.interp(one, np.arange(bars + 1), lines) for one in (at, end)]
        tables.append(np.stack([*seconds, events["pitch"], events["velocity"], 0 * at], axis=1).astype(np.float64))
    bass, keys = tables
    if len(bass) < bars or len(keys) < bars:
        return None
    own = np.bincount(keys[:, 2].astype(int) % 12, keys[:, 1] - keys[:, 0], 12)
    shift = int(np.argmax([np.roll(own, by) @ chroma for by in range(12)]))
    shift = shift - 12 if shift > 6 else shift
    bass[:, 2] += shift - 12 * np.round((np.median(bass[:, 2]) + shift - 38) / 12)
    keys[:, 2] += shift
    return bass, keys


def recoloured(midi: bytes, random: np.random.Generator) -> bytes:
    """A MIDI file whose parts, where all are pianos, are given instruments."""
    import symusic

    score: Any = symusic.Score.from_midi(midi)
    pitched = [track for track in score.tracks if not track.is_drum]
    if all(track.program == 0 for track in pitched):
        for track in pitched:
            track.program = int(random.choice(RECORD_PROGRAMS))
    return bytes(score.dumps_midi())


def normalised(sound: Sound) -> Sound:
    """Sound with a peak of .8."""
    return sound * np.float32(0.8 / max(float(np.abs(sound).max()), 1e-6))


def fitted(sound: Sound, length: int) -> Sound:
    """The sound cut or padded to a length in samples."""
    return np.pad(sound[:length], (0, max(length - len(sound), 0)))


def rms(sound: Sound) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64)))) if len(sound) else 0.0
