import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan.spec import HOLD, ONSET, RollSpec, Track
from pipeline.scores.notes import Notes, make_notes, notes_from_roll, pack_rolls, roll_from_notes, unpack_rolls

SPEC = RollSpec((Track("Drums", is_drum=True), Track("Piano")), bars=2, num_pitches=13, lowest_pitch=40)

note_rows = st.lists(
    st.tuples(st.integers(0, 1), st.integers(40, 52), st.integers(0, 31), st.integers(1, 40)), max_size=40
)


def table(rows: list[tuple[int, int, int, int]]) -> Notes:
    return make_notes(*np.array(rows, int).reshape(-1, 4).T)


def rows_of(notes: Notes) -> list[tuple[int, int, int, int]]:
    return [tuple(row) for row in notes.tolist()]


def slow_notes(planes: np.ndarray, lowest_pitch: int) -> list[tuple[int, int, int, int]]:
    """The definition of a note, read step by step."""
    _, tracks, bars, steps, pitches = planes.shape
    found = []
    for track in range(tracks):
        for pitch in range(pitches):
            line = planes[:, track, :, :, pitch].reshape(2, bars * steps)
            start = None
            for step in range(bars * steps + 1):
                onset, hold = (line[ONSET, step], line[HOLD, step]) if step < bars * steps else (False, False)
                if start is not None and (onset or not hold):
                    found.append((track, pitch + lowest_pitch, start, step - start))
                    start = None
                if onset or (hold and start is None):
                    start = step
    return sorted(found, key=lambda row: (row[0], row[2], row[1]))


def test_four_notes_at_named_beats() -> None:
    notes = table([(1, 40, 0, 4), (1, 44, 4, 4), (1, 47, 8, 8), (0, 42, 16, 1)])
    planes = roll_from_notes(notes, SPEC, bars=2)
    assert planes[ONSET].sum() == 4 and planes[HOLD].sum() == 3 + 3 + 7
    assert planes[ONSET, 1, 0, 0, 0] and planes[ONSET, 1, 0, 4, 4] and planes[ONSET, 1, 0, 8, 7]
    assert planes[ONSET, 0, 1, 0, 2] and not planes[HOLD, 0].any()
    assert planes[HOLD, 1, 0, 1:4, 0].all() and not planes[HOLD, 1, 0, 4, 0]


def test_repeated_notes_stay_separate() -> None:
    notes = table([(1, 45, 0, 2), (1, 45, 2, 2), (1, 45, 4, 1)])
    assert rows_of(notes_from_roll(roll_from_notes(notes, SPEC, 2), 40)) == rows_of(notes)


def test_a_later_note_cuts_an_earlier_one_of_its_pitch() -> None:
    planes = roll_from_notes(table([(1, 45, 0, 10), (1, 45, 4, 2), (1, 46, 0, 10)]), SPEC, 2)
    assert rows_of(notes_from_roll(planes, 40)) == [(1, 45, 0, 4), (1, 46, 0, 10), (1, 45, 4, 2)]


def test_a_note_is_cut_at_the_end_of_the_roll_and_crosses_bar_lines() -> None:
    planes = roll_from_notes(table([(1, 45, 14, 500)]), SPEC, 2)
    assert rows_of(notes_from_roll(planes, 40)) == [(1, 45, 14, 18)]


def test_a_hold_without_onset_starts_a_note() -> None:
    planes = np.zeros(SPEC.shape, bool)
    planes[HOLD, 1, 0, 5:8, 3] = True
    planes[HOLD, 1, 0, 0, 4] = True
    assert rows_of(notes_from_roll(planes, 40)) == [(1, 44, 0, 1), (1, 43, 5, 3)]


@pytest.mark.parametrize("row", [(2, 45, 0, 1), (1, 39, 0, 1), (1, 53, 0, 1), (1, 45, 32, 1), (1, 45, -1, 1)])
def test_a_note_outside_the_roll_is_refused(row: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="outside"):
        roll_from_notes(table([row]), SPEC, 2)


def test_no_notes_make_an_empty_roll_and_back() -> None:
    planes = roll_from_notes(table([]), SPEC, 2)
    assert planes.shape == (2, 2, 2, 16, 13) and not planes.any()
    assert len(notes_from_roll(planes, 40)) == 0


@given(note_rows)
def test_roll_to_notes_to_roll_is_the_identity(rows: list[tuple[int, int, int, int]]) -> None:
    planes = roll_from_notes(table(rows), SPEC, 2)
    assert not (planes[ONSET] & planes[HOLD]).any()
    again = roll_from_notes(notes_from_roll(planes, 40), SPEC, 2)
    assert np.array_equal(planes, again)
    assert {row[:3] for row in rows} == {row[:3] for row in rows_of(notes_from_roll(planes, 40))}


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.8))
def test_notes_of_any_planes_equal_those_read_step_by_step(seed: int, density: float) -> None:
    planes = np.random.default_rng(seed).random((2, 2, 2, 4, 5)) < density
    assert rows_of(notes_from_roll(planes, 40)) == slow_notes(planes, 40)


@given(st.integers(0, 2**32 - 1), st.integers(1, 90))
def test_packing_loses_nothing(seed: int, num_pitches: int) -> None:
    rolls = np.random.default_rng(seed).random((3, 2, 2, 1, 4, num_pitches)) < 0.5
    packed = pack_rolls(rolls)
    assert packed.shape[-1] == -(-num_pitches // 8)
    assert np.array_equal(unpack_rolls(packed, num_pitches), rolls)
