"""Loops of old records in one song (sampling): its key and tempo, what is done to each loop, where it plays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gan.chords import QUALITY
from gan.spec import RollSpec
from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.audio.synthesizers import Sound
from pipeline.dataset.sample_identification.flip_transforms import FlipTransform, turntable_semitones
from pipeline.scores.chords.recognition import recognise_chords
from pipeline.scores.chords.symbols import UNKNOWN, ChordRows, transpose_rows, unknown_chords
from pipeline.scores.keys import Key, estimate_key, into_range, pitch_class_durations, transpose_notes
from pipeline.scores.notes import Notes, Planes, make_notes, roll_from_notes
from pipeline.scores.structure.flipped_loops import FlippedLoop, notes_of_events
from pipeline.scores.structure.loop_placement import USUAL_SHARE, LoopPlacement, place_loops
from pipeline.scores.structure.song_plan import SongPlan
from pipeline.songs.flip.fitting import fit_loop
from pipeline.songs.flip.loops import Loop
from pipeline.songs.flip.record import Record

LARGEST_STRETCH = 1.25
"""A drawn tempo is moved so that a loop is at most so many times as fast or as slow as on its record."""
OCTAVES = (0.5, 1.0, 2.0)
"""Beats of a song to a beat of a record."""
CHIPMUNK_SEMITONES = (1, 5)
"""A turntable is so many semitones faster where nobody says how fast."""
HOSTS = ("Strings", "Guitar", "Piano")
"""Tracks in whose place a record stands; the one that would play least does."""
IN_KEY = 0.8
"""A loop of whose time so much is notes of the record's key is in it."""


@dataclass(frozen=True, eq=False)
class ChosenLoop:
    """A loop of a record, and its music on the song's grid as it is on the record.

    Attributes
    ----------
    record, loop
        What was chosen.
    quarters
        How many quarter notes it lasts.
    notes
        Its notes, of the first pitched track; onset and length in steps of the song's grid from its beginning.
    hits
        Its drum hits, likewise.
    chords
        Of its half bars, int8 `[2 * bars, 3]`.
    key
        None where nothing has a pitch.
    """

    record: Record
    loop: Loop
    quarters: float
    notes: Notes
    hits: Notes
    chords: ChordRows
    key: Key | None

    @property
    def seconds(self) -> float:
        """How long it lasts on the record."""
        return self.loop.seconds

    @property
    def tempo_bpm(self) -> float:
        """Quarter notes a minute on the record."""
        return 60 * self.quarters / self.seconds


def loop_key(notes: Notes, spec: RollSpec, record_key: Key | None) -> Key | None:
    """The key of a loop's notes: that of the record where they fit it, else the one they suggest."""
    durations = pitch_class_durations(notes, spec)
    if record_key is not None and durations.sum() > 0:
        third = 3 if record_key.is_minor else 0  # of the relative major key
        scale = (np.array([0, 2, 4, 5, 7, 9, 11]) + record_key.tonic + third) % 12
        if durations[scale].sum() >= IN_KEY * durations.sum():
            return record_key
    return estimate_key(durations)


def nearest_shift(key: Key, target: Key) -> int:
    """Semitones from -5 to 6 that move a key to one with the accidentals of `target`, whatever their modes."""
    signatures = [one.tonic + 3 * one.is_minor for one in (key, target)]
    return (signatures[1] - signatures[0] + 5) % 12 - 5


@dataclass(frozen=True)
class LoopTransform:
    """What is done to a loop for a song.

    Attributes
    ----------
    semitones
        How much higher it is to sound.
    octave
        Quarter notes of the song to a quarter note of the record: a half, one or two.
    is_turntable
        Pitch and speed move together.
    """

    semitones: int
    octave: float
    is_turntable: bool


