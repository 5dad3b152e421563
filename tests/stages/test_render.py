"""The render stage: every song becomes files that agree with each other."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import music21
import mutagen
import numpy as np
import pretty_midi
import pytest
import soundfile

from pipeline.audio.synthesizers import soundfont_path
from pipeline.config import Config, stage_directory
from pipeline.drawing.palette import track_colour
from pipeline.drawing.piano_rolls import SONG_BOX, SONG_SIZE
from pipeline.errors import UserError
from pipeline.files import Manifest, replaced_directory, write_json, write_manifest
from pipeline.lyrics.alignment.alignment import fit_words
from pipeline.rendering.mix import Mix, mix_song
from pipeline.settings.data import roll_spec
from pipeline.songs.song import Song
from pipeline.songs.sung_syllables import SungLyrics, with_words
from pipeline.stages import render
from tests.drawing.pictures import near, pixels
from tests.song_makers import configured, song_of
from tests.word_readers import midi_words

MELODY = [
    (voice, pitch - 5 * voice, 16 * bar + 4 * beat, 4)
    for bar in range(2)
    for beat, pitch in enumerate((72, 74, 76, 74))
    for voice in range(4)
]


STAGE = Path("outputs/album/render/album")
NAME = "01-ou-est-lete"


def settings(*overrides: str) -> Config:
    return configured("+stage=render", *overrides)


def write_song(title: str | None = "Où est l'été?") -> Song:
    """Leave one song of four voices, and a title for it, where stages look for them below the current directory."""
    config = settings()
    spec = roll_spec(config.roll, config.tracks, config.data.metre)
    song = song_of(MELODY, spec, programs=(40, 40, 41, 42), humanized=0.5)
    song.save(Path("outputs/album/generate/album/songs/01.npz"))
    if title is not None:
        write_json(Path("outputs/album/lyrics/lyrics.json"), {"songs": [{"number": 1, "title": title, "sections": []}]})
    return song


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one song, which is the current directory."""
    monkeypatch.chdir(tmp_path)
    write_song()
    return tmp_path


def rendered(*overrides: str) -> dict[str, Any]:
    """Render below the current directory; what is said of the one song."""
    config = settings(*overrides)
    render.inputs(config)
    planned = render.plan(config).num_bytes
    assert render.run(config, STAGE).facts == {"songs": 1}
    assert sum(path.stat().st_size for path in STAGE.rglob("*.*")) <= planned + 3_000_000
    entry: dict[str, Any] = json.loads((STAGE / "render.json").read_text())["songs"][0]
    return entry


Made = tuple[Path, dict[str, Any], SungLyrics]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """All that render can write of a song, which the tests only read: words, stems and a compressed file."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        song = write_song()
        words = fit_words(song, {0: ["Where is it"], 1: ["the summer went away again"]}, "Soprano", english=True)
        write_json(Path("outputs/album/lyrics/alignment.json"), {"songs": [asdict(words)]})
        wanted = ("render.stems=true", "render.compressed=flac", "render.sample_rate_hz=48000", "render.daw=both")
        entry = rendered(*wanted, "album.title=The Lost Tape", "album.artist=Nobody")
    return folder / STAGE, entry, words


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A song without words and title, which the tests only read."""
    folder = tmp_path_factory.mktemp("plain")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_song(None)
        entry = rendered()
    return folder / STAGE, entry


def test_a_song_becomes_midi_sound_picture_and_score(plain: tuple[Path, dict[str, Any]]) -> None:
    place, entry = plain
    assert entry["files"] == {kind: f"01.{kind}" for kind in ("mid", "wav", "png", "musicxml")}
    assert sorted(path.name for path in place.iterdir()) == sorted([*entry["files"].values(), "render.json"])
    assert entry["title"] == "Song 1" and entry["number"] == 1
    score = pretty_midi.PrettyMIDI(str(place / "01.mid"))
    assert sorted(note.pitch for one in score.instruments for note in one.notes) == sorted(row[1] for row in MELODY)
    image = pixels(place / "01.png")
    assert image.shape == (SONG_SIZE[1], SONG_SIZE[0], 3)
    left, top, right, bottom = SONG_BOX
    roll = image[top:bottom, left:right]
    assert all(near(roll, track_colour(track)).any() for track in range(4)), "notes of each voice in its colour"
    parts = music21.converter.parse(place / "01.musicxml").parts
    assert [part.partName for part in parts] == ["Soprano", "Alto", "Tenor", "Bass"]
    symbol = music21.harmony.ChordSymbol
    notes = [[one for one in part.recurse().notes if not isinstance(one, symbol)] for part in parts]
    assert [len(part) for part in notes] == [8] * 4


