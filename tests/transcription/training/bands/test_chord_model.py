"""Chord recognition is trained by chords that are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gan.chords import QUALITIES
from pipeline.transcription.chords import NUM_CHORDS, NUM_QUALITIES, load_chord_model, log_probabilities
from pipeline.transcription.instruments.decoding import STEP_SECONDS
from pipeline.transcription.training.bands.chord_model import (
    chord_windows,
    count_changes,
    fit_chord_model,
    half_bar_sequence,
    save_chord_model,
)
from pipeline.transcription.training.bands.instrument_examples import CHORD
from tests.transcription.test_chords import STEPS, labels_of

C, A_MINOR, F, G = 0, 9 * NUM_QUALITIES + QUALITIES.index("min"), 5 * NUM_QUALITIES, 7 * NUM_QUALITIES


def test_long_chords_are_cut_into_half_bars() -> None:
    chords = np.array([(-1.0, 2.2, 0, 0, 0), (2.2, 2.3, 5, 0, 5), (2.3, 3.4, -1, -1, -1)], CHORD)
    edges, classes = chord_windows(chords, 200)
    assert classes.tolist() == [C, C, NUM_CHORDS]
    assert edges[:-1].tolist() == [round(one / STEP_SECONDS) for one in (0, 1.1, 2.3)]


def test_changes_are_counted_in_every_key() -> None:
    changes = np.exp(count_changes([np.array([C, C, G, G, C, C]), np.array([F, F, C, C])]))
    fifth_up, fourth_up = changes[0, 0, 7, 0], changes[0, 0, 5, 0]
    assert fifth_up == changes[0, 0].max()  # C to G, F to C
    assert fifth_up > fourth_up > changes[0, 0, 6, 0]
    assert changes[1, 0, 0, 0] > 0.8  # within a bar a chord stays


def test_a_song_of_pop909_is_read_by_half_bars(tmp_path: Path) -> None:
    (tmp_path / "001.chords.txt").write_text("0\t2.5\tC:maj\n2.5\t4.5\tA:min\n")
    np.savetxt(tmp_path / "001.beats.txt", [(0.5 * beat, beat % 4 == 1, 0) for beat in range(10)])
    found = half_bar_sequence(tmp_path / "001.chords.txt", tmp_path / "001.beats.txt")
    assert found.tolist() == [C, C, A_MINOR, A_MINOR]


def test_a_model_learns_its_chords_and_comes_back(tmp_path: Path) -> None:
    seconds = 2 * STEPS * STEP_SECONDS
    roots = ((0, 0), (9, 1), (5, 0), (7, 0)) * 2
    chords = np.array(
        [(n * seconds, (n + 1) * seconds, root, third, root) for n, (root, third) in enumerate(roots)], CHORD
    )
    labels, true = [labels_of(), labels_of(3)] * 40, [chords, moved(chords, 3)] * 40
    model = fit_chord_model(labels, true, [np.array([C, C, F, F])], 0)
    save_chord_model(tmp_path / "chords.npz", model)
    loaded = load_chord_model(tmp_path / "chords.npz")
    chroma = np.zeros((1, 4, 12))
    chroma[0, 0, [2, 5, 9]] = chroma[0, 1, 2] = 1  # D minor, which it has never seen
    assert log_probabilities(loaded, chroma).argmax() == 2 * NUM_QUALITIES + QUALITIES.index("min")


def moved(
    chords: np.ndarray[tuple[int], np.dtype[np.void]], semitones: int
) -> np.ndarray[tuple[int], np.dtype[np.void]]:
    """The chords in another key."""
    other = chords.copy()
    for name in ("root", "bass"):
        other[name] = (chords[name] + semitones) % 12
    return other
