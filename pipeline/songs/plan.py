"""Plan of a song: the conditions of each phrase, who plays in which bar, and how densely.

Sections have more or fewer notes than the song as a whole; an introduction lets the tracks in one after another, an
ending lets them go. All of it stays within what the data does: a track that never rests there never rests here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gan.conditions import DENSITY, KEY, LENGTH, NUM_ATTRIBUTES, SILENT, STYLE, ConditionLayout
from gan.spec import RollSpec
from pipeline.scores.chords.symbols import ChordRows
from pipeline.songs.chord_requests import chord_conditions
from pipeline.songs.form import FormSection

ROLE_DENSITY = {
    "intro": 0.7, "verse": 0.85, "chorus": 1.25, "refrain": 1.2, "bridge": 0.75, "interlude": 0.75, "outro": 0.65,
    "coda": 0.7, "stollen": 0.9, "abgesang": 1.15, "theme": 1.15, "episode": 0.8, "digression": 0.9, "gate": 0.8,
    "path": 1.0, "summit": 1.25,
}  # fmt: skip
"""Notes of a section beside those of the whole song."""
ENTERING, LEAVING = ("intro",), ("outro", "coda")
THIN = ("bridge", "interlude", "episode")
"""Sections in which the drums rest, or what else may."""
HELD_BACK = ("verse", "stollen", "gate")
"""Sections that keep something for later, where a fuller one comes: the track that most often rests is silent."""
RESTS = 0.02
"""A track that is silent in so many of the data's phrases may rest."""
LOWEST, HIGHEST = 0.1, 0.95
"""Quantiles of the data's densities that bound a section's densities."""
NUM_DRAWN = 6
"""Phrases of the data drawn for a song's conditions; the one with most tracks says who plays."""
MIN_PLAYING = 4
"""Of so many tracks one may be held back."""


@dataclass(frozen=True)
class PhraseConditions:
    """Conditions of one phrase of a song.

    Attributes
    ----------
    values
        `[ConditionLayout.size]`, see `gan.conditions`; the densities are notes a bar over the whole phrase.
    rests
        Bool `[tracks, bars]`: where a track has to be silent.
    """

    values: Tensor
    rests: NDArray[np.bool_]

    @property
    def plays(self) -> NDArray[np.bool_]:
        """Bool `[tracks]`: which tracks have to sound in some bar."""
        return np.asarray(~self.rests.all(axis=1))


@dataclass(frozen=True)
class SongConditions:
    """Conditions that the phrases of a song share: who plays, and how.

    Attributes
    ----------
    values
        `[ConditionLayout.size]`: those of a phrase of the data, with what the user requested in its place.
    limits
        `[2, tracks]`: least and most notes a bar of a track that plays.
    plays
        Bool `[tracks]`.
    resting
        The tracks that play and may rest, those that rest most often in the data first, the leading one last.
    lead
        The track that has the tune, or None.
    rhythm_and_harmony
        `[NUM_DRAWN, numbers]`: rhythm, chroma and chords of phrases of the data; each role of sections has its own.
    requested
        Bool `[tracks]`: densities that the user requested, which no section changes.
    """

    values: Tensor
    limits: Tensor
    plays: NDArray[np.bool_]
    resting: tuple[int, ...]
    lead: int | None
    rhythm_and_harmony: Tensor
    requested: NDArray[np.bool_]


