"""Files to choose a loop by: a picture of the record, each loop four times as sound, and what speaks for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.audio.files import write_wav
from pipeline.drawing.loops import LoopMark, draw_loops
from pipeline.files import write_json
from pipeline.songs.flip.loops import Loop, loop_sound
from pipeline.songs.flip.record import Record

PICTURE, LIST = "loops.png", "loops.json"
TIMES = 4
"""A loop is heard so often, so that one hears how it closes."""


def write_loops(directory: Path, record: Record, loops: Sequence[Loop]) -> None:
    """Write `loops.png`, `01.wav` and so on, and `loops.json` into a folder.

    Bars are counted from 1 in all of them. What is louder than full scale is turned down.
    """
    directory.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, loop in enumerate(loops, 1):
        sound = np.tile(loop_sound(record, loop), (TIMES, 1))
        name = f"{number:02d}.wav"
        write_wav(directory / name, sound / max(1.0, float(np.abs(sound).max(initial=0.0)) * 1.001), SAMPLE_RATE_HZ)
        rows.append(
            {
                "loop": number,
                "bars": bar_numbers(loop),
                "start_seconds": round(loop.start / SAMPLE_RATE_HZ, 4),
                "seconds": round(loop.seconds, 4),
                "score": round(loop.score, 3),
                "parts": {key: round(value, 3) for key, value in asdict(loop.parts).items()},
                "sound": name,
            }
        )
    marks = [
        LoopMark(number, loop.start / SAMPLE_RATE_HZ, loop.end / SAMPLE_RATE_HZ) for number, loop in enumerate(loops, 1)
    ]
    mono = record.sound.mean(axis=1)
    draw_loops(directory / PICTURE, f"Loops of {record.name}", mono, SAMPLE_RATE_HZ, record.bar_seconds, marks)
    write_json(directory / LIST, {"record": record.name, "bpm": round(record.bpm, 2), "loops": rows})


def bar_numbers(loop: Loop) -> str:
    """The bars of a loop as a user names them, counted from 1: `17` or `17-18`."""
    first, last = loop.first_bar + 1, loop.first_bar + loop.num_bars
    return str(first) if first == last else f"{first}-{last}"
