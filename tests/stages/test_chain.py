"""The whole chain on a small folder of music: what a listener finds at the end."""

from __future__ import annotations

import json
from pathlib import Path

import mido
import music21
import numpy as np
import pretty_midi
import pytest
import soundfile

from pipeline.songs.song import Song
from pipeline.songs.sung_syllables import lines_of, read_alignment, with_words
from tests.conftest import SMALL, Program
from tests.music_makers import write_midi
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


def write_jigs(folder: Path, count: int = 20, bars: int = 12) -> None:
    """MIDI files of a band in 6/8, all different: a beat on the dotted quarter notes, eighths above them, a tune."""
    folder.mkdir()
    for number in range(count):
        random = np.random.default_rng(number)
        roots = 60 + random.choice([0, 5, 7, 9], bars)
        beats = [(1.5 * beat, root) for bar, root in enumerate(roots) for beat in (2 * bar, 2 * bar + 1)]
        eighths = [(start + part / 2, root) for start, root in beats for part in range(3)]
        parts = {
            (9, 0, "drums"): [(start, 0.5, 36 + 2 * (at % 2)) for at, (start, _) in enumerate(beats)],
            (0, 0, "piano"): [(start, 1.5, root + up) for start, root in beats for up in (0, 4, 7)],
            (1, 25, "guitar"): [(start, 0.5, root - 12 + random.choice([0, 4, 7])) for start, root in eighths],
            (2, 33, "bass"): [(start, 1, root - 24) for start, root in beats],
            (3, 48, "strings"): [(start, 0.5, root + 12 + random.choice([0, 2, 4, 7])) for start, root in eighths],
        }
        write_midi(folder / f"jig-{number}.mid", parts, metre=(6, 8), bpm=float(90 + number))


@pytest.mark.slow
def test_the_whole_chain_runs_in_six_eight(program: Program, tmp_path: Path) -> None:
    """From files in 6/8 to an album in 6/8, whose files other programs read in bars of three quarter notes."""
    write_jigs(tmp_path / "music")
    shorter = (
        "train.steps=4",
        "generate.songs=1",
        "generate.candidates=1",
        "generate.min_seconds=20",
        "generate.max_seconds=40",
    )
    kept_words = [word for word in SMALL if word.partition("=")[0] not in {one.partition("=")[0] for one in shorter}]
    words = [*kept_words, *shorter, "data.metre=6/8"]
    program("+stage=album", *words, cwd=tmp_path, check=True)
    run = tmp_path / "outputs/small"
    song = Song.load(run / "generate/album/songs/01.npz")
    assert (song.spec.metre, song.spec.steps_per_bar) == ("6/8", 12)
    assert song.seconds_at(12) == pytest.approx(3 * 60 / song.tempo_bpm), "a bar is three quarter notes"
    aligned = read_alignment(run / "lyrics/alignment.json")[1].syllables
    song = with_words(song, aligned)
    midi, lrc, score = (next((run / "render/album").glob(f"01*.{kind}")) for kind in ("mid", "lrc", "musicxml"))
    file = mido.MidiFile(midi)
    metres = [one for track in file.tracks for one in track if one.type == "time_signature"]
    assert [(one.numerator, one.denominator) for one in metres] == [(6, 8)]
    read = pretty_midi.PrettyMIDI(str(midi))
    begun = sorted(
        (one.name, note.pitch, round(read.time_to_tick(note.start) / song.ticks_per_step))
        for one in read.instruments
        for note in one.notes
    )
    assert begun == sorted((song.spec.names[int(one["track"])], one["pitch"], one["onset"]) for one in song.notes)
    bass = music21.converter.parse(score).parts[3]
    assert bass.recurse().getElementsByClass("TimeSignature")[0].ratioString == "6/8"
    assert {bar.duration.quarterLength for bar in bass.getElementsByClass("Measure")} == {3.0}
    shown = {(round(4 * float(one.offset)), one.pitch.midi) for one in bass.stripTies().flatten().notes}
    assert shown == {(one["onset"], one["pitch"]) for one in song.notes if one["track"] == 3}
    assert [(text, round(step)) for text, step in midi_words(midi, song)] == [(one.text, one.onset) for one in aligned]
    assert [(text, round(step)) for text, step in lrc_words(lrc, song)] == words_begun(aligned)
    assert f"{song.tempo_bpm / 1.5:.0f} beats a minute in 6/8" in (run / "album/index.html").read_text()

    given = ("generate.given=music/jig-9.mid", "generate.keep=[bass]")
    program("+stage=generate", *words, *given, cwd=tmp_path, check=True)
    around = Song.load(run / "generate/given/songs/01.npz")
    kept = around.notes[around.notes["track"] == song.spec.names.index("Bass")]
    assert kept["onset"].tolist() == list(range(0, 12 * 12, 6)) and around.tempo_bpm == pytest.approx(99, abs=0.01)
    few = ("evaluate.phrases=8", "evaluate.samples=8", "evaluate.resamples=5", "evaluate.requests=4")
    program("+stage=evaluate", *words, *few, "evaluate.classifier=false", cwd=tmp_path, check=True)
    assert '"is_compound": true' in (run / "evaluate/report.json").read_text()
