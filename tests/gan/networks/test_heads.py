"""The heads: from features to notes, and gradients back."""

import pytest
import torch

from gan.networks.heads import ChoiceHead, NeuronHead
from gan.rolls import to_rolls
from gan.spec import HOLD, ONSET
from gan.statistics import DataStatistics
from tests.roll_makers import SPEC, note, sample_rolls, statistics


@pytest.mark.parametrize("kind", [ChoiceHead, NeuronHead])
@pytest.mark.parametrize("again", [False, True])
def test_a_held_note_is_one_note_and_a_repeated_note_is_two(kind, again):
    head = kind([1], 32, (0, 0), 12, statistics(), SPEC)
    with torch.no_grad():
        for weights in head.parameters():
            weights.fill_(0.0)
        if kind is ChoiceHead:
            head.choose.bias[0, 0, 7] = 5.0
            head.gate.bias.fill_(-5.0)
            head.gate.weight[0, [0, 9] if again else [0]] = 10.0
        else:
            head.project.bias.fill_(-5.0)
            head.project.bias[0, 0, 12 + 7] = 5.0  # held all the time
            head.project.weight[0, [0, 9] if again else [0], 7] = 10.0
    x = torch.eye(32).view(1, 32, 1, 32)  # each step has a feature of its own
    rolls = to_rolls(head(x, 0.0, None).repeat(1, 1, 2, 1, 1), (0, 0), SPEC)
    assert rolls[0, ONSET, 1, 0, :, 7].nonzero().flatten().tolist() == ([0, 9] if again else [0])
    assert (rolls[0, ONSET, 1] | rolls[0, HOLD, 1]).sum() == 32


def test_choice_head_holds_until_the_gate_opens():
    head = ChoiceHead([1], 32, (0, 0), 12, statistics(), SPEC)
    pitches = {0: 3, 4: 3, 6: 12, 10: 5}  # 12 is rest
    with torch.no_grad():
        for weights in head.parameters():
            weights.fill_(0.0)
        head.gate.weight[0] = -10.0
        for step, pitch in pitches.items():
            head.gate.weight[0, step] = 10.0
            head.choose.weight[0, step, pitch] = 10.0
    x = torch.eye(32).view(1, 32, 1, 32)  # each step has a feature of its own
    streams = head(x, 0.0, None)[0, :, 0]
    assert streams[:, 1].nonzero().tolist() == [[0, 3], [4, 3], [10, 5]], "onsets; the same pitch twice is two notes"
    sounding = streams[:, 0]
    assert sounding[:6, 3].sum() == 6
    assert sounding[6:10].sum() == 0
    assert sounding[10:, 5].sum() == 22
    assert sounding.sum() == 28


def test_drums_have_onsets_and_are_never_held():
    head = NeuronHead([0], 3, (0, 0), 12, statistics(), SPEC)
    streams = head(torch.zeros(4, 32, 1, 3), 1.0, torch.Generator().manual_seed(0))
    assert torch.equal(streams[..., 0, :], streams[..., 1, :])
    assert streams[..., 1, 2].sum() >= 1


@pytest.mark.parametrize("kind", [ChoiceHead, NeuronHead])
def test_heads_are_hard_but_let_gradients_through(kind):
    torch.manual_seed(0)
    head = kind([1], 3, (0, 0), 12, statistics(), SPEC)
    features = torch.randn(2, 32, 1, 3, requires_grad=True)
    streams = head(features, 1.0, torch.Generator().manual_seed(1))
    assert set(streams.detach().round(decimals=5).unique().tolist()) <= {0.0, 1.0}
    (streams[..., 0, :] * torch.arange(12)).sum().backward()
    assert features.grad.abs().sum() > 0
    assert all(weights.grad.abs().sum() > 0 for weights in head.parameters())


def test_choice_head_plays_one_note_at_most():
    torch.manual_seed(0)
    head = ChoiceHead([1], 3, (0, 0), 12, statistics(), SPEC)
    streams = head(5 * torch.randn(4, 32, 1, 3), 1.0, torch.Generator().manual_seed(1))
    assert streams[..., 0, :].sum(-1).max() <= 1


def test_voices_play_chords_and_start_at_the_rates_of_the_data():
    rolls = sample_rolls()
    note(rolls, 1, 0, 0, 8, 11)  # a second voice for half of the time
    head = ChoiceHead([1], 3, (0, 0), 12, DataStatistics.of([rolls], SPEC), SPEC, voices=3)
    streams = head(torch.zeros(1000, 32, 1, 3), 1.0, torch.Generator().manual_seed(1)).detach()
    assert set(streams.unique().tolist()) == {0.0, 1.0}
    assert (streams[..., 1, :] <= streams[..., 0, :]).all(), "an onset sounds"
    voices = streams[..., 0, :].sum(-1)
    assert voices.mean().item() == pytest.approx(24 / 32, abs=0.08)
    assert (voices >= 2).float().mean() > 0.05
    assert voices.max() <= 3


