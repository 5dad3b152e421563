"""Loops fitted into a song: its tempo and key, bar line by bar line, in tune with A = 440 Hz."""

from __future__ import annotations

import numpy as np

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.audio.stretching import FADE_SECONDS, change_loop_speed, crossfade, stretch, stretch_loop
from pipeline.audio.synthesizers import Sound
from pipeline.songs.flip.loops import Loop, line_sample, loop_sound
from pipeline.songs.flip.record import Record
from pipeline.songs.flip.tuning import find_tuning

MOST_DRIFT_SECONDS = 0.005
"""Bar lines that come no further from even spacing in the song are left where they are."""
CLEAR_TUNING = 0.3
"""A tuning on which tones agree less is not corrected."""
AROUND_SECONDS = 0.25
"""So much of the loop on either side of a bar is stretched with it."""


def fit_loop(
    record: Record, loop: Loop, num_samples: int, semitones: float, turntable: bool = False, seed: int = 0
) -> Sound:
    """A loop as it goes into a song, float32 `[num_samples, 2]` at `SAMPLE_RATE_HZ`; it closes as the loop does.

    Parameters
    ----------
    record, loop
        What is played.
    num_samples
        Length, exactly.
    semitones
        How far its notes move. Its tuning is corrected besides, so that they are those of A = 440 Hz.
    turntable
        Whether pitch and tempo move together, as on a turntable: the length then says how far, `semitones` and the
        tuning count for nothing.
    seed
        Of the stretching; the same seed gives the same bytes.

    Notes
    -----
    Where bar lines inside the loop would come more than `MOST_DRIFT_SECONDS` from even spacing, each bar is stretched
    for itself, so that all are as long. Peaks may grow above full scale.
    """
    sound = loop_sound(record, loop)
    if turntable:
        return change_loop_speed(sound, num_samples)
    shift = semitones - loop_tuning(record, sound) / 100
    lines = bar_lines(record, loop)
    even = np.linspace(0, len(sound), loop.num_bars + 1)
    drift = float(np.abs(np.array(lines) - even).max()) * num_samples / len(sound)
    if drift <= MOST_DRIFT_SECONDS * SAMPLE_RATE_HZ:
        return stretch_loop(sound, num_samples, shift, SAMPLE_RATE_HZ, seed)
    return _stretch_bars(sound, lines, num_samples, shift, seed)


def loop_tuning(record: Record, sound: Sound) -> float:
    """Deviation of a loop's tuning from A = 440 Hz in cents: its own where that is clear, else the record's, or 0."""
    for tuning in (find_tuning(sound, SAMPLE_RATE_HZ), record.tuning):
        if tuning.clearness >= CLEAR_TUNING:
            return tuning.cents
    return 0.0


def bar_lines(record: Record, loop: Loop) -> list[int]:
    """Where the bars of a loop begin and the last ends, in samples of its sound, `num_bars + 1` of them."""
    beats = [(loop.first_bar + bar) * record.beats_per_bar for bar in range(1, loop.num_bars)]
    return [0, *(line_sample(record, beat) - loop.start for beat in beats), loop.end - loop.start]


def _stretch_bars(sound: Sound, lines: list[int], num_samples: int, semitones: float, seed: int) -> Sound:
    """A loop whose bars, which begin at `lines`, become equally long; each fades into the next just before its line."""
    fade, around = (round(seconds * SAMPLE_RATE_HZ) for seconds in (FADE_SECONDS, AROUND_SECONDS))
    targets = np.rint(np.linspace(0, num_samples, len(lines))).astype(int).tolist()
    bars, leads = [], []
    for begin, end, first, last in zip(lines[:-1], lines[1:], targets[:-1], targets[1:], strict=True):
        ratio = (last - first) / (end - begin)
        margin = max(round(around * ratio), fade)
        source = round(margin / ratio)
        wide = sound.take(np.arange(begin - source, end + source), axis=0, mode="wrap")
        stretched = stretch(wide, last - first + 2 * margin, semitones, SAMPLE_RATE_HZ, seed)
        leads.append(stretched[margin - fade : margin])
        bars.append(stretched[margin : margin + last - first])
    for number, bar in enumerate(bars):
        bar[-fade:] = crossfade(bar[-fade:], leads[(number + 1) % len(bars)])
    return np.concatenate(bars)
