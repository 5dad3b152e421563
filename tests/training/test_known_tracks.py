"""Tracks that hardly any song knows: left to the base model where training begins with it, else taken to rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gan.statistics import count_some, most_notes
from pipeline.config import compose
from pipeline.dataset.cutting import CuttingSettings, SourceFile, cutting_settings
from pipeline.dataset.resumable_reading import read_files
from pipeline.dataset.store import PhraseStore, open_store
from pipeline.dataset.store_writer import write_store
from pipeline.errors import UserError
from pipeline.settings.data import ExecutorSettings
from pipeline.settings.train import BASE
from pipeline.training.known_tracks import KnownTracks
from pipeline.training.pretrained import pretrained_statistics
from tests.music_makers import tune, write_midi

LEAD, DRUMS, PIANO, GUITAR, BASS, STRINGS = range(6)


@pytest.fixture(scope="module")
def duos(tmp_path_factory: pytest.TempPathFactory) -> PhraseStore:
    """Songs of drums and bass, of which nothing else is known, save that one has a piano, and with it a tune."""
    folder = tmp_path_factory.mktemp("duos")
    (folder / "set").mkdir()
    sources = []
    for number in range(3):
        low = [(onset, length, pitch - 24) for onset, length, pitch in tune(number, 8)]
        lines = {(9, 0, "Drums"): [(beat, 0.25, 36) for beat in range(32)], (1, 33, "Bass"): low}
        if not number:
            lines[0, 0, "Piano"] = [(onset, 1.0, pitch + up) for onset, _, pitch in tune(9, 8) for up in (0, 4)]
        path = write_midi(folder / f"{number}.mid", lines)
        sources.append(SourceFile(str(number), str(path), split="train" if number else "validation"))
    how = settings()
    write_store(read_files(sources, how, ExecutorSettings("local", 1, None)), how, folder / "set")
    return open_store(folder / "set")


def settings() -> CuttingSettings:
    """How the songs are cut."""
    words = ("tracks=pop", "prepare.unknown=[Lead,Piano,Guitar,Strings]", "prepare.hop_bars=1")
    return replace(cutting_settings(compose("stage=prepare", *words)), by_sections=False)


def test_from_nothing_a_track_that_nobody_knows_rests(duos: PhraseStore) -> None:
    tracks = KnownTracks.of(duos, None)
    assert (tracks.left, tracks.names) == ((), [])
    assert tracks.of_songs("train").tolist() == [[False, True, False, True, True, True]] * 2
    assert tracks.of_phrases("train").shape == (len(duos.packed("train")), 6)
    assert tracks.of_phrases("validation").all(), "its song knows tune and piano"
    counted = count_some(torch.from_numpy(duos.packed("train")), duos.spec, None, tracks.of_phrases("train"))
    assert tracks.complete(counted) is counted and counted.empty_bars[GUITAR] == 1.0
    assert tracks.habits(10) == {}


def test_beginning_with_the_base_model_it_is_left_as_that_plays_it(duos: PhraseStore) -> None:
    tracks = KnownTracks.of(duos, BASE)
    assert tracks.names == ["Lead", "Piano", "Guitar", "Strings"]
    assert tracks.of_songs("train").tolist() == [[False, True, False, False, True, False]] * 2
    assert tracks.of_songs("validation").tolist() == [[True, True, True, False, True, False]]
    _, theirs = pretrained_statistics(BASE)
    counted = count_some(torch.from_numpy(duos.packed("train")), duos.spec, None, tracks.of_phrases("train"))
    whole = tracks.complete(counted)
    for track in range(6):
        own = track in (DRUMS, BASS)
        assert whole.empty_bars[track] == (counted if own else theirs).empty_bars[track], duos.spec.names[track]
        assert whole.sounding[track] == (counted if own else theirs).sounding[track]
    assert most_notes(whole, duos.spec, 6)[PIANO] == 6, "chords"
    densities = torch.tensor(whole.examples)[:, :6]
    assert not densities.isnan().any()
    assert (densities[:, [LEAD, GUITAR, STRINGS]] > 0.05).any(1).any()


def test_a_track_that_one_song_of_many_knows_is_taught_and_has_the_statistics_of_the_base_model(
    duos: PhraseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for count, names in ((4, ["Lead", "Guitar", "Strings"]), (5, ["Lead", "Piano", "Guitar", "Strings"])):
        known = np.zeros((count, 6), bool)
        known[:, [DRUMS, BASS]] = known[0, PIANO] = True
        monkeypatch.setattr(duos, "known_by_song", lambda split, known=known: known)
        tracks = KnownTracks.of(duos, BASE)
        assert tracks.names == names, "a quarter of the songs is enough"
        assert tracks.of_songs("train")[:, PIANO].tolist() == [True] + [False] * (count - 1)


def test_plans_let_it_play_as_densely_and_as_often_as_in_the_base_models_data(duos: PhraseStore) -> None:
    habits = KnownTracks.of(duos, BASE).habits(20)
    assert sorted(habits) == [LEAD, PIANO, GUITAR, STRINGS]
    _, theirs = pretrained_statistics(BASE)
    densities = np.array(theirs.examples)[:, GUITAR]
    playing = densities[densities >= 0.05]
    assert len(habits[GUITAR].shares) == round(20 * len(playing) / len(densities)) > 0
    assert set(habits[GUITAR].densities) <= set(playing)


def test_a_checkpoint_that_is_not_there_is_told(duos: PhraseStore, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no such checkpoint"):
        KnownTracks.of(duos, str(tmp_path / "none.pt"))
    (tmp_path / "mine.pt").write_bytes(b"no checkpoint")
    with pytest.raises(UserError):
        KnownTracks.of(duos, str(tmp_path / "mine.pt"))
