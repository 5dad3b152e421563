"""Songs of a checkpoint: what is made anew, and that the rest of a song stays as it is to the bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.scores.chords.symbols import print_progression
from pipeline.songs.compose.song_composer import SongComposer
from pipeline.songs.song import Song
from tests.song_makers import configured, write_checkpoint


@pytest.fixture(scope="module")
def rerolled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Song]:
    """A song of four voices as it was, with a section made anew, with two, and all of it made anew."""
    quick = ("+stage=generate", "roll.steps_per_beat=2")
    checkpoint = write_checkpoint(tmp_path_factory.mktemp("rerolled"), configured(*quick))
    overrides = (*quick, "generate.candidates=2", "generate.form=song", "generate.songs=1")
    overrides += ("generate.tempo_bpm=150", "generate.min_seconds=40", "generate.max_seconds=55")
    config, songs = configured(*overrides), {}
    for entries in ((), ("1.verse",), ("1.verse", "1.chorus"), ("1",), ("1", "1")):
        config.generate.rerolls = list(entries)
        songs[",".join(entries)] = SongComposer(config, checkpoint).make(1)
    return songs


def test_a_song_with_a_section_made_anew_is_the_same_elsewhere_to_the_bit(rerolled: dict[str, Song]) -> None:
    song, other = rerolled[""], rerolled["1.verse"]
    assert (song.key, song.tempo_map, song.num_bars) == (other.key, other.tempo_map, other.num_bars)
    for one, two in zip(song.sections, other.sections, strict=True):
        bars = slice(one.first_bar, one.first_bar + one.num_bars)
        kept = np.array_equal(song.planes[:, :, bars], other.planes[:, :, bars])
        assert kept == (one.role != "verse") == (one.seed == two.seed)
        if kept:
            inside = [np.isin(each.notes["onset"] // 8, range(bars.start, bars.stop)) for each in (song, other)]
            assert np.array_equal(song.velocities[inside[0]], other.velocities[inside[1]])
            assert np.array_equal(song.timing_ticks[inside[0]], other.timing_ticks[inside[1]])


def test_sections_made_anew_one_after_the_other_add_up(rerolled: dict[str, Song]) -> None:
    both, one = rerolled["1.verse,1.chorus"], rerolled["1.verse"]
    verse = next(section for section in both.sections if section.role == "verse")
    bars = slice(verse.first_bar, verse.first_bar + verse.num_bars)
    assert np.array_equal(both.planes[:, :, bars], one.planes[:, :, bars])
    assert not np.array_equal(both.planes, one.planes)


def test_a_song_made_anew_is_other_music_of_the_same_form_each_time(rerolled: dict[str, Song]) -> None:
    songs = [rerolled[entries] for entries in ("", "1", "1,1")]
    forms = {tuple((one.name, one.num_bars) for one in song.sections[:-1]) for song in songs}
    assert len(forms) == 1, "its words still fit"
    assert not np.array_equal(songs[0].planes[:, :, :4], songs[1].planes[:, :, :4])
    assert not np.array_equal(songs[1].planes[:, :, :4], songs[2].planes[:, :, :4])


def test_song_files_hold_the_latents_and_conditions_of_their_phrases(rerolled: dict[str, Song], tmp_path: Path) -> None:
    song = rerolled["1"]
    song.save(tmp_path / "01.npz")
    for section, read in zip(song.sections, Song.load(tmp_path / "01.npz").sections, strict=True):
        assert read.seed == section.seed != 0
        assert set(read.latents) == {"z", "z_time", "z_track", "z_track_time", "conditions"}
        assert len(read.latents["conditions"]) == len(section.latents["z"])


def test_typed_chords_are_those_of_the_song_in_the_key_that_follows_from_them(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path, configured("+stage=generate"))
    overrides = ("+stage=generate", "generate.candidates=2", "generate.form=song", "generate.songs=1")
    overrides += ("generate.tempo_bpm=150", "generate.min_seconds=40", "generate.max_seconds=55")
    config = configured(*overrides, 'generate.chords={verse: "D G A D", chorus: "Bm A | G D"}')
    song = SongComposer(config, checkpoint).make(1)
    assert song.key == "D major"
    for section in song.sections[:-1]:
        rows = song.chords[2 * section.first_bar : 2 * section.first_bar + 8]
        typed = {"verse": "D | G | A | D", "chorus": "Bm A | G D | Bm A | G D"}.get(section.role)
        assert typed is None or print_progression(rows) == typed
    for value, sentence in (("{vers: D G}", "no song has a section vers; there are .*verse"), ("D Q", "Q is no chord")):
        with pytest.raises(UserError, match=sentence):
            SongComposer(configured(*overrides, f"generate.chords={value}"), checkpoint)
