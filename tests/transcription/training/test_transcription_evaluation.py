"""Scores of transcriptions beside the music that their recordings were made from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.config import compose
from pipeline.settings.data import roll_spec
from pipeline.transcription.beats.grid import Beats
from pipeline.transcription.corrections.alignment import offset_by_notes
from pipeline.transcription.training.transcription_evaluation import (
    ReferenceMusic,
    all_counts,
    read_reference,
)
from pipeline.transcription.transcriber import Transcription
from tests.music_makers import write_midi
from tests.sound_makers import timed_hits, timed_notes, transcribed

BEAT_SECONDS, BARS = 0.5, 4
NOTES = [
    (BEAT_SECONDS * beat, BEAT_SECONDS * (beat + 1), pitch, 90)
    for beat in range(4 * BARS)
    for pitch in (36 + beat % 5, 60, 64 + beat % 3)
]
HITS = [(BEAT_SECONDS * beat, (36, 38)[beat % 2]) for beat in range(4 * BARS)]
LATE = 0.25


@pytest.fixture
def reference(tmp_path: Path) -> ReferenceMusic:
    """The music of a recording that begins a quarter of a second before it."""
    piano = [(start / BEAT_SECONDS, 1.0, pitch) for start, _, pitch, _ in NOTES if pitch >= 52]
    bass = [(start / BEAT_SECONDS, 1.0, pitch) for start, _, pitch, _ in NOTES if pitch < 52]
    drums = [(start / BEAT_SECONDS, 0.25, pitch) for start, pitch in HITS]
    channels = {(0, 0, "Piano"): piano, (1, 33, "Bass"): bass, (9, 0, "Drums"): drums}
    path = write_midi(tmp_path / "a.mid", channels)
    return read_reference(path, timed_notes(*_late(NOTES)), LATE + BEAT_SECONDS * 4 * BARS)


def _late(rows: list[tuple[float, float, int, int]]) -> list[tuple[float, float, int, int]]:
    return [(start + LATE, end + LATE, pitch, velocity) for start, end, pitch, velocity in rows]


def transcription(beat_seconds: float = BEAT_SECONDS) -> Transcription:
    """All notes of the recording, on beats of a length of their own."""
    beats = Beats(LATE + beat_seconds * np.arange(BEAT_SECONDS / beat_seconds * 4 * BARS + 1), 4)
    hits = timed_hits(*((start + LATE, pitch) for start, pitch in HITS))
    return transcribed(timed_notes(*_late(NOTES)), hits, beats, "Piano", LATE + BEAT_SECONDS * 4 * BARS)


def scores(found: Transcription, reference: ReferenceMusic) -> dict[str, float]:
    config = compose("data=games")
    spec = roll_spec(config.roll, config.tracks, config.data.metre)
    return {name: one.f1 for name, one in all_counts(found, reference, spec, config.tracks).items()}


def test_a_recording_is_laid_on_its_music(reference: ReferenceMusic) -> None:
    assert reference.bars == BARS
    assert reference.bar_seconds == pytest.approx(LATE + 2.0 * np.arange(BARS))
    assert reference.notes["start"].min() == reference.hits["start"].min() == pytest.approx(LATE)
    assert offset_by_notes(timed_notes(), reference.notes) == 0


def test_the_right_transcription_is_perfect(reference: ReferenceMusic) -> None:
    found = scores(transcription(), reference)
    nothing = {name for name, value in found.items() if np.isnan(value)}
    assert nothing == {"drums, hi-hat", "drums, cymbal", "drums, tom"}
    assert all(value == 1 for name, value in found.items() if name not in nothing)


def test_beats_of_half_the_length_spoil_beats_and_rolls_but_no_notes(reference: ReferenceMusic) -> None:
    found = scores(transcription(BEAT_SECONDS / 2), reference)
    assert found["notes"] == found["drums, kick"] == 1
    assert found["beats"] == pytest.approx(2 / 3, abs=0.02)  # each beat is right, and each second one too many
    assert found["families by bars"] < 0.8 and found["families by count"] < 0.8


def test_a_wrong_instrument_spoils_the_rolls_of_families_alone(reference: ReferenceMusic) -> None:
    whole = transcription()
    parts = [replace(part, name="Strings", program=48) if part.name == "Piano" else part for part in whole.parts]
    found = scores(replace(whole, parts=tuple(parts)), reference)
    assert found["pitches by bars"] == 1 > found["families by bars"]
