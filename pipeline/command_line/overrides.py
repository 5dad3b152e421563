"""Overrides, the words `key=value` of the command line: free text quoted for Hydra, and mistakes told plainly."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from pipeline.config import group_choices, is_setting, nearest_setting, setting_types, text_settings
from pipeline.stage_table import STAGES

QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.S)
"""A value in Hydra's quotes."""
QUOTED_SWEEP = re.compile(rf"(?:{QUOTED.pattern})(?:,(?:{QUOTED.pattern}))*", re.S)
INTERPOLATION = re.compile(r"\$\{[^{}$]+\}")
PLAIN = re.compile(r"[\w./+\-]+(?: [\w./+\-]+)*")
"""An item of a list that Hydra reads as it stands."""
SWEEP = re.compile(r"(?:choice|range|interval|glob)\(")
"""How Hydra's other ways to give several values begin."""
CLOSING = {"[": "]", "{": "}", "(": ")"}
OPTIONS_WITH_VALUE = frozenset(
    (
        *("--cfg", "-c", "--package", "-p", "--config-path", "-cp", "--config-name", "-cn", "--config-dir", "-cd"),
        *("--experimental-rerun", "--info", "-i"),
    )
)
"""Hydra's own options that the next word belongs to."""


NUMBERS = (int, float, bool, int | None, float | None)
"""Types of settings that an empty value says nothing of."""


def quoted(word: str, sweep: bool) -> str:
    """An override with its value in quotes where it is free text; in a sweep each value between commas.

    Lists and tables of words have their items quoted; a list of words needs no brackets where nothing is swept.
    """
    key, equals, value = word.partition("=")
    name = key.lstrip("+")
    if not equals or value in ("", "null") or INTERPOLATION.search(value):
        return word
    if name in text_settings():
        if (QUOTED_SWEEP if sweep else QUOTED).fullmatch(value):
            return word
        parts = value.split(",") if sweep else [value]
        return f"{key}=" + ",".join(_in_quotes(part.strip() if sweep else part) for part in parts)
    kind = setting_types().get(name)
    if kind in (list[str], list[str] | None) and not sweep and value[0] != "[" and not QUOTED.fullmatch(value):
        value = f"[{value}]"
    if kind in (list[str], list[str] | None, Any) and value[0] in "[{" and value[-1] == CLOSING[value[0]]:
        return f"{key}={_collection(value)}"
    if (
        (_is_entry(name) or (kind is Any and not sweep))
        and not PLAIN.fullmatch(value)
        and not QUOTED.fullmatch(value)
        and value[0] not in "[{"
    ):
        return f"{key}={_in_quotes(value)}"
    return word


def _is_entry(name: str) -> bool:
    """Whether a key is an entry of a setting that is a table."""
    types = setting_types()
    return name not in types and types.get(name.rpartition(".")[0]) is Any


def _collection(value: str) -> str:
    """A list or table with quotes around its items that Hydra would not read as they stand."""
    items = []
    for item in _parts(value[1:-1]):
        name, colon, said = item.partition(":") if value[0] == "{" else ("", "", item)
        bare = said.strip()
        is_readable = not bare or PLAIN.fullmatch(bare) or QUOTED.fullmatch(bare) or bare[0] in "[{"
        items.append(name + colon + (said if is_readable else _in_quotes(bare)))
    return value[0] + ",".join(items) + value[-1]


def _in_quotes(text: str) -> str:
    """Text in Hydra's quotes, in which a backslash means something only before a quote."""
    escaped = re.sub(r"(\\*)('|$)", lambda found: 2 * found[1] + ("\\'" if found[2] else ""), text)
    return "'" + escaped.replace("${", "\\${") + "'"


def _parts(value: str) -> Iterator[str]:
    """What stands between the commas that are in no quotes and no brackets."""
    start, depth, place = 0, 0, 0
    while place < len(value):
        letter = value[place]
        begins = value[:place].rstrip()[-1:] in ("", *",[{(:")  # elsewhere it is an apostrophe
        if begins and (closed := QUOTED.match(value, place)):
            place = closed.end()
            continue
        depth += (letter in CLOSING) - (letter in CLOSING.values())
        if letter == "," and depth == 0:
            yield value[start:place]
            start = place + 1
        place += 1
    yield value[start:]


def complaint(words: Sequence[str], sweep: bool) -> str | None:
    """One sentence on the first word that can't be meant so; None where there is none."""
    stages = [word.partition("=")[2] for word in words if word.lstrip("+").startswith("stage=")]
    if len(stages) > 1:
        return f"stage is given twice, {stages[0]} and {stages[1]}: run one after the other."
    if stages and "," in stages[0] and not sweep:
        return f"stage={stages[0]} gives several stages: run one after the other; album runs all it needs."
    found = (_complaint(word, sweep) for word in _overrides(words))
    return next((sentence for sentence in found if sentence), None)


