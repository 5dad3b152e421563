"""The figures of a report compared: how far each family is from real songs, and which baselines it detects."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from gan.metrics.bootstrap import Interval

SCORED_SETS = ("generated", "prior", "training", "shuffled", "random")
"""The sets that are held against the test songs; `prior` where a discriminator chooses among phrases."""


def sets_in(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The sets that there are values of, in the order of tables."""
    return tuple(name for name in SCORED_SETS if name in values)


SAME = 5e-4
"""Published and corrected figures that differ by less are the same."""
FAULTS = (
    ("pitch_classes", "pitch_classes", -1, "Seven neighbouring semitones count as one pitch class"),
    ("qualified_notes", "qualified_notes", 1, "Two steps are enough, and repeated notes are one long run"),
    ("polyphony", "polyphony", -1, "Rests count as steps without polyphony"),
    ("sixteenths", "drum_pattern", 1, "Onsets a step off the grid count in part, and the grid is turned to fit"),
    ("in_c_major", "in_scale", -1, "What is taken for C major is 7 of 12 bands of the keyboard"),
)
"""Corrected and published figure, which way the fault moves the published one, and why."""


def finite(value: float) -> float | None:
    """A number, or None where there is none: JSON knows no NaN."""
    return value if math.isfinite(value) else None


def estimate(interval: Interval) -> dict[str, float | None]:
    """An interval as the report has it."""
    return {name: finite(value) for name, value in interval._asdict().items()}


def families_of(figures: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """By family of figures: mean |x - test| of each set, and which baselines the family tells from real songs."""
    families: dict[str, list[Mapping[str, Any]]] = {}
    for figure in figures.values():
        families.setdefault(figure["family"], []).append(figure)
    found = []
    for name, members in families.items():
        gaps = {
            one: [abs(f[one]["value"] - f["test"]["value"]) for f in members if _has(f, one) and _has(f, "test")]
            for one in sets_in(members[0])
        }
        distance = {one: _mean(each) for one, each in gaps.items()}
        slack = [math.hypot(_half(f["test"]), _half(f["training"])) for f in members]
        floor = distance["training"]
        limit = None if floor is None else floor + sum(slack) / len(slack)
        detects = [one for one in ("shuffled", "random") if _beyond(distance[one], limit)]
        found.append({"name": name, "distance": distance, "detects": detects})
    return found


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _has(figure: Mapping[str, Any], name: str) -> bool:
    return figure[name]["value"] is not None


def _half(estimated: Mapping[str, float | None]) -> float:
    """Half the width of an interval; 0 where there is none."""
    low, high = estimated["low"], estimated["high"]
    return 0.0 if low is None or high is None else (high - low) / 2


def _beyond(distance: float | None, limit: float | None) -> bool:
    """Whether a set lies further off than real songs do; one without any figure does."""
    return limit is not None and (distance is None or distance > limit)


def faults_seen(figures: Mapping[str, Mapping[str, Any]], published: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Where MuseGAN's own definitions and the corrected ones differ on the test songs, and whether as foretold."""
    sentences = []
    for corrected, published_name, sign, why in FAULTS:
        pairs = [
            (figures[f"{corrected}{key.removeprefix(published_name)}"]["test"]["value"], figure["test"]["value"])
            for key, figure in published.items()
            if key.split("/")[0] == published_name and f"{corrected}{key.removeprefix(published_name)}" in figures
        ]
        pairs = [(one, other) for one, other in pairs if one is not None and other is not None]
        if not pairs:
            continue
        right, wrong = (sum(side) / len(pairs) for side in zip(*pairs, strict=True))
        seen = "as is seen" if (wrong - right) * sign > SAME else "not so here, they are the same"
        if (wrong - right) * sign < -SAME:
            seen = "not so here, it is the other way round"
        sentences.append(
            f"{published_name}: published {wrong:.3f}, corrected {right:.3f} on the test songs. {why}, so that the "
            f"published figure is to be {'larger' if sign > 0 else 'smaller'}: {seen}."
        )
    return sentences + _blindness(figures, published)


def _blindness(figures: Mapping[str, Mapping[str, Any]], published: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """How far shuffled tracks lie from training songs in tonal distance, by either definition."""
    gaps = []
    for table in (published, figures):
        found = [figure for key, figure in table.items() if key.startswith("tonal_distance/")]
        found = [figure for figure in found if _has(figure, "shuffled") and _has(figure, "training")]
        gaps.append([figure["shuffled"]["value"] - figure["training"]["value"] for figure in found])
    wrong, right = map(_mean, gaps)
    if wrong is None or right is None:
        return []
    seen = "as is seen" if wrong < right - SAME else "not so here"
    return [
        f"tonal_distance: shuffled tracks lie {wrong:+.3f} from training songs as published, {right:+.3f} corrected. "
        f"Neighbouring semitones say nothing of harmony, so that the published figure is to tell less: {seen}."
    ]