@dataclass(frozen=True, eq=False)
class FlipPlan:
    """What is decided of the loops of a song before its notes are made.

    Attributes
    ----------
    loops, fits
        The loops, and what is done to each.
    tempo_bpm, tempo_is_fixed
        Of the song; whether it may still move a little.
    key
        Of the song; None where no loop has one.
    share
        Of the song's bars that are to have a loop.
    """

    loops: tuple[ChosenLoop, ...]
    fits: tuple[LoopTransform, ...]
    tempo_bpm: float
    tempo_is_fixed: bool
    key: Key | None
    share: float = USUAL_SHARE

    def num_steps(self, spec: RollSpec) -> list[int]:
        """How long each loop lasts in the song, in steps."""
        return [
            max(1, round(one.quarters * fit.octave * spec.steps_per_quarter))
            for one, fit in zip(self.loops, self.fits, strict=True)
        ]

    def place(self, plan: SongPlan, spec: RollSpec, is_drums: bool, random: np.random.Generator) -> PlacedFlip:
        """Where the loops play in a song of this plan."""
        host = host_track(plan, spec, is_drums)
        placement = place_loops(plan, self.num_steps(spec), host, spec, random, self.share)
        return PlacedFlip(self, placement, host, is_drums)


@dataclass(frozen=True, eq=False)
class PlacedFlip:
    """The loops of a song in their places.

    Attributes
    ----------
    flip, placement
        What is done to the loops, and where they play.
    host
        The track in whose place they stand, or None.
    is_drums
        Whether they are drum breaks.
    """

    flip: FlipPlan
    placement: LoopPlacement
    host: int | None
    is_drums: bool

    def background(self, home: Key, spec: RollSpec) -> Planes | None:
        """What the loops play in the home key of the song, on the host's track, as `PlannedSong.background`."""
        if self.host is None:
            return None
        tracks = []
        for one, fit in zip(self.flip.loops, self.flip.fits, strict=True):
            notes = in_song_steps(one.hits if self.is_drums else one.notes, fit.octave)
            notes["track"] = self.host
            if not self.is_drums and one.key is not None:
                notes = into_range(transpose_notes(notes, nearest_shift(one.key, home), spec), spec)
            tracks.append(notes)
        notes = notes_of_events(self.placement.events, tracks, self.flip.num_steps(spec))
        return roll_from_notes(notes, spec, self.placement.plan.num_bars)

    def chords(self, home: Key, spec: RollSpec) -> ChordRows | None:
        """The chords of all half bars in the home key, int8 `[2 * bars, 3]`; None where the loops are drum breaks."""
        if self.is_drums:
            return None
        rows = []
        for one, fit, steps in zip(self.flip.loops, self.flip.fits, self.flip.num_steps(spec), strict=True):
            shift = 0 if one.key is None else nearest_shift(one.key, home)
            moved = transpose_rows(one.chords, shift)
            half = steps / len(moved)
            assert fit.octave > 0
            rows.append(moved[(np.arange(steps) / half).astype(int).clip(max=len(moved) - 1)])
        return self.placement.chords(rows, spec)

    def loops(self, number: int, tempo_bpm: float, spec: RollSpec) -> tuple[FlippedLoop, ...]:
        """The loops as the song's file describes them, at the song's tempo."""
        return tuple(
            FlippedLoop(
                record=one.record.name,
                first_bar=one.loop.first_bar,
                num_bars=one.loop.num_bars,
                start_seconds=round(one.loop.start / SAMPLE_RATE_HZ, 4),
                end_seconds=round(one.loop.end / SAMPLE_RATE_HZ, 4),
                semitones=fit.semitones,
                speed=tempo_bpm / (one.tempo_bpm * fit.octave),
                is_turntable=fit.is_turntable,
                num_steps=steps,
                sound=f"{number:02d}-loop-{place}.wav",
            )
            for place, (one, fit, steps) in enumerate(
                zip(self.flip.loops, self.flip.fits, self.flip.num_steps(spec), strict=True), start=1
            )
        )

    def sounds(self, tempo_bpm: float, spec: RollSpec, seed: int) -> list[Sound]:
        """The loops in the song's tempo and key, float32 `[samples, 2]` at `SAMPLE_RATE_HZ`."""
        step_seconds = 60 / tempo_bpm / spec.steps_per_quarter
        return [
            fit_loop(
                one.record,
                one.loop,
                round(steps * step_seconds * SAMPLE_RATE_HZ),
                fit.semitones,
                turntable=fit.is_turntable,
                seed=seed,
            )
            for one, fit, steps in zip(self.flip.loops, self.flip.fits, self.flip.num_steps(spec), strict=True)
        ]


