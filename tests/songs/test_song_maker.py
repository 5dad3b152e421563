"""What makes notes a song: where it lies, how it ends, how it breathes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from gan.spec import RollSpec, Track
from pipeline.errors import UserError
from pipeline.scores.keys import Key, key_name, read_key
from pipeline.scores.notes import Notes, make_notes, notes_from_roll, roll_from_notes
from pipeline.songs.arrangement import choose_shift, comfortable_ranges, draw_tempo
from pipeline.songs.ending import close, closeness
from pipeline.songs.performance import PLAIN_VELOCITY, humanize, ritardando
from pipeline.songs.song import Section
from tests.song_makers import BAND, song_of

C_MAJOR, A_MINOR = Key(0, False), Key(9, True)
QUARTET = RollSpec(tuple(Track(name) for name in ("Soprano", "Alto", "Tenor", "Bass")), bars=1)


def chords(*rows: tuple[int, ...], length: int = 4) -> Notes:
    """Four voices in chords of one beat."""
    notes = [(voice, pitch, 4 * beat, length) for beat, row in enumerate(rows) for voice, pitch in enumerate(row)]
    return make_notes(*zip(*notes, strict=True))


CADENCE = chords((69, 65, 60, 53), (71, 65, 62, 55), (71, 62, 62, 55), (72, 64, 60, 48))
OPEN = chords((72, 64, 60, 48), (69, 65, 60, 53), (72, 64, 57, 57), (71, 67, 62, 55))


def test_a_cadence_closes_and_a_half_close_does_not() -> None:
    cadence, half = (roll_from_notes(notes, QUARTET, 1) for notes in (CADENCE, OPEN))
    assert closeness(cadence, QUARTET, C_MAJOR) == 1
    assert closeness(half, QUARTET, C_MAJOR) < 0.6
    assert closeness(cadence, QUARTET, A_MINOR) < 1


def test_the_last_chord_of_a_cadence_rings_to_the_end_of_the_bar() -> None:
    short = CADENCE.copy()
    short["length"][short["onset"] == 12] = 1
    closed = close(roll_from_notes(short, QUARTET, 1), QUARTET, C_MAJOR)
    assert np.array_equal(closed, roll_from_notes(CADENCE, QUARTET, 1))


@pytest.mark.parametrize(("key", "triad"), [(C_MAJOR, {0, 4, 7}), (A_MINOR, {9, 0, 4})])
def test_an_open_end_gets_a_bar_with_the_tonic(key: Key, triad: set[int]) -> None:
    closed = close(roll_from_notes(OPEN, QUARTET, 1), QUARTET, key)
    assert closed.shape[2] == 2
    assert closeness(closed[:, :, 1:], QUARTET, key) == 1
    last = notes_from_roll(closed, QUARTET.lowest_pitch)
    last = last[last["onset"] == 16]
    assert set((last["pitch"] % 12).tolist()) <= triad
    assert last["pitch"][last["track"] == 3] % 12 == key.tonic
    assert (last["length"] == 16).all() and len(last) == 4
    steps = np.abs(last["pitch"] - OPEN["pitch"][OPEN["onset"] == 12])
    assert steps[:3].max() <= 5, "the upper voices move to the nearest chord tone"


def test_drums_end_with_one_hit() -> None:
    song = song_of()
    closed = close(song.planes, song.spec, C_MAJOR)
    notes = notes_from_roll(closed, song.spec.lowest_pitch)
    last = notes[(notes["track"] == 0) & (notes["onset"] >= 32)]
    assert last[["pitch", "onset"]].tolist() == [(36, 32)]


def test_silence_stays_silent() -> None:
    nothing = np.zeros((2, 4, 1, 16, 84), bool)
    assert not close(nothing, QUARTET, C_MAJOR).any()


def test_keys_are_read_and_spelt() -> None:
    assert read_key("G major") == Key(7, False) and read_key("eb minor") == Key(3, True)
    assert read_key("F#") == Key(6, False) and read_key("Cb major") == Key(11, False)
    assert key_name(Key(1, False)) == "Db major" and key_name(Key(1, True)) == "C# minor"
    with pytest.raises(UserError, match=r"generate\.key=H dur"):
        read_key("H dur")


def test_the_key_asked_for_is_reached_where_the_parts_lie_best() -> None:
    sounding = np.zeros((4, 84))
    for voice, pitch in enumerate((72, 64, 60, 50)):
        sounding[voice, pitch - 24 - 4 : pitch - 24 + 5] = 1
    ranges = comfortable_ranges(sounding, (0, 0, 0, 0), QUARTET)
    random = np.random.default_rng(0)
    assert choose_shift(CADENCE, C_MAJOR, Key(2, False), ranges, QUARTET, random) == 2
    assert choose_shift(CADENCE, C_MAJOR, Key(11, False), ranges, QUARTET, random) == -1
    drawn = [choose_shift(CADENCE, C_MAJOR, None, ranges, QUARTET, random) for _ in range(60)]
    assert len(set(drawn)) > 3 and np.mean(np.abs(drawn)) < 4


def test_narrow_instruments_keep_to_their_range() -> None:
    sounding = np.ones((1, 84))
    spec = RollSpec((Track("Flute"),))
    assert comfortable_ranges(sounding, (73,), spec) == [(60, 91)]


def test_tempi_follow_the_data() -> None:
    random = np.random.default_rng(0)
    near = [draw_tempo(84, {}, random) for _ in range(50)]
    assert 73 < min(near) < 84 < max(near) < 95
    spread = [draw_tempo(None, {"0": 60, "0.5": 100, "1": 140}, random) for _ in range(50)]
    assert 60 <= min(spread) < 90 and 110 < max(spread) <= 140


def sections_of(bars: int) -> tuple[Section, ...]:
    return (Section("verse", "verse", 0, bars // 2), Section("chorus", "chorus", bars // 2, bars - bars // 2))


def test_humanize_zero_is_a_machine() -> None:
    song = song_of()
    velocities, timing = humanize(song.notes, BAND, sections_of(2), 1, 120, 0.0, 0)
    assert set(velocities.tolist()) == {PLAIN_VELOCITY} and not timing.any()
    assert ritardando(120, 8, BAND, 0) == ((0, 120),)


def test_downbeats_choruses_and_the_voice_are_louder() -> None:
    hats = [(1, 60, step, 1) for step in range(16 * 8)] + [(2, 40, step, 1) for step in range(16 * 8)]
    song = song_of(hats, bars=8)
    velocities, timing = humanize(song.notes, BAND, sections_of(8), 1, 120, 1.0, 0)
    place, track = song.notes["onset"] % 16, song.notes["track"]
    assert velocities[place == 0].mean() > velocities[place == 8].mean() > velocities[place % 4 == 2].mean()
    assert velocities[place % 4 == 2].mean() > velocities[place % 2 == 1].mean()
    assert velocities[song.notes["onset"] >= 64].mean() > velocities[song.notes["onset"] < 64].mean() + 5
    assert velocities[track == 1].mean() > velocities[track == 2].mean() + 5
    assert timing.any() and np.abs(timing).max() < 60, "never half a step away"
    assert abs(timing.mean()) < 5


def test_songs_slow_down_at_the_end() -> None:
    tempi = ritardando(100, 9, BAND, 0.5)
    assert tempi[0] == (0, 100)
    assert [step for step, _ in tempi[1:]] == [16 * 7 + 4, 16 * 7 + 8, 16 * 7 + 12, 16 * 8]
    assert all(later[1] < earlier[1] for earlier, later in pairwise(tempi))
    assert tempi[-1][1] == pytest.approx(87.5)
