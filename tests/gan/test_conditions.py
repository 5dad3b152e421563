"""What is given comes back, what is wished for is read, and the rest is made."""

import copy
from dataclasses import replace

import pytest
import torch

from gan.conditions import (
    DENSITY,
    KEY,
    LENGTH,
    SHORT,
    STYLE,
    TEMPO,
    VOICES,
    ConditionEncoder,
    ConditionLayout,
    conditions_of,
    interpolate_conditions,
    no_conditions,
    no_labels,
    transpose_conditions,
)
from gan.context import (
    Conditioning,
    Context,
    HarmonicContext,
    StreamContext,
    conditions_of_context,
    forced_onsets,
    inpaint_streams,
)
from gan.latents import Latents
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator, lowest_tracks
from gan.rolls import STREAM_ONSET, STREAM_SOUNDING, Batch, to_streams
from gan.settings import ModelSettings, TrainSettings
from gan.spec import HOLD, ONSET, RollSpec, Track
from gan.statistics import DataStatistics
from gan.training.attribute_loss import attribute_loss
from gan.training.augmentation import draw_masks, drop_conditions, matching_loss
from gan.training.trainer import Trainer

SPEC = RollSpec((Track("Drums", is_drum=True), Track("Piano"), Track("Bass")), bars=4, num_pitches=30, lowest_pitch=41)
LAYOUT = ConditionLayout.of(SPEC)
SMALL = ModelSettings(latent_size=4, trunk_width=16, trunk_blocks=1, track_width=8, context_width=8, step_width=8)


def music(count: int = 12, seed: int = 0) -> torch.Tensor:
    """Drums on the beat, chords of two beats in the piano and a bass whose notes ring over the bar line."""
    random = torch.Generator().manual_seed(seed)
    rolls = torch.zeros((count, *SPEC.shape), dtype=torch.bool)
    for index in range(count):
        pitch = int(torch.randint(0, 12, (), generator=random))
        rolls[index, ONSET, 0, :, ::4, 3] = True
        rolls[index, ONSET, 1, :, ::8, [pitch, pitch + 4]] = True
        rolls[index, HOLD, 1, :, 1:7, [pitch, pitch + 4]] = True
        bass = rolls[index, :, 2].flatten(1, 2)
        bass[ONSET, 12::16, pitch] = True
        for start in range(12, 64, 16):
            bass[HOLD, start + 1 : start + 8, pitch] = True
        rolls[index, :, 2] = bass.unflatten(1, (SPEC.bars, SPEC.steps_per_bar))
    return rolls


def networks() -> tuple[Generator, Discriminator]:
    labels = no_labels(12)
    labels[:, KEY], labels[:, TEMPO], labels[:, STYLE] = 0, torch.linspace(80, 160, 12), torch.arange(12) % 2
    statistics = DataStatistics.of([music()], SPEC, labels)
    torch.manual_seed(0)
    return Generator(SPEC, statistics, SMALL), Discriminator(SPEC, statistics, SMALL)


@pytest.fixture(scope="module")
def generator() -> Generator:
    return networks()[0]


def sample_latents(generator: Generator, count: int = 6) -> Latents:
    return generator.sample_latents(count, torch.Generator().manual_seed(1))


def freely(generator: Generator, latents: Latents, given: Context | None = None) -> torch.Tensor:
    """Samples with the same noise each time: a generator that has learnt nothing is silent without."""
    return generator.sample(latents, given, temperature=[1, 1, 1], generator=torch.Generator().manual_seed(2))


def mask_of(*cells: tuple[int, int], count: int = 6) -> torch.Tensor:
    mask = torch.zeros(count, SPEC.num_tracks, SPEC.bars, dtype=torch.bool)
    for track, bar in cells:
        mask[:, track, bar] = True
    return mask


