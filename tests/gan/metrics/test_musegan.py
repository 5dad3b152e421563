"""MuseGAN's figures, right and as published, on rolls that can be counted by hand: 24 steps a beat, two bars of 4/4."""

import math

import pytest
import torch

from gan.metrics import musegan
from gan.metrics import musegan_published as published
from gan.metrics.counts import Tally
from gan.metrics.features import empty_bars
from gan.metrics.figures import FIGURES, PUBLISHED, figures, published_figures
from gan.metrics.musegan_published import BarTally
from gan.rolls import unpack
from gan.spec import HOLD, ONSET, RollSpec, Track

DRUMS, LEAD, BASS = 0, 1, 2
TRACKS = (Track("Drums", is_drum=True), Track("Lead"), Track("Bass"))
SPEC = RollSpec(TRACKS, bars=2, steps_per_beat=24)
BAR, BEAT = 96, 24


def roll(*notes: tuple[int, int, int, int], spec: RollSpec = SPEC) -> torch.Tensor:
    """One phrase of notes `(track, start, length, MIDI pitch)`."""
    planes = torch.zeros((2, spec.num_tracks, spec.num_steps, spec.num_pitches), dtype=torch.bool)
    for track, start, length, pitch in notes:
        planes[ONSET, track, start, pitch - spec.lowest_pitch] = True
        planes[HOLD, track, start + 1 : start + length, pitch - spec.lowest_pitch] = True
    return planes.reshape(1, *spec.shape)


def right(*notes: tuple[int, int, int, int], spec: RollSpec = SPEC) -> Tally:
    return Tally(roll(*notes, spec=spec), spec)


def original(*notes: tuple[int, int, int, int]) -> BarTally:
    return BarTally(right(*notes))


def test_octaves_are_one_pitch_class_but_three_published():
    notes = [(LEAD, 0, 24, 24), (LEAD, 0, 24, 36), (LEAD, 0, 24, 48)]  # C1, C2, C3
    assert musegan.pitch_classes(right(*notes))[0, LEAD] == 1
    assert published.pitch_classes(original(*notes))[0, LEAD, 0] == 3


def test_neighbouring_pitches_are_seven_pitch_classes_but_one_published():
    notes = [(LEAD, 0, 24, pitch) for pitch in range(24, 31)]
    assert musegan.pitch_classes(right(*notes))[0, LEAD] == 7
    assert published.pitch_classes(original(*notes))[0, LEAD, 0] == 1


def test_pitch_classes_are_of_the_bars_that_are_not_empty():
    notes = [(LEAD, 0, 24, 60), (LEAD, 24, 24, 64)]
    assert musegan.pitch_classes(right(*notes))[0, LEAD] == 2
    assert musegan.pitch_classes(right(*notes))[0, BASS].isnan()
    lead = published.pitch_classes(original(*notes))[0, LEAD]
    assert lead[0] == 1, "60 and 64 lie in the sixth group of seven"
    assert lead[1].isnan()


def test_a_note_that_is_held_over_the_bar_line_fills_both_bars():
    assert musegan.pitch_classes(right((LEAD, 90, 12, 60)))[0, LEAD] == 1
    assert empty_bars(right((LEAD, 90, 12, 60)))[0].tolist() == [1, 0, 1]
    assert published.empty_bars(original((LEAD, 90, 12, 60)))[0].tolist() == [[1, 1], [0, 0], [1, 1]]


def test_the_empty_rate_is_that_of_the_empty_bars():
    tally = right((LEAD, 0, 24, 60))
    assert empty_bars(tally)[0].tolist() == [1, 0.5, 1]
    assert published.empty_bars(BarTally(tally))[0].tolist() == [[1, 1], [0, 1], [1, 1]]


def test_notes_of_an_eighth_of_a_beat_are_qualified_and_of_a_twelfth_published():
    notes = [(LEAD, 0, 1, 60), (LEAD, 4, 2, 60), (LEAD, 8, 3, 60), (LEAD, 12, 24, 60)]
    assert musegan.qualified_notes(right(*notes))[0, LEAD] == 2 / 4
    assert published.qualified_notes(original(*notes))[0, LEAD, 0] == 3 / 4


def test_a_note_over_the_bar_line_is_one_note_but_two_published():
    over = (LEAD, BAR - 2, 3, 60)  # two steps before the line, one after
    assert musegan.qualified_notes(right(over))[0, LEAD] == 1
    assert published.qualified_notes(original(over))[0, LEAD].tolist() == [1, 0]


