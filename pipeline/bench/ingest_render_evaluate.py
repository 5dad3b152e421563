"""Speed of the other stages: reading MIDI files beside other readers, rendering, and evaluating many phrases."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import joblib
import pretty_midi
import symusic
import torch

from gan.metrics.bootstrap import mean_intervals, overlap_intervals
from gan.metrics.copying import nearest_phrases, num_distinct
from gan.metrics.distances import divergences, frechet_distance
from gan.rolls import unpack
from pipeline.audio.synthesizers import play, soundfont_path
from pipeline.bench.music import BAND_SETTINGS, BenchCorpus, composed, training_config
from pipeline.bench.plan import BenchPlan
from pipeline.bench.timing import all_ratios, interleaved_laps, median, rounded, wall_seconds
from pipeline.dataset.cutting import CuttingSettings, SourceFile, cutting_settings, prepare_file
from pipeline.errors import UserError
from pipeline.evaluation.evaluator import MeasuredSet
from pipeline.evaluation.phrase_sets import PhraseSet
from pipeline.progress import bar
from pipeline.rendering.midi import midi_bytes
from pipeline.rendering.mix import mix_song
from pipeline.scores.quantisation import quantise, usable_spans
from pipeline.scores.reading.score_files import read_scores
from pipeline.scores.tracks import assign
from pipeline.songs.song import Song

PIANO_ROLL_HZ = 100
"""pretty_midi's own default."""

DONE = {
    "quantised": "read, assigned to tracks, quantised to tables of notes",
    "albumgan": "read, assigned to tracks, quantised, key found, cut into packed phrases",
    "pretty_midi": f"read, and one piano roll of all its notes at {PIANO_ROLL_HZ} Hz",
    "symusic": "read, nothing more",
}
"""What each does with a file."""


def read_with_albumgan(path: Path, cutting: CuttingSettings) -> None:
    """Raises `ValueError` where the file gives no phrases."""
    if not prepare_file(SourceFile(path.name, str(path)), cutting).songs:
        raise ValueError("no phrases")


def quantise_with_albumgan(path: Path, cutting: CuttingSettings) -> None:
    """Raises `UnusableError` where the file gives no notes."""
    for score in read_scores(path, cutting.max_file_megabytes, cutting.play_repeats):
        voices = assign(score, cutting.tracks)
        for stretch in usable_spans(score, cutting.spec, cutting.trust_metre, cutting.pair_bars):
            quantise(voices, stretch, cutting.spec)


def read_with_pretty_midi(path: Path) -> None:
    """Raises whatever pretty_midi and mido raise."""
    pretty_midi.PrettyMIDI(str(path)).get_piano_roll(PIANO_ROLL_HZ)


def read_with_symusic(path: Path) -> None:
    """Raises a `RuntimeError` where the file is broken."""
    symusic.Score(path)


def reads(read: Callable[[Path], None], path: Path) -> bool:
    """Whether a reader makes something of a file."""
    try:
        read(path)
    except Exception:  # readers raise what they like on damaged files
        return False
    return True


def read_each(read: Callable[[Path], None], paths: list[Path]) -> None:
    """One file after another."""
    for path in paths:
        read(path)


