"""ABC files to scores: each tune of a tune book is one."""

from __future__ import annotations

import re
from dataclasses import replace

from pipeline.errors import UnusableError
from pipeline.formats import printable
from pipeline.scores.abc.performance import perform
from pipeline.scores.abc.tune_books import TuneText, decode, split_tunes
from pipeline.scores.abc.tunes import TuneReader
from pipeline.scores.score import Score


def read_abc(content: bytes, title: str, limit: int, play_repeats: bool = True) -> list[Score]:
    """The tunes in the bytes of an ABC file; a tune that can't be read is left out while another can.

    Parameters
    ----------
    content, title, limit
        The file's bytes, a title for tunes without one, and the most bytes that are read of any file.
    play_repeats
        Repeats, endings and the order of parts are played out; else the bars come as they are written.

    Raises
    ------
    UnusableError
        No tune can be read.
    """
    text = decode(content)
    if not re.search(r"^(?:K:|X:)", text.replace("\r", "\n"), re.MULTILINE):
        raise UnusableError("has no ABC tune in it (no K: line)")
    scores = []
    reasons = []
    for tune in split_tunes(text):
        try:
            scores.append(_read_tune(tune, title, play_repeats))
        except ValueError as error:
            reasons.append(f"broken file: {printable(str(error))[:100]}")
        except UnusableError as error:
            reasons.append(str(error))
    if not scores:
        raise UnusableError(next((reason for reason in reasons if reason != NO_NOTES), NO_NOTES))
    damaged = [reason for reason in reasons if reason != NO_NOTES]
    if damaged:
        remark = f"tunes of the file that can't be read were left out: {len(damaged)} ({damaged[0]})"
        scores[0] = replace(scores[0], remarks=(*scores[0].remarks, remark))
    return scores


NO_NOTES = "no notes"


def _read_tune(tune: TuneText, title: str, play_repeats: bool) -> Score:
    """One tune. Raises `ValueError` for what makes no sense, `UnusableError` where it has no notes."""
    reader = TuneReader()
    reader.read(tune)
    voices = {name: voice for name, voice in reader.voices.items() if any(bar.notes for bar in voice.bars)}
    if not voices:
        raise UnusableError(NO_NOTES)
    unreadable = sum(voice.num_unreadable for voice in voices.values())
    if unreadable > sum(len(bar.notes) for voice in voices.values() for bar in voice.bars):
        raise ValueError("what stands where the music should is none")
    remarks = []
    if unreadable:
        remarks.append(f"characters that are no music were passed over: {unreadable}")
    if quarter_tones := sum(voice.num_quarter_tones for voice in voices.values()):
        remarks.append(f"quarter tones became the semitone beside them: {quarter_tones}")
    if strange := sum(voice.num_out_of_range for voice in voices.values()):
        remarks.append(f"notes beyond the range of MIDI were left out: {strange}")
    if reader.has_drums_by_place:
        remarks.append("drums were told by their places on the staff")
    if tune.is_rejoined:
        remarks.append("music behind blank lines was taken for the same tune")
    score = perform(voices, reader.parts, play_repeats, printable(tune.title) or title, remarks)
    if reader.bpm is None or (score.tempos and score.tempos[0][0] == 0):
        return score
    return replace(score, tempos=((0.0, reader.bpm), *score.tempos))
