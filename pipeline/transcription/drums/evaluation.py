"""How well drums are heard: `python -m pipeline.transcription.drums.evaluation --midi DIR ... --soundfont FILE [--pairs
DIR]`.

Songs that the training leaves out are played by a SoundFont that it should not have had, drums alone, in the full mix,
and without drums; recordings beside their MIDI files are looked at too. The network stands beside the plain way of
`drum_flux`. A hit is right within 50 ms of one that was played on the same drum; `hi-hat` is both of its sounds
together, `cymbal` crash and ride, `tom` both toms.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ, read_recording
from pipeline.audio.synthesizers import soundfont_path
from pipeline.errors import UserError
from pipeline.formats import RECORDINGS
from pipeline.progress import say
from pipeline.transcription.drums.features import FRAMES_PER_SECOND, band_centres, band_power
from pipeline.transcription.drums.hits import find_drum_hits
from pipeline.transcription.drums.kit import (
    CLOSED_HAT,
    CRASH,
    DRUMS,
    HIGH_TOM,
    KICK,
    LOW_TOM,
    NAMES,
    OPEN_HAT,
    RIDE,
    SAME_DRUM,
    SNARE,
    count_matches,
    f1,
    find_peaks,
    make_hits,
)
from pipeline.transcription.drums.stems import is_held_out, sound_of

REGISTERS_HZ = {KICK: (20.0, 120.0), SNARE: (180.0, 3000.0), CLOSED_HAT: (7000.0, 16000.0)}
"""The drum that a register's rise stands for."""

THRESHOLD = 0.25
"""A rise counts when it stands out by this part of the song's greatest ones (their 99th percentile)."""

AROUND = 21
"""Frames (0.2 s) from whose mean a rise stands out."""

MEDIAN_FRAMES, MEDIAN_BANDS = 31, 9
"""What is held longer than half of these frames is a tone, what covers more than half of these bands is percussive."""


def find_hits_by_flux(samples: NDArray[np.float32]) -> NDArray[np.void]:
    """Kick, snare and hi-hat hits of mono sound `[samples]` at 44,100 Hz, as `drum_kit.HIT`."""
    from scipy.ndimage import median_filter, uniform_filter1d

    starts, pitches, velocities = [np.zeros(0)], [np.zeros(0, np.int64)], [np.zeros(0)]
    power = band_power(samples)
    held, struck = median_filter(power, (MEDIAN_FRAMES, 1)), median_filter(power, (1, MEDIAN_BANDS))
    percussive = np.sqrt(power) * (struck / np.maximum(held + struck, 1e-20))
    centres = band_centres()
    for pitch, (low, high) in REGISTERS_HZ.items():
        level = np.log1p(1000 * percussive[:, (centres >= low) & (centres < high)]).mean(axis=1)
        rise = np.maximum(np.diff(level, prepend=level[:1]), 0)
        scale = np.percentile(rise, 99)
        if scale < 1e-3:
            continue
        peaks, places = find_peaks((rise - uniform_filter1d(rise, AROUND)) / scale, THRESHOLD)
        starts.append(places / FRAMES_PER_SECOND)
        pitches.append(np.full(len(peaks), pitch))
        velocities.append(20 + 100 * np.minimum(rise[peaks] / scale, 1))
    return make_hits(np.concatenate(starts), np.concatenate(pitches), np.concatenate(velocities))


CLASSES: dict[str, tuple[int, ...]] = {
    "kick": (KICK,),
    "snare": (SNARE,),
    "hi-hat": (CLOSED_HAT, OPEN_HAT),
    "cymbal": (CRASH, RIDE),
    "tom": (LOW_TOM, HIGH_TOM),
    "hi-hat or cymbal": (CLOSED_HAT, OPEN_HAT, CRASH, RIDE),
} | {f"- {name}": (drum,) for name, drum in zip(NAMES[2:], DRUMS[2:], strict=True)}
"""What is counted: names and the drums in each."""

WAYS: dict[str, Callable[[NDArray[np.float32]], NDArray[np.void]]] = {
    "network": find_drum_hits,
    "flux": find_hits_by_flux,
}
PROGRAMS = {"piano": 0, "organ": 19, "choir": 52}
"""What drumless music is played on."""

FEWEST_HITS = 40
"""Songs with fewer drum notes are not measured."""

QUIET = 1e-4
"""A recording begins where its power comes above this part of its greatest power (-40 decibels)."""

NEAREST_FRAMES = 10
"""The recording of a MIDI file begins within so many frames (0.1 s) of its first note."""