def test_given_notes_come_back_to_the_bit_and_nothing_is_added_to_them(generator: Generator) -> None:
    rolls = torch.rand((40, *SPEC.shape), generator=torch.Generator().manual_seed(3)) < 0.1
    rolls[:, HOLD] &= ~rolls[:, ONSET]
    rolls[:, HOLD, 0] = False
    mask = draw_masks(40, SPEC, torch.Generator().manual_seed(4))
    made = freely(generator, sample_latents(generator, 40), Context(rolls, mask))
    under = mask[:, None, :, :, None, None].expand_as(rolls)
    assert torch.equal(made[under], rolls[under])


def test_every_held_step_of_what_is_made_belongs_to_a_note(generator: Generator) -> None:
    mask = draw_masks(12, SPEC, torch.Generator().manual_seed(5))
    made = freely(generator, sample_latents(generator, 12), Context(music(), mask))
    sounding = made.any(1).flatten(2, 3)
    hold = made[:, HOLD].flatten(2, 3)
    begun = torch.cat([torch.zeros_like(sounding[:, :, :1]), sounding[:, :, :-1]], dim=2)
    orphans = (hold & ~begun).unflatten(2, (SPEC.bars, SPEC.steps_per_bar))
    assert not orphans[~mask].any()


def test_another_given_track_makes_another_accompaniment(generator: Generator) -> None:
    generator = copy.deepcopy(generator)
    for layer in (generator.context_to_steps, generator.context_to_beats):
        layer.weight.data *= 10  # as much as learning makes of it
    latents, mask = sample_latents(generator), mask_of((2, 0), (2, 1), (2, 2), (2, 3))
    first = freely(generator, latents, Context(music()[:6], mask))
    other = freely(generator, latents, Context(music(seed=8)[:6], mask))
    assert (first[:, :, :2] != other[:, :, :2]).flatten(1).any(1).float().mean() > 0.3


def test_what_lies_beside_the_mask_is_not_heard(generator: Generator) -> None:
    latents, mask = sample_latents(generator), mask_of((1, 0), (1, 1))
    hidden = music()[:6]
    hidden[:, :, [0, 2]] = False
    hidden[:, :, 1, 2:] = False
    heard, unheard = (freely(generator, latents, Context(rolls, mask)) for rolls in (music()[:6], hidden))
    assert torch.equal(heard, unheard)


def test_nothing_given_is_composing(generator: Generator) -> None:
    latents = sample_latents(generator)
    nothing = Context(torch.zeros(6, *SPEC.shape, dtype=torch.bool), torch.zeros(6, *SPEC.shape[1:3], dtype=torch.bool))
    assert torch.equal(freely(generator, latents, nothing), freely(generator, latents))


def test_a_rehearsal_keeps_the_lowest_track_and_makes_the_others_anew(generator: Generator) -> None:
    latents = sample_latents(generator)
    made = {}
    for count in (0, 1, 2):
        band = copy.deepcopy(generator)
        band.settings = replace(SMALL, refinement_steps=count)
        band.harmonic_context.interval_gains.data *= 20  # as much as learning makes of it
        made[count] = freely(band, latents)
    for count in (1, 2):
        kept = lowest_tracks(made[count - 1], count, SPEC)
        assert not kept[:, 0].any(), "drums come last"
        for row, track in kept.nonzero().tolist():
            assert torch.equal(made[count][row, :, track], made[count - 1][row, :, track])
    assert not torch.equal(made[1], made[0])


def test_the_lowest_tracks_are_those_with_the_lowest_notes() -> None:
    rolls = torch.zeros(2, *SPEC.shape, dtype=torch.bool)
    rolls[:, ONSET, 0, 0, 0, 0] = True
    rolls[:, ONSET, 1, 0, 0, 5] = True
    rolls[0, ONSET, 2, 0, 0, 9] = True
    assert lowest_tracks(rolls, 1, SPEC).tolist() == [[False, True, False]] * 2
    assert lowest_tracks(rolls, 2, SPEC).tolist() == [[False, True, True]] * 2, (
        "silence is above what sounds, drums are last"
    )
    assert lowest_tracks(rolls, 3, SPEC).all()


