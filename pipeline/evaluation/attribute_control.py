"""Attribute control: density, key, chords, tempo and style, each requested by itself and measured in what comes of it.

What is requested is what real phrases have; everything else is left to chance, so that one condition can't answer for
another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gan.chords import CHORD_NUMBERS, ROOT, same_chords
from gan.conditions import KEY, NUM_LABELS, STYLE, TEMPO, ConditionLayout, no_conditions
from gan.metrics.attribute_control import agreement, outer_thirds, train_style_classifier
from gan.metrics.bootstrap import mean_intervals
from gan.metrics.counts import PhraseCounts, evenly_spread, tabulate
from gan.metrics.features import notes_per_bar
from gan.rolls import unpack
from gan.seeds import mix_seed
from gan.spec import RollSpec
from pipeline.evaluation.accompaniment import Generate
from pipeline.evaluation.comparison import estimate, finite
from pipeline.evaluation.phrase_sets import PhraseSet
from pipeline.scores.chords.recognition import recognise_chords
from pipeline.scores.keys import key_profiles
from pipeline.scores.notes import notes_from_roll
from pipeline.settings.evaluate import EvaluateSettings

MAX_TRAINING = 3000
"""Training phrases that tell what tempo and style do to music."""


@dataclass(frozen=True)
class LabelledPhrases:
    """Real phrases, and their labels `[phrases, 3 * half_bars + 3]` (`gan.conditions.no_labels`)."""

    phrases: PhraseSet
    labels: Tensor

    def spread(self, count: int) -> LabelledPhrases:
        """At most `count` of them, evenly spread."""
        places = evenly_spread(len(self.phrases), count)
        return LabelledPhrases(PhraseSet(self.phrases.rolls[places], self.phrases.songs[places]), self.labels[places])


@dataclass(frozen=True)
class TrackDensities:
    """Notes a bar of each track, `[phrases, tracks]`: requested, and what came out."""

    requested: Tensor
    generated: Tensor


class AttributeControl:
    """Requests one attribute at a time from a generator and measures what comes.

    Parameters
    ----------
    generate
        The generator.
    test, training
        Phrases of these splits. Requested densities and keys are those of the test phrases, tempos those of the
        training phrases, since a few songs say little of what tempo does.
    styles
        Names of the styles of the data set, in the order of their numbers.
    spec
        The shape of the rolls.
    settings
        How many phrases are requested.
    """

    def __init__(
        self,
        generate: Generate,
        test: LabelledPhrases,
        training: LabelledPhrases,
        styles: Sequence[str],
        spec: RollSpec,
        settings: EvaluateSettings,
    ) -> None:
        self.generate, self.spec, self.settings, self.styles = generate, spec, settings, styles
        self.test, self.training = test.spread(settings.requests), training.spread(MAX_TRAINING)
        self.seed = mix_seed(settings.seed, 6)

    def measure(self) -> tuple[TrackDensities, dict[str, Any]]:
        """Requested and measured densities, and the report's `control`."""
        densities, by_track = self._density()
        return densities, {
            "phrases": len(self.test.phrases),
            "condition_strength": self.settings.condition_strength,
            "density": by_track,
            "key": self._key(),
            "chords": self._chords(),
            "tempo": self._tempo(),
            "style": self._style(),
        }

    def _generate_for(self, place: int, values: Tensor) -> Tensor:
        """What is generated for values `[phrases]` of one condition."""
        conditions = no_conditions(len(values), self.spec)
        conditions[:, place] = values
        return self.generate(conditions, None, mix_seed(self.seed, 1, place % conditions.shape[1]))

    def _means(self, columns: dict[str, Tensor], songs: Tensor | None = None) -> dict[str, dict[str, float | None]]:
        """Means with intervals; generated phrases are a song each."""
        owners = torch.arange(len(next(iter(columns.values())))) if songs is None else songs
        found = mean_intervals(columns, owners, self.settings.resamples, self.settings.seed)
        return {name: estimate(interval) for name, interval in found.items()}

    def _density(self) -> tuple[TrackDensities, dict[str, Any]]:
        """Of each track the densities of the test phrases, all tracks of a phrase requested together."""
        spec, requested = self.spec, _notes(self.test.phrases.rolls, self.spec)
        conditions = no_conditions(len(requested), spec)
        conditions[:, : spec.num_tracks] = requested
        generated = _notes(self.generate(conditions, None, mix_seed(self.seed, 2)), spec)
        shuffled = requested[self._shuffle(len(requested))]
        by_track = {}
        for track, name in enumerate(spec.names):
            found, chance = (agreement(one[:, track], generated[:, track]) for one in (requested, shuffled))
            by_track[name] = {
                "requested": float(requested[:, track].mean()),
                "generated": float(generated[:, track].mean()),
                "correlation": finite(found.correlation),
                "error": finite(found.error),
                "chance": finite(chance.error),
            }
        return TrackDensities(requested, generated), by_track

    def _shuffle(self, count: int) -> Tensor:
        return torch.randperm(count, generator=torch.Generator().manual_seed(mix_seed(self.seed, 3)))

    def _key(self) -> dict[str, Any] | None:
        """The share of phrases that sound in the key requested, beside test phrases in that of their song.

        Of the keys of the test songs (two, where all were moved to a common one) the best fit counts.
        """
        known = (~self.test.labels[:, KEY].isnan()).nonzero().flatten()
        if not len(known):
            return None
        requested, real = self.test.labels[known, KEY], self.test.phrases
        keys = sorted({int(key) for key in requested.tolist()})
        best = _keys(self._generate_for(KEY, requested), keys, self.spec)
        own = _keys(real.rolls[known], keys, self.spec)
        shuffled = requested[self._shuffle(len(requested))]
        return {
            "keys": len(keys),
            "generated": self._means({"fits": (best == requested).float()})["fits"],
            "real": self._means({"fits": (own == requested).float()}, real.songs[known])["fits"],
            "chance": float((best == shuffled).float().mean()),
        }

    def _chords(self) -> dict[str, Any] | None:
        """The share of half bars in which the chord requested is recognised again, root and major or minor.

        Requested are the chords of the test phrases, beside which stands how often theirs are recognised in each phrase
        by itself: what the song around it, or its chord symbols, told of them.
        """
        layout = ConditionLayout.of(self.spec)
        requested = self.test.labels[:, :-NUM_LABELS].view(-1, self.spec.half_bars, CHORD_NUMBERS)
        sounds = (requested[..., ROOT] >= 0).any(1)
        if not bool(sounds.any()):
            return None
        requested, real = requested[sounds], self.test.phrases.rolls[sounds]
        conditions = no_conditions(len(requested), self.spec)
        conditions[:, layout.chords] = requested.flatten(1)
        generated = _chords(self.generate(conditions, None, mix_seed(self.seed, 4)), self.spec)
        shuffled = requested[self._shuffle(len(requested))]
        found = {
            "generated": self._means({"same": same_chords(generated, requested)})["same"],
            "real": self._means(
                {"same": same_chords(_chords(real, self.spec), requested)}, self.test.phrases.songs[sounds]
            )["same"],
        }
        return {**found, "chance": finite(float(same_chords(generated, shuffled).nanmean()))}

    def _tempo(self) -> dict[str, Any] | None:
        """Notes a bar of all tracks in the slow and in the fast third of the training phrases' tempos."""
        training = self.training
        split = outer_thirds(training.labels[:, TEMPO])
        if split is None:
            return None
        real = _notes(training.phrases.rolls, self.spec).sum(1)
        places = evenly_spread(len(real), self.settings.requests)
        generated = _notes(self._generate_for(TEMPO, training.labels[places, TEMPO]), self.spec).sum(1)
        rows = dict(zip(("slow", "fast"), split, strict=True))
        by_third = {name: torch.where(chosen, real, torch.nan) for name, chosen in rows.items()}
        generated_by_third = {name: torch.where(chosen[places], generated, torch.nan) for name, chosen in rows.items()}
        found = {"real": self._means(by_third, training.phrases.songs), "generated": self._means(generated_by_third)}
        more = _gap(found["real"]) * _gap(found["generated"])
        return {
            **found,
            "bpm": {name: finite(float(training.labels[chosen, TEMPO].mean())) for name, chosen in rows.items()},
            "agrees": None if math.isnan(more) else more > 0,
        }

    def _style(self) -> dict[str, Any] | None:
        """How often a classifier that learnt the styles of real phrases recognises the one that was requested."""
        spec, count = self.spec, len(self.styles)
        test, training = self.test, self.training
        try:
            classifier = train_style_classifier(
                training.phrases.rolls, training.labels[:, STYLE], count, spec, self.seed
            )
        except ValueError:
            return None
        requested = torch.arange(len(test.phrases)).float() % count
        recognised = {
            "generated": (
                classifier.recognises(self._generate_for(STYLE, requested), requested, spec),
                requested,
                None,
            ),
            "real": (
                classifier.recognises(test.phrases.rolls, test.labels[:, STYLE], spec),
                test.labels[:, STYLE],
                test.phrases.songs,
            ),
        }
        by_style: dict[str, dict[str, Any]] = {}
        for name, (hits, styles, songs) in recognised.items():
            columns = {style: torch.where(styles == n, hits, torch.nan) for n, style in enumerate(self.styles)}
            by_style[name] = self._means(columns, songs)
        means = {name: [e["value"] for e in one.values() if e["value"] is not None] for name, one in by_style.items()}
        return {
            "chance": 1 / count,
            **{name: sum(values) / len(values) if values else None for name, values in means.items()},
            "styles": {style: {name: one[style] for name, one in by_style.items()} for style in self.styles},
        }


