"""The commands that go on from a prepared set: the settings that it was made with, as a user would type them."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

from pipeline.artefacts import settings_of
from pipeline.config import Config, compose, flatten, group_choices
from pipeline.places import MUSIC

PLACE = "PLACE-OF-THE-MUSIC"
"""Stands for `data.path` while defaults are read, since a path may hold what means something to Hydra."""


def next_command(config: Config, stage: str) -> str:
    """`python -m pipeline +stage=train data=folder data.path=...` with all that makes this set what it is."""
    return shlex.join(["python", "-m", "pipeline", f"+stage={stage}", *set_words(config)])


def set_words(config: Config) -> list[str]:
    """The overrides that lead to the same prepared set."""
    default = compose()
    words = []
    if config.data.name != default.data.name:
        words.append(f"data={config.data.name if config.data.name in group_choices('data') else 'folder'}")
    path = [] if config.data.path is None else [f"data.path={PLACE}"]
    default = compose(*words, *path)
    if config.tracks.name != default.tracks.name and config.tracks.name in group_choices("tracks"):
        words.append(f"tracks={config.tracks.name}")
        default = compose(*words, *path)
    if config.data.path is not None:
        words.append(f"data.path={config.data.path}")
    usual = settings_of(flatten(default), MUSIC)
    for key, value in settings_of(flatten(config), MUSIC).items():
        known = usual[key].replace(PLACE, str(config.data.path)) if isinstance(usual[key], str) else usual[key]
        if value != known and key != "data.path":
            words.append(f"{key}={spoken(value)}")
    return words


def spoken(value: Any, inside: bool = False) -> str:
    """A setting as Hydra reads it: `null`, `true`, `[1,2]`, `{name: Drums}`; text in lists is quoted if need be."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {spoken(one, True)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(spoken(one, True) for one in value) + "]"
    if not isinstance(value, str):
        return json.dumps(value)
    if value and (not inside or re.fullmatch(r"[A-Za-z_][\w-]*", value)):
        return value
    return "'" + value.replace("'", "\\'") + "'"
