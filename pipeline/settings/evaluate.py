"""Settings of the stage `evaluate`."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.settings import PROGRAM_SEED


@dataclass
class EvaluateSettings:
    """What is scored, and how thoroughly."""

    path: str | None = None
    """A folder of scores to evaluate instead of a checkpoint: the output of any program."""
    runs: list[str] | None = None
    """Names of runs to rank against each other; a sweep's name ranks its jobs."""
    request: str | None = None
    """Whole songs are measured too: those that `generate` made of a checkpoint under this name, such as `album`. Of a
    folder they are measured anyway."""
    seed: int = PROGRAM_SEED
    """Draws the phrases, the resamples and the classifier's first weights."""
    phrases: int = 512
    """Phrases that figures and distances are taken from, generated and training ones each."""
    samples: int = 1000
    """Generated phrases in which copies of training phrases and of each other are looked for."""
    candidates: int = 8
    """Phrases of which each one is drawn by the discriminator's density ratio; 1 shows the generator alone."""
    resamples: int = 200
    """Resamples of the songs behind every interval."""
    classifier: bool = True
    """Whether trees and a small network learn to tell generated from real phrases; the slowest part."""
    requests: int = 200
    """Test phrases of which one track is given to be accompanied, and whose density, key, tempo and style are asked
    for one at a time; 0 leaves that out."""
    condition_strength: float = 1.0
    """How strongly what is asked for counts, as in `generate.condition_strength`."""
    chord_strength: float = 2.0
    """How strongly chords count that are asked for, as in `generate.chord_strength`."""
