"""Phrase sets for evaluation: of a checkpoint or a folder of scores, and the real songs to compare with."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gan.conditions import ConditionLayout
from gan.context import Context
from gan.interface import PhraseDiscriminator, PhraseGenerator
from gan.metrics.counts import deal_known, evenly_spread, silence_like
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.networks.resampling import sample_resampled
from gan.seeds import mix_seed
from gan.spec import RollSpec
from pipeline.dataset.cutting import CuttingSettings, SourceFile
from pipeline.dataset.reasons import count_of_reason
from pipeline.dataset.resumable_reading import read_files
from pipeline.dataset.store import PhraseStore, kind_of_reason
from pipeline.errors import UserError
from pipeline.formats import printable
from pipeline.progress import bar, counted
from pipeline.settings.data import ExecutorSettings

BATCH = 256
"""Phrases generated at once."""


@dataclass(frozen=True)
class PhraseSet:
    """Phrases and the songs that they are from.

    Attributes
    ----------
    rolls
        Bool `[count, *spec.shape]`, or bytes packed along pitches.
    songs
        Number of the song that each is from, int64 `[count]`; phrases of one song are not independent.
    known
        Bool `[count, tracks]`, false where a track is silent because its song does not say what it plays; None where
        all are known.
    """

    rolls: Tensor
    songs: Tensor
    known: Tensor | None = None

    def __len__(self) -> int:
        return len(self.rolls)

    @property
    def num_songs(self) -> int:
        """Different songs."""
        return len(set(self.songs.tolist()))

    def spread(self, count: int) -> PhraseSet:
        """At most `count` of the phrases, evenly spread."""
        if len(self) <= count:
            return self
        places = evenly_spread(len(self), count)
        return PhraseSet(self.rolls[places], self.songs[places], None if self.known is None else self.known[places])

    def with_gaps_of(self, real: PhraseSet) -> PhraseSet:
        """The phrases with tracks silenced in as many of them as do not know these tracks among real ones."""
        return self if real.known is None else PhraseSet(silence_like(self.rolls, real.known), self.songs)


@dataclass(frozen=True)
class FolderReading:
    """What became of the files of a folder."""

    phrases: PhraseSet
    num_songs: int
    """Songs found in the files; a large folder's phrases may leave some out."""
    num_files: int
    reasons: dict[str, int]
    """How many files gave no phrases, by reason."""
    example: str
    """One of them and its whole reason; empty where all were used."""


