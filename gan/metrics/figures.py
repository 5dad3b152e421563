"""All metrics of a phrase by name: family, unit, which tracks each is of, and the function that counts it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Generic, Literal, TypeVar

from torch import Tensor

from gan.metrics import features, musegan
from gan.metrics.counts import PhraseCounts, tabulate
from gan.metrics.musegan import PublishedCounts
from gan.spec import RollSpec

Counts = TypeVar("Counts", PhraseCounts, PublishedCounts)
Scope = Literal["phrase", "tracks", "pitched", "drums", "pairs"]


@dataclass(frozen=True)
class PhraseFigure(Generic[Counts]):
    """A metric of a phrase. Its keys in a table are `name`, `name/Track` or `name/Track-Track`, by its scope."""

    name: str
    family: str
    """What it shows; figures of one family see much the same."""
    unit: str
    scope: Scope
    """What it is of: the whole phrase, every track, pitched tracks, drums, or each pair of pitched tracks."""
    explanation: str
    measure: Callable[[Counts], Tensor]
    """`[phrases]` of the phrase, else `[phrases, tracks]` or `[phrases, pairs]`."""
    finer_than: int = 0
    """At up to so many steps a quarter note all notes have one value of it by construction, and it has no keys."""

    def columns(self, spec: RollSpec) -> dict[str, int]:
        """Its keys in the table of such rolls, and the column of `measure` that each is; the phrase's is 0."""
        if spec.steps_per_quarter <= self.finer_than:
            return {}
        names = spec.names
        if self.scope == "phrase":
            return {self.name: 0}
        if self.scope == "pairs":
            pairs = combinations(spec.pitched, 2)
            return {f"{self.name}/{names[first]}-{names[second]}": place for place, (first, second) in enumerate(pairs)}
        chosen = {"tracks": (False, True), "pitched": (False,), "drums": (True,)}[self.scope]
        return {f"{self.name}/{t.name}": place for place, t in enumerate(spec.tracks) if t.is_drum in chosen}


FIGURES: tuple[PhraseFigure[PhraseCounts], ...] = (
    PhraseFigure("empty_bars", "empty bars", "share", "tracks", "bars in which nothing sounds", features.empty_bars),
    PhraseFigure(
        "pitch_classes",
        "pitch classes",
        "classes",
        "pitched",
        "pitch classes that sound in a bar, octaves folded, over bars that are not empty",
        musegan.pitch_classes,
    ),
    PhraseFigure(
        "qualified_notes",
        "qualified notes",
        "share",
        "pitched",
        "notes of an eighth of a beat (a 32nd note) or longer, over bar lines",
        musegan.qualified_notes,
        finer_than=8,
    ),
    PhraseFigure(
        "polyphony",
        "polyphony",
        "share",
        "pitched",
        "steps with two pitches or more, of those at which the track sounds",
        musegan.polyphony,
    ),
    PhraseFigure(
        "eighths", "drum pattern", "share", "drums", "drum onsets on eighth notes", musegan.eighths, finer_than=2
    ),
    PhraseFigure(
        "sixteenths",
        "drum pattern",
        "share",
        "drums",
        "drum onsets on sixteenth notes",
        musegan.sixteenths,
        finer_than=4,
    ),
    PhraseFigure(
        "tonal_distance",
        "tonal distance",
        "distance",
        "pairs",
        "distance of two tracks' tonal centroids, over beats in which both sound",
        musegan.tonal_distance,
    ),
    PhraseFigure(
        "scale",
        "scale",
        "share",
        "phrase",
        "notes in the best of the 12 major scales",
        features.scale_share,
    ),
    PhraseFigure(
        "in_best_scale",
        "scale",
        "share",
        "pitched",
        "a track's notes in the major scale that fits the whole phrase best",
        musegan.in_best_scale,
    ),
    PhraseFigure(
        "in_c_major",
        "scale",
        "share",
        "pitched",
        "notes in C major; means something where songs were moved to a common key",
        musegan.in_c_major,
    ),
    PhraseFigure(
        "groove",
        "groove",
        "share",
        "phrase",
        "steps at which a bar and the next agree on whether there is an onset",
        features.groove_consistency,
    ),
    PhraseFigure(
        "entropy",
        "entropy",
        "bits",
        "phrase",
        "entropy of the pitch classes of all pitched tracks",
        features.pitch_class_entropy,
    ),
    PhraseFigure("length", "note lengths", "beats", "pitched", "mean note length", features.length_in_beats),
    PhraseFigure("fragmentation", "fragmentation", "share", "pitched", "notes of a single step", features.short_share),
    PhraseFigure(
        "repetition_next",
        "repetition",
        "share",
        "phrase",
        "onsets that a bar shares with the next, of those in either",
        features.repetition_next,
    ),
    PhraseFigure(
        "repetition_any",
        "repetition",
        "share",
        "phrase",
        "onsets that any two bars share, of those in either",
        features.repetition_any,
    ),
    PhraseFigure(
        "consonance",
        "consonance",
        "share",
        "phrase",
        "intervals between tracks that are no second, seventh or tritone",
        features.consonance,
    ),
    PhraseFigure("notes_per_bar", "density", "notes", "tracks", "onsets a bar", features.notes_per_bar),
    PhraseFigure(
        "stepwise",
        "melody",
        "share",
        "pitched",
        "moves of a track's highest line by one or two semitones, of all its moves",
        features.stepwise_share,
    ),
)
"""The figures of `figures`, in the order of a report."""

