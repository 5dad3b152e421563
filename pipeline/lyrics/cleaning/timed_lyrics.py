"""Timed lyrics to plain lines: LRC with its headers and stamps of lines and words, SubRip and WebVTT subtitles."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.lyrics.cleaning.section_tags import section_kind
from pipeline.lyrics.cleaning.tally import CleaningTally

STAMP = re.compile(r"\[(?:\d{1,2}:(?=\d\d:\d\d\.))?\d{1,3}:\d\d(?:[.:]\d{1,3})?\]")
"""Of a line in an LRC file: minutes, seconds, hundredths; hours before them in a long recording."""
FINE_STAMP = re.compile(r"\[(?:\d{1,2}:(?=\d\d:\d\d\.))?\d{1,3}:\d\d[.:]\d{1,3}\]")
"""One with hundredths, which is nothing else."""
LINE_STAMPS = re.compile(rf"\s*(?:{STAMP.pattern}\s*)+")
WORD_STAMP = re.compile(r"<\d{1,3}:\d\d(?::\d\d)?(?:[.:]\d{1,3})?>")
HEADER = re.compile(
    r"\[(ti|ar|al|au|lr|by|re|ve|la|id|length|offset|tool|lang|language|encoding|hash|total|sign|qq|kana|key|"
    r"artist|title|album|author|lyricist|version|editor|creator)\s*:(.*)\]",
    re.I,
)
"""A line of an LRC file about the song."""
OTHER_HEADER = re.compile(r"\[([A-Za-z#][\w#]{0,19}):.*\]")
"""Such a line of a name that is not usual, in a file that has stamps."""
SINGER = re.compile(r"(?:[FMD]|v\d): ?(?=\S)")
"""Who sings, behind a stamp: female, male, duet."""
TITLES = ("ti", "title")
MOST_OF = 0.5
"""Share of the lines that begin with a stamp from which on `[3:16]`, too, is a stamp, and no place in a book."""

CUE = re.compile(
    r"\s*(?:(\d{1,3}):)?(\d{1,2}):(\d{2})[,.](\d{1,3})\s*-->\s*(?:(\d{1,3}):)?(\d{1,2}):(\d{2})[,.](\d{1,3})\b.*"
)
"""Start and end of a subtitle."""
STANZA_GAP = 3.0
"""Seconds of silence between subtitles that part stanzas."""
SUBTITLE_TAG = re.compile(
    r"</?(?:i|b|u|s|c|v|lang|ruby|rt|font)(?:[.\s][^<>]{0,200})?>|\{\\[^{}]{0,100}\}|\{[yYbiu]:[^{}]{0,40}\}"
)
SOUND = re.compile(
    r"\[[^\[\]]{1,60}\]|\((?:[\w ]+ )?(?:music|applause|instrumental|laughter|cheering|silence)(?: [\w ]+)?\)|[#*~\s]*",
    re.I,
)
"""A subtitle that tells what is heard, such as `[Applause]`."""
NOTES = re.compile(r"[♪♫♬♩]+")


def without_times(text: str, is_song: bool, tally: CleaningTally) -> str:
    """Plain lines out of timed ones, those with several stamps at each of their times; other texts as they are."""
    if "-->" in text and any(map(CUE.fullmatch, text.split("\n"))):
        text = _subtitle_lines(text, tally)
    if "[" in text and STAMP.search(text):
        text = _lrc_lines(text, is_song, tally)
    elif "[" in text and is_song:
        text = _without_headers(text, tally)
    if "<" in text:
        text = _without_word_stamps(text, tally)
    return text


def _lrc_lines(text: str, is_song: bool, tally: CleaningTally) -> str:
    """The lines of a text in which there are stamps of LRC."""
    lines = text.split("\n")
    filled = [line for line in lines if line.strip()]
    stamped = sum(LINE_STAMPS.match(line) is not None for line in filled)
    is_timed = is_song or stamped > MOST_OF * len(filled)
    if not is_timed and not FINE_STAMP.search(text):
        return text
    found: list[str] = []
    group: list[tuple[float, str]] = []
    is_repeated = False

    def whole() -> Iterator[str]:
        """The lines of one song, in the order of their times where some come several times."""
        ordered = sorted(group, key=lambda one: one[0]) if is_repeated else group
        for _, line in ordered:
            yield line
        group.clear()

    last = 0.0
    for line in lines:
        if is_timed and (header := _header(line)):
            key, value = header
            tally.remove("LRC header")
            if key in TITLES:
                found += whole()
                is_repeated, last = False, 0.0
                found.append(f"# Title: {value}" if is_song else "")
            continue
        stamps = LINE_STAMPS.match(line) if is_timed else None
        times = STAMP.findall(stamps[0]) if stamps else []
        rest, inner = (STAMP if times else FINE_STAMP).subn("", line[stamps.end() :] if stamps else line)
        tally.remove("time stamp", len(times) + inner)
        if times and is_song:
            rest = SINGER.sub("", rest, count=1) if SINGER.match(rest) else rest
        is_repeated = is_repeated or len(times) > 1
        for time in times:
            last = _seconds(time)
            group.append((last, rest))
        if not times:
            group.append((last, rest))
    found += whole()
    return "\n".join(found)


def _seconds(stamp: str) -> float:
    *hours, minutes, seconds, fraction = re.split(
        "[.:]", stamp[1:-1] if FINE_STAMP.match(stamp) else f"{stamp[1:-1]}.0"
    )
    return 3600 * sum(map(int, hours)) + 60 * int(minutes) + int(seconds) + float(f"0.{fraction}")


def _header(line: str) -> tuple[str, str] | None:
    """Key and value of a line about the song."""
    line = line.strip()
    if not line.startswith("["):
        return None
    if known := HEADER.fullmatch(line):
        return known[1].lower(), known[2].strip()
    other = OTHER_HEADER.fullmatch(line)
    return (other[1].lower(), "") if other and section_kind(other[1]) is None and "]" not in line[:-1] else None


def _without_headers(text: str, tally: CleaningTally) -> str:
    """The lines without the headers of an LRC file whose stamps are gone."""
    if not re.search(r"\[(?:ti|ar|al|offset|length)\s*:", text, re.I):
        return text
    lines = []
    for line in text.split("\n"):
        header = HEADER.fullmatch(line.strip()) if "[" in line else None
        if header is None:
            lines.append(line)
            continue
        tally.remove("LRC header")
        if header[1].lower() in TITLES:
            lines.append(f"# Title: {header[2].strip()}")
    return "\n".join(lines)


def _without_word_stamps(text: str, tally: CleaningTally) -> str:
    """The lines without the stamps of words; words that only stamps parted are parted by blanks."""
    if not WORD_STAMP.search(text):
        return text
    lines = []
    for line in text.split("\n"):
        count = len(WORD_STAMP.findall(line)) if "<" in line else 0
        if count:
            tally.remove("time stamp", count)
            plain = WORD_STAMP.sub("", line).strip()
            line = plain if count < 3 or " " in plain else " ".join(WORD_STAMP.sub(" ", line).split())
        lines.append(line)
    return "\n".join(lines)


def _subtitle_lines(text: str, tally: CleaningTally) -> str:
    """The words of subtitles, a blank line where nothing is sung for a while."""
    lines = text.split("\n")
    found: list[str] = []
    end: float | None = None
    in_note, is_rolling = False, "<c>" in text or WORD_STAMP.search(text) is not None
    for number, line in enumerate(lines):
        plain = line.strip()
        cue = CUE.fullmatch(line)
        if cue:
            tally.remove("time stamp")
            start, stop = _cue_seconds(cue, 0), _cue_seconds(cue, 4)
            if end is not None and start - end > STANZA_GAP:
                found.append("")
            end = stop
            in_note = False
            continue
        if re.match(r"(?:WEBVTT|NOTE|STYLE|REGION)(?:\s|$)", plain) and (end is None or not lines[number - 1].strip()):
            in_note = True
        if not plain:
            in_note = False
            continue
        is_before_times = number + 1 < len(lines) and CUE.fullmatch(lines[number + 1])
        if in_note or (is_before_times and (plain.isdigit() or not lines[number - 1].strip())):
            continue  # the number or name of a subtitle
        words, tags = SUBTITLE_TAG.subn("", plain)
        words, notes = NOTES.subn("", words)
        tally.remove("subtitle tag", tags + notes)
        words = words.strip()
        if SOUND.fullmatch(words) and section_kind(words) is None:
            tally.remove("subtitle of sounds")
            continue
        words = re.sub(r"^- ?(?=\w)", "", words)
        stampless = WORD_STAMP.sub("", words)
        if words and not (is_rolling and found and WORD_STAMP.sub("", found[-1]) == stampless):
            found.append(words)
    return "\n".join(found) + "\n"


def _cue_seconds(cue: re.Match[str], at: int) -> float:
    """The start (`at` 0) or end (4) of a subtitle."""
    hours, minutes, seconds, fraction = cue.groups()[at : at + 4]
    return 3600 * int(hours or 0) + 60 * int(minutes) + int(seconds) + float(f"0.{fraction}")
