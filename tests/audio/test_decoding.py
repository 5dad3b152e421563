"""Sound files in memory: one channel at one rate, and what is refused with a reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ, read_recording
from pipeline.errors import UnusableError
from tests.sound_makers import melody, write_sound


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "aiff"])
def test_sound_files_become_one_channel_at_one_rate(tmp_path: Path, suffix: str) -> None:
    sound = melody([60, 64], lead=0.2)[::2]  # half the samples are the same sound at half the rate
    path = write_sound(tmp_path / f"a.{suffix}", np.stack([sound, 0.5 * sound], axis=1), SAMPLE_RATE_HZ // 2)
    samples = read_recording(path, 1)
    assert samples.dtype == np.float32 and samples.ndim == 1
    assert abs(len(samples) / SAMPLE_RATE_HZ - 1.2) < 0.1


@pytest.mark.parametrize(
    ("name", "samples", "reason"),
    [
        ("silence.wav", np.zeros(60000), "silent from beginning to end"),
        ("short.wav", np.ones(1000) * 0.1, "lasts less than 1 s"),
        ("nan.wav", np.full(60000, np.nan), "some of its samples are no numbers"),
        ("none.wav", np.zeros(0), "there is no sound in it"),
        ("long.wav", np.ones(SAMPLE_RATE_HZ * 8) * 0.1, "lasts more than transcribe.max_minutes=0.1"),
    ],
)
def test_what_holds_no_music_is_refused_with_a_reason(
    tmp_path: Path, name: str, samples: NDArray[np.float64], reason: str
) -> None:
    soundfile.write(tmp_path / name, samples, SAMPLE_RATE_HZ, subtype="FLOAT")
    with pytest.raises(UnusableError, match=reason):
        read_recording(tmp_path / name, 0.1)


@pytest.mark.parametrize("content", [b"", b"hello" * 99, b"RIFF", b"ID3", b"OggS" + bytes(40), b"fLaC" + bytes(99)])
@pytest.mark.parametrize("suffix", ["wav", "mp3", "ogg"])
def test_broken_files_are_refused_in_plain_words(tmp_path: Path, content: bytes, suffix: str) -> None:
    (tmp_path / f"a.{suffix}").write_bytes(content)
    with pytest.raises(UnusableError, match="broken file"):
        read_recording(tmp_path / f"a.{suffix}", 1)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableError, match="can't be read: no such file"):
        read_recording(tmp_path / "a.wav", 1)
