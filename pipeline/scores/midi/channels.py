"""State of MIDI channels over a whole file: programs, drums by bank or part mode, coarse tuning.

Programs and banks are state of a channel, not of a track. What a track says of a channel binds its own notes; where
it says nothing, they follow what other tracks say, as in files with one track that sets everything up. Messages of one
tick in other tracks come first.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

from pipeline.scores.midi.events import DRUM_CHANNEL, PROGRAM, TrackEvents
from pipeline.scores.midi.sysex import GS, XG, Effect, effects

BANK, DATA_ENTRY, NRPN_LSB, NRPN_MSB, RPN_LSB, RPN_MSB = 0, 6, 98, 99, 100, 101
STATEFUL = frozenset((PROGRAM, BANK, DATA_ENTRY, NRPN_LSB, NRPN_MSB, RPN_LSB, RPN_MSB))
"""Controllers that change what a channel plays; with `PROGRAM`, which is none."""
COARSE_TUNING = (0, 2)
"""The registered parameter that transposes by semitones from a value of 64."""
RHYTHM_BANKS = (120, 126, 127)
"""Bank select, most significant byte: GM2's rhythm, XG's sound effects and drums."""
MELODY_BANK = 121
"""GM2's other bank."""

Moment = tuple[int, int, int, int]
"""Tick, whether in the same track, track, place in the track."""


@dataclass(frozen=True)
class Patch:
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
    parameter: tuple[int | None, int | None] = (None, None)
    transpositions: dict[str, int] = field(default_factory=dict)
    """Semitones, by what sets them."""

    def __post_init__(self) -> None:
        self.is_drum = self.channel == DRUM_CHANNEL

    def control(self, controller: int, value: int) -> None:
        """Take in a program change or a controller."""
        if controller == PROGRAM:
            self.program, self.is_chosen = value, True
            drums = drums_by_bank(self.system, self.bank)
            if drums is not None:
                self.is_drum, self.by_bank = drums, True
            elif self.by_bank:
                self.is_drum, self.by_bank = self.channel == DRUM_CHANNEL, False
        elif controller == BANK:
            self.bank = value
        elif controller == RPN_MSB:
            self.parameter = (value, self.parameter[1])
        elif controller == RPN_LSB:
            self.parameter = (self.parameter[0], value)
        elif controller in (NRPN_LSB, NRPN_MSB):
            self.parameter = (None, None)
        elif controller == DATA_ENTRY and self.parameter == COARSE_TUNING:
            self.transpositions["parameter"] = value - 64

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
    def sound(self) -> Patch:
        """What it plays now."""
        return Patch(self.program, self.is_drum, sum(self.transpositions.values()), self.is_chosen)


class Channels:
    """What the channels of a file play at any time."""

    def __init__(self, tracks: list[TrackEvents]) -> None:
        self._controls: dict[int, list[tuple[int, int, int, int, int]]] = {}  # channel: tick, track, place, what, value
        self._players = {
            (number, channel) for number, track in enumerate(tracks) for _, _, channel, _, _ in track.notes
        }
        self._exclusive: list[tuple[int, int, int, Effect]] = []
        for number, track in enumerate(tracks):
            for tick, place, channel, controller, value in track.controls:
                if controller in STATEFUL:
                    self._controls.setdefault(channel, []).append((tick, number, place, controller, value))
            for tick, place, body in track.sysex:
                self._exclusive += [(tick, number, place, effect) for effect in effects(body)]

    def sounds(self, track: int, channel: int, notes: list[tuple[int, int]]) -> list[Patch]:
        """What the notes of a track and channel sound like, each given by its tick and place."""
        timeline: list[tuple[Moment, Effect | tuple[int, int]]] = [
            ((tick, int(number == track), number, place), (controller, value))
            for tick, number, place, controller, value in self._heard(track, channel)
        ]
        timeline += [((tick, int(by == track), by, place), effect) for tick, by, place, effect in self._exclusive]
        timeline.sort(key=lambda one: one[0])
        state = ChannelState(channel)
        sounds, moments = [state.sound], []
        for moment, what in timeline:
            if isinstance(what, Effect):
                state.exclusive(what)
            else:
                state.control(*what)
            moments.append(moment)
            sounds.append(state.sound)
        if len(set(sounds)) == 1:
            return sounds[:1] * len(notes)
        return [sounds[bisect_left(moments, (tick, 1, track, place))] for tick, place in notes]

    def _heard(self, track: int, channel: int) -> list[tuple[int, int, int, int, int]]:
        """The messages that a track listens to: from its own first program change on, none of its fellow players'."""
        controls = self._controls.get(channel, [])
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
