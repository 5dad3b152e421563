"""Small rolls for tests: drums and a bass over two bars."""

import torch

from gan.spec import HOLD, ONSET, RollSpec, Track
from gan.statistics import DataStatistics

SPEC = RollSpec((Track("Drums", is_drum=True), Track("Bass")), bars=2, num_pitches=24, lowest_pitch=36)


def empty(batch: int = 1) -> torch.Tensor:
    return torch.zeros((batch, *SPEC.shape), dtype=torch.bool)


def note(rolls: torch.Tensor, track: int, bar: int, step: int, length: int, pitch: int) -> None:
    """Write one note into the first roll; it may run over the bar line."""
    planes = rolls[0].flatten(2, 3)
    start = bar * SPEC.steps_per_bar + step
    planes[ONSET, track, start, pitch] = True
    planes[HOLD, track, start + 1 : start + length, pitch] = True
    rolls[0] = planes.unflatten(2, (SPEC.bars, SPEC.steps_per_bar))


def sample_rolls() -> torch.Tensor:
    rolls = empty()
    for step in (0, 4, 8, 12):
        note(rolls, 0, 0, step, 1, 2)
    note(rolls, 1, 0, 0, 4, 7)
    note(rolls, 1, 0, 4, 4, 7)  # the same pitch again, touching
    note(rolls, 1, 0, 12, 8, 9)  # over the bar line
    return rolls


def statistics() -> DataStatistics:
    return DataStatistics.of([sample_rolls()], SPEC)
