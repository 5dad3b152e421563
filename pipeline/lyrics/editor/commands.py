"""Commands of the editor: what a person types is parsed to a command, or is a line of their own."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum, auto

from pipeline.lyrics.corpus.song_lyrics import MAX_LINE, WORD
from pipeline.lyrics.corpus.text_decoding import clean

HELP = """
  3            takes line 3
  e 3          line 3, to be changed by you
  my own line  any two words or more are a line of yours; `w word` for one alone
  Enter or a   other lines
  b            back: the last line is taken away, also that of the song before
  f            the model finishes this song
  t My Title   names this song
  q            saves and leaves; the same command goes on here
"""
MOST_DIGITS = 3


class CommandKind(Enum):
    """What a person can do at the prompt."""

    PICK = auto()
    EDIT = auto()
    WRITE = auto()
    AGAIN = auto()
    BACK = auto()
    FINISH = auto()
    TITLE = auto()
    LEAVE = auto()
    HELP = auto()
    UNCLEAR = auto()
    """What was typed can't be done; the text says why."""


COMMANDS = {
    "": CommandKind.AGAIN,
    "a": CommandKind.AGAIN,
    "again": CommandKind.AGAIN,
    "b": CommandKind.BACK,
    "back": CommandKind.BACK,
    "f": CommandKind.FINISH,
    "finish": CommandKind.FINISH,
    "q": CommandKind.LEAVE,
    "quit": CommandKind.LEAVE,
    "exit": CommandKind.LEAVE,
    "?": CommandKind.HELP,
    "h": CommandKind.HELP,
    "help": CommandKind.HELP,
}
"""Commands that stand alone."""
NEEDY = {"e": "`e 3` changes line 3.", "w": "`w` comes before your line.", "t": "`t` comes before the song's title."}
"""Those that don't, and what they want."""


@dataclass(frozen=True)
class Command:
    """A command, the number of its candidate, counted from 1, and the person's words, or why it can't be done."""

    kind: CommandKind
    number: int = 0
    text: str = ""


def parse_command(answer: str, num_candidates: int) -> Command:
    """What a person wants who types `answer` while `num_candidates` lines are on the screen.

    >>> parse_command("2", 7).kind, parse_command("snow on the wires", 7).kind, parse_command("9", 7).text
    (<CommandKind.PICK: 1>, <CommandKind.WRITE: 3>, 'There is no line 9; the lines are 1 to 7.')
    """
    text = cleaned(answer)
    command = text.lower()
    if command in COMMANDS:
        return Command(COMMANDS[command])
    word, _, rest = text.partition(" ")
    word = word.lower()
    if text.isdecimal():
        return _numbered(CommandKind.PICK, text, num_candidates)
    if word in ("e", "edit") and rest.isdecimal():
        return _numbered(CommandKind.EDIT, rest, num_candidates)
    if word == "w" and rest:
        return _written(rest)
    if word == "t" and rest:
        return Command(CommandKind.TITLE, text=rest) if len(rest) <= MAX_LINE else _unclear(_too_long(rest))
    if command in NEEDY:
        return _unclear(NEEDY[command])
    if " " not in text:
        return _unclear(f"{text} is no command; `w {text}` makes it a line, ? shows all commands.")
    return _written(text)


def _unclear(reason: str) -> Command:
    return Command(CommandKind.UNCLEAR, text=reason)


def _numbered(kind: CommandKind, digits: str, num_candidates: int) -> Command:
    number = int(digits) if len(digits) <= MOST_DIGITS else num_candidates + 1
    if 1 <= number <= num_candidates:
        return Command(kind, number)
    if not num_candidates:
        return _unclear("There are no lines to choose from.")
    return _unclear(f"There is no line {digits[:12]}; the lines are 1 to {num_candidates}.")


def _written(line: str) -> Command:
    if not WORD.search(line):
        return _unclear("A line needs a word in it.")
    if len(line) > MAX_LINE:
        return _unclear(_too_long(line))
    return Command(CommandKind.WRITE, text=line)


def _too_long(text: str) -> str:
    return f"That is {len(text)} characters long; at most {MAX_LINE} fit."


def cleaned(answer: str) -> str:
    """`answer` in one line, with the quotes, dashes and spaces of the texts and without characters nobody can read."""
    readable = (one for one in unicodedata.normalize("NFC", answer) if unicodedata.category(one) not in ("Co", "Cs"))
    return re.sub(r"\s+", " ", clean("".join(readable))).strip()
