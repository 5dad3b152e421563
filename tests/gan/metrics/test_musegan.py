"""MuseGAN's metrics, right and as published, on rolls that can be counted by hand: 24 steps a beat, two bars of 4/4."""

import math

import pytest

from gan.metrics import musegan
from gan.metrics.counts import PhraseCounts
from gan.metrics.features import empty_bars
from gan.metrics.musegan import PublishedCounts
from gan.spec import RollSpec, Track
from tests.gan.metrics.phrase_makers import BASS, DRUMS, LEAD, Row, counted

TRACKS = (Track("Drums", is_drum=True), Track("Lead"), Track("Bass"))
SPEC = RollSpec(TRACKS, bars=2, steps_per_beat=24)
BAR, BEAT = 96, 24


def right(*notes: Row, spec: RollSpec = SPEC) -> PhraseCounts:
    return counted(*notes, spec=spec)


def original(*notes: Row) -> PublishedCounts:
    return PublishedCounts(right(*notes))


def test_octaves_are_one_pitch_class_but_three_published():
    notes = [(LEAD, 0, 24, 24), (LEAD, 0, 24, 36), (LEAD, 0, 24, 48)]  # C1, C2, C3
    assert musegan.pitch_classes(right(*notes))[0, LEAD] == 1
    assert musegan.published_pitch_classes(original(*notes))[0, LEAD, 0] == 3


def test_neighbouring_pitches_are_seven_pitch_classes_but_one_published():
    notes = [(LEAD, 0, 24, pitch) for pitch in range(24, 31)]
    assert musegan.pitch_classes(right(*notes))[0, LEAD] == 7
    assert musegan.published_pitch_classes(original(*notes))[0, LEAD, 0] == 1


def test_pitch_classes_are_of_the_bars_that_are_not_empty():
    notes = [(LEAD, 0, 24, 60), (LEAD, 24, 24, 64)]
    assert musegan.pitch_classes(right(*notes))[0, LEAD] == 2
    assert musegan.pitch_classes(right(*notes))[0, BASS].isnan()
    lead = musegan.published_pitch_classes(original(*notes))[0, LEAD]
    assert lead[0] == 1, "60 and 64 lie in the sixth group of seven"
    assert lead[1].isnan()


def test_a_note_that_is_held_over_the_bar_line_fills_both_bars():
    assert musegan.pitch_classes(right((LEAD, 90, 12, 60)))[0, LEAD] == 1
    assert empty_bars(right((LEAD, 90, 12, 60)))[0].tolist() == [1, 0, 1]
    assert musegan.published_empty_bars(original((LEAD, 90, 12, 60)))[0].tolist() == [[1, 1], [0, 0], [1, 1]]


def test_the_empty_rate_is_that_of_the_empty_bars():
    counts = right((LEAD, 0, 24, 60))
    assert empty_bars(counts)[0].tolist() == [1, 0.5, 1]
    assert musegan.published_empty_bars(PublishedCounts(counts))[0].tolist() == [[1, 1], [0, 1], [1, 1]]


def test_notes_of_an_eighth_of_a_beat_are_qualified_and_of_a_twelfth_published():
    notes = [(LEAD, 0, 1, 60), (LEAD, 4, 2, 60), (LEAD, 8, 3, 60), (LEAD, 12, 24, 60)]
    assert musegan.qualified_notes(right(*notes))[0, LEAD] == 2 / 4
    assert musegan.published_qualified_notes(original(*notes))[0, LEAD, 0] == 3 / 4


def test_a_note_over_the_bar_line_is_one_note_but_two_published():
    over = (LEAD, BAR - 2, 3, 60)  # two steps before the line, one after
    assert musegan.qualified_notes(right(over))[0, LEAD] == 1
    assert musegan.published_qualified_notes(original(over))[0, LEAD].tolist() == [1, 0]


def test_repeated_notes_are_short_but_one_long_run_published():
    notes = [(LEAD, step, 1, 60) for step in range(4)]
    assert musegan.qualified_notes(right(*notes))[0, LEAD] == 0
    assert musegan.published_qualified_notes(original(*notes))[0, LEAD, 0] == 1


def test_a_note_at_the_end_of_the_phrase_is_as_long_as_it_sounds():
    assert musegan.qualified_notes(right((LEAD, 2 * BAR - 3, 3, 60)))[0, LEAD] == 1
    assert musegan.qualified_notes(right((LEAD, 2 * BAR - 2, 2, 60)))[0, LEAD] == 0
    assert musegan.published_qualified_notes(original((LEAD, 2 * BAR - 1, 1, 60)))[0, LEAD, 1] == 0


