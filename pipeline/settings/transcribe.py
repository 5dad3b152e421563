"""Settings of the stage `transcribe`."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipeline.errors import UserError

REST_FAMILIES = {"Piano": 0, "Guitar": 25, "Strings": 48}
"""What `transcribe.rest` may name, and the General MIDI program (from 0) that its notes get."""


@dataclass
class TranscribeSettings:
    """Recordings to notes on a beat grid."""

    input: str | None = None
    """One recording to transcribe; null takes those of the catalog."""
    bpm: float | None = None
    """Its tempo in quarter notes a minute; null finds it. A catalog's `bpm` counts for its own row."""
    downbeat: float | None = None
    """Where its first bar begins, in seconds from the beginning; null finds it."""
    rest: str = "Piano"
    """The instrument family for pitched notes that are not bass: Piano, Guitar or Strings."""
    max_minutes: float = 30.0
    """Longer recordings are rejected unread."""
    recognise_metre: bool = True
    """Whether a recording gets bars of three, five or seven beats where it sounds so; false takes the bars of
    `data.metre` for granted."""

    def for_many(self) -> TranscribeSettings:
        """These settings for all recordings of a catalog, each of which has tempo and downbeat of its own."""
        return replace(self, input=None, bpm=None, downbeat=None)

    def check(self) -> None:
        """Raise `UserError` naming the key when a value cannot work."""
        if self.rest not in REST_FAMILIES:
            raise UserError(f"transcribe.rest must be one of {', '.join(REST_FAMILIES)}, not {self.rest}.")
        if self.bpm is not None and not 20 <= self.bpm <= 400:
            raise UserError(f"transcribe.bpm must lie between 20 and 400, not {self.bpm:g}.")
        if self.downbeat is not None and not self.downbeat >= 0:
            raise UserError(f"transcribe.downbeat must be at least 0 seconds, not {self.downbeat:g}.")
        if not self.max_minutes > 0:
            raise UserError(f"transcribe.max_minutes must be more than 0, not {self.max_minutes:g}.")
