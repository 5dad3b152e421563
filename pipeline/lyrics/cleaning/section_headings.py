"""Headings of sections in lyrics as tags: plain ones such as `Chorus:`, glued and broken ones; repetition marks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice

from pipeline.lyrics.cleaning.section_tags import KINDS, SECTION_KINDS, TAG, section_kind, tagged_kind
from pipeline.lyrics.cleaning.tally import CleaningTally

DIRECTION = re.compile(
    r"\n[ \t]*(?:\[(?i:(?:[\w'&+ -]{1,40}[ -])?(?:instrumental|solo|break|music(?: video)?|riff|drop|skit|applause"
    r"|lick|fades?(?:[ -]out)?)(?: [\w'&+ -]{1,40})?(?::[^\n]{1,80})?"
    r"|(?:letras?|paroles|songtext|testo|tekst|lyrics|текст песни|liedtext|sözleri)\b[^\n]{1,150})\]"
    r"|\((?i:(?:guitar |piano |sax |drum )?(?:instrumental|solo)(?: break| solo)?|fades?(?: out)?|music)\))"
    r"[ \t]*(?=\n|$)"
)
"""A line in brackets that says what else is heard, or whose words these are, with the line's end before it."""
TIMES = (
    r"(?:x ?\d{1,2}|\u00d7 ?\d{1,2}|\d{1,2} ?[x\u00d7]|(?:repeat|twice|bis)(?: x?\d{1,2}x?(?: times)?)?|\d{1,2} times)"
)
REPEAT_LINE = re.compile(
    rf"\n[ \t]*(?:[\[({{/](?i: ?{TIMES} ?)[\])}}/]|[xX\u00d7] ?\d{{1,2}}|\d{{1,2}} ?[xX\u00d7])[ \t]*(?=\n|$)"
)
"""A line that says how often, with the line's end before it."""
REPEAT_END = re.compile(
    rf"(?:[\[({{/](?i:{TIMES})[\])}}/]|[xX\u00d7](?<=[ \t].)[2-9]|[2-9](?<=[ \t].)[xX\u00d7])(?=[ \t]*(?:\n|$))"
)
"""The same at a line's end."""
REPEAT_HINT = re.compile(r"x(?:(?<=\dx)|(?<=\d x)| ?\d)")
REPEAT_WORD = re.compile(r"\)(?:(?<=eat\))|(?<=times\))|(?<=wice\))|(?<=bis\)))")
"""One of them stands in a text that says how often, or a large X or a cross."""

NAMES = sorted({name for name in KINDS if not name.startswith(("pre", "pré", "post", "предп"))}, key=len, reverse=True)


BEFORE_NAMES = ("repeat", "final", "last", "first", "second", "third", "pre", "pré", "post", "предп")
"""What may stand before a name."""


def _in_any_case(words: Iterable[str]) -> str:
    """A pattern of words in small letters, capitals, or with one capital: many times as fast as one without case."""
    by_letter: dict[str, list[str]] = {}
    for word in words:
        by_letter.setdefault(word[0], []).extend((word[1:], word[1:].upper()))
    return "|".join(f"[{one}{one.upper()}](?:{'|'.join(rest)})" for one, rest in by_letter.items())


OPENING = r"\n[ \t*_~=\-\u2013\u2014<({]*"
FIRST_LETTERS = "".join(sorted({letter for one in (*NAMES, *BEFORE_NAMES) for letter in (one[0], one[0].upper())}))
SURE_NAMES = ("chorus", "refrain", "estribillo", "refrão", "refrao", "refräng", "refren", "припев")
"""Names that are hardly a line of their own in a song."""
LIKELY = re.compile(
    rf"{OPENING}(?=[{FIRST_LETTERS}\d])(?:{_in_any_case((*NAMES, *BEFORE_NAMES))}|\d(?:st|nd|rd|th|\.) )"
)
"""How a line begins that may be a heading."""
HEADING = re.compile(
    r"\n[ \t]*(?P<open>[*_~=\-\u2013\u2014<({ ]*)"
    r"(?P<name>(?i:(?:(?:repeat|final|last|first|second|third|\d(?:st|nd|rd|th|\.)?)[ ]+)?(?:(?:pre|pré|post)[- ]?)?"
    rf"(?:{'|'.join(NAMES)})))\b(?P<number>[ ]*(?:#?\d{{1,2}}|[IVX]{{1,4}}|(?i:one|two|three|four))\b)?"
    r"(?P<times>[ ]*[(\[]?(?:x ?\d|\d ?x)[)\]]?)?(?P<close>[*_~=\-\u2013\u2014>)} ]*)"
    r"(?P<colon>:?)(?P<rest>[^\n]*)(?=\n|$)"
)
"""A line that begins with the name of a section, with the line's end before it."""
INNER_TAG = re.compile(r"\[([^\[\]\n]{2,120})\]")
SPLIT_TAG = re.compile(r"\n[ \t]*\[([^\[\]\n]{2,80})\n([^\[\]\n]{0,80})(?:\n([^\[\]\n]{0,80}))?\](?=\n|$)")
"""A tag whose names stand on lines of their own."""
VERSE_TAG = re.compile(rf"\n\[(?i:{'|'.join(name for name, kind in KINDS.items() if kind in ('verse', 'rap'))})\b")


