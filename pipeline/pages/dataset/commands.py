"""The commands that go on from a prepared set: the settings that it was made with, as a user would type them."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from pipeline.config import MUSIC, Config, compose, flatten, group_choices
from pipeline.files import read_manifest, settings_of
from pipeline.stage_table import STAGES, upstream_of

PLACE = "PLACE-OF-THE-MUSIC"
"""Stands for `data.path` while defaults are read, since a path may hold what means something to Hydra."""
SMALLEST_BATCH = 2
"""Phrases in a batch of training."""
CHOICES = {"model": "model.design", "budget": "train.steps", "lyrics": "lyrics.kind"}
"""Groups whose choices set much at once, and a setting that tells when another one was taken."""


def next_commands(config: Config, stages: Sequence[str]) -> list[str]:
    """`python -m pipeline +stage=train data=folder data.path=... name=mine` for each stage, with all that was said."""
    name = free_name(config)
    named = [] if name == config.data.name else [f"name={name}"]
    return [
        shlex.join(["python", "-m", "pipeline", f"+stage={stage}", *set_overrides(config, groups_of(stage)), *named])
        for stage in stages
    ]


def with_batches_of_at_most(config: Config, num_phrases: int) -> Config:
    """The settings with no more phrases in a batch of training than there are, so that a small set can train."""
    size = min(config.train.batch_size, max(num_phrases, SMALLEST_BATCH))
    return replace(config, train=replace(config.train, batch_size=size))


def groups_of(stage: str) -> tuple[str, ...]:
    """The groups of settings that count for a stage and for all below it."""
    return tuple(dict.fromkeys(group for one in (*upstream_of(stage), stage) for group in STAGES[one].groups))


def free_name(config: Config) -> str:
    """The run's name, or the first with a number after it whose training is not of another set or other settings."""
    train = STAGES["train"]
    settings = {
        key: one for key, one in settings_of(flatten(config), train.groups).items() if key not in train.extendable
    }
    for number in count(1):
        name = config.name if number == 1 else f"{config.name}-{number}"
        found = read_manifest(Path("outputs") / name / train.name)
        if found is None or all(found.settings.get(key) == value for key, value in settings.items()):
            return name
    raise AssertionError  # count() does not end


def set_overrides(config: Config, groups: tuple[str, ...] = MUSIC) -> list[str]:
    """The overrides that lead to the same prepared set, and to the same settings in the other `groups`.

    The data set, and what differs from its own settings.
    """
    return overrides_of(flatten(config), groups)


def overrides_of(values: Mapping[str, Any], groups: tuple[str, ...] = MUSIC) -> list[str]:
    """`set_overrides` of settings by dotted keys, such as those of manifests; settings that are missing are as usual.

    Those of `data`, `tracks.name` and `seed` are there, and the name of each choice in `groups`.
    """
    name, place = values["data.name"], values["data.path"]
    words = [f"data={name if name in group_choices('data') else 'folder'}"]
    path = [] if place is None else [f"data.path={PLACE}"]
    usual = usual_settings(*words, *path)
    for group, key in {"tracks": "tracks.name", **CHOICES}.items():
        if key.split(".")[0] not in groups or values[key] == usual[key]:
            continue
        tried = {one: usual_settings(*words, f"{group}={one}", *path) for one in group_choices(group)}
        best = min(tried, key=lambda one: len(_differences(values, tried[one], groups)), default="")
        if best and len(_differences(values, tried[best], groups)) < len(_differences(values, usual, groups)):
            words.append(f"{group}={best}")
            usual = tried[best]
    if "seed" in groups and values["seed"] != usual["seed"]:
        words.append(f"seed={values['seed']}")
        usual = usual_settings(*words, *path)
    if place is not None:
        words.append(f"data.path={hydra_value(place)}")
    return words + [f"{key}={hydra_value(values[key])}" for key in _differences(values, usual, groups)]


def stage_command(values: Mapping[str, Any], stage: str, name: str) -> str:
    """The command line that makes what a stage made again, out of its settings and those of all stages below it."""
    return shlex.join(["python", "-m", "pipeline", f"+stage={stage}", *changed_settings(values, stage), f"name={name}"])


def changed_settings(values: Mapping[str, Any], stage: str) -> list[str]:
    """What leads to the settings that a stage and all below it were made with, where they are not the usual ones."""
    words = overrides_of(values, groups_of(stage))
    rerolls = values["generate.rerolls"]
    sent_back = [f"generate.rerolls=[{','.join(rerolls)}]"] if rerolls else []  # plainer than a list of quoted words
    kept = [word for word in words if not word.startswith("generate.rerolls=")]
    usual = f"data={usual_settings()['data.name']}"
    return [word for word in kept if word != usual] + (sent_back if "generate" in groups_of(stage) else [])


@cache
def usual_settings(*words: str) -> dict[str, Any]:
    """All settings that these words lead to, by dotted keys."""
    return flatten(compose(*words))


def _differences(values: Mapping[str, Any], usual: Mapping[str, Any], groups: tuple[str, ...]) -> list[str]:
    """The settings of some groups that are not the usual ones, but the place of the music."""
    place = str(values["data.path"])
    keys = []
    for key, value in settings_of(values, groups).items():
        default = usual.get(key)
        known = default.replace(PLACE, place) if isinstance(default, str) else default
        if key != "data.path" and (value != known or key not in usual):
            keys.append(key)
    return keys


def hydra_value(value: Any, inside: bool = False) -> str:
    """A setting as Hydra reads it: `null`, `true`, `[1,2]`, `{name: Drums}`; text in lists is quoted if need be."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {hydra_value(one, True)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(hydra_value(one, True) for one in value) + "]"
    if not isinstance(value, str):
        return json.dumps(value)
    plain = re.fullmatch(r"[A-Za-z_][\w-]*", value) if inside else value[:1] not in "'\"" and value != "null"
    if plain:
        return value
    return "'" + value.replace("'", "\\'") + "'"
