"""What `generate.flip` and its companions say."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.errors import UserError
from pipeline.settings.generate import GenerateSettings
from pipeline.songs.flip.flip_request import LoopRequest, check_flip, flipped_files, requested_loops


def settings(**values: Any) -> GenerateSettings:
    return GenerateSettings(**({"flip": "old.mp3"} | values))


def test_records_are_one_file_or_a_list() -> None:
    assert flipped_files(settings()) == ["old.mp3"]
    assert flipped_files(settings(flip=["a.mp3", "b.wav"])) == ["a.mp3", "b.wav"]


@pytest.mark.parametrize(
    ("value", "loop"),
    [
        (2, LoopRequest(2)),
        ("3", LoopRequest(3)),
        ("17-18", LoopRequest(None, 16, 2)),
        (" 5 - 5 ", LoopRequest(None, 4, 1)),
        (None, LoopRequest()),
    ],
)
def test_a_loop_is_a_number_or_bars(value: Any, loop: LoopRequest) -> None:
    assert requested_loops(settings(loop=value)) == [loop]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"flip": []}, "names no record"),
        ({"flip": ["a"] * 5}, "4 at most"),
        ({"loop": "chorus"}, "generate.loop=chorus is no loop"),
        ({"loop": "18-17"}, "is no loop"),
        ({"loop": 0}, "is no loop"),
        ({"loop": [1, 2]}, "one loop a record"),
        ({"flip_speed": "slow"}, "song, record or turntable, not slow"),
        ({"loop_kind": "bass"}, "melodic or drums, not bass"),
        ({"given": "a.mid"}, "both given"),
        ({"chords": "Am F"}, "the record's"),
        ({"swing": 0.6}, "can't be swung"),
        ({"flip_speed": "record", "tempo_bpm": 90.0}, "drop generate.tempo_bpm"),
        ({"flip_speed": "turntable", "tempo_bpm": 90.0, "key": "C major"}, "together"),
    ],
)
def test_contradictions_are_told_in_a_sentence(values: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        check_flip(settings(**values))


def test_drum_breaks_leave_the_chords_to_the_user() -> None:
    check_flip(settings(loop_kind="drums", chords="Am F"))
    check_flip(GenerateSettings())
