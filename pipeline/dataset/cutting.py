"""One file to the phrases of its songs: everything that happens to a file before it meets the others."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gan.spec import HOLD, ONSET, RollSpec
from pipeline.dataset.near_duplicates import Turns, sketch, song_turns
from pipeline.errors import UnusableError, UserError
from pipeline.formats import printable
from pipeline.scores.grid import quantise, usable_stretches
from pipeline.scores.keys import Key, estimate_key, into_range, pitch_class_durations, read_key, transpose
from pipeline.scores.notes import Notes, in_order, pack, roll_from_notes
from pipeline.scores.reading import read_scores
from pipeline.scores.score import Score
from pipeline.scores.self_similarity import find_sections
from pipeline.scores.tracks import assign, fit_to_tracks
from pipeline.settings.music import TracksSettings, roll_spec
from pipeline.sources.catalog import locate

if TYPE_CHECKING:
    from pipeline.config import Config


def cut_phrases(
    notes: Notes, bars: int, spec: RollSpec, hop_bars: int, min_tracks: int, sections: Sequence[int] = (0,)
) -> tuple[list[int], NDArray[np.uint8]]:
    """Phrases of `spec.bars` bars, a new one every `hop_bars` bars of a section, in which `min_tracks` tracks sound.

    No phrase reaches from one section into the next. A note that is held into a phrase starts at its beginning. A
    phrase that came before in the song is left out.

    Parameters
    ----------
    notes, bars, spec
        A stretch of music in one metre, and how many bars it has.
    hop_bars, min_tracks
        As in the settings of `prepare`.
    sections
        The bars at which its sections begin, the first being 0.

    Returns
    -------
    starts
        The first bar of each phrase.
    packed
        The phrases, packed along pitches: uint8 `[phrases, 2, tracks, bars, steps, ceil(pitches / 8)]`.
    """
    packed = pack(roll_from_notes(notes, spec, bars))
    starts: list[int] = []
    phrases: list[NDArray[np.uint8]] = []
    seen: set[bytes] = set()
    ends = (*sections[1:], bars)
    for start in (
        start
        for begin, end in zip(sections, ends, strict=True)
        for start in range(begin, end - spec.bars + 1, hop_bars)
    ):
        phrase = packed[:, :, start : start + spec.bars].copy()
        if np.count_nonzero(phrase.any(axis=(0, 2, 3, 4))) < min_tracks:
            continue
        phrase[ONSET, :, 0, 0] |= phrase[HOLD, :, 0, 0]
        phrase[HOLD, :, 0, 0] = 0
        digest = phrase_digest(phrase)
        if digest not in seen:
            seen.add(digest)
            starts.append(start)
            phrases.append(phrase)
    shape = (0, *packed.shape[:2], spec.bars, *packed.shape[3:])
    return starts, np.stack(phrases) if phrases else np.zeros(shape, np.uint8)


def phrase_digest(packed: NDArray[np.uint8]) -> bytes:
    """What tells one packed phrase from another: 16 bytes."""
    return hashlib.blake2b(np.ascontiguousarray(packed).tobytes(), digest_size=16).digest()


def song_digest(stretches: list[Notes], spec: RollSpec) -> str:
    """What tells one song from another whatever its key: 32 hex digits out of all its notes.

    Pitched tracks count from their common lowest note, drums as they are.
    """
    digest = hashlib.blake2b(digest_size=16)
    for notes in stretches:
        relative = in_order(notes)
        pitched = np.isin(relative["track"], spec.pitched)
        if pitched.any():
            relative["pitch"] -= np.where(pitched, relative["pitch"][pitched].min(), 0)
        digest.update(b"|" + in_order(relative).tobytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class Recipe:
    """The settings that turn a file into phrases."""

    spec: RollSpec
    tracks: TracksSettings
    trust_metre: bool
    hop_bars: int
    min_tracks: int
    common_key: bool
    by_sections: bool
    """Phrases lie inside the sections of a song, and not across their boundaries."""
    max_file_megabytes: float


def recipe_of(config: Config) -> Recipe:
    """The settings that matter to a file. Raises `UserError` for values that make no sense."""
    for key, value in (("hop_bars", config.prepare.hop_bars), ("min_tracks", config.prepare.min_tracks)):
        if value < 1:
            raise UserError(f"prepare.{key} must be at least 1, not {value}.")
    if config.prepare.min_tracks > len(config.tracks.tracks):
        raise UserError(
            f"prepare.min_tracks={config.prepare.min_tracks} is more than the {len(config.tracks.tracks)} tracks of "
            f"the track set {config.tracks.name}."
        )
    return Recipe(
        spec=roll_spec(config.roll, config.tracks, config.data.metre),
        tracks=config.tracks,
        trust_metre=config.data.trust_metre,
        hop_bars=config.prepare.hop_bars,
        min_tracks=config.prepare.min_tracks,
        common_key=config.prepare.key == "common",
        by_sections=config.prepare.cut == "structure",
        max_file_megabytes=config.collect.max_file_megabytes,
    )


@dataclass(frozen=True)
class Source:
    """One file to read: the id and path that the catalog has, and what it says about the music."""

    id: str
    path: str
    title: str = ""
    """Empty takes the file's name."""
    bpm: float | None = None
    """Its tempo, where the catalog says so."""
    key: str = ""
    """Its key, such as `G major`, where the catalog says so."""
    split: str = ""
    """`train`, `validation` or `test`, where the catalog says so."""
    transcription: str = ""
    """Of a recording: the MIDI file that it was transcribed to."""


