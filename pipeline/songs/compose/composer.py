"""Songs out of phrases: the generator proposes, the discriminator chooses, and the form says what comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import torch

from gan.interface import PhraseDiscriminator, PhraseGenerator
from gan.latents import Latents
from gan.networks.generator import Generator
from gan.seeds import mix_seed
from gan.statistics import DataStatistics
from pipeline.scores.keys import Key
from pipeline.songs.compose.phrase_sampling import OWN_SHARE, Weaver, repeated
from pipeline.songs.compose.reranking import Judge, Phrase, Place
from pipeline.songs.conditions import Request
from pipeline.songs.form import Part
from pipeline.songs.plan import Wanted, choose_cast, plan_phrases

RETURNING = ("chorus", "refrain", "theme")
"""Sections that come back as they were, where the generator can vary others bar by bar."""


class PhraseMaker(Protocol):
    """Makes the phrases of one song."""

    def invent(self, first: Phrase | None, place: Place, random: torch.Generator) -> Phrase:
        """A phrase that was not there yet: of the section that `first` opened, or one that opens a section."""

    def again(self, phrase: Phrase, place: Place, random: torch.Generator) -> Phrase:
        """A phrase that comes back, a little different."""


@dataclass(frozen=True)
class Chooser:
    """Makes phrases with a generator that can't be given notes: fresh ones, of which the best is taken.

    Attributes
    ----------
    generator, judge, candidates, variation, song
        As in `Weaver`; `variation` is how far the latents move where a section comes back.
    """

    generator: PhraseGenerator
    judge: Judge
    candidates: int
    variation: float
    song: Latents

    def invent(self, first: Phrase | None, place: Place, random: torch.Generator) -> Phrase:
        """See `PhraseMaker`."""
        fresh = self.generator.sample_latents(self.candidates, random)
        if first is None:
            latents = repeated(self.song, self.candidates).interpolate(fresh, OWN_SHARE)
        else:
            own = repeated(first.latents, self.candidates)
            latents = replace(own, z_time=fresh.z_time, z_track_time=fresh.z_track_time)
        return self.judge.best(latents, self.generator.sample(latents), None, place)[0]

    def again(self, phrase: Phrase, place: Place, random: torch.Generator) -> Phrase:
        """See `PhraseMaker`; where no latents nearby change a note, from further away."""
        amount = self.variation
        original = self.generator.sample(phrase.latents).cpu()
        while amount > 0:
            latents = repeated(phrase.latents, self.candidates).vary(min(1.0, amount), random)
            rolls = self.generator.sample(latents)
            other = (rolls.cpu() != original).flatten(1).any(1)
            if bool(other.any()):
                keep = torch.nonzero(other).flatten().to(rolls.device)
                return self.judge.best(latents[keep], rolls[keep], phrase.shift, place)[0]
            if amount >= 1:
                break
            amount *= 2
        return phrase


@dataclass
class Piece:
    """The phrases of a song, section by section; sections can be made anew.

    Attributes
    ----------
    parts, home, seed
        The form, the key, and what decides on the music.
    maker
        Makes the phrases.
    plans
        What the form asks of each phrase of each part; None where the generator can't be asked.
    sections
        The phrases of each part, once they are made.
    seeds
        What each section was made with.
    """

    parts: Sequence[Part]
    home: Key
    seed: int
    maker: PhraseMaker
    plans: list[list[Wanted]] | None
    sections: list[list[Phrase]] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)

    def make(self) -> None:
        """Make all sections, each going on from the one before."""
        material: dict[str, list[Phrase]] = {}
        for number in range(len(self.parts)):
            self.seeds.append(mix_seed(self.seed, 1, number))
            self.sections.append(self._section(number, material, after=None))

    def remake(self, role: str, count: int) -> None:
        """Make the sections of a role anew, for the `count`th time, between neighbours that stay as they are."""
        material: dict[str, list[Phrase]] = {}
        for number, part in enumerate(self.parts):
            if part.role == role:
                after = self.sections[number + 1][0] if number + 1 < len(self.parts) else None
                self.seeds[number] = mix_seed(self.seed, 2, number, count)
                self.sections[number] = self._section(number, material, after)

    def _section(self, number: int, material: dict[str, list[Phrase]], after: Phrase | None) -> list[Phrase]:
        """The phrases of a part.

        Parts of one role have the same music, `material`: as it was, or a little varied from the second time on. The
        phrases of a part share `z` and `z_track` and move differently. The last phrase of all is chosen to close.
        """
        part, last = self.parts[number], number == len(self.parts) - 1
        random = torch.Generator().manual_seed(self.seeds[number])
        known = material.setdefault(part.role, [])
        returns = len(known)
        before = self.sections[number - 1][-1] if number else None
        phrases: list[Phrase] = []
        for index in range(part.phrases):
            final = index == part.phrases - 1
            place = Place(
                home=self.home,
                before=before,
                after=after if final else None,
                closes=last and final,
                fills=final and self._leads_on(part.role),
                wanted=self.plans[number][index] if self.plans is not None else None,
            )
            if index >= returns:
                phrase = self.maker.invent(known[0] if known else None, place, random)
                known.append(phrase)
            elif place.wanted is not None and part.role in RETURNING:
                phrase = known[index]
            else:
                phrase = self.maker.again(known[index], place, random)
            phrases.append(phrase)
            before = phrase
        return phrases

    def _leads_on(self, role: str) -> bool:
        """Whether something else ever follows sections of this role."""
        following = zip(self.parts, self.parts[1:], strict=False)
        return any(part.role == role != later.role for part, later in following)


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
        self.generator = generator
        self.judge = Judge(discriminator, statistics, in_common_key, dissonance)
        self.candidates, self.variation = candidates, variation

    def compose(self, parts: Sequence[Part], home: Key, request: Request, lead: int | None, seed: int) -> Piece:
        """A song in C major or A minor, as `home` says.

        Parameters
        ----------
        parts, home
            Its form and key.
        request
            What the user asks of every phrase.
        lead
            The track that has the tune, or None.
        seed
            Decides on everything else.
        """
        random = torch.Generator().manual_seed(mix_seed(seed, 1))
        song = self.generator.sample_latents(1, random)
        maker: PhraseMaker
        plans = None
        if isinstance(self.generator, Generator):
            key = home.tonic + 12 * home.is_minor
            examples = self.generator.examples
            asked = request.learnable(examples)
            cast = choose_cast(examples, asked.conditions, key, lead, self.generator.spec, random)
            plans = plan_phrases(parts, cast, self.generator.spec)
            song = replace(song, conditions=cast.conditions.to(song.z).unsqueeze(0))
            maker = Weaver(self.generator, self.judge, self.candidates, self.variation, asked, cast, song)
        else:
            maker = Chooser(self.generator, self.judge, self.candidates, self.variation, song)
        piece = Piece(parts, home, seed, maker, plans)
        piece.make()
        return piece
