"""A song that the user brings, on the grid of a generator: `generate.given`, `generate.like`, `generate.towards`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gan.spec import RollSpec
from pipeline.config import Config
from pipeline.errors import UnusableError, UserError
from pipeline.formats import is_recording, printable
from pipeline.progress import say
from pipeline.scores.keys import Key, estimate_key, pitch_class_durations
from pipeline.scores.notes import Notes
from pipeline.scores.quantisation import BarSpan, MetreError, mend_metre, played, quantise, to_steps, usable_spans
from pipeline.scores.reading.score_files import read_scores
from pipeline.scores.score import DEFAULT_BPM, Score
from pipeline.scores.structure.song_plan import SongPlan, plan_of_song
from pipeline.scores.swing import STRAIGHT
from pipeline.scores.tracks import AssignedPart, assign, fit_to_tracks
from pipeline.settings.data import TracksSettings
from pipeline.settings.transcribe import TranscribeSettings
from pipeline.songs.request import match_track
from pipeline.songs.song import TICKS_PER_BEAT
from pipeline.transcription.cache import recording_of, transcribe_one

UNREADABLE = (".aac", ".wma", ".mp4", ".mka", ".webm")
"""Recordings that no reader here knows."""
SLOWEST_BPM = 4.0
"""MIDI files can't name a slower tempo."""

PlayedNotes = dict[tuple[int, int, int], tuple[int, int]]
"""Performance of notes: (track, pitch, onset) to velocity (1 to 127) and ticks after the step."""


@dataclass(frozen=True, eq=False)
class GivenSong:
    """The notes of a file on the grid.

    Attributes
    ----------
    name
        Of the file.
    notes
        Onsets in steps from the first bar; pitches are the file's and may leave the range of the generator.
    performance
        How each note was played.
    bars, pickup_bars
        How many there are, and how many of them (0 or 1, seldom more) come before bar 1.
    key
        As estimated, None where no pitch stands out.
    tempo_map
        (step, quarter notes a minute) pairs, the first at step 0.
    mean_bpm
        Over the whole song.
    programs
        One a track: the General MIDI program of most of its notes, None where it has none.
    parts
        The names of the file's parts, and the track that each went to.
    remarks
        What of the file is left out, a sentence each.
    swing
        How far it is played with swing, where the file says so; see `Song.swing`.
    """

    name: str
    notes: Notes
    performance: PlayedNotes
    bars: int
    pickup_bars: int
    key: Key | None
    tempo_map: tuple[tuple[int, float], ...]
    mean_bpm: float
    programs: tuple[int | None, ...]
    parts: tuple[tuple[str, int], ...]
    remarks: tuple[str, ...]
    swing: float

    @property
    def sounding(self) -> NDArray[np.bool_]:
        """Bool `[tracks]`: which tracks have notes."""
        return np.array([program is not None for program in self.programs])


def given_path(value: str, key: str) -> Path:
    """The file that a setting names. Raises `UserError` where there is none or no reader here knows its format."""
    path = Path(value).expanduser()
    if path.is_dir():
        raise UserError(f"{key}={value} is a folder: give one file.")
    if not path.is_file():
        raise UserError(f"{key}={value}: there is no such file.")
    if path.suffix.lower() in UNREADABLE:
        raise UserError(f"{key}={value} is a recording that can't be read: give it as wav, flac, ogg or mp3.")
    return path


