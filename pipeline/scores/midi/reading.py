"""MIDI files read to scores: by symusic where a file is clean, by events where it is not."""

from __future__ import annotations

from pipeline.scores.midi.chunks import unwrap
from pipeline.scores.midi.event_reading import read_by_events
from pipeline.scores.midi.symusic_reading import read_by_symusic
from pipeline.scores.score import Score


def read_midi(content: bytes, title: str, limit: int) -> list[Score]:
    """The scores in the bytes of a MIDI file: one, or several of a file of format 2.

    A file that names no time signature is in 4/4, as the format says. Notes of no length are kept: they get a step.
    Notes held by the sustain pedal last as long as they sound (`sustain`); a pedal counts for the notes of its own
    track and channel, and drums have none.

    Raises
    ------
    UnusableError
        The bytes are not those of a MIDI file, or one too damaged to be read.
    """
    content = unwrap(content)
    score = read_by_symusic(content, title)
    return [score] if score is not None else read_by_events(content, title)