def draw_song_conditions(
    examples: Tensor, requested: Tensor, home: int, lead: int | None, spec: RollSpec, random: torch.Generator
) -> SongConditions:
    """Draw the conditions of a song from the data.

    Parameters
    ----------
    examples
        Conditions of phrases of the data, `[phrases, ConditionLayout.size]`.
    requested
        `[ConditionLayout.size]`: what the user requests; NaN elsewhere.
    home
        Key of the song as `gan.conditions` counts them.
    lead
        The track that has the tune, or None.
    spec, random
        Tracks, and what draws.
    """
    tracks = spec.num_tracks
    sounding = examples[:, :tracks] >= SILENT
    fitting = torch.ones(len(examples), dtype=torch.bool)
    for filtered in (examples[:, KEY] == home, sounding[:, lead] if lead is not None else fitting):
        fitting = fitting & filtered if bool((fitting & filtered).any()) else fitting
    if not bool(requested[STYLE].isnan()) and bool((fitting & (examples[:, STYLE] == requested[STYLE])).any()):
        fitting &= examples[:, STYLE] == requested[STYLE]
    rows = torch.nonzero(fitting).flatten()
    drawn = rows[torch.randint(len(rows), (NUM_DRAWN,), generator=random)]
    row = drawn[int(sounding[drawn].sum(1).argmax())]
    densities = examples[:, :tracks]
    limits = torch.stack(
        [torch.nanquantile(densities.where(sounding, torch.nan), share, dim=0) for share in (LOWEST, HIGHEST)]
    ).nan_to_num(1.0)
    conditions = torch.where(requested.isnan(), examples[row], requested)
    conditions[KEY] = home if bool((examples[:, KEY] == home).any()) else torch.nan
    plays = (conditions[:tracks] >= SILENT).numpy()
    shares = (~sounding).double().mean(0).numpy()
    named = (~requested[:tracks].isnan()).numpy()
    free = [track for track in range(tracks) if plays[track] and shares[track] >= RESTS and not named[track]]
    resting = sorted(free, key=lambda track: (track == lead, -shares[track]))
    rhythm_and_harmony = torch.where(
        requested.isnan(), examples[torch.cat([row.view(1), drawn[drawn != row]])], requested
    )[:, ConditionLayout.of(spec).attributes.stop : ConditionLayout.of(spec).chords.stop]
    return SongConditions(conditions, limits, plays, tuple(resting), lead, rhythm_and_harmony, named)


def draw_example(examples: Tensor, requested: Tensor, densities: Tensor, home: int, random: torch.Generator) -> Tensor:
    """Conditions `[ConditionLayout.size]` of a phrase of the data that plays about as densely as a section should.

    Parameters
    ----------
    examples, requested, home, random
        As in `draw_song_conditions`.
    densities
        `[tracks]`: notes a bar.
    """
    fitting = torch.ones(len(examples), dtype=torch.bool)
    for place, value in ((KEY, torch.tensor(float(home))), (STYLE, requested[STYLE])):
        alike = fitting & (examples[:, place] == value)
        fitting = alike if bool(alike.any()) else fitting
    rows = torch.nonzero(fitting).flatten()
    unlike = (examples[rows, : len(densities)].log1p() - densities.log1p()).abs().sum(1)
    nearest = rows[unlike.argsort(stable=True)[:NUM_DRAWN]]
    row = nearest[int(torch.randint(len(nearest), (), generator=random))]
    conditions = torch.where(requested.isnan(), examples[row], requested)
    conditions[KEY] = home if bool((examples[:, KEY] == home).any()) else torch.nan
    return conditions


def plan_phrases(
    sections: Sequence[FormSection], song: SongConditions, spec: RollSpec, chords: ChordRows | None = None
) -> list[list[PhraseConditions]]:
    """The conditions of each phrase of each section; `chords` `[2 * bars, 3]` of the song are those requested."""
    plans, place = [], 0
    roles = list(dict.fromkeys(section.role for section in sections))
    rises = any(ROLE_DENSITY.get(role, 1.0) > 1 for role in roles)
    for section in sections:
        drawn = song.rhythm_and_harmony[roles.index(section.role) % len(song.rhythm_and_harmony)]
        own = []
        for index in range(section.num_phrases):
            rests = _rests(section, index, rises, song, spec)
            phrase = _phrase_conditions(section.role, rests, drawn, song, spec)
            if chords is not None:
                request_chords(phrase.values, chords[place : place + spec.half_bars], ConditionLayout.of(spec))
            own.append(phrase)
            place += spec.half_bars
        plans.append(own)
    return plans


