"""The whole chain on a small folder of music: what a listener finds at the end."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pretty_midi
import pytest
import soundfile

from pipeline.rendering.midi import midi_bytes
from pipeline.songs.song import Song
from pipeline.songs.sung_syllables import lines_of, read_alignment, with_words
from tests.conftest import SMALL
from tests.stage_runner import run_stage
from tests.word_readers import lrc_words, midi_words, score_words, words_begun

KINDS = ("mid", "wav", "png", "musicxml", "lrc")


@pytest.mark.slow
def test_every_song_has_midi_sound_picture_score_and_words(small_album: Path) -> None:
    album = small_album / "outputs/small/album"
    lyrics = json.loads((small_album / "outputs/small/lyrics/lyrics.json").read_text())["songs"]
    assert len(lyrics) == 2
    for number in (1, 2):
        found = {path.suffix[1:] for path in (album / "tracks").glob(f"{number:02d}*")}
        assert found >= set(KINDS)
    page = (album / "index.html").read_text()
    for song in lyrics:
        assert song["title"] in page
        choruses = [tuple(section["lines"]) for section in song["sections"] if section["name"] == "chorus"]
        assert len(choruses) >= 2
        assert len(set(choruses)) == 1, "the chorus comes back word for word"


@pytest.mark.slow
def test_the_midi_files_hold_the_rolls_and_sound_as_long(small_album: Path) -> None:
    run = small_album / "outputs/small"
    alignment = read_alignment(run / "lyrics/alignment.json")
    for number in (1, 2):
        song = with_words(Song.load(run / f"generate/album/songs/{number:02d}.npz"), alignment[number].syllables)
        path = next((run / "render/album").glob(f"{number:02d}*.mid"))
        score = pretty_midi.PrettyMIDI(str(path))
        read = []
        for instrument in score.instruments:
            track = song.spec.names.index(instrument.name)
            assert instrument.is_drum == song.spec.tracks[track].is_drum
            for note in instrument.notes:
                step = score.time_to_tick(note.start) / score.resolution * song.spec.steps_per_beat
                read.append((track, note.pitch, round(step)))
        written = [(int(note["track"]), int(note["pitch"]), int(note["onset"])) for note in song.notes]
        assert sorted(read) == sorted(written)
        sound, rate = soundfile.read(path.with_suffix(".wav"))
        assert song.seconds - 0.5 <= len(sound) / rate <= song.seconds + 8
        assert 0.05 < np.abs(sound).max() < 1


@pytest.mark.slow
def test_midi_score_and_lrc_have_the_same_words_at_the_same_steps(small_album: Path) -> None:
    run = small_album / "outputs/small"
    for number, words in read_alignment(run / "lyrics/alignment.json").items():
        song = with_words(Song.load(run / f"generate/album/songs/{number:02d}.npz"), words.syllables)
        assert words.syllables and all(one.onset + one.length <= song.num_steps for one in words.syllables)
        midi, lrc, score = (
            next((run / "render/album").glob(f"{number:02d}*.{kind}")) for kind in ("mid", "lrc", "musicxml")
        )
        set_to = [(one.text, one.onset) for one in words.syllables]
        assert [(text, round(step)) for text, step in midi_words(midi, song)] == set_to
        assert [(text, round(step)) for text, step in lrc_words(lrc, song)] == words_begun(words.syllables)
        shown = [(one.text if one.ends_word else one.text.rstrip("-"), one.onset) for one in words.syllables]
        assert sorted(score_words(score, song), key=lambda word: word[1]) == shown, "scores draw hyphens themselves"
    lit = (run / "album/index.html").read_text().count('<span class="line sung">')
    assert lit == sum(len(lines_of(one.syllables)) for one in read_alignment(run / "lyrics/alignment.json").values())


def midi_of_songs(run: Path) -> list[bytes]:
    """The two songs of a run as MIDI."""
    return [midi_bytes(Song.load(run / f"generate/album/songs/{number:02d}.npz")) for number in (1, 2)]


@pytest.mark.slow
def test_the_same_seed_gives_the_same_midi(small_album: Path, tmp_path: Path) -> None:
    words = [word for word in SMALL if not word.startswith("name=")]
    for folder in ("music", "data"):
        shutil.copytree(small_album / folder, tmp_path / folder, symlinks=True)
    first = midi_of_songs(small_album / "outputs/small")
    run_stage(tmp_path, "generate", *words, "name=again")
    assert midi_of_songs(tmp_path / "outputs/again") == first, "trained and generated anew"
    run_stage(tmp_path, "generate", *words, "name=again", "generate.seed=2")
    assert len({*first, *midi_of_songs(tmp_path / "outputs/again")}) == 4, "another seed, other songs"