def measure_ingest(files: list[Path], plan: BenchPlan) -> dict[str, Any]:
    """All readers, one lap each in turn, over the files that each can read. Raises `UserError` where there are none."""
    cutting = cutting_settings(composed(*BAND_SETTINGS))
    readers: dict[str, Callable[[Path], None]] = {
        "quantised": partial(quantise_with_albumgan, cutting=cutting),
        "albumgan": partial(read_with_albumgan, cutting=cutting),
        "pretty_midi": read_with_pretty_midi,
        "symusic": read_with_symusic,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pretty_midi has something to say about many files
        readable = {name: {path for path in files if reads(read, path)} for name, read in readers.items()}
        common = sorted(set.intersection(*readable.values()))
        if not common:
            raise UserError("there is no MIDI file that all readers can read; give another folder with --midi.")

        measures = {name: partial(wall_seconds, partial(read_each, read, common)) for name, read in readers.items()}
        laps = interleaved_laps(measures, plan.effort.slow_rounds, "ingest")
    rows = {
        name: {
            "does": DONE[name],
            "songs_per_second": median([len(common) / seconds for seconds in laps[name]]),
            "unreadable_files": len(files) - len(readable[name]),
        }
        for name in readers
    }
    return {
        "files": len(files),
        "measured_files": len(common),
        "measured_megabytes": round(sum(path.stat().st_size for path in common) / 1e6, 3),
        "readers": rows,
        "ratios": all_ratios(rows, ("songs_per_second",)),
    }


TEMPO_BPM = 110.0


def measure_rendering(corpus: BenchCorpus, plan: BenchPlan) -> dict[str, Any]:
    """A song of real phrases, mixed as the render stage does it and played by the bare synthesizer, in turn."""
    config = training_config(corpus, "default", plan)
    count = plan.effort.rendered_phrases
    chosen = torch.arange(count) * len(corpus.packed) // count
    phrases = unpack(corpus.packed[chosen], corpus.spec).numpy()
    song = Song.of_phrases(phrases, corpus.spec, config.tracks, TEMPO_BPM)
    settings, soundfont = config.render, soundfont_path(config.render.soundfont)
    work: dict[str, Callable[[], object]] = {
        "mix": partial(mix_song, song, settings, soundfont),
        "synthesizer": partial(play, midi_bytes(song), soundfont, settings.synth),
    }
    measures = {name: partial(wall_seconds, one) for name, one in work.items()}
    laps = interleaved_laps(measures, plan.effort.slow_rounds, "rendering")
    return {
        "music": f"{count} phrases of {corpus.source}, {len(song.notes)} notes at {TEMPO_BPM:g} bpm",
        "synthesizer": settings.synth,
        "song_seconds": round(song.seconds, 1),
        "ways": {
            "mix": _way("each track played alone, balanced, mixed and mastered", laps["mix"], song.seconds),
            "synthesizer": _way("all tracks at once, nothing else", laps["synthesizer"], song.seconds),
        },
    }


def _way(does: str, seconds: list[float], song_seconds: float) -> dict[str, Any]:
    """The figures of one way to play."""
    return {
        "does": does,
        "seconds": median(seconds),
        "times_real_time_ratio": median([song_seconds / one for one in seconds]),
    }


REFERENCE_PHRASES = 1000
RESAMPLES = 200


def measure_evaluation(corpus: BenchCorpus, plan: BenchPlan) -> dict[str, Any]:
    """Score `plan.effort.scored_phrases` phrases once with all cores, part by part.

    Phrases of the corpus stand for generated ones, repeated until they are enough; others for the test songs.
    """
    effort, spec = plan.effort, corpus.spec
    places = torch.arange(effort.scored_phrases) % len(corpus.packed)
    generated = PhraseSet(corpus.packed[places], torch.arange(effort.scored_phrases))
    some = torch.arange(min(REFERENCE_PHRASES, len(corpus.packed)))
    reference = MeasuredSet.of(PhraseSet(corpus.packed[some], some // 50), spec)
    copied = generated.spread(effort.copied_phrases)
    counted: list[MeasuredSet] = []

    def compare() -> None:
        features = counted[0].features
        overlap_intervals(features, reference.features, generated.songs, reference.phrases.songs, RESAMPLES, plan.seed)
        mean_intervals(counted[0].figures, generated.songs, RESAMPLES, plan.seed)
        divergences(features, reference.features)
        frechet_distance(features, reference.features)

    def search_copies() -> None:
        nearest_phrases(copied.rolls, corpus.packed, spec)
        num_distinct(copied.rolls, spec)

    parts = {
        "counting_seconds": lambda: counted.append(MeasuredSet.of(generated, spec)),
        "distances_seconds": compare,
        "copying_seconds": search_copies,
    }
    torch.set_num_threads(joblib.cpu_count())
    seconds = {name: wall_seconds(work) for name, work in bar(parts.items(), len(parts), "bench: evaluation", "parts")}
    torch.set_num_threads(plan.threads)
    return {
        "phrases": len(generated),
        "copied_phrases": len(copied),
        "training_phrases": len(corpus.packed),
        "reference_phrases": len(some),
        **{name: rounded(value) for name, value in seconds.items()},
        "seconds": rounded(sum(seconds.values())),
    }
