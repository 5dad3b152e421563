"""Stray notes after the end."""

from __future__ import annotations

from dataclasses import replace

from pipeline.scores.midi.strays import without_strays
from tests.music_makers import part, score
from tests.scores.midi.makers import BEAT, heard, midi, note, program, read


def test_one_note_after_an_hour_of_silence_is_left_out() -> None:
    tune = program(0, 24) + b"".join(note(0, 60 + beat % 12) for beat in range(64))
    clean, stray = read(midi(tune)), read(midi(tune + note(0, 60, 7200 * BEAT)))
    assert heard(stray.parts[0]) == heard(clean.parts[0])
    assert stray.remarks == ("notes long after the end were left out (1)",)
    assert read(midi(tune + note(0, 60, 100_000 * BEAT))).end == 64


def test_music_after_a_long_silence_stays() -> None:
    rows = [(float(beat), 1.0, 60) for beat in range(64)]
    later = [(onset + 2000, length, pitch) for onset, length, pitch in rows]
    whole = score(part(rows), part(later))
    assert without_strays(whole) is whole


def test_a_song_with_rests_stays() -> None:
    rows = [(float(beat), 1.0, 60) for beat in range(0, 1600, 200)]
    whole = replace(score(part(rows)), remarks=("x",))
    assert without_strays(whole) is whole
