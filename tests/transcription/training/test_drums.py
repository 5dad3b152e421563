"""Training of the drum network."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.audio.synthesizers import soundfont_path
from pipeline.errors import UserError
from pipeline.transcription.drums.drum_map import DRUMS
from pipeline.transcription.drums.network import load_network
from pipeline.transcription.training.drums import main
from pipeline.transcription.training.rendering.midi_rendering import midi_of
from tests.sound_makers import chorale, rock


def test_training_asks_for_what_it_needs(tmp_path: Path) -> None:
    soundfont = str(soundfont_path(None))
    with pytest.raises(UserError, match="there is no MIDI file"):
        main(["--midi", str(tmp_path), "--soundfonts", soundfont])
    with pytest.raises(UserError, match="--steps must be at least 1"):
        main(["--midi", str(tmp_path), "--soundfonts", soundfont, "--steps", "0"])
    (tmp_path / "rock.mid").write_bytes(midi_of(rock(), drums=True))
    with pytest.raises(UserError, match=r"no drum kit .* and no sound file"):
        main(["--midi", str(tmp_path), "--soundfonts", soundfont, "--kits", str(tmp_path)])


@pytest.mark.slow
def test_the_training_command_writes_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.transcription.training.drum_stems.SECONDS", 6.0)
    monkeypatch.setattr("pipeline.transcription.training.drums.BATCH", 2)
    monkeypatch.setattr("pipeline.transcription.training.rendering.sampled_kits.KIT_PROGRAMS", (0,))
    monkeypatch.setattr("pipeline.transcription.training.rendering.synthetic_kits.SOUNDS_OF_A_DRUM", 1)
    (tmp_path / "rock.mid").write_bytes(midi_of(rock(6), drums=True))
    (tmp_path / "chorale.mid").write_bytes(midi_of(chorale(), drums=False))
    words = ["--midi", str(tmp_path), "--soundfonts", str(soundfont_path(None)), "--cache", str(tmp_path / "stems")]
    words += ["--drums", "1", "--music", "1", "--steps", "3"]
    made = []
    for name in ("one.npz", "two.npz"):
        main([*words, "--out", str(tmp_path / name)])
        network, thresholds = load_network(tmp_path / name)
        assert thresholds.shape == (len(DRUMS),)
        made.append(network.state_dict())
    assert len(list((tmp_path / "stems").iterdir())) == 4
    assert all((made[0][key] == made[1][key]).all() for key in made[0])
    main([*words, "--begin-with", str(tmp_path / "one.npz"), "--out", str(tmp_path / "three.npz")])
    continued = load_network(tmp_path / "three.npz")[0].state_dict()
    moved = (continued["gather.weight"] - made[0]["gather.weight"]).abs()
    assert 0 < moved.max() < 0.02  # by three steps, from where the first run ended
