"""The pairs of a catalog: each sample beside the song that used it, matched once and kept on disk: `data/matched/`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan.spec import RollSpec
from pipeline.dataset.sample_identification.heard_files import HeardFile, MusicFile, hear_file
from pipeline.dataset.sample_identification.loops import Floats
from pipeline.dataset.sample_identification.matches import UNKNOWN, SampleMatch
from pipeline.dataset.sample_identification.matching import LEAST_CONFIDENCE, LoopMatch, find_match
from pipeline.errors import UnusableError, UserError
from pipeline.files import fingerprint, write_json
from pipeline.formats import is_recording, printable
from pipeline.parallel import work_on
from pipeline.settings.data import ExecutorSettings
from pipeline.sources.catalog import CatalogRow
from pipeline.transcription.cache import TranscriptionResult

MATCHED_DIRECTORY = Path("data/matched")
FORMAT = 1
"""Counts up when the same pair is matched differently."""
CRASHED = "comparing it with its song crashed"
NO_SONG = "its song is not in the catalog"
WHOLE_BARS = 0.06
"""A loop this near to a usual number of bars has so many."""
CURVE_POINTS = 800
"""Points of the curve of similarity that is kept, at most."""


@dataclass(frozen=True)
class MetreSettings:
    """How bars of scores are counted."""

    spec: RollSpec
    trust_metre: bool
    pair_bars: bool


@dataclass(frozen=True)
class SamplePair:
    """A sample, the song that used it, how bars are counted; and what keeps one of them from being heard, if any."""

    sample: MusicFile
    song: MusicFile
    metre: MetreSettings
    problem: str = ""

    @property
    def path(self) -> Path:
        """Where what was found is kept, or will be."""
        files = [[one.sha256, one.beats, one.beats_per_bar, one.transcription] for one in (self.sample, self.song)]
        metre = [self.metre.spec.to_dict(), self.metre.trust_metre, self.metre.pair_bars]
        return MATCHED_DIRECTORY / f"{fingerprint([FORMAT, files, metre])[:16]}.json"


@dataclass(frozen=True)
class FoundSample:
    """What was found of a pair.

    Attributes
    ----------
    match
        The row of `samples.csv`.
    song
        Where the song lies, as the catalog says it.
    lines
        Bar lines of the song in seconds.
    first_bar
        The number of its first bar.
    curve
        How similar the song is to the loop, along its time.
    level
        The similarity above which it plays.
    song_seconds
        How long the song is.
    notes
        Of each turn of the loop in the song: rows of start, end (seconds) and pitch, moved; empty where no match is
        sure.
    """

    match: SampleMatch
    song: str = ""
    lines: tuple[float, ...] = ()
    first_bar: int = 0
    curve: tuple[float, ...] = ()
    level: float = 0.0
    song_seconds: float = 0.0
    notes: tuple[tuple[float, float, int], ...] = ()


def samples_of(rows: Sequence[CatalogRow]) -> list[CatalogRow]:
    """The rows of samples that a song used, also of one that is listed again for another song."""
    return [row for row in rows if row.kind == "sample" and row.used_in]


def pairs_of(
    rows: Sequence[CatalogRow],
    transcribed: Mapping[str, TranscriptionResult],
    metre: MetreSettings,
    max_minutes: float,
) -> list[SamplePair]:
    """The pairs that a catalog names, in its order.

    Parameters
    ----------
    rows
        Of the catalog, songs with the problems that they have.
    transcribed
        Transcriptions of recordings, samples and songs, by the rows' `where`.
    metre, max_minutes
        How bars are counted, and how long a recording may be.
    """
    songs = {plain_title(row.title): row for row in reversed(rows) if row.kind == "song"}
    pairs = []
    for row in samples_of(rows):
        song = songs.get(plain_title(row.used_in))
        files = [_music_file(one, transcribed, max_minutes) for one in (row, song) if one is not None]
        if song is None:
            pairs.append(SamplePair(files[0], MusicFile("", row.used_in, "", ""), metre, NO_SONG))
            continue
        problem = ""
        if row.problem and not row.sha256:
            problem = row.problem
        elif song.problem:
            problem = f"its song: {song.problem}"
        else:
            lost = [transcribed[one.where] for one in (row, song) if one.where in transcribed]
            problem = next((one.problem for one in lost if one.problem), "")
        pairs.append(SamplePair(files[0], files[1], metre, problem))
    return pairs


def plain_title(title: str) -> str:
    """A title without case and superfluous spaces."""
    return " ".join(title.casefold().split())


def _music_file(row: CatalogRow, transcribed: Mapping[str, TranscriptionResult], max_minutes: float) -> MusicFile:
    heard = transcribed.get(row.where)
    if heard is None or heard.problem or not is_recording(row.where):
        return MusicFile(row.id, row.title, row.where, row.sha256)
    return MusicFile(
        row.id,
        row.title,
        row.where,
        row.sha256,
        tuple(heard.report["beats_seconds"]),
        int(heard.report["beats_per_bar"]),
        str(heard.midi),
        max_minutes,
    )


def match_pairs(pairs: Sequence[SamplePair], executor: ExecutorSettings) -> Iterator[FoundSample]:
    """What was found of each pair, in order; those that are on disk already are not matched again."""
    yield from work_on(pairs, match_pair, _crashed, executor)


def match_pair(pair: SamplePair) -> FoundSample:
    """Match one pair, unless that was done before; never raises on account of what is in a file."""
    if pair.problem:
        return _unknown(pair, pair.problem)
    kept = _read_kept(pair)
    if kept is not None:
        return kept
    try:
        found = _match(pair)
    except UnusableError as error:
        return _unknown(pair, str(error))
    except UserError:
        raise
    except MemoryError:
        return _unknown(pair, "too large for the memory of this machine")
    except Exception as error:  # whatever a hostile file makes a library do, the other pairs go on
        return _unknown(pair, f"can't be made sense of: {type(error).__name__}: {printable(str(error))[:100]}")
    write_json(pair.path, asdict(found))
    return found


def _unknown(pair: SamplePair, problem: str) -> FoundSample:
    return FoundSample(SampleMatch(pair.sample.id, pair.song.id, pair.sample.title, pair.song.title, problem=problem))


_crashed = partial(_unknown, problem=CRASHED)


def _read_kept(pair: SamplePair) -> FoundSample | None:
    """What is on disk of a pair, under the titles that it has now."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        values: dict[str, Any] = json.loads(pair.path.read_text(encoding="utf-8"))
        names = {"sample_title": pair.sample.title, "song_title": pair.song.title}
        names |= {"sample": pair.sample.id, "song": pair.song.id}
        match = dict(values["match"]) | names
        match["places"] = tuple((first, end) for first, end in match["places"])
        lists = {name: tuple(values[name]) for name in ("lines", "curve")}
        notes = tuple((start, end, pitch) for start, end, pitch in values["notes"])
        return FoundSample(**values | lists | {"match": SampleMatch(**match), "notes": notes, "song": pair.song.where})
    return None


