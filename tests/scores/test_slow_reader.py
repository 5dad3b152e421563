"""What is read quickly is what is read slowly, to the byte."""

import warnings
from pathlib import Path

import pytest
from mido.midifiles.meta import KeySignatureError

from pipeline.config import compose
from pipeline.dataset.cutting import CuttingSettings, SourceFile, cutting_settings, prepare_file
from tests.music_makers import song_midi
from tests.slow_reader import Slow, read_slowly

SHARED = Path(__file__).parents[2] / "shared" / "data"


def recipe_and_slow(*words: str) -> tuple[CuttingSettings, Slow]:
    config = compose("data=band", "prepare.cut=grid", *words)
    recipe = cutting_settings(config)
    families = [None if track.is_drum else set(track.programs) for track in config.tracks.tracks]
    return recipe, Slow(
        families,
        beats=recipe.spec.beats_per_bar,
        steps=recipe.spec.steps_per_beat,
        hop=recipe.hop_bars,
        min_tracks=recipe.min_tracks,
    )


def quickly(path: Path, recipe: CuttingSettings) -> list[tuple[int, bytes]]:
    songs = prepare_file(SourceFile(path.name, str(path)), recipe).songs
    return [
        (start, phrase.tobytes()) for song in songs for start, phrase in zip(song.starts, song.phrases, strict=True)
    ]


@pytest.mark.parametrize("words", [(), ("roll.steps_per_beat=12",), ("data.metre=3/4",)])
def test_songs_are_read_as_the_slow_reader_reads_them(tmp_path: Path, words: tuple[str, ...]) -> None:
    recipe, slow = recipe_and_slow("prepare.min_tracks=2", *words)
    path = song_midi(tmp_path / "a.mid", 1, bars=12, metre=(slow.beats, 4))
    assert quickly(path, recipe) == read_slowly(path, slow) != []


@pytest.mark.slow
@pytest.mark.skipif(not (SHARED / "band").is_dir(), reason="../shared/data/band is not there")
def test_all_phrases_of_the_band_are_those_of_the_slow_reader() -> None:
    recipe, slow = recipe_and_slow()
    compared, refused, different = 0, 0, []
    for path in sorted((SHARED / "band").rglob("*.mid")):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                wanted = read_slowly(path, slow)
        except (
            OSError,
            ValueError,
            EOFError,
            KeyError,
            IndexError,
            KeySignatureError,
        ):  # mido refuses what symusic reads
            refused += 1
            continue
        compared += len(wanted)
        if quickly(path, recipe) != wanted:
            different.append(path.name)
    assert not different
    assert compared > 3000 and refused < 20