def test_wishes_change_the_phrase_and_guidance_says_how_much(generator: Generator) -> None:
    latents = sample_latents(generator)
    asked = latents.with_conditions(
        torch.full_like(latents.conditions, torch.nan).index_fill(1, torch.tensor([1]), 30.0)
    )
    plain, more, most = (generator.compute(one, None) for one in (latents, asked, asked))
    assert not torch.equal(plain, more)
    assert torch.equal(generator.sample(asked), generator.sample(asked, condition_strength=1.0))
    unasked = generator(asked, condition_strength=0.0)
    nothing = latents.with_conditions(latents.conditions)
    nothing.conditions.fill_(torch.nan)
    assert torch.equal(unasked, generator(nothing))
    assert not torch.equal(generator(asked, condition_strength=0.5), generator(asked))
    assert torch.equal(more, most)


def test_temperature_frees_the_tracks_that_it_is_given_for(generator: Generator) -> None:
    latents = sample_latents(generator)
    still = generator.sample(latents)
    freed = generator.sample(latents, temperature=[0, 1, 0], generator=torch.Generator().manual_seed(2))
    assert torch.equal(freed[:, :, [0, 2]], still[:, :, [0, 2]])
    assert not torch.equal(freed[:, :, 1], still[:, :, 1])


def test_a_note_cut_by_the_mask_is_struck_unless_what_is_made_leads_up_to_it() -> None:
    rolls = music()[:1]
    streams = to_streams(rolls, (0, 0, 0), SPEC.num_pitches)
    mask = mask_of((2, 1), count=1)  # the bass note of bar 1 rings on into bar 2
    pitch = int(rolls[0, ONSET, 2, 0, 12].nonzero())
    silent = inpaint_streams(torch.zeros_like(streams), StreamContext(streams, mask), SPEC)
    assert silent[0, 16, 2, STREAM_ONSET, pitch] == 1
    assert silent[0, 16, 2, STREAM_SOUNDING, pitch] == 1
    led = inpaint_streams(streams.clone(), StreamContext(streams, mask), SPEC)
    assert torch.equal(led, streams)


def test_made_bars_begin_something_after_given_ones() -> None:
    begins = forced_onsets(mask_of((1, 1), (1, 2), count=1), SPEC)
    assert begins.nonzero().tolist() == [[0, 48, 1]]


def test_masks_leave_something_to_be_made_and_half_of_them_nothing_given() -> None:
    masks = draw_masks(4000, SPEC, torch.Generator().manual_seed(0)).flatten(1)
    assert not masks.all(1).any()
    assert (~masks.any(1)).float().mean() == pytest.approx(0.5, abs=0.03)
    assert torch.equal(masks, draw_masks(4000, SPEC, torch.Generator().manual_seed(0)).flatten(1))
    one = RollSpec((Track("Tune"),), bars=1)
    assert not draw_masks(50, one, torch.Generator().manual_seed(0)).any()


def test_the_discriminator_reads_what_was_asked() -> None:
    _, discriminator = networks()
    rolls, labels = music()[:4], no_labels(4)
    conditions = conditions_of(rolls, labels, SPEC)
    plain = discriminator.score(rolls, Conditioning(conditions, mask_of(count=4)))
    assert not torch.equal(plain, discriminator.score(rolls, Conditioning(conditions + 9, mask_of(count=4))))
    assert not torch.equal(plain, discriminator.score(rolls, Conditioning(conditions, mask_of((0, 1), count=4))))


