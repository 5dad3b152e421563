"""The generator: what it makes for latents, conditions and a context; samples do not depend on threads."""

import copy
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from gan.conditions import (
    KEY,
    STYLE,
    TEMPO,
    no_conditions,
)
from gan.context import (
    Context,
    StreamContext,
)
from gan.networks.generator import Generator
from gan.networks.heads import PitchedHead
from gan.networks.history import NUM_OWN
from gan.spec import HOLD, ONSET, RollSpec, Track
from gan.training.augmentation import draw_masks
from tests.gan import trio
from tests.gan.short_trio import SPEC, make_generator, mask_of, music
from tests.gan.trio import networks, sample_latents


@pytest.fixture(scope="module")
def generator() -> Generator:
    return make_generator()


def test_given_notes_come_back_to_the_bit_and_nothing_is_added_to_them(generator: Generator) -> None:
    rolls = torch.rand((40, *SPEC.shape), generator=torch.Generator().manual_seed(3)) < 0.1
    rolls[:, HOLD] &= ~rolls[:, ONSET]
    rolls[:, HOLD, 0] = False
    mask = draw_masks(40, SPEC, torch.Generator().manual_seed(4))
    made = generator.sample(sample_latents(generator, 40), Context(rolls, mask))
    under = mask[:, None, :, :, None, None].expand_as(rolls)
    assert torch.equal(made[under], rolls[under])


def test_every_held_step_of_what_is_made_belongs_to_a_note(generator: Generator) -> None:
    mask = draw_masks(12, SPEC, torch.Generator().manual_seed(5))
    made = generator.sample(sample_latents(generator, 12), Context(music(12), mask))
    sounding = made.any(1).flatten(2, 3)
    hold = made[:, HOLD].flatten(2, 3)
    before = torch.cat([torch.zeros_like(sounding[:, :, :1]), sounding[:, :, :-1]], dim=2)
    orphans = (hold & ~before).unflatten(2, (SPEC.bars, SPEC.steps_per_bar))
    assert not orphans[~mask].any()


def test_a_join_is_scored_where_a_given_bar_follows_a_made_one(generator: Generator) -> None:
    rolls, conditions = music(6), no_conditions(6, SPEC)
    for mask in (mask_of((2, 0)), mask_of((2, 0), (2, 1)), mask_of((2, 0), (1, 0))):
        assert (generator.join_log_probs(rolls, conditions, mask) == 0).all(), "given bars come first or are all"
    bass, both = (
        generator.join_log_probs(rolls, conditions, mask_of(*cells)) for cells in (((2, 1),), ((2, 1), (1, 1)))
    )
    assert (both < bass).all() and (bass < 0).all()
    streams, given = generator.encode(rolls), torch.zeros(6, SPEC.num_tracks, SPEC.bars, dtype=torch.bool)
    every = generator.log_probs(streams, generator.features(conditions, None), conditions, given)
    assert torch.allclose(bass, every[:, SPEC.steps_per_bar, 2], atol=1e-5)


def test_another_given_track_makes_another_accompaniment(generator: Generator) -> None:
    generator = copy.deepcopy(generator)
    for layer in (generator.context_to_steps, generator.context_to_beats):
        layer.weight.data *= 10  # as much as learning makes of it
    latents, mask = sample_latents(generator), mask_of((2, 0), (2, 1))
    first = generator.sample(latents, Context(music(6), mask))
    other = generator.sample(latents, Context(music(6, seed=8), mask))
    assert (first[:, :, :2] != other[:, :, :2]).flatten(1).any(1).float().mean() > 0.3


def test_notes_outside_the_mask_do_not_count(generator: Generator) -> None:
    latents, mask = sample_latents(generator), mask_of((1, 0))
    hidden = music(6)
    hidden[:, :, [0, 2]] = False
    hidden[:, :, 1, 1:] = False
    shown, masked = (generator.sample(latents, Context(rolls, mask)) for rolls in (music(6), hidden))
    assert torch.equal(shown, masked)


def test_a_context_is_encoded_alike_where_shapes_must_stay_the_same(
    generator: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    mask = draw_masks(12, SPEC, torch.Generator().manual_seed(5))
    context = StreamContext(generator.encode(music(12)), mask)
    looked_up = generator.encode_context(context)
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)  # as on a GPU
    torch.testing.assert_close(generator.encode_context(context), looked_up)
    assert not mask.flatten(1).any(1).all() and mask.any()


def test_tracks_that_are_not_known_are_silent_and_change_nothing(generator: Generator) -> None:
    latents = sample_latents(generator, 4)
    known = torch.ones(4, 3, dtype=torch.bool)
    known[:2, 1] = False
    made = generator.streams(latents, known=known)
    assert not made[:2, :, 1].any() and made[2:, :, 1].any()
    plain = generator.streams(latents)
    assert torch.equal(made[2:], plain[2:])
    log_probs = generator.log_probs(
        made, generator.features(latents.conditions, None), latents.conditions, mask_of(count=4), known
    )
    assert not log_probs[:2, :, 1].any() and log_probs[2:, :, 1].any() and log_probs[:, :, 2].any()


