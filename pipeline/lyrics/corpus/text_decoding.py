"""UTF-8 decoding and normalisation of texts, a block at a time; what is no text is said in words."""

from __future__ import annotations

import codecs
import io
import re
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

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
    b"\xff\xfe": "UTF-16, not UTF-8; save it again as UTF-8",
    b"\xfe\xff": "UTF-16, not UTF-8; save it again as UTF-8",
}
"""How files begin that are often taken for texts."""

SPACES = "\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
PLAIN_QUOTES = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u02bc\u00b4`", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013", "-"),
    "\u2014": " - ",
    "\u2026": "...",
}
"""One kind of quotes and dashes."""
LINE_ENDS = dict.fromkeys("\x0b\x0c\x85\u2028\u2029", "\n")
NOTHING = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff\ue000-\uf8ff]")
"""Control characters, invisible ones, and those that are the program's own."""


def blocks(path: Path, on_bytes: Callable[[int], object] = lambda size: None) -> Iterator[str]:
    """The text of a UTF-8 file in blocks of whole lines, about a million characters each.

    A line that is longer is cut at a space; then a block does not end with a line's end. `on_bytes` is called with the
    number of bytes of each. `ValueError` says why a file can't be used, at whatever place it turns out.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    ends = io.IncrementalNewlineDecoder(None, translate=True)
    rest, position = "", 0
    try:
        with path.open("rb") as file:
            while data := file.read(BLOCK):
                on_bytes(len(data))
                _check(data, position == 0)
                text = rest + ends.decode(_decoded(decoder, data, position))
                if position == 0:
                    text = text.removeprefix("\ufeff")
                position += len(data)
                cut = text.rfind("\n") + 1
                if not cut and len(text) > BLOCK:
                    cut = text.rfind(" ") + 1 or len(text)
                if cut:
                    yield text[:cut]
                rest = text[cut:]
        rest += ends.decode(_decoded(decoder, b"", position), final=True)
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


def _decoded(decoder: codecs.IncrementalDecoder, data: bytes, position: int) -> str:
    """The text of `data`, which stands at `position` of the file; no data is the end."""
    waiting = len(decoder.getstate()[0])
    try:
        return decoder.decode(data, final=not data)
    except UnicodeDecodeError as error:
        at, byte = position - waiting + error.start, error.object[error.start]
        raise ValueError(
            f"not UTF-8 (byte 0x{byte:02x} at position {at:,}), perhaps Windows-1252 or Latin-1; save it again as UTF-8"
        ) from error


def clean(text: str) -> str:
    """One kind of quotes, dashes and spaces; no control characters; at most one blank line in a row."""
    text = re.sub(" {2,}", " ", _swapped(_visible(text), PLAIN_QUOTES))
    text = "\n".join([line.strip() for line in text.split("\n")])
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def tidy(text: str) -> str:
    """A book's text as it is, its quotes, dashes and indents, without invisible characters and blanks at line ends."""
    text = "\n".join([line.rstrip() for line in _visible(text).split("\n")])
    return re.sub(r"\n{4,}", "\n\n\n", text)


def _visible(text: str) -> str:
    """Composed characters, one kind of space and of line end, and nothing that can't be seen."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = unicodedata.normalize("NFC", text)
    return NOTHING.sub("", _swapped(text, dict.fromkeys(SPACES, " ") | LINE_ENDS))


def _swapped(text: str, others: dict[str, str]) -> str:
    """Each character of `others` that is there exchanged: many times as fast as `str.translate` where few are."""
    for old, other in others.items():
        if (ord(old) < 128 or not text.isascii()) and old in text:
            text = text.replace(old, other)
    return text