def test_wishes_are_what_musicians_would_count() -> None:
    labels = torch.tensor([[14.0, 120.0, 1.0]])
    row, layout = conditions_of(music(1), labels, SPEC)[0], LAYOUT
    assert row[layout.attribute(DENSITY)].tolist() == [4.0, 4.0, 1.0]
    assert row[layout.attribute(LENGTH)].tolist() == [0.25, 1.0, 1.75]  # a chord of seven steps, one of a single step
    assert row[layout.attribute(VOICES)].tolist() == [1.0, 2.0, 1.0]
    assert row[layout.attribute(SHORT)].tolist() == [1.0, 0.5, 0.0]
    assert row[layout.rhythm].tolist() == pytest.approx(
        [3 / 9, 0, 0, 0, 1 / 9, 0, 0, 0, 3 / 9, 0, 0, 0, 2 / 9, 0, 0, 0]
    )
    root = int(music(1)[0, ONSET, 1].nonzero()[0, 2])
    heard = torch.zeros(12)
    heard[[(SPEC.lowest_pitch + root) % 12, (SPEC.lowest_pitch + root + 4) % 12]] = torch.tensor([8.0 + 7, 8.0]) / 23
    assert row[layout.chroma].tolist() == pytest.approx(heard.tolist(), abs=0.02)
    assert row[-3:].tolist() == [14.0, 120.0, 1.0]


def test_wishes_of_crowded_phrases_of_any_length_are_counted_in_full() -> None:
    spec = replace(SPEC, bars=20)
    rolls = torch.rand(2, *spec.shape, generator=torch.Generator().manual_seed(0)) < 0.9
    row, layout = conditions_of(rolls, no_labels(2), spec)[1], LAYOUT
    onset, hold = rolls[1].flatten(2, 3)
    sounding, notes = onset | hold, onset.sum((1, 2))
    long = (onset[:, :-1] & hold[:, 1:]).sum((1, 2))
    assert row[layout.attribute(DENSITY)].tolist() == (notes / 20).tolist()
    assert row[layout.attribute(LENGTH)].tolist() == (sounding.sum((1, 2)) / notes / 4).tolist()
    assert row[layout.attribute(VOICES)].tolist() == (sounding.sum((1, 2)) / sounding.any(2).sum(1)).tolist()
    assert row[layout.attribute(SHORT)].tolist() == ((notes - long) / notes).tolist()
    assert row[layout.rhythm].tolist() == (rolls[1, ONSET].sum((0, 1, 3)) / notes.sum()).tolist()
    pitches = sounding[1:].sum((0, 1))
    chroma = torch.stack([pitches[(place - spec.lowest_pitch) % 12 :: 12].sum() for place in range(12)])
    assert row[layout.chroma].tolist() == (chroma / chroma.sum()).tolist()


def test_of_silence_only_the_densities_are_known() -> None:
    row = conditions_of(torch.zeros(1, *SPEC.shape, dtype=torch.bool), no_labels(1), SPEC)[0]
    assert row[:3].tolist() == [0.0, 0.0, 0.0]
    assert row[3:].isnan().all()


def test_what_is_left_out_reads_as_zeros_and_silence_is_no_gap() -> None:
    statistics = DataStatistics.of([music()], SPEC, torch.tensor([[0.0, 120.0, 1.0]] * 12))
    encoder = ConditionEncoder(SPEC, statistics.examples, statistics.num_styles)
    nothing = no_conditions(1, SPEC)
    assert encoder(nothing).shape == (1, encoder.size)
    assert not encoder(nothing).any()
    for place in range(LAYOUT.size):
        one = nothing.clone()
        one[0, place] = 0.3 if LAYOUT.rhythm.start <= place < LAYOUT.chroma.stop else 1.0
        if (
            not LAYOUT.rhythm.start < place < LAYOUT.rhythm.stop
            and not LAYOUT.chroma.start < place < LAYOUT.chroma.stop
        ):
            assert encoder(one).any(), place
    silent = nothing.clone()
    silent[0, 1] = 0.0
    assert encoder(silent).any()
    assert encoder(conditions_of(music(), torch.tensor([[14.0, 120, 1]] * 12), SPEC)).isfinite().all()


def test_given_tracks_ask_for_more_like_them() -> None:
    conditions = conditions_of_context(Context(music(6), mask_of((1, 0), (1, 1), (1, 2), (1, 3), (2, 0))), SPEC)
    row = conditions[0]
    assert row[LAYOUT.attribute(DENSITY)].isnan().tolist() == [True, False, True], "one bar of the bass says little"
    assert row[1] == 4.0
    assert row[LAYOUT.rhythm].sum() == pytest.approx(1.0)
    assert row[LAYOUT.rhythm][4] == 0.0, "the drums are not heard"
    assert row[-3:].isnan().all()


