"""Settings of the stage `studio`."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.errors import UserError


@dataclass
class StudioSettings:
    """Songs composed, changed and kept in the browser."""

    port: int = 8765
    """Of the address on this machine; another one is taken where it is in use, and 0 takes any that is free."""
    open: bool = True
    """Open the page in the browser."""

    def check(self) -> None:
        """Raise `UserError` naming the key when a value cannot work."""
        if not 0 <= self.port <= 65535:
            raise UserError(f"studio.port must lie between 0 and 65535, not {self.port}.")
