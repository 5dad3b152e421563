"""Songs out of phrases: the generator proposes, the discriminator chooses, and the form says what comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gan.interface import PhraseDiscriminator, PhraseGenerator
from gan.latents import Latents
from gan.metrics.features import dissonance
from gan.metrics.tally import Tally
from gan.rolls import mix_seed
from gan.spec import RollSpec
from gan.statistics import DataStatistics
from pipeline.music.arranging import moved
from pipeline.music.ending import closeness
from pipeline.music.form import Part
from pipeline.music.keys import MAJOR, MINOR, Key, estimate_key, pitch_class_durations
from pipeline.music.notes import Planes, notes_from_roll, roll_from_notes

OWN_SHARE = 0.5
"""How far the latents of a section lie from those of the whole song: 0 the same, 1 unrelated."""
SEAM_WEIGHT, MODE_WEIGHT, HARMONY_WEIGHT, CLOSE_WEIGHT = 0.5, 0.5, 1.0, 3.0
"""Beside the discriminator's opinion of a phrase: of the seam to the phrase before, the song's mode, how far the share
of dissonances between tracks lies from the data's, the ending."""
MAY_REST = 0.25
"""A track silent in a larger share of the data's bars may be silent for a whole phrase."""
ALWAYS_SOUNDS = 0.01
"""A track silent in no larger share of the data's bars has to sound in each bar."""


@dataclass(frozen=True)
class Phrase:
    """A phrase of a song: latents (a batch of one), bool planes of `RollSpec.shape`, semitones it was moved by."""

    latents: Latents
    planes: Planes
    shift: int


class Composer:
    """Makes songs with one generator.

    Parameters
    ----------
    generator, discriminator
        Of the same `RollSpec`; their device is used.
    statistics
        Of the data: which tracks may rest.
    candidates
        Phrases generated for each one kept.
    variation
        How far a returning section strays, 0 to 1.
    in_common_key
        Whether the data was moved to C major or A minor; if not, each phrase's key is estimated and moved there.
    dissonance
        Of real phrases, see `gan.metrics.features.dissonance`; NaN where no two tracks sound together.
    """

    def __init__(
        self,
        generator: PhraseGenerator,
        discriminator: PhraseDiscriminator,
        statistics: DataStatistics,
        candidates: int,
        variation: float,
        in_common_key: bool,
        dissonance: float,
    ) -> None:
        self.generator, self.discriminator = generator, discriminator
        self.spec: RollSpec = generator.spec
        self.statistics = statistics
        self.candidates, self.variation = candidates, variation
        self.in_common_key, self.dissonance = in_common_key, dissonance

    def compose(self, parts: Sequence[Part], home: Key, seed: int) -> list[list[Phrase]]:
        """The phrases of each part, in C major or A minor as `home` says.

        Parts of one role have the same music, a little varied from the second time on; the phrases of a part share
        `z` and `z_track` and move differently. The last phrase of all is chosen to close, where it may be changed.
        """
        random = torch.Generator().manual_seed(mix_seed(seed, 1))
        song = self.generator.sample_latents(1, random)
        material: dict[str, list[Phrase]] = {}
        sections: list[list[Phrase]] = []
        before: Phrase | None = None
        for number, part in enumerate(parts):
            known = material.setdefault(part.role, [])
            returns = len(known)
            phrases: list[Phrase] = []
            for index in range(part.phrases):
                last = number == len(parts) - 1 and index == part.phrases - 1
                chooser = Chooser(self, home, before, closes=last)
                if index < returns:
                    phrase = self._vary(known[index], chooser, random)
                else:
                    phrase = self._invent(known[0] if known else None, song, chooser, random)
                    known.append(phrase)
                phrases.append(phrase)
                before = phrase
            sections.append(phrases)
        return sections

    def _invent(self, first: Phrase | None, song: Latents, chooser: Chooser, random: torch.Generator) -> Phrase:
        """A new phrase: of the section that `first` opened, or one that opens a section of the song."""
        fresh = self.generator.sample_latents(self.candidates, random)
        if first is None:
            latents = _repeated(song, self.candidates).towards(fresh, OWN_SHARE)
        else:
            own = _repeated(first.latents, self.candidates)
            latents = replace(own, z_time=fresh.z_time, z_track_time=fresh.z_track_time)
        return chooser.best(latents, self.generator.sample(latents), None)

    def _vary(self, phrase: Phrase, chooser: Chooser, random: torch.Generator) -> Phrase:
        """The phrase again, a little different; where no latents nearby change a note, from further away."""
        amount = self.variation
        original = torch.from_numpy(self._sampled(phrase))
        while amount > 0:
            latents = _repeated(phrase.latents, self.candidates).vary(min(1.0, amount), random)
            rolls = self.generator.sample(latents)
            other = (rolls.cpu() != original).flatten(1).any(1)
            if bool(other.any()):
                keep = torch.nonzero(other).flatten()
                return chooser.best(latents[keep.to(latents.z.device)], rolls[keep.to(rolls.device)], phrase.shift)
            if amount >= 1:
                break
            amount *= 2
        return phrase

    def _sampled(self, phrase: Phrase) -> Planes:
        """The planes of a phrase as the generator gives them, before it was moved."""
        planes: Planes = self.generator.sample(phrase.latents)[0].cpu().numpy()
        return planes


