"""MIDI files to scores, by symusic."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from pipeline.music.scores import Metre, Part, Score, UnusableError, make_events, printable


def read_midi(content: bytes, title: str, limit: int) -> list[Score]:
    """The score in the bytes of a MIDI file.

    A file that names no time signature is in 4/4, as the format says. Notes of no length are kept: they get a step.

    Raises
    ------
    UnusableError
        The bytes are not those of a whole MIDI file.
    """
    import symusic

    if content[:4] == b"RIFF":  # an RMID file: the MIDI file is a chunk of it
        content = content[max(content.find(b"MThd"), 0) :]
    if content[:4] != b"MThd":
        raise UnusableError("broken file: it does not begin like a MIDI file")
    try:
        file: Any = symusic.Score.from_midi(content)
    except Exception as error:  # symusic raises RuntimeError, ValueError and its own kinds
        raise UnusableError(f"broken file: {_plain(str(error))}") from error
    ticks = file.ticks_per_quarter
    if ticks < 1:
        raise UnusableError("broken file: it counts no ticks a beat")
    parts = []
    for track in file.tracks:
        columns = track.notes.numpy()
        onset, duration = columns["time"] / ticks, np.maximum(columns["duration"], 0) / ticks
        pitch, velocity = columns["pitch"], columns["velocity"]
        events = make_events(onset, duration, pitch, velocity)
        events = events[(events["pitch"] >= 0) & (events["onset"] >= 0)]
        parts.append(Part(printable(track.name), track.program, track.is_drum, events))
    metres = [
        Metre(one.time / ticks, one.numerator, one.denominator)
        for one in sorted(file.time_signatures, key=lambda one: one.time)
        if one.numerator > 0 and one.denominator > 0
    ]
    if not metres or metres[0].start > 0:
        metres.insert(0, Metre(0.0, 4, 4))
    tempos = [(one.time / ticks, one.qpm) for one in sorted(file.tempos, key=lambda one: one.time)]
    tempos = [(start, bpm) for start, bpm in tempos if 1 < bpm < 2000]
    return [Score(title, tuple(parts), tuple(metres), tuple(tempos))]


def _plain(words: str) -> str:
    """What symusic said of a damaged file, in plain words where it is one of the usual things."""
    if re.search("chunk length|EOF|iostream error|Cursor", words):
        return "it is cut off or its lengths are wrong"
    wrong = re.search(r"Get (\w+)=(\d+)", words)
    if wrong:
        return f"a {wrong[1].replace('_', ' ')} of {wrong[2]}, where 127 is the most"
    return printable(words)[:100] or "symusic can't read it"
