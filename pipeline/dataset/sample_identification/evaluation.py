"""`python -m pipeline.dataset.sample_identification.evaluation --midi DIR ... --drums DIR --soundfont FILE`.

Made-up pairs of files that nothing was tuned on (`--training` takes the others): the matcher is given the sound of a
record and of a song, transcribes both for their beats, and is asked which loop the song plays. `--wrong` pairs records
with songs of other pairs, which must not be accepted; `--fit` prints the weights of the confidence.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.audio.synthesizers import soundfont_path
from pipeline.dataset.sample_identification.made_pairs import TREATMENTS, Floats, MadePair, Sound, make_pairs
from pipeline.dataset.sample_identification.matching import (
    LEAST_CONFIDENCE,
    HeardRecording,
    LoopMatch,
    confidence_values,
    find_match,
    heard_recording,
)
from pipeline.errors import UnusableError, UserError
from pipeline.progress import bar, say
from pipeline.transcription.transcriber import TranscriptionHints, transcribe_samples

RATIO_ERROR, LENGTH_ERROR = 0.02, 0.05
START_ERROR = 0.125
"""Of a bar."""
STEP_SECONDS = 0.05
RIDGE = 0.05


@dataclass(frozen=True)
class PairScores:
    """What of a pair was found rightly.

    Attributes
    ----------
    pitch_class, semitones
        The transposition modulo 12, and itself.
    ratio
        The speed within 2 %.
    start
        The beginning within an eighth of a bar, or at music that is the same.
    length
        The length within 5 %.
    presence
        F1 of the time in which the loop plays.
    turntable
        Whether a turntable moved it.
    accepted
        Whether the match is taken for sure.
    """

    pitch_class: float
    semitones: float
    ratio: float
    start: float
    length: float
    presence: float
    turntable: float
    accepted: float


def score_pair(pair: MadePair, found: LoopMatch | None, song: HeardRecording) -> PairScores:
    """The scores of what was found; all 0 where nothing was."""
    if found is None:
        return PairScores(*([0.0] * 8))
    true = pair.transform
    begin, end = (float(pair.lines[at]) for at in (pair.first_bar, pair.first_bar + pair.loop_bars))
    bar_seconds = (end - begin) / pair.loop_bars
    off = found.semitones - true.semitones
    nearest = int(np.argmin(np.abs(pair.lines - found.loop.start)))
    near = abs(float(pair.lines[nearest]) - found.loop.start) < START_ERROR * bar_seconds
    same = nearest == pair.first_bar or pair.is_same_music(pair.first_bar, nearest, pair.loop_bars)
    return PairScores(
        pitch_class=float(abs((off + 6) % 12 - 6) < 0.5),
        semitones=float(abs(off) < 0.5),
        ratio=float(abs(found.ratio / true.ratio - 1) < RATIO_ERROR),
        start=float(near and same),
        length=float(abs(found.loop.seconds / (bar_seconds * pair.loop_bars) - 1) < LENGTH_ERROR),
        presence=presence_f1(pair, found, song),
        turntable=float(found.is_turntable == true.is_turntable),
        accepted=float(found.confidence >= LEAST_CONFIDENCE),
    )


def presence_f1(pair: MadePair, found: LoopMatch, song: HeardRecording) -> float:
    """F1 of the time in which the loop plays, by whole bars of the song as they were heard."""
    moments = np.arange(0, len(pair.song) / SAMPLE_RATE_HZ, STEP_SECONDS)
    lines = song.grid.lines
    plays = found.bars_playing(lines)
    at = np.searchsorted(lines, moments, side="right") - 1
    said = (at >= 0) & (at < len(plays)) & plays[np.clip(at, 0, len(plays) - 1)]
    true = np.zeros(len(moments), bool)
    for begin, end in pair.places:
        true |= (moments >= begin) & (moments < end)
    total = int(np.count_nonzero(said) + np.count_nonzero(true))
    return 2 * int(np.count_nonzero(said & true)) / max(total, 1)


def hear(samples: Sound) -> HeardRecording:
    """A recording with the beats that are found in it. Raises `UnusableError` where nothing is heard."""
    beats = transcribe_samples(samples, TranscriptionHints()).beats
    return heard_recording(samples, beats.seconds, beats.beats_per_bar)


def hear_pairs(pairs: Sequence[MadePair]) -> list[tuple[MadePair, HeardRecording, HeardRecording]]:
    """The pairs with their records and songs as they are heard; those of which nothing is heard are left out."""
    heard = []
    for pair in bar(pairs, len(pairs), "transcribe", "pairs"):
        try:
            heard.append((pair, hear(pair.record), hear(pair.song)))
        except UnusableError as error:
            say(f"{pair.name}: {error}")
    return heard


def print_scores(pairs: Sequence[MadePair], scores: Sequence[PairScores]) -> None:
    """A line a group of pairs: means of all scores."""
    groups: dict[str, Callable[[MadePair], bool]] = {
        "all": lambda pair: True,
        "one bar": lambda pair: pair.loop_bars == 1,
        "turntable": lambda pair: pair.transform.is_turntable,
        "others": lambda pair: pair.loop_bars > 1 and not pair.transform.is_turntable,
    }
    names = list(PairScores.__dataclass_fields__)
    say(f"{'':12}{'pairs':>6}" + "".join(f"{name:>13}" for name in names))
    for name, belongs in groups.items():
        own = [one for pair, one in zip(pairs, scores, strict=True) if belongs(pair)]
        if own:
            means = [float(np.mean([getattr(one, field) for one in own])) for field in names]
            say(f"{name:12}{len(own):6d}" + "".join(f"{mean:13.3f}" for mean in means))


def fit_weights(values: Sequence[Sequence[float]], right: Sequence[bool]) -> Floats:
    """Weights of the confidence by logistic regression (Newton's method, a little ridge), both kinds weighing alike."""
    inputs, wanted = np.array(values, np.float64), np.array(right, np.float64)
    positives = max(float(wanted.sum()), 1.0)
    negatives = max(len(wanted) - positives, 1.0)
    weights = np.zeros(inputs.shape[1])
    counts = np.where(wanted > 0, 0.5 / positives, 0.5 / negatives) * len(wanted)
    ridge = RIDGE * np.diag([0.0, *np.ones(inputs.shape[1] - 1)])
    for _ in range(50):
        share = 1 / (1 + np.exp(-inputs @ weights))
        gradient = inputs.T @ (counts * (wanted - share)) - ridge @ weights
        curvature = (inputs * (counts * share * (1 - share))[:, None]).T @ inputs + ridge
        weights = weights + np.linalg.solve(curvature + 1e-9 * np.eye(len(weights)), gradient)
    return weights


def main(arguments: Sequence[str] | None = None) -> None:
    """Make pairs, match them, and print what was right."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--midi", type=Path, nargs="+", required=True, help="folders of MIDI files")
    parser.add_argument("--drums", type=Path, required=True, help="the folder of the Groove MIDI Dataset")
    parser.add_argument("--soundfont", required=True, help="the SoundFont that plays them")
    parser.add_argument("--pairs", type=int, default=24, help="made-up pairs")
    parser.add_argument("--wrong", type=int, default=100, help="wrong pairs")
    parser.add_argument("--first", type=int, default=0, help="the number of the first pair that is drawn")
    parser.add_argument("--treatment", choices=TREATMENTS, default=TREATMENTS[0], help="what else is done to loops")
    parser.add_argument("--loudness", type=float, default=0.0, help="decibels that loops are louder than usual")
    parser.add_argument("--training", action="store_true", help="take the files for training")
    parser.add_argument("--fit", action="store_true", help="print weights of the confidence that fit these pairs")
    given = parser.parse_args(arguments)
    soundfont = soundfont_path(given.soundfont)
    made = make_pairs(
        given.midi,
        given.drums,
        soundfont,
        given.pairs,
        given.training,
        first=given.first,
        treatment=given.treatment,
        loudness_db=given.loudness,
    )
    heard = hear_pairs(made)
    began = time.monotonic()
    found = [find_match(record, song) for _, record, song in bar(heard, len(heard), "match", "pairs")]
    seconds = time.monotonic() - began
    scores = [score_pair(pair, one, song) for (pair, _, song), one in zip(heard, found, strict=True)]
    for (pair, _, _), one, own in zip(heard, found, scores, strict=True):
        if one is not None:
            say(
                f"{pair.name[:36]:36} {pair.loop_bars} bars, "
                f"{pair.transform.semitones:+.2f} x{pair.transform.ratio:.3f}: "
                f"{one.semitones:+.2f} x{one.ratio:.3f} F1 {own.presence:.2f} confidence {one.confidence:.2f}"
            )
    print_scores([pair for pair, _, _ in heard], scores)
    say(f"{seconds / max(len(heard), 1):.1f} s a pair")
    wrong = false_matches([(record, song) for _, record, song in heard], given.wrong)
    if wrong:
        accepted = sum(one.confidence >= LEAST_CONFIDENCE for one in wrong)
        say(f"wrong pairs accepted: {accepted} of {len(wrong)} ({accepted / len(wrong):.1%})")
    if given.fit:
        right = [one for one, own in zip(found, scores, strict=True) if one and own.pitch_class and own.ratio]
        values = [confidence_values(one.loop, one.runner_up) for one in (*right, *wrong)]
        say(f"weights: {np.round(fit_weights(values, [True] * len(right) + [False] * len(wrong)), 2).tolist()}")


def false_matches(heard: Sequence[tuple[HeardRecording, HeardRecording]], count: int) -> list[LoopMatch]:
    """What is found in so many songs of records that they do not play, drawn at random."""
    pairs = [(one, other) for one, other in itertools.product(range(len(heard)), repeat=2) if one != other]
    order = np.random.default_rng(0).permutation(len(pairs))[:count]
    drawn = [pairs[place] for place in order.tolist()]
    found = [find_match(heard[one][0], heard[other][1]) for one, other in bar(drawn, len(drawn), "wrong", "pairs")]
    return [one for one in found if one is not None]


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