def test_files_are_named_by_number_and_title(made: Made) -> None:
    place, entry, _ = made
    assert {kind: path for kind, path in entry["files"].items() if kind != "stems"} == {
        kind: f"{NAME}.{kind}" for kind in ("mid", "wav", "png", "musicxml", "lrc", "flac", "dawproject")
    } | {"rpp": f"{NAME}.rpp.zip"}
    assert entry["title"] == "Où est l'été?"
    assert "Où est l'été?" in (place / f"{NAME}.musicxml").read_text(encoding="utf-8")


def test_words_are_in_the_midi_the_score_and_an_lrc_file(made: Made) -> None:
    place, entry, words = made
    lrc = (place / entry["files"]["lrc"]).read_text(encoding="utf-8")
    assert lrc.startswith("[ti:Où est l'été?]\n[ar:Nobody]\n[al:The Lost Tape]\n")
    song = Song.load(place.parents[1] / "generate/album/songs/01.npz")
    sung = with_words(song, words.syllables)
    assert len(sung.notes) > len(song.notes), "nine syllables on eight notes"
    assert [text for text, _ in midi_words(place / entry["files"]["mid"], sung)] == [
        one.text for one in words.syllables
    ]
    assert "<text>sum</text>" in (place / entry["files"]["musicxml"]).read_text(encoding="utf-8")


def test_words_of_other_music_are_refused(folder: Path, made: Made) -> None:
    write_json(folder / "outputs/album/lyrics/alignment.json", {"songs": [asdict(made[2])]})
    spec = Song.load(folder / "outputs/album/generate/album/songs/01.npz").spec
    song_of(MELODY[:8], spec).save(folder / "outputs/album/generate/album/songs/01.npz")
    with pytest.raises(UserError, match="other music"):
        render.run(settings(), STAGE)


def test_words_of_songs_that_are_no_more_are_left_out_and_it_is_said(
    folder: Path, made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    run = folder / "outputs/album"
    write_json(run / "lyrics/alignment.json", {"songs": [asdict(made[2])]})
    write_manifest(run / "generate/album", Manifest("generate", 2, {"generate.seed": 2}, {}))
    write_manifest(run / "lyrics", Manifest("lyrics", 2, {}, {"generate": "the songs before"}))
    entry = rendered()
    assert "lrc" not in entry["files"] and entry["title"] == "Song 1"
    said = capsys.readouterr().out
    assert "the words in outputs/album/lyrics were written for other songs" in said
    assert "python -m pipeline +stage=album name=album" in said


def test_songs_that_were_taken_away_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_manifest(folder / "outputs/album/generate/album", Manifest("generate", 2, {}, {}, {"songs": 6}))
    rendered()
    assert "outputs/album/generate/album holds 1 of the 6 songs that were made" in capsys.readouterr().out


def test_songs_of_another_request_have_no_words_of_the_album(folder: Path, made: Made) -> None:
    run = folder / "outputs/album"
    write_json(run / "lyrics/alignment.json", {"songs": [asdict(made[2])]})
    song_of(MELODY[:8], Song.load(run / "generate/album/songs/01.npz").spec).save(run / "generate/given/songs/01.npz")
    write_manifest(run / "generate/given", Manifest("generate", 2, {}, {}))
    given = settings("render.request=given")
    render.run(given, stage_directory("render", given))
    assert sorted(path.suffix for path in (run / "render/given").glob("01.*")) == [".mid", ".musicxml", ".png", ".wav"]


def test_the_list_of_songs_tells_what_the_files_are(plain: tuple[Path, dict[str, Any]]) -> None:
    place, entry = plain
    sound, rate = soundfile.read(place / entry["files"]["wav"])
    assert rate == 44100 and sound.shape[1] == 2
    assert entry["seconds"] == pytest.approx(len(sound) / rate, abs=0.01)
    assert entry["peak_dbfs"] == pytest.approx(20 * np.log10(np.abs(sound).max()), abs=0.02)
    assert entry["peak_dbfs"] <= -1 and entry["loudness_lufs"] == pytest.approx(-16, abs=0.5)
    assert set(entry["track_lufs"]) == {"Soprano", "Alto", "Tenor", "Bass"}
    assert min(entry["track_lufs"].values()) > entry["loudness_lufs"] - 12
    assert (entry["tempo_bpm"], entry["key"], entry["form"], entry["arrangement"]) == (120, "C major", "song", "band")
    score = pretty_midi.PrettyMIDI(str(place / entry["files"]["mid"]))
    volumes = {one.name: one.control_changes[0].value for one in score.instruments}
    assert volumes == entry["midi_volumes"]


def test_stems_add_up_to_the_wav_and_the_compressed_file_is_the_same_sound(made: Made) -> None:
    place, entry, _ = made
    assert set(entry["files"]["stems"]) == {"Soprano", "Alto", "Tenor", "Bass"}
    mix, rate = soundfile.read(place / entry["files"]["wav"])
    assert rate == 48000
    flac, rate = soundfile.read(place / entry["files"]["flac"])
    assert rate == 48000 and np.abs(flac - mix).max() < 4e-5, "but for rounding to 16 bits"
    score = slice(round(entry["score_seconds"] * rate))
    stems = [soundfile.read(place / path)[0][score] for path in entry["files"]["stems"].values()]
    assert all(np.abs(stem).max() > 0.01 for stem in stems)
    assert np.corrcoef(sum(stems).ravel(), mix[score].ravel())[0, 1] > 0.99


def test_compressed_files_name_the_album_and_its_artist(made: Made) -> None:
    tags = mutagen.File(made[0] / f"{NAME}.flac", easy=True)
    found = {key: tags[key][0] for key in ("title", "artist", "album", "tracknumber")}
    assert found == {"title": "Où est l'été?", "artist": "Nobody", "album": "The Lost Tape", "tracknumber": "1/1"}


def test_the_same_song_gives_the_same_midi_and_sound(
    plain: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_song(None)
    rendered()
    for name in ("01.mid", "01.wav"):
        assert (STAGE / name).read_bytes() == (plain[0] / name).read_bytes()


def test_a_damaged_song_stops_the_stage_before_anything_is_written(folder: Path) -> None:
    path = folder / "outputs/album/generate/album/songs/02.npz"
    path.write_bytes(b"no song")
    with pytest.raises(UserError, match=r"02\.npz"):
        render.plan(settings())
    with pytest.raises(UserError, match=r"02\.npz"):
        render.run(settings(), STAGE)
    assert not STAGE.exists()


def test_foreign_lyrics_are_named(folder: Path) -> None:
    (folder / "outputs/album/lyrics/lyrics.json").write_text('{"songs": [{"title": 3}]}')
    with pytest.raises(UserError, match=r"lyrics\.json"):
        render.run(settings(), STAGE)


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("render.sample_rate_hz=22050", "sample_rate_hz"),
        ("render.loudness_lufs=3", "loudness_lufs"),
        ("render.peak_dbfs=1", "peak_dbfs"),
        ("render.compressed=wma", "render.compressed"),
        ("render.synth=theremin", "render.synth"),
        ("render.soundfont=/nowhere.sf2", "render.soundfont"),
    ],
)
def test_settings_that_cannot_work_are_named(override: str, named: str) -> None:
    with pytest.raises(UserError, match=named):
        render.inputs(settings(override))


