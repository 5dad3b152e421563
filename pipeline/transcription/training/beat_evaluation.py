"""Beat evaluation: `python -m pipeline.transcription.training.beat_evaluation --midi DIR ... --soundfont FILE`.

Of the quarter of each folder's MIDI files that nothing is trained on, an excerpt each, rendered and transcribed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.audio.synthesizers import soundfont_path
from pipeline.errors import UserError
from pipeline.progress import say
from pipeline.transcription.beats.grid import Beats, find_beats
from pipeline.transcription.beats.onsets import Floats
from pipeline.transcription.training.beat_examples import AnnotatedPiece
from pipeline.transcription.training.beat_excerpts import (
    Excerpt,
    draw_excerpt,
    drum_files,
    files_of,
    transcribe_excerpt,
)
from pipeline.transcription.training.f1_scores import MatchCounts
from pipeline.transcription.transcriber import TranscriptionHints, in_recognised_bars

TEMPO_ERROR = 0.04
"""A tempo is right that is at most so far from the true one."""

BEAT_SECONDS = 0.07
"""How far a beat may be off, as is usual in the field."""

LEAST_BARS_F1 = 0.7
"""Bars are right where the bar lines have a greater F1. (Every second bar line, or two for each, has two thirds.)"""


@dataclass(frozen=True)
class BeatScores:
    """How well the beats of an excerpt were found.

    Attributes
    ----------
    ratio
        The tempo found by the true one.
    beats_f1
        F1 of beats at most 70 ms off.
    bars_f1
        The same of bar lines, None where they aren't known.
    is_metre_right
        Whether a bar has as many beats as it should; None where that isn't known.
    """

    ratio: float
    beats_f1: float
    bars_f1: float | None
    is_metre_right: bool | None

    @property
    def is_tempo_right(self) -> bool:
        """Whether the tempo is right within 4 %."""
        return abs(self.ratio - 1) <= TEMPO_ERROR

    @property
    def is_octave_of_tempo(self) -> bool:
        """Whether the tempo, its double or its half is right within 4 %."""
        return any(abs(self.ratio / octave - 1) <= TEMPO_ERROR for octave in (0.5, 1, 2))


def score_beats(found: Beats, piece: AnnotatedPiece) -> BeatScores:
    """Scores of beats, from the first note of a piece to the last."""
    struck = np.concatenate([piece.notes["start"], piece.hits["start"]])

    def within(moments: Floats) -> Floats:
        kept: Floats = moments[(moments >= struck.min() - BEAT_SECONDS) & (moments <= struck.max() + BEAT_SECONDS)]
        return kept

    own, mine = within(piece.beats), within(found.seconds)
    beats, lines = MatchCounts(), MatchCounts()
    beats.add(mine, own, BEAT_SECONDS)
    lines.add(within(found.seconds[:: found.beats_per_bar]), within(piece.beats[:: piece.beats_per_bar]), BEAT_SECONDS)
    return BeatScores(
        float(np.median(np.diff(own)) / np.median(np.diff(mine))),
        float(np.nan_to_num(beats.f1)),
        float(np.nan_to_num(lines.f1)) if piece.knows_bars else None,
        found.beats_per_bar == piece.beats_per_bar if piece.knows_bars else None,
    )


def beats_of(piece: AnnotatedPiece, seconds: float) -> Beats:
    """The beats of a transcribed piece, in bars of a length that is recognised."""
    silence = np.zeros(int(seconds * SAMPLE_RATE_HZ), np.float32)
    beats = find_beats(silence, piece.notes, piece.hits)
    return in_recognised_bars(silence, piece.notes, piece.hits, beats, TranscriptionHints())


def draw_excerpts(folder: Path, most: int, drummers: Sequence[Path]) -> list[tuple[Excerpt, AnnotatedPiece]]:
    """One excerpt each of `most` files for evaluation at most, of those that know their beats."""
    drawn: list[tuple[Excerpt, AnnotatedPiece]] = []
    for path in files_of(folder, training=False):
        if len(drawn) == most:
            break
        one = draw_excerpt(path, 0, drummers)
        if one is not None and one[1].knows_beats:
            drawn.append(one)
    return drawn


def summary(name: str, scores: Sequence[BeatScores]) -> str:
    """A line of figures."""
    bars = [one.bars_f1 > LEAST_BARS_F1 for one in scores if one.bars_f1 is not None]
    metres = [one.is_metre_right for one in scores if one.is_metre_right is not None]
    return (
        f"{name}: {len(scores)} excerpts, tempo right in {np.mean([one.is_tempo_right for one in scores]):.1%}, up to "
        f"an octave in {np.mean([one.is_octave_of_tempo for one in scores]):.1%}, beats F1 "
        f"{np.mean([one.beats_f1 for one in scores]):.3f}, bars right in {np.mean(bars) if bars else np.nan:.1%} of "
        f"{len(bars)}, metre in {np.mean(metres) if metres else np.nan:.1%}"
    )


def argument_parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.transcription.training.beat_evaluation", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--midi", type=Path, nargs="+", required=True, metavar="DIR", help="folders of MIDI files")
    parser.add_argument("--soundfont", type=Path, required=True, metavar="FILE", help="General MIDI, .sf2")
    parser.add_argument("--drums", type=Path, metavar="DIR", help="drums that are played along: Groove MIDI Dataset")
    parser.add_argument("--pieces", type=int, default=60, help="of each folder at most (%(default)s)")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep the transcription of each excerpt here")
    return parser


def main(words: Sequence[str]) -> None:
    """Print each excerpt that went wrong, and the figures of each folder and of all."""
    given = argument_parser().parse_args(words)
    for folder in [*given.midi, *(one for one in (given.cache, given.drums) if one is not None)]:
        if not folder.is_dir():
            raise UserError(f"{folder} is no folder.")
    soundfont = soundfont_path(str(given.soundfont))
    drummers = [] if given.drums is None else drum_files(given.drums, training=False)
    everything: list[BeatScores] = []
    taken = heard = 0.0
    lines = []
    for folder in given.midi:
        scores = []
        for excerpt, piece in draw_excerpts(folder, given.pieces, drummers):
            transcribed = transcribe_excerpt(excerpt, piece, soundfont, given.cache)
            start = time.perf_counter()
            one = score_beats(beats_of(transcribed, excerpt.seconds), piece)
            taken, heard = taken + time.perf_counter() - start, heard + excerpt.seconds
            scores.append(one)
            if not one.is_tempo_right or (one.bars_f1 is not None and one.bars_f1 <= LEAST_BARS_F1):
                bpm = 60 / float(np.median(np.diff(piece.beats)))
                bars = "" if one.bars_f1 is None else f", bars F1 {one.bars_f1:.2f}"
                say(f"{excerpt.name}: {one.ratio:.2f} of {bpm:.0f} bpm, beats F1 {one.beats_f1:.2f}{bars}")
        everything += scores
        lines += [summary(str(folder.name), scores)] if scores else []
    if not everything:
        raise UserError("None of the pieces knows its beats.")
    say("\n".join([*lines, summary("all", everything), f"{taken / heard:.4f} s for a second of sound"]))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except UserError as error:
        sys.exit(str(error))