@dataclass
class Tally:
    """Right, found and played hits by way and class, and the seconds of sound and of work."""

    counts: dict[tuple[str, str], NDArray[np.int64]] = field(default_factory=dict)
    sound_seconds: float = 0.0
    work_seconds: dict[str, float] = field(default_factory=dict)

    def add(self, samples: NDArray[np.float32], played: NDArray[np.float64]) -> None:
        """Listen to a recording whose hits, rows of seconds and drum, are known."""
        self.sound_seconds += len(samples) / SAMPLE_RATE_HZ
        for way, find in WAYS.items():
            began = time.process_time()
            found = find(samples)
            self.work_seconds[way] = self.work_seconds.get(way, 0) + time.process_time() - began
            for name, drums in CLASSES.items():
                mine = found["start"][np.isin(found["pitch"], drums)]
                theirs = _merged(played[np.isin(played[:, 1], drums), 0])
                row = np.array([count_matches(mine, theirs), len(mine), len(theirs)])
                self.counts[way, name] = self.counts.get((way, name), np.zeros(3, np.int64)) + row

    def lines(self) -> Iterator[str]:
        """The tally as a table: F1, precision and recall of each way."""
        minutes = self.sound_seconds / 60
        for name in CLASSES:
            if not self.counts["network", name][2]:
                continue
            cells = []
            for way in WAYS:
                right, found, played = map(int, self.counts[way, name])
                cells.append(
                    f"{f1(right, found, played):.2f} ({right / max(found, 1):.2f}/{right / max(played, 1):.2f})"
                )
            yield f"  {name:18} {int(self.counts['network', name][2]):6}  " + "   ".join(cells)
        for way in WAYS:
            hits = sum(int(self.counts[way, name][1]) for name in ("kick", "snare", "hi-hat", "cymbal", "tom"))
            speed = self.work_seconds[way] / minutes
            yield f"  {way}: {hits / minutes:.1f} hits a minute, {speed:.2f} s of work for a minute of sound"


