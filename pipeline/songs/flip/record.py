"""A record to sample from: the sound of a recording or a score, with its beats, notes, chords, key and tuning."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gan.chords import QUALITY
from gan.spec import RollSpec
from pipeline.audio.decoding import SAMPLE_RATE_HZ, read_channels
from pipeline.audio.synthesizers import Sound
from pipeline.errors import UnusableError, UserError
from pipeline.formats import is_recording, printable
from pipeline.progress import say
from pipeline.scores.chords.symbols import UNKNOWN, ChordRows
from pipeline.scores.keys import Key, estimate_key, pitch_class_durations
from pipeline.scores.notes import Notes, make_notes
from pipeline.scores.quantisation import BarSpan, MetreError, mend_metre, quantise, quantise_chords, usable_spans
from pipeline.scores.reading.score_files import read_scores
from pipeline.scores.score import Score
from pipeline.scores.tracks import AssignedPart
from pipeline.settings.render import RenderSettings
from pipeline.settings.transcribe import TranscribeSettings
from pipeline.songs.flip.score_sound import score_sound
from pipeline.songs.flip.tuning import Tuning, find_tuning
from pipeline.songs.given_song import given_path
from pipeline.transcription.beats.grid import Beats
from pipeline.transcription.cache import TranscriptionResult, recording_of, transcribe_one

RECORD_NOTE = np.dtype(
    [
        ("start", np.float64),
        ("end", np.float64),
        ("onset", np.float64),
        ("duration", np.float64),
        ("pitch", np.int16),
        ("velocity", np.int16),
        ("track", "U32"),
    ],
    align=True,
)
"""A note of a record: start and end in seconds of its sound, onset and duration in quarter notes from its bar 0, MIDI
pitch and velocity, and the name of the part that plays it."""

RecordNotes = NDArray[np.void]
"""A structured array `[notes]` of dtype `RECORD_NOTE`, by onset."""


@dataclass(frozen=True, eq=False)
class Record:
    """A recording or a score as something to cut loops from.

    Attributes
    ----------
    name, path
        Of the file.
    source
        What the user set, such as `generate.flip=old.mp3`: errors begin with it.
    sound
        Float32 `[samples, 2]` at `SAMPLE_RATE_HZ`.
    beats
        Every beat in seconds; the first is the line of bar 0, which may lie before the sound.
    num_bars
        Bars from there on in which notes begin; the last may last longer than the sound.
    quarters_per_beat
        1, or 1.5 where beats are dotted.
    notes, hits
        Pitched notes and drum hits of these bars: of a recording as transcribed, of a score its own.
    chords, chord_confidence
        The chord of each half bar, int8 `[2 * num_bars, 3]`, and how surely it was heard, float64 `[2 * num_bars]` 0 to
        1; of a score all that are known are sure.
    tuning
        How far its notes lie above those of A = 440 Hz.
    key
        As estimated, None where no pitch stands out.
    score, span
        All that is read, and which bars of it are those of the record, counted in quarter notes of the score.
    remarks
        What was mended, guessed or left out, a sentence part each.
    """

    name: str
    path: Path
    source: str
    sound: Sound
    beats: Beats
    num_bars: int
    quarters_per_beat: float
    notes: RecordNotes
    hits: RecordNotes
    chords: ChordRows
    chord_confidence: NDArray[np.float64]
    tuning: Tuning
    key: Key | None
    score: Score
    span: BarSpan
    remarks: tuple[str, ...] = ()

    @property
    def beats_per_bar(self) -> int:
        """Beats of each bar."""
        return self.beats.beats_per_bar

    @property
    def bpm(self) -> float:
        """The tempo of most of it, in quarter notes a minute."""
        return self.beats.bpm * self.quarters_per_beat

    @property
    def tuning_cents(self) -> float:
        """How far its notes lie above those of A = 440 Hz, in cents."""
        return self.tuning.cents

    @property
    def seconds(self) -> float:
        """How long it sounds."""
        return len(self.sound) / SAMPLE_RATE_HZ

    @property
    def bar_seconds(self) -> NDArray[np.float64]:
        """Where each bar begins and the last ends, float64 `[num_bars + 1]`."""
        return self.beats.moments(np.arange(self.num_bars + 1) * self.beats_per_bar)

    @property
    def whole_bars(self) -> range:
        """The bars that sound from their beginning to their end."""
        lines = self.bar_seconds
        slack = 0.5 / SAMPLE_RATE_HZ
        whole = np.flatnonzero((lines[:-1] > -slack) & (lines[1:] < self.seconds + slack))
        return range(int(whole[0]), int(whole[-1]) + 1) if len(whole) else range(0)


def read_record(
    value: str,
    key: str,
    spec: RollSpec,
    max_megabytes: float,
    transcribe: TranscribeSettings,
    render: RenderSettings,
) -> Record:
    """Read a recording, which is transcribed unless that was done before, or a score, which is played.

    Parameters
    ----------
    value, key
        The path, and the setting that has it.
    spec
        Of the generator; its metre is the record's.
    max_megabytes
        Larger scores are refused.
    transcribe
        What is known of a recording, and how it is transcribed; its `max_minutes` counts for scores too.
    render
        The synthesizer and the SoundFont that scores are played with.

    Raises
    ------
    UserError
        One sentence about what is wrong with the file.
    """
    path, source = given_path(value, key), f"{key}={value}"
    try:
        if is_recording(path.name):
            return _read_recording(path, source, spec, max_megabytes, transcribe)
        return _read_score(path, source, spec, max_megabytes, transcribe.max_minutes, render)
    except MetreError as error:
        raise UserError(
            f"{source} is in {error.found}, and this checkpoint makes {spec.metre}: flip a record in {spec.metre}."
        ) from error
    except UnusableError as error:
        limit = "transcribe.max_minutes"
        advice = f"cut out the part that you want, or raise {limit}" if limit in str(error) else "flip another record"
        raise UserError(f"{source} can't be flipped: {error}; {advice}.") from error
    except UserError:
        raise
    except Exception as error:  # whatever a hostile file makes a library do
        reason = f"{type(error).__name__}: {printable(str(error))[:100]}"
        raise UserError(f"{source} can't be made sense of ({reason}); flip another record.") from error


def _read_recording(
    path: Path, source: str, spec: RollSpec, max_megabytes: float, settings: TranscribeSettings
) -> Record:
    """A record of a recording. Raises `UnusableError`."""
    say(f"{path.name} is a recording: what it plays is written down first.")
    score, found = _transcribed(path, spec, max_megabytes, settings)
    remarks: tuple[str, ...] = ()
    try:
        span = _longest_span(score, spec)
    except MetreError as error:  # often only its bars are wrong, and its beats are what loops are cut by
        if not settings.recognise_metre:
            raise
        plain = replace(settings, recognise_metre=False)
        score, found = _transcribed(path, spec, max_megabytes, plain)
        remarks = (f"sounds like {error.found}: its beats are counted in bars of {spec.metre} all the same",)
        span = _longest_span(score, spec)
    heard = Beats(np.array(found.report["beats_seconds"]), int(found.report["beats_per_bar"]))
    beats = heard.moments(_beat_quarters(span, spec) / spec.quarters_per_beat)
    sound = read_channels(path, settings.max_minutes)
    record = _record(path, source, sound, score, span, beats, spec, found)
    return replace(record, remarks=(*record.remarks, *remarks))


def _transcribed(
    path: Path, spec: RollSpec, max_megabytes: float, settings: TranscribeSettings
) -> tuple[Score, TranscriptionResult]:
    """The score of a recording, and its transcription. Raises `UnusableError`."""
    recording = recording_of(path, settings, spec.beats_per_bar, quarters_per_beat=spec.quarters_per_beat)
    found = transcribe_one(recording)
    if found.problem:
        raise UnusableError(found.problem)
    score = read_scores(found.midi, max_megabytes)[0]
    return (score.in_dotted_beats() if spec.is_compound else score), found


def _read_score(
    path: Path, source: str, spec: RollSpec, max_megabytes: float, max_minutes: float, render: RenderSettings
) -> Record:
    """A record of a score. Raises `UnusableError`."""
    scores = read_scores(path, max_megabytes)
    score = mend_metre(scores[0], spec)
    span = _longest_span(score, spec)
    if float(score.seconds_at(np.array([score.end]))[0]) > 60 * max_minutes:
        raise UnusableError(f"lasts more than transcribe.max_minutes={max_minutes:g}")
    beats = score.seconds_at(_beat_quarters(span, spec))
    sound = score_sound(path, score, render)
    if not sound.any():
        raise UnusableError("nothing is heard of it")
    rest = int(np.ceil(beats[-1] * SAMPLE_RATE_HZ)) - len(sound)  # a synthesizer may stop at the end of the last note
    return _record(path, source, np.pad(sound, ((0, max(rest, 0)), (0, 0))), score, span, beats, spec)


def _longest_span(score: Score, spec: RollSpec) -> BarSpan:
    """The longest stretch of bars in the metre of `spec`. Raises `UnusableError` where there is none."""
    if not any(len(part.events) for part in score.parts):
        raise UnusableError("there are no notes in it")
    one_bar = RollSpec(spec.tracks, 1, spec.beats_per_bar, spec.steps_per_beat, is_compound=spec.is_compound)
    return max(usable_spans(score, one_bar, trust_metre=True, pair_bars=True), key=lambda span: span.bars)


def _beat_quarters(span: BarSpan, spec: RollSpec) -> NDArray[np.float64]:
    """Where the beats of a stretch lie in its score, in quarter notes, `[bars * beats_per_bar + 1]`."""
    return np.asarray(span.start + np.arange(span.bars * spec.beats_per_bar + 1) * spec.quarters_per_beat)


def _record(
    path: Path,
    source: str,
    sound: Sound,
    score: Score,
    span: BarSpan,
    beats: NDArray[np.float64],
    spec: RollSpec,
    heard: TranscriptionResult | None = None,
) -> Record:
    """A record of what was read and heard. Raises `UnusableError` where no bar sounds from beginning to end."""
    grid = Beats(beats, spec.beats_per_bar)
    on_grid = _pitched_on_grid(score, span, spec)
    chords, _ = quantise_chords(score, on_grid, span, spec)
    confidence = (chords[:, QUALITY] != UNKNOWN).astype(np.float64)
    told = [] if heard is None else heard.report.get("chord_confidence", [])
    if told:
        offset = 2 * round(span.start / spec.quarters_per_bar)
        own = np.array(told, np.float64)[offset : offset + len(confidence)]
        confidence = np.pad(own, (0, len(confidence) - len(own)))
    record = Record(
        name=path.name,
        path=path,
        source=source,
        sound=sound,
        beats=grid,
        num_bars=span.bars,
        quarters_per_beat=spec.quarters_per_beat,
        notes=_timed_notes(score, span, grid, spec, is_drum=False),
        hits=_timed_notes(score, span, grid, spec, is_drum=True),
        chords=chords,
        chord_confidence=confidence,
        tuning=find_tuning(sound, SAMPLE_RATE_HZ),
        key=estimate_key(pitch_class_durations(on_grid, spec)),
        score=score,
        span=span,
        remarks=(*score.remarks, *(heard.remarks if heard else ())),
    )
    if not record.whole_bars:
        raise UnusableError(f"no bar of {spec.metre} fits into its {record.seconds:.1f} s")
    return record


def _pitched_on_grid(score: Score, span: BarSpan, spec: RollSpec) -> Notes:
    """All pitched notes of the stretch on the grid, as of one track, which says what chords and key are."""
    pitched = [AssignedPart(spec.pitched[0], part.program, part.events) for part in score.parts if not part.is_drum]
    return quantise(pitched, span, spec) if pitched and spec.pitched else make_notes([], [], [], [])


def _timed_notes(score: Score, span: BarSpan, grid: Beats, spec: RollSpec, is_drum: bool) -> RecordNotes:
    """The notes or the hits that begin in the stretch."""
    parts = [part for part in score.parts if part.is_drum == is_drum and len(part.events)]
    if not parts:
        return np.empty(0, RECORD_NOTE)
    events = np.concatenate([part.events for part in parts])
    notes = np.empty(len(events), RECORD_NOTE)
    notes["track"] = np.repeat([part.name for part in parts], [len(part.events) for part in parts])
    notes["onset"] = events["onset"] - span.start
    for name in ("duration", "pitch", "velocity"):
        notes[name] = events[name]
    notes["start"] = grid.moments(notes["onset"] / spec.quarters_per_beat)
    notes["end"] = grid.moments((notes["onset"] + notes["duration"]) / spec.quarters_per_beat)
    inside = (notes["onset"] > -1e-6) & (notes["onset"] < span.bars * spec.quarters_per_bar - 1e-6)
    return np.sort(notes[inside], order=("onset", "pitch"))
