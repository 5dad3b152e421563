"""Figures of a phrase that others have, and what compares two sets: floors, intervals, copying, the two-sample test."""

import math

import pytest
import torch

from gan.metrics import copying
from gan.metrics import features as phrase_features
from gan.metrics.baselines import partners, random_notes, shuffle_tracks
from gan.metrics.bootstrap import mean_intervals, overlap_intervals, pair_interval
from gan.metrics.copying import copied_share, nearest, num_distinct
from gan.metrics.counts import Tally
from gan.metrics.distances import divergence, divergences, frechet_distance, mean, overlaps, quality
from gan.metrics.features import features
from gan.metrics.figures import figures
from gan.metrics.two_sample import halves, two_sample_test
from gan.spec import HOLD, ONSET, RollSpec, Track

DRUMS, LEAD, BASS = 0, 1, 2
SPEC = RollSpec((Track("Drums", is_drum=True), Track("Lead"), Track("Bass")), bars=2, num_pitches=48, lowest_pitch=36)
BAR = 16


def roll(*notes: tuple[int, int, int, int]) -> torch.Tensor:
    """One phrase of notes `(track, start, length, MIDI pitch)`."""
    planes = torch.zeros((2, SPEC.num_tracks, SPEC.num_steps, SPEC.num_pitches), dtype=torch.bool)
    for track, start, length, pitch in notes:
        planes[ONSET, track, start, pitch - 36] = True
        planes[HOLD, track, start + 1 : start + length, pitch - 36] = True
    return planes.reshape(1, *SPEC.shape)


def tally(*notes: tuple[int, int, int, int]) -> Tally:
    return Tally(roll(*notes), SPEC)


def music(count: int, seed: int, keys: tuple[int, ...] = (0,)) -> torch.Tensor:
    """Phrases in which the lead and the bass play in octaves, in one of the keys, over a steady drum."""
    random = torch.Generator().manual_seed(seed)
    made = []
    for number in range(count):
        key = keys[number % len(keys)]
        notes = [(DRUMS, step, 1, 36) for step in range(0, 2 * BAR, 4)]
        for step in range(0, 2 * BAR, 4):
            pitch = 60 + key + (0, 2, 4, 5, 7)[int(torch.randint(5, (1,), generator=random))]
            notes += [(LEAD, step, 3, pitch), (BASS, step, 4, pitch - 24)]
        made.append(roll(*notes))
    return torch.cat(made)


def test_groove_compares_each_bar_with_the_next():
    same = [(DRUMS, 0, 1, 36), (LEAD, BAR, 4, 60)]
    assert phrase_features.groove_consistency(tally(*same)) == 1, "struck at the same place, whatever it is"
    assert phrase_features.groove_consistency(tally(*same, (LEAD, 4, 1, 60))) == pytest.approx(15 / 16)
    assert phrase_features.groove_consistency(tally()).isnan()


def test_entropy_of_pitch_classes_in_bits():
    assert phrase_features.pitch_class_entropy(tally((LEAD, 0, 1, 60), (BASS, 0, 1, 48), (DRUMS, 0, 1, 37))) == 0
    four = [(LEAD, step, 1, 60 + step) for step in range(4)]
    assert phrase_features.pitch_class_entropy(tally(*four)) == pytest.approx(2.0)
    assert phrase_features.pitch_class_entropy(tally((DRUMS, 0, 1, 37))).isnan()


def test_repetition_is_of_shared_onsets():
    once = [(LEAD, 0, 4, 60), (BASS, 0, 4, 40)]
    again = [(LEAD, BAR, 4, 60), (BASS, BAR, 4, 43)]
    assert phrase_features.repetition_next(tally(*once, *again)) == pytest.approx(1 / 3)
    assert phrase_features.repetition_any(tally(*once, *again)) == pytest.approx(1 / 3), (
        "of two bars, the next is any other"
    )
    assert phrase_features.repetition_next(tally(*once)) == 0
    assert phrase_features.repetition_next(tally()).isnan()


def test_bars_far_apart_repeat_where_neighbours_do_not():
    spec = RollSpec((Track("Lead"),), bars=3)
    rolls = torch.zeros((1, *spec.shape), dtype=torch.bool)
    rolls[0, ONSET, 0, [0, 1, 2], 0, [5, 7, 5]] = True
    assert phrase_features.repetition_next(Tally(rolls, spec)) == 0
    assert phrase_features.repetition_any(Tally(rolls, spec)) == pytest.approx(1 / 3)


def test_length_is_in_beats_and_consonance_one_less_dissonance():
    assert phrase_features.length_in_beats(tally((LEAD, 0, 8, 60), (LEAD, 8, 4, 60)))[0, LEAD] == 1.5
    assert phrase_features.consonance(tally((LEAD, 0, 4, 64), (LEAD, 4, 4, 61), (BASS, 0, 8, 48))) == 0.5