def read_given(
    value: str,
    key: str,
    spec: RollSpec,
    tracks: TracksSettings,
    max_megabytes: float,
    transcribe: TranscribeSettings,
    keep: Sequence[str] = (),
    play_repeats: bool = True,
) -> GivenSong:
    """Read a file: MIDI, kar, MusicXML or ABC; or a recording, which is written down first.

    Parameters
    ----------
    value, key
        The path, and the setting that has it.
    spec, tracks
        Of the generator.
    max_megabytes
        Larger files are refused.
    transcribe
        What is known of a recording, and how it is transcribed.
    keep
        Names of tracks; where a file has just as many parts, and the track set asks for more, they are these tracks.
    play_repeats
        Repeats of notation are played out.

    Raises
    ------
    UserError
        One sentence about what is wrong with the file.
    """
    path = given_path(value, key)
    try:
        scores = _scores(path, spec, tracks, max_megabytes, transcribe, play_repeats)
        voices = _assign(scores[0], tracks, spec, keep)
        song = _on_grid(path.name, scores[0], voices, spec)
    except MetreError as error:
        raise UserError(
            f"{key}={value} is in {error.found}, and this checkpoint makes {spec.metre}: another, prepared and trained "
            f"with the metre of the file, can take it ({error.advice})."
        ) from error
    except UnusableError as error:
        raise UserError(f"{key}={value} can't be used with this checkpoint: {error}.") from error
    except UserError:
        raise
    except Exception as error:  # whatever a hostile file makes a library do
        reason = f"{type(error).__name__}: {printable(str(error))[:100]}"
        raise UserError(f"{key}={value} can't be made sense of ({reason}).") from error
    if len(scores) > 1:
        song = replace(song, remarks=(*song.remarks, f"{path.name} holds {len(scores)} tunes; the first is taken."))
    return song