def with_tags(text: str, tally: CleaningTally) -> str:
    """Lyrics with each section under a tag on a line of its own, where any has a heading; others as they are."""
    text = f"\n{text}"
    is_tagged = False
    if "[" in text:
        text = _tags_apart(text)
        is_tagged = any(section_kind(tag) for tag in re.findall(r"\n\[([^\[\]\n]{2,120})\]", text))
    if not is_tagged and ("[" in text or "(" in text):  # where sections are tagged all other tags are known as such
        text, count = DIRECTION.subn("\n", text)
        tally.remove("direction", count)
    if REPEAT_HINT.search(text) or REPEAT_WORD.search(text) or "\u00d7" in text or ("X" in text and "X2" in text):
        text, lines = REPEAT_LINE.subn("", text)
        text, ends = REPEAT_END.subn("", text)
        tally.remove("mark of repetition", lines + ends)
    return _tagged(text, tally)[1:]


def _tags_apart(text: str) -> str:
    """Each tag of a section on a line of its own, its names behind it."""
    text = SPLIT_TAG.sub(_joined, text)
    if not any(_is_apart(one, text) for one in INNER_TAG.finditer(text)):
        return text
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if "[" not in line or tagged_kind(line):
            continue
        for tag in INNER_TAG.finditer(line):
            before, after = line[: tag.start()].strip(" \t("), line[tag.end() :].lstrip(" \t:)")
            is_glued = not before or not after or line[tag.start() - 1] not in " \t"
            if is_glued and section_kind(tag[1]) is not None:
                lines[number] = "\n".join(part for part in (before, tag[0], after) if part)
                break
    return "\n".join(lines)


def _is_apart(tag: re.Match[str], text: str) -> bool:
    """Whether a section's tag does not stand alone on its line."""
    before, after = text[tag.start() - 1 : tag.start()], text[tag.end() : tag.end() + 1]
    return (before != "\n" or after not in ("", "\n")) and section_kind(tag[1]) is not None


def _joined(found: re.Match[str]) -> str:
    """A broken tag on one line."""
    if section_kind(found[1]) is None:
        return found[0]
    return "\n[" + " ".join(part.strip() for part in found.groups() if part) + "]"


def _tagged(text: str, tally: CleaningTally) -> str:
    """Plain headings such as `Chorus:` as tags; stanzas without one, where no verse has one, tagged as verses."""
    if "[" in text and VERSE_TAG.search(text):
        return text
    likely = (HEADING.match(text, one.start()) for one in LIKELY.finditer(text))
    found = [one for one in likely if one and _is_heading(one, text)]
    speakers = {style: _speaks(style, text) for style in {_style(one) for one in found} if any(style)}
    found = [one for one in found if not speakers.get(_style(one))]
    sure = sum(_is_sure(one) for one in found)
    if not (sure or len({one["name"].casefold() for one in found}) > 1):
        return _stanzas_tagged(text) if "\n[" in text else text
    # a heading alone says that the section comes again, unless the words always stand a line lower
    is_lower = all(text.startswith("\n\n", one.end()) for one in found)
    parts, end = [], 0
    for one in found:
        rest = one["rest"].strip()
        tag = f"\n[{section_kind(one['name'])}]" + (f"\n{rest}" if rest else "")
        parts += [text[end : one.start()], tag]
        end = one.end() + (is_lower and not rest)
        tally.remove("section heading")
    return _stanzas_tagged("".join(parts) + text[end:])


def _is_heading(found: re.Match[str], text: str) -> bool:
    """Whether a line may head a section: with nothing behind the name, or words behind a colon."""
    rest = found["rest"].strip()
    if found["name"].islower() and not (found["colon"] or found["open"].strip()):
        return False
    if rest:
        return bool(found["colon"]) and not found["name"].islower() and section_kind(found["name"]) != "rap"
    before = text[: found.start()].rsplit("\n", 1)[-1].strip()
    return bool(found["colon"] or found["number"] or found["open"].strip() or not before or before.startswith("["))


def _style(found: re.Match[str]) -> tuple[str, str, bool]:
    """How a heading is set off: what stands before it and behind it, and whether it is in capitals."""
    if found["number"] or found["rest"].strip():
        return "", "", False
    return found["open"], found["close"] + found["colon"], found["name"].isupper()


def _speaks(style: tuple[str, str, bool], text: str) -> bool:
    """Whether lines of a style name those who speak in a play: several of them name no section."""
    before, after, is_upper = style
    word = r"[A-Z.']" if is_upper else r"[\w.']"
    name = rf"[A-Z]{word}*(?: {word}+){{0,2}}"
    alike = re.finditer(rf"\n{re.escape(before)}({name}){re.escape(after)}(?=\n)", text)
    return sum(section_kind(one[1]) is None for one in islice(alike, 100)) > 2


def _is_sure(found: re.Match[str]) -> bool:
    """Whether a heading is one even where there is no other."""
    is_marked = found["colon"] or found["number"] or found["times"] or found["open"].strip()
    return bool(is_marked) or found["name"].isupper() or found["name"].casefold() in SURE_NAMES


def _stanzas_tagged(text: str) -> str:
    """Stanzas without a tag tagged as verses where other sections have tags."""
    lines = text.split("\n")
    kinds = [tagged_kind(line.strip()) if "[" in line else None for line in lines]
    if not any(kinds):
        return text
    tagged: list[str] = []
    is_open = False
    for line, kind in zip(lines, kinds, strict=True):
        if kind or TAG.fullmatch(line.strip()) or line.startswith("#"):
            is_open = True
        elif not line.strip():
            is_open = False
        elif not is_open:
            tagged.append(f"[{SECTION_KINDS[0]}]")
            is_open = True
        tagged.append(line)
    return "\n".join(tagged)
