"""Every metric of the table has its keys, in any roll, and no others."""

import pytest
import torch

from gan.metrics.figures import FIGURES, PUBLISHED, figures, published_figures
from gan.rolls import unpack
from gan.spec import ONSET, RollSpec, Track
from tests.gan.metrics.phrase_makers import BASS, DRUMS, LEAD, roll

TRACKS = (Track("Drums", is_drum=True), Track("Lead"), Track("Bass"))
SPEC = RollSpec(TRACKS, bars=2, steps_per_beat=24)


def test_published_figures_are_for_24_steps_a_beat():
    spec = RollSpec(TRACKS)
    with pytest.raises(ValueError, match="24 steps a quarter note, not 4 in 4/4"):
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


def test_transposition_moves_pitch_classes_only():
    notes = [(LEAD, 0, 30, 60), (LEAD, 12, 24, 64), (BASS, 0, 48, 43), (DRUMS, 0, 1, 36)]
    moved = [(track, start, length, pitch + (track != DRUMS)) for track, start, length, pitch in notes]
    before, after = figures(roll(*notes, spec=SPEC), SPEC), figures(roll(*moved, spec=SPEC), SPEC)
    changed = {key for key in before if not torch.allclose(before[key], after[key], equal_nan=True, atol=1e-5)}
    assert changed == {"in_c_major/Lead", "in_c_major/Bass"}