def request_chords(conditions: Tensor, chords: ChordRows, layout: ConditionLayout) -> None:
    """Put requested chords `[half_bars, 3]` into conditions `[layout.size]`; where there are any the chroma is open."""
    values = chord_conditions(chords).to(conditions)
    known = ~values.isnan()
    if bool(known.any()):
        conditions[layout.chords] = torch.where(known, values, conditions[layout.chords])
        conditions[layout.chroma] = torch.nan


def _phrase_conditions(
    role: str, rests: NDArray[np.bool_], rhythm_and_harmony: Tensor, song: SongConditions, spec: RollSpec
) -> PhraseConditions:
    """The conditions of a phrase with this rhythm and harmony in which these tracks rest in these bars."""
    tracks, factor = spec.num_tracks, ROLE_DENSITY.get(role, 1.0)
    conditions = song.values.clone()
    scaled = (conditions[:tracks] * factor).clamp(song.limits[0], song.limits[1])
    played = torch.from_numpy(1 - rests.mean(axis=1)).to(scaled)
    named = torch.from_numpy(song.requested)
    densities = torch.where(named, conditions[:tracks], scaled * played)
    faster = (conditions[:tracks] / scaled).clamp(0.5, 2)  # more notes are shorter ones, save for drums
    faster[[track for track, kind in enumerate(spec.tracks) if kind.is_drum]] = 1
    attributes = conditions[: NUM_ATTRIBUTES * tracks].view(NUM_ATTRIBUTES, tracks).clone()
    attributes[DENSITY] = densities
    attributes[LENGTH] *= torch.where(named, 1.0, faster)
    attributes[1:, densities < SILENT] = torch.nan  # of a silent track nothing else is known
    conditions[: ConditionLayout.of(spec).chords.stop] = torch.cat([attributes.flatten(), rhythm_and_harmony])
    return PhraseConditions(conditions, rests)


def _rests(section: FormSection, index: int, rises: bool, song: SongConditions, spec: RollSpec) -> NDArray[np.bool_]:
    """Where tracks are silent in phrase `index` of a section of a song that may rise, bool `[tracks, bars]`."""
    role, bars = section.role, spec.bars
    rests = np.repeat(~song.plays[:, None], bars, axis=1)
    drums = [track for track in song.resting if spec.tracks[track].is_drum]
    pitched = [track for track in song.resting if not spec.tracks[track].is_drum]
    playing = int(song.plays.sum())
    if role in ENTERING:
        others = playing - len(song.resting)
        # who is most often there begins, then comes the tune, and the drums last, with the fill that leads on
        accompanying = [track for track in pitched[::-1] if track != song.lead]
        queue = [*accompanying, *(track for track in pitched if track == song.lead), *drums]
        for place, track in enumerate(queue, start=others):
            entry = 0 if place < 2 or index else max(1, bars - (playing - place))
            rests[track, :entry] = True
    elif role in LEAVING and index == section.num_phrases - 1:
        rests[drums, bars // 2 :] = True
        if playing >= MIN_PLAYING and len(pitched) > 1:
            rests[pitched[0]] = True
    elif role in THIN:
        rests[drums or pitched[:1]] = playing > 2
    elif rises and role in HELD_BACK and playing >= MIN_PLAYING and len(pitched) > 1:
        rests[pitched[0]] = True
    return rests


def window_conditions(conditions: Tensor, before: NDArray[np.float64], share: float) -> Tensor:
    """Conditions `[ConditionLayout.size]` for a window that begins with given bars.

    Parameters
    ----------
    conditions
        Those of the rest of the window.
    before
        `[tracks]`: notes a bar in what is given.
    share
        Of the window that is given.
    """
    tracks = len(before)
    mixed = conditions.clone()
    mixed[:tracks] = (1 - share) * conditions[:tracks] + share * torch.from_numpy(before).to(conditions)
    return mixed
