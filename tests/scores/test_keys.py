import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UserError
from pipeline.scores.keys import (
    Key,
    estimate_key,
    into_range,
    key_name,
    pitch_class_durations,
    read_key,
    transpose_notes,
)
from pipeline.scores.notes import make_notes
from tests.music_makers import SPEC

MAJOR_SCALE, MINOR_SCALE = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 11)


def heard(scale: tuple[int, ...], tonic: int) -> np.ndarray:
    """A scale in which tonic and fifth sound longer."""
    durations = np.zeros(12)
    durations[[(tonic + pitch) % 12 for pitch in scale]] = 1
    durations[[tonic, (tonic + 7) % 12]] = 2
    return durations


@pytest.mark.parametrize("tonic", range(12))
@pytest.mark.parametrize(("scale", "is_minor"), [(MAJOR_SCALE, False), (MINOR_SCALE, True)])
def test_the_key_of_a_scale_is_found(tonic: int, scale: tuple[int, ...], is_minor: bool) -> None:
    assert estimate_key(heard(scale, tonic)) == Key(tonic, is_minor)


def test_silence_has_no_key() -> None:
    assert estimate_key(np.zeros(12)) is None


@pytest.mark.parametrize("tonic", range(12))
@pytest.mark.parametrize("is_minor", [False, True])
def test_the_way_to_the_common_key_is_the_nearest(tonic: int, is_minor: bool) -> None:
    shift = Key(tonic, is_minor).shift_to_common
    assert -6 <= shift <= 5
    assert (tonic + shift) % 12 == (9 if is_minor else 0)


def test_keys_have_names() -> None:
    assert str(Key(7, False)) == "G major" and str(Key(1, True)) == "C# minor"


note_rows = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 127), st.integers(0, 60), st.integers(1, 9)), min_size=1, max_size=30
)


@given(note_rows, st.integers(-6, 5))
def test_transposition_moves_pitch_classes_only(rows: list[tuple[int, int, int, int]], shift: int) -> None:
    notes = make_notes(*np.array(rows).T)
    moved = transpose_notes(notes, shift, SPEC)
    assert np.array_equal(pitch_class_durations(moved, SPEC), np.roll(pitch_class_durations(notes, SPEC), shift))
    drums, moved_drums = notes[notes["track"] == 0], moved[moved["track"] == 0]
    assert np.array_equal(drums, moved_drums)
    for name in ("track", "onset", "length"):
        assert sorted(moved[name]) == sorted(notes[name])


@given(note_rows)
def test_notes_out_of_range_move_by_octaves(rows: list[tuple[int, int, int, int]]) -> None:
    notes = make_notes(*np.array(rows).T)
    moved = into_range(notes, SPEC)
    low, high = SPEC.lowest_pitch, SPEC.lowest_pitch + SPEC.num_pitches - 1
    assert np.all((moved["pitch"] >= low) & (moved["pitch"] <= high))
    pitched = notes[notes["track"] > 0]
    assert np.array_equal(pitch_class_durations(moved, SPEC), pitch_class_durations(notes, SPEC))
    assert np.count_nonzero(moved["track"] > 0) == len(pitched)
    inside = notes[(notes["pitch"] >= low) & (notes["pitch"] <= high)]
    assert set(inside.tolist()) <= set(moved.tolist())


def test_keys_are_read_and_spelt() -> None:
    assert read_key("G major") == Key(7, False) and read_key("eb minor") == Key(3, True)
    assert read_key("F#") == Key(6, False) and read_key("Cb major") == Key(11, False)
    assert key_name(Key(1, False)) == "Db major" and key_name(Key(1, True)) == "C# minor"
    with pytest.raises(UserError, match=r"generate\.key=H dur"):
        read_key("H dur")
