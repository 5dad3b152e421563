"""Requested conditions, `generate.density={Drums: 8}` and the like, as a row of numbers that the generator knows."""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gan.conditions import KEY, STYLE, TEMPO, ConditionLayout, no_conditions
from gan.spec import RollSpec
from pipeline.config import Config
from pipeline.errors import UserError
from pipeline.scores.instruments import program_of
from pipeline.scores.keys import Key
from pipeline.scores.swing import check_swing
from pipeline.settings.generate import GenerateSettings
from pipeline.songs.chord_requests import read_chords, requested_key

MAX_NOTES = 200
"""Notes a bar that nobody plays more of."""
MAX_CONDITION_STRENGTH = 1.0
MAX_CHORD_STRENGTH = 4.0
"""Beyond what was learnt requests are met less well: at 1.25 drums play 50 notes a bar more or less than requested."""
MAX_TEMPERATURE = 2.0
SLOWEST_BPM, FASTEST_BPM = 20.0, 400.0


@dataclass(frozen=True, eq=False)
class Request:
    """What the user requests of every phrase of a song.

    Attributes
    ----------
    conditions
        `[ConditionLayout.size]`, see `gan.conditions`; NaN where nothing is requested.
    condition_strength
        How strongly the conditions count: 1 as learnt, 0 not at all.
    temperature
        One a track, or None for the model's own; see `gan.networks.generator.Generator.sample`.
    chord_strength
        How strongly chords count, for all tracks or a number a track: 1 as learnt.
    """

    conditions: Tensor
    condition_strength: float
    temperature: tuple[float, ...] | None
    chord_strength: float | tuple[float, ...] = 1.0

    def with_defaults(
        self, key: int | None = None, tempo_bpm: float | None = None, style: int | None = None
    ) -> Request:
        """The same with a key or style (their numbers in `gan.conditions`) or a tempo where none is requested."""
        conditions = self.conditions.clone()
        for place, value in ((KEY, key), (TEMPO, tempo_bpm), (STYLE, style)):
            if value is not None and bool(conditions[place].isnan()):
                conditions[place] = value
        return replace(self, conditions=conditions)

    def learnable(self, examples: Tensor, layout: ConditionLayout) -> Request:
        """The request clamped to the range of the training data, unseen keys and styles dropped.

        `examples` are the conditions of the data, `[phrases, ConditionLayout.size]`. Chords are dropped only where the
        data knows none.
        """
        least = examples.nan_to_num(torch.inf).amin(0)
        most = examples.nan_to_num(-torch.inf).amax(0)
        conditions = self.conditions.clamp(min=least, max=most)
        conditions = torch.where(least <= most, conditions, torch.nan)  # the data says nothing of it
        chords = layout.chords
        conditions[chords] = self.conditions[chords] if bool((~examples[:, chords].isnan()).any()) else torch.nan
        for place in (KEY, STYLE):
            if not bool((examples[:, place] == self.conditions[place]).any()):
                conditions[place] = torch.nan
        return replace(self, conditions=conditions)


def read_request(config: Config, spec: RollSpec, styles: Sequence[str], in_common_key: bool) -> Request:
    """What the settings below `generate` request.

    Parameters
    ----------
    config
        All settings.
    spec
        Of the generator.
    styles
        Names of the data's styles, in the order of their numbers.
    in_common_key
        Whether the data was moved to C major or A minor: then only the mode of a key is requested, and the song is
        moved to the key afterwards.

    Raises
    ------
    UserError
        A value makes no sense, with the key it belongs to.
    """
    settings = config.generate
    check_request(settings, spec)
    conditions = no_conditions(1, spec)[0]
    for name, notes in (settings.density or {}).items():
        conditions[match_track(name, spec, "generate.density")] = notes
    key = requested_key(settings)
    if key is not None:
        conditions[KEY] = key_number(key, in_common_key)
    if settings.tempo_bpm is not None:
        conditions[TEMPO] = settings.tempo_bpm
    if settings.style is not None:
        conditions[STYLE] = match_style(settings.style, styles)
    chord_strength = float(settings.chord_strength) if settings.chords else 1.0
    temperatures = _temperatures(settings.temperature, spec)
    return Request(conditions, float(settings.condition_strength), temperatures, chord_strength)


def check_request(settings: GenerateSettings, spec: RollSpec) -> None:
    """Raise `UserError` for a value that makes no sense, whatever the checkpoint."""
    for name, notes in (settings.density or {}).items():
        match_track(name, spec, "generate.density")
        _within(notes, 0, MAX_NOTES, f"generate.density of {name}", "notes a bar")
    read_instruments(settings.instruments, spec)
    if settings.swing is not None:
        try:
            check_swing(settings.swing, spec)
        except ValueError as error:
            raise UserError(f"generate.swing: {error}.") from error
    _within(settings.condition_strength, 0, MAX_CONDITION_STRENGTH, "generate.condition_strength")
    _within(settings.chord_strength, 0, MAX_CHORD_STRENGTH, "generate.chord_strength")
    _temperatures(settings.temperature, spec)
    requested_key(settings)
    read_chords(settings.chords)
    if settings.tempo_bpm is not None:
        _within(settings.tempo_bpm, SLOWEST_BPM, FASTEST_BPM, "generate.tempo_bpm", "beats a minute")
    if settings.tempo_range_bpm is not None:
        if settings.tempo_bpm is not None:
            raise UserError("generate.tempo_bpm and generate.tempo_range_bpm are both given: keep one of them.")
        if len(settings.tempo_range_bpm) != 2 or settings.tempo_range_bpm[0] > settings.tempo_range_bpm[1]:
            raise UserError("generate.tempo_range_bpm takes the slowest and the fastest tempo, such as [90,120].")
        for tempo_bpm in settings.tempo_range_bpm:
            _within(tempo_bpm, SLOWEST_BPM, FASTEST_BPM, "generate.tempo_range_bpm", "beats a minute")


