"""The part of a score that has the tune, and the top line of a part."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import UnusableError
from pipeline.scores.melody import find_melody, syllable_fit, top_line
from pipeline.scores.midi.reading import read_midi
from pipeline.scores.quantisation import BarSpan, quantise
from pipeline.scores.reading.score_files import read_scores
from pipeline.scores.score import Part
from pipeline.scores.tracks import AssignedPart, assign, known_tracks
from pipeline.settings.data import TrackSettings, TracksSettings
from tests.conftest import SHARED
from tests.music_makers import SPEC, Row, part, score
from tests.scores.midi.makers import BEAT, meta, midi, note

POP = TracksSettings(
    "pop",
    "melody",
    [
        TrackSettings("Lead", voice=True),
        TrackSettings("Drums", is_drum=True),
        TrackSettings("Piano", programs=list(range(8))),
        TrackSettings("Bass", programs=list(range(32, 40))),
        TrackSettings("Strings", programs=list(range(40, 80)), names=["bridge"]),
    ],
    [],
)
SONG = [64, 65, 67, 67, 65, 64, 62, 60, 62, 64, 64, 62, 62, 60, 62, 64]
"""A tune in steps, a phrase that returns after an answer."""
TUNE: list[Row] = [(bar * 8 + at / 2, 0.5, pitch) for bar in range(4) for at, pitch in enumerate(SONG)]
CHORDS: list[Row] = [(2.0 * at, 2.0, pitch) for at in range(16) for pitch in (48, 52, 55)]
ARPEGGIO: list[Row] = [(at / 2 + 0.25, 0.5, (60, 67, 76, 67)[at % 4]) for at in range(64)]
LOW: list[Row] = [(at / 2, 0.5, 36 + 7 * (at % 2)) for at in range(64)]


def band(*, with_names: bool) -> list[Part]:
    """A tune on a flute among a piano's chords, a guitar's arpeggio and a bass."""
    names = ("Vocal", "Chords", "Arp", "Bass") if with_names else ("",) * 4
    rows = zip((TUNE, CHORDS, ARPEGGIO, LOW), names, (73, 0, 40, 33), strict=True)
    return [part(notes, name, program) for notes, name, program in rows]


def track_of(found: list[AssignedPart], one: Part) -> list[int]:
    """The tracks that notes of a part went to."""
    return [assigned.track for assigned in found if any(own is one for own in assigned.parts)]


@pytest.mark.parametrize("with_names", [True, False])
@pytest.mark.parametrize("turn", range(4))
def test_the_line_that_moves_by_steps_above_chords_is_the_tune(with_names: bool, turn: int) -> None:
    parts = band(with_names=with_names)
    ordered = parts[turn:] + parts[:turn]
    assert find_melody(tuple(ordered)) == (parts[0],)
    assert [track_of(assign(score(*ordered), POP), one) for one in parts] == [[0], [2], [4], [3]]


def test_what_is_sung_is_the_tune_whatever_it_looks_like() -> None:
    flute, chords, arpeggio, bass = band(with_names=True)
    sung = tuple(onset + 0.03 for onset, _, _ in ARPEGGIO[::2] + ARPEGGIO[1::4])
    assert syllable_fit(arpeggio, tuple(sorted(sung))) == pytest.approx(2 * 48 / (64 + 48))
    assert find_melody((flute, chords, arpeggio, bass), tuple(sorted(sung))) == (arpeggio,)


def test_a_tune_that_two_tracks_of_one_name_take_in_turn_stays_one() -> None:
    flute, *others = band(with_names=True)
    first, second = (
        replace(flute, program=program, events=flute.events[half])
        for program, half in ((73, slice(32)), (65, slice(32, None)))
    )
    found = assign(score(first, *others, second), POP)
    (lead,) = [one for one in found if one.track == 0]
    assert len(lead.events) == len(TUNE)


def test_a_bass_and_drums_have_no_tune() -> None:
    drums, bass = part([(0, 1, 36)], is_drum=True), part(LOW, "Solo", 33)
    assert find_melody((drums, bass)) == ()
    assert {one.track for one in assign(score(drums, bass), POP)} == {1, 3}


def test_of_a_piano_alone_the_top_line_is_the_tune_and_the_rest_piano() -> None:
    piano = part(TUNE + CHORDS, "", 0)
    lead, rest = sorted(assign(score(piano), POP), key=lambda one: one.track)
    assert (lead.track, rest.track) == (0, 2)
    assert sorted(zip(lead.events["onset"], lead.events["pitch"], strict=True)) == [row[::2] for row in TUNE]
    assert len(rest.events) == len(CHORDS)


def test_of_two_hands_the_right_one_has_the_tune() -> None:
    found = assign(score(part(CHORDS, "Left", 0), part(TUNE, "Right", 0)), POP)
    assert {(one.track, len(one.events)) for one in found} == {(0, len(TUNE)), (2, len(CHORDS))}


def test_a_tune_on_the_grid_sounds_one_note_at_a_time() -> None:
    grace: list[Row] = [(0, 0.05, 72), (0.06, 1.5, 71), (1, 1, 69), (2, 2, 67), (2, 1, 65)]
    notes = quantise([AssignedPart(1, 0, part(grace).events, is_line=True)], BarSpan(0.0, 1, 0), SPEC)
    assert notes[["pitch", "onset", "length"]].tolist() == [(71, 0, 4), (69, 4, 4), (67, 8, 8)]


def test_a_second_melody_is_known_by_its_name() -> None:
    bridge = part([(onset, 0.5, pitch + 12) for onset, _, pitch in TUNE[::2]], "BRIDGE", 0)
    found = assign(score(part(TUNE, "MELODY"), bridge, part(CHORDS, "PIANO")), POP)
    assert sorted((one.track, len(one.events)) for one in found) == [(0, 64), (2, 48), (4, 32)]


def test_a_file_whose_parts_are_called_as_the_tracks_is_taken_at_its_word() -> None:
    found = assign(score(part(CHORDS, "Lead"), part(TUNE, "Piano"), part(LOW, "Bass")), POP)
    assert [(one.track, len(one.events)) for one in found] == [(0, 48), (2, 64), (3, 64)]


@pytest.mark.parametrize(
    ("parts", "known"),
    [
        ([part(TUNE, "", 73)], ["Lead"]),
        ([part(TUNE + CHORDS)], ["Lead", "Piano"]),
        ([part(TUNE, "", 73), part(CHORDS), part(LOW, "", 33)], ["Lead", "Drums", "Piano", "Bass", "Strings"]),
        ([part(TUNE, "", 73), part(LOW, is_drum=True)], ["Lead", "Drums", "Piano", "Bass", "Strings"]),
        ([part(LOW, is_drum=True)], ["Drums"]),
    ],
)
def test_lead_sheets_and_piano_pieces_do_not_say_what_a_band_plays(parts: list[Part], known: list[str]) -> None:
    def names(**how: object) -> list[str]:
        found = known_tracks(assign(score(*parts), POP), POP, **how)  # type: ignore[arg-type]
        return [track.name for track, one in zip(POP.tracks, found, strict=True) if one]

    playing = {POP.tracks[one.track].name for one in assign(score(*parts), POP)}
    assert names(is_transcription=False, unknown=None) == known
    assert set(names(is_transcription=True, unknown=None)) == playing, "a recording is not known beyond what is heard"
    assert names(is_transcription=True, unknown=[]) == [track.name for track in POP.tracks]
    assert set(names(is_transcription=False, unknown=["Drums", "Lead"])) == {"Piano", "Bass", "Strings"} | playing


def test_what_fits_no_track_is_explained() -> None:
    with pytest.raises(UnusableError, match="no part plays a program of the track set pop"):
        assign(score(part(LOW, "Thunder", 125)), POP)


def test_syllables_of_karaoke_are_where_its_texts_stand() -> None:
    words = b"".join(meta(1, b"la", BEAT) for _ in range(10))
    file = midi(meta(1, b"@KMIDI KARAOKE FILE"), meta(1, b"@T title") + words, note(0, 60))
    assert read_midi(file, "", 10**6)[0].syllables == tuple(range(1, 11))
    lyrics = midi(b"".join(meta(5, b"la ", BEAT) for _ in range(10)), note(0, 60))
    assert read_midi(lyrics, "", 10**6)[0].syllables == tuple(range(1, 11))
    assert read_midi(midi(meta(1, b"made by me"), note(0, 60)), "", 10**6)[0].syllables == ()


STEPS: list[Row] = [(0, 1, 76), (1, 1, 74), (2, 1, 72), (4, 1, 74), (5, 2, 76)]


def rows(events: object) -> list[Row]:
    return sorted(zip(*(events[name].tolist() for name in ("onset", "duration", "pitch")), strict=True))  # type: ignore[index]


def test_chords_below_a_tune_are_not_in_it() -> None:
    chords: list[Row] = [(beat, 2, pitch) for beat in (0, 2, 4, 6) for pitch in (48, 52, 55)]
    line, rest = top_line(part(STEPS + chords).events)
    assert rows(line) == STEPS
    assert rows(rest) == sorted(chords), "nor do they fill its rests"


def test_a_line_alone_is_all_tune() -> None:
    line, rest = top_line(part(STEPS).events)
    assert rows(line) == STEPS and not len(rest)


def test_notes_of_the_line_end_where_the_next_begins() -> None:
    line, _ = top_line(part([(0, 3, 60), (1, 3, 62), (2, 1, 64)]).events)
    assert rows(line) == [(0, 1, 60), (1, 1, 62), (2, 1, 64)]


def test_of_octaves_the_upper_notes_are_the_line() -> None:
    line, rest = top_line(
        part([row for on, length, p in STEPS for row in ((on, length, p), (on, length, p - 12))]).events
    )
    assert rows(line) == STEPS
    assert rows(rest) == [(on, length, p - 12) for on, length, p in STEPS]


@pytest.mark.skipif(not (SHARED / "pop909").is_dir(), reason="needs ../shared/data/pop909")
def test_melodies_of_pop_songs_are_found_without_their_names() -> None:
    found = []
    for number in range(5, 800, 40):
        one = read_scores(SHARED / "pop909" / f"{number:03}.mid", 1)[0]
        hidden = tuple(replace(part, name="") for part in one.parts)
        found += [one.parts[hidden.index(best)].name for best in find_melody(hidden)]
    assert len(found) == 20 and np.mean([name == "MELODY" for name in found]) >= 0.9
