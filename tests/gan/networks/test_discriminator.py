"""The discriminator: what its score depends on."""

import torch

from gan.conditions import (
    conditions_of,
    no_conditions,
    no_labels,
)
from gan.context import Conditioning
from gan.networks.discriminator import PhraseEncoder
from gan.ops.cross_spectra import CrossSpectra, sounding_features
from gan.spec import ONSET, RollSpec, Track
from gan.statistics import DataStatistics
from tests.gan.trio import SMALL, SPEC, mask_of, music, networks


def test_the_score_depends_on_the_mask_and_on_what_is_known_alone() -> None:
    _, discriminator = networks()
    with torch.no_grad():
        discriminator.encoder.unknown += 1.0
    rolls, known = music()[:4], torch.ones(4, 3, dtype=torch.bool)
    conditions = conditions_of(rolls, no_labels(4, SPEC), SPEC)
    plain = discriminator.score(rolls, Conditioning(conditions, mask_of(count=4), known))
    assert torch.equal(plain, discriminator.score(rolls, Conditioning(conditions + 9, mask_of(count=4), known)))
    assert not torch.equal(plain, discriminator.score(rolls, Conditioning(conditions, mask_of((0, 1), count=4), known)))
    known[:, 1] = False
    assert not torch.equal(plain, discriminator.score(rolls, Conditioning(conditions, mask_of(count=4), known)))


def test_every_weight_of_the_discriminator_gets_a_gradient():
    generator, discriminator = networks()
    latents = generator.sample_latents(4, torch.Generator().manual_seed(1))
    streams = generator(latents)
    discriminator(
        streams,
        conditioning=Conditioning(
            latents.conditions, torch.ones(4, 3, 4, dtype=torch.bool), torch.zeros(4, 3, dtype=torch.bool)
        ),
    ).square().sum().backward()
    for name, weight in discriminator.named_parameters():
        assert weight.grad is not None and weight.grad.abs().sum() > 0, name


def test_discriminator_folds_octaves_with_the_lowest_pitch_and_leaves_drums_out():
    _, discriminator = networks()
    streams = torch.zeros(1, SPEC.num_steps, 3, 2, discriminator.encoder.pitch_range)
    low = SPEC.lowest_pitch + discriminator.encoder.lowest_pitches[1]
    streams[0, 0, 1, 0, 0] = 1.0
    streams[0, 0, 0, 0, 3] = 1.0  # a drum
    chroma = sounding_features(streams, SPEC.pitched, discriminator.encoder.maps)[:, :12, 0]
    assert chroma.shape == (2, 12)
    assert chroma[0].argmax() == low % 12
    assert chroma.sum() == 1
    lead = RollSpec((Track("Lead"),), bars=1, num_pitches=26, lowest_pitch=41)
    wide = torch.zeros((1, *lead.shape), dtype=torch.bool)
    wide[0, ONSET, 0, 0, 0, [0, 25]] = True  # the pitch_range spans two octaves
    _, discriminator = networks(lead, wide)
    streams = torch.zeros(1, 16, 1, 2, 26)
    streams[0, 0, 0, 0, [0, 12, 24]] = 1.0
    assert (
        sounding_features(streams, lead.pitched, discriminator.encoder.maps)[0, :12, 0].tolist()
        == [0.0] * 5 + [3.0] + [0.0] * 6
    )  # three times F


def test_two_batches_one_behind_the_other_score_like_each_alone():
    generator, discriminator = networks()
    conditioning = Conditioning(no_conditions(4, SPEC), torch.zeros(4, 3, 4, dtype=torch.bool))
    one, other = generator.encode(music(8)).split(4)
    logits = discriminator(one, other, conditioning=conditioning)
    alone = torch.cat([discriminator(one, conditioning=conditioning), discriminator(other, conditioning=conditioning)])
    assert torch.allclose(logits, alone, atol=1e-5)


def test_motion_tells_a_step_from_a_step_and_an_octave():
    statistics = DataStatistics.of([music()], SPEC)
    encoder = PhraseEncoder(SPEC, statistics, SMALL)
    found = []
    for move in (1, -11):
        streams = torch.zeros(1, SPEC.num_steps, 3, 2, encoder.pitch_range)
        streams[0, :8, 2, 0, 11] = 1.0
        streams[0, 8:, 2, 0, 11 + move] = 1.0
        products = CrossSpectra.apply(sounding_features(streams, SPEC.pitched, encoder.maps), encoder.spectra)
        found.append(products[12 + 14 :, 8])
    assert (found[0] - found[1]).abs().max() > 0.5
