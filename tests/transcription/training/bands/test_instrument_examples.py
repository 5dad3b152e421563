"""Rendered bands and what is true of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gan.chords import QUALITIES
from pipeline.audio.synthesizers import soundfont_path
from pipeline.config import compose
from pipeline.dataset.cutting import cutting_settings
from pipeline.transcription.instruments.decoding import STEP_SECONDS
from pipeline.transcription.instruments.network import FAMILIES, LEAD
from pipeline.transcription.training.bands import instrument_examples
from pipeline.transcription.training.bands.instrument_examples import (
    CHORD,
    HIT,
    NOTE,
    LabelledSong,
    label_pop909,
    label_score,
    make_example,
    passage,
    read_chord_labels,
    read_example,
    render_mix,
    write_example,
)
from pipeline.transcription.training.bands.instruments import ExampleSources, ExampleTask, render_example
from tests.midi_files import write_midi_files
from tests.music_makers import song_midi, tune, write_midi

PIANO, BASS, STRINGS = (FAMILIES.index(name) for name in ("Piano", "Bass", "Strings"))


def labelled(count: int = 40) -> LabelledSong:
    """A tune of strings over a bass, half a second a note."""
    notes = np.zeros(2 * count, NOTE)
    starts = 0.5 * np.arange(count)
    for row, (pitch, program, family) in enumerate(((72, 48, STRINGS), (40, 33, BASS))):
        own = notes[row::2]
        own["start"], own["end"], own["pitch"], own["velocity"] = starts, starts + 0.45, pitch, 100
        own["program"], own["family"], own["is_lead"] = program, family, row == 0
    return LabelledSong(notes, np.array([(1.0, 36, 100)], HIT), np.array([(0.0, 20.0, 9, 1, 9)], CHORD))


@pytest.mark.parametrize(
    ("label", "root", "quality", "bass"),
    [
        ("C:maj", 0, "maj", 0),
        ("Bb:min7/b3", 10, "min7", 1),
        ("F#:hdim7", 6, "m7b5", 6),
        ("G:maj(9)/5", 7, "maj", 2),
        ("D:sus4(b7)", 2, "sus4", 2),
    ],
)
def test_chord_labels_are_read(tmp_path: Path, label: str, root: int, quality: str, bass: int) -> None:
    (tmp_path / "001.chords.txt").write_text(f"0.5\t1.5\t{label}\n1.5\t2\tN\n")
    found = read_chord_labels(tmp_path / "001.chords.txt")
    assert found[0].tolist() == (0.5, 1.5, root, QUALITIES.index(quality), bass)
    assert found[1].tolist() == (1.5, 2.0, -1, -1, -1)


def test_a_passage_in_another_key_has_its_chords_there() -> None:
    song = labelled()
    moved = passage(song, np.random.default_rng(1))
    shift = int(moved.notes["pitch"].min()) - 40
    assert moved.chords["root"].tolist() == [(9 + shift) % 12]
    assert (moved.notes["start"] >= 0).all()
    assert moved.hits["start"][0] < 40


def test_a_rendered_note_is_where_its_label_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instrument_examples, "SECONDS", 6.0)
    song = labelled(10)
    sound = render_mix(song, soundfont_path(None), np.random.default_rng(0))
    example = make_example(song, sound)
    assert example.sounding[2, 72 - 21, [STRINGS, LEAD, BASS]].tolist() == [True, True, False]
    assert np.flatnonzero(example.onsets[:, 40 - 21, BASS]).tolist() == [
        int(one / STEP_SECONDS + 1e-9) for one in 0.5 * np.arange(10)
    ]
    activations = example.features.activations[::2, 40 - 21, 1].astype(float)
    sounding = example.sounding[: len(activations), 40 - 21, BASS]
    assert activations[sounding].mean() > activations[~sounding].mean() + 60
    write_example(tmp_path / "0.npz", example)
    back = read_example(tmp_path / "0.npz")
    assert (back.sounding == example.sounding).all()
    assert (back.onsets == example.onsets).all()
    assert back.asked.all()
    assert back.chords.tolist() == song.chords.tolist()


def test_pop909_becomes_a_band(tmp_path: Path) -> None:
    parts = {(0, 0, "MELODY"): tune(1, 4, 72), (1, 0, "BRIDGE"): tune(2, 4, 64), (2, 0, "PIANO"): tune(3, 4, 45)}
    write_midi(tmp_path / "001.mid", parts)
    (tmp_path / "001.chords.txt").write_text("0\t9\tC:maj\n")
    np.savetxt(tmp_path / "001.beats.txt", [(0.5 * beat, beat % 4 == 0, 0) for beat in range(20)])
    groove = write_midi(tmp_path / "beat_4-4.mid", {(9, 0, "drums"): [(0, 0.25, 36), (1, 0.25, 38)]})
    tracks = compose("data=games", "tracks=pop").tracks
    songs = [
        label_pop909(tmp_path / "001.mid", tmp_path, [groove], tracks, np.random.default_rng(seed)) for seed in range(8)
    ]
    assert all(song.notes["is_lead"].sum() == 16 for song in songs)
    basses = [song.notes[song.notes["family"] == BASS] for song in songs]
    assert any(len(one) and one["pitch"].max() < 46 for one in basses)
    hits = next(song.hits for song in songs if len(song.hits))
    assert hits["start"][:2].tolist() == pytest.approx([0.0, 0.5])


def test_a_score_is_told_apart_as_the_track_set_pop_does(tmp_path: Path) -> None:
    config = compose("data=games", "tracks=pop")
    song = label_score(song_midi(tmp_path / "band.mid", 1, bars=12), config.tracks, cutting_settings(config).spec)
    assert song.notes["is_lead"].any()
    assert set(song.notes["family"]) <= set(range(len(FAMILIES)))
    assert len(song.chords) == 24


def test_an_example_is_rendered_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instrument_examples, "SECONDS", 4.0)
    monkeypatch.setattr("pipeline.transcription.training.bands.instruments.FEWEST_NOTES", 4)
    sources = ExampleSources(tuple(write_midi_files(tmp_path / "midi")), (), tmp_path, (), (soundfont_path(None),), 0)
    task = ExampleTask(0, tmp_path / "0.npz")
    assert render_example(task, sources) == ""
    written = task.path.stat().st_mtime_ns
    assert render_example(task, sources) == ""
    assert task.path.stat().st_mtime_ns == written
    nothing = ExampleSources((tmp_path / "absent.mid",), (), tmp_path, (), (soundfont_path(None),), 0)
    assert render_example(ExampleTask(1, tmp_path / "1.npz"), nothing).startswith("no passage with notes")
