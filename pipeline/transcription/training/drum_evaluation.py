"""Evaluate drum transcription: `python -m pipeline.transcription.training.drum_evaluation --midi DIR --soundfont FILE`.

Songs that the training leaves out are rendered with a SoundFont that it should not have had, drums alone, in the full
mix, and without drums; `--pairs DIR` evaluates recordings beside their MIDI files too. The baseline is spectral flux in
the register of each drum. A hit is right within 50 ms of one that was played on the same drum; `hi-hat` is both of its
sounds together, `cymbal` crash and ride, `tom` both toms.
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
from pipeline.transcription.drums.drum_map import (
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
    make_hits,
)
from pipeline.transcription.drums.features import FRAMES_PER_SECOND, band_centres, band_power
from pipeline.transcription.drums.hits import find_drum_hits, find_peaks
from pipeline.transcription.training.drum_stems import is_held_out
from pipeline.transcription.training.f1_scores import MatchCounts, load_mir_eval
from pipeline.transcription.training.rendering.midi_rendering import render

REGISTERS_HZ = {KICK: (20.0, 120.0), SNARE: (180.0, 3000.0), CLOSED_HAT: (7000.0, 16000.0)}
"""The register whose rise stands for a drum."""

THRESHOLD = 0.25
"""A rise counts when it stands out by this part of the song's greatest ones (their 99th percentile)."""

AROUND = 21
"""Frames (0.2 s) from whose mean a rise stands out."""

MEDIAN_FRAMES, MEDIAN_BANDS = 31, 9
"""What is held longer than half of these frames is a tone, what covers more than half of these bands is percussive."""


def find_hits_by_flux(samples: NDArray[np.float32]) -> NDArray[np.void]:
    """Spectral flux baseline: kick, snare and hi-hat of mono sound `[samples]` at 44,100 Hz, as `drum_map.HIT`.

    After harmonic-percussive separation by median filtering (Fitzgerald 2010).
    """
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


TOLERANCE_SECONDS = 0.05
"""A found hit is right when one was played within this time."""

CLASSES: dict[str, tuple[int, ...]] = {
    "kick": (KICK,),
    "snare": (SNARE,),
    "hi-hat": (CLOSED_HAT, OPEN_HAT),
    "cymbal": (CRASH, RIDE),
    "tom": (LOW_TOM, HIGH_TOM),
    "hi-hat or cymbal": (CLOSED_HAT, OPEN_HAT, CRASH, RIDE),
} | {f"- {name}": (drum,) for name, drum in zip(NAMES[2:], DRUMS[2:], strict=True)}
"""What is counted: names and the drums in each."""

METHODS: dict[str, Callable[[NDArray[np.float32]], NDArray[np.void]]] = {
    "network": find_drum_hits,
    "flux": find_hits_by_flux,
}
PROGRAMS = {"piano": 0, "organ": 19, "choir": 52}
"""What drumless music is played on."""

FEWEST_HITS = 40
"""Songs with fewer drum notes are passed over."""

QUIET = 1e-4
"""A recording begins where its power comes above this part of its greatest power (-40 decibels)."""

NEAREST_FRAMES = 10
"""The recording of a MIDI file begins within so many frames (0.1 s) of its first note."""


@dataclass
class DrumScores:
    """Matches by method and class of drums, and the seconds of sound and of processor time."""

    counts: dict[tuple[str, str], MatchCounts] = field(default_factory=dict)
    sound_seconds: float = 0.0
    work_seconds: dict[str, float] = field(default_factory=dict)

    def add(self, samples: NDArray[np.float32], played: NDArray[np.float64]) -> None:
        """Transcribe a recording whose hits, rows of seconds and drum, are known."""
        self.sound_seconds += len(samples) / SAMPLE_RATE_HZ
        for method, find in METHODS.items():
            began = time.process_time()
            found = find(samples)
            self.work_seconds[method] = self.work_seconds.get(method, 0) + time.process_time() - began
            for name, drums in CLASSES.items():
                estimated = found["start"][np.isin(found["pitch"], drums)]
                reference = _merged(played[np.isin(played[:, 1], drums), 0])
                count = self.counts.setdefault((method, name), MatchCounts())
                count.add(estimated, reference, TOLERANCE_SECONDS)

    def lines(self) -> Iterator[str]:
        """The table of scores: F1, precision and recall of each method."""
        minutes = self.sound_seconds / 60
        for name in CLASSES:
            rows = [self.counts[method, name] for method in METHODS]
            if not rows[0].reference:
                continue
            cells = "   ".join(f"{one.f1:.2f} ({one.precision:.2f}/{one.recall:.2f})" for one in rows)
            yield f"  {name:18} {rows[0].reference:6}  {cells}"
        for method in METHODS:
            hits = sum(self.counts[method, name].estimated for name in ("kick", "snare", "hi-hat", "cymbal", "tom"))
            speed = self.work_seconds[method] / minutes
            yield f"  {method}: {hits / minutes:.1f} hits a minute, {speed:.2f} s of work for a minute of sound"


