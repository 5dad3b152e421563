"""Main melody extraction: the part of a score that has the tune, by lyrics and logistic regression, and its top line.

What the features of a part are compared with are the other parts of its score, whatever the style; places in the file
say little, since sequencers put everything anywhere. `python -m pipeline.dataset.fitting.melody DIR ...` fits the
weights again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.scores.score import Events, Part

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
FEATURES = tuple(WEIGHTS)
"""Of a part, in the order of their columns."""
TUNE_NAMES = re.compile(
    r"melod|\bmelo\b|vocal|\bvox\b|\bvoc\b|\blead\b|sing|gesang|chant\b|\bsolo|\btune\b|voz|canto|\bvoice\b|stimme",
    re.IGNORECASE,
)
"""Words that people call the track of the tune by."""
OTHER_NAMES = re.compile(
    r"bass|accomp|begleit|chord|akkord|\bpad|rhythm|harmon|drum|perc|back|choir|chor\b|string|arp|\bleft\b|doubl|"
    r"counter|bridge|fill|second|intro",
    re.IGNORECASE,
)
"""Words that people call other tracks by."""
BASSES = range(32, 40)
"""Programs."""
E4 = 64
"""Few tunes lie lower on average."""
GRID = 4
"""Steps a quarter note, on which parts are compared."""
TOGETHER = 0.05
"""Quarter notes; what begins nearer begins together."""
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
CHORD_SPREAD = 0.1
"""Quarter notes; what begins nearer is struck as one chord, perhaps rolled."""
LONGEST_COVER = 4.0
"""Quarter notes for which a note keeps lower ones out of the line; pedals make notes longer than anyone hears them."""
WINDOW = 16.0
"""Quarter notes around a note in which the line's usual height is taken."""
FARTHEST_BELOW = 7.0
"""Semitones below that height from which on a note accompanies."""


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
        scores = np.where(able, part_features(pitched) @ list(WEIGHTS.values()), -np.inf)
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


def part_features(parts: Sequence[Part]) -> NDArray[np.float64]:
    """Features of pitched parts that all have notes, `[parts, len(FEATURES)]`, in the order of `FEATURES`."""
    all_notes = np.concatenate([part.events for part in parts])
    steps = int(GRID * float((all_notes["onset"] + all_notes["duration"]).max())) + 1
    grids = np.stack([_top_pitches(part.events, steps) for part in parts])
    num_sounding = max(int(np.count_nonzero(grids.max(0) >= 0)), 1)
    rows = []
    for part, top in zip(parts, grids, strict=True):
        rows.append(
            [
                bool(TUNE_NAMES.search(part.name)),
                bool(OTHER_NAMES.search(part.name)),
                part.program in BASSES,
                max(E4 - float(part.events["pitch"].mean()), 0.0) / 12,
                *_texture(part.events, top, num_sounding),
                *_motion(part.events),
                *_returns(part.events),
                _class_entropy(part.events),
                _range(part.events),
                (float(part.events["velocity"].mean()) - float(all_notes["velocity"].mean())) / 16,
            ]
        )
    return np.array(rows, np.float64)


def _top_pitches(events: Events, steps: int) -> NDArray[np.int16]:
    """The highest pitch that sounds at each step, -1 for rests."""
    top = np.full(steps, -1, np.int16)
    begins = np.rint(GRID * events["onset"]).astype(int)
    ends = np.maximum(np.rint(GRID * (events["onset"] + events["duration"])).astype(int), begins + 1)
    for at in np.argsort(events["pitch"], kind="stable").tolist():
        top[begins[at] : ends[at]] = events["pitch"][at]
    return top


def _texture(events: Events, top: NDArray[np.int16], num_sounding: int) -> tuple[float, float, float, float]:
    """Shares of onsets alone, of its time with one pitch, of the song; log of the median duration in beats."""
    onsets = np.sort(events["onset"])
    groups = 1 + np.count_nonzero(np.diff(onsets) > TOGETHER)
    own = max(int(np.count_nonzero(top >= 0)), 1)
    cells = max(float(GRID * events["duration"].sum()), 1.0)
    return (
        groups / len(events),
        min(own / cells, 1.0),
        own / num_sounding,
        float(np.log(np.median(events["duration"]).clip(0.05, 16))),
    )