@pytest.mark.parametrize(("steps", "wanted"), [(1, 1), (4, 1), (8, 1), (12, 2), (24, 3), (48, 6)])
def test_an_eighth_of_a_beat_at_any_resolution(steps: int, wanted: int):
    assert musegan.qualified_steps(RollSpec(TRACKS, steps_per_beat=steps)) == wanted


def test_polyphony_is_of_sounding_steps_but_published_of_all():
    notes = [(LEAD, 0, 24, 60), (LEAD, 12, 24, 64)]  # 36 steps, 12 of them two
    assert musegan.polyphony(right(*notes))[0, LEAD] == pytest.approx(12 / 36)
    assert musegan.published_polyphony(original(*notes))[0, LEAD, 0] == pytest.approx(12 / 96)
    assert musegan.published_polyphony(original(*notes))[0, LEAD, 1].isnan()


def test_drums_on_the_grid_and_off_it():
    hits = [(DRUMS, 0, 1, 36), (DRUMS, 12, 1, 36), (DRUMS, 18, 1, 36), (DRUMS, 19, 1, 38)]
    assert musegan.eighths(right(*hits))[0, DRUMS] == 2 / 4
    assert musegan.sixteenths(right(*hits))[0, DRUMS] == 3 / 4
    assert musegan.published_drum_pattern(original(*hits))[0, DRUMS, 0] == pytest.approx((3 + 0.3) / 4)


def test_drums_late_throughout_are_off_the_grid_but_turned_onto_it_published():
    hits = [(DRUMS, step + 2, 1, 36) for step in range(0, BAR, 24)]
    assert musegan.sixteenths(right(*hits))[0, DRUMS] == 0
    assert musegan.published_drum_pattern(original(*hits))[0, DRUMS, 0] == 1


def test_repeated_hits_are_two_onsets_but_one_published():
    hits = [(DRUMS, 0, 1, 36), (DRUMS, 1, 1, 36)]
    assert musegan.sixteenths(right(*hits))[0, DRUMS] == 1 / 2
    assert musegan.published_drum_pattern(original(*hits))[0, DRUMS, 0] == 1


def test_drum_patterns_at_four_steps_a_beat():
    spec = RollSpec(TRACKS, bars=1)
    hits = [(DRUMS, 0, 1, 36), (DRUMS, 2, 1, 36), (DRUMS, 3, 1, 36)]
    assert musegan.eighths(right(*hits, spec=spec))[0, DRUMS] == pytest.approx(2 / 3)


def test_tonal_distance_of_octaves_is_none_but_published_is_some():
    notes = [(LEAD, 0, BAR, 60), (BASS, 0, BAR, 36)]
    assert musegan.tonal_distance(right(*notes))[0, 0] == 0
    assert musegan.published_tonal_distance(original(*notes))[0, 0, 0] > 0.5


def test_tonal_distance_of_a_tritone_is_the_diameter_of_fifths_and_thirds():
    counts = right((LEAD, 0, BEAT, 66), (BASS, 0, BEAT, 36))
    # half way round the circles of fifths and minor thirds (radius 1), all round that of major thirds
    assert musegan.tonal_distance(counts)[0, 0] == pytest.approx(math.sqrt(2**2 + 2**2), abs=1e-5)
    assert musegan.published_tonal_distance(
        original(*((track, 0, BAR, pitch) for track, pitch in ((LEAD, 66), (BASS, 24))))
    )[0, 0, 0] == pytest.approx(math.sqrt(8), abs=1e-5), "groups 6 and 0"


def test_silent_beats_leave_no_nan_in_tonal_distance():
    notes = [(LEAD, 0, BEAT, 60), (BASS, 0, BAR, 36)]
    assert musegan.tonal_distance(right(*notes))[0, 0] == 0, "the one beat in which both sound"
    assert musegan.published_tonal_distance(original(*notes))[0, 0].isnan().all(), "the bar is dropped"
    assert musegan.tonal_distance(right((LEAD, 0, BEAT, 60)))[0, 0].isnan()


def test_scale_is_of_the_phrase_and_c_major_of_pitch_bands_published():
    d_major = [(LEAD, 4 * place, 4, pitch) for place, pitch in enumerate((62, 64, 66, 67, 69, 71, 73))]
    counts = right(*d_major, (BASS, 0, 4, 36))
    assert musegan.in_best_scale(counts)[0, LEAD] == 1
    assert musegan.in_best_scale(counts)[0, BASS] == 0
    assert musegan.in_c_major(counts)[0, LEAD] == pytest.approx(5 / 7)
    assert musegan.in_c_major(counts)[0, BASS] == 1
    # groups of seven from MIDI 24: 62 to 65 are group 5 (an F), 66 to 72 group 6 (not in C major), 73 group 7 (a G)
    assert musegan.published_in_scale(original(*d_major))[0, LEAD, 0] == pytest.approx(3 / 7)
