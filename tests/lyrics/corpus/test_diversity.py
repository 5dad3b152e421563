"""Different pairs of words are counted, and runs that come again."""

from pipeline.lyrics.corpus.diversity import distinct_2, repeated_share

PAIRS = [("a", "b"), ("b", "a"), ("a", "b"), ("b", "a")]


def test_distinct_2_is_counted_on_equal_amounts():
    assert distinct_2(PAIRS) == 0.5
    assert distinct_2(PAIRS, 2) == 1.0
    assert distinct_2(PAIRS, 5) is None
    assert distinct_2([]) is None


def test_a_loop_is_said_again_and_few_words_are_not():
    assert repeated_share(["the", "sea", "takes", "the", "salt"] * 10, 4) > 0.8
    assert repeated_share(["a", "b", "c", "d", "e"], 4) == repeated_share(["a"], 4) == 0
