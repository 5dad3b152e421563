"""The evaluator: everything that `report.json` holds, from phrases alone.

Four sets of phrases are held against the test songs: what is scored (`generated`), phrases of the training songs
(`training`, the floor: as near as other real songs are), the same with each track from another song (`shuffled`) and
notes at random with the right density (`random`). Where the discriminator chooses among a generator's phrases there is
a fifth, of those that it did not choose among (`prior`); what is said of all sets below is said of it too. Everything
that is estimated is `{"value", "low", "high"}`, the bounds holding 95 % of resamples of the songs; null is what can't
be measured.

The keys of `report.json`:

- `format`: 3; the number changes when a key changes its meaning.
- `scored`: `kind` (`checkpoint` or `folder`), `name`, `path`, `phrases`, `songs`; of a checkpoint `step` (of the
  weights), `steps`, `train_seconds`, `parameters` (of both networks), `settings`; of a folder `files`, `rejects`.
- `reference`: `set`, `title`, `spec`, and `phrases` and `songs` by split.
- `headline`: `quality`, `overlap` of all sets, and under `validation` the same against the validation songs.
- `features`: by feature of the headline `overlap` and `kl` of all sets.
- `figures`, `published`: by figure `family`, `unit`, `text`, and the mean of `test` and of all sets; `published`
  (MuseGAN's own definitions) is null but at 24 steps a beat.
- `faults`: sentences on how the published figures differ from the corrected ones; empty but at 24 steps a beat.
- `families`: `name`, `distance` (mean |x - test| of all sets), `detects` (which of shuffled and random lie further
  from the test songs than training songs do, by more than resampling explains).
- `frechet`: of all sets.
- `two_sample`: how well classifiers tell a set from held-out phrases on songs that they have not learnt from: `windows`
  (trees on two-beat windows) and `phrases` (trees on features of phrases), each the area under the ROC curve of
  all sets but `random`; `network`, of pairs of a `generated`, `prior` or `training` phrase and a held-out one the share
  in which a small network tells which is which. 0.5 is alike; null where nothing was trained, or of few songs.
- `tells`: by musical tell `name`, `track`, `text`, the mean of `test` and of all sets but `random`, and `spread`, the
  standard deviation among test phrases.
- `copying`: `generated` and `test`, each `median` and `high` (95th percentile) of the share of onsets that a phrase
  has in common with the nearest training phrase; `nearer`, the share of generated phrases beyond the `high` of test.
- `distinct`: `distinct` among `phrases`.
- `notes`: sentences on what to be careful about.
- `accompaniment`: what `generated` tracks and those of the test songs (`real`) have to do with a track that was given,
  each the figures of `gan.metrics.accompaniment`; `share` of the real songs' `matched` above one half that generated
  ones have; `untouched`, the share of phrases whose given track came back as it was; `tracks`, `matched` by given
  track.
- `control`: by track `density` (means `requested` and `generated` in notes a bar, `correlation`, mean absolute `error`,
  and that error by `chance`, with phrases and conditions dealt anew); `key` (share in the key requested), `tempo`
  (notes a bar at slow and fast tempos) and `style` (recognised by a classifier), `generated` beside `real`; null where
  there is nothing to request. Both are null for what takes no requests.
- `whole_songs`: of a folder's songs, or those of `evaluate.request`, held against test and validation songs (`unseen`):
  `songs` of each kind; `overlap` (mean over features) and `two_sample` (out-of-bag accuracy of a forest) of `generated`
  and of as many `training` songs; `telling` features; by feature `text`, overlaps and the medians of the three; by song
  the `nearest` training song and the `share` of its `bars` that occur in it; `nearest_unseen`, the median share of test
  songs. Null of fewer than eight songs of a kind.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from gan.metrics.baselines import random_notes, shuffle_tracks
from gan.metrics.bootstrap import Interval, mean_intervals, overlap_intervals
from gan.metrics.copying import UNCOPIED, copied_share, nearest_phrases, num_distinct
from gan.metrics.counts import tabulate
from gan.metrics.distances import divergences, frechet_distance, quality
from gan.metrics.figures import FEATURE, FIGURES, PUBLISHED, PhraseFigure, features_and_figures_of, published_figures
from gan.metrics.musegan import has_published_form
from gan.metrics.two_sample_test import two_sample_test
from gan.spec import RollSpec
from pipeline.evaluation.comparison import estimate, families_of, faults_seen, finite
from pipeline.evaluation.note_features.lines import TrackTraits, read_lines
from pipeline.evaluation.note_features.tells import TELLS, tells_of
from pipeline.evaluation.phrase_sets import PhraseSet
from pipeline.evaluation.tree_tests import FOLDS, TreeTests
from pipeline.progress import bar, counted
from pipeline.settings.evaluate import EvaluateSettings

FORMAT = 3
FEW_SONGS = 10
"""Below so many test songs the report warns."""


@dataclass(frozen=True)
class MeasuredSet:
    """A set of phrases and everything that is counted of each."""

    phrases: PhraseSet
    features: dict[str, Tensor]
    figures: dict[str, Tensor]
    published: dict[str, Tensor]
    """`[phrases, bars]`; empty but at 24 steps a beat."""

    @classmethod
    def of(cls, phrases: PhraseSet, spec: RollSpec) -> MeasuredSet:
        """Count the phrases, each once."""
        table = tabulate(phrases.rolls, spec, features_and_figures_of)
        return cls(
            phrases,
            {key.removeprefix(FEATURE): values for key, values in table.items() if key.startswith(FEATURE)},
            {key: values for key, values in table.items() if not key.startswith(FEATURE)},
            published_figures(phrases.rolls, spec) if has_published_form(spec) else {},
        )


class Evaluator:
    """The real songs that phrases are held against, and what is made of them once for all.

    Parameters
    ----------
    test, validation, training
        Phrases of the three splits.
    spec
        The shape of the rolls.
    settings
        How thoroughly.
    """

    def __init__(
        self, test: PhraseSet, validation: PhraseSet, training: PhraseSet, spec: RollSpec, settings: EvaluateSettings
    ) -> None:
        self.spec, self.settings, self.training = spec, settings, training
        self.test, self.validation = MeasuredSet.of(test, spec), MeasuredSet.of(validation, spec)

    def score(
        self, samples: PhraseSet, prior: PhraseSet | None = None
    ) -> tuple[dict[str, MeasuredSet], dict[str, Any]]:
        """The sets with all their values, and everything of the report but `scored` and `reference`.

        `samples` are all phrases there are of what is scored: figures are of the first `evaluate.phrases`, evenly
        spread, and so are as many training phrases, so that a small folder is held against as small a floor. Tracks
        that test songs do not know are silent in as many of the samples. `prior` are phrases of the same generator
        that its discriminator has not chosen.
        """
        settings, seed = self.settings, self.settings.seed
        samples = samples.with_gaps_of(self.test.phrases)
        scored = samples.spread(settings.phrases)
        training = self.training.spread(len(scored))
        sets = {"generated": scored}
        if prior is not None:
            sets["prior"] = prior.with_gaps_of(self.test.phrases).spread(settings.phrases)
        sets |= {
            "training": training,
            "shuffled": PhraseSet(shuffle_tracks(training.rolls, training.songs, seed), training.songs),
            "random": PhraseSet(random_notes(training.rolls, self.spec, seed), training.songs),
        }
        measured = {
            name: MeasuredSet.of(one, self.spec) for name, one in bar(sets.items(), len(sets), "evaluate", "sets")
        }
        headline, features = self._headline(measured)
        figures = self._figures({"test": self.test} | measured)
        published = self._published({"test": self.test} | measured) if has_published_form(self.spec) else None
        families = families_of(figures)
        return measured, {
            "headline": headline,
            "features": features,
            "figures": figures,
            "published": published,
            "faults": faults_seen(figures, published) if published else [],
            "families": families,
            "frechet": {
                name: finite(frechet_distance(one.features, self.test.features)) for name, one in measured.items()
            },
            "two_sample": self._two_sample(sets) if settings.classifier else None,
            "tells": self._tells(sets),
            "copying": self._copying(samples.spread(settings.samples)),
            "distinct": self._distinct(samples.spread(settings.samples)),
            "notes": self._notes(scored, families),
        }

    def _headline(self, measured: Mapping[str, MeasuredSet]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Quality and overlap with test and validation songs, and the overlap and KL of each feature."""
        found = {name: self._overlap(one, self.test) for name, one in measured.items()}
        headline = self._quality({name: total for name, (total, _) in found.items()})
        against = {name: self._overlap(one, self.validation)[0] for name, one in measured.items()}
        headline["validation"] = self._quality(against)
        kl = {name: divergences(one.features, self.test.features) for name, one in measured.items()}
        features = {
            feature: {
                "overlap": {name: estimate(each[feature]) for name, (_, each) in found.items() if feature in each},
                "kl": {name: finite(kl[name].get(feature, math.nan)) for name in measured},
            }
            for feature in found["training"][1]
        }
        return headline, features

    def _overlap(self, one: MeasuredSet, other: MeasuredSet) -> tuple[Interval, dict[str, Interval]]:
        settings = self.settings
        return overlap_intervals(
            one.features, other.features, one.phrases.songs, other.phrases.songs, settings.resamples, settings.seed
        )

    @staticmethod
    def _quality(overlaps: Mapping[str, Interval]) -> dict[str, Any]:
        """The overlaps, and the quality that they make; its interval is that of the generated phrases' overlap."""
        floor, random = overlaps["training"].value, overlaps["random"].value
        scaled = Interval(*(quality(value, random, floor) for value in overlaps["generated"]))
        return {
            "quality": estimate(scaled),
            "overlap": {name: estimate(overlap) for name, overlap in overlaps.items()},
        }

    def _figures(self, measured: Mapping[str, MeasuredSet]) -> dict[str, Any]:
        return self._means({name: (one.figures, one.phrases.songs) for name, one in measured.items()}, FIGURES)

    def _published(self, measured: Mapping[str, MeasuredSet]) -> dict[str, Any]:
        return self._means({name: (one.published, one.phrases.songs) for name, one in measured.items()}, PUBLISHED)

    def _means(
        self, tables: Mapping[str, tuple[Mapping[str, Tensor], Tensor]], known: tuple[PhraseFigure[Any], ...]
    ) -> dict[str, Any]:
        """The mean of each figure in each set, with intervals."""
        settings = self.settings
        means = {
            name: mean_intervals(table, songs, settings.resamples, settings.seed)
            for name, (table, songs) in tables.items()
        }
        return {
            key: {"family": figure.family, "unit": figure.unit, "text": figure.explanation}
            | {name: estimate(intervals[key]) for name, intervals in means.items()}
            for figure in known
            for key in figure.columns(self.spec)
        }

    @cached_property
    def held_out(self) -> PhraseSet:
        """Phrases of the test and the validation songs together."""
        test, validation = self.test.phrases, self.validation.phrases
        return PhraseSet(
            torch.cat([test.rolls, validation.rolls]),
            torch.cat([test.songs, validation.songs + test.songs.max() + 1]),
        )

    @cached_property
    def trees(self) -> TreeTests:
        """Trees that tell phrases from held-out ones."""
        return TreeTests(self.held_out, self.spec, self.settings.resamples, self.settings.seed)

    def _two_sample(self, sets: Mapping[str, PhraseSet]) -> dict[str, Any] | None:
        """How well sets are told from held-out phrases; None of too few songs."""
        if min(one.num_songs for one in (sets["generated"], sets["training"], self.held_out)) < FOLDS:
            return None
        found: dict[str, dict[str, Any]] = {"windows": {}, "phrases": {}, "network": {}}
        chosen = {name: one for name, one in sets.items() if name != "random"}
        for name, one in bar(chosen.items(), len(chosen), "evaluate", "classifiers"):
            told = self.trees.tell(one)
            found["windows"][name], found["phrases"][name] = estimate(told.windows), estimate(told.phrases)
            if name != "shuffled":
                found["network"][name] = estimate(
                    two_sample_test(
                        one.rolls, self.held_out.rolls, one.songs, self.held_out.songs, self.spec, self.settings.seed
                    )
                )
        return found

    def _tells(self, sets: Mapping[str, PhraseSet]) -> dict[str, Any]:
        """The mean of each musical tell in each set but random notes, with intervals."""
        chosen = {"test": self.test.phrases} | {name: one for name, one in sets.items() if name != "random"}
        lines = {name: read_lines(one.rolls, self.spec) for name, one in chosen.items()}
        traits = TrackTraits.of(lines["test"])
        events = {
            name: {key: torch.from_numpy(values) for key, values in tells_of(one, traits).items()}
            for name, one in lines.items()
        }
        means = {
            name: mean_intervals(events[name], one.songs, self.settings.resamples, self.settings.seed)
            for name, one in chosen.items()
        }
        texts = {tell.name: tell.explanation for tell in TELLS}
        return {
            key: {"name": name, "track": track, "text": texts[name], "spread": spread_of_phrases(events["test"][key])}
            | {one: estimate(found[key]) for one, found in means.items()}
            for key in events["test"]
            for name, _, track in [key.partition("/")]
        }

    def _copying(self, samples: PhraseSet) -> dict[str, Any]:
        """How near generated and unseen phrases come to training phrases."""
        unseen = self.test.phrases.spread(len(samples))
        pairs = {"generated": samples, "test": unseen}
        near = {
            name: nearest_phrases(one.rolls, self.training.rolls, self.spec).similarity
            for name, one in bar(pairs.items(), 2, "evaluate", "searches for copies")
        }
        found: dict[str, Any] = {
            name: {"median": float(values.median()), "high": float(values.quantile(UNCOPIED))}
            for name, values in near.items()
        }
        return found | {"nearer": copied_share(near["generated"], near["test"])}

    def _distinct(self, samples: PhraseSet) -> dict[str, int]:
        return {"distinct": num_distinct(samples.rolls, self.spec), "phrases": len(samples)}

    def _notes(self, scored: PhraseSet, families: list[dict[str, Any]]) -> list[str]:
        """What to be careful about."""
        notes = []
        if len(scored) < self.settings.phrases:
            notes.append(
                f"Only {counted(len(scored), 'phrase')} could be scored, not {self.settings.phrases}; the floor is of "
                "as many training phrases. Overlaps of few phrases are low."
            )
        if self.test.phrases.num_songs < FEW_SONGS:
            notes.append(
                f"The test songs are only {self.test.phrases.num_songs}: intervals are wide, and what is near them may "
                "be far from others like them."
            )
        for name, words in (("shuffled", "tracks shuffled between songs"), ("random", "notes at random")):
            blind = [family["name"] for family in families if name not in family["detects"]]
            if blind:
                notes.append(f"Can't tell {words} from real songs here: {', '.join(blind)}.")
        return notes


def spread_of_phrases(events: Tensor) -> float:
    """Standard deviation of the phrases' means of events `[phrases, events]`; 0 where fewer than two have any."""
    means = events.nanmean(1)
    means = means[~means.isnan()]
    return float(means.std()) if len(means) > 1 else 0.0
