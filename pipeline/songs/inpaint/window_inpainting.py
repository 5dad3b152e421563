"""Inpainting: music around notes that are given, accompaniments, bars made anew, and how it goes on.

The song is made window by window, each as long as a phrase of the generator. What was made in one window is given to
the next, which overlaps it by half, so that a part goes on where it was instead of beginning anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from gan.conditions import NUM_ATTRIBUTES, SILENT, ConditionLayout, conditions_of, no_labels
from gan.context import Conditioning, Context
from gan.latents import Latents
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.seeds import mix_seed
from gan.spec import HOLD, ONSET, RollSpec
from gan.statistics import DataStatistics
from pipeline.scores.chords.symbols import ChordRows, transpose_rows
from pipeline.scores.keys import Key, into_range
from pipeline.scores.notes import Notes, Planes, in_order, notes_from_roll, roll_from_notes
from pipeline.songs.given_song import GivenSong
from pipeline.songs.inpaint.mask import BarMask, kept_notes
from pipeline.songs.key_and_tempo import transpose_into_range
from pipeline.songs.plan import request_chords
from pipeline.songs.request import Request, key_number
from pipeline.songs.seeds import SongRandomStream

NEAREST = 4
"""What is not requested comes from a phrase of the data, one of so many times `candidates` most like the given song."""
MAY_REST = 0.25
"""A track silent in a larger share of the data's bars may be silent for a whole window."""
MONOPHONIC = 0.02
"""A track that has two notes at once in no larger share of its steps is one line."""


def next_window(made: BarMask, bars: int) -> tuple[int, int] | None:
    """The bars (first, end) of the next window of at most `bars`, or None where `made` `[tracks, bars]` is all true.

    It begins with the first bar in which something is missing, and with as much of what is there as fits around it:
    half a window at most where more is to follow.
    """
    missing = np.asarray(~made.all(axis=0))
    if not missing.any():
        return None
    first, total = int(np.argmax(missing)), len(missing)
    open_bars = int(np.argmin(np.append(missing[first:], False)))
    before = bars // 2 if open_bars >= bars else (bars - open_bars + 1) // 2
    start = max(0, min(first - before, total - bars))
    return start, min(start + bars, total)


