"""A trio of drums, piano and bass: phrases of it, and small networks for them."""

import torch

from gan.conditions import KEY, NUM_LABELS, STYLE, TEMPO, ConditionLayout, no_labels
from gan.latents import Latents
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.settings import AlbumGANSettings
from gan.spec import HOLD, ONSET, RollSpec, Track
from gan.statistics import DataStatistics

SPEC = RollSpec((Track("Drums", is_drum=True), Track("Piano"), Track("Bass")), bars=4, num_pitches=30, lowest_pitch=41)


LAYOUT = ConditionLayout.of(SPEC)


SMALL = AlbumGANSettings(
    latent_size=4, trunk_width=16, trunk_blocks=1, track_width=8, context_width=8, step_width=8, decoder_width=16
)


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


def networks(spec: RollSpec = SPEC, rolls: torch.Tensor | None = None) -> tuple[Generator, Discriminator]:
    """Networks that have learnt nothing, for the trio's music unless it is said for which."""
    labels = no_labels(12, spec)
    labels[:, KEY], labels[:, TEMPO], labels[:, STYLE] = 0, torch.linspace(80, 160, 12), torch.arange(12) % 2
    roots = (torch.arange(12) % 7).float().unsqueeze(1)
    labels[:, :-NUM_LABELS] = torch.cat([roots, torch.zeros(12, 1), roots], dim=1).repeat(1, spec.half_bars)
    statistics = DataStatistics.of([music()], spec, labels) if rolls is None else DataStatistics.of([rolls], spec)
    torch.manual_seed(0)
    return Generator(spec, statistics, SMALL), Discriminator(spec, statistics, SMALL)


def sample_latents(generator: Generator, count: int = 6) -> Latents:
    return generator.sample_latents(count, torch.Generator().manual_seed(1))


def lively(generator: Generator) -> Generator:
    """The generator with loud weights of its note heads, as learning makes them: what is before decides what comes."""
    with torch.no_grad():
        for weight in generator.decoder.heads.parameters():
            weight.mul_(10.0 if weight.dim() > 1 else 1.0)
    return generator


def mask_of(*cells: tuple[int, int], count: int = 6) -> torch.Tensor:
    mask = torch.zeros(count, SPEC.num_tracks, SPEC.bars, dtype=torch.bool)
    for track, bar in cells:
        mask[:, track, bar] = True
    return mask
