import numpy as np
import pytest

from gan.spec import ONSET
from pipeline.dataset.cutting import cut_phrases
from pipeline.scores.notes import Notes, make_notes, unpack_rolls
from pipeline.scores.structure.self_similarity import bar_similarity, find_sections, recurrence
from tests.music_makers import SPEC, cutting, part, score, tune


def song(form: str, lengths: dict[str, int]) -> tuple[Notes, list[int]]:
    """A piano line and a bass in a form such as AABA, each letter with music of its own; and where the parts begin."""
    columns, begins, bar = [], [], 0
    for letter in form:
        for track, root in ((1, 60), (2, 36)):
            rows = np.array(tune(ord(letter) + 100 * track, lengths[letter], root + 2 * ord(letter) % 7))
            rows = rows[:: 1 + (ord(letter) + track) % 3]  # each in a rhythm of its own
            columns.append(np.stack([np.full(len(rows), track), rows[:, 2], 4 * rows[:, 0] + 16 * bar, 4 * rows[:, 1]]))
        begins.append(bar)
        bar += lengths[letter]
    return make_notes(*np.concatenate(columns, axis=1).astype(int)), [*begins, bar]


@pytest.mark.parametrize("form", ["AABA", "ABAB", "AABB", "AABCCB"])
def test_sections_begin_where_the_form_says(form: str) -> None:
    notes, begins = song(form, {"A": 8, "B": 8, "C": 8})
    assert find_sections(notes, begins[-1], SPEC) == begins[:-1]


def test_sections_of_different_lengths_are_found() -> None:
    notes, begins = song("ABCAB", {"A": 8, "B": 12, "C": 4})
    assert find_sections(notes, begins[-1], SPEC) == begins[:-1]


def test_a_song_that_never_changes_is_one_section() -> None:
    beat = make_notes(0, 36, np.arange(0, 16 * 32, 4), 1)
    assert find_sections(beat, 32, SPEC) == [0]
    assert find_sections(beat[:0], 7, SPEC) == [0]


@pytest.mark.parametrize("seed", range(5))
def test_no_section_is_shorter_than_a_phrase(seed: int) -> None:
    random = np.random.default_rng(seed)
    onset = random.integers(0, 16 * 50, 400)
    notes = make_notes(random.integers(1, 3, 400), random.integers(40, 80, 400), onset, 1)
    begins = [*find_sections(notes, 50, SPEC), 50]
    assert begins[0] == 0 and np.diff(begins).min() >= SPEC.bars


def test_phrases_lie_inside_sections() -> None:
    notes = make_notes(1, 40 + np.arange(22), 16 * np.arange(22), 16)  # a pitch a bar
    starts, packed = cut_phrases(notes, 22, SPEC, 3, 1, [0, 8, 12])
    assert starts == [0, 3, 8, 12, 15, 18]
    onsets = unpack_rolls(packed, SPEC.num_pitches)[:, ONSET, 1].any(axis=(1, 2))
    assert [np.flatnonzero(one)[0] + SPEC.lowest_pitch - 40 for one in onsets] == starts


def test_sections_are_looked_for_on_request_only() -> None:
    from pipeline.dataset.cutting import SourceFile, prepare_song

    notes, begins = song("AABA", {"A": 8, "B": 8})
    parts = [
        part(
            [(one["onset"] / 4, one["length"] / 4, one["pitch"]) for one in notes[notes["track"] == track]], "", program
        )
        for track, program in ((1, 0), (2, 33))
    ]
    cut = prepare_song(SourceFile("a", "a.mid"), score(*parts), cutting(by_sections=True))
    whole = prepare_song(SourceFile("a", "a.mid"), score(*parts), cutting())
    assert cut.sections == tuple(begins[:-1]) and whole.sections == (0,)
    assert set(cut.starts) < set(whole.starts) and not {5, 6, 7} & set(cut.starts)


def test_a_bar_that_returns_is_wholly_alike_and_one_note_of_three_a_third() -> None:
    first = make_notes(1, [60, 64, 67, 60], [0, 4, 8, 12], 4)
    second = make_notes(1, [60, 65, 72, 74], [16, 20, 24, 28], 4)
    moved = np.concatenate([first, second])
    moved["onset"] += 32
    alike = bar_similarity(np.concatenate([first, second, moved]), 4, SPEC, "jaccard")
    assert (np.diag(alike) == 1).all() and alike[0, 2] == alike[1, 3] == 1
    assert alike[0, 1] == pytest.approx(1 / 7), "one note of seven at the same step in both"
    octaves = bar_similarity(make_notes(1, [60, 60, 72, 72], [0, 4, 20, 24], 1), 2, SPEC, "jaccard")
    assert octaves[0, 1] == pytest.approx(1 / 3), "one of three notes, an octave apart"
    silent = bar_similarity(first[:0], 2, SPEC, "jaccard")
    assert (silent == 1).all() and (bar_similarity(first[:0], 2, SPEC) == 1).all()


def test_cosines_of_the_same_bars_are_one_and_transposing_one_keeps_its_rhythm() -> None:
    bar = make_notes(1, [60, 62, 64], [0, 4, 8], 4)
    other = make_notes(1, [61, 63, 66], [16, 20, 24], 4)
    alike = bar_similarity(np.concatenate([bar, other]), 2, SPEC)
    assert alike[0, 0] == pytest.approx(1) and alike[0, 1] == pytest.approx(1 / 3), "the same rhythm, no note in common"


def test_recurrence_is_the_best_match_four_bars_away() -> None:
    alike = np.eye(6)
    alike[0, 4] = alike[4, 0] = 0.5
    assert recurrence(alike) == pytest.approx(2 * 0.5 / 6)
    assert np.isnan(recurrence(alike[:4, :4])), "no bars so far apart"