def read_instruments(instruments: Any, spec: RollSpec) -> dict[int, int]:
    """The programs of `generate.instruments` by index of the track.

    Raises `UserError` for a track or an instrument that there is not.
    """
    programs = {}
    for name, chosen in (instruments or {}).items():
        track = match_track(name, spec, "generate.instruments")
        if isinstance(chosen, str) and not chosen.strip().isdigit():
            try:
                programs[track] = program_of(chosen, spec.tracks[track].is_drum)
            except ValueError as error:
                raise UserError(f"generate.instruments of {name}: {error}.") from error
        elif 0 <= int(chosen) <= 127:
            programs[track] = int(chosen)
        else:
            raise UserError(f"generate.instruments of {name}: programs count from 0 to 127, so {chosen} is none.")
    return programs


def with_instruments(programs: Sequence[int], instruments: Any, spec: RollSpec) -> tuple[int, ...]:
    """Programs, one a track, with those of `generate.instruments` in their places."""
    chosen = read_instruments(instruments, spec)
    return tuple(chosen.get(track, program) for track, program in enumerate(programs))


def refuse_request(settings: GenerateSettings, design: str) -> None:
    """Raise `UserError` where something is requested that a design without conditions can't follow."""
    requested = {
        "density": settings.density,
        "chords": settings.chords,
        "style": settings.style,
        "temperature": settings.temperature,
        "condition_strength": settings.condition_strength != 1 or None,
        "given": settings.given,
        "flip": settings.flip,
        "like": settings.like,
        "form": settings.form if settings.form is not None and "." in settings.form else None,
    }
    for key, value in requested.items():
        if value is not None:
            raise UserError(f"generate.{key}: model.design={design} makes phrases unasked; use model=default for it.")


def draw_requested_tempo(settings: GenerateSettings, random: np.random.Generator) -> float | None:
    """The tempo requested, or one out of the range requested; None where neither is given."""
    if settings.tempo_range_bpm is not None:
        slowest, fastest = settings.tempo_range_bpm
        return float(np.exp(random.uniform(np.log(slowest), np.log(fastest))))
    return settings.tempo_bpm


def key_number(key: Key, in_common_key: bool) -> int:
    """A key as `gan.conditions` counts them; in the common key only its mode is left of it."""
    tonic = (9 if key.is_minor else 0) if in_common_key else key.tonic
    return tonic + 12 * key.is_minor


def match_track(name: str, spec: RollSpec, key: str) -> int:
    """The index of the track that `name` means: case, plural and a missing end do not matter.

    Raises `UserError` naming `key` where it means none.
    """
    plain = [_plain(one) for one in spec.names]
    plain_name = _plain(name)
    exact = [index for index, one in enumerate(plain) if one == plain_name]
    begun = [index for index, one in enumerate(plain) if plain_name and one.startswith(plain_name)]
    for found in (exact, begun):
        if len(found) == 1:
            return found[0]
    raise UserError(f"{key}: there is no track {name}{_hint(name, spec.names)}; there are {', '.join(spec.names)}.")


def match_style(name: str, styles: Sequence[str]) -> int:
    """The number of a style. Raises `UserError` that lists them."""
    if not styles:
        raise UserError("generate.style: the music this checkpoint learned from is not sorted into styles (folders).")
    plain = [one.casefold() for one in styles]
    if name.strip().casefold() not in plain:
        raise UserError(f"generate.style={name} is none of the data's styles, which are {', '.join(styles)}.")
    return plain.index(name.strip().casefold())


def _plain(name: str) -> str:
    """A name for comparison."""
    plain = str(name).strip().casefold()
    return plain[:-1] if plain.endswith("s") and len(plain) > 3 else plain


def _hint(name: str, names: Sequence[str]) -> str:
    """` (did you mean Drums?)` for a name that is nearly one of `names`."""
    near = difflib.get_close_matches(str(name).title(), names, n=1, cutoff=0.6)
    return f" (did you mean {near[0]}?)" if near else ""


def _within(value: float, low: float, high: float, key: str, unit: str = "") -> None:
    if not low <= value <= high:  # NaN is not
        raise UserError(f"{key} must lie between {low:g} and {high:g}{' ' if unit else ''}{unit}, not {value:g}.")


def _temperatures(value: Any, spec: RollSpec) -> tuple[float, ...] | None:
    """One temperature a track out of one number for all, or numbers by track name; 1 for those left out."""
    if value is None:
        return None
    if not isinstance(value, dict):
        return (_temperature(value),) * spec.num_tracks
    temperatures = [1.0] * spec.num_tracks
    for name, one in value.items():
        temperatures[match_track(name, spec, "generate.temperature")] = _temperature(one)
    return tuple(temperatures)


def _temperature(value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or not 0 <= value <= MAX_TEMPERATURE:
        raise UserError(
            f"generate.temperature={value} must be a number between 0 and {MAX_TEMPERATURE:g}, or one for each track, "
            "such as {Drums: 0.3}."
        )
    return float(value)