def test_noisy_choices_start_at_the_rates_of_the_data():
    head = ChoiceHead([1], 3, (0, 0), 12, statistics(), SPEC)
    streams = head(torch.zeros(1000, 32, 1, 3), 1.0, torch.Generator().manual_seed(1))
    rates = streams[..., 0, :].mean((0, 1, 2))  # the data: pitch 7 for 8 of 32 steps, pitch 9 for 8
    assert rates[[7, 9]].tolist() == pytest.approx([0.25, 0.25], abs=0.04)
    assert rates[[0, 1, 2, 3]].max() < 0.01


def test_noisy_neurons_start_at_the_onsets_and_lengths_of_the_data():
    head = NeuronHead([0, 1], 3, (0, 0), 12, statistics(), SPEC)
    streams = head(torch.zeros(2000, 32, 2, 3), 1.0, torch.Generator().manual_seed(1)).detach()
    onsets = streams[..., 1, :].unflatten(1, (2, 16)).mean((0, 1))  # [steps, tracks, pitch_range]
    assert onsets[4, 0, 2].item() == pytest.approx(0.5, abs=0.04)
    assert onsets[12, 1, 9].item() == pytest.approx(0.5, abs=0.04)
    assert onsets[1].max() < 0.01
    before, after = streams[:, 5:12, 1, 0], streams[:, 6:13, 1, 0] - streams[:, 6:13, 1, 1]
    assert (before * after).sum() / before.sum() == pytest.approx(13 / 16, abs=0.04)


def test_gates_start_at_the_onset_rates_of_the_data():
    head = ChoiceHead([1], 3, (0, 0), 12, statistics(), SPEC)
    with torch.no_grad():
        head.choose.bias[0, 0, 12] = -50.0  # no rests, so that each opening gate is an onset
    streams = head(torch.zeros(1000, 32, 1, 3), 1.0, torch.Generator().manual_seed(1))
    onsets = streams[:, 16:, 0, 1].sum(-1).mean(0)  # the data: one of two bars at steps 0, 4 and 12
    assert onsets[[4, 12]].tolist() == pytest.approx([0.5, 0.5], abs=0.06)
    assert onsets[[1, 2, 3, 5, 8]].max() < 0.02


def test_a_transition_prior_makes_the_usual_motion():
    head = ChoiceHead([1], 3, (0, 0), 12, statistics(), SPEC)
    with torch.no_grad():
        for weights in head.parameters():
            weights.fill_(0.0)
        head.choose.bias[0, 0, 4] = 0.1  # all pitches alike, the first by a little
        head.metre.fill_(50.0)  # every step opens the gate
        head.transition_prior[0, 0, head.transition_prior.shape[2] // 2 + 2] = 5.0  # two semitones up
    streams = head(torch.zeros(1, 16, 1, 3), 0.0, None)[0, :5, 0, 1]
    assert streams.argmax(-1).tolist()[:4] == [4, 6, 8, 10]


@pytest.mark.parametrize("kind", [ChoiceHead, NeuronHead])
def test_no_note_is_held_over_a_forced_onset(kind):
    head = kind([1], 3, (0, 0), 12, statistics(), SPEC)
    forced = torch.zeros(50, 32, 2, dtype=torch.bool)
    forced[:, 16, 1] = True
    x = 2 * torch.randn(50, 32, 1, 3, generator=torch.Generator().manual_seed(0))
    streams = head(x, 1.0, torch.Generator().manual_seed(0), forced)[:, :, 0]
    held = streams[:, :, 0] * (1 - streams[:, :, 1])
    assert held[:, 16].sum() == 0
    assert held[:, 15].sum() > 0
    assert held[:, 0].sum() == 0, "a phrase forced with something new"


def test_no_more_notes_sound_than_there_are_voices():
    head = ChoiceHead([1], 6, (0, 0), 12, statistics(), SPEC, voices=3)
    with torch.no_grad():
        head.metre.fill_(-1.0)
        head.choose.bias.fill_(0.0)
    x = 3 * torch.randn(3, 32, 1, 6, generator=torch.Generator().manual_seed(0))
    assert head(x, 1.0, torch.Generator().manual_seed(0))[..., 0, :].sum(-1).max() == 3


@pytest.mark.parametrize("kind", [ChoiceHead, NeuronHead])
def test_the_same_seed_gives_the_same_notes(kind):
    head = kind([1], 3, (0, 0), 12, statistics(), SPEC)
    x = torch.randn(4, 32, 1, 3, generator=torch.Generator().manual_seed(0))
    first, again, other = (head(x, 1.0, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("kind", [ChoiceHead, NeuronHead])
def test_each_track_may_have_noise_of_its_own(kind):
    head = kind([0, 1], 3, (0, 0), 12, statistics(), SPEC)
    x = torch.randn(20, 32, 2, 3, generator=torch.Generator().manual_seed(0))
    still = head(x, 0.0, None)
    loud = head(x, torch.tensor([0.0, 1.0]), torch.Generator().manual_seed(1))
    assert torch.equal(loud[:, :, 0], still[:, :, 0])
    assert not torch.equal(loud[:, :, 1], still[:, :, 1])