def host_track(plan: SongPlan, spec: RollSpec, is_drums: bool) -> int | None:
    """The track in whose place a record stands: the drums for a drum break, else that of `HOSTS` which plays least."""
    if is_drums:
        return next((index for index, track in enumerate(spec.tracks) if track.is_drum), None)
    there = [spec.names.index(name) for name in HOSTS if name in spec.names]
    return min(there, key=lambda track: int(plan.density[track].sum()), default=None)


def in_song_steps(notes: Notes, octave: float) -> Notes:
    """Notes of a loop where its beat lasts `octave` beats of the song."""
    onsets = np.floor(notes["onset"] * octave + 0.5)
    ends = np.floor((notes["onset"] + notes["length"]) * octave + 0.5)
    return make_notes(notes["track"], notes["pitch"], onsets, np.maximum(ends - onsets, 1))


def fit_loops(
    loops: Sequence[ChosenLoop],
    speed: str,
    tempo_bpm: float,
    asks_tempo: bool,
    key: Key | None,
    random: np.random.Generator,
    transform: FlipTransform | None = None,
) -> FlipPlan:
    """Key and tempo of a song on loops, and what is done to each of them.

    Parameters
    ----------
    loops
        The first one decides; others are moved to its key and tempo.
    speed
        One of `pipeline.settings.generate.FLIP_SPEEDS`.
    tempo_bpm, asks_tempo
        The song's tempo in quarter notes a minute, and whether the user asked for it; a drawn one is moved so that
        the loop is not stretched by more than `LARGEST_STRETCH`.
    key
        The key that the user asks for, or None: then it is the record's.
    random
        Draws what is left open.
    transform
        What songs of the data do to their samples, which decides on what the user leaves open; None where nothing
        is known of it.
    """
    first = loops[0]
    if transform is not None and speed == "song" and not asks_tempo:
        tempo_bpm = first.tempo_bpm * transform.ratio
        speed = "turntable" if transform.is_turntable and key is None else speed
    octave = (
        nearest_octave(tempo_bpm / first.tempo_bpm) if speed != "record" and (asks_tempo or speed == "song") else 1.0
    )
    written = first.tempo_bpm * octave
    cents = first.record.tuning_cents
    semitones = 0 if transform is None or first.key is None else transform.semitones
    if key is not None and first.key is not None:
        semitones = nearest_shift(first.key, key)
    if speed == "turntable":
        if asks_tempo:
            semitones = round(12 * math.log2(tempo_bpm / written) + cents / 100)
        elif key is None:
            usual = int(random.integers(CHIPMUNK_SEMITONES[0], CHIPMUNK_SEMITONES[1] + 1))
            semitones = usual if transform is None else turntable_semitones(transform.ratio)
        tempo_bpm = written * 2 ** ((semitones - cents / 100) / 12)
    elif speed == "record":
        tempo_bpm = written
    elif not asks_tempo:
        tempo_bpm = float(np.clip(tempo_bpm, written / LARGEST_STRETCH, written * LARGEST_STRETCH))
    song_key = first.key and replace(first.key, tonic=(first.key.tonic + semitones) % 12)
    fits = [LoopTransform(semitones, octave, speed == "turntable")]
    for other in loops[1:]:
        shift = 0 if song_key is None or other.key is None else nearest_shift(other.key, song_key)
        fits.append(LoopTransform(shift, nearest_octave(tempo_bpm / other.tempo_bpm), False))
    share = USUAL_SHARE if transform is None else transform.share_of_bars
    return FlipPlan(tuple(loops), tuple(fits), tempo_bpm, asks_tempo or speed != "song", song_key, share)


def nearest_octave(ratio: float) -> float:
    """The one of `OCTAVES` that is nearest to a ratio of tempi."""
    return min(OCTAVES, key=lambda octave: abs(math.log(ratio / octave)))


def with_recognised(chords: ChordRows, notes: Notes, bars: int, spec: RollSpec) -> ChordRows:
    """Chords of half bars, those that are unknown by what the notes suggest."""
    rows = chords if len(chords) == 2 * bars else unknown_chords(2 * bars)
    return np.where(rows[:, QUALITY, None] == UNKNOWN, recognise_chords(notes, bars, spec), rows)
