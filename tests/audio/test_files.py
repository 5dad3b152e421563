"""Sound files: 16 bits, the same bytes each time, tags that players show."""

from __future__ import annotations

from pathlib import Path

import mutagen
import pytest
import soundfile

from pipeline.audio.files import Tags, write_compressed, write_wav
from tests.render_makers import sine


def test_a_wav_is_stereo_16_bit_and_repeatable(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        write_wav(tmp_path / name, sine(440, 0.5), 44100)
    info = soundfile.info(tmp_path / "a.wav")
    assert (info.channels, info.samplerate, info.subtype) == (2, 44100, "PCM_16")
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


@pytest.mark.parametrize("kind", ["mp3", "flac"])
def test_compressed_files_are_tagged(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"song.{kind}"
    write_compressed(path, sine(440, 1), 44100, kind, Tags("Salt", "AlbumGAN", "chorales", 2, 6))
    tags = mutagen.File(path, easy=True)
    found = {key: tags[key][0] for key in ("title", "artist", "album", "tracknumber")}
    assert found == {"title": "Salt", "artist": "AlbumGAN", "album": "chorales", "tracknumber": "2/6"}
    sound, rate = soundfile.read(path)
    assert rate == 44100 and len(sound) / rate == pytest.approx(48000 / 44100, abs=0.1)
