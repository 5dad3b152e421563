"""The instrument network is trained by passages."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pipeline.transcription.instruments.decoding import label_notes
from pipeline.transcription.instruments.features import NUM_BINS, SpectralFeatures
from pipeline.transcription.instruments.network import LEAD, label_points
from pipeline.transcription.instruments.parts import confidence_features
from pipeline.transcription.training.bands import instruments
from pipeline.transcription.training.bands.instrument_examples import CHORD, InstrumentExample
from pipeline.transcription.training.bands.instruments import change_tone, draw_batch, train_network
from pipeline.transcription.training.bands.note_confidence import fit_note_confidence
from tests.transcription.instruments.label_makers import Played, heard


def example(steps: int = 24) -> InstrumentExample:
    """A pitch that is heard all the time, and that the piano plays."""
    activations = np.zeros((2 * steps, 88, 3), np.uint8)
    activations[:, 40, 1] = 255
    sounding = np.zeros((steps, 88, LEAD + 1), bool)
    sounding[:, 40, 0] = True
    features = SpectralFeatures(np.zeros((2 * steps, NUM_BINS), np.uint8), activations)
    return InstrumentExample(
        features, sounding, np.zeros_like(sounding), np.ones((steps, 88), bool), np.zeros(0, CHORD)
    )


def test_crops_keep_labels_beside_what_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instruments, "CROP_STEPS", 10)
    marked = example()
    marked.features.activations[14:16, 40, 1] = 7
    marked.sounding[7, 40, 0] = False
    batch = draw_batch([marked], np.random.default_rng(0))
    assert batch.spectrum.shape == (instruments.BATCH, 10, 2, NUM_BINS)
    assert ((batch.activations[:, :, 0, 40, 1] == 7) == ~batch.sounding[:, :, 40, 0]).all()


def test_another_tone_is_the_same_all_the_time() -> None:
    spectrum = torch.full((3, 5, 2, NUM_BINS), 128, dtype=torch.uint8)
    changed = change_tone(spectrum, np.random.default_rng(0))
    assert (changed == changed[:, :1, :1]).all()
    assert not torch.allclose(changed[0], changed[1])


def test_what_is_always_so_is_learnt() -> None:
    network = train_network([example()], 40, 0)
    labels = label_points(network, example().features)
    assert labels[:, 40, 0, 0].mean() > labels[:, 20, 0, 0].mean() + 0.3


def test_notes_that_are_often_wrong_are_less_sure() -> None:
    activations, labels = heard([Played(first, first + 5, 60, 0) for first in range(0, 380, 10)], 400)
    labels[200:] *= 0.6
    onsets = np.zeros((400, 88), bool)
    onsets[0:200:10, 60 - 21] = True  # behind, nothing that is heard is there
    notes = label_notes(activations, labels)
    weights = fit_note_confidence([notes], [onsets])
    right = 1 / (1 + np.exp(-confidence_features(notes) @ weights))
    assert right[:15].min() > 0.8
    assert right[-10:].max() < 0.3
