"""Generator and discriminator: shapes, seeds, what they hear."""

import pytest
import torch

from gan.conditions import no_conditions
from gan.context import Conditioning, StreamContext
from gan.latents import Latents
from gan.networks.discriminator import Discriminator, PhraseEncoder
from gan.networks.generator import Generator
from gan.ops.cross_spectra import CrossSpectra, sounding_features
from gan.rolls import STREAM_ONSET
from gan.settings import ModelSettings, TrainSettings
from gan.spec import HOLD, ONSET, RollSpec, Track
from gan.statistics import DataStatistics

BAND = RollSpec((Track("Drums", is_drum=True), Track("Piano"), Track("Bass")), bars=2, num_pitches=30, lowest_pitch=41)
SMALL = ModelSettings(
    latent_size=4, trunk_width=16, trunk_blocks=1, track_width=8, step_width=8, beat_width=16, bar_width=16
)


def band_rolls(count: int = 8) -> torch.Tensor:
    """A beat, broken chords and a bass line, each phrase a little different."""
    rolls = torch.zeros((count, *BAND.shape), dtype=torch.bool)
    for index in range(count):
        rolls[index, ONSET, 0, :, ::4, 2 + index % 3] = True
        rolls[index, ONSET, 1, :, ::8, index % 5 : index % 5 + 9 : 4] = True
        rolls[index, HOLD, 1, :, 1:6, index % 5 : index % 5 + 9 : 4] = True
        rolls[index, ONSET, 2, :, ::4, index % 7] = True
        rolls[index, HOLD, 2, :, 1:3, index % 7] = True
    return rolls


def networks(spec: RollSpec = BAND, rolls: torch.Tensor | None = None) -> tuple[Generator, Discriminator]:
    statistics = DataStatistics.of([band_rolls() if rolls is None else rolls], spec)
    torch.manual_seed(0)
    return Generator(spec, statistics, SMALL), Discriminator(spec, statistics, SMALL)


def test_samples_are_rolls_and_the_same_latents_give_the_same_phrase():
    generator, discriminator = networks()
    assert generator.heads_of_tracks == ("neurons", "voices", "choice")
    latents = generator.sample_latents(5, torch.Generator().manual_seed(1))
    rolls = generator.sample(latents)
    assert rolls.shape == (5, *BAND.shape)
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
        RollSpec((Track("Drums", is_drum=True),), bars=3, num_pitches=20),
        RollSpec(tuple(Track(name) for name in "ABC"), bars=4, steps_per_beat=24, num_pitches=20),
    ],
)
def test_other_metres_and_track_sets_work(spec):
    rolls = torch.rand((4, *spec.shape), generator=torch.Generator().manual_seed(0)) < 0.02
    rolls[:, HOLD] = False
    generator, discriminator = networks(spec, rolls)
    made = generator.sample(generator.sample_latents(3, torch.Generator().manual_seed(0)))
    assert made.shape == (3, *spec.shape)
    assert discriminator.score(made).isfinite().all()


def test_every_latent_and_every_weight_of_the_generator_gets_a_gradient():
    generator, discriminator = networks()
    latents = generator.sample_latents(4, torch.Generator().manual_seed(1))
    values = {name: value.requires_grad_(name != "conditions") for name, value in latents.to_dict().items()}
    mask = torch.rand(4, 3, 2, generator=torch.Generator().manual_seed(0)) < 0.5
    context = StreamContext(generator.encode(band_rolls()[:4]), mask)
    discriminator(generator(Latents.from_dict(values), 1.0, torch.Generator().manual_seed(2), context)).sum().backward()
    del values["conditions"]
    for name, value in values.items():
        assert value.grad.abs().sum() > 0, name
    for name, weight in generator.named_parameters():
        assert weight.grad is not None and weight.grad.abs().sum() > 0, name


def test_every_weight_of_the_discriminator_gets_a_gradient():
    generator, discriminator = networks()
    latents = generator.sample_latents(4, torch.Generator().manual_seed(1))
    with torch.no_grad():
        streams = generator(latents, 1.0, torch.Generator().manual_seed(2))
    discriminator(
        streams, conditioning=Conditioning(latents.conditions, torch.ones(4, 3, 2, dtype=torch.bool))
    ).square().sum().backward()
    for name, weight in discriminator.named_parameters():
        assert weight.grad is not None and weight.grad.abs().sum() > 0, name


