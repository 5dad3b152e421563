"""Settings of the stage `transcribe`."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipeline.errors import UserError

FAMILY_PROGRAMS = {"Piano": 0, "Guitar": 25, "Bass": 33, "Strings": 48}
"""Families of instruments that are told apart, and the General MIDI program (from 0) that their notes get."""
REST_FAMILIES = ("Piano", "Guitar", "Strings")
"""What `transcribe.rest` may name."""


@dataclass
class TranscribeSettings:
    """Recordings to notes on a beat grid."""

    input: str | None = None
    """One recording to transcribe; null takes those of the catalog."""
    bpm: float | None = None
    """Its tempo in quarter notes a minute; null finds it. A catalog's `bpm` counts for its own row."""
    downbeat: float | None = None
    """Where its first bar begins, in seconds from the beginning; null finds it."""
    rest: str | None = None
    """The instrument that plays all pitched notes besides tune and bass: Piano, Guitar or Strings; null tells them
    apart by their sound and leaves unknown what it is not sure of."""
    max_minutes: float = 30.0
    """Longer recordings are rejected unread."""
    recognise_metre: bool = True
    """Whether a recording gets bars of three, five or seven beats where it sounds so; false takes the bars of
    `data.metre` for granted."""

    notes: str | None = None
    """Its notes, beats and bars as they should be: the `song.mid` of its transcription, corrected in any MIDI editor,
    which counts instead of what is heard. A catalog's `notes` counts for its own row."""
    beats: str | None = None
    """Its beats, a text file as beat trackers write it: seconds a line, optionally with the beat's position in its bar.
    A catalog's `beats` counts for its own row."""
    stems: str | None = None
    """A folder with a folder of stems (`drums.wav`, `bass.wav`, `vocals.wav`, `other.wav`) for each recording, as
    Demucs, Spleeter and Open-Unmix write them; each stem is heard by itself and gives its own tracks."""

    def for_many(self) -> TranscribeSettings:
        """These settings for all recordings of a catalog, each of which has tempo, notes and the like of its own."""
        return replace(self, input=None, bpm=None, downbeat=None, notes=None, beats=None)

    def check(self) -> None:
        """Raise `UserError` naming the key when a value cannot work."""
        if self.rest is not None and self.rest not in REST_FAMILIES:
            raise UserError(f"transcribe.rest must be one of {', '.join(REST_FAMILIES)}, not {self.rest}.")
        if self.bpm is not None and not 20 <= self.bpm <= 400:
            raise UserError(f"transcribe.bpm must lie between 20 and 400, not {self.bpm:g}.")
        if self.downbeat is not None and not self.downbeat >= 0:
            raise UserError(f"transcribe.downbeat must be at least 0 seconds, not {self.downbeat:g}.")
        for key in ("bpm", "downbeat", "beats", "stems"):
            if self.notes is not None and getattr(self, key) is not None:
                raise UserError(f"transcribe.notes says all that is played, and when: leave out transcribe.{key}.")
        if self.beats is not None and self.bpm is not None:
            raise UserError("transcribe.beats says the tempo, too: leave out transcribe.bpm.")
        if not self.max_minutes > 0:
            raise UserError(f"transcribe.max_minutes must be more than 0, not {self.max_minutes:g}.")
