"""Requested chords: typed for all sections or for each, their key, and the sentences on mistakes."""

from __future__ import annotations

import pytest
import torch

from gan.conditions import ConditionLayout, no_conditions
from pipeline.errors import UserError
from pipeline.scores.chords.symbols import print_progression, read_progression, unknown_chords
from pipeline.scores.keys import Key
from pipeline.songs.chord_requests import RequestedChords, chord_conditions, chords_in, read_chords
from pipeline.songs.plan import request_chords
from tests.gan.trio import SPEC


def typed(value: object) -> RequestedChords:
    chords = read_chords(value)
    assert chords is not None
    return chords


def test_a_progression_repeats_to_the_end_of_each_section() -> None:
    rows = typed("Am F C G").rows([("verse", 6), ("chorus", 2)])
    assert print_progression(rows) == "Am | F | C | G | Am | F | Am | F"


def test_sections_have_progressions_of_their_own_and_others_are_left_open() -> None:
    chords = typed({"Verse": "Am F", "chorus": "F G | Am C"})
    rows = chords.rows([("intro", 1), ("verse", 2), ("chorus", 2)])
    assert print_progression(rows) == "N.C. | Am | F | F G | Am C"
    assert rows[:2].tolist() == unknown_chords(2).tolist()
    chords.check_roles(["verse", "chorus", "bridge"])
    with pytest.raises(UserError, match="no song has a section chorus; there are verse"):
        chords.check_roles(["verse"])


@pytest.mark.parametrize(
    ("progression", "key"),
    [
        ("C F G C", Key(0, False)),
        ("Am Dm E7 Am", Key(9, True)),
        ("Am F C G", Key(9, True)),
        ("G D Em C", Key(7, False)),
        ("Em Am B7 Em", Key(4, True)),
        ("Bb Eb F7 Bb", Key(10, False)),
        ("N.C.", Key(0, False)),
    ],
)
def test_the_key_follows_from_the_chords(progression: str, key: Key) -> None:
    assert typed(progression).key == key


def test_mistakes_are_said_in_one_sentence() -> None:
    for value, sentence in (
        ("Am Fq C", r"generate\.chords: Fq is no chord; chords are written like"),
        ({"verse": "Am X"}, r"generate\.chords of verse: X is no chord"),
        ({}, r"names no section"),
        (3, r"must be chords, such as Am F C G, not 3"),
        ("Am F C | G", r"3 chords in one bar"),
    ):
        with pytest.raises(UserError, match=sentence):
            read_chords(value)
    with pytest.raises(UserError, match="phrases to explore have no sections"):
        typed({"verse": "Am"}).everywhere("phrases to explore")


def test_requested_chords_replace_those_of_the_data_and_leave_the_chroma_open() -> None:
    layout = ConditionLayout.of(SPEC)
    conditions = no_conditions(1, SPEC)[0]
    conditions[layout.chords], conditions[layout.chroma] = chord_conditions(read_progression("C C C C")), 1 / 12
    rows = unknown_chords(SPEC.half_bars)
    request_chords(conditions, rows, layout)
    assert print_progression(chords_in(conditions, layout)) == "C | C | C | C"
    assert not conditions[layout.chroma].isnan().any()
    rows[2:4] = read_progression("Am7/G")
    request_chords(conditions, rows, layout)
    assert print_progression(chords_in(conditions, layout)) == "C | Am7/G | C | C"
    assert conditions[layout.chroma].isnan().all()
    assert torch.equal(chord_conditions(unknown_chords(2)).isnan(), torch.ones(6, dtype=torch.bool))
