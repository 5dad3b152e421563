"""The nearest training song."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.dataset.cutting import SourceFile
from pipeline.dataset.resumable_reading import read_files
from pipeline.dataset.store import PhraseStore, open_store
from pipeline.dataset.store_writer import write_store
from pipeline.evaluation.whole_songs.nearest import NearestSong, TrainingBars, bars_of, shifted
from pipeline.settings.data import ExecutorSettings
from tests.music_makers import cutting, song_midi


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> PhraseStore:
    """Six training songs."""
    folder = tmp_path_factory.mktemp("music")
    for seed in range(6):
        song_midi(folder / f"song-{seed}.mid", seed, root=60)
    sources = [SourceFile(path.stem, str(path), split="train") for path in sorted(folder.iterdir())]
    how, target = cutting(), folder / "set"
    target.mkdir()
    write_store(read_files(sources, how, ExecutorSettings("local", 1, None)), how, target)
    return open_store(target)


def test_a_song_in_another_key_is_found_with_the_bars_that_were_changed_left_out(store: PhraseStore) -> None:
    bars, places = bars_of(store, "train")
    title = places[0][0]
    own = bars[[place == title for place, _ in places]]
    training = TrainingBars(store)
    assert training.nearest(shifted(own, 3)) == NearestSong(title, 1.0, len(own))
    changed = own.copy()
    changed[: len(own) // 2] = np.random.default_rng(0).random(changed[: len(own) // 2].shape) < 0.05
    found = training.nearest(changed)
    assert found.title == title
    assert found.share == pytest.approx(1 - len(own) // 2 / len(own), abs=0.01)
    assert found.words == f"{100 * found.share:.0f} % of its bars are in {title}"


def test_noise_and_silence_are_in_no_song(store: PhraseStore) -> None:
    training = TrainingBars(store)
    shape = (8, len(store.spec.pitched), store.spec.steps_per_bar, store.spec.num_pitches)
    noise = training.nearest(np.random.default_rng(1).random(shape) < 0.05)
    assert noise == NearestSong("", 0.0, 8)
    assert noise.words == "none of its bars is in a training song"
    assert training.nearest(np.zeros(shape, bool)).bars == 0
