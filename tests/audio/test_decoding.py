"""Sound files in memory: one channel at one rate, and what is refused with a reason."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ, minutes_of, read_channels, read_recording
from pipeline.errors import UnusableError
from tests.sound_makers import melody, write_sound


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "aiff"])
def test_sound_files_become_one_channel_at_one_rate(tmp_path: Path, suffix: str) -> None:
    sound = melody([60, 64], lead=0.2)[::2]  # half the samples are the same sound at half the rate
    path = write_sound(tmp_path / f"a.{suffix}", np.stack([sound, 0.5 * sound], axis=1), SAMPLE_RATE_HZ // 2)
    decoded = read_recording(path, 1)
    samples = decoded.samples
    assert decoded.remarks == ()
    assert samples.dtype == np.float32 and samples.ndim == 1
    assert abs(len(samples) / SAMPLE_RATE_HZ - 1.2) < 0.1


@pytest.mark.parametrize(
    ("name", "samples", "reason"),
    [
        ("silence.wav", np.zeros(60000), "silent from beginning to end"),
        ("short.wav", np.ones(1000) * 0.1, "lasts less than 1 s"),
        ("nan.wav", np.full(60000, np.nan), "most of its samples are no numbers"),
        ("offset.wav", np.full(60000, 0.5), "silent from beginning to end"),
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


def wav_of(samples: NDArray[np.float32], path: Path, rate_hz: int = SAMPLE_RATE_HZ, subtype: str = "PCM_16") -> bytes:
    """The bytes of a WAV file: 44 of header, then the sound."""
    soundfile.write(path, samples, rate_hz, subtype=subtype)
    return path.read_bytes()


def test_channels_of_opposite_polarity_do_not_cancel(tmp_path: Path) -> None:
    sound = melody([60, 64, 67])
    path = write_sound(tmp_path / "a.wav", np.stack([sound, -0.95 * sound], axis=1))
    decoded = read_recording(path, 1)
    assert decoded.remarks == ("channels of opposite polarity were turned",)
    assert np.abs(decoded.samples - 0.975 * sound).max() < 0.001


def test_the_mean_of_usual_channels_is_what_it_always_was(tmp_path: Path) -> None:
    left, right = melody([60, 64, 67]), melody([48, 72, 55])
    path = write_sound(tmp_path / "a.wav", np.stack([left, 0.3 * left + right], axis=1))
    stored = soundfile.read(path, dtype="float32", always_2d=True)[0]
    decoded = read_recording(path, 1)
    assert decoded.remarks == ()
    assert np.array_equal(decoded.samples, stored.mean(axis=1))


@pytest.mark.parametrize("length", [0, 1000, 0xFFFFFFFF])
def test_a_recorder_that_crashed_left_its_sound_behind_a_header_without_length(tmp_path: Path, length: int) -> None:
    content = wav_of(melody([60, 64, 67]), tmp_path / "a.wav")
    (tmp_path / "b.wav").write_bytes(content[:40] + struct.pack("<I", length) + content[44:])
    decoded = read_recording(tmp_path / "b.wav", 1)
    assert np.array_equal(decoded.samples, read_recording(tmp_path / "a.wav", 1).samples)
    assert bool(decoded.remarks) == (length < 0xFFFFFFFF)
    assert minutes_of(tmp_path / "b.wav") * 60 == pytest.approx(1.9, abs=0.01)


def test_an_odd_chunk_without_its_byte_of_padding_hides_no_sound(tmp_path: Path) -> None:
    content = wav_of(melody([60, 64, 67]), tmp_path / "a.wav")
    (tmp_path / "b.wav").write_bytes(content[:12] + b"LIST\x05\0\0\0INFOx" + content[12:])
    decoded = read_recording(tmp_path / "b.wav", 1)
    assert np.array_equal(decoded.samples, read_recording(tmp_path / "a.wav", 1).samples)


def test_what_players_wrote_behind_the_sound_is_none(tmp_path: Path) -> None:
    content = wav_of(melody([60, 64, 67]), tmp_path / "a.wav")
    for tail in (b"ID3\x04" + bytes(90000), b"LIST" + struct.pack("<I", 90000) + bytes(90000), bytes(90000)):
        (tmp_path / "b.wav").write_bytes(content + tail)
        decoded = read_recording(tmp_path / "b.wav", 1)
        assert decoded.remarks == () and len(decoded.samples) == len(read_recording(tmp_path / "a.wav", 1).samples)


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3", "ogg", "aiff"])
def test_of_a_file_that_is_cut_off_all_is_taken_that_is_there(tmp_path: Path, suffix: str) -> None:
    content = write_sound(tmp_path / f"a.{suffix}", melody([60, 64, 67, 72] * 4)).read_bytes()
    (tmp_path / f"b.{suffix}").write_bytes(content[: len(content) // 2])
    decoded = read_recording(tmp_path / f"b.{suffix}", 1)
    assert decoded.remarks[0].startswith("cut off")
    assert 2.5 < len(decoded.samples) / SAMPLE_RATE_HZ < 5.5
    assert np.abs(decoded.samples).max() < 0.3


@pytest.mark.parametrize("suffix", ["flac", "mp3"])
def test_what_follows_a_damaged_place_is_heard(tmp_path: Path, suffix: str) -> None:
    content = bytearray(write_sound(tmp_path / f"a.{suffix}", melody([60, 64, 67, 72] * 4)).read_bytes())
    content[len(content) // 3 : len(content) // 3 + 2000] = bytes(2000)
    (tmp_path / f"b.{suffix}").write_bytes(bytes(content))
    decoded = read_recording(tmp_path / f"b.{suffix}", 1)
    assert decoded.remarks[0].startswith("damaged: ")
    assert len(decoded.samples) / SAMPLE_RATE_HZ > 7.5 and np.abs(decoded.samples[-20000:]).max() > 0.02


def test_single_samples_that_are_no_numbers_cost_themselves_only(tmp_path: Path) -> None:
    sound = melody([60, 64, 67])
    bad = sound.copy()
    bad[[30000, 40000, 40001]] = np.nan, np.inf, 1e30
    soundfile.write(tmp_path / "a.wav", bad, SAMPLE_RATE_HZ, subtype="FLOAT")
    decoded = read_recording(tmp_path / "a.wav", 1)
    assert decoded.remarks == ("samples that are no numbers were filled in: 3",)
    assert np.abs(decoded.samples - sound).max() < 0.02


def test_an_offset_is_taken_away_and_a_scale_of_integers_is_brought_to_one(tmp_path: Path) -> None:
    sound = melody([60, 64, 67])
    soundfile.write(tmp_path / "a.wav", 0.4 * sound + 0.5, SAMPLE_RATE_HZ)
    decoded = read_recording(tmp_path / "a.wav", 1)
    assert decoded.remarks[0].startswith("a DC offset was removed") and abs(float(decoded.samples.mean())) < 1e-5
    soundfile.write(tmp_path / "b.wav", 32768 * sound, SAMPLE_RATE_HZ, subtype="FLOAT")
    assert 0.9 < np.abs(read_recording(tmp_path / "b.wav", 1).samples).max() < 1.2
    soundfile.write(tmp_path / "c.wav", 9 * sound, SAMPLE_RATE_HZ, subtype="FLOAT")  # louder than full scale
    assert np.abs(read_recording(tmp_path / "c.wav", 1).samples).max() == pytest.approx(9 * np.abs(sound).max())


@pytest.mark.parametrize(
    ("subtype", "rate_hz"),
    [("PCM_U8", 11025), ("PCM_24", 96000), ("ULAW", 8000), ("ALAW", 8000), ("GSM610", 8000), ("FLOAT", 192000)],
)
def test_every_usual_coding_of_wav_is_read(tmp_path: Path, subtype: str, rate_hz: int) -> None:
    sound = np.sin(2 * np.pi * 440 / rate_hz * np.arange(2 * rate_hz)) * 0.4
    soundfile.write(tmp_path / "a.wav", sound, rate_hz, subtype=subtype)
    decoded = read_recording(tmp_path / "a.wav", 1)
    assert decoded.remarks == () and abs(len(decoded.samples) / SAMPLE_RATE_HZ - 2) < 0.1
    spectrum = np.abs(np.fft.rfft(decoded.samples[:SAMPLE_RATE_HZ]))
    assert spectrum.argmax() == 440


def test_six_channels_become_one(tmp_path: Path) -> None:
    sound = melody([60, 64, 67])
    path = write_sound(tmp_path / "a.flac", np.stack([sound * gain for gain in (1, 1, 0.7, 0, 0.2, 0.2)], axis=1))
    assert np.corrcoef(read_recording(path, 1).samples, sound)[0, 1] > 0.999


def test_the_content_says_what_a_file_is(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.mp3", melody([60, 64, 67])).rename(tmp_path / "b.wav")
    assert read_recording(tmp_path / "b.wav", 1).remarks == ()
    write_sound(tmp_path / "a.wav", melody([60, 64, 67])).rename(tmp_path / "b.m4a")
    assert read_recording(tmp_path / "b.m4a", 1).remarks == ()
    (tmp_path / "c.mp3").write_bytes(b"MThd\0\0\0\x06\0\0\0\x01\0\x60")
    with pytest.raises(UnusableError, match=r"a MIDI file and no recording.*\.mid"):
        read_recording(tmp_path / "c.mp3", 1)


def test_what_is_missing_of_an_m4a_file_is_told_and_channels_that_cancel_are_turned(tmp_path: Path) -> None:
    av = pytest.importorskip("av", reason="takes the extra m4a")
    sound = melody([60, 64, 67, 72] * 4)
    with av.open(str(tmp_path / "a.m4a"), "w", format="mp4", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="stereo")
        for start in range(0, len(sound) - 1024, 1024):
            part = np.stack([sound[start : start + 1024], -sound[start : start + 1024]])
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="stereo")
            frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert read_recording(tmp_path / "a.m4a", 1).remarks == ("channels of opposite polarity were turned",)
    content = (tmp_path / "a.m4a").read_bytes()
    (tmp_path / "b.mp3").write_bytes(content[: len(content) * 2 // 3])
    assert any(remark.startswith("cut off: ") for remark in read_recording(tmp_path / "b.mp3", 1).remarks)


@pytest.mark.parametrize("rate_hz", [SAMPLE_RATE_HZ, 48000, 22050])
def test_stereo_is_read_sample_by_sample_beside_mono(tmp_path: Path, rate_hz: int) -> None:
    left, right = melody([60, 64, 67]), melody([48, 72, 55])
    path = write_sound(tmp_path / "a.wav", np.stack([left, 0.3 * right], axis=1), rate_hz)
    both = read_channels(path, 1)
    assert both.dtype == np.float32 and both.shape[1] == 2
    assert np.abs(both.mean(axis=1) - read_recording(path, 1).samples).max() < 1e-5
    assert np.abs(both[:, 0] - both[:, 1]).max() > 0.1


@pytest.mark.parametrize("channels", [1, 3])
def test_other_numbers_of_channels_become_two_that_are_alike(tmp_path: Path, channels: int) -> None:
    sound = np.stack([melody([60, 64]), melody([67, 71]), melody([72, 60])], axis=1)[:, :channels]
    path = write_sound(tmp_path / "a.wav", sound)
    mono = read_recording(path, 1).samples
    assert np.abs(read_channels(path, 1) - mono[:, None]).max() < 1e-6


def test_stereo_of_opposite_polarity_is_turned(tmp_path: Path) -> None:
    sound = melody([60, 64, 67])
    path = write_sound(tmp_path / "a.wav", np.stack([sound, -0.95 * sound], axis=1))
    assert np.abs(read_channels(path, 1) - read_recording(path, 1).samples[:, None]).max() < 1e-6


def test_damaged_stereo_is_mended_as_mono_is(tmp_path: Path) -> None:
    sound = np.stack([melody([60, 64, 67]), melody([48, 72, 55])], axis=1).astype(np.float32) + np.float32(0.1)
    sound[5000:5010, 1] = np.nan
    soundfile.write(tmp_path / "a.wav", sound, SAMPLE_RATE_HZ, subtype="FLOAT")
    decoded = read_recording(tmp_path / "a.wav", 1)
    assert len(decoded.remarks) == 2
    assert np.abs(read_channels(tmp_path / "a.wav", 1).mean(axis=1) - decoded.samples).max() < 1e-3
    with pytest.raises(UnusableError, match="can't be read: no such file"):
        read_channels(tmp_path / "none.wav", 1)
