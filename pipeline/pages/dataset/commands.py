"""The commands that go on from a prepared set: the settings that it was made with, as a user would type them."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from typing import Any

from pipeline.config import MUSIC, Config, compose, flatten, group_choices
from pipeline.files import settings_of

PLACE = "PLACE-OF-THE-MUSIC"
"""Stands for `data.path` while defaults are read, since a path may hold what means something to Hydra."""


def next_commands(config: Config, stages: Sequence[str]) -> list[str]:
    """`python -m pipeline +stage=train data=folder data.path=...` for each stage, with all that makes this set."""
    words = set_overrides(config)
    return [shlex.join(["python", "-m", "pipeline", f"+stage={stage}", *words]) for stage in stages]


def set_overrides(config: Config) -> list[str]:
    """The overrides that lead to the same prepared set: the data set, and what differs from its own settings."""
    words = [f"data={config.data.name if config.data.name in group_choices('data') else 'folder'}"]
    path = [] if config.data.path is None else [f"data.path={PLACE}"]
    usual = compose(*words, *path)
    if config.tracks.name != usual.tracks.name and config.tracks.name in group_choices("tracks"):
        words.append(f"tracks={config.tracks.name}")
        usual = compose(*words, *path)
    if config.data.path is not None:
        words.append(f"data.path={config.data.path}")
    defaults = settings_of(flatten(usual), MUSIC)
    for key, value in settings_of(flatten(config), MUSIC).items():
        default = defaults[key]
        known = default.replace(PLACE, str(config.data.path)) if isinstance(default, str) else default
        if value != known and key != "data.path":
            words.append(f"{key}={hydra_value(value)}")
    return words


def hydra_value(value: Any, inside: bool = False) -> str:
    """A setting as Hydra reads it: `null`, `true`, `[1,2]`, `{name: Drums}`; text in lists is quoted if need be."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {hydra_value(one, True)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(hydra_value(one, True) for one in value) + "]"
    if not isinstance(value, str):
        return json.dumps(value)
    if value and (not inside or re.fullmatch(r"[A-Za-z_][\w-]*", value)):
        return value
    return "'" + value.replace("'", "\\'") + "'"
