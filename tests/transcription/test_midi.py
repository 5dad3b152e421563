"""Transcriptions as MIDI files: beats, tempos, parts."""

from __future__ import annotations

import io
from dataclasses import replace

import mido
import numpy as np
import pytest

from pipeline.scores.chords.symbols import UNKNOWN, read_progression
from pipeline.scores.midi.reading import read_midi
from pipeline.scores.notes import make_notes
from pipeline.scores.quantisation import BarSpan, quantise_chords
from pipeline.transcription.beats.grid import Beats
from pipeline.transcription.midi import chord_markers, tempo_map, transcription_midi
from pipeline.transcription.transcriber import Transcription
from tests.music_makers import SPEC
from tests.sound_makers import timed_hits, timed_notes, transcribed


def written(beats: Beats) -> Transcription:
    found = timed_notes((0.5, 1.0, 64, 90), (1.0, 1.5, 65, 90), (0.5, 1.5, 40, 90))
    return transcribed(found, timed_hits((0.5, 36), (1.0, 38)), beats, "Guitar", 4.0)


def test_quarter_notes_are_beats_and_families_have_their_programs() -> None:
    beats = Beats(np.array([0.5, 1.0, 1.5, 2.0, 2.5]), 4)
    score = read_midi(transcription_midi(written(beats), "mine"), "mine", 10**6)[0]
    parts = {part.name: part for part in score.parts}
    assert [(part.program, part.is_drum) for part in parts.values()] == [(0, True), (33, False), (25, False)]
    assert parts["Guitar"].events["onset"].tolist() == [0, 1]
    assert parts["Drums"].events["pitch"].tolist() == [36, 38]
    assert parts["Bass"].events["duration"].tolist() == [2]
    assert score.tempos == ((0.0, pytest.approx(120)),)


def test_the_tempo_map_follows_beats_that_drift() -> None:
    moments = np.cumsum(np.concatenate([[3.0], np.linspace(0.4, 0.6, 60)]))
    changes = dict(tempo_map(Beats(moments, 4)))
    beat, reached = 0, 0.0
    for index in range(60):
        beat = changes.get(index, beat)
        reached += beat / 1e6
        assert abs(reached - (moments[index + 1] - moments[0])) < 0.006
    assert len(changes) < 61


def test_chords_are_markers_that_are_read_back_and_unsure_ones_are_unknown() -> None:
    beats = Beats(0.5 + 0.5 * np.arange(40), 3)
    chords = read_progression("Am7 Am7 | C/E N.C. | F F | F F | F F | F F")
    sure = np.array([0.9, 0.9, 0.5, 0.6, 0.4, 0.7, 1, 1, 1, 1, 1, 1])
    heard = replace(written(beats), chords=chords, chord_confidence=sure)
    content = transcription_midi(heard, "mine")
    markers, now = [], 0
    for message in mido.MidiFile(file=io.BytesIO(content)).tracks[0]:
        now += message.time
        if message.type == "marker":
            markers.append((now / 480, message.text))
    assert markers == [(0, "Am7"), (3, "C/E"), (5, "N.C."), (6, "?"), (8, "F"), (18, "?")]
    (score,) = read_midi(content, "mine", 10**6)
    span, waltz = BarSpan(0.0, 7, 0), replace(SPEC, beats_per_bar=3)
    rows, is_written = quantise_chords(score, make_notes(1, 60, range(0, 84, 4), 4), span, waltz)
    wanted = np.concatenate([chords, np.full((2, 3), UNKNOWN)])
    wanted[4] = UNKNOWN
    np.testing.assert_array_equal(rows, wanted)
    assert is_written, "a chord of four bars and a half holds until the next"


def test_a_transcription_without_chords_has_no_markers_and_one_without_sure_ones_says_so() -> None:
    beats = Beats(0.5 + 0.5 * np.arange(12), 4)
    assert chord_markers(written(beats)) == []
    unsure = replace(written(beats), chords=read_progression("Am C"), chord_confidence=np.zeros(4))
    assert chord_markers(unsure) == [(0, "?")]
    (score,) = read_midi(transcription_midi(unsure, "mine"), "mine", 10**6)
    assert score.chords == ((0.0, "?"),)


def test_a_file_of_midi_names_title_and_metre() -> None:
    beats = Beats(np.array([0.5, 1.0, 1.5, 2.0, 2.5]), 3)
    file = mido.MidiFile(file=io.BytesIO(transcription_midi(written(beats), "mine")))
    head = {message.type: message for message in file.tracks[0]}
    assert head["track_name"].name == "mine" and head["time_signature"].numerator == 3
