"""One file to phrases: its songs read, quantised, moved to the common key and cut into phrases of a few bars.

Everything that happens to a file before it meets the others.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gan.chords import CHORD_NUMBERS
from gan.spec import HOLD, ONSET, RollSpec
from pipeline.dataset.near_duplicates import minhash_signatures
from pipeline.dataset.performances import PlayedTable, played_table
from pipeline.dataset.same_tune import TuneNgrams, interval_ngrams
from pipeline.dataset.store import Reject
from pipeline.errors import UnusableError, UserError
from pipeline.formats import printable
from pipeline.scores.chords.symbols import ChordRows, transpose_rows, unknown_chords
from pipeline.scores.keys import Key, estimate_key, into_range, pitch_class_durations, read_key, transpose_notes
from pipeline.scores.notes import Notes, in_order, pack_rolls, roll_from_notes
from pipeline.scores.quantisation import BarSpan, MetreError, mend_metre, quantise, quantise_chords, usable_spans
from pipeline.scores.reading.score_files import read_scores
from pipeline.scores.score import NAMED_INSTRUMENTS, Score
from pipeline.scores.structure.self_similarity import find_sections
from pipeline.scores.structure.song_plan import NEW, SongPlan, plan_of_song
from pipeline.scores.tracks import (
    assign,
    fit_to_tracks,
    fragmentary_tunes,
    known_tracks,
    leaping_tracks,
    only_heard,
    tells_tracks_apart,
)
from pipeline.settings.data import TracksSettings, roll_spec
from pipeline.sources.catalog import locate

if TYPE_CHECKING:
    from pipeline.config import Config


LEAST_WEIGHT = 0.25
"""A phrase of a transcription that was heard with less confidence is left out."""
TINY = 1e-3
"""Bars; a phrase that begins so close to a bar line begins on it."""


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
    packed = pack_rolls(roll_from_notes(notes, spec, bars))
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


def phrase_chords(chords: ChordRows, starts: Sequence[int], spec: RollSpec) -> ChordRows:
    """The chords of phrases that begin at these bars, `[phrases, half_bars, 3]`, out of those of a song."""
    found = [chords[2 * start : 2 * start + spec.half_bars] for start in starts]
    return np.stack(found) if found else unknown_chords(0).reshape(0, spec.half_bars, CHORD_NUMBERS)


def surely_heard(
    cut: tuple[list[int], NDArray[np.uint8]], span: BarSpan, spec: RollSpec, confidence: Sequence[float], bar: float
) -> tuple[list[int], NDArray[np.uint8], list[float]]:
    """The phrases of a span that were heard surely enough, as `cut_phrases` gives them, and how much each counts.

    That is the mean confidence of its bars, 1 where nothing is said of them: `confidence` is that of the bars of a
    transcription, each `bar` quarter notes long.
    """
    starts, packed = cut
    weights = []
    for start in starts:
        begin = (span.start + start * spec.quarters_per_bar) / bar
        end = begin + spec.bars * spec.quarters_per_bar / bar
        own = confidence[int(begin + TINY) : math.ceil(end - TINY)]
        weights.append(round(sum(own) / len(own), 2) if own else 1.0)
    kept = np.flatnonzero(np.array(weights) >= LEAST_WEIGHT)
    return [starts[place] for place in kept], packed[kept], [weights[place] for place in kept]


def returns_in(span: BarSpan, spec: RollSpec, returns: Sequence[int], bar: float) -> NDArray[np.int64] | None:
    """For each bar of a span the earlier one that it sounds like, `NEW` without one; None where nobody knows.

    `returns` are those of the bars of a transcription, each `bar` quarter notes long.
    """
    first = round(span.start / bar)
    if bar != spec.quarters_per_bar or abs(first * bar - span.start) > TINY or not returns:
        return None
    own = np.full(span.bars, NEW, np.int64)
    told = np.array(returns[first : first + span.bars], np.int64)
    own[: len(told)] = np.where(told >= first, told - first, NEW)
    return own


def phrase_digest(packed: NDArray[np.uint8]) -> bytes:
    """Hash of a packed phrase (BLAKE2b), 16 bytes: what tells one phrase from another."""
    return hashlib.blake2b(np.ascontiguousarray(packed).tobytes(), digest_size=16).digest()


def song_digest(spans: list[Notes], spec: RollSpec) -> str:
    """Hash of all notes of a song whatever its key (BLAKE2b), 32 hex digits: what tells one song from another.

    Pitched tracks count from their common lowest note, drums as they are.
    """
    digest = hashlib.blake2b(digest_size=16)
    for notes in spans:
        relative = in_order(notes)
        pitched = np.isin(relative["track"], spec.pitched)
        if pitched.any():
            relative["pitch"] -= np.where(pitched, relative["pitch"][pitched].min(), 0)
        digest.update(b"|" + in_order(relative).tobytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class CuttingSettings:
    """The part of the settings that matters to a file on its way to phrases."""

    spec: RollSpec
    tracks: TracksSettings
    trust_metre: bool
    pair_bars: bool
    hop_bars: int
    min_tracks: int
    common_key: bool
    by_sections: bool
    """Phrases lie inside the sections of a song, and not across their boundaries."""
    max_file_megabytes: float
    play_repeats: bool = True
    """Repeats of notation are played out."""
    unknown: list[str] | None = None
    """Tracks of which songs say nothing where they do not play."""


def cutting_settings(config: Config) -> CuttingSettings:
    """The settings that matter to a file. Raises `UserError` for values that make no sense."""
    for key, value in (("hop_bars", config.prepare.hop_bars), ("min_tracks", config.prepare.min_tracks)):
        if value < 1:
            raise UserError(f"prepare.{key} must be at least 1, not {value}.")
    if config.prepare.min_tracks > len(config.tracks.tracks):
        raise UserError(
            f"prepare.min_tracks={config.prepare.min_tracks} is more than the {len(config.tracks.tracks)} tracks of "
            f"the track set {config.tracks.name}."
        )
    names = [track.name for track in config.tracks.tracks]
    strange = [name for name in config.prepare.unknown or () if name not in names]
    if strange:
        raise UserError(f"prepare.unknown must name tracks of {', '.join(names)}, not {', '.join(strange)}.")
    return CuttingSettings(
        spec=roll_spec(config.roll, config.tracks, config.data.metre),
        tracks=config.tracks,
        trust_metre=config.data.trust_metre,
        pair_bars=config.data.pair_bars,
        hop_bars=config.prepare.hop_bars,
        min_tracks=config.prepare.min_tracks,
        common_key=config.prepare.key == "common",
        by_sections=config.prepare.cut == "structure",
        max_file_megabytes=config.collect.max_file_megabytes,
        play_repeats=config.prepare.play_repeats,
        unknown=config.prepare.unknown,
    )


@dataclass(frozen=True)
class SourceFile:
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
    remarks: tuple[str, ...] = ()
    """Of a recording: what was mended or guessed when it was transcribed."""
    known: tuple[str, ...] | None = None
    """Of a recording: the tracks that its transcription teaches; None where it does not say so."""
    confidence: tuple[float, ...] = ()
    """Of a recording: how surely each bar of its transcription was heard, 0 to 1."""
    returns: tuple[int, ...] = ()
    """Of a recording: for each bar of its transcription the earlier one that it sounds like, `NEW` without one."""


@dataclass(frozen=True)
class PreparedSong:
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
    plan: SongPlan
    """Of its longest stretch in the metre."""
    played: PlayedTable
    """How notes of that stretch are played; empty where that says nothing."""
    starts: tuple[int, ...]
    """The bar of the song that each phrase starts at."""
    weights: tuple[float, ...]
    """How much each phrase counts, 1 or less: of a transcription, how surely it was heard."""
    phrases: NDArray[np.uint8]
    """Packed along pitches, uint8 `[phrases, 2, tracks, bars, steps, ceil(pitches / 8)]`."""
    signatures: NDArray[np.uint64]
    """What finds near-duplicates of each phrase, as `minhash_signatures` makes it."""
    ngrams: TuneNgrams
    """Hashes of the interval n-grams of each pitched part."""
    chords: ChordRows
    """Of each half bar of the phrases, moved as they are: int8 `[phrases, half_bars, 3]`, see `gan.chords`."""
    has_written_chords: bool
    """Its chords are those that its chord symbols name."""
    notes: tuple[int, ...]
    """Notes of each track."""
    sounding: tuple[int, ...]
    """Steps in which each track sounds."""
    pitch_steps: tuple[int, ...]
    """Pitches that sound, summed over the steps of each track."""
    programs: tuple[Counter[int], ...]
    """Notes by General MIDI program, for each track."""
    known: tuple[bool, ...]
    """Of each track whether the song says what it plays."""
    remarks: tuple[str, ...] = ()
    """What was mended or guessed when its file was read."""


@dataclass
class PreparedFile:
    """What came of one file: its songs, and tunes of it that give no phrases."""

    songs: list[PreparedSong] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)


def prepare_file(source: SourceFile, settings: CuttingSettings) -> PreparedFile:
    """Read one file and cut its songs into phrases; never raises on account of what is in the file."""
    try:
        return _read_file(source, settings)
    except UnusableError as error:
        reason = str(error)
    except MemoryError:
        reason = "too large for the memory of this machine"
    except Exception as error:  # whatever a hostile file makes a library do, the other files go on
        reason = f"can't be made sense of: {type(error).__name__}: {printable(str(error))[:100]}"
    return PreparedFile(rejects=[Reject(source.path, reason)])


def _read_file(source: SourceFile, settings: CuttingSettings) -> PreparedFile:
    """The songs in one file, and the tunes of it that are none. Raises `UnusableError` where it can't be read."""
    prepared = PreparedFile()
    if source.transcription:
        written = read_scores(Path(source.transcription), settings.max_file_megabytes, settings.play_repeats)
        beaten = [score.in_dotted_beats() if settings.spec.is_compound else score for score in written]
        scores = beaten if _is_told_apart(source, settings) else [fit_to_tracks(one, settings.tracks) for one in beaten]
    else:
        scores = read_scores(locate(source.path), settings.max_file_megabytes, settings.play_repeats)
    for number, score in enumerate(scores, start=1):
        one = source
        if len(scores) > 1:  # what the catalog says of the file holds for none of its tunes
            one = SourceFile(f"{source.id}-{number}", f"{source.path}#{number}", split=source.split)
        try:
            prepared.songs.append(prepare_song(one, score, settings))
        except MetreError as error:
            reason = str(error)
            if source.transcription:
                reason = (
                    f"sounds like {error.found}; {error.advice}, transcribe.recognise_metre=false takes it as it is"
                )
            prepared.rejects.append(Reject(one.path, reason))
        except UnusableError as error:
            prepared.rejects.append(Reject(one.path, str(error)))
    return prepared