@dataclass(frozen=True)
class Song:
    """The phrases of one song, and what is known of it."""

    id: str
    title: str
    path: str
    split: str
    """`train`, `validation` or `test` where the catalog says so, else empty."""
    digest: str
    """Equal for the same music in any key."""
    bars: int
    key: str
    """Such as `G major`; empty where no pitch stands out."""
    shift: int
    """Semitones that its pitched tracks were moved by."""
    tempo_bpm: float
    sections: tuple[int, ...]
    """The bars of the song that its sections begin at."""
    starts: tuple[int, ...]
    """The bar of the song that each phrase starts at."""
    phrases: NDArray[np.uint8]
    """Packed along pitches, uint8 `[phrases, 2, tracks, bars, steps, ceil(pitches / 8)]`."""
    sketches: NDArray[np.uint64]
    """What finds the copies of each phrase, as `copies.sketch` makes it."""
    turns: Turns
    """Hashes of each pitched voice's melodic turns."""
    notes: tuple[int, ...]
    """Notes of each track."""
    sounding: tuple[int, ...]
    """Steps in which each track sounds."""
    voices: tuple[int, ...]
    """Pitches that sound, summed over the steps of each track."""
    programs: tuple[Counter[int], ...]
    """Notes by General MIDI program, for each track."""


@dataclass(frozen=True)
class Reject:
    """A file, or one tune of it, that gives no phrases, and why."""

    path: str
    reason: str


@dataclass
class Reading:
    """What came of one file."""

    songs: list[Song] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)


def prepare_file(source: Source, recipe: Recipe) -> Reading:
    """Read one file and cut its songs into phrases; never raises on account of what is in the file."""
    try:
        return _read_file(source, recipe)
    except UnusableError as error:
        reason = str(error)
    except MemoryError:
        reason = "too large for the memory of this machine"
    except Exception as error:  # whatever a hostile file makes a library do, the other files go on
        reason = f"can't be made sense of: {type(error).__name__}: {printable(str(error))[:100]}"
    return Reading(rejects=[Reject(source.path, reason)])