def generated_phrases(
    generator: PhraseGenerator,
    discriminator: PhraseDiscriminator,
    count: int,
    candidates: int,
    seed: int,
    known: Tensor | None = None,
) -> PhraseSet:
    """Fresh phrases of a model; each counts as a song of its own.

    Those of a generator with conditions are each one of several `candidates`, resampled by the discriminator
    (`gan.networks.resampling`); with one candidate none is chosen over another. What real phrases know of their tracks,
    bool `[real phrases, tracks]`, is `known`: where a track is not, as many phrases are made as in training, without it
    and without anybody taking that for a rest. Tracks that rest in all of the model's data are known.
    """
    random = torch.Generator().manual_seed(mix_seed(seed, 1))
    latents = generator.sample_latents(count, random)
    size, rolls = max(1, BATCH // candidates), []
    if not isinstance(generator, Generator) or known is None or bool(known.all()):
        known = None
    else:
        known = deal_known(known | generator.always_rests, count)
        latents = generator.leave_open(latents, known)
    for start in bar(range(0, count, size), -(-count // size), "evaluate", "batches generated"):
        rows = slice(start, start + size)
        some, known_here = latents[rows], None if known is None else known[rows].to(latents.z.device)
        if not isinstance(generator, Generator):
            rolls.append(generator.sample(some).cpu())
        elif candidates > 1 and isinstance(discriminator, Discriminator):
            made, _ = sample_resampled(generator, discriminator, some, candidates, random, known=known_here)
            rolls.append(made.cpu())
        else:
            rolls.append(generator.sample(some, known=known_here).cpu())
    return PhraseSet(torch.cat(rolls), torch.arange(count))


def phrases_on_request(
    generator: Generator,
    strength: tuple[float, float],
    conditions: Tensor,
    given: Context | None,
    seed: int,
) -> Tensor:
    """Phrases on request around what is given, one for each row of conditions: bool `[count, *spec.shape]` on the CPU.

    `conditions` are `[count, ConditionLayout.size]` as in `gan.conditions`; open conditions are imputed from
    similar phrases of the data, around given notes all but chords and chroma: those of another song fit no given note,
    and other tracks may use more pitch classes than the given ones. `strength` is how strongly conditions and requested
    chords count, see `gan.networks.generator.Generator.sample`.
    """
    latents = generator.latents_for(conditions, torch.Generator().manual_seed(seed))
    layout = ConditionLayout.of(generator.spec)
    asks_chords = not bool(conditions[:, layout.chords].isnan().all())
    if given is not None:
        latents.conditions[:, layout.chords] = conditions[:, layout.chords].to(latents.conditions)
        latents.conditions[:, layout.chroma] = torch.nan
    rolls = []
    for start in range(0, len(conditions), BATCH):
        some = slice(start, start + BATCH)
        part = None if given is None else given[some].to(latents.z.device)
        chord_strength = strength[1] if asks_chords else 1.0
        rolls.append(generator.sample(latents[some], part, strength[0], None, chord_strength).cpu())
    return torch.cat(rolls)


def folder_phrases(paths: list[str], recipe: CuttingSettings, executor: ExecutorSettings, count: int) -> FolderReading:
    """Phrases of score files, cut as the songs of a prepared set are; at most `count`, evenly spread.

    Copies stay in: a program that repeats itself is to be found out. Files that give no phrases are counted by reason.
    """
    files = [SourceFile(path, str(Path(path).absolute())) for path in paths]  # workers may have another current folder
    readings = list(bar(read_files(files, recipe, executor), len(paths), "evaluate", "files"))
    songs = [song for reading in readings for song in reading.songs]
    rejects = [reject for reading in readings for reject in reading.rejects]
    reasons = Counter(kind_of_reason(reject.reason) for reject in rejects)
    example = f"{printable(rejects[0].path)}: {rejects[0].reason}" if rejects else ""
    packed = [song.phrases for song in songs]
    owners = np.repeat(np.arange(len(songs)), [len(one) for one in packed])
    places = np.arange(len(owners))
    if len(places) > count:
        places = np.linspace(0, len(owners) - 1, count).round().astype(np.int64)
    whole = np.concatenate(packed)[places] if packed else _none(recipe.spec)
    phrases = PhraseSet(torch.from_numpy(whole), torch.from_numpy(owners[places]))
    return FolderReading(phrases, len(songs), len(paths), dict(reasons.most_common()), example)


def _none(spec: RollSpec) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """No phrases, packed."""
    return np.empty((0, *spec.shape[:-1], -(-spec.num_pitches // 8)), np.uint8)


def real_phrases(store: PhraseStore, split: str) -> PhraseSet:
    """The phrases of a split of a prepared set; songs that share a tune count as one."""
    numbers: dict[str, int] = {}
    groups = np.array([numbers.setdefault(row.group, len(numbers)) for row in store.songs if row.split == split])
    songs = store.index(split).songs
    owners = groups[songs - songs.min()] if len(songs) else songs
    return PhraseSet(
        torch.from_numpy(store.packed(split)),
        torch.from_numpy(owners),
        torch.from_numpy(store.known(split)),
    )


def held_out_phrases(store: PhraseStore, name: str) -> tuple[PhraseSet, PhraseSet]:
    """The test and the validation songs. Raises `UserError` where a split holds none."""
    found = []
    for split in ("test", "validation"):
        phrases = real_phrases(store, split)
        if not len(phrases):
            raise UserError(
                f"data={name} has no {split} songs ({counted(len(store.songs), 'song')} in all): some 20 are needed "
                "to hold generated music against unseen ones; add music, or evaluate against another set with data=."
            )
        found.append(phrases)
    return found[0], found[1]


def nothing_to_score(path: str, reading: FolderReading) -> UserError:
    """The error for a folder without a single usable phrase."""
    reasons = "; ".join(count_of_reason(count, reason) for reason, count in reading.reasons.items())
    return UserError(
        f"nothing in evaluate.path={path} can be scored: {reasons} "
        f"(for example {reading.example}). data= and tracks= say what the files are held against."
    )
