"""When a voice sings what: vowels begin with their notes, rests are silent, the pitch is that of the notes."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.rendering.vocal.speech import Phoneme
from pipeline.rendering.vocal.timing import (
    CONSONANT_SHARE,
    FRAME_SECONDS,
    VIBRATO_SEMITONES,
    Nucleus,
    SungNote,
    loudness_curve,
    nuclei_of,
    octaves_into_range,
    pitch_curve,
    time_map_of,
)

RIVER = [
    Phoneme("r", 0, 0.0, 0.1),
    Phoneme("I", 0, 0.1, 0.3),
    Phoneme("v", 0, 0.3, 0.4),
    Phoneme("3", 0, 0.4, 0.6),
    Phoneme("r", 1, 0.6, 0.7),
    Phoneme("aI", 1, 0.7, 1.0),
    Phoneme("z", 1, 1.0, 1.2),
]
"""River rise."""


def spoken_at(timing, seconds: float) -> float:  # type: ignore[no-untyped-def]
    return float(np.interp(seconds, timing.song, timing.speech))


def test_a_vowel_begins_with_its_note_and_consonants_lie_before_it() -> None:
    nuclei, end = nuclei_of(RIVER, [2, 1])
    timing = time_map_of(nuclei, end, [(1.0, 2.0), (2.0, 3.0), (3.0, 4.0)])
    for nucleus, onset in zip(nuclei, (1.0, 2.0, 3.0), strict=True):
        assert spoken_at(timing, onset) == pytest.approx(nucleus.start)
    assert spoken_at(timing, 0.9) == pytest.approx(0.0), "r is as long as in speech"
    assert spoken_at(timing, 1.9) == pytest.approx(0.3) and spoken_at(timing, 1.95) == pytest.approx(0.35)
    assert timing.sounding == ((pytest.approx(0.9), pytest.approx(4.1)),), "z leans over the end of the last note"


def test_long_notes_hold_the_middle_of_a_vowel_and_keep_the_speed_of_its_ends() -> None:
    timing = time_map_of([Nucleus(0.0, 0.1, 0.3, False)], 0.3, [(1.0, 5.0)])
    assert spoken_at(timing, 1.04) == pytest.approx(0.14) and spoken_at(timing, 4.96) == pytest.approx(0.26)
    assert 0.15 < spoken_at(timing, 2.0) < spoken_at(timing, 4.0) < 0.25
    moving = time_map_of([Nucleus(0.0, 0.1, 0.3, True)], 0.3, [(1.0, 5.0)])
    assert spoken_at(moving, 4.8) < 0.2, "a diphthong is held on its first vowel"


def test_short_notes_leave_most_of_their_time_to_the_vowel() -> None:
    nuclei, end = nuclei_of(RIVER, [2, 1])
    timing = time_map_of(nuclei, end, [(1.0, 1.1), (1.1, 1.2), (1.2, 1.3)])
    assert spoken_at(timing, 1.1 - 0.1 * CONSONANT_SHARE) == pytest.approx(0.3, abs=1e-6)
    assert spoken_at(timing, 1.1) == pytest.approx(0.4)
    assert np.all(np.diff(timing.song) >= 0) and np.all(np.diff(timing.speech) >= 0)


def test_rests_are_silent_without_clicks() -> None:
    nuclei, end = nuclei_of(RIVER, [2, 1])
    bounds = [(1.0, 1.5), (1.5, 2.0), (3.0, 4.0)]
    timing = time_map_of(nuclei, end, bounds)
    times = np.arange(0, 5, FRAME_SECONDS)
    loud = loudness_curve(times, timing, [SungNote(*one, 60) for one in bounds])
    assert not loud[(times > 2.05) & (times < 2.85)].any() and not loud[times < 0.89].any()
    assert loud[(times > 1.1) & (times < 1.9)].min() > 0.7
    assert np.abs(np.diff(loud)).max() < 0.35


def test_a_line_stays_between_its_neighbours() -> None:
    nuclei, end = nuclei_of(RIVER, [2, 1])
    timing = time_map_of(nuclei, end, [(0.0, 1.0), (1.0, 2.0), (2.0, 3.0)], earliest=0.0, latest=2.9)
    assert timing.song[0] == 0.0 and timing.song[-1] <= 2.9
    assert spoken_at(timing, 0.04) == pytest.approx(0.1), "a song that begins with a consonant is a little late"


def test_words_of_more_or_fewer_vowels_than_syllables_are_sung() -> None:
    merged, _ = nuclei_of(RIVER, [1, 1])
    assert [(round(one.start, 2), round(one.end, 2)) for one in merged] == [(0.1, 0.3), (0.7, 1.0)]
    divided, _ = nuclei_of(RIVER, [2, 3])
    assert [round(one.end - one.start, 2) for one in divided] == [0.2, 0.2, 0.1, 0.1, 0.1]
    hush, _ = nuclei_of([Phoneme("S", 0, 0.0, 0.3)], [1, 2])
    assert [(one.start, one.end) for one in hush] == [(0.0, 0.3), (0.3, 0.3), (0.3, 0.3)]
    assert nuclei_of([], [1])[0] == [Nucleus(0.0, 0.0, 0.0, False)]


def test_the_voice_has_the_pitch_of_the_notes_glides_between_them_and_vibrates_on_long_ones() -> None:
    times = np.arange(0, 5, FRAME_SECONDS)
    curve = pitch_curve(times, [SungNote(1.0, 2.0, 60), SungNote(2.0, 2.4, 64), SungNote(3.0, 4.5, 62)])

    def sung(start: float, end: float) -> np.ndarray:
        return curve[(times > start) & (times < end)]

    assert sung(1.12, 1.29) == pytest.approx(60, abs=0.01) and sung(2.02, 2.29) == pytest.approx(64, abs=0.01)
    assert sung(3.7, 4.3).mean() == pytest.approx(62, abs=0.05)
    assert np.ptp(sung(3.7, 4.3)) == pytest.approx(2 * VIBRATO_SEMITONES, abs=0.05)
    glide = sung(1.95, 2.02)
    assert np.all(np.diff(glide) > -0.1) and np.abs(np.diff(glide)).max() < 0.6
    assert sung(2.97, 3.03).min() < 61.6, "a phrase begins from below"


def test_a_tune_is_moved_by_whole_octaves_into_the_voice() -> None:
    assert octaves_into_range([69, 72, 81], 48, 67) == -1
    assert octaves_into_range([50, 60], 48, 67) == 0
    assert octaves_into_range([36, 40], 48, 67) == 1
