"""The words of a song as other programs read them out of its files: pretty_midi, mido, music21, and an LRC player."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import music21
import numpy as np
import pretty_midi
from mido import MidiFile

from pipeline.songs.song import Song
from pipeline.songs.sung_syllables import SungSyllable

Word = tuple[str, float]
"""Text, and the step where it begins."""


def step_at(song: Song, seconds: float) -> float:
    """The step that is played at a time."""
    steps = np.arange(song.num_steps + 1)
    return float(np.interp(seconds, song.seconds_at(steps), steps))


def midi_words(path: Path, song: Song) -> list[Word]:
    """The lyric events without their spaces, as mido has them in ticks; pretty_midi must have the same."""
    file = MidiFile(path, charset="utf-8")
    now, found = 0, []
    (track,) = [one for one in file.tracks if one.name == "Words"]
    for message in track:
        now += message.time
        if message.type == "lyrics" and message.text not in ("\r", "\n"):
            found.append((message.text, now / song.ticks_per_step))
    score = pretty_midi.PrettyMIDI(str(path))
    heard = [score.time_to_tick(one.time) / song.ticks_per_step for one in score.lyrics if one.text not in ("\r", "\n")]
    np.testing.assert_allclose(heard, [step for _, step in found], atol=0.02)
    return [(text.removesuffix(" "), step) for text, step in found]


def lrc_words(path: Path, song: Song) -> list[Word]:
    """The words with times; the time of a line must be that of its first word."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if (match := re.fullmatch(r"\[(\d+:\d+\.\d+)\](<.+)", line)) is None:
            continue
        words = re.findall(r"<(\d+):(\d+\.\d+)> ([^<]+)", match[2])
        assert match[2].startswith(f"<{match[1]}> ")
        found += [(text.strip(), step_at(song, 60 * int(m) + float(s))) for m, s, text in words]
    return found


def words_begun(syllables: Sequence[SungSyllable]) -> list[tuple[str, int]]:
    """Whole words and where they begin."""
    found: list[tuple[str, int]] = []
    for one in syllables:
        if one.position in ("single", "begin"):
            found.append((one.text, one.onset))
        else:
            found[-1] = (found[-1][0] + one.text, found[-1][1])
    return found


def score_words(path: Path, song: Song) -> list[tuple[str, int]]:
    """What stands below the notes of all parts."""
    found = []
    for part in music21.converter.parse(path).parts:
        for element in part.recurse().notes:
            step = round(element.getOffsetInHierarchy(part) * song.spec.steps_per_quarter)
            found += [(lyric.text, step) for lyric in element.lyrics if lyric.text]
    return found
