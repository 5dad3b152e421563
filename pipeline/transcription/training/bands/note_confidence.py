"""Training of note confidence: logistic regression of whether a note that was found is right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.transcription.instruments.decoding import STEP_SECONDS, LabelledNotes
from pipeline.transcription.instruments.parts import confidence_features
from pipeline.transcription.pitches.multipitch import LOWEST_PITCH

ITERATIONS = 30
RIDGE = 1e-2


def fit_note_confidence(found: Sequence[LabelledNotes], onsets: Sequence[NDArray[np.bool_]]) -> NDArray[np.float64]:
    """Logistic regression by Newton's method: weights `[features]` of `confidence_features`.

    Parameters
    ----------
    found
        The notes of each passage as they are heard.
    onsets
        Where notes truly begin, bool `[steps, 88]` of each passage; a note is right in a step with one, or in the half
        of a step beside that is nearer to one.
    """
    rows, right = [], []
    for notes, true in zip(found, onsets, strict=True):
        place, pitch = notes.notes["start"] / STEP_SECONDS, notes.notes["pitch"] - LOWEST_PITCH
        step = np.minimum(place.astype(int), len(true) - 1)
        beside = np.clip(np.where(place - step < 0.5, step - 1, step + 1), 0, len(true) - 1)
        right.append(true[step, pitch] | true[beside, pitch])
        rows.append(confidence_features(notes))
    inputs, targets = np.concatenate(rows), np.concatenate(right).astype(float)
    weights = np.zeros(inputs.shape[1])
    for _ in range(ITERATIONS):
        expected = 1 / (1 + np.exp(-inputs @ weights))
        slope = inputs.T @ (targets - expected) - RIDGE * weights
        curvature = (inputs * (expected * (1 - expected))[:, None]).T @ inputs + RIDGE * np.eye(len(weights))
        weights = weights + np.linalg.solve(curvature, slope)
    return weights