def test_notes_can_be_kept_in_the_key_and_in_the_chroma_requested() -> None:
    """By the pointers to these, which a network learns to use."""
    to_chroma, to_key = NUM_OWN + 4, NUM_OWN + 5
    d_major = {1, 2, 4, 6, 7, 9, 11}
    for pointer, key, chroma, expected in ((to_chroma, None, (2, 9), {2, 9}), (to_key, 2, (), d_major)):
        generator = make_generator()
        for head in generator.decoder.heads:
            if isinstance(head, PitchedHead):
                head.pointers.bias.data[pointer], head.pitch.bias.data[-1] = 1e3, 500.0  # else rather no note
        latents = sample_latents(generator, 12)
        conditions = no_conditions(12, SPEC)
        if key is not None:
            conditions[:, KEY] = key
        if chroma:
            conditions[:, generator.layout.chroma] = 0.0
            conditions[:, generator.layout.chroma.start + torch.tensor(chroma)] = 0.5
        rolls = generator.sample(replace(latents, conditions=conditions))
        sounding = rolls[:, :, list(SPEC.pitched)].any(1).flatten(0, 3).sum(0)
        wanted = [(SPEC.lowest_pitch + pitch) % 12 in expected for pitch in range(SPEC.num_pitches)]
        assert sounding[wanted].sum() > 0.9 * sounding.sum()  # but where all of these sound already


def test_chords_may_count_more_for_some_tracks() -> None:
    generator, _ = networks()
    conditions = sample_latents(generator).conditions
    learnt, twice, mixed = (generator.features(conditions, None, 1.0, one) for one in (1.0, 2.0, (2.0, 1.0, 2.0)))
    assert torch.equal(mixed[:, :, 1], learnt[:, :, 1]) and torch.equal(mixed[:, :, [0, 2]], twice[:, :, [0, 2]])
    assert not torch.equal(learnt, twice)


def test_where_chords_are_requested_the_chroma_is_open() -> None:
    """That of another phrase lacks some of their tones."""
    generator, _ = networks()
    layout = generator.layout
    requests = no_conditions(2, trio.SPEC)
    layout.chords_of(requests)[1, 0] = torch.tensor([7.0, 0.0, 7.0])
    conditions = generator.latents_for(requests, torch.Generator().manual_seed(0)).conditions
    assert not conditions[0, layout.chroma].isnan().any() and conditions[1, layout.chroma].isnan().all()


def test_nothing_given_is_composing(generator: Generator) -> None:
    latents = sample_latents(generator)
    nothing = Context(torch.zeros(6, *SPEC.shape, dtype=torch.bool), torch.zeros(6, *SPEC.shape[1:3], dtype=torch.bool))
    assert torch.equal(generator.sample(latents, nothing), generator.sample(latents))


def test_conditions_change_the_phrase_and_their_strength_says_how_much(generator: Generator) -> None:
    latents = sample_latents(generator)
    conditioned = latents.with_conditions(
        torch.full_like(latents.conditions, torch.nan).index_fill(1, torch.tensor([1]), 30.0)
    )
    plain, more, most = (generator.features(one.conditions, None) for one in (latents, conditioned, conditioned))
    assert not torch.equal(plain, more)
    assert torch.equal(generator.sample(conditioned), generator.sample(conditioned, condition_strength=1.0))
    nothing = torch.full_like(latents.conditions, torch.nan)
    unconditional = generator.features(conditioned.conditions, None, condition_strength=0.0)
    torch.testing.assert_close(unconditional, generator.features(nothing, None))
    half = generator.features(conditioned.conditions, None, condition_strength=0.5)
    torch.testing.assert_close(half, (unconditional + more) / 2)
    assert torch.equal(more, most)


def test_a_requested_density_is_followed_where_notes_are_struck_or_not(generator: Generator) -> None:
    """The decoder itself is told how many notes are missing."""
    latents = sample_latents(generator, 8)
    few, many = (latents.with_conditions(torch.full_like(latents.conditions, torch.nan)) for _ in range(2))
    few.conditions[:, 1], many.conditions[:, 1] = 1.0, 30.0
    same = generator.features(few.conditions, None)
    made = [generator.sample_streams(one, same, None, 1.0) for one in (few, many)]
    assert not torch.equal(*made)


def test_temperature_is_a_factor_of_the_models_own(generator: Generator) -> None:
    latents = sample_latents(generator, 2)
    plain = generator.sample(latents)
    assert torch.equal(generator.sample(latents, temperature=[1.0] * 3), plain)
    assert not torch.equal(generator.sample(latents, temperature=[1.0, 0.0, 1.0]), plain)
    others = generator.sample_latents(2, torch.Generator().manual_seed(7))
    others = others.with_conditions(latents.conditions)
    still = [generator.sample(one, temperature=[0.0] * 3) for one in (latents, others)]
    assert torch.equal(*still), "nothing is left to chance"


