"""Variations of known phrases by partial resampling: some beats stay as they are, the others are sampled anew.

As in Gibbs sampling of notes around the rest (DeepBach, Hadjeres and others 2017): the decoder takes the steps that
stay as given, so that the ones between them lead from note to note.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gan.conditions import DENSITY
from gan.context import Context, StreamContext, inpaint_streams, mask_of_steps
from gan.latents import Latents
from gan.networks.generator import Generator
from gan.rolls import to_rolls


@torch.no_grad()
def resample_beats(
    generator: Generator,
    latents: Latents,
    context: Context,
    resampled: Tensor,
    condition_strength: float = 1.0,
    temperature: float = 1.0,
    chord_strength: float | Sequence[float] = 1.0,
) -> Tensor:
    """Phrases with some beats made anew, bool rolls `[batch, *spec.shape]`.

    Parameters
    ----------
    generator
        Its device is used.
    latents
        What the new beats are made of, with the conditions of the phrases.
    context
        The phrases, whole; what lies under the mask comes back untouched, of the rest the beats that are not resampled.
    resampled
        Bool `[batch, beats, tracks]`, over all beats of the phrase.
    condition_strength, temperature, chord_strength
        As in `Generator.sample`, one temperature for all tracks.
    """
    spec = generator.spec
    given = StreamContext(generator.encode(context.rolls), context.mask)
    x = generator.features(latents.conditions, given, condition_strength, chord_strength)
    kept = mask_of_steps(context.mask, spec) | ~resampled.repeat_interleave(spec.steps_per_beat, dim=1)
    density = latents.conditions[:, generator.layout.attribute(DENSITY)]
    own = (temperature * generator.settings.rhythm_temperature, temperature * generator.settings.pitch_temperature)
    warmth = [own] * spec.num_tracks
    made = generator.decoder.sample(x, generator.decoder.noise(latents), density, warmth, given.streams, kept)
    return context.complete(to_rolls(inpaint_streams(made, given, spec), generator.lowest_pitches, spec))
