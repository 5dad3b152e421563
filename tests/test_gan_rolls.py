"""Planes, streams and batches."""

import itertools
import math

import pytest
import torch

from gan.augmentation import transpose
from gan.heads import ChoiceHead, NeuronHead
from gan.rolls import batches_from, mix_seed, to_rolls, to_streams, unpack
from gan.settings import ModelSettings
from gan.spec import HOLD, ONSET, RollSpec, Track
from gan.statistics import DataStatistics, choose_compass, choose_heads

SPEC = RollSpec((Track("Drums", is_drum=True), Track("Bass")), bars=2, num_pitches=24, lowest_pitch=36)


def empty(batch: int = 1) -> torch.Tensor:
    return torch.zeros((batch, *SPEC.shape), dtype=torch.bool)


def note(rolls: torch.Tensor, track: int, bar: int, step: int, length: int, pitch: int) -> None:
    """Write one note into the first roll; it may run over the bar line."""
    planes = rolls[0].flatten(2, 3)
    start = bar * SPEC.steps_per_bar + step
    planes[ONSET, track, start, pitch] = True
    planes[HOLD, track, start + 1 : start + length, pitch] = True
    rolls[0] = planes.unflatten(2, (SPEC.bars, SPEC.steps_per_bar))


def sample_rolls() -> torch.Tensor:
    rolls = empty()
    for step in (0, 4, 8, 12):
        note(rolls, 0, 0, step, 1, 2)
    note(rolls, 1, 0, 0, 4, 7)
    note(rolls, 1, 0, 4, 4, 7)  # the same pitch again, touching
    note(rolls, 1, 0, 12, 8, 9)  # over the bar line
    return rolls


def test_streams_and_back_keep_every_note_repeated_ones_included():
    rolls = sample_rolls()
    again = to_rolls(to_streams(rolls, (0, 2), 12), (0, 2), SPEC)
    assert torch.equal(again, rolls)
    assert again[0, ONSET, 1].sum() == 3


def test_streams_cut_each_track_to_its_own_compass():
    streams = to_streams(sample_rolls(), (0, 5), 8)
    assert streams.shape == (1, 32, 2, 2, 8)
    assert streams[0, 0, 1, :, 2].tolist() == [1.0, 1.0]  # pitch 7 is place 2 above 5
    assert streams[0, 1, 1, :, 2].tolist() == [1.0, 0.0]  # still sounding, no onset


def test_a_note_cut_by_the_start_of_the_phrase_begins_there():
    rolls = empty()
    rolls[0, HOLD, 1, 0, :3, 5] = True
    streams = to_streams(rolls, (0, 0), 12)
    assert streams[0, :, 1, 1].nonzero().tolist() == [[0, 5]]
    assert streams[0, :, 1, 0].sum() == 3


def test_drums_never_hold():
    streams = torch.zeros(1, 32, 2, 2, 8)
    streams[:, 3, :, 0, 1] = 1.0  # sounding without an onset
    rolls = to_rolls(streams, (0, 0), SPEC)
    assert not rolls[:, HOLD, 0].any()
    assert rolls[0, HOLD, 1, 0, 3, 1]


def statistics() -> DataStatistics:
    return DataStatistics.of([sample_rolls()], SPEC)


@pytest.mark.parametrize("kind", [ChoiceHead, NeuronHead])
@pytest.mark.parametrize("again", [False, True])
def test_a_held_note_is_one_note_and_a_note_struck_again_is_two(kind, again):
    head = kind([1], 32, (0, 0), 12, statistics(), SPEC)
    with torch.no_grad():
        head.metre.zero_()
        head.project.weight.zero_()
        head.project.bias.fill_(-5.0)
        if kind is ChoiceHead:
            head.project.bias[0, 0, 7] = 5.0
            head.project.weight[0, [0, 9] if again else [0], 13] = 10.0  # the gate opens
        else:
            head.project.bias[0, 0, 12 + 7] = 5.0  # held all the time
            head.project.weight[0, [0, 9] if again else [0], 7] = 10.0
    x = torch.eye(32).view(1, 32, 1, 32)  # each step has a feature of its own
    rolls = to_rolls(head(x, 0.0, 1.0, None).repeat(1, 1, 2, 1, 1), (0, 0), SPEC)
    assert rolls[0, ONSET, 1, 0, :, 7].nonzero().flatten().tolist() == ([0, 9] if again else [0])
    assert (rolls[0, ONSET, 1] | rolls[0, HOLD, 1]).sum() == 32


