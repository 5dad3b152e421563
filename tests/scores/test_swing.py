"""Swing: off-beats come later, beats stay, and what swings is read back as it was written."""

from __future__ import annotations

import io
from dataclasses import replace

import mido  # type: ignore[import-untyped]
import numpy as np
import pytest

from pipeline.rendering.midi import midi_bytes
from pipeline.scores.midi.reading import read_midi
from pipeline.scores.notes import cut_overlaps, make_notes
from pipeline.scores.quantisation import to_steps
from pipeline.scores.swing import straightened, swing_in, swing_text, swung
from pipeline.songs.song import Song
from tests.song_makers import BAND, JIG, random_planes, song_of

HATS = [(0, 42, step, 1) for step in range(0, 32, 2)]
"""Two bars of eighth notes."""


def onsets_of(song: Song) -> list[float]:
    """When the notes of a MIDI file begin, in quarter notes."""
    file = mido.MidiFile(file=io.BytesIO(midi_bytes(song)))
    now, found = 0, []
    for message in mido.merge_tracks(file.tracks):
        now += message.time
        if message.type == "note_on" and message.velocity:
            found.append(now / file.ticks_per_beat)
    return found


def test_the_second_eighth_of_each_beat_comes_late_and_the_beat_in_time() -> None:
    onsets = onsets_of(song_of(HATS, swing=2 / 3))
    assert np.allclose(onsets[::2], range(8)) and np.allclose(onsets[1::2], np.arange(8) + 2 / 3)


@pytest.mark.parametrize("swing", [0.5, 0.58, 2 / 3, 0.75])
def test_a_swung_song_is_read_back_as_it_was_written(swing: float) -> None:
    song = song_of(random_planes(BAND, 4, 0.05, 3), humanized=1.0, swing=swing)
    (score,) = read_midi(midi_bytes(song), "", 10**6)
    assert score.swing == pytest.approx(swing, abs=1e-4)
    tables = []
    for track, name in enumerate(BAND.names):
        for part in (one for one in score.parts if one.name == name):
            onset = to_steps(part.events["onset"].copy(), BAND)
            length = np.maximum(to_steps(part.events["onset"] + part.events["duration"], BAND) - onset, 1)
            tables.append(make_notes(track, part.events["pitch"], onset, 1 if name == "Drums" else length))
    found = cut_overlaps(np.concatenate(tables))
    assert np.array_equal(found[["track", "pitch", "onset"]], song.notes[["track", "pitch", "onset"]])


def test_straightening_undoes_swing() -> None:
    moments = np.linspace(0, 9, 100)
    assert np.allclose(straightened(swung(moments, 0.7), 0.7), moments)
    assert np.allclose(swung(moments, 0.5), moments)


def test_files_of_others_are_straight_whatever_their_texts_say() -> None:
    assert swing_in(swing_text(0.66)) == 0.66
    for text in ("swing", "swing it", "swing 0.9 of a quarter note", "a text"):
        assert swing_in(text) == 0.5


def test_only_beats_with_halves_swing_and_no_further_than_dotted() -> None:
    for spec, swing in ((BAND, 0.8), (BAND, 0.4), (JIG, 0.6)):
        with pytest.raises(ValueError, match=r"swing|thirds"):
            replace(song_of([(1, 60, 0, 4)], spec), swing=swing)
