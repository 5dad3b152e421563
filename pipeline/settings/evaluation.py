"""Settings of the yardstick."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class EvaluateSettings:
    """What is scored, and how thoroughly."""

    path: str | None
    """A folder of scores to judge instead of a checkpoint: the output of any program."""
    runs: list[str] | None
    """Names of runs to rank against each other; a sweep's name ranks its jobs."""
    seed: int
    """Draws the phrases, the resamples and the classifier's first weights."""
    phrases: int
    """Phrases that figures and distances are taken from, generated and training ones each."""
    samples: int
    """Generated phrases in which copies of training phrases and of each other are looked for."""
    resamples: int
    """Resamples of the songs behind every interval."""
    classifier: bool
    """Whether a small network is trained to tell generated from real phrases; the slowest part."""
    requests: int
    """Test phrases of which one track is given to be accompanied, and whose density, key, tempo and style are asked
    for one at a time; 0 leaves that out."""
    condition_strength: float
    """How strongly what is asked for counts, as in `generate.condition_strength`."""