def test_open_conditions_are_imputed_from_the_nearest_phrases() -> None:
    generator, _ = networks()
    conditioned = no_conditions(40, trio.SPEC)
    conditioned[:, TEMPO] = 150.0
    conditioned[:20, 1] = 0.0
    filled = generator.latents_for(conditioned, torch.Generator().manual_seed(0)).conditions
    assert (filled[:, TEMPO] == 150).all()
    assert (filled[:20, 1] == 0).all() and filled[:20, 4].isnan().all(), "of a silent track nothing else is known"
    assert (filled[20:, :3] == torch.tensor([4.0, 4.0, 1.0])).all()
    nothing = generator.latents_for(no_conditions(200, trio.SPEC), torch.Generator().manual_seed(0)).conditions
    assert len(nothing[:, TEMPO].unique()) == 12, "where nothing is known, any phrase of the data will do"
    styled = no_conditions(30, trio.SPEC)
    styled[:, STYLE] = 1
    found = generator.latents_for(styled, torch.Generator().manual_seed(0)).conditions[:, TEMPO].unique().tolist()
    tempos = torch.linspace(80, 160, 12)[1::2]
    assert len(found) > 2 and all(any(abs(tempo - one) < 0.01 for one in tempos) for tempo in found)


def test_samples_are_rolls_and_the_same_latents_give_the_same_phrase():
    generator, discriminator = networks(SPEC, music())
    assert generator.decoder.order == (0, 2, 1), "drums, the bass, chords"
    assert generator.decoder.max_notes[2] == 1 < generator.decoder.max_notes[1]
    latents = generator.sample_latents(5, torch.Generator().manual_seed(1))
    rolls = generator.sample(latents)
    assert rolls.shape == (5, *SPEC.shape)
    assert rolls.dtype == torch.bool
    assert torch.equal(rolls, generator.sample(latents))
    assert not rolls[:, HOLD, 0].any(), "drums never hold"
    assert not (rolls[:, ONSET] & rolls[:, HOLD]).any()
    onset, hold = (rolls[:, plane].flatten(2, 3) for plane in (ONSET, HOLD))
    assert not (hold[:, :, 1:] & ~(onset | hold)[:, :, :-1]).any(), "a hold goes on from a note"
    assert not hold[:, :, 0].any()
    assert discriminator.score(rolls).shape == (5,)


@pytest.mark.parametrize(
    "spec",
    [
        RollSpec((Track("Lead"),), bars=1, beats_per_bar=3, steps_per_beat=12, num_pitches=20),
        RollSpec((Track("Lead"),), beats_per_bar=2, steps_per_beat=6, num_pitches=20, is_compound=True),
        RollSpec((Track("Drums", is_drum=True),), bars=3, num_pitches=20),
        RollSpec(tuple(Track(name) for name in "ABC"), bars=2, beats_per_bar=2, steps_per_beat=24, num_pitches=20),
    ],
)
def test_other_metres_and_track_sets_work(spec):
    rolls = torch.rand((4, *spec.shape), generator=torch.Generator().manual_seed(0)) < 0.02
    rolls[:, HOLD] = False
    generator, discriminator = networks(spec, rolls)
    made = generator.sample(generator.sample_latents(3, torch.Generator().manual_seed(0)))
    assert made.shape == (3, *spec.shape)
    assert discriminator.score(made).isfinite().all()


COUNT = 13


@pytest.fixture
def two_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("gan.networks.generator.MIN_ROWS", 4)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("condition_strength", [1.0, 0.5])
@pytest.mark.parametrize(
    "context", [None, Context(music(COUNT), draw_masks(COUNT, SPEC, torch.Generator().manual_seed(1)))]
)
def test_threads_make_the_phrases_that_one_makes(
    two_threads: None, context: Context | None, condition_strength: float
) -> None:
    generator = make_generator()
    latents = generator.sample_latents(COUNT, torch.Generator().manual_seed(2))
    shared = generator.sample(latents, context, condition_strength)
    torch.set_num_threads(1)
    alone = generator.sample(latents, context, condition_strength)
    assert len(alone.flatten(1).unique(dim=0)) == COUNT
    assert torch.equal(shared, alone)


def test_the_stronger_chords_count_the_more_of_the_music_are_their_tones(generator: Generator) -> None:
    generator, layout = copy.deepcopy(generator), generator.layout
    for head in generator.decoder.heads:
        if isinstance(head, PitchedHead):
            head.pointers.weight.data[-3:] = 0.0
            head.pointers.bias.data[-3:] = 2.0  # as learning makes it
    latents = sample_latents(generator, 24)
    chord = torch.tensor([2.0, 1.0, 2.0])  # D minor
    latents.conditions[:, layout.chords] = chord.repeat(SPEC.half_bars)
    shares = []
    for strength in (0.0, 1.0, 3.0):
        made = generator.sample(latents, chord_strength=strength)[:, ONSET, 1:].flatten(0, 3).sum(0)
        pitches = torch.arange(len(made)) + SPEC.lowest_pitch
        shares.append(float(made[torch.isin(pitches % 12, torch.tensor([2, 5, 9]))].sum() / made.sum()))
    assert shares[0] + 0.05 < shares[1] < shares[2] - 0.05
