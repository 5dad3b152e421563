"""What is read quickly is what is read slowly, to the byte."""

import warnings
from pathlib import Path

import pytest
from mido.midifiles.meta import KeySignatureError

from pipeline.config import compose
from pipeline.dataset.cutting import CuttingSettings, SourceFile, cutting_settings, prepare_file
from tests.conftest import SHARED
from tests.midi_files import write_midi_files
from tests.music_makers import song_midi
from tests.slow_reader import Slow, read_slowly

REFUSED_BY_MIDO = (OSError, ValueError, EOFError, KeyError, IndexError, KeySignatureError)


def settings_and_slow(*words: str) -> tuple[CuttingSettings, Slow]:
    config = compose("data=games", "prepare.cut=grid", *words)
    settings = cutting_settings(config)
    families = [None if track.is_drum else set(track.programs) for track in config.tracks.tracks]
    return settings, Slow(
        families,
        beats=settings.spec.beats_per_bar,
        steps=settings.spec.steps_per_beat,
        hop=settings.hop_bars,
        min_tracks=settings.min_tracks,
    )


def quickly(path: Path, settings: CuttingSettings) -> list[tuple[int, bytes]]:
    songs = prepare_file(SourceFile(path.name, str(path)), settings).songs
    return [
        (start, phrase.tobytes()) for song in songs for start, phrase in zip(song.starts, song.phrases, strict=True)
    ]


@pytest.fixture(scope="module")
def midi_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_midi_files(tmp_path_factory.mktemp("ten"))


@pytest.mark.parametrize("steps", [4, 12, 24])
def test_all_phrases_of_ten_files_are_those_of_the_slow_reader(midi_files: list[Path], steps: int) -> None:
    settings, slow = settings_and_slow("prepare.min_tracks=2", f"roll.steps_per_beat={steps}")
    for path in midi_files:
        assert quickly(path, settings) == read_slowly(path, slow) != [], path.name


def test_waltzes_are_read_as_the_slow_reader_reads_them(tmp_path: Path) -> None:
    settings, slow = settings_and_slow("prepare.min_tracks=2", "data.metre=3/4")
    path = song_midi(tmp_path / "a.mid", 1, bars=12, metre=(3, 4))
    assert quickly(path, settings) == read_slowly(path, slow) != []


@pytest.mark.slow
@pytest.mark.skipif(not (SHARED / "band").is_dir(), reason="../shared/data/band is not there")
def test_phrases_of_game_music_are_those_of_the_slow_reader() -> None:
    settings, slow = settings_and_slow()
    compared, refused, different = 0, 0, []
    for path in sorted((SHARED / "band").rglob("*.mid"))[::10]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                wanted = read_slowly(path, slow)
        except REFUSED_BY_MIDO:
            refused += 1
            continue
        compared += len(wanted)
        if quickly(path, settings) != wanted:
            different.append(path.name)
    assert not different
    assert compared > 300 and refused < 3
