"""Stems that drums are trained on."""

from __future__ import annotations

import numpy as np

from pipeline.transcription.drums.drum_map import DRUMS
from pipeline.transcription.training import drum_stems
from pipeline.transcription.training.drum_stems import drum_stem
from pipeline.transcription.training.rendering.sampled_kits import OTHER_PERCUSSION, SampledKit
from tests.sound_makers import HAT, KICK, rock


def test_a_drum_stem_knows_the_hits_that_its_kit_can_play() -> None:
    click = [[np.ones(300, np.float32)]]
    kit = SampledKit({KICK: click, HAT: click, OTHER_PERCUSSION: click})
    for seed in range(8):
        stem = drum_stem(rock(), rock(), kit, np.random.default_rng(seed))
        assert len(stem.log_power) == int(drum_stems.SECONDS * 100) + 1
        played = {DRUMS[row] for row in stem.hits[:, 1].astype(int)}
        assert played <= {KICK, HAT}
        loudness = np.exp(stem.log_power.astype(np.float32)).sum(axis=1)
        quiet = np.median(loudness)
        frames = np.round(stem.hits[:, 0] * 100).astype(int)
        assert (loudness[frames] > quiet).mean() > 0.9