def _notes(rolls: Tensor, spec: RollSpec) -> Tensor:
    """Notes a bar, `[phrases, tracks]`."""
    return tabulate(rolls, spec, lambda counts: {"notes": notes_per_bar(counts)})["notes"]


def _keys(rolls: Tensor, keys: Sequence[int], spec: RollSpec) -> Tensor:
    """Which of some keys (numbers of `gan.conditions`) each phrase sounds most like, `[phrases]`; NaN where none does.

    As `pipeline.scores.keys.estimate_key` has it, by the time that each pitch class sounds.
    """

    def durations(counts: PhraseCounts) -> dict[str, Tensor]:
        return {"steps": counts.chroma[:, list(spec.pitched)].sum((1, 2))}

    steps = tabulate(rolls, spec, durations)["steps"]
    profiles = torch.from_numpy(key_profiles()[list(keys)]).float()
    best = torch.tensor(keys)[(steps @ profiles.T).argmax(1)].float()
    return torch.where(steps.amax(1) == steps.amin(1), torch.nan, best)


def _chords(rolls: Tensor, spec: RollSpec) -> Tensor:
    """The chords recognised in each phrase, `[phrases, half_bars, 3]`; rolls are bool or packed."""
    found = [
        recognise_chords(notes_from_roll(roll.cpu().numpy(), spec.lowest_pitch), spec.bars, spec)
        for roll in unpack(rolls, spec)
    ]
    return torch.from_numpy(np.stack(found)).float()


def _gap(thirds_of: dict[str, dict[str, float | None]]) -> float:
    """Notes a bar that the slow third has more than the fast one; NaN where either is missing."""
    slow, fast = (thirds_of[name]["value"] for name in ("slow", "fast"))
    return math.nan if slow is None or fast is None else slow - fast