@dataclass(frozen=True, eq=False)
class WindowInpainter:
    """Makes what is missing of a song, window by window.

    Attributes
    ----------
    generator, discriminator
        Of the same `RollSpec`; their device is used.
    statistics
        Of the data: which tracks may rest.
    candidates
        Windows generated for each one kept.
    """

    generator: Generator
    discriminator: Discriminator
    statistics: DataStatistics
    candidates: int

    @property
    def spec(self) -> RollSpec:
        """Of the phrases."""
        return self.generator.spec

    def inpaint(
        self, planes: Planes, kept: BarMask, request: Request, seed: int, chords: ChordRows | None = None
    ) -> Planes:
        """A song with all cells made that are not `kept`, bool `[2, tracks, bars, steps, pitches]`.

        Parameters
        ----------
        planes
            What is kept, in the key of the data; what lies elsewhere is not looked at.
        kept
            `[tracks, bars]`.
        request
            What is requested of the whole song.
        seed
            Decides on all that is left to chance.
        chords
            Chords of the half bars, int8 `[2 * bars, 3]`, in the key of the data; None leaves them open.
        """
        spec = self.spec
        request = request.learnable(self.generator.examples, ConditionLayout.of(spec))
        short = max(0, spec.bars - planes.shape[2])  # a song shorter than a window gets bars that are cut off again
        planes = np.pad(planes, [(0, 0), (0, 0), (0, short), (0, 0), (0, 0)])
        made = np.pad(kept, [(0, 0), (0, short)])
        random = torch.Generator().manual_seed(mix_seed(seed, SongRandomStream.REMAKING))
        measured = attributes_of(torch.from_numpy(planes[:, :, : kept.shape[1]]), torch.from_numpy(kept), spec)
        latents: Latents | None = None
        while (window := next_window(made, spec.bars)) is not None:
            bars = slice(*window)
            fresh = self.generator.sample_latents(self.candidates, random)
            if latents is None:
                drawn = self.complete_conditions(
                    request, measured, lambda num: torch.randint(num, (self.candidates,), generator=random)
                )
                fresh = replace(fresh, conditions=drawn.to(fresh.z.device))
            else:  # the same song, moving on
                own = latents.repeat(self.candidates)
                fresh = replace(own, z_time=fresh.z_time, z_track_time=fresh.z_track_time)
            if chords is not None:
                for conditions in fresh.conditions:
                    request_chords(conditions, chords[2 * window[0] : 2 * window[1]], ConditionLayout.of(spec))
            rolls, best = self._window(planes[:, :, bars], made[:, bars], fresh, request)
            planes[:, :, bars] = np.where(made[None, :, bars, None, None], planes[:, :, bars], rolls)
            made[:, bars] = True
            latents = best if latents is None else latents
        return planes[:, :, : kept.shape[1]]

    def complete_conditions(self, request: Request, measured: Tensor, choose: Callable[[int], Tensor]) -> Tensor:
        """Conditions `[rows, ConditionLayout.size]`: the requested, else of the given notes, else of the data.

        The last is taken from phrases of the data whose other tracks are most like the given ones: `choose` gets the
        number of these and gives the index of one for each row.
        """
        examples, tracks = self.generator.examples, self.spec.num_tracks
        layout = ConditionLayout.of(self.spec)
        attributes = layout.attributes
        known = torch.where(request.conditions.isnan(), measured, request.conditions)
        known = replace(request, conditions=known).learnable(examples, layout).conditions
        unlike = (examples.log1p() - known.log1p())[:, attributes].abs().nan_to_num(0.0).sum(1)
        unlike = unlike + ((examples < SILENT) & known.isnan())[:, :tracks].sum(1)
        nearest = unlike.argsort(stable=True)[: NEAREST * self.candidates]
        rows = nearest[choose(len(nearest))]
        conditions = torch.where(known.isnan(), examples[rows], known)
        harmony = slice(layout.chroma.start, layout.chords.stop)
        conditions[:, harmony] = known[harmony]  # that of another song fits no given note
        silent = (conditions[:, :tracks] < SILENT).repeat(1, NUM_ATTRIBUTES - 1)
        conditions[:, tracks : attributes.stop][silent] = torch.nan  # of a silent track nothing else is known
        return conditions

    def _window(self, planes: Planes, mask: BarMask, latents: Latents, request: Request) -> tuple[Planes, Latents]:
        """The best of several ways to complete one window, and the latents `[1]` that it was made of."""
        count, device = len(latents), latents.z.device
        begun = torch.from_numpy(begun_window(planes))
        rolls = begun.unsqueeze(0).expand(count, *begun.shape)
        given = Context(rolls, torch.from_numpy(mask.copy()).expand(count, -1, -1)).to(device)
        whole = given.mask[0] & given.mask[0].all(1, keepdim=True)  # tracks given from end to end are as they are
        latents = latents.with_conditions(attributes_of(begun.to(device), whole, self.spec).expand(count, -1))
        rolls = self.generator.sample(
            latents, given, request.condition_strength, request.temperature, request.chord_strength
        )
        ratings = self.rate(rolls, given.mask, request.conditions, latents.conditions)
        silences = self.count_silences(rolls, given.mask, latents.conditions)
        best = int(torch.where(silences == silences.min(), ratings, -torch.inf).argmax())
        return rolls[best].cpu().numpy(), latents[best : best + 1]

    def rate(self, rolls: Tensor, mask: Tensor, requested: Tensor, conditions: Tensor) -> Tensor:
        """How good completed windows are, `[batch]` float64: log density ratio, and how likely lines lead on.

        Parameters
        ----------
        rolls, mask
            Bool `[batch, *spec.shape]`, and `[batch, tracks, bars]`: what of them was given.
        requested, conditions
            `[ConditionLayout.size]`, what the user requests, and `[batch, ConditionLayout.size]`, what they were made
            for.
        """
        conditioning = Conditioning(requested.to(rolls.device).expand(len(rolls), -1), mask)
        ratings = self.discriminator.sharpness * self.discriminator.score(rolls, conditioning)
        return (ratings + self.generator.join_log_probs(rolls, conditions, mask)).double()

    def count_silences(self, rolls: Tensor, mask: Tensor, conditions: Tensor) -> Tensor:
        """How many tracks are silent wherever they are to be made, although the data's seldom are, `[batch]`."""
        sounding = (rolls.any(1).flatten(3).any(3) & ~mask).any(2)  # [batch, tracks]
        expected = (~mask).any(2) & ~(conditions[:, : self.spec.num_tracks] < SILENT)
        seldom = torch.tensor(self.statistics.empty_bars, device=rolls.device) < MAY_REST
        return (expected & seldom & ~sounding).sum(1)