def _overrides(words: Sequence[str]) -> Iterator[str]:
    """The words that are no options of Hydra's, nor their values."""
    is_value = False
    for word in words:
        if is_value:
            is_value = False
        elif word.startswith("-") and not is_setting(word.strip("-").partition("=")[0]):
            is_value = word in OPTIONS_WITH_VALUE
        else:
            yield word


def _complaint(word: str, sweep: bool) -> str | None:
    """What is wrong with one word."""
    key, equals, _ = word.partition("=")
    value = quoted(word, sweep).partition("=")[2]
    name = key.lstrip("+~")
    if key.startswith("-"):
        return f"settings have no dashes: write {name.strip('-')}={value or 'VALUE'}, not {word}."
    if re.search(r"[/@:]", name):
        return None  # Hydra's own ways to name a group
    if not re.fullmatch(r"\w[\w.]*", name):
        return f"{word} is no setting: write key=value, without blanks around the =."
    if not is_setting(name):
        return no_setting(name)
    if key.startswith("~"):
        return f"{word} takes nothing away: {name}=VALUE changes it."
    if not equals:
        value = "true" if setting_types().get(name) is bool else "VALUE"
        return f"{name} says no value: write {name}={value}, without blanks around the =."
    choices = group_choices(name)
    if not value and (
        choices or name in text_settings() or setting_types().get(name) in (int, float, bool, int | None, float | None)
    ):
        return f"{word} says no value{': conf/' + name + '/ has ' + ', '.join(choices) if choices else ''}."
    said = word.partition("=")[2].strip("'\"")
    if name == "name" and not sweep and not INTERPOLATION.search(said) and not is_run_name(said):
        return no_run_name(said)  # before Hydra makes a folder of that name
    if name in text_settings():
        return None
    if not _is_closed(value):
        return f"{word} can't be read: a quote or a bracket in it is not closed."
    if not sweep and (len(list(_parts(value))) > 1 or SWEEP.match(value)):
        return f"{word} gives several values: {_ways(name, value)}."
    return None


def is_run_name(name: str) -> bool:
    """Whether a run can be called so: `name`, which becomes a folder below `outputs`."""
    return re.fullmatch(r"[\w.+ -]+(/[\w.+ -]+)*", name) is not None and ".." not in name and name.strip(".") != ""


def no_run_name(name: str) -> str:
    """The sentence on a name that can't be a run's."""
    return f"name={name} can't be a folder: use letters, digits, . _ + - and space."


def _ways(name: str, value: str) -> str:
    """What to do with several values."""
    kind = setting_types().get(name)
    one = f"write the list as {name}=[{value}]" if "list[" in str(kind) or kind is Any else "give one of them"
    return f"{one}, or put -m before the first word to make a run for each"


def _is_closed(value: str) -> bool:
    """Whether all quotes and brackets are closed."""
    rest = QUOTED.sub("", value)
    expected: list[str] = []
    for letter in rest:
        if letter in CLOSING:
            expected.append(CLOSING[letter])
        elif letter in CLOSING.values() and (not expected or expected.pop() != letter):
            return False
    return not expected and "'" not in rest and '"' not in rest


def no_setting(key: str) -> str:
    """One sentence for a key that there is not, with the nearest there is."""
    near = nearest_setting(key)
    return f"there is no setting {key}; " + (f"did you mean {near}?" if near else "`--cfg job` prints all settings.")


def no_choice(group: str, choice: str) -> str:
    """One sentence for a choice of a group that there is not, with those there are."""
    choices = group_choices(group)
    if not choices:
        return f"there is no {group}={choice}; it may be part of a package that is not installed."
    near = difflib.get_close_matches(choice, choices, n=1)
    meant = f"did you mean {near[0]}? " if near else ""
    return f"there is no {group}={choice}; {meant}conf/{group}/ has {', '.join(choices)}."


def meant_stage(words: Sequence[str]) -> str | None:
    """The stage that words without `+stage=` may have meant: said by another key, or without one."""
    for word in words:
        key, equals, value = word.partition("=")
        name = key.strip("+-~").lower()
        is_near = difflib.SequenceMatcher(None, name, "stage").ratio() > 0.7
        said = value if equals and is_near else name
        near = difflib.get_close_matches(said.lower(), STAGES, n=1, cutoff=0.75)
        if near and (is_near or not equals):
            return near[0]
    return None
