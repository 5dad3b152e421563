"""Rerolls: which songs and sections of an album were sent back, `generate.rerolls=[3,3.chorus]`, in their order.

`3` makes song 3 anew, `3.chorus` its chorus with all its returns; said again it makes other music again. The list is
all that there is to remember: the same list always gives the same album.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.errors import UserError


@dataclass(frozen=True)
class Reroll:
    """One entry: the number of a song, counted from 1, and the role of its sections; None for the whole song."""

    number: int
    role: str | None


@dataclass(frozen=True)
class RerollHistory:
    """What was made anew of one song.

    Attributes
    ----------
    times
        How often the whole song was made anew.
    sections
        What was made anew since then: a role, and for how many times it has been by now.
    """

    times: int
    sections: tuple[tuple[str, int], ...]


def read_rerolls(entries: Sequence[str], num_songs: int, key: str) -> list[Reroll]:
    """The entries of setting `key` in an album of so many songs. Raises `UserError` for a song that is not there."""
    rerolls = []
    for entry in entries:
        number, _, role = str(entry).strip().partition(".")
        if not number.isascii() or not number.isdigit() or (role == "" and "." in str(entry)):
            raise UserError(f"{key}: {entry} is no song; write [3] for song 3, or [3.chorus] for its chorus.")
        if not 1 <= int(number) <= num_songs:
            raise UserError(f"{key}: there is no song {number}; the album has {num_songs}.")
        rerolls.append(Reroll(int(number), role or None))
    return rerolls


def history_of(rerolls: Iterable[Reroll], number: int) -> RerollHistory:
    """What was made anew of song `number`."""
    times, counts, sections = 0, Counter[str](), list[tuple[str, int]]()
    for reroll in rerolls:
        if reroll.number != number:
            continue
        if reroll.role is None:
            times, counts, sections = times + 1, Counter(), []
        else:
            counts[reroll.role] += 1
            sections.append((reroll.role, counts[reroll.role]))
    return RerollHistory(times, tuple(sections))


def check_roles(history: RerollHistory, number: int, roles: Iterable[str]) -> None:
    """Raise `UserError` for a section that song `number` does not have."""
    there = list(dict.fromkeys(roles))
    for role, _ in history.sections:
        if role not in there:
            raise UserError(f"song {number} has no section {role}; it has {', '.join(there)}.")
