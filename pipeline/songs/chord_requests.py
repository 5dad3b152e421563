"""Requested chords: `generate.chords="Am F C G"` for all sections of a song, or a progression for each of its roles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gan.chords import QUALITY, ROOT, chord_tones
from gan.conditions import ConditionLayout
from pipeline.errors import UserError
from pipeline.scores.chords.symbols import UNKNOWN, ChordRows, chord_of_row, read_progression, unknown_chords
from pipeline.scores.keys import Key, key_profiles, read_key
from pipeline.settings.generate import GenerateSettings

EVERYWHERE = ""
"""The role under which the progression of all sections stands."""
OPENING_WEIGHT = 0.15
"""How much more a key fits whose tonic chord is the first one, in correlation."""


@dataclass(frozen=True, eq=False)
class RequestedChords:
    """Progressions by the role of sections, or one under `EVERYWHERE`; each int8 `[half_bars, 3]`, as typed."""

    progressions: Mapping[str, ChordRows]

    @property
    def key(self) -> Key:
        """The key that follows from them: that whose profile fits their tones best, the first chord rather its tonic.

        As in Krumhansl-Schmuckler key finding, each half bar counting its tones once and its root twice.
        """
        chords = np.concatenate(list(self.progressions.values()))
        chords = chords[chords[:, ROOT] >= 0]
        if not len(chords):
            return Key(0, False)
        durations = chord_tones(torch.from_numpy(chords).float()).sum(0).numpy()
        durations += np.bincount(chords[:, ROOT], minlength=12)
        apart = durations - durations.mean()
        fits = key_profiles() @ (apart / max(float(np.linalg.norm(apart)), 1e-9))
        first = chord_of_row(chords[0])
        assert first is not None
        fits[first.root + 12 * (first.quality in ("min", "min7"))] += OPENING_WEIGHT
        best = int(fits.argmax())
        return Key(best % 12, best >= 12)

    def rows(self, sections: Sequence[tuple[str, int]]) -> ChordRows:
        """The chords of a song with these roles and numbers of bars: each progression repeats to its section's end."""
        rows = []
        for role, bars in sections:
            own = self.progressions.get(role, self.progressions.get(EVERYWHERE))
            rows.append(unknown_chords(2 * bars) if own is None else np.resize(own, (2 * bars, own.shape[1])))
        return np.concatenate(rows)

    def check_roles(self, roles: Iterable[str]) -> None:
        """Raise `UserError` for a progression of a section that no song has."""
        known = sorted(set(roles))
        for name in self.progressions:
            if name not in (EVERYWHERE, *known):
                raise UserError(f"generate.chords: no song has a section {name}; there are {', '.join(known)}.")

    def everywhere(self, what: str) -> ChordRows:
        """The one progression. Raises `UserError` where there is one for each section, and `what` has none."""
        if EVERYWHERE not in self.progressions:
            raise UserError(f"generate.chords: {what} have no sections; give one progression, such as Am F C G.")
        return self.progressions[EVERYWHERE]


def read_chords(value: Any) -> RequestedChords | None:
    """What `generate.chords` says. Raises `UserError` with one sentence on what is no chord."""
    if value is None:
        return None
    if not isinstance(value, dict):
        return RequestedChords({EVERYWHERE: _progression(value, "generate.chords")})
    if not value:
        raise UserError("generate.chords={} names no section; write it like {verse: Am F C G, chorus: F G}.")
    return RequestedChords(
        {str(role).strip().casefold(): _progression(one, f"generate.chords of {role}") for role, one in value.items()}
    )


def _progression(value: Any, key: str) -> ChordRows:
    if not isinstance(value, str):
        raise UserError(f"{key} must be chords, such as Am F C G, not {value}.")
    try:
        return read_progression(value)
    except ValueError as error:
        raise UserError(f"{key}: {error}.") from error


def requested_key(settings: GenerateSettings) -> Key | None:
    """The key requested: `generate.key`, or that of the chords; None where neither is given."""
    if settings.key is not None:
        return read_key(settings.key)
    chords = read_chords(settings.chords)
    return None if chords is None else chords.key


def chord_conditions(chords: ChordRows) -> Tensor:
    """Chords `[half_bars, 3]` as conditions `[3 * half_bars]`, NaN where they are unknown."""
    values = torch.from_numpy(chords.astype(np.float32))
    return torch.where(values[:, QUALITY, None] == UNKNOWN, torch.nan, values).flatten()


def chords_in(conditions: Tensor, layout: ConditionLayout) -> ChordRows:
    """The chords in one row of conditions `[ConditionLayout.size]`, int8 `[half_bars, 3]`."""
    chords = layout.chords_of(conditions.unsqueeze(0))[0]
    rows: ChordRows = chords.nan_to_num(UNKNOWN).to(torch.int8).cpu().numpy()
    return rows
