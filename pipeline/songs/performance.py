"""Performance: velocity and timing of each note, by metre, phrase and section, with human irregularity."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gan.seeds import mix_seed
from gan.spec import RollSpec
from pipeline.scores.notes import Notes
from pipeline.songs.seeds import SongRandomStream
from pipeline.songs.song import TICKS_PER_BEAT, Section

PLAIN_VELOCITY = 88
ROLE_VELOCITY = {
    "intro": -8, "outro": -8, "coda": -6, "interlude": -5, "bridge": -2, "episode": -4, "stollen": -2,
    "chorus": 7, "refrain": 6, "abgesang": 5, "summit": 8,
}  # fmt: skip
"""Sections that are louder or softer than the rest."""
LEAD_VELOCITY = 6
ARC_VELOCITY = 6
NOISE_VELOCITY = 3.0
NOISE_SECONDS = 0.012
CHORD_SHARE = 0.3
"""Of the timing, what each note of a chord has for itself."""
LARGEST_STEPS = 0.4
"""No note leaves its step further than this, so that rounding finds it again."""


def metre_velocity(steps: NDArray[np.int64], spec: RollSpec) -> NDArray[np.int64]:
    """The accent of each place of a bar: downbeat, half bar, beat, half beat (in 6/8 its thirds), the rest."""
    place = steps % spec.steps_per_bar
    beat, within = place // spec.steps_per_beat, place % spec.steps_per_beat
    half_bar = (spec.beats_per_bar % 2 == 0) & (beat == spec.beats_per_bar // 2)
    on_beat = np.where(beat == 0, 8, np.where(half_bar, 4, 1))
    off_beat = np.where(within * spec.eighths_per_beat % spec.steps_per_beat == 0, -4, -7)
    return np.where(within == 0, on_beat, off_beat)


def humanize(
    notes: Notes,
    spec: RollSpec,
    sections: Sequence[Section],
    lead: int | None,
    tempo_bpm: float,
    amount: float,
    seed: int,
) -> tuple[NDArray[np.uint8], NDArray[np.int16]]:
    """Velocities and timing of a song's notes.

    Parameters
    ----------
    notes, spec, sections
        The song.
    lead
        Index of the track that leads, or None.
    tempo_bpm
        Gives the ticks of a millisecond.
    amount
        0 gives each note the same velocity and no offset; 1 is a lively player.
    seed
        Draws what is left to chance, for each section on its own: what changes in one changes nothing in another.

    Returns
    -------
    velocities, timing_ticks
        `[notes]` each; see `Song`.
    """
    steps = notes["onset"].astype(np.int64)
    bars = steps // spec.steps_per_bar
    loudness = metre_velocity(steps, spec).astype(np.float64)
    loudness += ARC_VELOCITY * (np.sin(np.pi * (steps % spec.num_steps) / spec.num_steps) - 0.5)
    for section in sections:
        inside = (bars >= section.first_bar) & (bars < section.first_bar + section.num_bars)
        loudness += np.where(inside, ROLE_VELOCITY.get(section.role, 0), 0)
    if lead is not None:
        loudness += np.where(notes["track"] == lead, LEAD_VELOCITY, 0)
    loudness += _crescendos(bars + (steps % spec.steps_per_bar) / spec.steps_per_bar, spec, sections)
    noise = np.zeros((3, len(notes)))
    for number, section in enumerate(sections):
        own = np.flatnonzero((bars >= section.first_bar) & (bars < section.first_bar + section.num_bars))
        random = np.random.default_rng(mix_seed(seed, SongRandomStream.PERFORMANCE, number))
        _, chord = np.unique(np.stack([notes["track"][own], steps[own]]), axis=1, return_inverse=True)
        together = random.standard_normal(int(chord.max(initial=-1)) + 1)[chord.reshape(-1)]
        noise[:, own] = [*random.standard_normal((2, len(own))), together]
    loudness += NOISE_VELOCITY * noise[0]
    velocities = np.clip(np.rint(PLAIN_VELOCITY + 1.5 * amount * loudness), 1, 127).astype(np.uint8)

    is_drum = np.array([track.is_drum for track in spec.tracks])[notes["track"]]
    seconds = (
        NOISE_SECONDS * amount * ((1 - CHORD_SHARE) * noise[2] + CHORD_SHARE * noise[1]) * np.where(is_drum, 0.5, 1)
    )
    most = LARGEST_STEPS * TICKS_PER_BEAT / spec.steps_per_quarter
    ticks = np.clip(np.rint(seconds * tempo_bpm / 60 * TICKS_PER_BEAT), -np.floor(most), np.floor(most))
    return velocities, ticks.astype(np.int16)


def _crescendos(at_bars: NDArray[np.float64], spec: RollSpec, sections: Sequence[Section]) -> NDArray[np.float64]:
    """What each note gains in the last phrase of a section on the way to a louder one; the place of notes in bars."""
    gains = np.zeros(len(at_bars))
    for section, following in pairwise(sections):
        rise = ROLE_VELOCITY.get(following.role, 0) - ROLE_VELOCITY.get(section.role, 0)
        length = min(spec.bars, section.num_bars)
        way = (at_bars - (following.first_bar - length)) / length  # 0 to 1 over the last phrase
        gains += np.where((way >= 0) & (way < 1), max(0, rise) * way**2, 0)
    return gains


def ritardando(tempo_bpm: float, num_bars: int, spec: RollSpec, amount: float) -> tuple[tuple[int, float], ...]:
    """The tempo map of a song that slows down in the bar before its last and holds its last chord.

    With `amount` 0 there is one tempo. At 1 the last bar is a quarter slower.
    """
    if amount == 0 or num_bars < 3:
        return ((0, tempo_bpm),)
    start = (num_bars - 2) * spec.steps_per_bar
    beats = spec.beats_per_bar
    slowing = [
        (start + beat * spec.steps_per_beat, tempo_bpm * (1 - 0.2 * min(1.0, amount) * beat / beats))
        for beat in range(1, beats)
    ]
    last = ((num_bars - 1) * spec.steps_per_bar, tempo_bpm * (1 - 0.25 * min(1.0, amount)))
    return ((0, tempo_bpm), *slowing, last)
