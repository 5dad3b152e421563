"""The editor's session file, saved atomically after every command and resumed by the same command."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.files import fingerprint, write_json
from pipeline.lyrics.corpus.song_lyrics import WORD
from pipeline.lyrics.phonetics.rhyme import rhymes
from pipeline.lyrics.song.lyric import AUTHORS
from pipeline.lyrics.song.plan import LinePlan, LyricPlan

SESSION_FORMAT = 1
NEAR = 2
"""Where the plan of a song changed, a line of the model stays if it is at most so many syllables off."""


@dataclass(frozen=True)
class SessionLine:
    """A line that a song of the session has.

    Attributes
    ----------
    kind, section, number
        Kind of its section, the number of that section among those of its kind, and the line's number in it; both count
        from 1.
    text
        As people read it.
    author
        Who wrote it: one of `AUTHORS`.
    syllables
        How many it has.
    spelt
        The model's line as the model spells it; None where a person wrote or changed it.
    """

    kind: str
    section: int
    number: int
    text: str
    author: str
    syllables: int
    spelt: str | None = None

    def __post_init__(self) -> None:
        words = isinstance(self.kind, str) and isinstance(self.text, str) and isinstance(self.spelt, str | None)
        if not words or not self.text or self.author not in AUTHORS:
            raise ValueError("a line has no words, or nobody wrote it")
        if not all(type(one) is int for one in (self.section, self.number, self.syllables)):
            raise ValueError("a line has no place")

    @property
    def position(self) -> tuple[str, int, int]:
        """Where it stands."""
        return self.kind, self.section, self.number

    def fits(self, plan: LinePlan, partner: str | None) -> bool:
        """Whether the line does for a place with another plan than it was taken for; a person's always does.

        `partner` is the line that it is to rhyme with.
        """
        if self.author != "model":
            return True
        rhyming = partner is None or rhymes(last_word(self.text), last_word(partner))
        return rhyming and abs(self.syllables - plan.syllables) <= NEAR


@dataclass
class SessionSong:
    """One song of a session."""

    plan: str = ""
    """Fingerprint of the plan that the lines were taken for."""
    title: str | None = None
    """The person's; None leaves it to the model."""
    num_redraws: int = 0
    """How often other lines were asked for at the place that comes next."""
    done: bool = False
    """Whether the person is through with it."""
    lines: list[SessionLine] = field(default_factory=list)
    """In the order of the song; where a change of its plan left a gap, those after it are there, too."""

    def refit(self, plan: LyricPlan) -> list[SessionLine]:
        """Make the song one of `plan`; the lines that do not fit it are left out, and come back."""
        if self.plan == plan_fingerprint(plan):
            return []
        known = {line.position: line for line in self.lines}
        fitting = []
        for place, one, rhyme in positions_of(plan):
            line, partner = known.get(place), None if rhyme is None else known.get(rhyme)
            if line is not None and line.fits(one, None if partner is None else partner.text):
                fitting.append(line)
        left_out = [line for line in self.lines if line not in fitting]
        self.plan, self.lines = plan_fingerprint(plan), fitting
        return left_out

    def misses(self, plan: LyricPlan, given: bool) -> bool:
        """Whether a place of `plan` has no line that fits it; where the first line is `given`, it needs none."""
        song = replace(self)
        song.refit(plan)
        known = {line.position for line in song.lines}
        return any(place not in known for place, _, _ in [*positions_of(plan)][int(given) :])


@dataclass
class Session:
    """All songs by number, and a fingerprint of the model and the settings that draw the candidates."""

    path: Path
    model: str = ""
    songs: dict[int, SessionSong] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Session:
        """The session at `path`; an empty one where there is none.

        Raises
        ------
        UserError
            When the file is damaged.
        """
        if not path.exists():
            return cls(path)
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            if values["format"] != SESSION_FORMAT:
                raise ValueError(f"format {values['format']}, not {SESSION_FORMAT}")
            songs = {int(number): _song(one) for number, one in values["songs"].items()}
            return cls(path, str(values["model"]), songs)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(
                f"{path} is damaged ({error}): mend it, or move it away and the songs are begun again."
            ) from error

    def save(self) -> None:
        """Write the file atomically."""
        songs = {str(number): asdict(song) for number, song in sorted(self.songs.items())}
        write_json(self.path, {"format": SESSION_FORMAT, "model": self.model, "songs": songs})


def _song(values: Mapping[str, Any]) -> SessionSong:
    song = SessionSong(**{**values, "lines": [SessionLine(**line) for line in values["lines"]]})
    if type(song.num_redraws) is not int or not isinstance(song.done, bool) or not isinstance(song.title, str | None):
        raise ValueError("a song's state is not one that was written")
    return song


def positions_of(plan: LyricPlan) -> Iterator[tuple[tuple[str, int, int], LinePlan, tuple[str, int, int] | None]]:
    """Each place of a lyric as in `SessionLine.position`, its plan, and the place that it rhymes with."""
    kinds: list[str] = []
    for section in plan.written:
        kinds.append(section.kind)
        number = kinds.count(section.kind)
        for at, line in enumerate(section.lines, 1):
            rhyme = None if line.rhymes_with is None else (section.kind, number, line.rhymes_with + 1)
            yield (section.kind, number, at), line, rhyme


def plan_fingerprint(plan: LyricPlan) -> str:
    """Changes exactly when the plan does."""
    return fingerprint(asdict(plan))


def last_word(text: str) -> str:
    """What a line is rhymed by, in small letters; "" where it has no word."""
    words = WORD.findall(text)
    return words[-1].lower() if words else ""