@dataclass(frozen=True)
class Chooser:
    """Picks the best of several phrases for one place of a song."""

    composer: Composer
    home: Key
    before: Phrase | None
    closes: bool

    def best(self, latents: Latents, rolls: Tensor, shift: int | None) -> Phrase:
        """The best phrase of a batch, moved to the home key by `shift` semitones or by what its key asks for."""
        spec = self.composer.spec
        ratings = _standard(self.composer.discriminator.score(rolls).cpu().numpy())
        planes = rolls.cpu().numpy()
        shifts = [self._shift(one) if shift is None else shift for one in planes]
        placed = np.stack([shifted(one, by, spec) for one, by in zip(planes, shifts, strict=True)])
        ratings = ratings + MODE_WEIGHT * _standard(mode_fit(placed, self.home, spec))
        off = (dissonance(Tally(rolls, spec)) - self.composer.dissonance).abs().nan_to_num(0.0)
        ratings = ratings - HARMONY_WEIGHT * _standard(off.cpu().numpy())
        if self.before is not None and spec.bars > 1:
            half = spec.bars // 2
            head = np.repeat(self.before.planes[None, :, :, -half:], len(placed), axis=0)
            seams = np.concatenate([head, placed[:, :, :, : spec.bars - half]], axis=3)
            seam_rolls = torch.from_numpy(seams).to(rolls.device)
            ratings = ratings + SEAM_WEIGHT * _standard(self.composer.discriminator.score(seam_rolls).cpu().numpy())
        if self.closes:
            ratings = ratings + CLOSE_WEIGHT * np.array([closeness(one, spec, self.home) for one in placed])
        faults = silent_places(placed, self.composer.statistics)
        index = int(np.lexsort((-ratings, faults))[0])
        return Phrase(latents[index : index + 1], placed[index], shifts[index])

    def _shift(self, planes: Planes) -> int:
        """Semitones to the home key (or its relative) for a phrase in whatever key."""
        spec = self.composer.spec
        if self.composer.in_common_key:
            return 0
        key = estimate_key(pitch_class_durations(notes_from_roll(planes, spec.lowest_pitch), spec))
        return key.shift_to_common if key is not None else 0


def _repeated(latents: Latents, count: int) -> Latents:
    """A batch of `count` copies of one phrase's latents."""
    return Latents(**{name: value.repeat(count, *[1] * (value.dim() - 1)) for name, value in latents.to_dict().items()})


def _standard(values: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Values with mean 0 and deviation 1, so that different opinions can be added."""
    exact = values.astype(np.float64)
    spread = exact.std()
    return np.asarray((exact - exact.mean()) / spread if spread > 1e-9 else np.zeros(len(exact)))


def shifted(planes: Planes, semitones: int, spec: RollSpec) -> Planes:
    """A roll with its pitched tracks moved."""
    if semitones == 0:
        return planes
    notes = moved(notes_from_roll(planes, spec.lowest_pitch), semitones, spec)
    return roll_from_notes(notes, spec, planes.shape[2])


def mode_fit(planes: Planes, home: Key, spec: RollSpec) -> NDArray[np.float64]:
    """How much better phrases `[batch, 2, tracks, bars, steps, pitches]` fit `home` than its relative key, `[batch]`.

    The difference of two correlations with the key profiles of Krumhansl and Kessler.
    """
    sounding = planes[:, :, list(spec.pitched)].sum(axis=(1, 2, 3, 4))  # [batch, pitches]
    classes = (np.arange(spec.num_pitches) + spec.lowest_pitch) % 12
    chroma = np.stack([sounding[:, classes == pitch_class].sum(axis=1) for pitch_class in range(12)], axis=1)
    chroma = chroma - chroma.mean(axis=1, keepdims=True)
    length = np.maximum(np.linalg.norm(chroma, axis=1), 1e-9)
    fits = []
    for profile, tonic in ((MAJOR, 0), (MINOR, 9)):
        wanted = np.roll(profile, tonic) - np.mean(profile)
        fits.append(chroma @ wanted / (length * np.linalg.norm(wanted)))
    return np.asarray(fits[1] - fits[0] if home.is_minor else fits[0] - fits[1])


def silent_places(planes: Planes, statistics: DataStatistics) -> NDArray[np.int64]:
    """How often phrases `[batch, 2, tracks, ...]` are silent where the data is not, `[batch]`.

    Counts bars of tracks that never rest, and whole phrases of tracks that seldom do.
    """
    heard = np.any(planes, axis=(1, 4, 5))  # [batch, tracks, bars]
    empty = np.array(statistics.empty_bars)
    bars = (~heard & (empty <= ALWAYS_SOUNDS)[None, :, None]).sum(axis=(1, 2))
    phrases = (~np.any(heard, axis=2) & (empty < MAY_REST)[None, :]).sum(axis=1)
    return np.asarray(bars + phrases)
