"""Loudness: what the standard says, and what is wrong with a WAV."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest

from pipeline.audio.files import write_wav
from pipeline.audio.loudness import check_wav, loudness_lufs
from pipeline.audio.synthesizers import RATE_HZ
from pipeline.errors import UserError
from tests.render_makers import sine


def test_loudness_of_a_sine_is_what_the_standard_says() -> None:
    """A 997 Hz sine at full scale on one channel is -3.01 LUFS (ITU-R BS.1770-4, page 5)."""
    sound = sine(997, 3, 1.0)
    sound[:, 1] = 0
    assert loudness_lufs(sound, RATE_HZ) == pytest.approx(-3.01, abs=0.05)
    assert loudness_lufs(np.zeros((100, 2), np.float32), RATE_HZ) == -math.inf


def test_loudness_agrees_with_pyloudnorm() -> None:
    random = np.random.default_rng(0)
    loud, soft = (level * random.standard_normal((3 * RATE_HZ, 2)) for level in (0.2, 0.002))
    for sound in (loud, np.concatenate([loud, soft]), np.cumsum(soft, axis=0)):
        wanted = pyloudnorm.Meter(RATE_HZ).integrated_loudness(sound)
        assert loudness_lufs(sound.astype(np.float32), RATE_HZ) == pytest.approx(wanted, abs=0.05)


def test_checks_tell_what_is_wrong_with_a_wav(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    write_wav(path, sine(440, 2, 0.5), RATE_HZ)
    found, remarks = check_wav(path, 2.0, -1, -6.7, {"Piano": -8.0})
    assert found.peak_dbfs == pytest.approx(-6.02, abs=0.01) and remarks == []
    _, remarks = check_wav(path, 2.0, -1, -16, {"Piano": -40.0})
    assert len(remarks) == 2 and "LUFS" in remarks[0] and "Piano" in remarks[1]
    with pytest.raises(UserError, match="peaks"):
        check_wav(path, 2.0, -7, -6.7, {})
    for seconds in (3.0, -9.0):
        with pytest.raises(UserError, match="lasts"):
            check_wav(path, seconds, -1, -6.7, {})
    write_wav(path, np.zeros((RATE_HZ, 2), np.float32), RATE_HZ)
    with pytest.raises(UserError, match="silent"):
        check_wav(path, 1.0, -1, -16, {})
