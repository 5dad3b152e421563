"""Settings of the stage `studio`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import UserError


@dataclass
class StudioSettings:
    """Songs composed, changed and kept in the browser."""

    port: int = 8765
    """Of the address on this machine; another one is taken where it is in use, and 0 takes any that is free."""
    open: bool = True
    """Open the page in the browser."""
    export: str | None = None
    """A folder: instead of serving, write a page there that any static host can show, networks and songs included."""
    runtime: str | None = None
    """Folder of the npm package onnxruntime-web for `export`; null looks for it, and else the page loads it."""

    def check(self) -> None:
        """Raise `UserError` naming the key when a value cannot work."""
        if not 0 <= self.port <= 65535:
            raise UserError(f"studio.port must lie between 0 and 65535, not {self.port}.")
        if self.runtime is not None and self.export is None:
            raise UserError("studio.runtime means nothing without studio.export.")
        if self.export is not None and Path(self.export).expanduser().is_file():
            raise UserError(f"studio.export={self.export} is a file: give a folder.")
