"""What a ranking shows of each run: plain values for pictures and pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Estimate:
    """A figure and where 95 % of the resamples of the songs have it; `None` where there is none."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Curve:
    """How a run learned.

    Attributes
    ----------
    minutes, overlap
        Minutes of training, rising, and the overlap of features with the validation songs then.
    kept
        Which of these points has the weights that are kept; `None` where it is not known.
    """

    minutes: Sequence[float]
    overlap: Sequence[float]
    kept: int | None = None


@dataclass(frozen=True)
class RankedRun:
    """One row of a ranking.

    A folder of music has neither steps, minutes, parameters nor a curve. Paths are relative to the page.

    Attributes
    ----------
    name, rank
        The run, and its place: 1 is the best.
    validation, test
        Quality on the songs that the ranking goes by, and on those that nothing was chosen by: 1 is as close as other
        real songs are, 0 as far as notes at random.
    differences
        Settings that are not the same in all runs, by key, in words.
    steps, minutes, parameters
        Of training, and of generator and discriminator together.
    copying
        In words: how near its phrases come to training phrases.
    sample, picture
        A sound (MP3) and a picture (PNG) of its first phrases.
    links
        Label and path of what more there is: its report, its plots.
    curve
        How it learned.
    """

    name: str
    rank: int
    validation: Estimate
    test: Estimate
    differences: Mapping[str, str] = field(default_factory=dict)
    steps: int | None = None
    minutes: float | None = None
    parameters: int | None = None
    copying: str | None = None
    sample: str | None = None
    picture: str | None = None
    links: Sequence[tuple[str, str]] = ()
    curve: Curve | None = None
