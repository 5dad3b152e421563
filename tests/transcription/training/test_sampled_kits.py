"""Hydrogen drum kits: read, and played."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.errors import UserError
from pipeline.transcription.training.sampled_kits import drum_named, play_kit, read_kit
from tests.sound_makers import KICK, SNARE


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
        ("Cowbell", None),
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
