"""Chords in song sheets: ChordPro's brackets and directives, lines of chords over the words, guitar tablature."""

from __future__ import annotations

import re

from pipeline.lyrics.cleaning.section_tags import section_kind
from pipeline.lyrics.cleaning.tally import CleaningTally

QUALITY = (
    r"(?:maj|min|dim|aug|sus|add|alt|omit|no|mi|ma|M|m|[-+\u00b0\u00f8\u0394]|[#b\u266f\u266d]?(?:2|4|5|6|7|9|11|13)"
    r"|\((?:[#b+-]?\d{1,2},?)+\))*"
)
CHORD = rf"[A-H](?:#|b|\u266f|\u266d)?{QUALITY}(?:/[A-H](?:#|b|\u266f|\u266d)?)?"
"""A chord's name, such as F#m7 or C/E; H is B in German."""
BRACKET = re.compile(rf"\[({CHORD}|N\.?C\.?|\*[^\[\]\n]{{1,60}})\]")
"""A chord, or an annotation, in ChordPro's brackets."""
SINGLE_LETTER = re.compile(r"\[[A-Z]\](?=[a-z])")
BETWEEN = r"(?:[ \t]+|[ \t]*[-|,>:./*]+[ \t]*)"
CHORD_LINE = re.compile(
    rf"\n[ \t|(:/]*(?:{CHORD}|N\.?C\.?)(?:{BETWEEN}(?:{CHORD}|N\.?C\.?|%|x\d|\d?x|\(?[x\u00d7]?\d[x\u00d7]?\)?))*"
    r"[ \t|):/*]*(?=\n|$)"
)
"""A line of nothing but chords, with the line's end before it."""
LABELLED = re.compile(rf"\n[ \t]*([A-Z][\w -]{{1,20}}):(?={CHORD_LINE.pattern.removeprefix(chr(92) + 'n')})[^\n]*")
"""A line of chords behind the name of a section."""
SHEET_FACT = re.compile(r"\n[ \t]*(?:Capo|Key|Tuning|Tempo|BPM|Time)\b(?: ?: ?| )[^\n]{1,25}(?=\n|$)")
"""A line that tells how a sheet is to be played, with the line's end before it."""
SURE = re.compile(r"[A-H](?:[#b\u266f\u266d]|m|maj|dim|aug|sus|add|\d|/)|(?<=\S)(?:[ \t]{2,}|\t)(?=\S)|\|")
"""What letters that are no chords lack: a quality, an accidental, wide gaps, bar lines."""
TABLATURE = re.compile(r"\n[ \t]*[eEBbGDAad]?[ \t]?\|[-0-9hpbrsxX/\\~^|.:()* \t]{6,}(?=\n|$)")
"""A string of guitar tablature, with the line's end before it."""
DIRECTIVE = re.compile(r"\n[ \t]*\{[ \t]*([A-Za-z_]{1,30}(?:-[\w!]+)?)[ \t]*(?:[:= \t]([^{}\n]*))?\}[ \t]*(?=\n|$)")
"""A ChordPro directive on a line of its own, with the line's end before it."""
TABS = re.compile(
    r"\n[ \t]*\{(?:sot|sog|start_of_(?:tab|grid|abc|ly|svg|textblock))\b.*?\{(?:eot|eog|end_of_\w+)\}", re.S
)
SHORT = {"soc": "chorus", "sov": "verse", "sob": "bridge", "sop": "prechorus"}
COMMENTS = ("c", "comment", "ci", "comment_italic", "cb", "comment_box", "highlight")
COMMON = re.compile(r"\{\s*(?:t|title|soc|sov|start_of_|st|subtitle|artist|key|capo|c|comment|define|ns|new_song)\b")


def without_chords(text: str, tally: CleaningTally) -> str:
    """The words of a song sheet; other texts as they are."""
    text = f"\n{text}"
    if "{" in text and COMMON.search(text):
        text = _without_directives(text, tally)
    if "[" in text:
        text = _without_brackets(text, tally)
    if "|" in text:
        text, count = TABLATURE.subn("", text)
        tally.remove("line of tablature", count)
    if CHORD_LINE.search(text):
        text = _without_chord_lines(text, tally)
    return text[1:]


def _without_directives(text: str, tally: CleaningTally) -> str:
    """Directives as the tags and titles they stand for; what is in tablature, and comments, left out."""
    text, count = TABS.subn("", text)
    tally.remove("tablature", count)

    def plain(found: re.Match[str]) -> str:
        name, value = found[1].lower(), (found[2] or "").strip()
        tally.remove("ChordPro directive")
        if name in ("t", "title"):
            return f"\n# Title: {value}"
        if name in ("ns", "new_song"):
            return "\n# Title:"
        kind = SHORT.get(name) or (
            section_kind(name.removeprefix("start_of_")) if name.startswith("start_of_") else None
        )
        if kind:
            return f"\n[{kind}]"
        if name in ("eoc", "eov", "eob") or name.startswith("end_of_"):
            return "\n\n[verse]"
        if name in COMMENTS and (kind := section_kind(value)):
            return f"\n[{kind}]"
        return "\n"

    text = re.sub(r"\n#(?! ?[Tt]itle:)[^\n]*", "", text)
    return DIRECTIVE.sub(plain, text)


def _without_brackets(text: str, tally: CleaningTally) -> str:
    """The text without chords in brackets, where there are at least two different ones and no other letters."""
    found = {chord for chord in BRACKET.findall(text) if not chord.startswith("*")}
    if len(found) < 2 or any(not BRACKET.fullmatch(letter) for letter in SINGLE_LETTER.findall(text)):
        return text
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if "[" not in line:
            continue
        words, count = BRACKET.subn("", line)
        if count:
            tally.remove("chord", count)
            # syllables are drawn apart for chords: `cho - [G]rus`
            words = re.sub(r"(?<=\w)[ \t]+-[ \t]*(?=\w)", "", words) if "-" in words else words
            lines[number] = words if re.search(r"\w", words) else ""
    return "\n".join(lines)


def _label(found: re.Match[str]) -> str:
    """What is left of a line such as `Intro: Am F`: the tag of its section."""
    kind = section_kind(found[1])
    return f"\n[{kind}]" if kind else ""


def _without_chord_lines(text: str, tally: CleaningTally) -> str:
    """The text without lines of chords, where two of them surely are, or one of several."""
    found = [one[0] for one in CHORD_LINE.finditer(text)]
    sure = [line for line in found if SURE.search(line[1:])]
    if not sure or (len(found) < 3 and len(sure) < 2 and not any(len(line.split()) > 1 for line in sure)):
        return text
    text, labels = LABELLED.subn(_label, text)
    text, facts = SHEET_FACT.subn("", text)
    tally.remove("line of credits", facts)
    text = CHORD_LINE.sub("", text)
    tally.remove("line of chords", len(found) + labels)
    return text
