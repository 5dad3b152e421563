"""The render stage: every song becomes files that agree with each other."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pretty_midi
import pytest
import soundfile

from pipeline.config import Config
from pipeline.errors import UserError
from pipeline.files import write_json
from pipeline.lyrics.alignment.alignment import fit_words
from pipeline.songs.song import Song
from pipeline.songs.sung_syllables import with_words
from pipeline.stages import render
from tests.song_makers import configured, song_of
from tests.word_readers import midi_words

MELODY = [
    (voice, pitch - 5 * voice, 16 * bar + 4 * beat, 4)
    for bar in range(2)
    for beat, pitch in enumerate((72, 74, 76, 74))
    for voice in range(4)
]


def settings(*overrides: str) -> Config:
    return configured("+stage=render", *overrides)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one song of four voices and a title for it."""
    monkeypatch.chdir(tmp_path)
    config = settings()
    spec = render_spec(config)
    song = song_of(MELODY, spec, programs=(40, 40, 41, 42), humanized=0.5)
    song.save(tmp_path / "outputs/album/generate/songs/01.npz")
    lyrics = tmp_path / "outputs/album/lyrics/lyrics.json"
    lyrics.parent.mkdir(parents=True)
    lyrics.write_text(json.dumps({"songs": [{"number": 1, "title": "Où est l'été?", "sections": []}]}))
    return tmp_path


def render_spec(config: Config):  # type: ignore[no-untyped-def]
    from pipeline.settings.music import roll_spec

    return roll_spec(config.roll, config.tracks, config.data.metre)


def rendered(folder: Path, *overrides: str) -> tuple[Path, dict[str, object]]:
    config = settings(*overrides)
    render.inputs(config)
    assert render.plan(config).num_bytes > 100_000
    place = folder / "outputs/album/render"
    outcome = render.run(config, place)
    assert outcome.facts == {"songs": 1}
    return place, json.loads((place / "render.json").read_text())["songs"][0]


def test_a_song_becomes_midi_sound_picture_and_score(folder: Path) -> None:
    place, entry = rendered(folder)
    name = "01-ou-est-lete"
    assert entry["files"] == {kind: f"{name}.{kind}" for kind in ("mid", "wav", "png", "musicxml")}
    assert sorted(path.name for path in place.iterdir()) == sorted([*entry["files"].values(), "render.json"])
    assert entry["title"] == "Où est l'été?" and entry["number"] == 1
    assert (place / f"{name}.png").read_bytes()[:4] == b"\x89PNG"
    score = pretty_midi.PrettyMIDI(io.BytesIO((place / f"{name}.mid").read_bytes()))
    assert sum(len(one.notes) for one in score.instruments) == len(MELODY)
    assert "Où est l'été?" in (place / f"{name}.musicxml").read_text(encoding="utf-8")


def test_words_are_in_the_midi_the_score_and_an_lrc_file(folder: Path) -> None:
    song = Song.load(folder / "outputs/album/generate/songs/01.npz")
    words = fit_words(song, {0: ["Where is it"], 1: ["the summer went away again"]}, "Soprano", english=True)
    write_json(folder / "outputs/album/lyrics/alignment.json", {"songs": [asdict(words)]})
    place, entry = rendered(folder)
    files = entry["files"]
    assert isinstance(files, dict) and files["lrc"] == "01-ou-est-lete.lrc"
    assert "[ti:Où est l'été?]" in (place / files["lrc"]).read_text(encoding="utf-8")
    sung = with_words(song, words.syllables)
    assert len(sung.notes) > len(song.notes), "nine syllables on eight notes"
    assert [text for text, _ in midi_words(place / files["mid"], sung)] == [one.text for one in words.syllables]
    assert "<text>sum</text>" in (place / files["musicxml"]).read_text(encoding="utf-8")
    song_of(MELODY[:8], song.spec).save(folder / "outputs/album/generate/songs/01.npz")
    with pytest.raises(UserError, match="other music"):
        render.run(settings(), folder / "outputs/album/render")


def test_the_list_of_songs_tells_what_the_files_are(folder: Path) -> None:
    place, entry = rendered(folder)
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


def test_stems_and_compressed_files_come_on_request(folder: Path) -> None:
    place, entry = rendered(folder, "render.stems=true", "render.compressed=flac", "render.sample_rate_hz=48000")
    assert set(entry["files"]["stems"]) == {"Soprano", "Alto", "Tenor", "Bass"}
    for path in [*entry["files"]["stems"].values(), entry["files"]["flac"]]:
        sound, rate = soundfile.read(place / path)
        assert rate == 48000 and np.abs(sound).max() > 0.01


def test_songs_without_lyrics_have_numbers(folder: Path) -> None:
    (folder / "outputs/album/lyrics/lyrics.json").unlink()
    _, entry = rendered(folder)
    assert entry["files"]["wav"] == "01.wav" and entry["title"] == "Song 1"


def test_the_same_song_gives_the_same_midi_and_sound(folder: Path) -> None:
    place, entry = rendered(folder)
    first = {kind: (place / entry["files"][kind]).read_bytes() for kind in ("mid", "wav")}
    place, entry = rendered(folder)
    assert first == {kind: (place / entry["files"][kind]).read_bytes() for kind in ("mid", "wav")}


def test_a_damaged_song_stops_the_stage_before_anything_is_written(folder: Path) -> None:
    path = folder / "outputs/album/generate/songs/02.npz"
    path.write_bytes(b"no song")
    with pytest.raises(UserError, match=r"02\.npz"):
        render.plan(settings())
    with pytest.raises(UserError, match=r"02\.npz"):
        render.run(settings(), folder / "outputs/album/render")
    assert not (folder / "outputs/album/render").exists()


def test_foreign_lyrics_are_named(folder: Path) -> None:
    (folder / "outputs/album/lyrics/lyrics.json").write_text('{"songs": [{"title": 3}]}')
    with pytest.raises(UserError, match=r"lyrics\.json"):
        render.run(settings(), folder / "outputs/album/render")


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
    from pipeline.audio.synthesizers import soundfont_path

    assert render.inputs(settings()) == {}
    assert set(render.inputs(settings(f"render.soundfont={soundfont_path(None)}"))) == {"soundfont"}
