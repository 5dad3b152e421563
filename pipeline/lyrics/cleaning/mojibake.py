"""Repair of mojibake: UTF-8 that was once read as Windows-1252, so that it's became itâ€™s."""

from __future__ import annotations

import re

WINDOWS = {
    byte: letter
    for byte in range(0x80, 0xA0)
    if (letter := bytes([byte]).decode("windows-1252", "ignore") or chr(byte))
}
"""What Windows-1252 makes of the bytes in which it differs from Latin-1; five of them it does not know."""
BYTES = {letter: byte for byte, letter in WINDOWS.items()}
TRAIL = "".join(map(re.escape, WINDOWS.values())) + "\x80-\xbf"
"""Within brackets of a pattern: what the second and later bytes of a UTF-8 character look like."""
SEQUENCE = re.compile(f"[\u00c2-\u00df][{TRAIL}]|[\u00e0-\u00ef][{TRAIL}]{{2}}|[\u00f0-\u00f4][{TRAIL}]{{3}}")
"""What a character of UTF-8 looks like in Windows-1252."""
LOST_SPACE = re.compile("\u00c3(?= )")
"""What is left of a small a with a grave accent, whose second byte looks like a space that does not break."""
LEADS = "".join(map(chr, range(0xC2, 0xF5)))
"""What the first bytes look like."""
MARKS = frozenset("\u2018\u2019\u201a\u201c\u201d\u201e\u2013\u2014\u2026\u00ab\u00bb")
"""Quotes and dashes, which may stand behind a capital letter with an accent in a right text, too."""


def repair_mojibake(text: str) -> tuple[str, int]:
    """A text with the lines repaired that surely were read wrongly, and the number of characters repaired.

    Sure are lines in which every character that is not ASCII is part of such a sequence, one of them at least of three
    bytes or without a quote or dash in it.
    """
    if text.isascii() or not any(lead in text for lead in LEADS) or SEQUENCE.search(text) is None:
        return text, 0
    repaired = 0
    lines = text.split("\n")
    for number, line in enumerate(lines):
        for _ in range(2):  # some texts went wrong twice
            found = SEQUENCE.findall(line)
            if not found or all(map(_is_doubtful, found)) or not LOST_SPACE.sub("", SEQUENCE.sub("", line)).isascii():
                break
            try:
                line = LOST_SPACE.sub("\u00e0", SEQUENCE.sub(lambda one: _decoded(one[0]), line))
            except UnicodeDecodeError:
                break
            lines[number] = line
            repaired += len(found)
    return ("\n".join(lines), repaired) if repaired else (text, 0)


def _is_doubtful(sequence: str) -> bool:
    return len(sequence) == 2 and sequence[1] in MARKS


def _decoded(sequence: str) -> str:
    return bytes(BYTES.get(letter, ord(letter)) for letter in sequence).decode()
