"""Chord recognition against the chords that POP909's annotation names, as far as they are major, minor or none."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from gan.spec import RollSpec, Track
from pipeline.scores.chords.recognition import half_bar_starts, recognise_chords
from pipeline.scores.chords.symbols import chord_of_row, read_chord
from pipeline.scores.quantisation import quantise, usable_spans
from pipeline.scores.reading.score_files import read_scores
from pipeline.scores.tracks import assign
from pipeline.settings.data import TrackSettings, TracksSettings
from tests.conftest import SHARED

PARTS = ("MELODY", "BRIDGE", "PIANO")
TRACKS = TracksSettings("pop909", "name", [TrackSettings(name) for name in PARTS], [])
SPEC = RollSpec(tuple(Track(name) for name in PARTS))
LABEL = re.compile(r"([A-G][#b]*):(maj6?|maj7|7|min7?|min6)(?:/.*)?")
SONGS = 4
Triad = tuple[int, bool] | None


def annotated(path: Path) -> list[tuple[float, float, Triad]]:
    """Start and end in seconds, root and whether it is minor (None for no chord), of what can be compared."""
    found: list[tuple[float, float, Triad]] = []
    for line in path.read_text().splitlines():
        start, end, label = line.split("\t")
        chord = LABEL.fullmatch(label)
        if chord:
            root = read_chord(chord[1])
            assert root is not None
            found.append((float(start), float(end), (root.root, chord[2].startswith("min"))))
        elif label == "N":
            found.append((float(start), float(end), None))
    return found


def triad(row: np.ndarray) -> Triad:
    chord = chord_of_row(row)
    return None if chord is None else (chord.root, chord.quality in ("min", "min7", "dim", "m7b5"))


def share_right(midi: Path, labels: Path) -> float:
    """The share of the annotated time in which root and major or minor are right."""
    (score,) = read_scores(midi, 10)
    span = usable_spans(score, SPEC, trust_metre=False)[0]
    chords = recognise_chords(quantise(assign(score, TRACKS), span, SPEC), span.bars, SPEC)
    steps = np.append(half_bar_starts(span.bars, SPEC), span.bars * SPEC.steps_per_bar)
    seconds = score.seconds_at(span.start + steps / SPEC.steps_per_quarter)
    right = total = 0.0
    for start, end, named in annotated(labels):
        overlap = np.clip(np.minimum(seconds[1:], end) - np.maximum(seconds[:-1], start), 0, None)
        total += float(overlap.sum())
        right += float(sum(overlap[index] for index in np.flatnonzero(overlap) if triad(chords[index]) == named))
    return right / total


@pytest.mark.skipif(not (SHARED / "pop909_labels").is_dir(), reason="POP909 is not there")
def test_chords_of_pop_songs_are_those_of_their_annotation() -> None:
    files = sorted((SHARED / "pop909").glob("*.mid"))
    shares = [
        share_right(path, SHARED / "pop909_labels" / f"{path.stem}.chords.txt")
        for path in files[:: len(files) // SONGS]
    ]
    assert np.mean(shares) >= 0.85
