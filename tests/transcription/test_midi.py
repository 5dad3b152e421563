"""Transcriptions as MIDI files: beats, tempos, parts."""

from __future__ import annotations

import io

import mido
import numpy as np
import pytest

from pipeline.scores.midi.reading import read_midi
from pipeline.transcription.beats.grid import Beats
from pipeline.transcription.midi import tempo_map, transcription_midi
from pipeline.transcription.transcriber import Transcription, on_beats
from tests.sound_makers import timed_hits, timed_notes


def written(beats: Beats) -> Transcription:
    found = timed_notes((0.5, 1.0, 64, 90), (1.0, 1.5, 65, 90), (0.5, 1.5, 40, 90))
    return on_beats(found, timed_hits((0.5, 36), (1.0, 38)), beats, "Guitar", 4.0)


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


def test_a_file_of_midi_names_title_and_metre() -> None:
    beats = Beats(np.array([0.5, 1.0, 1.5, 2.0, 2.5]), 3)
    file = mido.MidiFile(file=io.BytesIO(transcription_midi(written(beats), "mine")))
    head = {message.type: message for message in file.tracks[0]}
    assert head["track_name"].name == "mine" and head["time_signature"].numerator == 3
