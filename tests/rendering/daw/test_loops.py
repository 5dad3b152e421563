"""Loops cut at the bar: sample-exact, without a click where they go round, with their tempo and notes beside them."""

from __future__ import annotations

import io
import struct
import zipfile
from itertools import pairwise
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile

from pipeline.audio.synthesizers import Sound
from pipeline.errors import UserError
from pipeline.rendering.daw.loops import FADE_SECONDS, cut_loop, loop_samples, loop_wav, loops_zip
from pipeline.songs.song import Song
from tests.daw_makers import RATE_HZ, long_song, noises
from tests.song_makers import song_of

FADE = round(FADE_SECONDS * RATE_HZ)


def opened(folder: Path, song: Song, stems: dict[str, Sound], *bars: int, **options: object) -> zipfile.ZipFile:
    loops_zip(folder / "loops.zip", song, "Salt", stems, RATE_HZ, *bars, **options)  # type: ignore[arg-type]
    return zipfile.ZipFile(folder / "loops.zip")


def sound_in(archive: zipfile.ZipFile, name: str) -> Sound:
    sound, rate_hz = soundfile.read(io.BytesIO(archive.read(name)), dtype="float32")
    assert rate_hz == RATE_HZ
    return np.asarray(sound)


def chunks_of(wav: bytes) -> dict[bytes, bytes]:
    """The chunks of a RIFF file by name."""
    assert wav[:4] == b"RIFF" and struct.unpack("<I", wav[4:8])[0] == len(wav) - 8
    found, at = {}, 12
    while at < len(wav):
        (size,) = struct.unpack("<I", wav[at + 4 : at + 8])
        found[wav[at : at + 4]] = wav[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    return found


def test_loops_begin_and_end_on_the_samples_of_bar_lines_and_follow_each_other_without_a_gap() -> None:
    song = long_song()
    bounds = [loop_samples(song, bar, bar + 1, RATE_HZ) for bar in range(8)]
    assert all(one[1] == other[0] for one, other in pairwise(bounds))
    for bar, (start, end) in enumerate(bounds):
        assert abs(start - float(song.seconds_at(16 * bar)) * RATE_HZ) <= 0.5
        assert abs(end - float(song.seconds_at(16 * bar + 16)) * RATE_HZ) <= 0.5


def test_a_loop_is_the_stem_between_its_bar_lines_but_for_the_crossfade(tmp_path: Path) -> None:
    song = song_of()
    stems = noises(song, ("Bass",))
    loop = sound_in(opened(tmp_path, song, stems, 1, 2), "bass-120bpm-1bars.wav")
    start, end = 2 * RATE_HZ, 4 * RATE_HZ  # a bar of four beats at 120 lasts two seconds
    assert len(loop) == end - start
    assert np.abs(loop[:-FADE] - stems["Bass"][start : end - FADE]).max() < 1e-3


def test_a_loop_goes_round_without_a_click() -> None:
    time = np.arange(4 * RATE_HZ) / RATE_HZ
    wave = np.repeat(np.sin(2 * np.pi * 110.3 * time)[:, None], 2, axis=1).astype(np.float32)
    loop = cut_loop(wave, 8000, 16087, RATE_HZ)
    largest = np.abs(np.diff(wave, axis=0)).max()
    cut = np.abs(wave[16086] - wave[8000]).max()
    assert cut > 5 * largest, "cut without a fade it would click"
    assert np.abs(loop[0] - loop[-1]).max() <= 1.01 * largest


def test_at_the_beginning_of_the_song_the_end_fades_to_silence_and_behind_the_stem_is_silence() -> None:
    loop = cut_loop(np.ones((100, 2), np.float32), 0, 200, RATE_HZ)
    assert len(loop) == 200 and loop[99].all() and not loop[100:].any()
    assert not cut_loop(np.ones((200, 2), np.float32), 0, 200, RATE_HZ)[-1].any()


def test_files_name_tempo_and_bars_and_have_their_notes_beside_them(tmp_path: Path) -> None:
    song = song_of()
    archive = opened(tmp_path, song, noises(song, ("Bass", "Record", "Piano")), 0, 2, tracks=("Bass", "Record"))
    assert archive.namelist() == [
        "loops.txt",
        "bass-120bpm-2bars.wav",
        "bass-120bpm-2bars.mid",
        "record-120bpm-2bars.wav",
    ]
    file = mido.MidiFile(file=io.BytesIO(archive.read("bass-120bpm-2bars.mid")))
    assert [track.name for track in file.tracks] == ["Salt: Bass", "Bass"]
    assert np.isclose(file.length, 4)
    text = archive.read("loops.txt").decode()
    assert "bars 1 to 2 (verse, chorus)" in text and "C major" in text and "Chords: C G" in text


def test_the_wav_says_how_it_goes_round_and_at_what_tempo() -> None:
    wav = loop_wav(np.zeros((1000, 2), np.float32), RATE_HZ, 16, "4/4", 93.5)
    chunks = chunks_of(wav)
    flags, _, _, _, beats, denominator, numerator, tempo = struct.unpack("<IHHfIHHf", chunks[b"acid"])
    assert (flags & 1, beats, denominator, numerator, tempo) == (0, 16, 4, 4, 93.5)
    sampler = struct.unpack("<15I", chunks[b"smpl"])
    assert sampler[7] == 1 and sampler[11:13] == (0, 999), "one loop, of all samples"
    assert len(soundfile.read(io.BytesIO(wav))[0]) == 1000


def test_where_the_tempo_changes_the_loop_keeps_it_and_the_text_says_so(tmp_path: Path) -> None:
    song = long_song()
    archive = opened(tmp_path, song, noises(song, ("Bass",)), 6, 8)
    seconds = song.seconds - float(song.seconds_at(96))
    (name,) = [one for one in archive.namelist() if one.endswith(".wav")]
    assert name == f"bass-{8 * 60 / seconds:.2f}bpm-2bars.wav"
    assert abs(len(sound_in(archive, name)) / RATE_HZ - seconds) < 1 / RATE_HZ
    assert "the tempo changes (96.00 from bar 7, 90.00 from bar 8, 84.00 from bar 8.25" in (
        archive.read("loops.txt").decode()
    )
    (midi,) = [one for one in archive.namelist() if one.endswith(".mid")]
    assert np.isclose(mido.MidiFile(file=io.BytesIO(archive.read(midi))).length, seconds, atol=1e-3)


def test_silent_tracks_are_left_out_and_nothing_at_all_is_refused(tmp_path: Path) -> None:
    song = song_of()
    stems = noises(song, ("Bass", "Piano"))
    stems["Piano"][:] = 0
    assert [name for name in opened(tmp_path, song, stems, 0, 1).namelist() if name.startswith("piano")] == []
    with pytest.raises(UserError, match="Nothing sounds in bars 1 to 1"):
        opened(tmp_path, song, stems, 0, 1, tracks=("Piano",))
    with pytest.raises(UserError, match="this song has the bars 1 to 2"):
        opened(tmp_path, song, stems, 1, 3)
