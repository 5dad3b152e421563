"""Turn recordings into notes on a beat grid."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.artefacts import file_hash
from pipeline.contract import Outcome, Plan
from pipeline.errors import UserError

if TYPE_CHECKING:
    from pipeline.config import Config


def inputs(config: Config) -> dict[str, str]:
    """The recording, where one is named."""
    if config.transcribe.input is None:
        return {}
    path = Path(config.transcribe.input).expanduser()
    if not path.is_file():
        raise UserError(f"transcribe.input={config.transcribe.input} is not there: give a recording.")
    return {"input": file_hash(path)}


def plan(config: Config) -> Plan:
    """Say what will be transcribed."""
    return Plan("Writes down what recordings play.", 0)


def run(config: Config, directory: Path) -> Outcome:
    """Transcribe."""
    raise UserError("no recording can be transcribed yet.")