def test_repeated_notes_are_short_but_one_long_run_published():
    notes = [(LEAD, step, 1, 60) for step in range(4)]
    assert musegan.qualified_notes(right(*notes))[0, LEAD] == 0
    assert published.qualified_notes(original(*notes))[0, LEAD, 0] == 1


def test_a_note_at_the_end_of_the_phrase_is_as_long_as_it_sounds():
    assert musegan.qualified_notes(right((LEAD, 2 * BAR - 3, 3, 60)))[0, LEAD] == 1
    assert musegan.qualified_notes(right((LEAD, 2 * BAR - 2, 2, 60)))[0, LEAD] == 0
    assert published.qualified_notes(original((LEAD, 2 * BAR - 1, 1, 60)))[0, LEAD, 1] == 0


@pytest.mark.parametrize(("steps", "wanted"), [(1, 1), (4, 1), (8, 1), (12, 2), (24, 3), (48, 6)])
def test_an_eighth_of_a_beat_at_any_resolution(steps: int, wanted: int):
    assert musegan.qualified_steps(RollSpec(TRACKS, steps_per_beat=steps)) == wanted


def test_polyphony_is_of_sounding_steps_but_published_of_all():
    notes = [(LEAD, 0, 24, 60), (LEAD, 12, 24, 64)]  # 36 steps, 12 of them two
    assert musegan.polyphony(right(*notes))[0, LEAD] == pytest.approx(12 / 36)
    assert published.polyphony(original(*notes))[0, LEAD, 0] == pytest.approx(12 / 96)
    assert published.polyphony(original(*notes))[0, LEAD, 1].isnan()


def test_drums_on_the_grid_and_off_it():
    hits = [(DRUMS, 0, 1, 36), (DRUMS, 12, 1, 36), (DRUMS, 18, 1, 36), (DRUMS, 19, 1, 38)]
    assert musegan.eighths(right(*hits))[0, DRUMS] == 2 / 4
    assert musegan.sixteenths(right(*hits))[0, DRUMS] == 3 / 4
    assert published.drum_pattern(original(*hits))[0, DRUMS, 0] == pytest.approx((3 + 0.3) / 4)


def test_drums_late_throughout_are_off_the_grid_but_turned_onto_it_published():
    hits = [(DRUMS, step + 2, 1, 36) for step in range(0, BAR, 24)]
    assert musegan.sixteenths(right(*hits))[0, DRUMS] == 0
    assert published.drum_pattern(original(*hits))[0, DRUMS, 0] == 1


def test_repeated_hits_are_two_onsets_but_one_published():
    hits = [(DRUMS, 0, 1, 36), (DRUMS, 1, 1, 36)]
    assert musegan.sixteenths(right(*hits))[0, DRUMS] == 1 / 2
    assert published.drum_pattern(original(*hits))[0, DRUMS, 0] == 1


def test_drum_patterns_at_four_steps_a_beat():
    spec = RollSpec(TRACKS, bars=1)
    hits = [(DRUMS, 0, 1, 36), (DRUMS, 2, 1, 36), (DRUMS, 3, 1, 36)]
    assert musegan.eighths(right(*hits, spec=spec))[0, DRUMS] == pytest.approx(2 / 3)


def test_tonal_distance_of_octaves_is_none_but_published_is_some():
    notes = [(LEAD, 0, BAR, 60), (BASS, 0, BAR, 36)]
    assert musegan.tonal_distance(right(*notes))[0, 0] == 0
    assert published.tonal_distance(original(*notes))[0, 0, 0] > 0.5


def test_tonal_distance_of_a_tritone_is_the_diameter_of_fifths_and_thirds():
    tally = right((LEAD, 0, BEAT, 66), (BASS, 0, BEAT, 36))
    # half way round the circles of fifths and minor thirds (radius 1), all round that of major thirds
    assert musegan.tonal_distance(tally)[0, 0] == pytest.approx(math.sqrt(2**2 + 2**2), abs=1e-5)
    assert published.tonal_distance(original(*((track, 0, BAR, pitch) for track, pitch in ((LEAD, 66), (BASS, 24)))))[
        0, 0, 0
    ] == pytest.approx(math.sqrt(8), abs=1e-5), "groups 6 and 0"


