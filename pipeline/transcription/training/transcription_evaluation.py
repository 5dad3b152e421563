"""Transcription evaluation: notes, beats, drum hits and rolls matched with the music that a recording was made from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan.chords import CHORD_TONES
from gan.spec import RollSpec
from pipeline.scores.quantisation import BarSpan, quantise
from pipeline.scores.reading.score_files import read_scores
from pipeline.scores.score import Metre, Part, Score
from pipeline.scores.tracks import assign
from pipeline.settings.data import TracksSettings
from pipeline.transcription.beats.grid import Beats
from pipeline.transcription.corrections.alignment import notes_in_seconds, offset_by_notes
from pipeline.transcription.drums.drum_map import HIT
from pipeline.transcription.instruments.network import FAMILIES
from pipeline.transcription.instruments.parts import SURE
from pipeline.transcription.pitches.multipitch import PITCH, Pitches
from pipeline.transcription.training.bands.instrument_examples import LabelledSong
from pipeline.transcription.training.f1_scores import MatchCounts
from pipeline.transcription.transcriber import Transcription, half_bar_seconds

BEATS_PER_BAR = 4


@dataclass(frozen=True, eq=False)
class ReferenceMusic:
    """The music that a recording was made from, laid on the recording.

    Attributes
    ----------
    parts
        Its parts, in quarter notes from the MIDI file's beginning.
    notes, hits
        Pitched notes and drum hits at the recording's times, dtype `PITCH`.
    offset
        Seconds by which the recording begins before the MIDI file.
    bars
        Whole bars of four quarter notes that lie within the recording.
    bar_seconds, beats_seconds
        Where bars begin, and the beats from the first note to the last.
    first_beat
        Quarter notes from the MIDI file's beginning to the first of `beats_seconds`.
    """

    parts: tuple[Part, ...]
    notes: Pitches
    hits: Pitches
    offset: float
    bars: int
    bar_seconds: NDArray[np.float64]
    beats_seconds: NDArray[np.float64]
    first_beat: int


def read_reference(path: Path, estimated: Pitches, seconds: float) -> ReferenceMusic:
    """Read the MIDI file of a recording.

    Parameters
    ----------
    path
        The MIDI file.
    estimated
        Notes that were transcribed from the recording, by which the two are laid on one another.
    seconds
        How long the recording is.
    """
    score = read_scores(path, 100)[0]
    notes, hits = notes_in_seconds(score, False, PITCH), notes_in_seconds(score, True, PITCH)
    offset = offset_by_notes(estimated, notes)
    last = min(float(np.max(np.concatenate([notes["start"], hits["start"]]))), seconds - offset)
    first = float(np.min(np.concatenate([notes["start"], hits["start"]])))
    quarters = np.arange(int(np.ceil(score.end)) + BEATS_PER_BAR)
    moments = score.seconds_at(quarters.astype(float))
    inside = np.flatnonzero((moments >= first - 1e-3) & (moments <= last + 1e-3))
    bars = int((inside[-1] + 1) // BEATS_PER_BAR)
    for table in (notes, hits):
        table["start"] += offset
        table["end"] += offset
    return ReferenceMusic(
        parts=score.parts,
        notes=notes[notes["start"] < seconds],
        hits=hits[hits["start"] < seconds],
        offset=offset,
        bars=bars,
        bar_seconds=moments[: bars * BEATS_PER_BAR : BEATS_PER_BAR] + offset,
        beats_seconds=moments[inside] + offset,
        first_beat=int(inside[0]),
    )


NOTE_SECONDS, DRUM_SECONDS, BEAT_SECONDS = 0.05, 0.05, 0.07
"""How far an onset, a hit, a beat may be off, as is usual in the field."""

DRUM_CLASSES = {
    "kick": (36, 35),
    "snare": (38, 37, 39, 40),
    "hi-hat": (42, 44, 46),
    "cymbal": (49, 51, 52, 53, 55, 57, 59),
    "tom": (45, 41, 43, 47, 48, 50),
}
"""General MIDI percussion keys; the first stands for all in rolls."""

SoundingRoll = NDArray[np.bool_]


def all_counts(
    found: Transcription, reference: ReferenceMusic, spec: RollSpec, tracks: TracksSettings
) -> dict[str, MatchCounts]:
    """Matches of notes, beats, drums and rolls of one transcription."""
    drums = {f"drums, {name}": one for name, one in drum_counts(found, reference).items()}
    notes, beats = note_counts(found, reference), beat_counts(found.beats, reference)
    return {"notes": notes, "beats": beats, **drums, **roll_counts(found, reference, spec, tracks)}


def note_counts(transcription: Transcription, reference: ReferenceMusic) -> MatchCounts:
    """Pitched notes: the right pitch, and an onset at most 50 ms off."""
    notes = [notes for part, notes in _timed_parts(transcription) if not part.is_drum]
    counts = MatchCounts()
    counts.add_notes(np.concatenate([np.zeros(0, PITCH), *notes]), reference.notes, NOTE_SECONDS)
    return counts


def drum_counts(transcription: Transcription, reference: ReferenceMusic) -> dict[str, MatchCounts]:
    """Drum hits by class, at most 50 ms off."""
    hits = np.concatenate([np.zeros(0, HIT), *(hits for part, hits in _timed_parts(transcription) if part.is_drum)])
    counts = {name: MatchCounts() for name in DRUM_CLASSES}
    for name, keys in DRUM_CLASSES.items():
        estimated, own = (one["start"][np.isin(one["pitch"], keys)] for one in (hits, reference.hits))
        counts[name].add(estimated, own, DRUM_SECONDS)
    return counts


def beat_counts(beats: Beats, reference: ReferenceMusic) -> MatchCounts:
    """Beats from the first reference note to the last, at most 70 ms off."""
    own = reference.beats_seconds
    counts = MatchCounts()
    inside = (beats.seconds > own[0] - BEAT_SECONDS) & (beats.seconds < own[-1] + BEAT_SECONDS)
    counts.add(beats.seconds[inside], own, BEAT_SECONDS)
    return counts


def roll_of(parts: Sequence[Part], bars: int, spec: RollSpec, tracks: TracksSettings) -> SoundingRoll:
    """Sounding pitches of a score as `prepare` reads it: bool `[tracks, steps, 128]`; drums by class."""
    roll = np.zeros((spec.num_tracks, bars * spec.steps_per_bar, 128), bool)
    score = Score("", tuple(parts), (Metre(0.0, spec.beats_per_bar, 4),))
    notes = quantise(assign(score, tracks), BarSpan(0.0, bars, 0), spec)
    for track, pitch, onset, length in notes.tolist():
        if spec.tracks[track].is_drum:
            pitch = next((keys[0] for keys in DRUM_CLASSES.values() if pitch in keys), pitch)
        roll[track, onset : onset + length, pitch] = True
    return roll


def laid_by_bars(roll: SoundingRoll, beats: Beats, reference: ReferenceMusic, spec: RollSpec) -> SoundingRoll:
    """A transcription's roll laid over the true one, bar by bar.

    Each true bar is compared with as many steps of the transcription, from its beat nearest to where the true bar
    begins. So a wrong tempo counts within the bar, and a beat too many or too few does not spoil the bars after it.
    """
    laid = np.zeros((roll.shape[0], reference.bars * spec.steps_per_bar, 128), bool)
    for bar, seconds in enumerate(reference.bar_seconds.tolist()):
        first = int(np.rint(beats.position(seconds))) * spec.steps_per_beat
        steps = np.arange(first, first + spec.steps_per_bar)
        inside = (steps >= 0) & (steps < roll.shape[1])
        laid[:, bar * spec.steps_per_bar + np.flatnonzero(inside)] = roll[:, steps[inside]]
    return laid


def laid_by_count(roll: SoundingRoll, beats: Beats, reference: ReferenceMusic, spec: RollSpec) -> SoundingRoll:
    """A transcription's roll laid over the true one by counting from the first common beat.

    That is the first true beat with a beat of the transcription at most 70 ms away (without one, the first).
    """
    own = reference.beats_seconds
    mine = np.rint(beats.position(own)).astype(int)
    near = np.abs(beats.seconds[np.clip(mine, 0, len(beats.seconds) - 1)] - own) <= BEAT_SECONDS
    first = int(np.argmax(near))
    shift = (reference.first_beat + first - int(mine[first])) * spec.steps_per_beat
    laid = np.zeros((roll.shape[0], reference.bars * spec.steps_per_bar, 128), bool)
    steps = np.arange(laid.shape[1]) - shift
    inside = (steps >= 0) & (steps < roll.shape[1])
    laid[:, inside] = roll[:, steps[inside]]
    return laid


def roll_counts(
    transcription: Transcription, reference: ReferenceMusic, spec: RollSpec, tracks: TracksSettings
) -> dict[str, MatchCounts]:
    """Sounding steps of sixteenth-note rolls: of each family by itself, and of all pitches together."""
    end = max(float((part.events["onset"] + part.events["duration"]).max()) for part in transcription.parts)
    mine = roll_of(transcription.parts, int(np.ceil(end / spec.beats_per_bar)) + 1, spec, tracks)
    own = roll_of(reference.parts, reference.bars, spec, tracks)
    pitched = list(spec.pitched)
    counts = {}
    for name, lay in (("bars", laid_by_bars), ("count", laid_by_count)):
        laid = lay(mine, transcription.beats, reference, spec)
        counts[f"families by {name}"] = _overlap(laid, own)
        counts[f"pitches by {name}"] = _overlap(np.any(laid[pitched], axis=0), np.any(own[pitched], axis=0))
    return counts


def _overlap(estimated: Any, reference: Any) -> MatchCounts:
    return MatchCounts(int((estimated & reference).sum()), int(estimated.sum()), int(reference.sum()))


def _timed_parts(transcription: Transcription) -> list[tuple[Part, NDArray[np.void]]]:
    return list(zip(transcription.parts, transcription.timed_notes, strict=True))


FRAMES_PER_SECOND = 50
"""At which the tune and what sounds are compared."""
SHORTEST_CHORD_SECONDS = 0.2


def band_scores(found: Transcription, labelled: LabelledSong, offset: float) -> dict[str, float]:
    """Scores of what tells a band apart, from 0 to 1; NaN where the music has nothing to compare.

    Parameters
    ----------
    found
        The transcription.
    labelled
        The music that the recording was made from, its tune, families and chords.
    offset
        Seconds by which the recording begins before the music.

    Returns
    -------
    `lead pitch` and `lead chroma` are raw pitch and raw chroma accuracy (Poliner et al. 2007), `chords` the share of
    time with the right root and third. Of the tracks that are said to be known, `known frames` is the F1 of what sounds
    when, each in its own track, and `known notes` how many of the true notes belong to them. Of notes that are sure,
    `sure right` are right, and they are `sure share` of the true ones.
    """
    notes = labelled.notes.copy()
    for name in ("start", "end"):
        notes[name] += offset
    notes = notes[(notes["start"] >= 0) & (notes["start"] < found.seconds)]
    timed = {part.name: own for part, own in _timed_parts(found)}
    num_frames = int(np.ceil(found.seconds * FRAMES_PER_SECOND)) + 1
    tracks = {"Lead": notes["is_lead"]} | {
        name: (notes["family"] == index) & ~notes["is_lead"] for index, name in enumerate(FAMILIES)
    }
    overlap = MatchCounts()
    num_known = 0
    for name, own in tracks.items():
        if name in (found.known or ()):
            both = (frame_roll(timed[name], num_frames), frame_roll(notes[own], num_frames))
            overlap.matched += int((both[0] & both[1]).sum())
            overlap.estimated += int(both[0].sum())
            overlap.reference += int(both[1].sum())
            num_known += int(own.sum())
    return {
        **_lead_scores(timed.get("Lead", notes[:0]), notes[notes["is_lead"]], num_frames),
        "chords": _chord_score(found, labelled.chords, offset),
        "known frames": overlap.f1,
        "known notes": num_known / len(notes) if len(notes) else math.nan,
        **_sure_scores(found, notes),
    }


def frame_roll(notes: NDArray[np.void], num_frames: int) -> NDArray[np.bool_]:
    """Which pitches sound in each frame, bool `[num_frames, 128]`."""
    roll = np.zeros((num_frames, 128), bool)
    for note in notes:
        first = int(note["start"] * FRAMES_PER_SECOND)
        roll[first : max(int(note["end"] * FRAMES_PER_SECOND), first + 1), int(note["pitch"])] = True
    return roll


def _lead_scores(line: NDArray[np.void], tune: NDArray[np.void], num_frames: int) -> dict[str, float]:
    """Raw pitch and raw chroma accuracy: shares of the time of the tune in which the line is on it, or octaves away."""
    mine, own = frame_roll(line, num_frames), frame_roll(tune, num_frames)
    sings = own.any(axis=1)
    if not sings.any():
        return {"lead pitch": math.nan, "lead chroma": math.nan}
    right = np.asarray((mine & own).any(axis=1))
    chroma = np.asarray((pitch_classes(mine) & pitch_classes(own)).any(axis=1))
    return {"lead pitch": float(right[sings].mean()), "lead chroma": float(chroma[sings].mean())}


def pitch_classes(roll: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which pitch classes sound, `[frames, 12]`, of a roll `[frames, 128]`."""
    octaves = np.pad(roll, ((0, 0), (0, 4))).reshape(len(roll), 11, 12)
    found: NDArray[np.bool_] = np.any(octaves, axis=1)
    return found


