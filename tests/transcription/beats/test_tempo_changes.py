"""Where the tempo of a recording changes, and what is said of it."""

from __future__ import annotations

import numpy as np

from pipeline.transcription.beats.grid import Beats
from pipeline.transcription.beats.tempo_changes import tempo_changes, tempo_remarks


def beats_of(*parts: tuple[int, float]) -> Beats:
    """Beats of parts, each so many at so many a minute."""
    periods = np.concatenate([np.full(count, 60 / bpm) for count, bpm in parts])
    return Beats(np.concatenate([[0.0], np.cumsum(periods)]), 4)


def test_a_steady_tempo_and_a_human_one_do_not_change() -> None:
    assert tempo_remarks(beats_of((200, 100.0))) == []
    drift = 100 + 2 * np.sin(np.arange(200) / 15)
    assert tempo_remarks(beats_of(*((1, float(bpm)) for bpm in drift))) == []


def test_a_change_is_named_with_its_place_and_both_tempos() -> None:
    beats = beats_of((150, 120.0), (80, 90.0))
    (change,) = tempo_changes(beats)
    assert abs(change.seconds - 75) < 2 and round(change.before_bpm) == 120 and round(change.after_bpm) == 90
    assert tempo_remarks(beats) in ([f"its tempo changes at 1:{second} from 120 to 90 bpm"] for second in (14, 15, 16))


def test_many_changes_are_counted() -> None:
    beats = beats_of(*((40, bpm) for bpm in (100.0, 130.0) * 4))
    assert tempo_remarks(beats)[0].endswith("4 times more")


def test_few_beats_have_no_tempo_to_change() -> None:
    assert tempo_changes(beats_of((5, 100.0), (5, 50.0))) == []
