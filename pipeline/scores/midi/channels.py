"""State of MIDI channels over a whole file: programs, drums by bank or part mode, coarse tuning.

Programs and banks are state of a channel, not of a track. What a track says of a channel binds its own notes; where
it says nothing, they follow what other tracks say, as in files with one track that sets everything up. Messages of one
tick in other tracks come first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.scores.midi.events import (
    BANK,
    DATA_ENTRY,
    DRUM_CHANNEL,
    PLACE,
    PROGRAM,
    TICK,
    Rows,
    TrackEvents,
)
from pipeline.scores.midi.sysex import GS, XG, Effect, effects

UNTUNED = 64
"""The coarse tuning that does not transpose."""
RHYTHM_BANKS = (120, 126, 127)
"""Bank select, most significant byte: GM2's rhythm, XG's sound effects and drums."""
MELODY_BANK = 121
"""GM2's other bank."""

PLACE_BITS = 26
"""Of a moment as one number, tick and place; a track has fewer events."""


class Patch(NamedTuple):
    """What a channel plays at a time."""

    program: int
    is_drum: bool
    transposition: int = 0
    """Semitones."""
    is_chosen: bool = False
    """Whether a program change said so."""


def drums_by_bank(system: str, bank: int | None) -> bool | None:
    """Whether a bank select says that a channel plays drums from its next program change on; None: it says nothing."""
    if bank is None or system == GS:  # GS has its variations there
        return None
    if bank in RHYTHM_BANKS:
        return True
    return False if bank == MELODY_BANK or system == XG else None


@dataclass
class ChannelState:
    """A channel while messages come in."""

    channel: int
    system: str = ""
    program: int = 0
    is_chosen: bool = False
    bank: int | None = None
    is_drum: bool = False
    by_bank: bool = False
    transpositions: dict[str, int] = field(default_factory=dict)
    """Semitones, by what sets them."""

    def __post_init__(self) -> None:
        self.is_drum = self.channel == DRUM_CHANNEL

    def control(self, controller: int, value: int) -> None:
        """Take in a program change, a bank or a coarse tuning."""
        if controller == PROGRAM:
            self.program, self.is_chosen = value, True
            drums = drums_by_bank(self.system, self.bank)
            if drums is not None:
                self.is_drum, self.by_bank = drums, True
            elif self.by_bank:
                self.is_drum, self.by_bank = self.channel == DRUM_CHANNEL, False
        elif controller == BANK:
            self.bank = value
        else:
            self.transpositions["parameter"] = value - UNTUNED

    def exclusive(self, effect: Effect) -> None:
        """Take in what a system-exclusive message does; a reset of a system clears drums, banks and tunings."""
        if effect.kind == "system":
            self.system, self.bank, self.by_bank = effect.system, None, False
            self.is_drum = self.channel == DRUM_CHANNEL
            self.transpositions.clear()
        elif effect.channel in (None, self.channel):
            if effect.kind == "drums":
                self.is_drum, self.by_bank = bool(effect.value), False
            else:
                self.transpositions["part" if effect.channel is not None else "master"] = effect.value

    @property
    def patch(self) -> Patch:
        """What it plays now."""
        return Patch(self.program, self.is_drum, sum(self.transpositions.values()), self.is_chosen)


class Channels:
    """What the channels of a file play at any time."""

    def __init__(self, tracks: list[TrackEvents], players: set[tuple[int, int]]) -> None:
        self._players = players  # tracks and channels that have notes
        self._controls: dict[int, list[tuple[int, int, int, int, int]]] = {}  # channel: tick, track, place, what, value
        self._exclusive: list[tuple[int, int, int, Effect]] = []
        for number, track in enumerate(tracks):
            for tick, place, channel, controller, value in track.choices.tolist():
                self._controls.setdefault(channel, []).append((tick, number, place, controller, value))
            for tick, place, body in track.sysex():
                self._exclusive += [(tick, number, place, effect) for effect in effects(body)]

    def sounds(self, track: int, channel: int, notes: Rows) -> tuple[list[Patch], NDArray[np.intp]]:
        """What the notes of a track and channel sound like.

        Parameters
        ----------
        track, channel
            Whose notes.
        notes
            `[notes, columns]`, one at least, of which the first two are tick and place, in order.

        Returns
        -------
        The patches in the order in which they are chosen, and which of them each note has, `[notes]`.
        """
        timeline: list[tuple[int, int, int, int, Effect | None]] = [
            ((tick << PLACE_BITS) + (place + 1 if number == track else 0), number, controller, value, None)
            for tick, number, place, controller, value in self._heard(track, channel)
        ]
        timeline += [
            ((tick << PLACE_BITS) + (place + 1 if number == track else 0), number, PROGRAM, 0, effect)
            for tick, number, place, effect in self._exclusive
            if effect.channel in (None, channel)
        ]
        timeline.sort(key=lambda one: one[:2])
        state = ChannelState(channel)
        first = (int(notes[0, TICK]) << PLACE_BITS) + int(notes[0, PLACE]) + 1
        patches: list[Patch] = []
        moments = []
        for moment, _, controller, value, effect in timeline:
            if moment >= first and not patches:
                patches.append(state.patch)
            if effect is not None:
                state.exclusive(effect)
            else:
                state.control(controller, value)
            if patches and controller in (PROGRAM, DATA_ENTRY) and state.patch != patches[-1]:
                patches.append(state.patch)
                moments.append(moment)
        if not moments:
            return [state.patch], np.zeros(len(notes), np.intp)
        at = np.searchsorted(np.array(moments), (notes[:, TICK] << PLACE_BITS) + notes[:, PLACE] + 1)
        return patches, at

    def _heard(self, track: int, channel: int) -> list[tuple[int, int, int, int, int]]:
        """The messages that a track listens to: from its own first program change on, none of its fellow players'."""
        controls = self._controls.get(channel, [])
        if all(row[1] == track for row in controls):
            return controls
        first = min((row[0] for row in controls if row[1] == track and row[3] == PROGRAM), default=None)
        if first is None:
            return controls
        return [
            row
            for row in controls
            if row[1] == track
            or row[3] not in (PROGRAM, BANK)
            or row[0] < first
            or (row[1], channel) not in self._players
        ]