def _motion(events: Events) -> tuple[float, float, float]:
    """Shares of steps, repeated notes and leaps among the moves of the top line."""
    order = np.lexsort((-events["pitch"], events["onset"]))
    onset, pitch = events["onset"][order], events["pitch"][order].astype(int)
    first = np.r_[True, np.diff(onset) > TOGETHER]
    moves = np.abs(np.diff(pitch[first]))
    if not len(moves):
        return 0.0, 0.0, 0.0
    return float(np.mean((moves > 0) & (moves <= 2))), float(np.mean(moves == 0)), float(np.mean(moves > 7))


def _returns(events: Events, bar: int = 4 * GRID) -> tuple[float, float, float]:
    """Of bars with notes, the shares whose onsets, and whose notes, are those of the next bar."""
    steps = np.rint(GRID * events["onset"]).astype(np.int64)
    bars: dict[int, set[tuple[int, int]]] = {}
    for step, pitch in zip(steps.tolist(), events["pitch"].tolist(), strict=True):
        bars.setdefault(step // bar, set()).add((step % bar, pitch))
    pairs = [(own, bars[number + 1]) for number, own in bars.items() if number + 1 in bars]
    if not pairs:
        return 0.0, 0.0, 0.0
    seen = Counter(frozenset(one) for one in bars.values())
    again = sum(count for count in seen.values() if count > 1) / len(bars)
    rhythms = [{step for step, _ in one} == {step for step, _ in other} for one, other in pairs]
    return float(np.mean(rhythms)), float(np.mean([one == other for one, other in pairs])), again


def _class_entropy(events: Events) -> float:
    shares = np.bincount(events["pitch"] % 12, minlength=12) / len(events)
    shares = shares[shares > 0]
    return float(-(shares * np.log2(shares)).sum())


def _range(events: Events) -> float:
    """Octaves between its low and high notes."""
    low, high = np.quantile(events["pitch"], (0.05, 0.95))
    return float(high - low) / 12


def top_line(events: Events) -> tuple[Events, Events]:
    """The highest line of a part, one note at a time, and the notes that are not in it.

    Of notes that begin together the highest belongs to the line, unless a higher note of the line has just begun or it
    lies far below the notes of the line around it. Each note of the line lasts to the next one at most.
    """
    events = events[np.lexsort((-events["pitch"], events["onset"]))]
    onset = events["onset"]
    if len(events) < 2 or bool(np.all(onset[1:] >= (onset + events["duration"])[:-1] - CHORD_SPREAD)):
        line = np.ones(len(events), bool)
    else:
        line = _without_fills(events, _skyline(events))
    tune = events[line].copy()
    tune["duration"][:-1] = np.minimum(tune["duration"][:-1], np.diff(tune["onset"]))
    return tune, events[~line]


def _skyline(events: Events) -> NDArray[np.bool_]:
    """Notes with nothing higher beginning together with them or sounding since a short time."""
    kept = np.zeros(len(events), bool)
    onsets, pitches = events["onset"].tolist(), events["pitch"].tolist()
    covers = np.minimum(events["duration"], LONGEST_COVER).tolist()
    group, until, height = -np.inf, -np.inf, -1
    best = -1
    for at, (onset, pitch) in enumerate(zip(onsets, pitches, strict=True)):
        if onset - group <= CHORD_SPREAD and best >= 0:
            if pitch > height:
                kept[best], kept[at] = False, True
                best, until, height = at, onset + covers[at], pitch
            continue
        if onset < until - CHORD_SPREAD and pitch < height:
            continue
        group, best, until, height = onset, at, onset + covers[at], pitch
        kept[at] = True
    return kept


def _without_fills(events: Events, line: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The line without notes far below its usual height there: the mean pitch by time in a window around each."""
    own = events[line]
    weights = np.minimum(own["duration"], LONGEST_COVER)
    sums = np.concatenate([np.zeros((2, 1)), np.cumsum([weights, weights * own["pitch"]], axis=1)], axis=1)
    begin = np.searchsorted(own["onset"], own["onset"] - WINDOW)
    end = np.searchsorted(own["onset"], own["onset"] + WINDOW, side="right")
    total, weighted = sums[:, end] - sums[:, begin]
    kept = line.copy()
    kept[line] = own["pitch"] >= weighted / np.maximum(total, 1e-6) - FARTHEST_BELOW
    return kept
