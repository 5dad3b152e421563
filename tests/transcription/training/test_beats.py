"""Training of the classifiers of metrical levels and downbeats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.audio.synthesizers import soundfont_path
from pipeline.errors import UserError
from pipeline.transcription.beats.metrical_levels import classify_levels
from pipeline.transcription.training.beats import fit_classifiers, main
from tests.transcription.training.pieces import example_of, piece, training_names, write_piece


def test_the_classifiers_are_trained_to_find_level_and_downbeat() -> None:
    examples = [[example_of(piece(bpm, seed=seed))] for seed, bpm in enumerate((72, 90, 100, 110, 126, 140))]
    weights = fit_classifiers(examples)
    unseen = example_of(piece(104, seed=9))
    phase_log_odds, level_log_odds = classify_levels(unseen.levels, weights)
    best = int(level_log_odds.argmax())
    assert unseen.right_levels[best]
    assert unseen.right_phases[phase_log_odds[best].argmax()]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--midi", "nowhere", "--soundfonts", "x.sf2"], "nowhere is no folder"),
        (["--midi", ".", "--soundfonts", "x.sf2", "--pieces", "0"], "--pieces must be at least 1"),
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
    for number, name in enumerate(training_names(5)):
        write_piece(tmp_path / "midi" / name, 80 + 6 * number, bars=4)
    (tmp_path / "cache").mkdir()
    words = ["--midi", str(tmp_path / "midi"), "--soundfonts", str(soundfont_path(None))]
    made = []
    for name in ("first.npz", "second.npz"):
        out = tmp_path / name
        main([*words, "--cache", str(tmp_path / "cache"), "--out", str(out)])
        with np.load(out) as file:
            made.append({key: file[key] for key in file.files})
    assert set(made[0]) == {"level", "phase"}
    assert all(np.array_equal(made[0][key], made[1][key]) for key in made[0])
