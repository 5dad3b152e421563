"""Precision, recall and F1 of events found in sound, matched one to one with those of a reference by mir_eval.

Raffel et al., "mir_eval: a transparent implementation of common MIR metrics" (ISMIR 2014). The package belongs to the
extra `dev`: what transcribes does without it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass
class MatchCounts:
    """Numbers of matched, estimated and reference events; they add up over pieces.

    Where there are no events to divide by, precision, recall and F1 are NaN.
    """

    matched: int = 0
    estimated: int = 0
    reference: int = 0

    def add(self, estimated: NDArray[np.float64], reference: NDArray[np.float64], tolerance_seconds: float) -> None:
        """Count events `[events]` in seconds; a match is at most the tolerance apart, and as many match as can."""
        from mir_eval.util import match_events

        self.matched += len(match_events(reference, estimated, tolerance_seconds))
        self.estimated += len(estimated)
        self.reference += len(reference)

    @property
    def precision(self) -> float:
        """The share of the estimated events that match."""
        return self.matched / self.estimated if self.estimated else float("nan")

    @property
    def recall(self) -> float:
        """The share of the reference events that match."""
        return self.matched / self.reference if self.reference else float("nan")

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 where one side alone has events."""
        both = self.estimated + self.reference
        return 2 * self.matched / both if both else float("nan")
