"""Training of the network of metrical levels and downbeats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.audio.synthesizers import soundfont_path
from pipeline.errors import UserError
from pipeline.transcription.beats.metre_network import load_network, save_network
from pipeline.transcription.training.beats import fit_network, main
from tests.transcription.training.pieces import example_of, piece, training_names, write_piece


def test_the_network_is_trained_to_find_beat_and_downbeat(tmp_path: Path) -> None:
    examples = [example_of(piece(bpm, seed=seed)) for seed, bpm in enumerate((72, 90, 100, 110, 126, 140))]
    network = fit_network(examples, seed=0, epochs=60)
    unseen = example_of(piece(104, seed=9))
    log_odds = network.log_odds(unseen.candidates)
    assert unseen.right[log_odds.argmax()]
    save_network(tmp_path / "weights.npz", network)
    kept = load_network(tmp_path / "weights.npz")
    assert np.allclose(kept.log_odds(unseen.candidates), log_odds, atol=0.1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--midi", "nowhere", "--soundfonts", "x.sf2"], "nowhere is no folder"),
        (["--midi", ".", "--soundfonts", "x.sf2", "--pieces", "0"], "--pieces must be at least 1"),
        (["--midi", ".", "--soundfonts", "x.sf2", "--simulated", "-1"], "--simulated must be at least 0"),
        (["--midi", ".", "--soundfonts", "x.sf2"], "there is no such file"),
    ],
)
def test_a_wrong_command_gets_one_sentence(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=said):
        main(words)


@pytest.mark.slow
def test_the_same_command_makes_the_same_weights(tmp_path: Path) -> None:
    (tmp_path / "midi").mkdir()
    for number, name in enumerate(training_names(3)):
        write_piece(tmp_path / "midi" / name, 100 + 6 * number, bars=10)
    (tmp_path / "cache").mkdir()
    words = ["--midi", str(tmp_path / "midi"), "--soundfonts", str(soundfont_path(None))]
    made = []
    for name in ("first.npz", "second.npz"):
        out = tmp_path / name
        main([*words, "--cache", str(tmp_path / "cache"), "--out", str(out)])
        with np.load(out) as file:
            made.append({key: file[key] for key in file.files})
    assert all(np.array_equal(made[0][key], made[1][key]) for key in made[0])
