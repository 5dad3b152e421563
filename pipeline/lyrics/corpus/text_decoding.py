"""Decoding and normalisation of texts, a block at a time: UTF-8, UTF-16, Windows-1252; what is no text is said."""

from __future__ import annotations

import codecs
import io
import re
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipeline.lyrics.cleaning.mojibake import WINDOWS
from pipeline.lyrics.cleaning.tally import CleaningTally

BLOCK = 1 << 20
"""Bytes read at once; a line longer than so many characters is cut at a space."""
CONTROLS = bytes([*range(9), *range(14, 32), 127])
"""Bytes that a text has no use for."""
MOST_CONTROLS = 0.01
"""Share of such bytes in a block from which on it is no text."""
MAGIC_NUMBERS = {
    b"%PDF": "a PDF; save its text as .txt",
    b"PK\x03\x04": "a zip archive or an office document; save its text as .txt",
    b"\xd0\xcf\x11\xe0": "an office document; save its text as .txt",
    b"{\\rtf": "in rich text format; save its text as .txt",
    b"\x1f\x8b": "compressed; unpack it first",
    b"\xff\xfe\0\0": "UTF-32, not UTF-8; save it again as UTF-8",
}
"""How files begin that are often taken for texts."""
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
"""How files of UTF-16 begin that say so."""
NO_UTF_8 = re.compile("[\udc80-\udcff]")
"""A byte that is no UTF-8, as the decoder hands it on."""
FOREIGN_WORD = re.compile(
    "(?<=[A-Za-z])[\u20ac\u201a\u201e\u2020\u2021\u2030\u2039\u203a\u2022\u2122\u00a1-\u00a9\u00ac\u00ae-\u00b3\u00b5\u00b6"
    "\u00b8\u00b9\u00bc-\u00bf](?=[a-z\u00a1-\u00ff])|(?<=[a-z])[\u00c0-\u00d6\u00d8-\u00de\u0160\u017d](?=[a-z])"
)
"""A sign, or a capital, within a word: then it is another encoding than Windows-1252."""
UNKNOWN = re.compile("[\x81\x8d\x8f\x90\x9d]")
"""What Windows-1252 does not know."""
MOST_FOREIGN = 0.02
"""Share of the characters that are not ASCII from which on such words count."""
MOST_HIGH = 0.5
"""Share of the letters that are not ASCII from which on a text in Windows-1252 is none."""

SPACES = "\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
PLAIN_QUOTES = {
    **dict.fromkeys("`\u2018\u2019\u201a\u201b\u02bc\u00b4", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013", "-"),
    "\u2014": " - ",
    "\u2026": "...",
}
"""One kind of quotes and dashes."""
LINE_ENDS = dict.fromkeys("\x0b\x0c\x85\u2028\u2029", "\n")
PLAIN_SPACES = dict(sorted((dict.fromkeys(SPACES, " ") | LINE_ENDS).items()))
NOTHING = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff\ue000-\uf8ff]")
"""Control characters, invisible ones, and those that are the program's own."""


def blocks(
    path: Path, on_bytes: Callable[[int], object] = lambda size: None, tally: CleaningTally | None = None
) -> Iterator[str]:
    """The text of a file in blocks of whole lines, about a million characters each.

    It is UTF-8, or UTF-16 with a mark at its beginning; single bytes that are no UTF-8 are read as Windows-1252, and
    counted in `tally`. A line that is longer is cut at a space; then a block does not end with a line's end. `on_bytes`
    is called with the number of bytes of each. `ValueError` says why a file can't be used, at whatever place it turns
    out.
    """
    decoder = _TextDecoder(CleaningTally() if tally is None else tally)
    ends = io.IncrementalNewlineDecoder(None, translate=True)
    rest, position = "", 0
    try:
        with path.open("rb") as file:
            while data := file.read(BLOCK):
                on_bytes(len(data))
                text = rest + ends.decode(decoder.decode(data, position))
                if position == 0:
                    text = text.removeprefix("\ufeff")
                position += len(data)
                cut = text.rfind("\n") + 1
                if not cut and len(text) > BLOCK:
                    cut = text.rfind(" ") + 1 or len(text)
                if cut:
                    yield text[:cut]
                rest = text[cut:]
        rest += ends.decode(decoder.decode(b"", position), final=True)
    except OSError as error:
        raise ValueError(f"it can't be read ({error.strerror})") from error
    if not position:
        raise ValueError("empty")
    if rest:
        yield rest