def test_choice_head_holds_until_the_gate_opens():
    head = ChoiceHead([1], 32, (0, 0), 12, statistics(), SPEC)
    pitches = {0: 3, 4: 3, 6: 12, 10: 5}  # 12 is rest
    with torch.no_grad():
        head.metre.zero_()
        head.project.bias.fill_(0.0)
        head.project.weight.zero_()
        head.project.weight[0, :, 13] = -10.0
        for step, pitch in pitches.items():
            head.project.weight[0, step, 13] = 10.0
            head.project.weight[0, step, pitch] = 10.0
    x = torch.eye(32).view(1, 32, 1, 32)  # each step has a feature of its own
    streams = head(x, 0.0, 1.0, None)[0, :, 0]
    assert streams[:, 1].nonzero().tolist() == [[0, 3], [4, 3], [10, 5]], "onsets; the same pitch twice is two notes"
    sounding = streams[:, 0]
    assert sounding[:6, 3].sum() == 6
    assert sounding[6:10].sum() == 0
    assert sounding[10:, 5].sum() == 22
    assert sounding.sum() == 28


def test_drums_strike_and_never_ring():
    head = NeuronHead([0], 3, (0, 0), 12, statistics(), SPEC)
    with torch.no_grad():
        head.project.bias[0, 0, 12:] = 50.0
    streams = head(torch.zeros(1, 32, 1, 3), 1.0, 1.0, torch.Generator().manual_seed(0))
    assert torch.equal(streams[..., 0, :], streams[..., 1, :])
    assert streams[..., 1, 2].sum() >= 1


@pytest.mark.parametrize("kind", [ChoiceHead, NeuronHead])
def test_heads_are_hard_but_let_gradients_through(kind):
    torch.manual_seed(0)
    head = kind([1], 3, (0, 0), 12, statistics(), SPEC)
    features = torch.randn(2, 32, 1, 3, requires_grad=True)
    streams = head(features, 1.0, 1.0, torch.Generator().manual_seed(1))
    assert set(streams.detach().round(decimals=5).unique().tolist()) <= {0.0, 1.0}
    (streams[..., 0, :] * torch.arange(12)).sum().backward()
    assert features.grad.abs().sum() > 0
    assert head.project.weight.grad[..., :12].abs().sum() > 0
    head.zero_grad()
    head(features, 1.0, 1.0, torch.Generator().manual_seed(1)).sum().backward()
    assert head.project.weight.grad[..., 13:].abs().sum() > 0, "gates and striking again must be learnable"


def test_choice_head_plays_one_note_at_most():
    torch.manual_seed(0)
    head = ChoiceHead([1], 3, (0, 0), 12, statistics(), SPEC)
    streams = head(5 * torch.randn(4, 32, 1, 3), 1.0, 1.0, torch.Generator().manual_seed(1))
    assert streams[..., 0, :].sum(-1).max() <= 1


def test_voices_play_chords_and_start_at_the_rates_of_the_data():
    rolls = sample_rolls()
    note(rolls, 1, 0, 0, 8, 11)  # a second voice for half of the time
    head = ChoiceHead([1], 3, (0, 0), 12, DataStatistics.of([rolls], SPEC), SPEC, voices=3)
    streams = head(torch.zeros(1000, 32, 1, 3), 1.0, 1.0, torch.Generator().manual_seed(1)).detach()
    assert set(streams.unique().tolist()) == {0.0, 1.0}
    assert (streams[..., 1, :] <= streams[..., 0, :]).all(), "what is struck sounds"
    voices = streams[..., 0, :].sum(-1)
    assert voices.mean().item() == pytest.approx(24 / 32, abs=0.08)
    assert (voices >= 2).float().mean() > 0.05
    assert voices.max() <= 3


def test_noisy_choices_start_at_the_rates_of_the_data():
    head = ChoiceHead([1], 3, (0, 0), 12, statistics(), SPEC)
    streams = head(torch.zeros(1000, 32, 1, 3), 1.0, 1.0, torch.Generator().manual_seed(1))
    rates = streams[..., 0, :].mean((0, 1, 2))  # the data: pitch 7 for 8 of 32 steps, pitch 9 for 8
    assert rates[[7, 9]].tolist() == pytest.approx([0.25, 0.25], abs=0.04)
    assert rates[[0, 1, 2, 3]].max() < 0.01