def _chord_score(found: Transcription, chords: NDArray[np.void], offset: float) -> float:
    """Share of the time with a chord in which root and third are right."""
    if not len(found.chords):
        return math.nan
    minor = np.array([3 in tones for tones in CHORD_TONES.values()])
    edges = half_bar_seconds(found.beats, found.bars)
    right = total = 0.0
    for chord in chords[chords["root"] >= 0]:
        start, end = float(chord["start"]) + offset, min(float(chord["end"]) + offset, found.seconds)
        if end - start < SHORTEST_CHORD_SECONDS:
            continue
        total += end - start
        overlap = (np.minimum(edges[1:], end) - np.maximum(edges[:-1], start)).clip(0)
        rows = found.chords
        same = (rows[:, 0] == chord["root"]) & (rows[:, 1] >= 0) & (rows[:, 1] < len(minor))
        same[same] = minor[rows[same, 1]] == minor[chord["quality"]]
        right += float(overlap[same].sum())
    return right / total if total else math.nan


def _sure_scores(found: Transcription, notes: NDArray[np.void]) -> dict[str, float]:
    """Of the notes that are sure, the share that is right, and how many of the true ones these are."""
    if not found.right:
        return {"sure right": math.nan, "sure share": math.nan}
    rows = [
        own[right >= SURE]
        for (part, own), right in zip(_timed_parts(found), found.right, strict=True)
        if not part.is_drum
    ]
    counts = MatchCounts()
    counts.add_notes(np.concatenate([np.zeros(0, PITCH), *rows]), notes, NOTE_SECONDS)
    return {"sure right": counts.precision, "sure share": counts.recall}