def test_discriminator_folds_octaves_with_the_lowest_pitch_and_leaves_drums_out():
    _, discriminator = networks()
    streams = torch.zeros(1, BAND.num_steps, 3, 2, discriminator.encoder.pitch_range)
    low = BAND.lowest_pitch + discriminator.encoder.lowest_pitches[1]
    streams[0, 0, 1, 0, 0] = 1.0
    streams[0, 0, 0, 0, 3] = 1.0  # a drum
    chroma = sounding_features(streams, BAND.pitched, discriminator.encoder.maps)[:, :12, 0]
    assert chroma.shape == (2, 12)
    assert chroma[0].argmax() == low % 12
    assert chroma.sum() == 1
    lead = RollSpec((Track("Lead"),), bars=1, num_pitches=26, lowest_pitch=41)
    wide = torch.zeros((1, *lead.shape), dtype=torch.bool)
    wide[0, ONSET, 0, 0, 0, [0, 25]] = True  # the pitch_range spans two octaves
    _, discriminator = networks(lead, wide)
    streams = torch.zeros(1, 16, 1, 2, 26)
    streams[0, 0, 0, 0, [0, 12, 24]] = 1.0
    assert sounding_features(streams, lead.pitched, discriminator.encoder.maps)[0, :12, 0].tolist() == [
        0,
        0,
        0,
        0,
        0,
        3,
        0,
        0,
        0,
        0,
        0,
        0,
    ]  # three times F


def test_two_batches_one_behind_the_other_score_like_each_alone():
    generator, discriminator = networks()
    conditioning = Conditioning(no_conditions(4, BAND), torch.zeros(4, 3, 2, dtype=torch.bool))
    one, other = generator.encode(band_rolls()).split(4)
    logits = discriminator(one, other, conditioning=conditioning)
    alone = torch.cat([discriminator(one, conditioning=conditioning), discriminator(other, conditioning=conditioning)])
    assert torch.allclose(logits, alone, atol=1e-5)


def test_varied_latents_keep_the_phrase_and_stay_gaussian():
    random = torch.Generator().manual_seed(0)
    latents = Latents.sample(no_conditions(2000, BAND), 3, 8, random)
    varied = latents.vary(0.3, random)
    assert torch.equal(varied.z, latents.z)
    assert torch.equal(varied.z_track, latents.z_track)
    for name in ("z_time", "z_track_time"):
        value = varied.to_dict()[name]
        assert value.std().item() == pytest.approx(1.0, abs=0.02)
        closeness = (value * latents.to_dict()[name]).mean().item()
        assert closeness == pytest.approx(0.891, abs=0.03)  # cos(0.3 * 90 degrees)
    assert torch.equal(latents.vary(0.0, random).z_time, latents.z_time)
    with pytest.raises(ValueError, match="amount"):
        latents.vary(1.5, random)


def test_interpolation_runs_from_one_end_to_the_other_on_the_sphere():
    random = torch.Generator().manual_seed(0)
    first, second = (Latents.sample(no_conditions(200, BAND), 3, 64, random) for _ in range(2))
    assert torch.allclose(first.interpolate(second, 0.0).z, first.z, atol=1e-5)
    assert torch.allclose(first.interpolate(second, 1.0).z_track, second.z_track, atol=1e-5)
    half = first.interpolate(second, 0.5).z.norm(dim=-1).mean()
    assert half.item() == pytest.approx(8.0, rel=0.03), "no shorter than the ends, unlike a straight line"


def test_latents_are_seeded_indexed_and_saved():
    latents = Latents.sample(no_conditions(3, BAND), 3, 4, torch.Generator().manual_seed(5))
    again = Latents.sample(no_conditions(3, BAND), 3, 4, torch.Generator().manual_seed(5))
    assert torch.equal(latents.z_track_time, again.z_track_time)
    assert torch.equal(latents[1:2].z, again.z[1:2])
    joined = Latents.cat([latents[0:1], Latents.from_dict(latents.to_dict())[1:3]])
    assert torch.equal(joined.z_track, latents.z_track)
    assert len(joined) == 3


def test_choice_tracks_never_play_two_notes_at_once():
    generator, _ = networks()
    latents = generator.sample_latents(16, torch.Generator().manual_seed(1))
    with torch.no_grad():
        streams = generator(latents, 1.0, torch.Generator().manual_seed(2))
    assert streams[:, :, 2, STREAM_ONSET].sum(-1).max() <= 1
    assert streams[:, :, 1, STREAM_ONSET].sum(-1).max() > 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (TrainSettings(batch_size=1), "train.batch_size must be at least 2, not 1"),
        (TrainSettings(minutes=0), "train.minutes must be above 0"),
        (TrainSettings(ema_decay=1.0), "train.ema_decay"),
        (ModelSettings(heads="both"), "model.heads must be one of auto, choice, voices, neurons, not both"),
        (ModelSettings(trunk_width=0), "model.trunk_width must be at least 1"),
    ],
)
def test_a_wrong_setting_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        settings.check()


def test_motion_tells_a_step_from_a_step_and_an_octave():
    statistics = DataStatistics.of([band_rolls()], BAND)
    encoder = PhraseEncoder(BAND, statistics, SMALL)
    found = []
    for move in (1, -11):
        streams = torch.zeros(1, BAND.num_steps, 3, 2, encoder.pitch_range)
        streams[0, :8, 2, 0, 11] = 1.0
        streams[0, 8:, 2, 0, 11 + move] = 1.0
        products = CrossSpectra.apply(sounding_features(streams, BAND.pitched, encoder.maps), encoder.spectra)
        found.append(products[12 + 14 :, 8])
    assert (found[0] - found[1]).abs().max() > 0.5
