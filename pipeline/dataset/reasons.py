"""Reasons in sentences: why files are not in a set, counted or of each, in English that agrees with the number."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from pipeline.dataset.store import Reject, kind_of_reason
from pipeline.formats import count_others, is_other_format, printable

NOUN = re.compile(
    r"(?:an? )?((?:[\w/.-]+ )*?(?:file|archive|duplicate|project|session|song|set|PDF|module|SoundFont|recording|video"
    r"|bomb|page|picture|document|program|roll|text|line|score|format|path))\b(.*)"
)
"""A reason that names a thing: what it is, and what is said of it."""
POSSESSIONS = re.compile(r"(no|one|another|only|several|\d+) ")
"""Begins a reason that names what a file has."""
VERB = re.compile(r"(is|has|does|can't|[a-z]{3,}[^s\W]s) (.*)")
MOST_REASONS = 4
"""That a sentence names."""


def count_of_reason(count: int, kind: str) -> str:
    """`1 broken file`, `2 broken files`, `3 are in 3/4`, `2 with no notes`: so many files of one kind of reason."""
    number, many = f"{count:,}", count != 1
    about = re.match(r"the (\w+)'s (.*)", kind)
    if about:
        return f"{number} {_plural(about[1], many)} whose {about[2]}"
    subject = re.match(r"the (\w+) (\w+)(.*)", kind)
    if subject:
        return f"{number} {_plural(subject[1], many)} {_verb(subject[2], many)}{subject[3]}"
    if POSSESSIONS.match(kind):
        return f"{number} with {kind}"
    verb = VERB.match(kind)
    if verb:
        rest = re.sub(r"\ban? (\w[\w ]*\w)", lambda found: _plural(found[1], True), verb[2]) if many else verb[2]
        return f"{number} {_verb(verb[1], many)} {rest}"
    noun = NOUN.fullmatch(kind)
    return f"{number} {_plural(noun[1], many)}{noun[2]}" if noun else f"{number} {kind}"


def reason_of_each(reason: str) -> str:
    """A reason as what one file is or has: `is a broken file: it is empty`, `has no notes`, `is too short`."""
    if reason.startswith("the "):
        return f"comes to nothing: {reason}"
    if POSSESSIONS.match(reason):
        return f"has {reason}"
    if VERB.match(reason) or reason.startswith("can't"):
        return reason
    noun = NOUN.fullmatch(reason)
    if not noun or reason.startswith(("a ", "an ")):
        return f"is {reason}"
    return f"is {'an' if reason[0] in 'AEIOUaeiou' else 'a'} {reason}"


def count_reasons(reasons: Sequence[str], most: int | None = None) -> str:
    """`2 broken files; 1 is in 3/4`: how many of each kind, the most frequent first, `most` of them (None: all)."""
    kinds = Counter(kind_of_reason(reason) for reason in reasons).most_common()
    named = "; ".join(count_of_reason(count, kind) for kind, count in kinds[:most])
    return named + (" ..." if most is not None and len(kinds) > most else "")


def none_usable(place: str, rejects: Sequence[Reject], num_files: int, unit: str = "file") -> str:
    """The sentence for a data set of which nothing can be used, without its full stop.

    Parameters
    ----------
    place
        How the user says where the music is, such as `data.path=songs`.
    rejects
        Every file, or every tune of a file, and why not; at least one.
    num_files
        How many files (or rows of a spreadsheet) they come from.
    unit
        What is counted: `file` or `row`.
    """
    reasons = [printable(reject.reason) for reject in rejects]
    example = f"{printable(rejects[0].path)}: {reasons[0]}"
    if len(rejects) == 1:
        return f"the one {unit} of {place} can't be used: {printable(rejects[0].path)} {reason_of_each(reasons[0])}"
    what = f"the {num_files:,} {unit}s"
    if len(rejects) != num_files:
        what = f"the {len(rejects):,} pieces of music in {num_files:,} {_plural(unit, num_files != 1)}"
    begin = f"none of {what} of {place} can be used"
    kinds = {kind_of_reason(reason) for reason in reasons}
    if len(set(reasons)) == 1:
        return f"{begin}: each {reason_of_each(reasons[0])}"
    if len(kinds) == 1:
        return f"{begin}: each {reason_of_each(kinds.pop())} (for example {example})"
    told = count_others(reasons)
    left = [reason for reason in reasons if not is_other_format(reason)]
    if not left:
        return f"{begin}: {'; '.join(told)}"
    more = f"; {'; '.join(told)}" if told else ""
    return f"{begin}: {count_reasons(left, MOST_REASONS)} (for example {_example(rejects, left[0])}){more}"


def _example(rejects: Sequence[Reject], reason: str) -> str:
    path = next(reject.path for reject in rejects if printable(reject.reason) == reason)
    return f"{printable(path)}: {reason}"


def _plural(noun: str, many: bool) -> str:
    """A noun, such as `web page`, as one or as many; what follows a preposition stays."""
    return re.sub(r"^(.*?\w)(?=$| (?:in|inside|of|that|which|with)\b)", r"\1s", noun, count=1) if many else noun


def _verb(verb: str, many: bool) -> str:
    """A verb of the third person, such as `holds`, as one or as many do."""
    if not many or not verb.endswith("s"):
        return verb
    return {"is": "are", "has": "have", "does": "do"}.get(verb, verb[:-1])
