"""What both networks would say of notes that are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.transcription.instruments.decoding import PITCH_FRAMES_PER_STEP
from pipeline.transcription.instruments.network import LEAD
from pipeline.transcription.pitches.multipitch import LOWEST_PITCH, NUM_PITCHES, PitchActivations


@dataclass(frozen=True)
class Played:
    """A note from one step to before another."""

    first: int
    past: int
    pitch: int
    family: int
    is_lead: bool = False


def heard(
    played: Sequence[Played], steps: int = 40, sure: float = 0.95
) -> tuple[PitchActivations, NDArray[np.float32]]:
    """Activations of the pitch network, and labels `[steps, 88, 2, 5]` that give a family `sure` to what it plays."""
    onsets, frames, contours = np.zeros((3, PITCH_FRAMES_PER_STEP * steps, NUM_PITCHES), np.float32)
    labels = np.full((steps, NUM_PITCHES, 2, LEAD + 1), 0.01, np.float32)
    for note in played:
        index, begin = note.pitch - LOWEST_PITCH, PITCH_FRAMES_PER_STEP * note.first
        onsets[begin, index] = 0.9
        frames[begin : PITCH_FRAMES_PER_STEP * note.past, index] = 0.9
        columns = [note.family] + ([LEAD] if note.is_lead else [])
        labels[note.first : note.past, index, 0, columns] = sure
        labels[note.first, index, 1, columns] = sure
    return PitchActivations(onsets, frames, contours), labels