def test_a_soundfont_of_ones_own_counts_in_the_fingerprint() -> None:
    assert render.inputs(settings()) == {}
    assert set(render.inputs(settings(f"render.soundfont={soundfont_path(None)}"))) == {"soundfont"}


def test_a_song_that_did_not_change_keeps_its_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def again(*overrides: str) -> tuple[bool, dict[str, Any]]:
        """Whether the song was played again, and what the list says of it."""
        played: list[int] = []
        mixed = partial(mix_noted, played)
        monkeypatch.setattr(render, "mix_song", mixed)
        config = settings(*overrides)
        with replaced_directory(STAGE) as place:
            render.plan(config)
            render.run(config, place)
            write_manifest(place, Manifest("render", 2, {}, {}))
        entry: dict[str, Any] = json.loads((STAGE / "render.json").read_text())["songs"][0]
        return bool(played), entry

    assert again()[0]
    bytes_before = {path.name: path.read_bytes() for path in STAGE.iterdir() if path.name != "manifest.json"}
    assert not again()[0], "nothing changed"
    assert {path.name: path.read_bytes() for path in STAGE.iterdir() if path.name != "manifest.json"} == bytes_before
    assert again("render.stems=true")[0], "another setting"
    assert again()[0]
    write_song("Another Title")
    was_played, entry = again()
    assert was_played and entry["files"]["mid"] == "01-another-title.mid"
    assert again("force=true")[0]
    (STAGE / "01-another-title.wav").write_bytes(b"half")
    assert again()[0], "a damaged file is written anew"
    song = replace(write_song("Another Title"), key="D minor")
    song.save(folder / "outputs/album/generate/album/songs/01.npz")
    was_played, entry = again()
    assert was_played and entry["key"] == "D minor"


def mix_noted(played: list[int], song: Song, *words: Any) -> Mix:
    """`mix_song`, which notes the number of the song."""
    played.append(song.number)
    return mix_song(song, *words)
