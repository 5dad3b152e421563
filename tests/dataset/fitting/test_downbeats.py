import numpy as np

from pipeline.dataset.fitting.downbeats import BEATS, fit
from pipeline.scores.downbeats import fit_of_beats


def test_fitted_weights_find_downbeats_whatever_beat_they_fall_on() -> None:
    random = np.random.default_rng(0)
    downbeat = random.integers(0, BEATS, 200)
    pattern = np.array([[0.5, -0.1, -0.3, -0.1], [-0.2, 0.3, -0.2, 0.1]])  # of each cue, from the downbeat on
    cues = np.stack([np.roll(pattern, beat, axis=1) for beat in downbeat]) + 0.2 * random.normal(size=(200, 2, BEATS))
    weights = fit(cues[:100], downbeat[:100], np.ones(100))
    found = [int(np.argmax(fit_of_beats(one, weights))) for one in cues[100:]]
    assert np.mean(found == downbeat[100:]) > 0.95
    turned = fit(np.roll(cues[:100], 1, axis=2), (downbeat[:100] + 1) % BEATS, np.ones(100))
    np.testing.assert_allclose(turned, weights, atol=0.05)
