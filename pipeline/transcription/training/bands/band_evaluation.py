"""Evaluation of what tells a band apart: the tune, chords, tracks that are known and notes that are sure."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gan.chords import CHORD_TONES
from pipeline.transcription.instruments.network import FAMILIES
from pipeline.transcription.instruments.parts import SURE
from pipeline.transcription.pitches.multipitch import PITCH
from pipeline.transcription.training.bands.instrument_examples import LabelledSong
from pipeline.transcription.training.f1_scores import MatchCounts
from pipeline.transcription.training.transcription_evaluation import NOTE_SECONDS, timed_parts
from pipeline.transcription.transcriber import Transcription, half_bar_seconds

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
    timed = {part.name: own for part, own in timed_parts(found)}
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
        for (part, own), right in zip(timed_parts(found), found.right, strict=True)
        if not part.is_drum
    ]
    counts = MatchCounts()
    counts.add_notes(np.concatenate([np.zeros(0, PITCH), *rows]), notes, NOTE_SECONDS)
    return {"sure right": counts.precision, "sure share": counts.recall}