def test_gaps_are_filled_from_phrases_like_what_is_asked(generator: Generator) -> None:
    asked = no_conditions(40, SPEC)
    asked[:, TEMPO] = 150.0
    asked[:20, 1] = 0.0
    filled = generator.latents_for(asked, torch.Generator().manual_seed(0)).conditions
    assert (filled[:, TEMPO] == 150).all()
    assert (filled[:20, 1] == 0).all() and filled[:20, 4].isnan().all(), "of a silent track nothing else is known"
    assert (filled[20:, :3] == torch.tensor([4.0, 4.0, 1.0])).all()
    nothing = generator.latents_for(no_conditions(200, SPEC), torch.Generator().manual_seed(0)).conditions
    assert len(nothing[:, TEMPO].unique()) == 12, "where nothing is asked, any phrase of the data will do"
    styled = no_conditions(30, SPEC)
    styled[:, STYLE] = 1
    found = generator.latents_for(styled, torch.Generator().manual_seed(0)).conditions[:, TEMPO].unique().tolist()
    tempos = torch.linspace(80, 160, 12)[1::2]
    assert len(found) > 2 and all(any(abs(tempo - one) < 0.01 for one in tempos) for tempo in found)


def test_wishes_are_left_out_all_together_or_one_by_one() -> None:
    conditions = torch.ones(4000, LAYOUT.size)
    gaps = drop_conditions(conditions, LAYOUT, 0.1, 0.2, torch.Generator().manual_seed(0)).isnan()
    assert gaps.all(1).float().mean() == pytest.approx(0.1, abs=0.02)
    assert gaps.float().mean() == pytest.approx(0.28, abs=0.02)
    for whole in (LAYOUT.rhythm, LAYOUT.chroma):
        assert torch.equal(gaps[:, whole].any(1), gaps[:, whole].all(1))


def test_a_transposed_phrase_asks_for_its_transposed_key_and_chroma() -> None:
    rolls, labels = music(3), torch.tensor([[11.0, 90, 0], [13, 90, 0], [torch.nan, 90, 0]])
    shift = torch.tensor([2, -2, 5])
    moved = transpose_conditions(conditions_of(rolls, labels, SPEC), shift, LAYOUT)
    assert moved[:2, KEY].tolist() == [1.0, 23.0]
    assert moved[2, KEY].isnan()
    for row, by in enumerate(shift.tolist()):
        other = rolls[row : row + 1].clone()
        other[:, :, 1:] = other[:, :, 1:].roll(by, -1)
        asked = conditions_of(other, labels[:1], SPEC)[0]
        assert torch.allclose(moved[row, LAYOUT.chroma], asked[LAYOUT.chroma])


def test_obedience_is_measured_by_what_was_asked() -> None:
    streams = to_streams(music(4), (0, 0, 0), SPEC.num_pitches)
    conditions = conditions_of(music(4), no_labels(4), SPEC)

    def missed(fake: torch.Tensor, asked: torch.Tensor) -> float:
        return attribute_loss(fake, streams, asked, SPEC).item()

    assert missed(streams, conditions) == 0.0
    thin = streams.clone()
    thin[:, 32:, 0] = 0
    assert missed(thin, conditions) > 0.1
    assert missed(thin, no_conditions(4, SPEC)) == 0.0, "nothing was asked"
    others = conditions.clone()
    others[:, LAYOUT.attribute(DENSITY)] = torch.nan
    others[:, LAYOUT.rhythm] = torch.nan
    assert missed(thin, others) < missed(thin, conditions) / 2
    late = streams.roll(1, 1)
    assert missed(late, conditions) > 0.1, "another rhythm"


