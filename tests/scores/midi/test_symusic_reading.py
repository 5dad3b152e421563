"""What symusic reads is what events say, and what it can't tell is left to them."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import symusic

from pipeline.scores.midi import symusic_reading
from pipeline.scores.midi.event_reading import read_by_events
from pipeline.scores.midi.symusic_reading import SYMUSIC_CONTROL, SYMUSIC_NOTE, read_by_symusic
from pipeline.scores.score import Score
from tests.conftest import SHARED
from tests.midi_files import write_midi_files
from tests.scores.midi.makers import BEAT, GM_ON, GS_ON, control, delta, heard, meta, midi, named, note, program


def facts(score: Score) -> list[object]:
    parts = [
        (one.name, one.program, one.is_drum, sorted(zip(heard(one), one.events["velocity"].tolist(), strict=False)))
        for one in score.parts
    ]
    assert score.end == pytest.approx(replace(score).end), "the end is that of the notes, however it was found"
    return [sorted(map(repr, parts)), score.metres, np.round(score.tempos, 6).tolist(), score.remarks]


CLEAN = {
    "one track": midi(program(0, 24) + note(0, 60), kind=0),
    "band": midi(GM_ON + named("t"), named("Bass") + program(2, 33) + note(2, 40), named("Drums") + note(9, 36)),
    "no program": midi(named("Rhodes") + note(0, 60)),
    "changes": midi(program(0, 24) + note(0, 60) + program(0, 48) + note(0, 64) + program(0, 24) + note(0, 67)),
    "shared channel": midi(program(0, 24) + note(0, 60), program(0, 24) + note(0, 50)),
    "banks": midi(
        GS_ON, control(1, 0, 8) + program(1, 24) + note(1, 60), control(9, 0, 0) + program(9, 16) + note(9, 36)
    ),
    "long rests": midi(*(program(0, 24) + note(0, 60) + note(0, 62, wait) for wait in (15_000, 15_300, 30_720, 9_000))),
    "no notes": midi(named("x"), meta(0x58, bytes((3, 2, 24, 8)))),
}


@pytest.mark.parametrize("name", CLEAN)
def test_clean_files_are_read_by_symusic_as_by_events(name: str) -> None:
    score = read_by_symusic(CLEAN[name], "piece")
    assert score is not None
    assert facts(score) == facts(read_by_events(CLEAN[name], "piece")[0])


UNCLEAR = {
    "setup track": midi(program(0, 24) + program(1, 33), note(0, 60), note(1, 40)),
    "change elsewhere": midi(program(0, 24, BEAT), program(0, 33) + note(0, 60) + note(0, 62)),
    "two hands": midi(program(0, 24) + note(0, 60), note(0, 40)),
    "note before its program": midi(note(0, 60) + program(0, 24) + note(0, 62)),
    "stuck": midi(program(0, 24) + note(0, 60) + b"\x00\x90\x40\x50"),
    "stuck drums": midi(b"\x00\x99\x24\x50\x60\x99\x26\x50"),
    "running status": midi(program(0, 24) + b"\x00\x90\x3c\x50" + b"\x00\xf0\x02\x7d\xf7" + b"\x60\x3c\x00"),
    "bank": midi(control(10, 0, 127) + program(10, 0) + note(10, 36)),
    "tuning": midi(control(0, 101, 0) + control(0, 100, 2) + control(0, 6, 52) + program(0, 24) + note(0, 60)),
    "telephone": midi(program(0, symusic_reading.PROBE_PROGRAM) + note(0, 60)),
    "channel without a program": midi(program(0, 24) + note(0, 60) + note(1, 40), program(1, 33)),
}


@pytest.mark.parametrize("name", UNCLEAR)
def test_what_symusic_can_not_tell_is_left_to_events(name: str) -> None:
    assert read_by_symusic(UNCLEAR[name], "piece") is None


def random_track(dice: random.Random, channel: int) -> bytes:
    """Notes, controllers and texts of one channel, some in running status, with long and short rests."""
    events, running = [named(f"part {channel}"), program(channel, dice.choice((0, 24, 33, 48)))], 0
    for _ in range(dice.randrange(5, 40)):
        wait = delta(dice.choice((0, 1, 96, 120, 15_000, dice.randrange(20_000))))
        pitch = dice.randrange(128)
        kind = dice.choice(("note", "note", "note", "control", "text", "bend"))
        if kind == "note":
            start = b"" if running == 0x90 | channel else bytes([0x90 | channel])
            events.append(
                wait + start + bytes((pitch, dice.randrange(1, 128))) + delta(dice.randrange(300)) + bytes((pitch, 0))
            )
            running = 0x90 | channel
        elif kind == "control":
            events.append(wait + bytes((0xB0 | channel, dice.choice((1, 7, 10, 64, 91)), dice.randrange(128))))
            running = 0xB0 | channel
        elif kind == "bend":
            events.append(wait + bytes((0xE0 | channel, dice.randrange(128), dice.randrange(128))))
            running = 0xE0 | channel
        else:
            events.append(wait + meta(5, bytes(dice.randrange(32, 256) for _ in range(3)))[1:])
    return b"".join(events)


def test_many_files_are_read_by_symusic_as_by_events() -> None:
    dice, read = random.Random(1), 0
    for _ in range(150):
        content = midi(GM_ON, *(random_track(dice, channel) for channel in dice.sample(range(16), 4)))
        score = read_by_symusic(content, "piece")
        if score is not None:
            read += 1
            assert facts(score) == facts(read_by_events(content, "piece")[0])
    assert read > 100


def test_ten_files_by_mido_are_clean(tmp_path: Path) -> None:
    for path in write_midi_files(tmp_path):
        content = path.read_bytes()
        score = read_by_symusic(content, "piece")
        assert score is not None, path.name
        assert facts(score) == facts(read_by_events(content, "piece")[0]), path.name


def test_symusic_pickles_notes_and_controls_as_it_gives_them_to_numpy() -> None:
    track = symusic.Score.from_midi(midi(note(0, 60) + control(0, 64, 127, 5) + note(0, 127, 900))).tracks[0]
    for events, kind in ((track.notes, SYMUSIC_NOTE), (track.controls, SYMUSIC_CONTROL)):
        table = symusic_reading._table([events, events], kind)
        for name, column in events.numpy().items():
            assert table[name].tolist() == [*column.tolist(), *column.tolist()]


@pytest.mark.slow
@pytest.mark.skipif(not (SHARED / "band").is_dir(), reason="../shared/data/band is not there")
def test_real_files_are_read_by_symusic_as_by_events() -> None:
    paths = [*sorted((SHARED / "band").rglob("*.mid"))[::3], *sorted((SHARED / "pop909").rglob("*.mid"))[::20]]
    left = 0
    for path in paths:
        content = path.read_bytes()
        score = read_by_symusic(content, "piece")
        left += score is None
        assert score is None or facts(score) == facts(read_by_events(content, "piece")[0]), path.name
    assert left <= len(paths) // 20