def argument_parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.transcription.training.drum_evaluation", description=(__doc__ or "").split("\n")[0]
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


def excerpt_tracks(score: Any, seconds: float, keep: Callable[[Any], bool] = lambda track: True) -> Any:
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


def evaluate_songs(folder: Path, soundfont: Path, songs: int, seconds: float) -> dict[str, DrumScores]:
    """Scores of the songs of a folder that are held out: drums alone, full mix, and without drums."""
    import symusic

    parts: dict[str, Callable[[Any], bool]] = {
        "drums alone": lambda track: bool(track.is_drum),
        "full mix": lambda track: True,
        "without drums": lambda track: not track.is_drum,
    }
    scores: dict[str, DrumScores] = {}
    used = 0
    for path in sorted(folder.rglob("*.mid")):
        if used >= songs or not is_held_out(path):
            continue
        score: Any = symusic.Score(str(path))
        if len(hits_in(excerpt_tracks(score, seconds))) < FEWEST_HITS:
            continue
        used += 1
        for name, keep in parts.items():
            part = excerpt_tracks(score, seconds, keep)
            if part.tracks and (name != "full mix" or len({bool(track.is_drum) for track in part.tracks}) == 2):
                sound = render(bytes(part.dumps_midi()), soundfont)
                scores.setdefault(name, DrumScores()).add(sound, hits_in(part))
    return scores


def evaluate_drumless(folder: Path, soundfont: Path, songs: int, seconds: float) -> dict[str, DrumScores]:
    """Scores of MIDI files without their drums, on each of `PROGRAMS`."""
    import symusic

    scores: dict[str, DrumScores] = {}
    for path in sorted(folder.rglob("*.mid"))[:songs]:
        part = excerpt_tracks(symusic.Score(str(path)), seconds, lambda track: not track.is_drum)
        for name, program in PROGRAMS.items():
            for track in part.tracks:
                track.program = program
            sound = render(bytes(part.dumps_midi()), soundfont)
            scores.setdefault(f"{name}, no drums", DrumScores()).add(sound, np.zeros((0, 2)))
    return scores


def evaluate_pairs(folder: Path, seconds: float) -> dict[str, DrumScores]:
    """Scores of recordings beside their MIDI files, whose offsets are found from all their notes."""
    import symusic

    own_scores = DrumScores()
    for path in sorted(
        one for one in folder.iterdir() if one.suffix in RECORDINGS and one.with_suffix(".mid").is_file()
    ):
        samples = read_recording(path, 30).samples
        score: Any = symusic.Score(str(path.with_suffix(".mid")))
        onsets = np.array([note.time for track in score.to("second").tracks for note in track.notes])
        offset = offset_by_flux(samples, onsets)
        hits = hits_in(score)
        hits[:, 0] += offset
        samples = samples[: int(seconds * SAMPLE_RATE_HZ)]
        inside = (hits[:, 0] >= 0) & (hits[:, 0] < len(samples) / SAMPLE_RATE_HZ)
        own_scores.add(samples, hits[inside])
        say(f"  {path.name}: {offset:+.2f} s after its MIDI file")
    return {"recordings": own_scores}


def offset_by_flux(samples: NDArray[np.float32], onsets: NDArray[np.float64]) -> float:
    """Align a recording with its notes: seconds by which it is later than their onsets, by spectral flux.

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


def main(words: Sequence[str]) -> None:
    """Evaluate what the options ask for and print it."""
    given = argument_parser().parse_args(words)
    load_mir_eval()
    if (given.midi or given.drumless) and given.soundfont is None:
        raise UserError("--midi and --drumless take a SoundFont too: --soundfont FILE.")
    results: dict[str, dict[str, DrumScores]] = {}
    soundfont = soundfont_path(str(given.soundfont)) if given.soundfont else None
    if soundfont:
        for folder in given.midi:
            results[str(folder)] = evaluate_songs(folder, soundfont, given.songs, given.seconds)
        if given.drumless:
            results[str(given.drumless)] = evaluate_drumless(given.drumless, soundfont, given.songs, given.seconds)
    if given.pairs:
        results[str(given.pairs)] = evaluate_pairs(given.pairs, given.seconds)
    say(f"F1 (precision/recall) of {' and '.join(METHODS)}")
    for where, scores in results.items():
        for name, own_scores in scores.items():
            say(f"{Path(where).name}: {name}, {own_scores.sound_seconds / 60:.1f} min")
            for line in own_scores.lines():
                say(line)


def _merged(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sorted times without those less than 10 ms after another: two keys that are one drum here, struck at once."""
    ordered = np.sort(seconds)
    return ordered[np.diff(ordered, prepend=-1.0) > 0.01]


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except UserError as error:
        sys.exit(str(error))
