"""What every module in `pipeline/stages/` offers, and what it is given back."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pipeline.config import Config


@dataclass(frozen=True)
class Plan:
    """What a stage is about to do: a sentence for the user, and the bytes it will leave on disk at most."""

    text: str
    num_bytes: int


@dataclass(frozen=True)
class Outcome:
    """What came of a stage: `facts` count in its fingerprint, `notes` are for people and later pages only."""

    facts: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)


class StageModule(Protocol):
    """A module of `pipeline/stages/`."""

    def inputs(self, config: Config) -> dict[str, str]:
        """Fingerprints of what is read besides the artefacts of other stages. Cheap; raises `UserError`."""

    def plan(self, config: Config) -> Plan:
        """What will be done. Called when everything upstream is there."""

    def run(self, config: Config, directory: Path) -> Outcome:
        """Do it, writing into `directory` only; the manifest is written by the caller."""