def test_noisy_neurons_start_at_the_onsets_and_lengths_of_the_data():
    head = NeuronHead([0, 1], 3, (0, 0), 12, statistics(), SPEC)
    streams = head(torch.zeros(2000, 32, 2, 3), 1.0, 1.0, torch.Generator().manual_seed(1)).detach()
    onsets = streams[..., 1, :].unflatten(1, (2, 16)).mean((0, 1))  # [steps, tracks, compass]
    assert onsets[4, 0, 2].item() == pytest.approx(0.5, abs=0.04)
    assert onsets[12, 1, 9].item() == pytest.approx(0.5, abs=0.04)
    assert onsets[1].max() < 0.01
    before, after = streams[:, 5:12, 1, 0], streams[:, 6:13, 1, 0] - streams[:, 6:13, 1, 1]
    assert (before * after).sum() / before.sum() == pytest.approx(13 / 16, abs=0.04)


def test_gates_start_at_the_onset_rates_of_the_data():
    head = ChoiceHead([1], 3, (0, 0), 12, statistics(), SPEC)
    with torch.no_grad():
        head.project.bias[0, 0, 12] = -50.0  # no rests, so that each opening gate is an onset
    streams = head(torch.zeros(1000, 32, 1, 3), 1.0, 1.0, torch.Generator().manual_seed(1))
    onsets = streams[:, 16:, 0, 1].sum(-1).mean(0)  # the data: one of two bars at steps 0, 4 and 12
    assert onsets[[4, 12]].tolist() == pytest.approx([0.5, 0.5], abs=0.06)
    assert onsets[[1, 2, 3, 5, 8]].max() < 0.02


def test_statistics_equal_a_count_by_hand():
    counted = DataStatistics.of([sample_rolls(), empty()], SPEC)
    assert counted.num_phrases == 2
    assert counted.sounding[1][7] == pytest.approx(8 / 64)
    assert counted.sounding[1][9] == pytest.approx(8 / 64)
    assert counted.onsets[0][4][2] == pytest.approx(1 / 4)  # one of four bars
    assert counted.onsets[1][12][9] == pytest.approx(1 / 4)
    assert counted.holds[0] == 0.0
    assert counted.holds[1] == pytest.approx(13 / 16)  # 16 steps sound, 3 of them end a note
    assert counted.notes_per_bar == pytest.approx([4 / 4, 3 / 4])
    assert counted.empty_bars == pytest.approx([3 / 4, 2 / 4])
    assert counted.polyphony == [0.0, 0.0]
    assert counted.voices[1] == pytest.approx([16 / 64, 0, 0, 0, 0, 0])
    assert DataStatistics.from_dict(counted.to_dict()) == counted


def test_lines_for_one_note_at_a_time_voices_for_chords_neurons_for_drums():
    rolls = sample_rolls()
    assert choose_heads(DataStatistics.of([rolls], SPEC), SPEC, ModelSettings()) == ("neurons", "choice")
    note(rolls, 1, 0, 0, 4, 11)
    polyphonic = DataStatistics.of([rolls], SPEC)
    assert polyphonic.polyphony[1] == pytest.approx(4 / 16)
    assert polyphonic.voices[1][:2] == pytest.approx([16 / 32, 4 / 32])
    assert choose_heads(polyphonic, SPEC, ModelSettings()) == ("neurons", "voices")
    assert choose_heads(polyphonic, SPEC, ModelSettings(heads="choice")) == ("neurons", "choice")


def test_compass_holds_all_notes_and_stays_inside():
    counted = DataStatistics.of([sample_rolls()], SPEC)
    assert choose_compass(counted, SPEC, 1.0) == ((2, 7), 3)
    rolls = empty()
    note(rolls, 0, 0, 0, 1, 0)
    note(rolls, 0, 0, 1, 1, 20)
    note(rolls, 1, 0, 0, 1, 23)
    assert choose_compass(DataStatistics.of([rolls], SPEC), SPEC, 1.0) == ((0, 3), 21)


