"""Loops of records in a song: their words, and their notes where they play."""

from __future__ import annotations

from dataclasses import replace

from pipeline.scores.notes import make_notes
from pipeline.scores.structure.flipped_loops import FlippedLoop, LoopEvent, notes_of_events

LOOP = FlippedLoop("old.mp3", 16, 2, 40.0, 45.0, 3, 1.07, False, 32, "01-loop-1.wav")


def test_a_loop_is_described_as_a_musician_would() -> None:
    assert LOOP.description == "bars 17-18 of old.mp3, 3 semitones up, 1.07 times as fast"
    one = replace(LOOP, num_bars=1, semitones=-1, speed=0.944, is_turntable=True)
    assert one.description == "bar 17 of old.mp3, 1 semitone down, 0.94 times as fast, pitch and speed moved together"
    still = replace(LOOP, semitones=0, speed=1.001, is_turntable=True)
    assert still.description == "bars 17-18 of old.mp3, as on the record"


def test_notes_come_again_with_every_pass_and_end_with_the_stretch() -> None:
    notes = make_notes(3, [60, 64], [0, 6], [4, 8])
    found = notes_of_events([LoopEvent(16, 12, 0)], [notes], [8])
    assert found["onset"].tolist() == [16, 22, 24]
    assert found["length"].tolist() == [4, 2, 4], "no note leaves its pass"
    assert set(found["track"].tolist()) == {3}


def test_a_slice_has_the_notes_that_begin_in_it() -> None:
    notes = make_notes(3, [60, 64], [0, 6], [4, 2])
    found = notes_of_events([LoopEvent(32, 4, 0, loop_step=4)], [notes], [8])
    assert list(zip(found["onset"].tolist(), found["pitch"].tolist(), strict=True)) == [(34, 64)]
