"""What `generate.flip` asks for: which records, which of their loops, and whose tempo it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pipeline.errors import UserError
from pipeline.settings.generate import FLIP_SPEEDS, LOOP_KINDS, GenerateSettings

MOST_RECORDS = 4
BARS = re.compile(r"(\d+)(?:\s*-\s*(\d+))?")


@dataclass(frozen=True)
class LoopRequest:
    """Which loop of a record: a number of those found, counted from 1, or bars; None where it is left open.

    Attributes
    ----------
    number
        Of a loop that is found.
    first_bar, num_bars
        Bars of the record, counted from 0; no bars where a number is given.
    """

    number: int | None = None
    first_bar: int = 0
    num_bars: int = 0


def flipped_files(settings: GenerateSettings) -> list[str]:
    """The records that `generate.flip` names. Raises `UserError` where it names none, or too many."""
    value = settings.flip
    files = [str(one) for one in value] if isinstance(value, list) else [str(value)]
    if not files or not all(files):
        raise UserError("generate.flip names no record: give a file such as old.mp3, or a list [one.mp3,two.wav].")
    if len(files) > MOST_RECORDS:
        raise UserError(f"generate.flip names {len(files)} records; a song takes {MOST_RECORDS} at most.")
    return files


def requested_loops(settings: GenerateSettings) -> list[LoopRequest]:
    """What `generate.loop` asks of each record. Raises `UserError` where it makes no sense."""
    count, value = len(flipped_files(settings)), settings.loop
    if value is None:
        return [LoopRequest()] * count
    values = value if isinstance(value, list) else [value]
    if len(values) != count:
        raise UserError(
            f"generate.loop names {len(values)} loops and generate.flip {count} records: give one loop a record."
        )
    return [read_loop(one) for one in values]


def read_loop(value: Any) -> LoopRequest:
    """A number, or bars such as `17-18`. Raises `UserError` for anything else."""
    if value is None:
        return LoopRequest()
    found = BARS.fullmatch(str(value).strip())
    first, last = (0, 0) if found is None else (int(found[1]), int(found[2] or 0))
    if found is None or first < 1 or (found[2] is not None and last < first):
        raise UserError(f"generate.loop={value} is no loop: give a number such as 2, or bars of the record as 17-18.")
    return LoopRequest(first) if found[2] is None else LoopRequest(None, first - 1, last - first + 1)


def check_flip(settings: GenerateSettings) -> None:
    """Raise `UserError` for settings that contradict `generate.flip`."""
    if settings.flip is None:
        return
    requested_loops(settings)
    for key, value, known in (
        ("flip_speed", settings.flip_speed, FLIP_SPEEDS),
        ("loop_kind", settings.loop_kind, LOOP_KINDS),
    ):
        if value not in known:
            raise UserError(f"generate.{key} must be {', '.join(known[:-1])} or {known[-1]}, not {value}.")
    for key in ("given", "like", "interpolate"):
        if getattr(settings, key) is not None:
            raise UserError(f"generate.flip and generate.{key} are both given: keep one of them.")
    if settings.chords is not None and settings.loop_kind == "melodic":
        raise UserError("generate.chords: the chords of a song on a record are the record's; drop one of them.")
    if settings.swing is not None:
        raise UserError("generate.swing: a loop of a record can't be swung; drop generate.swing.")
    asks_tempo = settings.tempo_bpm is not None or settings.tempo_range_bpm is not None
    if settings.flip_speed == "record" and asks_tempo:
        raise UserError("generate.flip_speed=record takes the record's tempo: drop generate.tempo_bpm, or take song.")
    if settings.flip_speed == "turntable" and asks_tempo and settings.key is not None:
        raise UserError(
            "generate.flip_speed=turntable moves key and tempo together: give generate.key or generate.tempo_bpm."
        )
