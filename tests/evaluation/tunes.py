"""Songs of drums, a lead and a bass, with a report of a folder of them."""

from __future__ import annotations

import numpy as np
import torch

from gan.spec import HOLD, ONSET, RollSpec, Track
from pipeline.evaluation.evaluator import FORMAT
from pipeline.evaluation.phrase_sets import PhraseSet

SPEC = RollSpec((Track("Drums", is_drum=True), Track("Lead"), Track("Bass")), bars=2, num_pitches=24, lowest_pitch=48)


def tunes(num_songs: int, seed: int, spec: RollSpec = SPEC) -> PhraseSet:
    """Four phrases a song: a bass on the chord, a lead in the scale of C, a drum on every beat."""
    random = np.random.default_rng(seed)
    scale = [0, 2, 4, 5, 7, 9, 11]
    rolls = torch.zeros((4 * num_songs, *spec.shape), dtype=torch.bool)
    beat = spec.steps_per_beat
    for phrase in rolls:
        for bar in range(spec.bars):
            root = int(random.choice([0, 5, 7]))
            for step in range(0, spec.steps_per_bar, beat):
                phrase[ONSET, 0, bar, step, 0] = True
                pitch = 12 + int(random.choice([scale[(scale.index(root) + third) % 7] for third in (0, 2, 4)]))
                phrase[ONSET, 1, bar, step, pitch] = True
                phrase[HOLD, 1, bar, step + 1 : step + beat, pitch] = True
            phrase[ONSET, 2, bar, 0, root] = True
            phrase[HOLD, 2, bar, 1:, root] = True
    return PhraseSet(rolls, torch.arange(num_songs).repeat_interleave(4))


def report_of_folder(found: dict[str, object], spec: RollSpec) -> dict[str, object]:
    """A report of a folder."""
    counts = {"train": 80, "validation": 80, "test": 80}
    scored = {"kind": "folder", "name": "theirs", "path": "midi", "phrases": 8, "songs": 2, "files": 3}
    reference = {"set": "set-1", "title": "Tunes", "spec": spec.to_dict(), "phrases": counts, "songs": counts}
    return {
        "format": FORMAT,
        "scored": scored | {"rejects": {"broken file": 1}},
        "reference": reference,
        **found,
        "accompaniment": None,
        "control": None,
        "whole_songs": None,
    }
