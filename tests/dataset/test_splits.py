from collections import Counter

import pytest

from pipeline.dataset.splits import SHARES, SPLITS, choose_splits

DIGESTS = [f"{number:032x}" for number in range(2000)]


def test_splits_are_eighty_ten_ten() -> None:
    counts = Counter(choose_splits(DIGESTS, range(2000)))
    for split, share in zip(SPLITS, SHARES, strict=True):
        assert counts[split] / 2000 == pytest.approx(share, abs=0.03)


def test_a_song_keeps_its_split_when_others_come_and_whatever_the_order() -> None:
    many = dict(zip(DIGESTS, choose_splits(DIGESTS, range(2000)), strict=True))
    few = choose_splits(DIGESTS[500:1500][::-1], range(1000))
    assert few == [many[digest] for digest in DIGESTS[500:1500][::-1]]


def test_a_group_lies_on_one_side() -> None:
    groups = [number // 4 * 4 for number in range(2000)]
    splits = choose_splits(DIGESTS, groups)
    assert all(splits[number] == splits[group] for number, group in enumerate(groups))
    assert set(splits) == set(SPLITS)


def test_a_split_that_is_asked_for_is_given_to_the_whole_group() -> None:
    groups = [0, 1, 0, 3, 4, 5, 6, 7, 8, 9]
    wanted = ["", "", "validation", "test", "", "", "", "", "", "train"]
    splits = choose_splits(DIGESTS[:10], groups, wanted)
    assert (splits[0], splits[2], splits[3], splits[9]) == ("validation", "validation", "test", "train")
    assert choose_splits(DIGESTS[:3], [0, 0, 0], ["", "test", "train"]) == ["test"] * 3
    assert sorted(choose_splits(DIGESTS[:3], range(3), ["train", "", ""])) == ["test", "train", "validation"]
    assert set(choose_splits(DIGESTS[:9], range(9), ["test", *[""] * 8])) == set(SPLITS)


@pytest.mark.parametrize("count", range(3, 30))
def test_three_songs_are_enough_for_every_split(count: int) -> None:
    assert set(choose_splits(DIGESTS[:count], range(count))) == set(SPLITS)


def test_one_song_is_for_training_and_a_second_for_validation() -> None:
    assert choose_splits(DIGESTS[:1], [0]) == ["train"]
    assert sorted(choose_splits(DIGESTS[:2], [0, 1])) == ["train", "validation"]


def test_takes_of_one_tune_that_are_most_of_the_songs_are_for_training() -> None:
    for first in range(0, 200, 10):
        digests = DIGESTS[first : first + 7]
        splits = choose_splits(digests, [0, 0, 0, 0, 4, 5, 6])
        assert splits[:4] == ["train"] * 4 and set(splits) == set(SPLITS)
        assert choose_splits(digests, [0, 0, 0, 0, 0, 5, 5])[:5] == ["train"] * 5
    assert choose_splits(DIGESTS[:3], [0, 0, 2], ["test", "", ""]) == ["test", "test", "train"]
