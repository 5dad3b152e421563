import numpy as np

from pipeline.dataset.cutting import cut_phrases
from pipeline.dataset.near_duplicates import find_near_duplicates, minhash_signatures
from pipeline.scores.notes import Notes, in_order, make_notes
from tests.music_makers import SPEC


def busy(seed: int, notes: int = 240) -> Notes:
    """Four bars of sixteenths in two tracks, different for each seed."""
    random = np.random.default_rng(seed)
    places = random.choice(2 * 64 * 24, notes, replace=False)
    return make_notes(1 + places // (64 * 24), 40 + places % 24, places // 24 % 64, 1)


def changed(notes: Notes, count: int) -> Notes:
    """The notes with `count` of them moved by a semitone."""
    moved = notes.copy()
    moved["pitch"][:: -(-len(notes) // count)][:count] += 41
    return in_order(moved)


def copies_of(*phrases: Notes) -> list[int]:
    signatures, packed = [], []
    for notes in phrases:
        starts, rolls = cut_phrases(notes, 4, SPEC, 1, 1)
        signatures.append(minhash_signatures(notes, starts, rolls, SPEC))
        packed.append(rolls)
    return find_near_duplicates(np.concatenate(signatures), np.concatenate(packed)).tolist()


def test_a_phrase_with_a_few_other_notes_is_a_copy() -> None:
    assert copies_of(busy(1), busy(2), changed(busy(1), 4), busy(2)) == [0, 1, 0, 1]


def test_a_varied_phrase_is_none() -> None:
    assert copies_of(busy(1), changed(busy(1), 24), changed(busy(1), 80)) == [0, 1, 2]


def test_copies_of_a_copy_are_measured_against_the_first() -> None:
    once = changed(busy(1), 5)
    twice = once.copy()
    twice["pitch"][1::12] += 1
    assert copies_of(busy(1), once, in_order(twice)) == [0, 0, 2]


def test_the_same_onsets_with_longer_notes_are_no_copy() -> None:
    short = make_notes(1, 50 + np.arange(16), 4 * np.arange(16), 1)
    long = make_notes(1, 50 + np.arange(16), 4 * np.arange(16), 4)
    assert copies_of(short, long, short) == [0, 1, 0]


def test_almost_all_near_copies_are_found_among_many() -> None:
    originals = [busy(seed) for seed in range(60)]
    found = copies_of(*originals, *(changed(one, 4) for one in originals))
    assert found[:60] == list(range(60))
    assert sum(copy == number for number, copy in enumerate(found[60:])) >= 58


def test_an_empty_phrase_has_a_signature() -> None:
    assert minhash_signatures(busy(1)[:0], [0], np.zeros((1, *SPEC.shape[:-1], 11), np.uint8), SPEC).shape == (1, 5)
    assert find_near_duplicates(np.zeros((0, 5), np.uint64), np.zeros((0, 2), np.uint8)).tolist() == []