def plan_of_form(config: Config, spec: RollSpec) -> SongPlan | None:
    """The plan of the song whose file `generate.form` names; None where it names a form, or nothing.

    Raises
    ------
    UserError
        One sentence about what is wrong with the file, or it is shorter than a phrase.
    """
    value = config.generate.form
    if value is None or not Path(value).suffix:
        return None
    song = read_given(value, "generate.form", spec, config.tracks, config.collect.max_file_megabytes, config.transcribe)
    sounding = song.notes["onset"] + song.notes["length"]
    bars = min(song.bars, -(-int(sounding.max()) // spec.steps_per_bar))
    if bars < spec.bars:
        raise UserError(f"generate.form={value} has {bars} bars; a plan needs at least {spec.bars}.")
    return plan_of_song(song.notes, bars, spec, heard=is_recording(value))


def _scores(
    path: Path,
    spec: RollSpec,
    tracks: TracksSettings,
    max_megabytes: float,
    transcribe: TranscribeSettings,
    play_repeats: bool,
) -> list[Score]:
    """What a file holds. Raises `UnusableError` where nothing of it can be read."""
    if not is_recording(path.name):
        return read_scores(path, max_megabytes, play_repeats)
    say(f"{path.name} is a recording: what it plays is written down first.")
    found = transcribe_one(recording_of(path, transcribe, spec.beats_per_bar, quarters_per_beat=spec.quarters_per_beat))
    if found.problem:
        raise UnusableError(found.problem)
    written = read_scores(found.midi, max_megabytes)
    scores = [score.in_dotted_beats() if spec.is_compound else score for score in written]
    return [fit_to_tracks(score, tracks) for score in scores]


def _assign(score: Score, tracks: TracksSettings, spec: RollSpec, keep: Sequence[str]) -> list[AssignedPart]:
    """The parts with their tracks; a file with fewer parts than the track set asks for has those that are kept."""
    try:
        return assign(score, tracks)
    except UnusableError as error:
        parts = [part for part in score.parts if len(part.events) and not part.is_drum]
        places = sorted({match_track(name, spec, "generate.keep") for name in keep} & set(spec.pitched))
        if not parts:
            raise
        if len(parts) != len(places):
            raise UnusableError(f"{error}; generate.keep can name the tracks that it has") from error
        parts.sort(key=lambda part: -float(np.mean(part.events["pitch"])))
        return [
            AssignedPart(place, part.program, part.events, (part,)) for place, part in zip(places, parts, strict=True)
        ]


def _on_grid(name: str, score: Score, voices: list[AssignedPart], spec: RollSpec) -> GivenSong:
    """The longest stretch of the score in the right metre. Raises `UnusableError` where there is none."""
    score = mend_metre(score, spec)
    stretches = usable_spans(score, replace(spec, bars=1), trust_metre=True, pair_bars=True)
    longest = max(stretches, key=lambda stretch: stretch.bars)
    bar = spec.quarters_per_bar
    onsets = np.concatenate([voice.events["onset"] for voice in voices])
    pickup = 0
    if longest.first_bar == 0 and longest is stretches[0]:
        pickup = max(0, int(np.ceil((longest.start - onsets.min()) / bar - 1e-6)))
    start = longest.start - pickup * bar
    bars = longest.bars + pickup
    if longest is stretches[-1] and score.end <= longest.start + longest.bars * bar + 1e-3:
        last = int(to_steps(onsets - start, spec).max())  # a short note near the last bar line may go to the next bar
        bars = max(bars, last // spec.steps_per_bar + 1)
    span = BarSpan(start, bars, longest.first_bar)
    notes = quantise(voices, span, spec)
    if not len(notes):
        raise UnusableError("no notes")
    remarks = _left_out(name, score, voices, longest, onsets, start, bars * bar)
    programs: list[Counter[int]] = [Counter() for _ in spec.tracks]
    for voice in voices:
        programs[voice.track][voice.program] += len(voice.events)
    sounding = np.isin(np.arange(spec.num_tracks), notes["track"])
    return GivenSong(
        name=name,
        notes=notes,
        performance=_performance(voices, span, notes, spec),
        bars=bars,
        pickup_bars=pickup,
        key=estimate_key(pitch_class_durations(notes, spec)),
        tempo_map=_tempo_map(score, start, bars, spec),
        mean_bpm=score.mean_bpm,
        programs=tuple(
            count.most_common(1)[0][0] if plays else None for count, plays in zip(programs, sounding, strict=True)
        ),
        parts=tuple((part.name, voice.track) for voice in voices for part in voice.parts),
        remarks=(*remarks, *(f"{name}: {remark}." for remark in score.remarks)),
        swing=STRAIGHT if spec.is_compound else score.swing,
    )


def _left_out(
    name: str,
    score: Score,
    voices: list[AssignedPart],
    stretch: BarSpan,
    onsets: NDArray[np.float64],
    start: float,
    length: float,
) -> list[str]:
    """What of a file does not come along."""
    remarks = []
    outside = int(np.count_nonzero((onsets < start - 1e-3) | (onsets >= start + length)))
    if outside:
        first = stretch.first_bar + 1
        remarks.append(
            f"bars {first} to {first + stretch.bars - 1} of {name} are taken; {outside} notes lie in bars of another "
            "metre."
        )
    at_home = {id(part) for voice in voices for part in voice.parts}
    homeless = len([part for part in score.parts if len(part.events) and id(part) not in at_home])
    if homeless > 0:
        remarks.append(f"{homeless} part{'s' if homeless > 1 else ''} of {name} fit no track and are left out.")
    return remarks


def _performance(voices: list[AssignedPart], span: BarSpan, notes: Notes, spec: RollSpec) -> PlayedNotes:
    """Velocity and timing of each note."""
    ticks = TICKS_PER_BEAT // spec.steps_per_quarter
    most = (ticks - 1) // 2
    velocities, offsets = played(voices, span, notes, spec)
    late = np.clip(np.rint(offsets * ticks), -most, most).astype(int)
    places = zip(notes["track"].tolist(), notes["pitch"].tolist(), notes["onset"].tolist(), strict=True)
    return dict(zip(places, zip(velocities.tolist(), late.tolist(), strict=True), strict=True))


def _tempo_map(score: Score, start: float, bars: int, spec: RollSpec) -> tuple[tuple[int, float], ...]:
    """The tempi of the stretch; the last one before it holds from its first step on."""
    tempi = {0: DEFAULT_BPM}
    for at, bpm in score.tempos:
        step = max(0, round((at - start) * spec.steps_per_quarter))
        if step < bars * spec.steps_per_bar:
            tempi[step] = max(float(bpm), SLOWEST_BPM)
    return tuple(sorted(tempi.items()))
