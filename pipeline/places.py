"""Where artefacts lie. Everything is relative to the folder the program is started in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.files import fingerprint, settings_of

if TYPE_CHECKING:
    from pipeline.config import Config

PROGRAM = Path(__file__).resolve().parent.parent
"""The clone: `conf/` and the committed `data/lyrics/` lie here."""

MUSIC = ("data", "tracks", "roll", "collect", "transcribe.rest", "transcribe.max_minutes", "prepare")
"""Settings groups and keys that say what a prepared set is."""

SET_STAGES = {"collect": "collected", "prepare": "prepared"}


def set_name(config: Config) -> str:
    """`<data.name>-<8 hex>` of the settings in `MUSIC`."""
    from pipeline.config import flatten

    settings = settings_of(flatten(config), MUSIC)
    return f"{config.data.name}-{fingerprint(settings)[:8]}"


def stage_directory(stage: str, config: Config) -> Path:
    """The directory that holds the artefact of `stage`."""
    if stage in SET_STAGES:
        return Path("data") / SET_STAGES[stage] / set_name(config)
    return Path("outputs") / config.name / stage
