"""Precision, recall and F1 of events found in sound, matched one to one with those of a reference by mir_eval.

Raffel et al., "mir_eval: a transparent implementation of common MIR metrics" (ISMIR 2014). The package belongs to the
extra `dev`: what transcribes does without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError


def load_mir_eval() -> Any:
    """The package mir_eval. Raises `UserError` where it is not installed."""
    try:
        import mir_eval
    except ImportError as error:
        raise UserError("mir_eval, which matches events, is not installed: pip install mir_eval==0.8.2.") from error
    return mir_eval


@dataclass
class MatchCounts:
    """Numbers of matched, estimated and reference events; they add up over pieces.

    Where there are no events to divide by, precision, recall and F1 are NaN.
    """

    matched: int = 0
    estimated: int = 0
    reference: int = 0

    def add(self, estimated: NDArray[np.float64], reference: NDArray[np.float64], tolerance_seconds: float) -> None:
        """Match events `[events]` in seconds that are at most the tolerance apart, as many as can be."""
        self.matched += len(load_mir_eval().util.match_events(reference, estimated, tolerance_seconds))
        self.estimated += len(estimated)
        self.reference += len(reference)

    def add_notes(self, estimated: NDArray[np.void], reference: NDArray[np.void], tolerance_seconds: float) -> None:
        """Match notes (dtype `PITCH`) of the same pitch whose onsets are at most the tolerance apart."""
        package = load_mir_eval()
        sides = (
            (np.stack([notes["start"], notes["end"]], axis=1), package.util.midi_to_hz(notes["pitch"]))
            for notes in (reference, estimated)
        )
        arguments = [array for side in sides for array in side]
        matching = package.transcription.match_notes(*arguments, onset_tolerance=tolerance_seconds, offset_ratio=None)
        self.matched += len(matching)
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