def _is_told_apart(source: SourceFile, settings: CuttingSettings) -> bool:
    """Whether the file is a transcription that says which tracks of the track set it teaches."""
    return source.known is not None and tells_tracks_apart(settings.tracks)


def prepare_song(source: SourceFile, score: Score, settings: CuttingSettings) -> PreparedSong:
    """The phrases of one score; title, tempo and key are those that the catalog names, where it does.

    Raises
    ------
    UnusableError
        It has none, with one plain reason.
    """
    spec, tracks = settings.spec, settings.tracks
    heard = source.known if _is_told_apart(source, settings) else None
    if heard is not None:
        score, tracks = only_heard(score, heard), replace(tracks, assign="name")
    parts = assign(score, tracks)
    if heard is not None:
        parts = [replace(one, is_line=one.track == tracks.lead) for one in parts]
    heard_bar = score.metres[0].bar_length
    score = mend_metre(score, spec) if settings.trust_metre else score
    spans = usable_spans(score, spec, settings.trust_metre, settings.pair_bars)
    tables = [quantise(parts, span, spec) for span in spans]
    if not any(len(table) for table in tables):
        raise UnusableError("no notes")
    longest = max(range(len(spans)), key=lambda index: spans[index].bars)
    told = played_table(parts, spans[longest], tables[longest], spec)[: 0 if source.transcription else None]
    digest = song_digest(tables, spec)
    ngrams = interval_ngrams(parts, spans, spec)
    key = _named_key(source.key) or estimate_key(
        np.sum([pitch_class_durations(table, spec) for table in tables], axis=0)
    )
    shift = key.shift_to_common if key and settings.common_key else 0
    sections = [
        find_sections(table, span.bars, spec) if settings.by_sections else [0]
        for table, span in zip(tables, spans, strict=True)
    ]
    chords = [quantise_chords(score, table, span, spec) for table, span in zip(tables, spans, strict=True)]
    tables = [into_range(transpose_notes(table, shift, spec), spec) for table in tables]
    misheard: dict[str, list[int]] = {}
    if heard is not None:
        misheard = _misheard_tracks(tables, spec)
        odd = [track for tracks in misheard.values() for track in tracks]
        parts = [part for part in parts if part.track not in odd]
        tables = [table[~np.isin(table["track"], odd)] for table in tables]
        heard = tuple(name for name in heard if name not in [spec.names[track] for track in odd])
        if not parts:
            raise UnusableError(f"heard too badly: all that it teaches {' or '.join(misheard)}")

    def cut_all(min_tracks: int) -> list[tuple[list[int], NDArray[np.uint8]]]:
        return [
            cut_phrases(table, span.bars, spec, settings.hop_bars, min_tracks, own)
            for table, span, own in zip(tables, spans, sections, strict=True)
        ]

    known = known_tracks(
        parts, tracks, is_transcription=bool(source.transcription), unknown=settings.unknown, heard=heard
    )
    # drums alone, or what is heard of a recording, are all that such a song can say
    says_no_more = heard is not None or all(settings.spec.tracks[part.track].is_drum for part in parts)
    cut = cut_all(min(settings.min_tracks, sum(known)) if says_no_more else settings.min_tracks)
    starts = [span.first_bar + start for span, (own, _) in zip(spans, cut, strict=True) for start in own]
    if not starts:
        homeless = sum(len(part.events) > 0 for part in score.parts) - len(
            {id(one) for own in parts for one in own.parts}
        )
        raise UnusableError(_too_few_tracks(tables, [packed for _, packed in cut_all(1)], homeless, settings))
    heard_cut = [
        surely_heard(one, span, spec, source.confidence, heard_bar) for span, one in zip(spans, cut, strict=True)
    ]
    doubtful = len(starts) - sum(len(own) for own, _, _ in heard_cut)
    if doubtful == len(starts):
        raise UnusableError(f"heard too badly: no phrase has a confidence of {LEAST_WEIGHT:g}")
    cut = [(own, packed) for own, packed, _ in heard_cut]
    starts = [span.first_bar + start for span, (own, _) in zip(spans, cut, strict=True) for start in own]
    doubts: tuple[str, ...] = (f"phrases that were heard too badly are left out ({doubtful})",) if doubtful else ()
    for why, own in misheard.items():
        doubts += (f"nothing is learnt of what {why} ({', '.join(spec.names[track] for track in own)})",)
    programs: tuple[Counter[int], ...] = tuple(Counter() for _ in spec.tracks)
    for part in parts:
        programs[part.track][part.program] += len(part.events)
    everything = np.concatenate(tables)
    return PreparedSong(
        id=source.id,
        title=_title(source, score),
        path=source.path,
        split=source.split,
        digest=digest,
        bars=sum(span.bars for span in spans),
        key=str(key) if key else "",
        shift=shift,
        tempo_bpm=round(source.bpm or score.mean_bpm, 2),
        sections=tuple(span.first_bar + begin for span, own in zip(spans, sections, strict=True) for begin in own),
        plan=plan_of_song(
            tables[longest],
            spans[longest].bars,
            spec,
            sections[longest],
            transpose_rows(chords[longest][0], key.shift_to_common) if key else None,
            key is not None and key.is_minor,
            heard=source.known is not None,
            sounds_like=returns_in(spans[longest], spec, source.returns, heard_bar),
        ),
        played=told,
        starts=tuple(starts),
        weights=tuple(weight for _, _, weights in heard_cut for weight in weights),
        phrases=np.concatenate([packed for _, packed in cut]),
        signatures=np.concatenate(
            [minhash_signatures(table, *one, spec) for table, one in zip(tables, cut, strict=True)]
        ),
        ngrams=ngrams,
        chords=np.concatenate(
            [
                phrase_chords(transpose_rows(rows, shift), own, spec)
                for (rows, _), (own, _) in zip(chords, cut, strict=True)
            ]
        ),
        has_written_chords=all(written for _, written in chords),
        notes=tuple(np.bincount(everything["track"], minlength=spec.num_tracks).tolist()),
        sounding=tuple(sum(_sounding_steps(table, track) for table in tables) for track in range(spec.num_tracks)),
        pitch_steps=tuple(
            int(everything["length"][everything["track"] == track].sum()) for track in range(spec.num_tracks)
        ),
        programs=programs,
        known=known,
        remarks=(*source.remarks, *doubts, *_remarks_that_matter(score, settings)),
    )


