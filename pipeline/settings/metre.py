"""Metres that rolls are made in: N/4 by quarter notes, and 6/8, 9/8, 12/8 by beats of three eighths."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.errors import UserError

MOST_BEATS = 12
"""A longer bar is several."""
COMPOUND = (6, 9, 12)
"""Eighth notes of a bar in the compound metres that can be asked for."""
COMPOUND_STEPS, SIMPLE_STEPS = 6, 4
"""Steps of a beat, where the settings leave it open: sixteenths in either."""


@dataclass(frozen=True)
class RollMetre:
    """Beats of a bar, and whether they are dotted quarter notes (compound) or quarter notes."""

    beats_per_bar: int
    is_compound: bool

    @property
    def quarters_per_beat(self) -> float:
        """Length of a beat in quarter notes."""
        return 1.5 if self.is_compound else 1.0

    @property
    def usual_steps(self) -> int:
        """Steps of a beat where the settings leave it open."""
        return COMPOUND_STEPS if self.is_compound else SIMPLE_STEPS


def read_metre(text: str) -> RollMetre:
    """A metre such as `3/4` or `6/8`. Raises `UserError` for what can't be asked for, and says what can instead."""
    found = re.fullmatch(r"(\d{1,2})\s*/\s*(\d{1,2})", text.strip())
    numerator, denominator = (int(found[1]), int(found[2])) if found else (0, 0)
    if denominator == 4 and 2 <= numerator <= MOST_BEATS:
        return RollMetre(numerator, is_compound=False)
    if denominator == 8 and numerator in COMPOUND:
        return RollMetre(numerator // 3, is_compound=True)
    instead = metre_setting(numerator, denominator) if numerator and denominator else ""
    hint = f"; music in {text.strip()} is taken by {instead}" if instead else ""
    raise UserError(f"data.metre must be one of 2/4 to {MOST_BEATS}/4, 6/8, 9/8 and 12/8, not {text}{hint}.")


def metre_setting(numerator: int, denominator: int) -> str:
    """The settings that take music of a time signature, such as `data.metre=3/4`; empty where none does.

    2/2 and 8/8 are bars of four quarter notes, 3/2 of six. Bars of 7/8 are no whole number of quarter notes, two of
    them are. A bar of one quarter note or less is a beat.
    """
    if 4 * numerator <= denominator:
        return ""
    for bars, pairs in ((1, ""), (2, " data.pair_bars=true")):
        count = bars * numerator
        if denominator == 8 and count in COMPOUND:
            return f"data.metre={count}/8{pairs}"
        quarters = 4 * count / denominator
        if quarters.is_integer() and 2 <= quarters <= MOST_BEATS and not is_compound(count, denominator):
            return f"data.metre={quarters:.0f}/4{pairs}"
    return ""


def is_compound(numerator: int, denominator: int) -> bool:
    """Whether the beats of a time signature have three parts, as in 6/8, 9/8 and 12/8."""
    return denominator >= 8 and numerator > 3 and numerator % 3 == 0
