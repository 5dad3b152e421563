"""Sampled drums: kits, folders and SoundFonts that are read, and played."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.audio.synthesizers import soundfont_path
from pipeline.errors import UserError
from pipeline.transcription.drums.drum_map import DRUMS
from pipeline.transcription.training.rendering.sampled_kits import (
    OTHER_PERCUSSION,
    SampledKit,
    drum_named,
    find_kits,
    mixed_kit,
    play_kit,
    read_kit,
)
from tests.sound_makers import HAT, KICK, SNARE

OPEN_HAT = 46


@pytest.mark.parametrize(
    ("name", "drum"),
    [
        ("Pearl Kick", 36),
        ("BassDrum", 36),
        ("Hand Clap", 38),
        ("Hat Closed (edge)", 42),
        ("Pedal HH", 42),
        ("Side OHH", 46),
        ("Hat Semi-Open", 46),
        ("Ride (Custom, 22 inches)", 51),
        ("Crash/Ride Bow", 49),
        ("Tom Hi", 50),
        ("FloorTom", 45),
        ("Cowbell", OTHER_PERCUSSION),
        ("drum_cymbal_closed", 42),
        ("drum_cymbal_hard", 49),
        ("hihat_foot_pedal01", 42),
        ("bd_808", 36),
        ("sn_dub", 38),
        ("tabla_na", OTHER_PERCUSSION),
        ("Snare Roll", None),
    ],
)
def test_instruments_of_a_kit_are_known_by_name(name: str, drum: int | None) -> None:
    assert drum_named(name) == drum


def test_a_kit_plays_its_sounds_when_they_are_struck(tmp_path: Path) -> None:
    for name, level in (("soft.wav", 0.2), ("hard.wav", 0.5)):
        soundfile.write(tmp_path / name, np.full(400, level), SAMPLE_RATE_HZ)
    layers = "".join(
        f"<layer><filename>{name}</filename><min>{least}</min></layer>"
        for name, least in (("hard.wav", 0.5), ("soft.wav", 0))
    )
    (tmp_path / "drumkit.xml").write_text(
        f"<drumkit_info><instrumentList><instrument><name>Kick</name>{layers}</instrument>"
        "<instrument><name>Snare</name><filename>lost.wav</filename></instrument></instrumentList></drumkit_info>"
    )
    kit = read_kit(tmp_path / "drumkit.xml")
    assert list(kit.drums) == [KICK]
    assert len(kit.drums[KICK][0]) == 2
    when, drums = np.array([0.5, 1.0]), np.array([KICK, SNARE], np.int16)
    sound = play_kit(kit, when, drums, np.array([100, 100], np.int16), np.random.default_rng(3))
    assert np.flatnonzero(np.abs(sound) > 0.01)[0] == round(0.5 * SAMPLE_RATE_HZ)
    assert not sound[round(0.9 * SAMPLE_RATE_HZ) :].any()
    (tmp_path / "drumkit.xml").write_text("<drumkit_info>")
    with pytest.raises(UserError, match="is no drum kit"):
        read_kit(tmp_path / "drumkit.xml")


def test_an_open_hat_ends_when_the_closed_one_is_struck() -> None:
    second = np.ones(SAMPLE_RATE_HZ, np.float32)
    kit = SampledKit({OPEN_HAT: [[second]], HAT: [[np.full(400, 0.5, np.float32)]]})
    when, drums, strength = np.array([0.0, 0.4]), np.array([OPEN_HAT, HAT], np.int16), np.array([90, 90], np.int16)
    sounds = np.flatnonzero(play_kit(kit, when, drums, strength, np.random.default_rng(4)))
    assert 0.4 < sounds[-1] / SAMPLE_RATE_HZ < 0.5
    alone = np.flatnonzero(play_kit(kit, when[:1], drums[:1], strength[:1], np.random.default_rng(4)))
    assert alone[-1] / SAMPLE_RATE_HZ > 0.7


def test_a_folder_of_single_sounds_is_a_kit_without_the_files_that_are_damaged(tmp_path: Path) -> None:
    for name in ("kick01.wav", "shaker.wav", "noise.wav"):
        soundfile.write(tmp_path / name, np.full(400, 0.3), SAMPLE_RATE_HZ)
    (tmp_path / "snare.wav").write_bytes(b"no sound")
    assert find_kits(tmp_path) == [tmp_path]
    kit = read_kit(tmp_path)
    assert sorted(kit.drums) == [OTHER_PERCUSSION, KICK]
    mixed = mixed_kit([kit, SampledKit({SNARE: [[np.ones(9, np.float32)]]})], np.random.default_rng(5))
    assert sorted(mixed.drums) == [OTHER_PERCUSSION, KICK, SNARE]


def test_the_drums_of_a_soundfont_are_told_by_their_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.transcription.training.rendering.sampled_kits.KIT_PROGRAMS", (0, 0))
    monkeypatch.setattr("pipeline.transcription.training.rendering.sampled_kits.GENERAL_MIDI_KEYS", range(35, 55))
    kit = read_kit(soundfont_path(None))
    assert set(kit.drums) == {*DRUMS, OTHER_PERCUSSION}
    assert len(kit.drums[KICK]) == 2  # 35 and 36; the same kit again adds nothing
    assert all(len(layers) == 2 for layers in kit.drums[SNARE])