def _check(data: bytes, is_first: bool) -> None:
    """Raise `ValueError` for bytes that are no text."""
    if is_first:
        for opening, what in MAGIC_NUMBERS.items():
            if data.startswith(opening):
                raise ValueError(what)
        if max(data[:1000:2].count(0), data[1:1000:2].count(0)) > 100 or (b"\0" in data[:20] and len(data) < 200):
            raise ValueError("UTF-16, not UTF-8; save it again as UTF-8")
    if b"\0" in data or len(data) - len(data.translate(None, CONTROLS)) > MOST_CONTROLS * len(data):
        raise ValueError("not a text (binary data)")


class _TextDecoder:
    """Decodes a file piece by piece: UTF-16 where it begins so, else UTF-8 and what is not that as Windows-1252."""

    def __init__(self, tally: CleaningTally) -> None:
        self.decoder: Any = codecs.getincrementaldecoder("utf-8")()
        self.tally = tally
        self.is_wide, self.complaint = False, ""

    def decode(self, data: bytes, position: int) -> str:
        """The text of `data`, which stands at `position` of the file; no data is the end. `ValueError` for no text."""
        if position == 0 and data.startswith(UTF_16) and not data.startswith(tuple(MAGIC_NUMBERS)):
            self.decoder, self.is_wide = codecs.getincrementaldecoder("utf-16")(), True
        if data and not self.is_wide:
            _check(data, position == 0)
        waiting = len(self.decoder.getstate()[0])
        try:
            text: str = self.decoder.decode(data, not data)
        except UnicodeDecodeError as error:
            if self.is_wide:
                raise ValueError("damaged UTF-16; save it again as UTF-8") from error
            at, byte = position - waiting + error.start, error.object[error.start]
            self.complaint = (
                f"not UTF-8 (byte 0x{byte:02x} at position {at:,}), nor Windows-1252; save it again as UTF-8"
            )
            self.decoder.errors = "surrogateescape"
            text = self.decoder.decode(data, not data)
        return self._of_windows(text) if self.complaint else text

    def _of_windows(self, text: str) -> str:
        """Text whose bytes that are no UTF-8 are taken for Windows-1252, if that can be."""
        text, count = NO_UTF_8.subn(
            lambda found: WINDOWS.get(ord(found[0]) - 0xDC00, chr(ord(found[0]) - 0xDC00)), text
        )
        letters = len(re.findall("[A-Za-z]", text)) if count else 0
        foreign = len(FOREIGN_WORD.findall(text)) if count else 0
        if count > MOST_HIGH * (count + letters) or foreign > MOST_FOREIGN * count or UNKNOWN.search(text):
            raise ValueError(self.complaint)
        self.tally.repair("character of Windows-1252", count)
        return text


def clean(text: str) -> str:
    """One kind of quotes, dashes and spaces; no control characters; at most one blank line in a row."""
    text = "\n".join([line.strip() for line in _swapped(_visible(text), PLAIN_QUOTES).split("\n")])
    if "  " in text:  # a tenth of what the pattern takes
        text = re.sub(" {2,}", " ", text)
    if "\n\n\n" in text:
        text = re.sub(r"\n{3,}", "\n\n", text)
    return text.strip()


def tidy(text: str) -> str:
    """A book's text as it is, its quotes, dashes and indents, without invisible characters and blanks at line ends."""
    text = "\n".join([line.rstrip() for line in _visible(text).split("\n")])
    return re.sub(r"\n{4,}", "\n\n\n", text)


def _visible(text: str) -> str:
    """Composed characters, one kind of space and of line end, and nothing that can't be seen."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _swapped(unicodedata.normalize("NFC", text), PLAIN_SPACES)
    if text.isascii() and len(data := text.encode()) == len(data.translate(None, CONTROLS)):
        return text  # a fifth of what the pattern takes
    return NOTHING.sub("", text)


def _swapped(text: str, others: dict[str, str]) -> str:
    """Each character of `others` that is there exchanged: many times as fast as `str.translate` where few are."""
    is_ascii = text.isascii()
    for old, other in others.items():
        if is_ascii and old > "\x7f":
            break  # those of ASCII come first
        if old in text:
            text = text.replace(old, other)
    return text