def _match(pair: SamplePair) -> FoundSample:
    """Hear both files and match them. Raises `UnusableError`."""
    metre = pair.metre
    sample = _hear(pair.sample, metre, "the sample")
    song = _hear(pair.song, metre, "its song")
    found = find_match(sample.recording, song.recording)
    if found is None:
        raise UnusableError("too short to be compared")
    lines = song.recording.grid.lines
    plays = found.bars_playing(lines)
    match = sample_match(pair, found, sample, song, plays)
    step = max(len(found.loop.similarity) // CURVE_POINTS, 1)
    count = len(found.loop.similarity) // step * step
    curve = found.loop.similarity[:count].reshape(-1, step).mean(axis=1)
    return FoundSample(
        match=match,
        song=pair.song.where,
        lines=tuple(np.round(lines, 4).tolist()),
        first_bar=song.first_bar,
        curve=tuple(np.round(curve, 4).astype(float).tolist()),
        level=round(found.loop.level / 2, 4),
        song_seconds=round(song.recording.seconds, 3),
        notes=() if match.problem else moved_notes(found, sample, lines, plays),
    )


def _hear(file: MusicFile, metre: MetreSettings, what: str) -> HeardFile:
    try:
        return hear_file(file, metre.spec, metre.trust_metre, metre.pair_bars)
    except UnusableError as error:
        raise UnusableError(f"{what}: {error}") from error


def sample_match(
    pair: SamplePair, found: LoopMatch, sample: HeardFile, song: HeardFile, plays: NDArray[np.bool_]
) -> SampleMatch:
    """The row of a pair: bars of the sample and of the song, `unknown` where the match is not sure."""
    grid = sample.recording.grid
    loop_bars = found.loop.seconds / grid.bar_seconds
    usual = [bars for bars in (0.5, 1.0, 2.0, 4.0, 8.0) if abs(loop_bars / bars - 1) < WHOLE_BARS]
    first = int(np.argmin(np.abs(grid.lines - found.loop.start)))
    edges = np.flatnonzero(np.diff(np.concatenate([[0], plays.astype(int), [0]]))).reshape(-1, 2)
    sure = found.confidence >= LEAST_CONFIDENCE and len(edges) > 0
    return SampleMatch(
        sample=pair.sample.id,
        song=pair.song.id,
        sample_title=pair.sample.title,
        song_title=pair.song.title,
        first_bar=sample.first_bar + first,
        end_bar=sample.first_bar + first + max(round(loop_bars), 1),
        semitones=round(found.semitones, 2),
        ratio=round(found.ratio, 4),
        loop_bars=usual[0] if usual else round(loop_bars, 2),
        is_turntable=found.is_turntable,
        places=tuple((song.first_bar + int(begin), song.first_bar + int(end)) for begin, end in edges),
        song_bars=len(plays),
        confidence=round(found.confidence, 4),
        problem="" if sure else UNKNOWN,
    )


def moved_notes(
    found: LoopMatch, sample: HeardFile, lines: Floats, plays: NDArray[np.bool_]
) -> tuple[tuple[float, float, int], ...]:
    """The sample's notes where the song plays them: rows of start, end in seconds of the song, and pitch.

    A short sample goes round, so that its beginning follows its end.
    """
    start, end = found.loop.start, found.loop.start + found.loop.seconds
    again = sample.notes.copy()
    again["start"] += sample.recording.seconds
    again["end"] += sample.recording.seconds
    notes = np.concatenate([sample.notes, again])
    own = notes[(notes["start"] >= start - 0.05) & (notes["start"] < end - 0.05)]
    rows = []
    for note in own:
        length = (min(float(note["end"]), end) - float(note["start"])) / found.ratio
        for moment in found.moments(float(note["start"]) - start).tolist():
            bar = int(np.searchsorted(lines, moment + 0.05, side="right")) - 1
            if 0 <= bar < len(plays) and plays[bar]:
                rows.append((round(moment, 3), round(moment + length, 3), int(note["pitch"]) + round(found.semitones)))
    return tuple(sorted(rows))
