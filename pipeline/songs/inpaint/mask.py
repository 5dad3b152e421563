"""Inpainting masks: what of a given song stays, and what is made anew (`generate.keep`, `bars`, `continue_bars`)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan.spec import RollSpec
from pipeline.errors import UserError
from pipeline.scores.notes import Notes, in_order
from pipeline.settings.generate import GenerateSettings
from pipeline.songs.given_song import GivenSong
from pipeline.songs.request import match_track

BarMask = NDArray[np.bool_]
"""Bool `[tracks, bars]`: where the notes (or the silence) of the file stay."""


def check_something_asked(settings: GenerateSettings) -> None:
    """Raise `UserError` where `generate.given` stands alone, before anything takes long."""
    if not as_list(settings.keep) and not as_list(settings.bars) and not settings.continue_bars:
        raise UserError(
            "generate.given needs to know what to make: name the tracks that stay (generate.keep=[piano]), the bars to "
            "make anew (generate.bars=[3,4]) or how far to go on (generate.continue_bars=8)."
        )


def kept_cells(given: GivenSong, settings: GenerateSettings, spec: RollSpec) -> BarMask:
    """What of the given song stays, over all bars of the result.

    `generate.keep` alone makes all other tracks anew; `generate.bars` these bars, in the tracks that are not kept;
    `generate.continue_bars` is made in all tracks. Tracks that are silent all through the file stay so, unless
    `generate.keep` asks for the others to be made.

    Raises
    ------
    UserError
        Nothing would be left to make, or a name or a number is not in the file.
    """
    keep, bars, more = as_list(settings.keep), as_list(settings.bars), settings.continue_bars or 0
    tracks = [kept_track(str(name), given, spec) for name in keep]
    kept = np.zeros((spec.num_tracks, given.bars + more), np.bool_)
    if bars:
        kept[:, : given.bars] = True
        chosen = [given.pickup_bars + number - 1 for number in bar_numbers(bars, given)]
        kept[:, chosen] = False
    elif not keep:
        kept[:, : given.bars] = True
    kept[tracks, : given.bars] = True
    if not keep:
        kept[~given.sounding] = True
    if kept.all():
        raise UserError("generate.keep names every track: leave one out for the generator to make.")
    return kept


def kept_track(name: str, given: GivenSong, spec: RollSpec) -> int:
    """The track of `generate.keep`: of the track set, or the one that a part of the file went to."""
    sounding = [spec.names[track] for track in np.flatnonzero(given.sounding)]
    of_parts = {part.strip().casefold(): track for part, track in given.parts if part.strip()}
    try:
        track = match_track(name, spec, "generate.keep")
    except UserError as error:
        if name.strip().casefold() not in of_parts:
            raise UserError(f"{str(error)[:-1]}, of which {given.name} has {', '.join(sounding)}.") from error
        track = of_parts[name.strip().casefold()]
    if not given.sounding[track]:
        raise UserError(
            f"generate.keep: {given.name} has no notes for {spec.names[track]}, only {', '.join(sounding)}."
        )
    return track


def bar_numbers(values: Sequence[Any], given: GivenSong) -> list[int]:
    """Bars out of `generate.bars`, counted from 1. Raises `UserError` for what is no bar of the file."""
    last = given.bars - given.pickup_bars
    numbers: list[int] = []
    for value in values:
        found = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", str(value))
        if not found:
            raise UserError(f"generate.bars={value} is no bar; write [3,4] or ['5-8'].")
        first, end = int(found[1]), int(found[2] or found[1])
        if not 1 <= first <= end <= last:
            raise UserError(f"generate.bars={value}: {given.name} has bars 1 to {last}.")
        numbers += range(first, end + 1)
    return numbers


def as_list(value: Any) -> list[Any]:
    """A setting that takes one value or several."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def kept_notes(given: GivenSong, kept: BarMask, spec: RollSpec) -> Notes:
    """The notes of a song that begin where it is kept, whole."""
    notes = given.notes
    return in_order(notes[kept[notes["track"], notes["onset"] // spec.steps_per_bar]])
