"""What surrounds a note: places of bars in every metre, chords, lines and what plays them."""

from __future__ import annotations

import numpy as np

from gan.spec import RollSpec
from pipeline.scores.notes import make_notes
from pipeline.songs.performance.context import FEATURES, PlayedVoice, note_context, note_voices, places_of, voices_of
from tests.song_makers import BAND, JIG


def test_places_are_sixteenths_of_a_bar_of_four() -> None:
    assert places_of(np.arange(16), BAND).tolist() == list(range(16))
    waltz, fine = RollSpec(BAND.tracks, beats_per_bar=3), RollSpec(BAND.tracks, steps_per_beat=24)
    assert places_of(np.array([0, 4, 8, 12]), waltz).tolist() == [0, 4, 12, 0]
    assert places_of(np.arange(0, 96, 6), fine).tolist() == list(range(16))


def test_the_eighths_of_a_jig_are_alike_beside_its_beats() -> None:
    assert places_of(np.arange(0, 12, 2), JIG).tolist() == [0, 2, 2, 8, 10, 10]


def test_voices_are_drums_basses_melodies_and_chords() -> None:
    spec = RollSpec(BAND.tracks[:1] + tuple(JIG.tracks[1:]))
    notes = make_notes([0, 0, 0, 1, 1, 2, 2], [36, 42, 56, 60, 64, 40, 43], [0, 2, 4, 0, 0, 0, 4], 1)
    voices = voices_of(notes, spec)
    assert voices.tolist() == [PlayedVoice.KICK, PlayedVoice.CHORDS, PlayedVoice.BASS]
    assert note_voices(notes, voices, spec)[:3].tolist() == [PlayedVoice.KICK, PlayedVoice.HAT, PlayedVoice.OTHER_DRUM]
    melody = make_notes(1, [60, 62, 64], [0, 4, 8], 2)
    assert voices_of(melody, spec)[1] == PlayedVoice.MELODY


def test_the_top_of_a_chord_and_a_peak_of_a_line_are_told() -> None:
    notes = make_notes(1, [60, 64, 67, 72, 65], [0, 0, 0, 4, 8], 4)
    context = note_context(notes, np.full(5, PlayedVoice.CHORDS, np.int8), BAND)
    told = {name: context[:, at].round(3).tolist() for at, name in enumerate(FEATURES)}
    assert told["is top"] == [0, 0, 1, 0, 0] and told["is bottom"] == [1, 0, 0, 0, 0]
    assert told["is peak"] == [0, 0, 0, 1, 0] and np.isclose(told["chord size"][0], np.log2(3), atol=1e-3)
    assert np.allclose(told["move"][3:], np.array([5, -7]) / 12, atol=1e-3)


def test_nothing_surrounds_no_notes() -> None:
    none = make_notes(*np.zeros((4, 0), int))
    assert note_context(none, np.zeros(0, np.int8), BAND).shape == (0, len(FEATURES))