def test_a_set_is_like_itself():
    table = features(music(20, 0), SPEC)
    assert mean(overlaps(table, table)) == pytest.approx(1.0)
    assert mean(divergences(table, table)) == pytest.approx(0.0)
    assert frechet_distance(table, table) == pytest.approx(0.0, abs=1e-6)


def test_divergence_of_half_shared_sets_by_hand():
    low, both = torch.zeros(10), torch.cat([torch.zeros(5), torch.ones(5)])
    # shares with 1/2 a bin: low 10.5 and 0.5 of 20, both 5.5 and 5.5 of 20, the other 18 bins alike
    wanted = 5.5 / 20 * (math.log2(5.5 / 10.5) + math.log2(5.5 / 0.5))
    assert divergence(low, both) == pytest.approx(wanted)
    assert math.isnan(divergence(low[:0], both))


def test_frechet_distance_of_moved_and_of_wider_features():
    values = torch.tensor([-1.0, 1.0]).repeat(50)
    unit = values / values.std()
    assert frechet_distance({"x": unit + 3}, {"x": unit}) == pytest.approx(9.0, rel=1e-4)
    assert frechet_distance({"x": 3 * unit}, {"x": unit}) == pytest.approx(4.0, rel=1e-4)
    assert frechet_distance({"x": 20 * unit}, {"x": 10 * unit}) == pytest.approx(1.0, rel=1e-4), (
        "in standard deviations"
    )
    missing = torch.where(torch.arange(100) < 50, torch.nan, unit)
    assert math.isfinite(frechet_distance({"x": missing}, {"x": unit}))


def test_quality_is_0_at_random_notes_and_1_at_real_songs():
    assert quality(0.3, 0.3, 0.8) == 0.0
    assert quality(0.8, 0.3, 0.8) == 1.0
    assert math.isnan(quality(0.5, 0.8, 0.8))


def test_intervals_are_of_songs_not_of_phrases():
    values = {"x": torch.arange(10.0).repeat_interleave(50)}
    by_song = mean_intervals(values, torch.arange(10).repeat_interleave(50))["x"]
    by_phrase = mean_intervals(values, torch.arange(500))["x"]
    assert by_song.value == by_phrase.value == 4.5
    assert by_song.low < 3.5 < 4.2 < by_phrase.low < 4.5 < by_phrase.high < 4.8 < 5.5 < by_song.high
    assert by_song == mean_intervals(values, torch.arange(10).repeat_interleave(50) * 7 + 3)["x"], "any song numbers"


def test_means_leave_out_what_is_missing_and_weigh_bars_alike():
    columns = {"bars": torch.tensor([[1.0, 1.0], [4.0, torch.nan]]), "none": torch.full((2,), torch.nan)}
    found = mean_intervals(columns, torch.tensor([0, 1]))
    assert found["bars"].value == 2.0
    assert math.isnan(found["none"].value)


