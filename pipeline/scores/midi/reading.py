"""MIDI files read to scores."""

from __future__ import annotations

import re
from dataclasses import replace

from pipeline.scores.midi.chunks import unwrap
from pipeline.scores.midi.event_reading import read_by_events
from pipeline.scores.midi.parts import decode_text, trust_names
from pipeline.scores.midi.strays import without_strays
from pipeline.scores.score import Score

KARAOKE, FARTHEST_KARAOKE = b"@KMIDI", 2048
"""What a Soft Karaoke file says of itself, and by which byte."""
KARAOKE_TITLE = re.compile(rb"\xff\x01([\x03-\x7f])@T")
"""The text event with its title; the artist and others follow in further ones."""


def read_midi(content: bytes, title: str, limit: int) -> list[Score]:
    """The scores in the bytes of a MIDI file: one, or several of a file of format 2.

    A file that names no time signature is in 4/4, as the format says. Notes of no length are kept: they get a step.
    Notes held by the sustain pedal last as long as they sound (`sustain`); a pedal counts for the notes of its own
    track and channel, and drums have none. A karaoke file's own title replaces `title`.

    Raises
    ------
    UnusableError
        The bytes are not those of a MIDI file, or of one too damaged to be read.
    """
    content = unwrap(content)
    if content.find(KARAOKE, 0, FARTHEST_KARAOKE) >= 0:
        title = karaoke_title(content) or title
    return [without_strays(_with_names(one)) for one in read_by_events(content, title)]


def _with_names(score: Score) -> Score:
    """The score with instruments by the names of its tracks where its programs say nothing."""
    parts, remark = trust_names(score.parts)
    return replace(score, parts=parts, remarks=(*score.remarks, remark)) if remark else score


def karaoke_title(content: bytes) -> str:
    """The title in the words of a Soft Karaoke file; empty where it has none."""
    found = KARAOKE_TITLE.search(content)
    return decode_text(content[found.end() : found.end() + found[1][0] - 2]) if found else ""
