"""Words with times as an LRC file, which players show line by line or word by word."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.songs.sung_syllables import SungSyllable, lines_of

PAUSE_SECONDS = 4.0
"""When nothing is sung for longer, an empty line clears the words."""


def lrc_text(
    syllables: Sequence[SungSyllable],
    seconds: Sequence[tuple[float, float]],
    tags: dict[str, str],
    length_seconds: float,
    word_times: bool,
) -> str:
    """The file: tags, then a line for each line that is sung.

    Parameters
    ----------
    syllables, seconds
        What is sung, and when each syllable begins and ends.
    tags
        Such as `{"ti": "Title", "ar": "Artist"}`; empty ones are left out.
    length_seconds
        Of the sound, for the tag `length`.
    word_times
        Whether each word has its time, `<mm:ss.xx>` (the enhanced format); one more says when the line ends.
    """
    lines = [f"[{key}:{_flat(value)}]" for key, value in tags.items() if value]
    lines += [f"[length:{int(length_seconds) // 60:02d}:{int(length_seconds) % 60:02d}]", ""]
    times = iter(seconds)
    end = 0.0
    for line in lines_of(syllables):
        bounds = [next(times) for _ in line]
        if end and bounds[0][0] - end > PAUSE_SECONDS:
            lines.append(f"[{stamp(end)}]")
        end = bounds[-1][1]
        text = ""
        for one, (start, _) in zip(line, bounds, strict=True):
            if word_times and one.position in ("single", "begin"):
                text += f"<{stamp(start)}> "
            text += one.text + " " * one.ends_word
        lines.append(f"[{stamp(bounds[0][0])}]{_flat(text)}" + (f" <{stamp(end)}>" if word_times else ""))
    if end:
        lines.append(f"[{stamp(end)}]")
    return "\n".join(lines) + "\n"


def stamp(seconds: float) -> str:
    """Minutes, seconds and hundredths.

    >>> stamp(83.456)
    '01:23.46'
    """
    hundredths = round(100 * seconds)
    return f"{hundredths // 6000:02d}:{hundredths // 100 % 60:02d}.{hundredths % 100:02d}"


def _flat(text: str) -> str:
    """Text on one line, without the marks that LRC needs for itself."""
    return " ".join(text.replace("[", "(").replace("]", ")").split())