def _misheard_tracks(tables: list[Notes], spec: RollSpec) -> dict[str, list[int]]:
    """Tracks of a transcription that are unlike such tracks of real music, by what is wrong with them."""
    leaping = leaping_tracks(tables, spec.names)
    snatches = [one for one in fragmentary_tunes(tables, spec.names, spec.steps_per_bar) if one not in leaping]
    found = {"leaps too often": leaping, "is heard in snatches": snatches}
    return {why: tracks for why, tracks in found.items() if tracks}


def _title(source: SourceFile, score: Score) -> str:
    """A song's title: the catalog's, where that is more than the file's name; else the score's own."""
    name = printable(Path(source.path).stem)
    if source.transcription:  # whose score is called as the cache calls its file
        return source.title or name
    return score.title if source.title in ("", name) else source.title


def _too_few_tracks(
    tables: list[Notes], phrases: list[NDArray[np.uint8]], homeless: int, settings: CuttingSettings
) -> str:
    """Why a song has no phrase in which enough tracks sound, and the setting that takes those it has.

    `homeless` of its parts have no track in the track set.
    """
    sounding = len(np.unique(np.concatenate(tables)["track"]))
    together = max((int(one.any(axis=(1, 3, 4, 5)).sum(axis=1).max()) for one in phrases if len(one)), default=0)
    asked = settings.min_tracks
    takes = f"; prepare.min_tracks={together} takes it" if together else ""
    if homeless > 0:
        fit = "1 part fits" if homeless == 1 else f"{homeless} parts fit"
        takes = f" ({fit} no track of {settings.tracks.name}){takes}"
    if sounding == together < asked:
        return f"{'one track' if sounding == 1 else f'{sounding} tracks'} only{takes}"
    return f"no {settings.spec.bars} bars in which {asked} tracks sound{takes}"


def _remarks_that_matter(score: Score, settings: CuttingSettings) -> tuple[str, ...]:
    """What was mended or guessed; where tracks are found by register or name, instruments make no difference."""
    by_program = settings.tracks.assign in ("program", "melody")
    return tuple(remark for remark in score.remarks if by_program or not remark.startswith(NAMED_INSTRUMENTS))


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