def test_statistics_of_nothing_are_refused():
    with pytest.raises(ValueError, match="no phrases"):
        DataStatistics.of([], SPEC)


def test_transposition_moves_pitches_not_drums():
    streams = to_streams(sample_rolls(), (0, 0), 24)
    moved = transpose(streams, torch.tensor([3]), SPEC)
    assert torch.equal(moved[:, :, 0], streams[:, :, 0])
    assert torch.equal(moved[:, :, 1, :, 3:], streams[:, :, 1, :, :-3])
    assert moved[:, :, 1, :, :3].sum() == 0
    lost = transpose(streams, torch.tensor([-9]), SPEC)
    assert lost[0, :, 1, 1].sum() == 1, "pitch 9 lands on 0, pitch 7 leaves the compass"


def phrases(count: int) -> torch.Tensor:
    rolls = empty(count)
    for index in range(count):
        rolls[index, ONSET, 1, 0, 0, index] = True
    return rolls


def test_batches_depend_on_seed_and_step_alone():
    rolls = phrases(10)
    first = list(itertools.islice(batches_from(rolls, SPEC, 4, seed=1), 8))
    later = list(itertools.islice(batches_from(rolls, SPEC, 4, seed=1, start_step=5), 3))
    assert all(torch.equal(a, b) for a, b in zip(first[5:], later, strict=True))
    other = list(itertools.islice(batches_from(rolls, SPEC, 4, seed=2), 8))
    assert not all(torch.equal(a, b) for a, b in zip(first, other, strict=True))


def test_every_phrase_comes_once_before_any_comes_again():
    rolls = phrases(10)
    drawn = torch.cat(list(itertools.islice(batches_from(rolls, SPEC, 4, seed=1), 5)))
    assert drawn.sum(0)[ONSET, 1, 0, 0, :10].tolist() == [2] * 10


def test_a_batch_may_be_larger_than_the_data():
    assert next(batches_from(phrases(3), SPEC, 8, seed=0)).shape == (8, *SPEC.shape)


def test_packed_rolls_unpack_to_the_same_bits():
    rolls = torch.rand((3, *SPEC.shape), generator=torch.Generator().manual_seed(0)) < 0.3
    weights = torch.tensor([128, 64, 32, 16, 8, 4, 2, 1])
    packed = (rolls.unflatten(-1, (3, 8)) * weights).sum(-1).to(torch.uint8)
    assert torch.equal(unpack(packed, SPEC), rolls)
    with pytest.raises(ValueError, match="do not fit"):
        unpack(rolls[:, :1], SPEC)


def test_neighbouring_seeds_are_unrelated():
    seeds = {mix_seed(seed, number) for seed in range(30) for number in range(30)}
    assert len(seeds) == 900


def test_motions_are_counted_against_chance():
    rolls = empty()
    for step, pitch in ((0, 4), (4, 5), (8, 4), (12, 5)):
        note(rolls, 1, 0, step, 4, pitch)
    counted = DataStatistics.of([rolls], SPEC).motions[1]
    middle = len(counted) // 2
    chance = 3 * 0.5 * 0.5  # of three motions, were each of two pitches equally likely after either
    assert counted[middle + 1] == pytest.approx(math.log((2 + 1) / (chance + 1)))
    assert counted[middle - 1] == pytest.approx(math.log((1 + 1) / (chance + 1)))
    assert counted[middle] == pytest.approx(math.log(1 / (2 * chance + 1)))
    assert counted[middle + 7] == 0.0, "never seen, never to be expected"


def test_a_choice_leans_towards_the_usual_motion():
    head = ChoiceHead([1], 3, (0, 0), 12, statistics(), SPEC)
    with torch.no_grad():
        head.project.bias.fill_(0.0)
        head.project.bias[0, 0, 4] = 0.1  # all pitches alike, the first by a little
        head.metre.fill_(50.0)  # every step opens the gate
        head.motion.fill_(0.0)
        head.motion[0, 0, head.motion.shape[2] // 2 + 2] = 5.0  # two semitones up
        head.project.weight.zero_()
    streams = head(torch.zeros(1, 16, 1, 3), 0.0, 1.0, None)[0, :5, 0, 1]
    assert streams.argmax(-1).tolist()[:4] == [4, 6, 8, 10]