def test_half_way_between_two_wishes_numbers_are_half_way_and_styles_are_not() -> None:
    start, end = torch.tensor([[2.0, 0.0, 100.0, 0.0]]), torch.tensor([[6.0, 12.0, torch.nan, 1.0]])
    assert interpolate_conditions(start, end, 0.25)[0].tolist() == [3.0, 0.0, 100.0, 0.0]
    later = interpolate_conditions(start, end, 0.75)[0]
    assert later[:2].tolist() == [5.0, 12.0]
    assert later[2].isnan() and later[3] == 1.0


def test_intervals_that_are_often_heard_fit_better() -> None:
    gains = torch.tensor(DataStatistics.of([music(96)], SPEC).harmony)
    assert gains.shape == (3, 12)
    assert not gains[0].any(), "drums have no pitches"
    assert not gains[2].any(), "the bass begins when nobody else sounds"
    others = [size for size in range(12) if size not in (0, 4)]
    assert gains[1, [0, 4]].min() > 1, "the piano plays root and third of the bass"
    assert gains[1, others].max() < -1


def test_what_fits_a_given_note_lies_as_far_above_it_as_the_data_has_it() -> None:
    gains = [[0.0] * 12, [0.0] * 12, [0.0] * 4 + [1.5] + [0.0] * 7]  # the bass likes to be four semitones above
    beside = HarmonicContext(SPEC, (0, 0, 0), SPEC.num_pitches, gains)
    rolls = torch.zeros(1, *SPEC.shape, dtype=torch.bool)
    note = 7
    rolls[0, ONSET, 1, 0, 0, note] = True
    rolls[0, HOLD, 1, 0, 1:3, note] = True
    rolls[0, ONSET, 0, 0, 4, 3] = True
    streams = to_streams(rolls, (0, 0, 0), SPEC.num_pitches)
    heard = beside(StreamContext(streams, mask_of((1, 0), (0, 0), count=1)))[0]
    wanted = (SPEC.lowest_pitch + note + 4) % 12
    assert heard[:3, 2, :12].nonzero().tolist() == [[step, wanted] for step in range(3)]
    assert heard[3:, :, :12].sum() == 0
    assert heard[:, 2, 12:].nonzero().tolist() == [[0, 0], [0, 2], [1, 2], [2, 2], [4, 1]], "begins, drum, sounds"
    assert not beside(StreamContext(streams, mask_of(count=1))).any(), "nothing given, nothing heard"


def test_mismatched_phrases_are_whole_tracks_of_two_phrases() -> None:
    streams = to_streams(music(12), (0, 0, 0), SPEC.num_pitches)
    whole, mixed, asked = matching_loss(streams, SPEC, torch.Generator().manual_seed(0))
    assert torch.equal(whole, streams[::2])
    for row in range(6):
        own = [torch.equal(mixed[row, :, track], streams[2 * row, :, track]) for track in range(3)]
        lent = [torch.equal(mixed[row, :, track], streams[2 * row + 1, :, track]) for track in range(3)]
        assert all(a or b for a, b in zip(own, lent, strict=True))
    assert asked.conditions.isnan().all()
    many = matching_loss(streams.repeat(40, 1, 1, 1, 1), SPEC, torch.Generator().manual_seed(1))[2].mask
    assert not many.flatten(1).all(1).any()
    assert (~many.flatten(1).any(1)).float().mean() == pytest.approx(1 / 3, abs=0.1)


def test_training_gives_every_weight_of_both_networks_a_gradient() -> None:
    labels = torch.tensor([[0.0, 120.0, 1.0]]).repeat(12, 1)
    trainer = Trainer(SPEC, DataStatistics.of([music()], SPEC, labels), SMALL, TrainSettings(batch_size=12), seed=0)
    trainer.train_step(Batch(music(), labels))
    for network in (trainer.generator, trainer.discriminator):
        for name, weight in network.named_parameters():
            if not name.startswith("score") or name.endswith("weight"):  # pairs leave no trace of what is added to both
                assert weight.grad is not None and weight.grad.any(), name