def arguments() -> argparse.ArgumentParser:
    """What may be said on the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.transcription.drums.evaluation", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument(
        "--midi", type=Path, nargs="+", default=[], metavar="DIR", help="songs; those held out are used"
    )
    parser.add_argument("--soundfont", type=Path, metavar="FILE", help="General MIDI, .sf2, not trained on")
    parser.add_argument("--drumless", type=Path, metavar="DIR", help="MIDI files played on piano, organ and choir")
    parser.add_argument("--pairs", type=Path, metavar="DIR", help="recordings, each beside its MIDI file")
    parser.add_argument("--songs", type=int, default=12, help="at most so many of each folder (%(default)s)")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each song, from its beginning (%(default)s)")
    return parser


def hits_in(score: Any) -> NDArray[np.float64]:
    """Drum hits of a symusic score, rows of seconds and drum, sorted; other percussion is left out."""
    rows = [
        (note.time, SAME_DRUM[note.pitch])
        for track in score.to("second").tracks
        if track.is_drum
        for note in track.notes
        if note.pitch in SAME_DRUM
    ]
    return np.array(sorted(rows), np.float64).reshape(-1, 2)


def beginning(score: Any, seconds: float, keep: Callable[[Any], bool] = lambda track: True) -> Any:
    """The first seconds of a symusic score, only tracks that are to be kept."""
    last = 0
    for ticks, timed in zip(score.tracks, score.to("second").tracks, strict=True):
        inside = [one.time for one, clock in zip(ticks.notes, timed.notes, strict=True) if clock.time < seconds]
        last = max([last, *inside])
    part = score.clip(0, last + 1, clip_end=True)
    for index in reversed(range(len(part.tracks))):
        if not keep(part.tracks[index]):
            del part.tracks[index]
    return part


def measure_songs(folder: Path, soundfont: Path, songs: int, seconds: float) -> dict[str, Tally]:
    """Tallies of the songs of a folder that are held out: drums alone, full mix, and without drums."""
    import symusic

    parts: dict[str, Callable[[Any], bool]] = {
        "drums alone": lambda track: bool(track.is_drum),
        "full mix": lambda track: True,
        "without drums": lambda track: not track.is_drum,
    }
    tallies: dict[str, Tally] = {}
    used = 0
    for path in sorted(folder.rglob("*.mid")):
        if used >= songs or not is_held_out(path):
            continue
        score: Any = symusic.Score(str(path))
        if len(hits_in(beginning(score, seconds))) < FEWEST_HITS:
            continue
        used += 1
        for name, keep in parts.items():
            part = beginning(score, seconds, keep)
            if part.tracks and (name != "full mix" or len({bool(track.is_drum) for track in part.tracks}) == 2):
                sound = sound_of(bytes(part.dumps_midi()), soundfont)
                tallies.setdefault(name, Tally()).add(sound, hits_in(part))
    return tallies


def measure_drumless(folder: Path, soundfont: Path, songs: int, seconds: float) -> dict[str, Tally]:
    """Tallies of MIDI files that have no drums, on each of `PROGRAMS`."""
    import symusic

    tallies: dict[str, Tally] = {}
    for path in sorted(folder.rglob("*.mid"))[:songs]:
        part = beginning(symusic.Score(str(path)), seconds, lambda track: not track.is_drum)
        for name, program in PROGRAMS.items():
            for track in part.tracks:
                track.program = program
            sound = sound_of(bytes(part.dumps_midi()), soundfont)
            tallies.setdefault(f"{name}, no drums", Tally()).add(sound, np.zeros((0, 2)))
    return tallies


def measure_pairs(folder: Path, seconds: float) -> dict[str, Tally]:
    """The tally of recordings beside their MIDI files, whose offsets are found from all their notes."""
    import symusic

    tally = Tally()
    for path in sorted(
        one for one in folder.iterdir() if one.suffix in RECORDINGS and one.with_suffix(".mid").is_file()
    ):
        samples = read_recording(path, 30)
        score: Any = symusic.Score(str(path.with_suffix(".mid")))
        onsets = np.array([note.time for track in score.to("second").tracks for note in track.notes])
        offset = find_offset(samples, onsets)
        hits = hits_in(score)
        hits[:, 0] += offset
        samples = samples[: int(seconds * SAMPLE_RATE_HZ)]
        inside = (hits[:, 0] >= 0) & (hits[:, 0] < len(samples) / SAMPLE_RATE_HZ)
        tally.add(samples, hits[inside])
        say(f"  {path.name}: {offset:+.2f} s after its MIDI file")
    return {"recordings": tally}


def find_offset(samples: NDArray[np.float32], onsets: NDArray[np.float64]) -> float:
    """Seconds by which a recording is later than its notes, whose onsets in seconds are given.

    Music that repeats agrees with itself at many offsets, so the first sound says which of them to look near.
    """
    power = band_power(samples)
    level = np.log(power + 1e-7)
    rise = np.maximum(np.diff(level, axis=0, prepend=level[:1]), 0).sum(axis=1)
    loud = power.sum(axis=1)
    first_sound = int(np.argmax(loud > QUIET * loud.max()))
    first_note = float(onsets.min())
    offsets = first_sound - round(first_note * FRAMES_PER_SECOND) + np.arange(-NEAREST_FRAMES, NEAREST_FRAMES + 1)
    frames = np.round(onsets * FRAMES_PER_SECOND).astype(int)
    padded = np.pad(rise, len(rise))  # silence where notes lie outside of the recording
    places = np.clip(frames[None] + offsets[:, None] + len(rise), 0, len(padded) - 1)
    return float(offsets[padded[places].sum(axis=1).argmax()] / FRAMES_PER_SECOND)


def run(words: Sequence[str]) -> None:
    """Measure what the words ask for and print it."""
    given = arguments().parse_args(words)
    if (given.midi or given.drumless) and given.soundfont is None:
        raise UserError("--midi and --drumless take a SoundFont too: --soundfont FILE.")
    results: dict[str, dict[str, Tally]] = {}
    soundfont = soundfont_path(str(given.soundfont)) if given.soundfont else None
    if soundfont:
        for folder in given.midi:
            results[str(folder)] = measure_songs(folder, soundfont, given.songs, given.seconds)
        if given.drumless:
            results[str(given.drumless)] = measure_drumless(given.drumless, soundfont, given.songs, given.seconds)
    if given.pairs:
        results[str(given.pairs)] = measure_pairs(given.pairs, given.seconds)
    say(f"F1 (precision/recall) of {' and '.join(WAYS)}")
    for where, tallies in results.items():
        for name, tally in tallies.items():
            say(f"{Path(where).name}: {name}, {tally.sound_seconds / 60:.1f} min")
            for line in tally.lines():
                say(line)


def _merged(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sorted times without those less than 10 ms after another: two keys that are one drum here, struck at once."""
    ordered = np.sort(seconds)
    return ordered[np.diff(ordered, prepend=-1.0) > 0.01]


if __name__ == "__main__":
    try:
        run(sys.argv[1:])
    except UserError as error:
        sys.exit(str(error))
