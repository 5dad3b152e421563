"""Tally of what was removed from texts and repaired in them, for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.progress import counted


@dataclass
class CleaningTally:
    """What was done to how many texts; a text is a file, or a row of a table.

    Attributes
    ----------
    texts
        Texts in which anything was done.
    removed, repaired
        What of, by its noun in the singular.
    """

    texts: int = 0
    removed: Counter[str] = field(default_factory=Counter)
    repaired: Counter[str] = field(default_factory=Counter)

    def remove(self, noun: str, number: int = 1) -> None:
        """Count what is taken out of a text."""
        if number:
            self.removed[noun] += number

    def repair(self, noun: str, number: int = 1) -> None:
        """Count what is put right in a text."""
        if number:
            self.repaired[noun] += number

    def add(self, other: CleaningTally) -> None:
        """Add the tally of one text, or of several."""
        if other.removed or other.repaired:
            self.removed.update(other.removed)
            self.repaired.update(other.repaired)
            self.texts += other.texts or 1

    def to_json(self) -> dict[str, Any]:
        """As plain JSON types."""
        return {"texts": self.texts, "removed": dict(self.removed), "repaired": dict(self.repaired)}

    @classmethod
    def of_json(cls, saved: Mapping[str, Any]) -> CleaningTally:
        """What `to_json` gave."""
        return cls(saved["texts"], Counter(saved["removed"]), Counter(saved["repaired"]))

    def __str__(self) -> str:
        """Such as `removed from 12 texts: 34 time stamps, 11 lines of lyrics sites`; empty where nothing was done."""
        within = counted(self.texts, "text")
        parts = []
        if self.removed:
            parts.append(f"removed from {within}: {_listed(self.removed)}")
        if self.repaired:
            parts.append(f"repaired{'' if self.removed else f' in {within}'}: {_listed(self.repaired)}")
        return "; ".join(parts)


def _listed(found: Counter[str]) -> str:
    return ", ".join(_counted(number, *noun.partition(" of ")) for noun, number in found.most_common())


def _counted(number: int, noun: str, of: str, what: str) -> str:
    plural = f"{number:,} {noun[:-1]}ies" if noun.endswith("ty") and number != 1 else counted(number, noun)
    return f"{plural}{of}{what}"
