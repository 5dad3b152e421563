"""What is requested of cells of a song, in numbers: densities, chords, key, tempo, as the generator takes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from gan.conditions import DENSITY, KEY, SILENT, STYLE, TEMPO, ConditionLayout, no_conditions
from gan.spec import RollSpec
from pipeline.errors import UserError
from pipeline.scores.chords.symbols import ChordRows, read_progression, transpose_rows, unknown_chords
from pipeline.scores.keys import Key, read_key
from pipeline.songs.inpaint.mask import BarMask
from pipeline.songs.request import (
    FASTEST_BPM,
    MAX_CONDITION_STRENGTH,
    MAX_NOTES,
    MAX_TEMPERATURE,
    SLOWEST_BPM,
    Request,
    key_number,
    match_track,
)
from pipeline.songs.song import Song
from pipeline.studio.session.model import StudioModel
from pipeline.studio.session.selection import BUSIER, LIKE, MODES, MOST_VERSIONS, SPARSER, VersionRequest

NEAR_BARS = 8
"""How a track usually plays is measured so many bars around a selection."""
BUSY, SPARSE = 1.7, 0.5
"""Notes requested by `BUSIER` and `SPARSER` beside those that are there."""
MORE = 2.0
"""Notes a bar that `BUSIER` adds at least."""
SPREAD, TYPED_SPREAD = 0.2, 0.5
"""Standard deviations of the logarithm of densities that candidates are made for, the larger where one is typed: what
is given holds the generator back, and the candidates that come nearest are chosen."""


@dataclass(frozen=True, eq=False)
class CellRequest:
    """What is requested of some cells.

    Attributes
    ----------
    free
        Bool `[tracks, bars]`: the cells to be made.
    silent
        Bool `[tracks]`: tracks that are to be silent there.
    mode
        One of `selection.MODES`.
    key
        The key to make them in, at the song's pitch.
    key_is_typed, chords_are_typed, density_is_typed
        Whether a person asked for them.
    chords
        Of all half bars, int8 `[2 * bars, 3]`, at the song's pitch.
    present
        Notes that the tracks have a bar of the cells, `[tracks]`.
    density
        Notes a bar requested of the tracks there, `[tracks]`; NaN where a track has no free cells.
    spread
        How far densities of candidates lie from that, in standard deviations of their logarithms, `[tracks]`.
    request
        All that counts for whole phrases.
    """

    free: BarMask
    silent: NDArray[np.bool_]
    mode: str
    key: Key
    key_is_typed: bool
    chords_are_typed: bool
    density_is_typed: bool
    chords: ChordRows
    present: NDArray[np.float64]
    density: NDArray[np.float64]
    spread: NDArray[np.float64]
    request: Request


def check_version_request(request: VersionRequest) -> None:
    """Raise `UserError` for a number or a mode that makes no sense."""
    if request.mode not in MODES:
        raise UserError(f"mode must be one of {', '.join(MODES)}, not {request.mode}.")
    bounds: list[tuple[str, float | None, float, float]] = [
        ("count", request.count, 1, MOST_VERSIONS),
        ("temperature", request.temperature, 0, MAX_TEMPERATURE),
        ("condition_strength", request.condition_strength, 0, MAX_CONDITION_STRENGTH),
        ("tempo_bpm", request.tempo_bpm, SLOWEST_BPM, FASTEST_BPM),
        ("seed", request.seed, 0, 2**53),
        *((f"density of {name}", notes, 0, MAX_NOTES) for name, notes in (request.density or {}).items()),
    ]
    for name, value, low, high in bounds:
        if value is not None and not low <= value <= high:
            raise UserError(f"{name} must lie between {low:g} and {high:g}, not {value:g}.")


def cell_request(song: Song, free: BarMask, request: VersionRequest, model: StudioModel) -> CellRequest:
    """What a request means for the cells `free` `[tracks, bars]` of a song.

    Raises
    ------
    UserError
        A value makes no sense, with its name.
    """
    check_version_request(request)
    own = typed_key(song.key)
    key = own if request.key is None else typed_key(request.key)
    typed = _typed_density(request, free, song.spec)
    present = notes_a_bar(song, free)
    density = np.where(np.isnan(typed), _density_of_mode(song, free, request.mode, present, model), typed)
    silent = np.asarray(density < SILENT)
    chords = _chords(song, free, request, own, key)
    conditions = no_conditions(1, model.spec)[0]
    conditions[KEY] = key_number(key, model.in_common_key)
    conditions[TEMPO] = song.tempo_bpm if request.tempo_bpm is None else request.tempo_bpm
    conditions[STYLE] = _style(song, free)
    wanted = torch.from_numpy(np.where(silent, np.nan, density)).to(conditions)
    conditions[ConditionLayout.of(model.spec).attribute(DENSITY)] = wanted
    temperatures = (float(request.temperature),) * model.spec.num_tracks
    strength = float(model.config.generate.chord_strength)
    return CellRequest(
        free=free,
        silent=silent,
        mode=request.mode,
        key=key,
        key_is_typed=request.key is not None and key != own,
        chords_are_typed=request.chords is not None,
        chords=chords,
        present=present,
        density=density,
        density_is_typed=request.density is not None,
        spread=np.where(np.isnan(typed), 0.0 if request.mode == LIKE else SPREAD, TYPED_SPREAD),
        request=Request(conditions, float(request.condition_strength), temperatures, strength),
    )


def typed_key(text: str) -> Key:
    """The key that a person names. Raises `UserError` that says how keys are written."""
    try:
        return read_key(text)
    except UserError as error:
        raise UserError(f"{text} is no key; write it like G major or F# minor.") from error


def typed_chords(text: str) -> ChordRows:
    """The chords of half bars that a person types. Raises `UserError` that says what is no chord."""
    try:
        return read_progression(text)
    except ValueError as error:
        raise UserError(f"chords: {error}.") from error


def notes_a_bar(song: Song, cells: BarMask) -> NDArray[np.float64]:
    """Notes that begin in a bar of some cells `[tracks, bars]`, the mean of each track, NaN for one without cells."""
    bars = song.notes["onset"] // song.spec.steps_per_bar
    inside = song.notes["track"][cells[song.notes["track"], bars]]
    counts = np.bincount(inside, minlength=len(cells)).astype(np.float64)
    size = cells.sum(axis=1)
    return np.where(size > 0, counts / np.maximum(size, 1), np.nan)


def usual_cells(song: Song, free: BarMask) -> BarMask:
    """Bool `[tracks, bars]`: where it is seen how each track usually plays, bars near the cells in which it sounds.

    Of a track that does not sound near them all bars in which it does.
    """
    bars = np.flatnonzero(free.any(axis=0))
    near = np.zeros(free.shape[1], np.bool_)
    near[max(0, int(bars[0]) - NEAR_BARS) : int(bars[-1]) + 1 + NEAR_BARS] = True
    sounding: BarMask = song.planes.any(axis=(0, 3, 4)) & ~free
    here = sounding & near
    return np.where(here.any(axis=1, keepdims=True), here, sounding)


def _typed_density(request: VersionRequest, free: BarMask, spec: RollSpec) -> NDArray[np.float64]:
    """Notes a bar that were typed, NaN for the other tracks."""
    typed = np.full(spec.num_tracks, np.nan)
    for name, notes in (request.density or {}).items():
        track = match_track(name, spec, "density")
        if not free[track].any():
            raise UserError(f"density of {spec.names[track]}: this track is not selected.")
        typed[track] = notes
    return typed


def _density_of_mode(
    song: Song, free: BarMask, mode: str, present: NDArray[np.float64], model: StudioModel
) -> NDArray[np.float64]:
    """Notes a bar that a mode asks for, NaN for tracks without free cells."""
    usual = notes_a_bar(song, usual_cells(song, free))
    examples = model.generator.examples[:, : song.spec.num_tracks]
    data = torch.nanmedian(examples.where(examples >= SILENT, torch.nan), dim=0).values.nan_to_num(1.0).numpy()
    usual = np.where(np.isnan(usual), data, usual)
    plays = np.nan_to_num(present) >= SILENT
    density = np.where(plays, present, usual)
    if mode == BUSIER:
        density = np.where(plays, np.maximum(BUSY * present, present + MORE), density)
    if mode == SPARSER:
        density = np.where(plays, SPARSE * present, 0.0)
        if not plays[free.any(axis=1)].any():
            raise UserError("Nothing plays in the selection, so that it can't be sparser; make it anew.")
    if mode in (LIKE, SPARSER):  # what is silent stays so
        density = np.where(plays, density, 0.0)
    if mode == LIKE and not plays[free.any(axis=1)].any():
        raise UserError("Nothing plays in the selection that versions could be like; make it anew.")
    return np.where(free.any(axis=1), density, np.nan)


def _chords(song: Song, free: BarMask, request: VersionRequest, own: Key, key: Key) -> ChordRows:
    """The chords of all half bars: those of the song, in bars with free cells those that are asked for."""
    chords = song.chords.copy()
    half_bars = np.repeat(free.any(axis=0), 2)
    count = int(half_bars.sum())
    if request.chords is not None:
        chords[half_bars] = np.resize(typed_chords(request.chords), (count, chords.shape[1]))
    elif key != own:
        moved = (
            transpose_rows(chords, key.tonic - own.tonic)
            if key.is_minor == own.is_minor
            else unknown_chords(len(chords))
        )
        chords[half_bars] = moved[half_bars]
    return chords


def _style(song: Song, free: BarMask) -> float:
    """The number of the style that the first free bar was made in, NaN where it is not known."""
    bar = int(np.flatnonzero(free.any(axis=0))[0])
    for section in song.sections:
        if section.first_bar <= bar < section.first_bar + section.num_bars and "conditions" in section.latents:
            return float(section.latents["conditions"][0, STYLE])
    return float("nan")
