"""Parts brought to the tracks of a track set."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.errors import UnusableError
from pipeline.scores.notes import Notes, make_notes
from pipeline.scores.score import Part, Score, make_events
from pipeline.scores.tracks import assign, fit_to_tracks, fragmentary_tunes, leaping_tracks
from pipeline.settings.data import TrackSettings, TracksSettings
from tests.music_makers import BAND, part, score


def voices(assign: str, names: list[str]) -> TracksSettings:
    return TracksSettings("mine", assign, [TrackSettings(name) for name in names], [])


def test_chords_become_as_many_lines_as_there_are_voices() -> None:
    chords = [(72, 67, 64, 48), (74, 67, 65, 50), (76, 67, 60, 52)]
    events = make_events(
        np.repeat([0.0, 1.0, 2.0], 4), np.ones(12), [pitch for chord in chords for pitch in chord], np.full(12, 90)
    )
    score = Score("a", (Part("Piano", 0, False, events),), ())
    fitted = fit_to_tracks(score, voices("register", ["S", "A", "T", "B"]))
    assert [part.events["pitch"].tolist() for part in fitted.parts] == [
        list(line) for line in zip(*chords, strict=True)
    ]
    by_name = fit_to_tracks(score, voices("name", ["Melody", "Bridge", "Piano"]))
    assert [(part.name, len(part.events)) for part in by_name.parts] == [("Melody", 3), ("Piano", 9)]
    assert by_name.parts[0].events["pitch"].tolist() == [72, 74, 76]
    unsure = Part("Unsure", 0, False, events)
    for rule in ("program", "melody"):
        assert fit_to_tracks(Score("a", (*score.parts, unsure), ()), voices(rule, ["Piano"])).parts == score.parts


def test_drums_on_channel_ten_go_to_drums_and_programs_to_their_family() -> None:
    piece = score(
        part([(0, 1, 36)], is_drum=True),
        part([(0, 1, 60)], program=4),
        part([(0, 1, 40)], program=33),
        part([(0, 1, 70)], program=120),
        part([], program=0),
    )
    assert [(voice.track, voice.program) for voice in assign(piece, BAND)] == [(0, 0), (1, 4), (2, 33)]


DUET = TracksSettings("duet", "register", [TrackSettings("High"), TrackSettings("Low")], [])


def test_register_puts_the_highest_part_first() -> None:
    found = assign(score(part([(0, 1, 40)]), part([(0, 1, 70)])), DUET)
    assert [(voice.track, int(voice.events["pitch"][0])) for voice in found] == [(0, 70), (1, 40)]


def test_register_wants_as_many_parts_as_tracks() -> None:
    with pytest.raises(UnusableError, match="has 1 part, the track set duet needs 2"):
        assign(score(part([(0, 1, 40)]), part([])), DUET)


def test_register_takes_the_named_voices_out_of_doubling_instruments() -> None:
    horn, low, high = part([(0, 1, 80)], "Horn"), part([(0, 1, 50)], "low"), part([(0, 1, 60)], "High ")
    assert [int(voice.events["pitch"][0]) for voice in assign(score(horn, low, high), DUET)] == [60, 50]


def test_names_are_matched_whatever_their_case() -> None:
    named = TracksSettings("duet", "name", DUET.tracks, [])
    assert [voice.track for voice in assign(score(part([(0, 1, 40)], "LOW"), part([(0, 1, 40)], "x")), named)] == [1]
    with pytest.raises(UnusableError, match=r"no part is called High, Low \(its parts are x\)"):
        assign(score(part([(0, 1, 40)], "x")), named)


def test_a_score_without_notes_is_explained() -> None:
    with pytest.raises(UnusableError, match=r"^no notes$"):
        assign(score(part([])), BAND)


def test_a_line_that_leaps_more_than_such_lines_do_is_found_out() -> None:
    """Four of twenty moves of the tune are octaves; the piano has low notes below its own; the rest is too short."""
    lead = [60 + 12 * (step in (4, 5, 9, 10)) for step in range(21)]
    rows = [(0, pitch, step, 1) for step, pitch in enumerate(lead)]
    rows += [(1, pitch, step, 1) for step in range(21) for pitch in (40, 64 + step % 2)]
    rows += [(2, pitch, step, 1) for step, pitch in enumerate((30, 60) * 4)]
    notes = make_notes(*zip(*rows, strict=True))
    names = ("Lead", "Strings", "Bass")
    assert leaping_tracks([notes], names) == [0]
    assert leaping_tracks([notes], ("Guitar", *names[1:])) == [], "a guitar may leap more"
    assert leaping_tracks([notes, notes], names) == [0]
    assert leaping_tracks([notes[:0]], names) == []
    halves = [notes[notes["onset"] < 8], notes[notes["onset"] >= 8]]
    assert leaping_tracks(halves, names) == [0], "moves of all stretches count together"


def test_a_tune_that_is_heard_in_snatches_is_found_out() -> None:
    """Of eight bars of four steps: four notes in each; in every other; two in each; the same of a piano."""

    def table(track: int, bars: range, notes_a_bar: int) -> Notes:
        return make_notes(
            *zip(*((track, 60, 4 * bar + step, 1) for bar in bars for step in range(notes_a_bar)), strict=True)
        )

    names = ("Lead", "Piano")
    assert fragmentary_tunes([table(0, range(8), 4)], names, 4) == []
    assert fragmentary_tunes([table(0, range(0, 8, 2), 4)], names, 4) == [0], "it ends after each bar"
    assert fragmentary_tunes([table(0, range(8), 2)], names, 4) == [0], "a bar has two notes"
    assert fragmentary_tunes([table(0, range(8), 4), table(0, range(8), 1)], names, 4) == []
    assert fragmentary_tunes([table(1, range(0, 8, 2), 1)], names, 4) == [], "a piano may play now and then"
