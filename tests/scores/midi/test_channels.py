"""What plays on a channel: drums by bank and by system-exclusive message, programs over all tracks, transposition."""

from __future__ import annotations

import pytest

from tests.scores.midi.makers import (
    BEAT,
    GM2_ON,
    GM_ON,
    GS_ON,
    XG_ON,
    control,
    heard,
    midi,
    note,
    program,
    read,
    rhythm_part,
    sounds,
)

XG_DRUM_PART = bytes.fromhex("00 f0 08 43 10 4c 08 0a 07 02 f7")
XG_MELODY_PART = bytes.fromhex("00 f0 08 43 10 4c 08 09 07 00 f7")


@pytest.mark.parametrize(
    ("setup", "channel", "bank", "plays"),
    [
        (XG_ON, 10, 127, "drums"),
        (XG_ON, 10, 126, "drums"),
        (b"", 10, 127, "drums"),
        (XG_ON, 9, 0, 48),
        (XG_ON, 9, 127, "drums"),
        (GM2_ON, 10, 120, "drums"),
        (GM2_ON, 9, 121, 48),
        (GM2_ON, 9, 120, "drums"),
        (GM_ON, 9, 0, "drums"),
        (b"", 9, 0, "drums"),
        (b"", 10, 8, 48),
        (GS_ON, 10, 127, 48),  # there a sound of the older CM-64
    ],
)
def test_a_bank_chooses_drums_or_melody(setup: bytes, channel: int, bank: int, plays: int | str) -> None:
    track = control(channel, 0, bank) + control(channel, 32, 0) + program(channel, 48)
    assert sounds(midi(setup, track + note(channel, 50))) == [(plays, 50)]


def test_a_bank_counts_from_the_next_program_change_on() -> None:
    track = program(10, 5) + control(10, 0, 127) + note(10, 50) + program(10, 5) + note(10, 36)
    assert sounds(midi(XG_ON, track)) == [(5, 50), ("drums", 36)]
    back = program(10, 5, 1) + control(10, 0, 0) + program(10, 6) + note(10, 60)
    assert sounds(midi(XG_ON, track + back)) == [(5, 50), ("drums", 36), (6, 60)]


def test_a_bank_in_running_status_counts_too() -> None:
    controls = bytes((0, 0xBA, 7, 100, 0, 10, 64, 0, 0, 127, 0, 32, 0))
    assert sounds(midi(controls + program(10, 0) + note(10, 36))) == [("drums", 36)]


@pytest.mark.parametrize(
    ("setup", "channel", "plays"),
    [
        (GS_ON + rhythm_part(0xA, 1), 10, "drums"),
        (GS_ON + rhythm_part(0xA, 2), 10, "drums"),
        (rhythm_part(1, 1), 0, "drums"),
        (GS_ON + rhythm_part(0, 0), 9, 48),
        (GS_ON + rhythm_part(0, 1), 9, "drums"),
        (GS_ON + rhythm_part(0xA, 0), 10, 48),
        (rhythm_part(0xA, 1) + GS_ON, 10, 48),
        (rhythm_part(0xA, 1) + GM_ON, 10, 48),
        (XG_ON + XG_DRUM_PART, 10, "drums"),
        (XG_ON + XG_MELODY_PART, 9, 48),
        (XG_DRUM_PART + XG_ON, 10, 48),
    ],
)
def test_a_part_mode_chooses_drums_or_melody_until_a_reset(setup: bytes, channel: int, plays: int | str) -> None:
    assert sounds(midi(setup, program(channel, 48) + note(channel, 50))) == [(plays, 50)]


def test_programs_of_a_setup_track_hold_in_all_tracks() -> None:
    setup = program(0, 33) + program(1, 48)
    tracks = (note(0, 40), note(1, 70), note(9, 36))
    assert sounds(midi(setup, *tracks)) == [(33, 40), (48, 70), ("drums", 36)]
    assert sounds(midi(*tracks, setup)) == [(33, 40), (48, 70), ("drums", 36)], "of one tick, in whatever track"


def test_a_change_in_mid_song_holds_from_its_tick_on_in_all_tracks() -> None:
    setup = program(0, 33) + program(0, 48, 2 * BEAT)
    parts = read(midi(setup, note(0, 40) + note(0, 41, BEAT))).parts
    assert [(one.program, heard(one)) for one in parts] == [(33, [(0, 1, 40)]), (48, [(2, 1, 41)])]


def test_two_tracks_of_a_channel_share_the_program_of_one() -> None:
    assert sounds(midi(program(3, 24) + note(3, 50), note(3, 62))) == [(24, 50), (24, 62)]


def test_tracks_with_programs_of_their_own_keep_them() -> None:
    assert sounds(midi(program(0, 24) + note(0, 50), program(0, 33) + note(0, 40))) == [(24, 50), (33, 40)]


@pytest.mark.parametrize("kind", [0, 1])
def test_several_channels_of_a_track_are_several_parts(kind: int) -> None:
    track = program(0, 24) + program(1, 33) + note(0, 60) + note(1, 40) + note(9, 36) + program(1, 48) + note(1, 72)
    assert sounds(midi(track, kind=kind)) == [(24, 60), (33, 40), (48, 72), ("drums", 36)]


@pytest.mark.parametrize("is_running", [False, True])
def test_coarse_tuning_transposes_all_but_drums(is_running: bool) -> None:
    def tuned(channel: int) -> bytes:
        if is_running:
            return bytes((0, 0xB0 | channel, 101, 0, 0, 100, 2, 0, 6, 52))
        return control(channel, 101, 0) + control(channel, 100, 2) + control(channel, 6, 52)

    assert sounds(midi(*(tuned(one) + program(one, 24) + note(one, 60) for one in (0, 9)))) == [
        (24, 48),
        ("drums", 60),
    ]


def test_other_parameters_do_not_transpose() -> None:
    bend = control(0, 101, 0) + control(0, 100, 0) + control(0, 6, 12)
    closed = control(0, 101, 0) + control(0, 100, 2) + control(0, 101, 127) + control(0, 100, 127) + control(0, 6, 12)
    assert sounds(midi(program(0, 24) + bend + note(0, 60))) == [(24, 60)]
    assert sounds(midi(program(0, 24) + closed + note(0, 60))) == [(24, 60)]


def test_key_shift_of_a_part_transposes() -> None:
    gs = bytes.fromhex("00 f0 0a 41 10 42 12 40 11 16 4c 0d f7")
    xg = bytes.fromhex("00 f0 08 43 10 4c 08 00 08 34 f7")
    assert sounds(midi(gs, program(0, 24) + note(0, 60))) == [(24, 72)]
    assert sounds(midi(xg, program(0, 24) + note(0, 60))) == [(24, 48)]