def test_intervals_hold_the_overlap_that_they_are_of():
    mine, theirs = features(music(40, 0), SPEC), features(music(60, 1), SPEC)
    headline, each = overlap_intervals(mine, theirs, torch.arange(40) // 4, torch.arange(60) // 5)
    assert headline.value == pytest.approx(mean(overlaps(mine, theirs)))
    assert headline.low < headline.value < headline.high <= 1
    assert each.keys() == overlaps(mine, theirs).keys()
    assert all(0 <= one.low <= one.value + 1e-9 and one.high <= 1 for one in each.values())


def test_shuffled_tracks_come_from_different_songs_and_each_is_used_once():
    songs = torch.arange(60) // 5
    chosen = partners(songs, 3, 0)
    assert all(sorted(column.tolist()) == list(range(60)) for column in chosen.T)
    assert all(len(set(row)) == 3 for row in songs[chosen].tolist())
    rolls = music(60, 0)
    assert torch.equal(shuffle_tracks(rolls, songs, 0)[7, :, BASS], rolls[chosen[7, BASS], :, BASS])


def test_partners_of_too_few_songs_are_found_as_far_as_possible():
    assert partners(torch.zeros(4, dtype=torch.int64), 3, 0).shape == (4, 3)
    assert partners(torch.zeros(1, dtype=torch.int64), 3, 0).tolist() == [[0, 0, 0]]


def test_shuffled_tracks_change_harmony_but_no_figure_of_one_track():
    rolls = music(60, 0, keys=(0, 6))
    before, after = figures(rolls, SPEC), figures(shuffle_tracks(rolls, torch.arange(60), 0), SPEC)
    assert before["tonal_distance/Lead-Bass"].mean() + 0.2 < after["tonal_distance/Lead-Bass"].mean()
    assert after["consonance"].mean() < before["consonance"].mean() - 0.2
    for key in ("empty_bars/Lead", "pitch_classes/Bass", "notes_per_bar/Drums"):
        assert torch.equal(before[key].sort().values, after[key].sort().values), key


def test_random_notes_have_the_density_and_the_range_of_the_real_ones():
    rolls = music(200, 0)
    made = random_notes(rolls, SPEC, 0)
    assert torch.equal(made, random_notes(rolls, SPEC, 0))
    for track in range(SPEC.num_tracks):
        notes, real = (float(one[:, ONSET, track].sum()) for one in (made, rolls))
        assert notes == pytest.approx(real, rel=0.1)
    struck, real = made[:, ONSET].any(0).any(1).any(1), rolls[:, ONSET].any(0).any(1).any(1)
    for track in range(SPEC.num_tracks):
        assert struck[track].nonzero().min() >= real[track].nonzero().min()
        assert struck[track].nonzero().max() <= real[track].nonzero().max()
    assert not (made[:, ONSET] & made[:, HOLD]).any()
    assert not made[:, HOLD, DRUMS].any(), "drums have no lengths to draw"
    before, after = figures(rolls, SPEC), figures(made, SPEC)
    assert after["scale"].mean() < before["scale"].mean() - 0.1
    assert after["repetition_next"].mean() < before["repetition_next"].mean()


def test_random_notes_of_silence_are_silence():
    assert not random_notes(torch.zeros((2, *SPEC.shape), dtype=torch.bool), SPEC, 0).any()


def test_a_transposed_copy_is_found_with_its_shift(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(copying, "CELLS_AT_ONCE", 8 * SPEC.num_tracks * SPEC.num_steps * SPEC.num_pitches)
    training = music(30, 0)
    mine = roll((DRUMS, 0, 1, 36), (LEAD, 0, 4, 70), (LEAD, 8, 4, 65), (BASS, 0, 8, 41))
    training[21] = roll((DRUMS, 0, 1, 36), (LEAD, 0, 1, 67), (LEAD, 8, 1, 62), (BASS, 0, 8, 38))
    found = nearest(mine, training, SPEC)
    assert found.similarity.item() == 1.0, "lengths don't count"
    assert found.index.item() == 21
    assert found.shift.item() == -3


def test_drums_are_not_transposed_and_notes_that_leave_the_roll_are_lost():
    training = roll((DRUMS, 0, 1, 38), (LEAD, 0, 4, 62))
    assert nearest(roll((DRUMS, 0, 1, 36), (LEAD, 0, 4, 60)), training, SPEC).similarity.item() == pytest.approx(1 / 3)
    low = roll((LEAD, 0, 4, 36), (LEAD, 4, 4, 60))  # a third down, the first leaves the roll
    found = nearest(low, roll((LEAD, 4, 4, 56)), SPEC)
    assert (found.similarity.item(), found.shift.item()) == (0.5, -4)


def test_a_silent_phrase_copies_nothing_and_nothing_cannot_be_copied():
    assert nearest(roll(), music(3, 0), SPEC).similarity.item() == 0.0
    with pytest.raises(ValueError, match="no training phrases"):
        nearest(roll(), music(3, 0)[:0], SPEC)


def test_copying_is_judged_beside_real_songs():
    held_out = torch.linspace(0, 1, 101)
    assert copied_share(held_out, held_out) == pytest.approx(0.05, abs=0.01)
    assert copied_share(torch.ones(4), held_out) == 1.0


def test_distinct_phrases_are_counted_by_every_cell():
    one, other = roll((LEAD, 0, 4, 60)), roll((LEAD, 0, 5, 60))
    assert num_distinct(torch.cat([one, other, one, roll()]), SPEC) == 3


def test_halves_keep_songs_whole():
    songs = torch.tensor([5, 5, 5, 9, 9, 2, 2, 2, 2, 7])
    half = halves(songs, 0)
    assert all(len(half[songs == song].unique()) == 1 for song in songs.unique())
    assert 4 <= half.sum() <= 6
    with pytest.raises(ValueError, match="one song"):
        halves(torch.zeros(4, dtype=torch.int64), 0)


def test_pairs_are_judged_by_the_songs_of_both():
    wins = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.5, 1.0]]).double()
    counted = torch.tensor([[1.0, 1.0], [1.0, 1.0], [0.0, 1.0]]).double()
    found = pair_interval(wins, counted, torch.tensor([3, 3, 8]), torch.tensor([0, 1]))
    assert found.value == pytest.approx(4 / 5)


@pytest.mark.slow
def test_the_two_sample_test_tells_random_notes_but_not_the_same_music():
    real, songs = music(64, 0), torch.arange(64)
    alike = two_sample_test(music(64, 1), real, songs, songs, SPEC)
    assert 0.3 < alike.value < 0.7
    apart = two_sample_test(random_notes(real, SPEC, 0), real, songs, songs, SPEC)
    assert apart.value > 0.95
    assert apart == two_sample_test(random_notes(real, SPEC, 0), real, songs, songs, SPEC), "seeded"