def test_silent_beats_leave_no_nan_in_tonal_distance():
    notes = [(LEAD, 0, BEAT, 60), (BASS, 0, BAR, 36)]
    assert musegan.tonal_distance(right(*notes))[0, 0] == 0, "the one beat in which both sound"
    assert published.tonal_distance(original(*notes))[0, 0].isnan().all(), "the bar is dropped"
    assert musegan.tonal_distance(right((LEAD, 0, BEAT, 60)))[0, 0].isnan()


def test_scale_is_of_the_phrase_and_c_major_of_pitch_bands_published():
    d_major = [(LEAD, 4 * place, 4, pitch) for place, pitch in enumerate((62, 64, 66, 67, 69, 71, 73))]
    tally = right(*d_major, (BASS, 0, 4, 36))
    assert musegan.in_best_scale(tally)[0, LEAD] == 1
    assert musegan.in_best_scale(tally)[0, BASS] == 0
    assert musegan.in_c_major(tally)[0, LEAD] == pytest.approx(5 / 7)
    assert musegan.in_c_major(tally)[0, BASS] == 1
    # groups of seven from MIDI 24: 62 to 65 are group 5 (an F), 66 to 72 group 6 (not in C major), 73 group 7 (a G)
    assert published.in_scale(original(*d_major))[0, LEAD, 0] == pytest.approx(3 / 7)


def test_transposition_moves_pitch_classes_only():
    notes = [(LEAD, 0, 30, 60), (LEAD, 12, 24, 64), (BASS, 0, 48, 43), (DRUMS, 0, 1, 36)]
    moved = [(track, start, length, pitch + (track != DRUMS)) for track, start, length, pitch in notes]
    before, after = figures(roll(*notes), SPEC), figures(roll(*moved), SPEC)
    changed = {key for key in before if not torch.allclose(before[key], after[key], equal_nan=True, atol=1e-5)}
    assert changed == {"in_c_major/Lead", "in_c_major/Bass"}


def test_published_figures_are_for_24_steps_a_beat():
    spec = RollSpec(TRACKS)
    with pytest.raises(ValueError, match="24 steps a beat, not 4"):
        published_figures(torch.zeros((1, *spec.shape), dtype=torch.bool), spec)


def test_every_figure_has_its_keys_and_no_others():
    rolls = torch.rand((3, *SPEC.shape), generator=torch.Generator().manual_seed(0)) < 0.02
    table = figures(rolls, SPEC)
    assert list(table) == [key for figure in FIGURES for key in figure.columns(SPEC)]
    assert all(values.shape == (3,) for values in table.values())
    assert {"groove", "empty_bars/Drums", "polyphony/Bass", "sixteenths/Drums", "tonal_distance/Lead-Bass"} <= set(
        table
    )
    originals = published_figures(rolls, SPEC)
    assert list(originals) == [key for figure in PUBLISHED for key in figure.columns(SPEC)]
    assert all(values.shape == (3, 2) for values in originals.values())
    assert {figure.family for figure in PUBLISHED} <= {figure.family for figure in FIGURES}


def test_what_cannot_vary_has_no_key():
    spec = RollSpec(TRACKS)
    keys = figures(torch.zeros((1, *spec.shape), dtype=torch.bool), spec)
    assert "eighths/Drums" in keys
    assert "sixteenths/Drums" not in keys
    assert "qualified_notes/Lead" not in keys


def test_music_without_pitched_tracks_has_figures():
    spec = RollSpec((Track("Drums", is_drum=True),), bars=1)
    rolls = torch.zeros((1, *spec.shape), dtype=torch.bool)
    rolls[0, ONSET, 0, 0, 0, 12] = True
    table = figures(rolls, spec)
    assert table["notes_per_bar/Drums"] == 1
    assert table["entropy"].isnan()


def test_packed_rolls_have_the_same_figures():
    rolls = torch.rand((2, *SPEC.shape), generator=torch.Generator().manual_seed(1)) < 0.02
    bits = torch.nn.functional.pad(rolls, (0, -SPEC.num_pitches % 8)).view(*rolls.shape[:-1], -1, 8)
    packed = (bits * torch.tensor([128, 64, 32, 16, 8, 4, 2, 1])).sum(-1).to(torch.uint8)
    assert torch.equal(unpack(packed, SPEC), rolls)
    for key, values in figures(rolls, SPEC).items():
        assert torch.equal(values.nan_to_num(-1), figures(packed, SPEC)[key].nan_to_num(-1)), key
