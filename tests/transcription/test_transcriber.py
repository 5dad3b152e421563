"""Recordings to notes: bars in the metre that a recording has, and what is told where that is another."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.transcription.beats.grid import Beats
from pipeline.transcription.instruments.parts import HeardPart
from pipeline.transcription.transcriber import TranscriptionHints, half_bar_seconds, on_beats, transcribe_samples
from tests.sound_makers import NoteRows, render_rows, timed_hits, timed_notes

CHORDS = ((48, 60, 64, 67), (45, 57, 60, 64), (41, 57, 60, 65), (43, 59, 62, 67))


def jig(bars: int = 16, eighth: float = 0.22) -> NoteRows:
    """6/8: a bass note on both beats, a chord behind each, a broken chord above."""
    rows = []
    for bar in range(bars):
        bass, *chord = CHORDS[bar % 4]
        for place in range(6):
            start = 0.2 + (6 * bar + place) * eighth
            if place % 3 == 0:
                rows.append((start, start + 3 * eighth, bass - 12 * (place == 0), 110, 0))
            rows.append((start, start + eighth, chord[place % 3] + 12, 100 if place % 3 == 0 else 70, 0))
            rows += [(start, start + eighth, pitch, 70, 0) for pitch in chord if place % 3 == 2]
    return np.array(rows, np.float64)


def test_a_jig_is_heard_in_dotted_beats_where_these_are_asked_for() -> None:
    sound = render_rows(jig(), drums=False)
    asked = transcribe_samples(sound, TranscriptionHints(beats_per_bar=2, is_compound=True))
    assert asked.beats.bpm == pytest.approx(60 / 0.66, rel=0.02)
    assert asked.remarks == ()
    (remark,) = transcribe_samples(sound, TranscriptionHints()).remarks
    assert remark.startswith(("sounds like 3/4 and not 4/4", "its beats divide in three: data.metre=12/8"))


def test_straight_beats_in_a_set_of_jigs_are_told() -> None:
    rows = [
        (0.5 * beat, 0.5 * beat + 0.4, pitch + 12 * half, 90, 0)
        for beat in range(64)
        for half in range(2)
        for pitch in CHORDS[beat // 4 % 4]
    ]
    rows += [(0.5 * beat + 0.25, 0.5 * beat + 0.45, 72, 90, 0) for beat in range(64)]
    sound = render_rows(np.array(sorted(rows), np.float64), drums=False)
    found = transcribe_samples(sound, TranscriptionHints(beats_per_bar=2, is_compound=True))
    assert found.remarks == ("its beats do not divide in three: data.metre=4/4 takes such music",)


def test_what_nobody_can_tell_the_instrument_of_is_told() -> None:
    rumble = np.cumsum(np.random.default_rng(0).standard_normal(20 * 44100)).astype(np.float32)
    rumble = 0.1 * (rumble - np.convolve(rumble, np.ones(400) / 400, "same")) / 40
    found = transcribe_samples(rumble.astype(np.float32), TranscriptionHints(recognise_metre=False))
    assert [part.name for part in found.parts] == ["Unsure"]
    assert found.known == ()
    assert "no instrument is heard surely: nothing is learnt from it" in found.remarks


def test_a_bar_is_as_sure_as_the_notes_that_sound_longest_in_it() -> None:
    beats = Beats(0.5 * np.arange(13), 4)
    notes = timed_notes((0.0, 1.5, 60, 90), (1.5, 2.0, 64, 90), (4.0, 5.0, 67, 90))
    parts = [HeardPart("Piano", 0, notes, np.array([0.9, 0.1, 0.4]))]
    found = on_beats(parts, timed_hits((0.0, 36)), beats, 6.0)
    assert found.bars == 3
    mean = (3 * 0.9 + 0.1 + 2 * 0.4) / 6
    assert found.confidence == pytest.approx([0.7, mean, 0.4])  # the second bar has no notes
    assert found.known == ("Drums", "Piano")


def test_half_bars_of_three_beats_are_two_and_one() -> None:
    beats = Beats(1.0 + 0.5 * np.arange(8), 3)
    assert half_bar_seconds(beats, 2).tolist() == [1.0, 2.0, 2.5, 3.5, 4.0]
