"""Parts of a recording: the tune, bass and families that are heard well enough, and what nobody is sure of."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.scores.tracks import UNSURE_PART
from pipeline.settings.transcribe import FAMILY_PROGRAMS
from pipeline.transcription.instruments.decoding import STEP_SECONDS, LabelledNotes, label_notes, lead_line
from pipeline.transcription.instruments.network import FAMILIES, LEAD, load_network
from pipeline.transcription.pitches.multipitch import LOWEST_PITCH, PitchActivations, Pitches
from pipeline.transcription.pitches.single_line import is_lowest, one_after_another

LEAD_NAME = "Lead"
"""What the part that has the tune is called."""
LEAD_PROGRAMS = {"Piano": 0, "Guitar": 26, "Bass": 33, "Strings": 73}
"""General MIDI program (from 0) of the tune, by the family that plays it."""
LEAST_EXPECTED_F1 = 0.5
"""A family is known where the F1 that is expected of its notes is at least this."""
LEAST_EXPECTED_LEAD_F1 = 0.3
"""The tune is known from this on: it is worth more than what accompanies it."""
FEWEST_SECONDS = 4.0
"""A family with less sound in it is unknown."""
SURE = 0.74
"""A note is sure from this probability of being right."""


@dataclass(frozen=True, eq=False)
class HeardPart:
    """A part of a recording.

    Attributes
    ----------
    name
        `Lead`, one of `FAMILIES` or `Unsure`.
    program
        General MIDI program, from 0.
    notes
        In seconds, sorted by start.
    right
        The probability that each note is right, float64 `[notes]`.
    """

    name: str
    program: int
    notes: Pitches
    right: NDArray[np.float64]


def hear_parts(
    activations: PitchActivations,
    labels: NDArray[np.float32],
    rest: str | None = None,
    *,
    without_lead: bool = False,
) -> list[HeardPart]:
    """The parts of a recording that have notes, the tune first.

    Parameters
    ----------
    activations, labels
        What the pitch network found, and the instrument network's posterior `[steps, 88, 2, 5]`.
    rest
        The family that all notes besides tune and bass are said to be of; None tells them apart.
    without_lead
        Whether the tune is elsewhere, in a stem of its own.
    """
    others = label_notes(activations, labels)
    parts = []
    line, taken = lead_line(others, labels)
    if not without_lead and _expected_f1(line.notes, labels[:, :, 0, LEAD]) >= LEAST_EXPECTED_LEAD_F1:
        parts.append(_part(LEAD_NAME, LEAD_PROGRAMS[_family_of(line)], line))
        others = others.only(~taken)
    family, bass = others.families.argmax(axis=1), FAMILIES.index("Bass")
    if rest is not None:
        family = np.where(family == bass, bass, FAMILIES.index(rest))
    unsure = np.zeros(len(family), bool)
    for index, name in enumerate(FAMILIES):
        own = family == index
        if index == bass:  # one note at a time
            own[own] = is_lowest(others.notes[own])
        posterior = labels[:, :, 0, index] * (1 - labels[:, :, 0, LEAD])
        if (name == rest and own.any()) or _expected_f1(others.notes[own], posterior) >= LEAST_EXPECTED_F1:
            part = _part(name, FAMILY_PROGRAMS[name], others.only(own))
            parts.append(replace(part, notes=one_after_another(part.notes)) if index == bass else part)
        else:
            unsure |= own
    return [*parts, _part(UNSURE_PART, 0, others.only(unsure))] if unsure.any() else parts


def _part(name: str, program: int, own: LabelledNotes) -> HeardPart:
    return HeardPart(name, program, own.notes, probability_right(own))


def _family_of(line: LabelledNotes) -> str:
    """The family that most of the time plays these notes."""
    seconds = (line.notes["end"] - line.notes["start"])[:, None]
    return FAMILIES[int((seconds * line.families).sum(axis=0).argmax())]


def _expected_f1(notes: Pitches, posterior: NDArray[np.float32]) -> float:
    """The F1 of points of time and pitch that a posterior `[steps, 88]` expects of notes: 0 where there are few."""
    taken = np.zeros(posterior.shape, bool)
    for note in notes:
        first = int(note["start"] / STEP_SECONDS)
        past = max(round(float(note["end"]) / STEP_SECONDS), first + 1)
        taken[first:past, int(note["pitch"]) - LOWEST_PITCH] = True
    if taken.sum() * STEP_SECONDS < FEWEST_SECONDS:
        return 0.0
    right = float(posterior[taken].sum())
    return 2 * right / (float(taken.sum()) + float(posterior.sum()))


def probability_right(own: LabelledNotes) -> NDArray[np.float64]:
    """The probability that each note is right, its pitch and its onset within 50 ms, by logistic regression."""
    _, weights = load_network()
    found: NDArray[np.float64] = 1 / (1 + np.exp(-confidence_features(own) @ weights))
    return found


def confidence_features(own: LabelledNotes) -> NDArray[np.float64]:
    """What tells of a note's being right, `[notes, 5]`: one, log odds of sounding, of its onset, both, and seconds."""
    sounding, onset = _log_odds(own.sounding), _log_odds(own.onset)
    seconds = np.minimum(own.notes["end"] - own.notes["start"], 1.0)
    return np.stack([np.ones(len(sounding)), sounding, onset, sounding * onset, seconds], axis=1)


def _log_odds(share: NDArray[np.float64]) -> NDArray[np.float64]:
    clipped = share.clip(0.02, 0.98)
    odds: NDArray[np.float64] = np.log(clipped / (1 - clipped))
    return odds
