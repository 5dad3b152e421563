"""Shuffled tracks come from different songs, random notes have the density of real ones."""

import pytest
import torch

from gan.metrics.baselines import partners, random_notes, shuffle_tracks
from gan.metrics.figures import figures
from gan.spec import HOLD, ONSET
from tests.gan.metrics.phrase_makers import BASS, DRUMS, SPEC, octaves


def test_shuffled_tracks_come_from_different_songs_and_each_is_used_once():
    songs = torch.arange(60) // 5
    chosen = partners(songs, 3, 0)
    assert all(sorted(column.tolist()) == list(range(60)) for column in chosen.T)
    assert all(len(set(row)) == 3 for row in songs[chosen].tolist())
    rolls = octaves(60, 0)
    assert torch.equal(shuffle_tracks(rolls, songs, 0)[7, :, BASS], rolls[chosen[7, BASS], :, BASS])


def test_partners_of_too_few_songs_are_found_as_far_as_possible():
    assert partners(torch.zeros(4, dtype=torch.int64), 3, 0).shape == (4, 3)
    assert partners(torch.zeros(1, dtype=torch.int64), 3, 0).tolist() == [[0, 0, 0]]


def test_shuffled_tracks_change_harmony_but_no_figure_of_one_track():
    rolls = octaves(60, 0, keys=(0, 6))
    before, after = figures(rolls, SPEC), figures(shuffle_tracks(rolls, torch.arange(60), 0), SPEC)
    assert before["tonal_distance/Lead-Bass"].mean() + 0.2 < after["tonal_distance/Lead-Bass"].mean()
    assert after["consonance"].mean() < before["consonance"].mean() - 0.2
    for key in ("empty_bars/Lead", "pitch_classes/Bass", "notes_per_bar/Drums"):
        assert torch.equal(before[key].sort().values, after[key].sort().values), key


def test_random_notes_have_the_density_and_the_range_of_the_real_ones():
    rolls = octaves(200, 0)
    made = random_notes(rolls, SPEC, 0)
    assert torch.equal(made, random_notes(rolls, SPEC, 0))
    for track in range(SPEC.num_tracks):
        notes, real = (float(one[:, ONSET, track].sum()) for one in (made, rolls))
        assert notes == pytest.approx(real, rel=0.1)
    begun, real = made[:, ONSET].any(0).any(1).any(1), rolls[:, ONSET].any(0).any(1).any(1)
    for track in range(SPEC.num_tracks):
        assert begun[track].nonzero().min() >= real[track].nonzero().min()
        assert begun[track].nonzero().max() <= real[track].nonzero().max()
    assert not (made[:, ONSET] & made[:, HOLD]).any()
    assert not made[:, HOLD, DRUMS].any(), "drums have no lengths to draw"
    before, after = figures(rolls, SPEC), figures(made, SPEC)
    assert after["scale"].mean() < before["scale"].mean() - 0.1
    assert after["repetition_next"].mean() < before["repetition_next"].mean()


def test_random_notes_of_silence_are_silence():
    assert not random_notes(torch.zeros((2, *SPEC.shape), dtype=torch.bool), SPEC, 0).any()
