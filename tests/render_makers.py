"""Settings of render, and plain tones, for the tests of sound."""

from __future__ import annotations

import numpy as np

from gan.spec import RollSpec, Track
from pipeline.audio.synthesizers import RATE_HZ
from pipeline.settings.render import RenderSettings

FLUTE = RollSpec((Track("Flute"),))


def render_settings(**changes: object) -> RenderSettings:
    values = {
        "synth": "midirenderer",
        "soundfont": None,
        "sample_rate_hz": 44100,
        "loudness_lufs": -16.0,
        "peak_dbfs": -1.0,
        "stems": False,
        "compressed": None,
        "vocal": False,
        "vocal_voice": "en-us",
        "word_times": True,
    }
    return RenderSettings(**values | changes)  # type: ignore[arg-type]


def sine(hertz: float, seconds: float, amplitude: float = 0.5) -> np.ndarray:
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return np.repeat(amplitude * np.sin(2 * np.pi * hertz * time)[:, None], 2, axis=1).astype(np.float32)
