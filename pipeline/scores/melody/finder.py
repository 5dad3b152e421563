"""Main melody track extraction: the part of a score that has the tune, by lyrics and by logistic regression.

`python -m pipeline.scores.melody.fitting DIR ...` fits the weights again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.scores.melody.features import BASSES, FEATURES, part_features
from pipeline.scores.score import Part

WEIGHTS = {
    "named as the tune": 4.14,
    "named as accompaniment": -1.67,
    "bass program": -0.57,
    "octaves below E4": -2.53,
    "share of onsets alone": 1.72,
    "share of its time with one pitch": 1.25,
    "share of the song in which it sounds": 0.85,
    "log of beats a note": -0.85,
    "share of steps": 0.61,
    "share of repeated notes": 1.31,
    "share of leaps": -1.29,
    "share of rhythms that the next bar repeats": -2.64,
    "share of bars that the next bar repeats": -1.65,
    "share of bars that return at any time": 2.58,
    "pitch classes in bits": 1.20,
    "octaves of range": -1.07,
    "louder than the mean": 1.19,
}
"""As the fitting command prints them, of POP909's 800 songs and of game music that names its tune."""
LOWEST_MEAN = 45
"""MIDI pitch; what lies lower on average is a bass."""
FEWEST_SUNG = 0.5
"""How well a part's onsets must fit the syllables of a score, as F1, to be what is sung."""
NEXT_TO_BEST = 0.95
"""Parts that fit the syllables nearly as well as the best, such as one that doubles it, are told apart by the rest."""
NEAR = 0.13
"""Quarter notes between a note and its syllable."""
MOST_OVERLAP = 0.1
"""Share of the notes of a part that sound together with another, where both play a line in turn."""


def find_melody(parts: tuple[Part, ...], syllables: tuple[float, ...] = ()) -> tuple[Part, ...]:
    """The part that has the tune; further ones of its name that play on where it rests; none where all are basses.

    Parameters
    ----------
    parts
        Of a score.
    syllables
        Where its words are sung, in quarter notes.
    """
    pitched = [part for part in parts if len(part.events) and not part.is_drum]
    able = np.array(
        [part.program not in BASSES and float(part.events["pitch"].mean()) >= LOWEST_MEAN for part in pitched], bool
    )
    if not able.any():
        return ()
    if np.count_nonzero(able) == 1:
        best = pitched[int(np.argmax(able))]
    else:
        if syllables:
            sung = np.array([syllable_fit(part, syllables) for part in pitched]) * able
            if sung.max() >= FEWEST_SUNG:
                able &= sung >= NEXT_TO_BEST * sung.max()
        scores = np.where(able, part_features(pitched) @ [WEIGHTS[name] for name in FEATURES], -np.inf)
        best = pitched[int(np.argmax(scores))]
    others = [part for part in pitched if part is not best and part.name and part.name == best.name]
    return (best, *(part for part in others if _share_together(part, best) <= MOST_OVERLAP))


def syllable_fit(part: Part, syllables: tuple[float, ...]) -> float:
    """F1 of the onsets of a part against where syllables stand, 0 to 1."""
    onsets, wanted = np.unique(part.events["onset"]), np.array(syllables)
    hits = min(_num_near(onsets, wanted), _num_near(wanted, onsets))
    return 2 * hits / (len(onsets) + len(wanted))


def _num_near(times: NDArray[np.float64], others: NDArray[np.float64]) -> int:
    """How many of `times` have one of `others` (in order) near them."""
    after = np.searchsorted(others, times - NEAR)
    return int(np.count_nonzero(after < np.searchsorted(others, times + NEAR, side="right")))


def _share_together(part: Part, other: Part) -> float:
    """Share of the notes of a part that begin while another sounds."""
    starts = np.sort(other.events["onset"])
    ends = np.sort(other.events["onset"] + other.events["duration"])
    onsets = part.events["onset"]
    sounding = np.searchsorted(starts, onsets, side="right") > np.searchsorted(ends, onsets, side="right")
    return float(np.mean(sounding))
