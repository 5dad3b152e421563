"""Features of the parts of a score that tell the tune from what accompanies it, such as register and monophony.

Those that are compared with the other parts make one score like another, whatever its style; programs and places in
the file say little, since sequencers put everything anywhere.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.scores.score import Events, Part

FEATURES = (
    "named as the tune",
    "named as accompaniment",
    "bass program",
    "octaves below E4",
    "share of onsets alone",
    "share of its time with one pitch",
    "share of the song in which it sounds",
    "log of beats a note",
    "share of steps",
    "share of repeated notes",
    "share of leaps",
    "share of rhythms that the next bar repeats",
    "share of bars that the next bar repeats",
    "share of bars that return at any time",
    "pitch classes in bits",
    "octaves of range",
    "louder than the mean",
)
"""Names of the columns."""

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
