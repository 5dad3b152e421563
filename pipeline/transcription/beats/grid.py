"""Beat grid of a recording: its beats and bar lines, from notes, drum hits and sound (beat and downbeat tracking)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.transcription.beats.metrical_levels import RATIOS, find_metres
from pipeline.transcription.beats.onsets import Floats, Onsets, find_onsets, flux_onsets
from pipeline.transcription.beats.pulse_tracking import extended, find_pulse

_STEADY_BPM = 120.0
_FEWEST_ONSETS = 8
_SNAP_SECONDS = 0.05  # a bar line that is given and one that is found so close to it are the same


@dataclass(frozen=True)
class Beats:
    """The beats of a recording.

    Attributes
    ----------
    seconds
        `[beats]`, at least two, rising: every beat, from the bar line at or before the first sound to past the last.
        The first is a bar line.
    beats_per_bar
        Every so many entries is a bar line.
    """

    seconds: Floats
    beats_per_bar: int

    def position(self, seconds: NDArray[np.float64] | float) -> Floats:
        """Moments in seconds, counted in beats from the first bar line; linear between beats and beyond them."""
        moments = np.asarray(seconds, dtype=float)
        beats = self.seconds
        index = np.clip(np.searchsorted(beats, moments, side="right") - 1, 0, len(beats) - 2)
        counted: Floats = index + (moments - beats[index]) / (beats[index + 1] - beats[index])
        return counted

    def moments(self, positions: NDArray[np.floating] | NDArray[np.integer]) -> Floats:
        """Beats counted from the first bar line as moments in seconds: the inverse of `position`."""
        places = np.asarray(positions, dtype=float)
        beats = self.seconds
        index = np.clip(np.floor(places).astype(int), 0, len(beats) - 2)
        found: Floats = beats[index] + (places - index) * (beats[index + 1] - beats[index])
        return found

    @property
    def bpm(self) -> float:
        """The tempo of most of the piece, in beats a minute."""
        return 60 / float(np.median(np.diff(self.seconds)))


def find_beats(
    samples: NDArray[np.float32],
    pitches: NDArray[np.void],
    hits: NDArray[np.void],
    bpm: float | None = None,
    downbeat_seconds: float | None = None,
    beats_per_bar: int = 4,
) -> Beats:
    """Beat and downbeat tracking by notes and drum hits; where there are too few, by the sound.

    Parameters
    ----------
    samples
        `[samples]` of the recording, mono, at 44,100 Hz.
    pitches
        Notes found in it: `start` and `end` in seconds, `pitch`, `velocity`.
    hits
        Drum hits found in it: `start` in seconds, `pitch` (General MIDI percussion key), `velocity`.
    bpm
        The tempo where it is known; the beats stay within 2 % of it.
    downbeat_seconds
        When a bar begins, where it is known.
    beats_per_bar
        Beats a bar.

    Returns
    -------
    Beats
        A steady grid of 120 bpm (or `bpm`) where nothing is struck.
    """
    onsets = find_onsets(pitches, hits)
    if len(onsets.seconds) < _FEWEST_ONSETS or np.ptp(onsets.seconds) < 2:
        flux = flux_onsets(samples, SAMPLE_RATE_HZ)
        onsets = flux if len(flux.seconds) > len(onsets.seconds) else onsets
    length = max(len(samples) / SAMPLE_RATE_HZ, onsets.end)
    if len(onsets.seconds) < _FEWEST_ONSETS or np.ptp(onsets.seconds) < 2:
        return _steady(onsets, length, bpm, downbeat_seconds, beats_per_bar)
    pulse = find_pulse(onsets, bpm)
    ratio, phase, late = _choose_metre(onsets, pulse, bpm, downbeat_seconds, beats_per_bar)
    margin = (beats_per_bar + 1) * ratio * float(np.median(np.diff(pulse)))
    start = onsets.seconds[0] if downbeat_seconds is None else min(onsets.seconds[0], downbeat_seconds)
    wide = extended(pulse, start - 2 * margin, length + 2 * margin)
    zero = int(np.searchsorted(wide, pulse[0] - 1e-6))  # phases are counted from the first pulse
    first = phase + zero - np.floor((phase + zero) / (ratio * beats_per_bar)) * ratio * beats_per_bar
    beats = np.interp(np.arange(first, len(wide) - 1 + 1e-9, ratio), np.arange(len(wide)), wide) + late
    return trimmed(beats, beats_per_bar, float(onsets.seconds[0]), length)


def _choose_metre(
    onsets: Onsets, pulse: Floats, bpm: float | None, downbeat_seconds: float | None, beats_per_bar: int
) -> tuple[float, float, float]:
    """Pulses a beat, the pulse of a bar line, and by how many seconds the beats are to be moved."""
    found = find_metres(onsets, pulse, beats_per_bar, RATIOS if bpm is None else (1.0,))
    log_odds = found.log_odds
    if downbeat_seconds is None:
        best = int(log_odds.argmax())
        return float(found.ratio[best]), float(found.phase[best]), 0.0
    wide = extended(pulse, downbeat_seconds, downbeat_seconds)
    zero = int(np.searchsorted(wide, pulse[0] - 1e-6))
    place = float(np.interp(downbeat_seconds, wide, np.arange(len(wide)))) - zero
    bar = found.ratio * beats_per_bar
    off = (found.phase - place + bar / 2) % bar - bar / 2
    nearest = np.abs(off) <= found.ratio / 24 + 1e-9  # candidates are a twelfth of a beat apart
    best = int(np.where(nearest, log_odds, -np.inf).argmax())
    late = -float(off[best]) * float(np.median(np.diff(pulse)))
    return float(found.ratio[best]), float(found.phase[best]), 0.0 if abs(late) < _SNAP_SECONDS else late


def _steady(
    onsets: Onsets, length: float, bpm: float | None, downbeat_seconds: float | None, beats_per_bar: int
) -> Beats:
    """A grid of even beats with a bar line at the given one, or at the first sound."""
    period = 60 / (bpm or _STEADY_BPM)
    sound = float(onsets.seconds[0]) if len(onsets.seconds) else 0.0
    line = sound if downbeat_seconds is None else downbeat_seconds
    first = line - np.ceil((line - min(sound, line)) / period / beats_per_bar - 1e-9) * period * beats_per_bar
    count = int(np.ceil((length - first) / period)) + beats_per_bar + 1
    return trimmed(first + np.arange(count) * period, beats_per_bar, sound, length)


def trimmed(beats: Floats, beats_per_bar: int, sound: float, length: float) -> Beats:
    """The beats from the bar line at or before the first sound to the first beat past the end."""
    lines = beats[::beats_per_bar]
    slack = float(beats[1] - beats[0]) / 8  # a note that comes a little early belongs to its bar line
    bar = max(int(np.searchsorted(lines, sound + slack, side="right")) - 1, 0)
    last = max(int(np.searchsorted(beats, length, side="right")), bar * beats_per_bar + 1)
    return Beats(beats[bar * beats_per_bar : last + 1], beats_per_bar)
