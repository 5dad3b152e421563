"""A second parser, mido's, and a second reading of channels agree on each kind of file."""

from __future__ import annotations

import io

import mido
import pytest

from tests.scores.midi.makers import (
    BEAT,
    GM2_ON,
    GS_ON,
    XG_ON,
    control,
    meta,
    midi,
    named,
    note,
    program,
    read,
    rhythm_part,
)
from tests.slow_reader import listen

STUCK = b"\x00\x90\x3c\x50"
KINDS = {
    "XG": midi(
        XG_ON, control(10, 0, 127) + program(10, 0) + note(10, 36), control(9, 0, 0) + program(9, 40) + note(9, 70)
    ),
    "GM2": midi(
        GM2_ON, control(10, 0, 120) + program(10, 0) + note(10, 36), control(9, 0, 121) + program(9, 48) + note(9, 70)
    ),
    "GS": midi(
        GS_ON + rhythm_part(0xB, 1) + rhythm_part(0, 0), program(11, 8) + note(11, 38), program(9, 24) + note(9, 60)
    ),
    "GS bank": midi(GS_ON, control(3, 0, 127) + program(3, 24) + note(3, 60)),
    "setup track": midi(
        program(0, 33) + program(1, 48) + program(0, 34, 4 * BEAT), note(0, 40) + note(0, 41, 4 * BEAT), note(1, 70)
    ),
    "two hands": midi(program(0, 6) + note(0, 70), note(0, 40)),
    "own programs": midi(program(0, 24) + note(0, 50), program(0, 33) + note(0, 40) + program(0, 34) + note(0, 41)),
    "one track": midi(program(0, 24) + program(1, 33) + note(0, 60) + note(1, 40) + note(9, 36), kind=0),
    "names": midi(named("Drum Rack") + note(0, 36), named("Bass") + note(0, 40), named("Rhodes") + note(0, 60)),
    "running status": midi(
        program(0, 24) + STUCK + meta(1, b"la") + b"\x60\x3c\x00" + meta(5, b"la") + b"\x00\x40\x50\x60\x40\x00"
    ),
    "never ends": midi(program(0, 24) + note(0, 64) + STUCK + note(0, 62, BEAT)),
    "struck again": midi(program(0, 24) + STUCK + note(0, 64) + note(0, 60, BEAT) + note(0, 60, BEAT)),
    "twice": midi(program(0, 24) + STUCK + note(0, 60) + note(0, 60, BEAT)),
    "clipped": midi(program(0, 24) + note(0, 60, velocity=200) + control(0, 7, 255) + note(0, 64)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_read_is_what_a_second_parser_hears(kind: str) -> None:
    voices, _ = listen(mido.MidiFile(file=io.BytesIO(KINDS[kind]), clip=True))
    wanted = sorted(
        (-1 if is_drum else program, begin / BEAT, end / BEAT, pitch)
        for (_, _, program, is_drum), voice in voices.items()
        for begin, end, pitch in voice.notes
    )
    found = sorted(
        (-1 if one.is_drum else one.program, onset, onset + duration, pitch)
        for one in read(KINDS[kind]).parts
        for onset, duration, pitch, _ in one.events.tolist()
    )
    assert found == wanted != []
