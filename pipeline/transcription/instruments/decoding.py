"""Note decoding of multi-instrument transcription: notes, each with its family, and which are the tune."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.transcription.instruments.features import FRAMES_PER_SECOND
from pipeline.transcription.instruments.lead import melody_path, melody_segments
from pipeline.transcription.instruments.network import FRAMES_PER_STEP, LEAD
from pipeline.transcription.pitches.multipitch import (
    LOWEST_PITCH,
    NoteDecoding,
    PitchActivations,
    Pitches,
    decode_notes,
)

STEP_SECONDS = FRAMES_PER_STEP / FRAMES_PER_SECOND
"""What a step of the network lasts."""
PITCH_FRAMES_PER_STEP = 4
"""Frames of the pitch network in a step."""
SHORTEST_SECONDS = 0.03
"""Notes of the tune that the next one cuts off sooner are left out."""
PITCH_ONSET_WEIGHT = 0.7
"""Of the pitch network's onsets beside those of the instrument network, which are less exact in time."""
DECODING = NoteDecoding(onset=0.52, frame=0.28, gap_frames=3, shortest_frames=3, unstruck_frame=0.5, unstruck_frames=9)
"""Thresholds on the joined activations of both networks, chosen by the F1 of notes on 13 rendered pieces."""


@dataclass(frozen=True, eq=False)
class LabelledNotes:
    """Pitched notes of a recording.

    Attributes
    ----------
    notes
        Dtype `PITCH`, sorted by start.
    families
        Posterior of each family, float64 `[notes, len(FAMILIES)]`.
    lead
        Of being the tune, float64 `[notes]`.
    onset
        How surely each begins where it does, float64 `[notes]`.
    sounding
        How surely it sounds at all, float64 `[notes]`.
    """

    notes: Pitches
    families: NDArray[np.float64]
    lead: NDArray[np.float64]
    onset: NDArray[np.float64]
    sounding: NDArray[np.float64]

    def only(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> LabelledNotes:
        """Some of the notes."""
        return LabelledNotes(
            self.notes[chosen], self.families[chosen], self.lead[chosen], self.onset[chosen], self.sounding[chosen]
        )


def joined_activations(activations: PitchActivations, labels: NDArray[np.float32]) -> PitchActivations:
    """Activations of both networks as one: the pitch network's clock, the instrument network's judgement.

    `labels` are `[steps, 88, 2, 5]`. What sounds is what any family plays; an onset is the weighted geometric mean of
    the two networks' onsets, of the nearest steps.
    """
    num_frames = len(activations.frames)
    any_family = 1 - np.prod(1 - labels[:, :, :, :LEAD], axis=3)  # [steps, 88, 2]
    onset = any_family[:, :, 1]
    near = onset.copy()
    near[1:] = np.maximum(near[1:], onset[:-1])
    near[:-1] = np.maximum(near[:-1], onset[1:])
    return PitchActivations(
        activations.onsets**PITCH_ONSET_WEIGHT * _by_frames(near, num_frames) ** (1 - PITCH_ONSET_WEIGHT),
        _by_frames(any_family[:, :, 0], num_frames),
        activations.contours,
    )


def _by_frames(steps: NDArray[np.float32], num_frames: int) -> NDArray[np.float32]:
    """`[steps, 88]` at the pitch network's frames."""
    return np.repeat(steps, PITCH_FRAMES_PER_STEP, axis=0)[:num_frames]


def label_notes(
    activations: PitchActivations, labels: NDArray[np.float32], decoding: NoteDecoding = DECODING
) -> LabelledNotes:
    """The notes of a recording with the posteriors of families and tune, means over the steps in which they sound."""
    joined = joined_activations(activations, labels)
    notes = decode_notes(joined, decoding)
    sounding = labels[:, :, 0]
    sums = np.concatenate([np.zeros((1, *sounding.shape[1:])), np.cumsum(sounding, axis=0, dtype=np.float64)])
    first = np.minimum((notes["start"] / STEP_SECONDS).astype(int), len(sounding) - 1)
    past = np.clip(np.rint(notes["end"] / STEP_SECONDS).astype(int), first + 1, len(sounding))
    pitch = notes["pitch"] - LOWEST_PITCH
    means = (sums[past, pitch] - sums[first, pitch]) / (past - first)[:, None]
    frame = np.minimum((notes["start"] * FRAMES_PER_SECOND * 2).round().astype(int), len(joined.onsets) - 1)
    return LabelledNotes(
        notes,
        means[:, :LEAD],
        means[:, LEAD],
        joined.onsets[frame, pitch].astype(np.float64),
        1 - np.prod(1 - means[:, :LEAD], axis=1),
    )


def lead_line(labelled: LabelledNotes, labels: NDArray[np.float32]) -> tuple[LabelledNotes, NDArray[np.bool_]]:
    """The tune, one note at a time, and which of the notes it takes, bool `[notes]`.

    A note belongs to the tune where the path of the tune follows it for half of its time at least, or where it is most
    of a stretch of the path; it lasts to the next one at most.
    """
    path = melody_path(labels[:, :, 0, LEAD])
    notes = labelled.notes
    followed = np.zeros(len(notes))
    main = np.zeros(len(notes), bool)
    for first, past, index in melody_segments(path).tolist():
        start, end = first * STEP_SECONDS, past * STEP_SECONDS
        own = np.flatnonzero(notes["pitch"] == index + LOWEST_PITCH)
        inside = np.minimum(notes["end"][own], end) - np.maximum(notes["start"][own], start)
        followed[own] += np.maximum(inside, 0)
        main[own[inside > 0.5 * (end - start)]] = True
    length = notes["end"] - notes["start"]
    taken = (followed >= 0.5 * length) | (main & (followed >= 0.25 * length))
    line = labelled.only(taken)
    starts, ends = line.notes["start"], line.notes["end"]
    if len(starts) > 1:
        ends[:-1] = np.minimum(ends[:-1], starts[1:])
    return line.only(ends - starts > SHORTEST_SECONDS), taken
