"""Whether a generator does as it is told: density, key, tempo and style, each asked for by itself and measured.

What is asked is what real phrases have; everything else is left to chance, so that one condition can't answer for
another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gan.conditions import KEY, STYLE, TEMPO, no_conditions
from gan.metrics.bootstrap import mean_intervals
from gan.metrics.control import agreement, thirds, train_styles
from gan.metrics.counts import Tally, tabulate
from gan.metrics.features import notes_per_bar
from gan.seeds import mix_seed
from gan.spec import RollSpec
from pipeline.evaluation.accompaniment import Make
from pipeline.evaluation.comparison import estimate, finite
from pipeline.evaluation.phrase_sets import Phrases, evenly
from pipeline.scores.keys import key_profiles
from pipeline.settings.evaluation import EvaluateSettings

MOST_TRAINING = 3000
"""Training phrases that tell what tempo and style do to music."""


@dataclass(frozen=True)
class Labelled:
    """Real phrases, and their key, tempo and style `[phrases, 3]` as in `gan.conditions`."""

    phrases: Phrases
    labels: Tensor

    def spread(self, count: int) -> Labelled:
        """At most `count` of them, evenly spread."""
        places = evenly(len(self.phrases), count)
        return Labelled(Phrases(self.phrases.rolls[places], self.phrases.songs[places]), self.labels[places])


@dataclass(frozen=True)
class Densities:
    """Notes a bar of each track, `[phrases, tracks]`: asked for, and what came out."""

    asked: Tensor
    made: Tensor


class Examiner:
    """Asks a generator for one thing at a time.

    Parameters
    ----------
    make
        The generator.
    test, training
        Phrases of these splits; what is asked of density and key is of the former, of tempo of the latter: a few
        songs say little of what tempo does to music.
    styles
        Names of the styles of the data set, in the order of their numbers.
    spec
        The shape of the rolls.
    settings
        How many phrases are asked for.
    """

    def __init__(
        self,
        make: Make,
        test: Labelled,
        training: Labelled,
        styles: Sequence[str],
        spec: RollSpec,
        settings: EvaluateSettings,
    ) -> None:
        self.make, self.spec, self.settings, self.styles = make, spec, settings, styles
        self.test, self.training = test.spread(settings.requests), training.spread(MOST_TRAINING)
        self.seed = mix_seed(settings.seed, 6)

    def examine(self) -> tuple[Densities, dict[str, Any]]:
        """Conditioning and measured densities, and the report's `control`."""
        densities, by_track = self._density()
        return densities, {
            "phrases": len(self.test.phrases),
            "condition_strength": self.settings.condition_strength,
            "density": by_track,
            "key": self._key(),
            "tempo": self._tempo(),
            "style": self._style(),
        }

    def _asked(self, place: int, values: Tensor) -> Tensor:
        """What is made for values `[phrases]` of one condition."""
        conditions = no_conditions(len(values), self.spec)
        conditions[:, place] = values
        return self.make(conditions, None, mix_seed(self.seed, 1, place % conditions.shape[1]))

    def _means(self, columns: dict[str, Tensor], songs: Tensor | None = None) -> dict[str, dict[str, float | None]]:
        """Means with intervals; phrases that were made are a song each."""
        owners = torch.arange(len(next(iter(columns.values())))) if songs is None else songs
        found = mean_intervals(columns, owners, self.settings.resamples, self.settings.seed)
        return {name: estimate(interval) for name, interval in found.items()}

    def _density(self) -> tuple[Densities, dict[str, Any]]:
        """Of each track the densities of the test phrases, all tracks of a phrase asked for together."""
        spec, asked = self.spec, _notes(self.test.phrases.rolls, self.spec)
        conditions = no_conditions(len(asked), spec)
        conditions[:, : spec.num_tracks] = asked
        made = _notes(self.make(conditions, None, mix_seed(self.seed, 2)), spec)
        dealt = asked[self._shuffle(len(asked))]
        by_track = {}
        for track, name in enumerate(spec.names):
            found, chance = (agreement(one[:, track], made[:, track]) for one in (asked, dealt))
            by_track[name] = {
                "asked": float(asked[:, track].mean()),
                "made": float(made[:, track].mean()),
                "correlation": finite(found.correlation),
                "error": finite(found.error),
                "chance": finite(chance.error),
            }
        return Densities(asked, made), by_track

    def _shuffle(self, count: int) -> Tensor:
        return torch.randperm(count, generator=torch.Generator().manual_seed(mix_seed(self.seed, 3)))

    def _key(self) -> dict[str, Any] | None:
        """The share of phrases that sound in the key asked for, beside test phrases in that of their song.

        Of the keys of the test songs (two, where all were moved to a common one) the best is the one that is heard.
        """
        known = (~self.test.labels[:, KEY].isnan()).nonzero().flatten()
        if not len(known):
            return None
        asked, real = self.test.labels[known, KEY], self.test.phrases
        keys = sorted({int(key) for key in asked.tolist()})
        heard = _keys(self._asked(KEY, asked), keys, self.spec)
        own = _keys(real.rolls[known], keys, self.spec)
        dealt = asked[self._shuffle(len(asked))]
        return {
            "keys": len(keys),
            "made": self._means({"fits": (heard == asked).float()})["fits"],
            "real": self._means({"fits": (own == asked).float()}, real.songs[known])["fits"],
            "chance": float((heard == dealt).float().mean()),
        }

    def _tempo(self) -> dict[str, Any] | None:
        """Notes a bar of all tracks in the slow and in the fast third of the training phrases' tempos."""
        training = self.training
        split = thirds(training.labels[:, TEMPO])
        if split is None:
            return None
        real = _notes(training.phrases.rolls, self.spec).sum(1)
        places = evenly(len(real), self.settings.requests)
        made = _notes(self._asked(TEMPO, training.labels[places, TEMPO]), self.spec).sum(1)
        rows = dict(zip(("slow", "fast"), split, strict=True))
        by_third = {name: torch.where(chosen, real, torch.nan) for name, chosen in rows.items()}
        asked_third = {name: torch.where(chosen[places], made, torch.nan) for name, chosen in rows.items()}
        found = {"real": self._means(by_third, training.phrases.songs), "made": self._means(asked_third)}
        more = _gap(found["real"]) * _gap(found["made"])
        return {
            **found,
            "bpm": {name: finite(float(training.labels[chosen, TEMPO].mean())) for name, chosen in rows.items()},
            "agrees": None if math.isnan(more) else more > 0,
        }

    def _style(self) -> dict[str, Any] | None:
        """How often a classifier that learnt the styles of real phrases recognises the one that was asked for."""
        spec, count = self.spec, len(self.styles)
        test, training = self.test, self.training
        try:
            judge = train_styles(training.phrases.rolls, training.labels[:, STYLE], count, spec, self.seed)
        except ValueError:
            return None
        asked = torch.arange(len(test.phrases)).float() % count
        recognised = {
            "made": (judge.recognises(self._asked(STYLE, asked), asked, spec), asked, None),
            "real": (
                judge.recognises(test.phrases.rolls, test.labels[:, STYLE], spec),
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
    return tabulate(rolls, spec, lambda tally: {"notes": notes_per_bar(tally)})["notes"]


def _keys(rolls: Tensor, keys: Sequence[int], spec: RollSpec) -> Tensor:
    """Which of some keys (numbers of `gan.conditions`) each phrase sounds most like, `[phrases]`; NaN where none does.

    As `pipeline.scores.keys.estimate_key` has it, by the time that each pitch class sounds.
    """

    def durations(tally: Tally) -> dict[str, Tensor]:
        return {"steps": tally.chroma[:, list(spec.pitched)].sum((1, 2))}

    steps = tabulate(rolls, spec, durations)["steps"]
    profiles = torch.from_numpy(key_profiles()[list(keys)]).float()
    best = torch.tensor(keys)[(steps @ profiles.T).argmax(1)].float()
    return torch.where(steps.amax(1) == steps.amin(1), torch.nan, best)


def _gap(thirds_of: dict[str, dict[str, float | None]]) -> float:
    """Notes a bar that the slow third has more than the fast one; NaN where either is missing."""
    slow, fast = (thirds_of[name]["value"] for name in ("slow", "fast"))
    return math.nan if slow is None or fast is None else slow - fast
