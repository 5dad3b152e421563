"""What is read of each track."""

from __future__ import annotations

import numpy as np
import torch

from pipeline.evaluation.note_features.lines import NONE, TrackTraits, moves_of, read_lines
from tests.evaluation.note_features.phrases import BASS, LEAD, SPEC, quarters, roll


def test_the_outer_notes_of_a_chord_are_its_top_and_its_bottom() -> None:
    lines = read_lines(roll([(LEAD, 0, 4, 60), (LEAD, 0, 4, 64), (LEAD, 2, 2, 67)])[None], SPEC)
    assert (lines.top[0, 0, :5] + 36).tolist() == [64, 64, 67, 67, NONE + 36]
    assert (lines.bottom[0, 0, :4] + 36).tolist() == [60] * 4
    assert (lines.struck_top[0, 0, :3] + 36).tolist() == [64, NONE + 36, 67]
    assert lines.num_sounding[0, 0, :5].tolist() == [2, 2, 3, 3, 0]
    assert np.flatnonzero(lines.chroma[0, 0, 2]).tolist() == [0, 4, 7], "C, E, G"


def test_moves_go_from_onset_to_onset_and_never_from_phrase_to_phrase() -> None:
    first, second = quarters(LEAD, [60, 60, 67, 55]), quarters(LEAD, [48, 50])
    lines = read_lines(torch.stack([roll(first), roll(second)]), SPEC)
    moves = moves_of(lines.struck_top[:, 0])
    assert moves.interval.tolist() == [0, 7, -12, 2]
    assert moves.phrase.tolist() == [0, 0, 0, 1]
    assert moves.gap.tolist() == [4, 4, 4, 4]


def test_a_track_of_chords_is_polyphonic_and_its_reference_names_the_frequent_drums() -> None:
    kit = [(0, step, 1, 36) for step in range(0, 32, 4)] + [(0, 4, 1, 38)]
    chords = [(LEAD, 0, 4, pitch) for pitch in (60, 64, 67)]
    traits = TrackTraits.of(read_lines(roll([*kit, *chords, *quarters(BASS, [40, 43])])[None], SPEC))
    assert traits.polyphonic == (True, False)
    assert traits.voices == (1,)
    assert traits.drums == ((0, 2),)


def test_a_bar_played_again_is_alike_and_silent_ones_have_no_likeness() -> None:
    line = quarters(LEAD, [60, 62, 64, 65] * 2)
    likeness = read_lines(roll(line)[None], SPEC).likeness[0]
    assert likeness[0, LEAD, 0] == np.float32(1)
    assert np.isnan(likeness[0, BASS, 0])
