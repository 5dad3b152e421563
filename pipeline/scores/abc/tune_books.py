"""Tune books: the text of an ABC file, its header and its tunes."""

from __future__ import annotations

import codecs
import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

FIELD = re.compile(r"[A-Za-z]:|%%|\+:")
"""How a line begins that is an information field or a directive."""
BODY_FIELD = re.compile(r"[IKLMPQVWmrsw]:|\[[A-Za-z]:|\+:")
"""How a line begins that goes on with the music of a tune."""
MUSIC = re.compile(r"[A-GHL-PR-Za-gu-z0-9\s|:\[\]()^_=,'/<>~.+&\\$*`-]+")
"""Notes, rests and bar lines; words have other letters."""
NO_NOTES = re.compile(r'"[^"]*"|![^!]*!|\{[^}]{0,300}\}|\[[A-Za-z]:[^\]]{0,300}\]')
"""Chord symbols, decorations, grace notes and inline fields."""


@dataclass(frozen=True)
class TuneText:
    """The lines of one tune, and what it takes over from the file's header."""

    header: tuple[str, ...]
    """Fields and directives before the first tune, which hold for all."""
    lines: tuple[str, ...]
    is_rejoined: bool = False
    """Blank lines, which end a tune, stood within it."""

    @property
    def title(self) -> str:
        """The first title, with its accents; empty without one."""
        return next((plain_text(line[2:]) for line in self.lines if line.startswith("T:") and line[2:].strip()), "")


def decode(content: bytes) -> str:
    """The text of an ABC file: UTF-8 or UTF-16, else what its charset directive says, else line by line UTF-8
    or Windows-1252.
    """
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        pass
    named = re.search(rb"^(?:%%|I:)[ \t]*(?:abc-)?(?:charset|encoding)[ \t]+([\w-]+)", content, re.MULTILINE)
    if named and not named[1].lower().startswith(b"utf"):
        try:
            return content.decode(named[1].decode("ascii"), "replace")
        except (LookupError, UnicodeError):
            pass
    return "\n".join(_decode_line(line) for line in content.split(b"\n"))


def _decode_line(line: bytes) -> str:
    """A line of a file that comes from several hands."""
    for encoding in ("utf-8", "cp1252"):
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    return line.decode("latin-1")


def split_tunes(text: str) -> list[TuneText]:
    """The tunes of a file, each from its `X:` to the blank line that ends it.

    What stands between tunes is free text and left out. Music that goes on behind a blank line still belongs to its
    tune. Without any `X:` the whole file is one tune.
    """
    lines = list(_without_text_blocks(re.split(r"\r\n|\r|\n", text)))
    heads = [index for index, line in enumerate(lines) if line.startswith("X:")]
    if not heads:
        return [_tune((), lines)]
    header = tuple(line for line in lines[: heads[0]] if FIELD.match(line))
    tunes = []
    for start, end in zip(heads, [*heads[1:], len(lines)], strict=True):
        tunes += [_tune(header, part) for part in _unnumbered(lines[start:end])]
    return tunes


def _without_text_blocks(lines: list[str]) -> Iterator[str]:
    """The lines that are not typeset text (`%%begintext` to `%%endtext` and their like)."""
    block = ""
    is_continued = False
    for line in lines:
        if is_continued:
            is_continued = line.endswith("\\")
        elif line.startswith("%%") and line.endswith("\\"):
            is_continued = True
        elif block:
            if re.match(rf"%%\s*end{block}\b", line):
                block = ""
        elif begun := re.match(r"%%\s*begin(text|ps|svg|ml|js)\b", line):
            block = begun[1]
        else:
            yield (line.lstrip() if re.match(r"\s+[A-Za-z]:(?![|:])", line) else line).rstrip()


def _unnumbered(lines: list[str]) -> Iterator[list[str]]:
    """The lines of a numbered tune, then those of tunes behind it that begin with a title after a blank line."""
    starts = [0]
    for index in range(1, len(lines)):
        if lines[index].startswith("T:") and not lines[index - 1]:
            block = lines[index : next((at for at in range(index, len(lines)) if not lines[at]), len(lines))]
            if any(line.startswith("K:") for line in block):
                starts.append(index)
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield lines[start:end]


def _tune(header: tuple[str, ...], lines: list[str]) -> TuneText:
    """A tune out of its lines, of which only the first block, and those of music behind it, are its own."""
    blocks = [list(block) for is_blank, block in groupby(lines, key=lambda line: not line) if not is_blank]
    if not blocks:
        return TuneText(header, ())
    kept, is_rejoined = blocks[0], False
    for block in blocks[1:]:
        in_header = not any(line.startswith("K:") for line in kept)
        music = [line for line in block if not line.startswith("%")]
        goes_on = FIELD if in_header else BODY_FIELD
        if not music or not (goes_on.match(music[0]) or _is_music(music[0])):
            continue
        kept = [*kept, *block]
        is_rejoined |= any(not line.startswith("W:") for line in music)
    return TuneText(header, tuple(kept), is_rejoined)


def _is_music(line: str) -> bool:
    """Whether a line has a bar line, and nothing that is no music."""
    return "|" in line and MUSIC.fullmatch(NO_NOTES.sub("", line)) is not None


ACCENTS = {"`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", '"': "\u0308", ",": "\u0327", "v": "\u030c"}
ACCENTS |= {"u": "\u0306", "=": "\u0304", ".": "\u0307", ";": "\u0328", "c": "\u0327", "o": "\u030a"}
"""Combining characters by the sign behind a backslash."""
LETTERS = {"ss": "ß", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "aa": "å", "AA": "Å", "/o": "ø", "/O": "Ø", "DH": "Ð"}
LETTERS |= {"dh": "ð", "TH": "Þ", "th": "þ"}


def plain_text(text: str) -> str:
    r"""A text string as it is meant: `\'e`, `&eacute;` and `\u00e9` are all é."""
    text = text.split(" %")[0] if " %" in text else text
    if "\\" in text:
        text = re.sub(r"\\u([0-9A-Fa-f]{4})", lambda match: chr(int(match[1], 16)), text)
        text = re.sub(r"\\(ss|ae|AE|oe|OE|aa|AA|/o|/O|DH|dh|TH|th)", lambda match: LETTERS[match[1]], text)
        text = re.sub(r"\\([`'^~\",vu=.;co])([A-Za-z])", lambda match: match[2] + ACCENTS[match[1]], text)
        text = text.replace("\\", "")
    return " ".join(unicodedata.normalize("NFC", html.unescape(text)).split())