def begun_window(planes: Planes) -> Planes:
    """A copy of a window `[2, tracks, bars, steps, pitches]` in which what is held into it begins with it."""
    begun = np.array(planes)
    begun[ONSET, :, 0, 0] |= planes[HOLD, :, 0, 0]
    begun[HOLD, :, 0, 0] = False
    return begun


def attributes_of(rolls: Tensor, mask: Tensor, spec: RollSpec) -> Tensor:
    """How each track plays in the bars that a mask shows, and the rhythm of it all, as conditions.

    Other tracks may use more pitch classes than these: the chroma is open.

    Parameters
    ----------
    rolls
        Bool `[2, tracks, bars, steps, pitches]`.
    mask
        Bool `[tracks, bars]`.
    spec
        Of the rolls but for the number of bars.

    Returns
    -------
    conditions
        `[ConditionLayout.size]`, NaN for what can't be seen.
    """
    layout, unknown = ConditionLayout.of(spec), no_labels(1, spec).to(rolls.device)
    shown = (rolls & mask[None, :, :, None, None]).unsqueeze(0)
    conditions = conditions_of(shown, unknown, spec)[0]
    conditions[layout.attributes] = conditions[layout.chroma] = torch.nan
    for track, bars in enumerate(mask):
        if bool(bars.any()):
            own = torch.arange(NUM_ATTRIBUTES, device=rolls.device) * spec.num_tracks + track
            conditions[own] = conditions_of(shown[:, :, :, bars], unknown, spec)[0, own]
    return conditions


def inpaint_song(
    given: GivenSong,
    kept: BarMask,
    inpainter: WindowInpainter,
    request: Request,
    key: Key | None,
    in_common_key: bool,
    seed: int,
    chords: ChordRows | None = None,
) -> Notes:
    """The notes that are made around a given song, at its own pitch, in canonical order.

    Parameters
    ----------
    given, kept
        The song, and what of it stays.
    inpainter
        Makes the rest.
    request
        What the user requests.
    key
        Of the song, None where it has none.
    in_common_key
        Whether the generator knows C major and A minor only; then it works there.
    seed
        Another one makes something else.
    chords
        A progression that is requested from the first bar on, repeated to the end; None leaves chords open.
    """
    spec = inpainter.spec
    shift = key.shift_to_common if key is not None and in_common_key else 0
    number = key_number(key, in_common_key) if key is not None else None
    stays = kept_notes(given, kept, spec)
    planes = roll_from_notes(
        shift_into_pitch_range(transpose_into_range(stays, shift, spec), inpainter.generator), spec, kept.shape[1]
    )
    if chords is not None:
        bars = max(kept.shape[1], spec.bars)
        chords = np.resize(transpose_rows(chords, shift), (2 * bars, chords.shape[1]))
    whole = inpainter.inpaint(planes, kept, request.with_defaults(number, given.mean_bpm), seed, chords)
    made = notes_from_roll(whole & ~kept[None, :, :, None, None], spec.lowest_pitch)
    monophonic = [track for track, share in enumerate(inpainter.statistics.polyphony) if share <= MONOPHONIC]
    return wait_for_kept(transpose_into_range(made, -shift, spec), stays, monophonic)


def shift_into_pitch_range(notes: Notes, generator: Generator) -> Notes:
    """The notes moved by octaves into the pitch range that the generator has for each track."""
    low = generator.spec.lowest_pitch + np.array(generator.lowest_pitches)[notes["track"]]
    below, above = low - notes["pitch"], notes["pitch"] - (low + generator.pitch_range - 1)
    octaves = np.where(below > 0, -(-below // 12), np.where(above > 0, -((above + 11) // 12), 0))
    pitched = np.isin(notes["track"], generator.spec.pitched)
    shifted = notes.copy()
    shifted["pitch"] += np.where(pitched, 12 * octaves, 0).astype(shifted["pitch"].dtype)
    return into_range(shifted, generator.spec)


def wait_for_kept(made: Notes, stays: Notes, monophonic: Sequence[int]) -> Notes:
    """Made notes that begin only after a note that stays, of their track and pitch, has rung out.

    In `monophonic` tracks, whatever its pitch. Of a made note that is over by then nothing is left.
    """
    made = made.copy()
    for index, note in enumerate(made):
        others = stays[(stays["track"] == note["track"]) & (stays["onset"] <= note["onset"])]
        if note["track"] not in monophonic:
            others = others[others["pitch"] == note["pitch"]]
        end = int((others["onset"] + others["length"]).max(initial=0))
        late = max(0, end - int(note["onset"]))
        made["onset"][index] += late
        made["length"][index] -= late
    return in_order(made[made["length"] > 0])
