"""How songs are played is kept note by note, where a player's velocities tell it."""

from __future__ import annotations

from pathlib import Path

import mido
import numpy as np
import pytest

from pipeline.dataset.cutting import SourceFile, prepare_file
from pipeline.dataset.labels import performances_of
from pipeline.dataset.performances import MOST_NOTES, PLAYED, pack_performances, unpack_performances
from pipeline.dataset.store import PhraseStore, open_store
from pipeline.dataset.store_writer import write_store
from pipeline.scores.notes import make_notes
from pipeline.songs.performance.model import completed_performance, fit_performance, performance_from, performance_state
from tests.music_makers import SPEC, cutting, song_midi, tune, write_midi


def played_midi(path: Path, seed: int, bars: int = 8) -> Path:
    """A song whose piano accents the first beat of each bar and comes late on the second; the rest is a machine's."""
    line = tune(seed, bars)
    late = [(onset + (0.1 if onset % 4 == 1 else 0.0), 0.8, pitch) for onset, _, pitch in line]
    drums = [(beat, 0.5, 36) for beat in range(4 * bars)]
    write_midi(path, {(0, 0, "piano"): late, (9, 0, "drums"): drums})
    file = mido.MidiFile(path)
    random = np.random.default_rng(seed)
    struck = [message for message in file.tracks[1] if message.type == "note_on" and message.velocity]
    for number, message in enumerate(struck):
        message.velocity = 60 + 40 * (number % 4 == 0) + int(random.integers(12))
    file.save(path)
    return path


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> PhraseStore:
    """A set of songs as played and one of a machine."""
    folder = tmp_path_factory.mktemp("played")
    paths = [played_midi(folder / f"{seed}.mid", seed) for seed in range(8)] + [song_midi(folder / "machine.mid", 99)]
    how = cutting()
    write_store((prepare_file(SourceFile(path.stem, str(path)), how) for path in paths), how, folder)
    return open_store(folder)


def test_velocity_and_timing_of_each_note_are_kept(store: PhraseStore) -> None:
    one = performances_of(store, "train")[0]
    beat = one.notes["onset"] // 4 % 4
    assert set(one.notes["track"].tolist()) == {1}, "drums of one velocity say nothing"
    assert one.velocities[beat == 0].min() >= 100 and one.velocities[beat != 0].max() < 72
    assert np.allclose(one.offsets[beat == 1], 0.4) and np.allclose(one.offsets[beat != 1], 0)


def test_songs_of_a_machine_keep_nothing(store: PhraseStore) -> None:
    split = next(row.split for row in store.songs if row.song == "machine")
    place = [row.song for row in store.songs if row.split == split].index("machine")
    assert not len(store.played(split)[place])


def test_a_model_learns_accents_and_lateness_and_survives_the_checkpoint(store: PhraseStore) -> None:
    found = fit_performance(performances_of(store, "train"))
    assert found is not None
    again = performance_from(performance_state(found))
    assert again is not None
    for name, values in found.to_dict().items():
        assert np.array_equal(values, getattr(again, name)), name
    one = performances_of(store, "train")[0]
    performer = found.draw(one.notes, one.spec, 120, np.random.default_rng(0))
    velocities, offsets = found.perform(performer, one.notes, one.spec, np.random.default_rng(0))
    beat = one.notes["onset"] // 4 % 4
    assert velocities[beat == 0].mean() > velocities[beat != 0].mean() + 15
    assert offsets[beat == 1].mean() > offsets[beat != 1].mean() + 0.1


def test_what_the_data_does_not_play_is_played_as_others_do(store: PhraseStore) -> None:
    found = completed_performance(fit_performance(performances_of(store, "train")))
    notes = make_notes([0] * 64 + [1] * 64, [42] * 64 + [60] * 64, [*range(0, 256, 4)] * 2, 2)
    performer = found.draw(notes, SPEC, 120, np.random.default_rng(1))
    velocities, _ = found.perform(performer, notes, SPEC, np.random.default_rng(1))
    drums, piano = velocities[notes["track"] == 0], velocities[notes["track"] == 1]
    assert len(set(drums.tolist())) > 5, "drummers that come along"
    assert piano[::4].mean() > piano[1::4].mean() + 15, "the data's own pianist"


def test_nothing_to_learn_from_is_no_model() -> None:
    assert fit_performance([]) is None and performance_from({}) is None


def test_a_long_song_is_kept_to_a_bar_line_and_tables_survive_packing(tmp_path: Path) -> None:
    (song,) = prepare_file(SourceFile("long", str(played_midi(tmp_path / "long.mid", 1, bars=600))), cutting()).songs
    assert MOST_NOTES - 4 <= len(song.played) <= MOST_NOTES and song.played["onset"].max() % 16 == 12
    tables = [song.played, np.zeros(0, PLAYED), song.played[:3]]
    for one, again in zip(tables, unpack_performances(pack_performances(tables)), strict=True):
        assert np.array_equal(one, again)