def _read_file(source: Source, recipe: Recipe) -> Reading:
    """The songs in one file, and the tunes of it that are none. Raises `UnusableError` where it can't be read."""
    reading = Reading()
    if source.transcription:
        written = read_scores(Path(source.transcription), recipe.max_file_megabytes)
        scores = [fit_to_tracks(score, recipe.tracks) for score in written]
    else:
        scores = read_scores(locate(source.path), recipe.max_file_megabytes)
    for number, score in enumerate(scores, start=1):
        one = source
        if len(scores) > 1:  # what the catalog says of the file holds for none of its tunes
            one = Source(f"{source.id}-{number}", f"{source.path}#{number}", split=source.split)
        try:
            reading.songs.append(prepare_song(one, score, recipe))
        except UnusableError as error:
            reading.rejects.append(Reject(one.path, str(error)))
    return reading


def prepare_song(source: Source, score: Score, recipe: Recipe) -> Song:
    """The phrases of one score; title, tempo and key are those that the catalog names, where it does.

    Raises
    ------
    UnusableError
        It has none, with one plain reason.
    """
    spec = recipe.spec
    voices = assign(score, recipe.tracks)
    stretches = usable_stretches(score, spec, recipe.trust_metre)
    tables = [quantise(voices, stretch, spec) for stretch in stretches]
    if not any(len(table) for table in tables):
        raise UnusableError("no notes")
    digest = song_digest(tables, spec)
    turns = song_turns(voices, stretches, spec)
    key = _named_key(source.key) or estimate_key(
        np.sum([pitch_class_durations(table, spec) for table in tables], axis=0)
    )
    shift = key.shift_to_common if key and recipe.common_key else 0
    sections = [
        find_sections(table, stretch.bars, spec) if recipe.by_sections else [0]
        for table, stretch in zip(tables, stretches, strict=True)
    ]
    tables = [into_range(transpose(table, shift, spec), spec) for table in tables]
    cut = [
        cut_phrases(table, stretch.bars, spec, recipe.hop_bars, recipe.min_tracks, own)
        for table, stretch, own in zip(tables, stretches, sections, strict=True)
    ]
    starts = [stretch.first_bar + start for stretch, (own, _) in zip(stretches, cut, strict=True) for start in own]
    if not starts:
        raise UnusableError(f"no {spec.bars} bars in which {recipe.min_tracks} tracks sound")
    programs: tuple[Counter[int], ...] = tuple(Counter() for _ in spec.tracks)
    for voice in voices:
        programs[voice.track][voice.program] += len(voice.events)
    everything = np.concatenate(tables)
    return Song(
        id=source.id,
        title=score.title if source.title in ("", printable(Path(source.path).stem)) else source.title,
        path=source.path,
        split=source.split,
        digest=digest,
        bars=sum(stretch.bars for stretch in stretches),
        key=str(key) if key else "",
        shift=shift,
        tempo_bpm=round(source.bpm or score.mean_bpm, 2),
        sections=tuple(
            stretch.first_bar + begin for stretch, own in zip(stretches, sections, strict=True) for begin in own
        ),
        starts=tuple(starts),
        phrases=np.concatenate([packed for _, packed in cut]),
        sketches=np.concatenate([sketch(table, *one, spec) for table, one in zip(tables, cut, strict=True)]),
        turns=turns,
        notes=tuple(np.bincount(everything["track"], minlength=spec.num_tracks).tolist()),
        sounding=tuple(sum(_sounding_steps(table, track) for table in tables) for track in range(spec.num_tracks)),
        voices=tuple(int(everything["length"][everything["track"] == track].sum()) for track in range(spec.num_tracks)),
        programs=programs,
    )


def _named_key(text: str) -> Key | None:
    """The key that a catalog names; None where it names none that there is."""
    with suppress(UserError):
        return read_key(text)
    return None


def _sounding_steps(notes: Notes, track: int) -> int:
    """Steps in which a track sounds."""
    own = notes[notes["track"] == track]
    if not len(own):
        return 0
    edges = np.zeros(int((own["onset"] + own["length"]).max()) + 1, np.int64)
    np.add.at(edges, own["onset"], 1)
    np.add.at(edges, own["onset"] + own["length"], -1)
    return int(np.count_nonzero(np.cumsum(edges)))