PUBLISHED: tuple[PhraseFigure[PublishedCounts], ...] = (
    PhraseFigure(
        "empty_bars", "empty bars", "share", "tracks", "bars in which nothing sounds", musegan.published_empty_bars
    ),
    PhraseFigure(
        "pitch_classes",
        "pitch classes",
        "groups",
        "pitched",
        "groups of adjacent pitches that sound in a bar",
        musegan.published_pitch_classes,
    ),
    PhraseFigure(
        "qualified_notes",
        "qualified notes",
        "share",
        "pitched",
        "runs of at least 2 steps of 24 a beat, cut at bar lines, repeated notes joined",
        musegan.published_qualified_notes,
    ),
    PhraseFigure(
        "polyphony",
        "polyphony",
        "share",
        "pitched",
        "steps with two pitches or more, of all steps of a bar that is not empty",
        musegan.published_polyphony,
    ),
    PhraseFigure(
        "drum_pattern",
        "drum pattern",
        "share",
        "drums",
        "drum onsets on a mask of sixteenth notes and their neighbours, shifted to fit",
        musegan.published_drum_pattern,
    ),
    PhraseFigure(
        "tonal_distance",
        "tonal distance",
        "distance",
        "pairs",
        "distance of the tonal centroids of groups of adjacent pitches, bars with a silent beat left out",
        musegan.published_tonal_distance,
    ),
    PhraseFigure(
        "in_scale",
        "scale",
        "share",
        "pitched",
        "sounding cells in the groups of adjacent pitches that have the numbers of C major",
        musegan.published_in_scale,
    ),
)
"""The figures of `published_figures`."""


def _figure_table(figures: Iterable[PhraseFigure[Counts]], counts: Counts) -> dict[str, Tensor]:
    table: dict[str, Tensor] = {}
    for figure in figures:
        columns = figure.columns(counts.spec)
        if columns:
            values = figure.measure(counts)
            table |= {key: values if figure.scope == "phrase" else values[:, place] for key, place in columns.items()}
    return table


def figures_of(counts: PhraseCounts) -> dict[str, Tensor]:
    """`figures` of the phrases that were counted."""
    return _figure_table(FIGURES, counts)


def figures(rolls: Tensor, spec: RollSpec) -> dict[str, Tensor]:
    """Every figure of `FIGURES` of rolls, bool or packed `[phrases, *spec.shape]`: key -> `[phrases]`, NaN for none."""
    return tabulate(rolls, spec, figures_of)


FEATURE = "feature:"
"""What stands before the names of features where they share a table with figures."""


def features_and_figures_of(counts: PhraseCounts) -> dict[str, Tensor]:
    """All `features` and all `figures` of the phrases that were counted; names of features have `FEATURE` in front."""
    return {FEATURE + name: values for name, values in features.features_of(counts).items()} | figures_of(counts)


def published_figures(rolls: Tensor, spec: RollSpec) -> dict[str, Tensor]:
    """Every figure of `PUBLISHED`: key -> `[phrases, bars]`, NaN in bars that the code leaves out.

    The published tables hold `values.nanmean()`: each bar weighs the same. Raises `ValueError` at another number of
    steps a beat than 24; `musegan.has_published_form` tells beforehand.
    """
    return tabulate(rolls, spec, lambda counts: _figure_table(PUBLISHED, PublishedCounts(counts)))
