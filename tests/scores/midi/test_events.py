"""Events of tracks: the machine code of the loops does what their Python does, on clean and on damaged bytes."""

from __future__ import annotations

import random

import numpy as np
import pytest

from pipeline.scores.midi import events
from pipeline.scores.midi.events import compiled, scan_events
from pipeline.scores.midi.parts import pair_events
from tests.scores.midi.makers import GM_ON, control, delta, meta, midi, named, note, program, read


def random_track(dice: random.Random, channel: int) -> bytes:
    """Notes, controllers and texts of one channel, some in running status, with long and short rests."""
    found, running = [GM_ON, named(f"part {channel}"), program(channel, dice.choice((0, 24, 33, 48)))], 0
    for _ in range(dice.randrange(5, 40)):
        wait = delta(dice.choice((0, 1, 96, 120, 15_000, dice.randrange(20_000))))
        pitch = dice.randrange(128)
        kind = dice.choice(("note", "note", "note", "control", "tuning", "text", "bend"))
        if kind == "note":
            start = b"" if running == 0x90 | channel else bytes([0x90 | channel])
            end = bytes((dice.choice((pitch, pitch, dice.randrange(128))), 0))
            found.append(wait + start + bytes((pitch, dice.randrange(1, 128))) + delta(dice.randrange(300)) + end)
            running = 0x90 | channel
        elif kind == "control":
            found.append(wait + bytes((0xB0 | channel, dice.choice((0, 1, 7, 10, 64, 91, 123)), dice.randrange(128))))
            running = 0xB0 | channel
        elif kind == "tuning":
            found.append(control(channel, 101, 0) + control(channel, 100, dice.randrange(3)) + control(channel, 6, 60))
            running = 0xB0 | channel
        elif kind == "bend":
            found.append(wait + bytes((0xE0 | channel, dice.randrange(128), dice.randrange(128))))
            running = 0xE0 | channel
        else:
            found.append(wait + meta(5, bytes(dice.randrange(32, 256) for _ in range(3)))[1:])
    return b"".join(found)


def scanned(content: bytes, as_machine_code: bool) -> tuple[object, ...]:
    """All that the loops over bytes and notes say of a track, compiled or in Python."""
    scan, pair = (compiled(scan_events), compiled(pair_events)) if as_machine_code else (scan_events, pair_events)
    tables = [np.zeros((len(content) + 1, 5), np.int64) for _ in range(5)]
    counts = np.zeros(5, np.int64)
    facts = scan(np.frombuffer(content, np.uint8), 0, len(content), *tables, counts)
    notes = tables[0][: counts[0]]
    rows, summary = np.zeros((len(notes), 6), np.int64), np.zeros((1, 3), np.int64)
    pair(notes, np.array([0]), np.array([len(notes)]), rows, summary)
    filled = [table[:count].tolist() for table, count in zip(tables, counts, strict=True)]
    return tuple(map(int, facts)), filled, rows[: summary[0, 0]].tolist(), summary.tolist()


def test_machine_code_does_what_python_does() -> None:
    dice = random.Random(1)
    problems = set()
    for _ in range(120):
        content = bytearray(random_track(dice, dice.randrange(16)) + b"\x00\xff\x2f\x00")
        for _ in range(dice.choice((0, 0, 1, 5))):
            content[dice.randrange(len(content))] = dice.randrange(256)
        found = scanned(bytes(content), as_machine_code=False)
        assert scanned(bytes(content), as_machine_code=True) == found
        problems.add(found[0][-1])  # type: ignore[index]
    assert {events.FINE, events.CUT_OFF} <= problems


def test_tables_that_are_used_again_leave_the_notes_of_the_file_before() -> None:
    first, second = read(midi(note(0, 60), note(1, 64))), read(midi(note(0, 72), note(1, 76)))
    assert [int(part.events["pitch"][0]) for part in (*first.parts, *second.parts)] == [60, 64, 72, 76]


def test_where_nothing_can_be_kept_on_disk_the_loops_are_compiled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    import numba

    njit = numba.njit
    njit(double)(1)  # brings in all of numba

    def nowhere(*functions: object, cache: bool = False) -> object:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return njit(*functions)

    monkeypatch.setattr(numba, "njit", nowhere)
    assert events.compiled.__wrapped__(double)(21) == 42


def double(number: int) -> int:
    return 2 * number
