"""Words of songs that are being edited: lines under the notes that they are sung on, and candidates for each.

Lines that are taken go to the session file of the lyrics stage, `outputs/NAME/lyrics/session.json`, which the editor in
the terminal (`lyrics.interactive=true`) goes on with, and which the stage keeps to when it writes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from threading import RLock
from typing import Any

import numpy as np

from pipeline.config import Config, stage_directory
from pipeline.devices import choose_device
from pipeline.errors import UserError
from pipeline.lyrics.alignment.alignment import Alignment, fit_words
from pipeline.lyrics.corpus.song_lyrics import MAX_LINE
from pipeline.lyrics.editor.commands import CommandKind, cleaned, parse_command
from pipeline.lyrics.editor.completion import candidate_of, lines_of_lyric, written_lyrics
from pipeline.lyrics.editor.editor import SHOWN, varied
from pipeline.lyrics.editor.session import Session, SessionLine, SessionSong, plan_fingerprint, positions_of
from pipeline.lyrics.editor.terminal import SESSION, model_fingerprint
from pipeline.lyrics.phonetics.syllables import is_english, syllables_of
from pipeline.lyrics.song.line_sampling import LineCandidate
from pipeline.lyrics.song.lyric import AUTHORS
from pipeline.lyrics.song.plan import LinePlan, LyricPlan, SectionPlan, plan_lyric
from pipeline.lyrics.song.writer import LyricDraft, LyricWriter
from pipeline.lyrics.writing import MODEL, load_writer
from pipeline.songs.song import Song
from pipeline.songs.sung_syllables import SungSyllable, singers
from pipeline.stage_table import STAGES

ALIGNMENTS_HELD, OFFERS_HELD = 64, 16
"""Alignments of songs, and places for which lines were offered, that are kept in memory."""
MOST_DRAWS = 40
"""Times that other lines are offered for a place."""

MORE_DRAWS = 6
"""Times that more candidates are drawn where there are too few."""
Position = tuple[str, int, int]
"""Kind of a section, its number among those of its kind, and a line's number in it, as in `SessionLine.position`."""


@dataclass(frozen=True, eq=False)
class PlacedLine:
    """A line where it is sung.

    Attributes
    ----------
    index
        Its number among all lines that are written, from 0; lines that come back have the same one.
    section, line
        Index of the song's section, and the line's number in it, from 0.
    position, plan, rhyme
        Its place in a session, what it is asked for, and the letter that it shares with lines it rhymes with.
    """

    index: int
    section: int
    line: int
    position: Position
    plan: LinePlan
    rhyme: str


@dataclass(frozen=True, eq=False)
class _HeldAlignment:
    """An alignment, and the notes of the first tracks that were to sing, on which it depends."""

    alignment: Alignment
    num_singers: int
    notes: bytes


class StudioWords:
    """The words of a run, shared by all sessions of a studio."""

    def __init__(self, config: Config) -> None:
        self.config, self.settings = config, config.lyrics
        self.directory = stage_directory("lyrics", config)
        self.singer = config.lyrics.track or next((track.name for track in config.tracks.tracks if track.voice), None)
        self.lock = RLock()
        self._writer: LyricWriter | None = None
        self._files: dict[Path, tuple[int, Any]] = {}
        self._alignments: OrderedDict[tuple[Any, ...], _HeldAlignment] = OrderedDict()
        self._offers: OrderedDict[tuple[Any, ...], tuple[LyricDraft, list[list[LineCandidate]]]] = OrderedDict()

    @property
    def has_model(self) -> bool:
        """Whether there is a language model of songs that offers lines."""
        return self.settings.kind == "song" and (self.directory / MODEL).exists()

    @property
    def writer(self) -> LyricWriter:
        """Offers lines; loaded when it is first needed. Raises `UserError` where the run has no language model."""
        with self.lock:
            if self._writer is None:
                if not self.has_model:
                    raise UserError("This run has no language model of songs: run +stage=lyrics first.")
                device, extendable = choose_device(self.config), STAGES["lyrics"].extendable
                self._writer = load_writer(self.settings, self.directory, device, extendable)
            return self._writer

    @property
    def session(self) -> Session:
        """The session file as it is now. Raises `UserError` where it is damaged."""
        path = self.directory / SESSION
        return self._read(path, Session.load) if path.exists() else Session(path)

    def title(self, number: int) -> str | None:
        """The title of a song: a person's, else its lyric's; None where it has none."""
        taken = self.session.songs.get(number)
        lyric = self._lyrics.get(number)
        return (taken.title if taken is not None else None) or (str(lyric["title"]) if lyric is not None else None)

    def set_title(self, number: int, title: str) -> None:
        """Name a song; an empty title leaves it to the model. Raises `UserError` for one that is too long."""
        plain = cleaned(title)
        if len(plain) > MAX_LINE:
            raise UserError(f"A title has at most {MAX_LINE} characters, and this one has {len(plain)}.")
        with self.lock:
            session = Session.load(self.directory / SESSION)
            session.songs.setdefault(number, SessionSong()).title = plain or None
            session.save()

    def known_lines(self, number: int) -> dict[Position, SessionLine]:
        """The lines of a song: those of the session, else those that the stage wrote."""
        taken = self.session.songs.get(number)
        if taken is not None and taken.lines:
            return {line.position: line for line in taken.lines}
        lyric = self._lyrics.get(number)
        return {} if lyric is None else {line.position: line for line in lines_of_lyric(lyric, self.english)}

    @property
    def english(self) -> bool:
        """Whether words sound as the pronouncing dictionary says."""
        if self._writer is not None:
            return self._writer.lexicon.english
        return is_english(
            line for lyric in self._lyrics.values() for section in lyric["sections"] for line in section["lines"]
        )

    def keep_lines(self, number: int, plan: LyricPlan, lines: Sequence[SessionLine]) -> None:
        """Write the lines of a song to the session, those that the plan has no place for at the end."""
        order = {position: index for index, (position, _, _) in enumerate(positions_of(plan))}
        with self.lock:
            session = Session.load(self.directory / SESSION)
            if self._writer is not None and not session.model:
                session.model = model_fingerprint(self._writer)
            song = session.songs.setdefault(number, SessionSong())
            song.lines = sorted(lines, key=lambda line: order.get(line.position, len(order)))
            song.plan, song.num_redraws = plan_fingerprint(plan), 0
            session.save()

    def offered(
        self, number: int, plan: LyricPlan, before: Sequence[SessionLine | None], draw: int
    ) -> list[LineCandidate]:
        """Candidates for the line that comes after those `before`, the `draw`th time that some are asked for.

        Where a line before is missing the model's best stands in its place.
        """
        if not 0 <= draw < MOST_DRAWS:
            raise UserError(f"Lines are offered {MOST_DRAWS} times for a place; write one of your own.")
        texts = tuple(None if line is None else line.text for line in before)
        key = (number, plan_fingerprint(plan), texts)
        with self.lock:
            if key not in self._offers:
                self._offers[key] = (self._drafted(number, plan, before), [])
            self._offers.move_to_end(key)
            while len(self._offers) > OFFERS_HELD:
                self._offers.popitem(last=False)
            draft, draws = self._offers[key]
            while len(draws) <= draw:
                draws.append(_draw_lines(draft))
            return draws[draw]

    def spelling(self, text: str) -> LineCandidate | None:
        """The candidate that was offered with these words, None where none was."""
        with self.lock:
            offers = (one for _, draws in reversed(self._offers.values()) for drawn in draws for one in drawn)
            return next((one for one in offers if one.line == text), None)

    def aligned(self, song: Song, words: dict[int, list[str]]) -> Alignment:
        """Words on the notes of a song, `words` by the index of a section; remembered as long as nothing changes."""
        sections = tuple((section.first_bar, section.num_bars) for section in song.sections)
        lines = tuple((index, tuple(own)) for index, own in sorted(words.items()))
        key = (song.number, sections, lines)
        order = singers(song, self.singer)
        with self.lock:
            held = self._alignments.get(key)
            if held is None or held.notes != _notes_of(song, order[: held.num_singers]):
                alignment = fit_words(song, words, self.singer, self.english)
                ranks = [order.index(song.spec.names.index(one.track)) for one in alignment.syllables]
                count = len(order) if alignment.unsung else 1 + max(ranks, default=0)
                held = _HeldAlignment(alignment, count, _notes_of(song, order[:count]))
                self._alignments[key] = held
            self._alignments.move_to_end(key)
            while len(self._alignments) > ALIGNMENTS_HELD:
                self._alignments.popitem(last=False)
            return held.alignment

    def _drafted(self, number: int, plan: LyricPlan, before: Sequence[SessionLine | None]) -> LyricDraft:
        """The model's draft of a lyric with the lines before a place."""
        draft = self.writer.begin(number, plan)
        for line in before[len(draft.taken) :]:
            if line is None:
                draft.take(draft.candidates()[0])
            else:
                draft.take(candidate_of(line), line.author)
        return draft

    @property
    def _lyrics(self) -> dict[int, Any]:
        """The songs of `lyrics.json` by number, none where there is no such file."""
        path = self.directory / "lyrics.json"
        return self._read(path, _lyrics_by_number) if path.exists() else {}

    def _read(self, path: Path, read: Callable[[Path], Any]) -> Any:
        """What a file holds, read again where it was written since."""
        with self.lock:
            stamp = path.stat().st_mtime_ns
            if self._files.get(path, (None, None))[0] != stamp:
                self._files[path] = (stamp, read(path))
            return self._files[path][1]


class WordsDraft:
    """The words of one song as it is now.

    Parameters
    ----------
    words
        Of the run.
    song
        Gives the song.
    """

    def __init__(self, words: StudioWords, song: Callable[[], Song]) -> None:
        self.words, self._song = words, song
        self._planned: tuple[Song, LyricPlan] | None = None

    @property
    def title(self) -> str | None:
        """The song's title, None where it has none."""
        return self.words.title(self._song().number)

    def set_title(self, title: str) -> None:
        """Name the song. Raises `UserError` for a title that is too long."""
        self.words.set_title(self._song().number, title)

    @property
    def plan(self) -> LyricPlan:
        """What its lines are asked for."""
        song = self._song()
        if self._planned is None or self._planned[0] is not song:
            self._planned = (song, plan_lyric(self.words.settings, song.number, song, self.words.singer))
        return self._planned[1]

    def lines(self) -> list[dict[str, Any]]:
        """The lines as they are sung, those that come back each time, as plain values for JSON.

        A line that nobody wrote yet has no text; one that nothing sings has the time of its place in the section.
        """
        song, words, plan = self._song(), self.words, self.plan
        known = words.known_lines(song.number)
        if not known and not words.has_model:
            return []
        placed = placed_lines(plan)
        written: dict[int, list[PlacedLine]] = {}
        for one in placed:
            if one.position in known:
                written.setdefault(one.section, []).append(one)
        texts = {section: [known[one.position].text for one in own] for section, own in written.items()}
        sung: dict[tuple[int, int], list[SungSyllable]] = {}
        for syllable in words.aligned(song, texts).syllables if texts else ():
            place = written[syllable.section][syllable.line]
            sung.setdefault((place.section, place.line), []).append(syllable)
        sizes = {one.section: sum(other.section == one.section for other in placed) for one in placed}
        return [
            self._shown(one, known.get(one.position), sung.get((one.section, one.line), []), sizes[one.section])
            for one in placed
        ]

    def syllables(self) -> tuple[SungSyllable, ...]:
        """What is sung on the song's notes, for its sound and its files."""
        song, known = self._song(), self.words.known_lines(self._song().number)
        texts: dict[int, list[str]] = {}
        for one in placed_lines(self.plan) if known else ():
            if one.position in known:
                texts.setdefault(one.section, []).append(known[one.position].text)
        return tuple(self.words.aligned(song, texts).syllables) if texts else ()

    def candidates(self, index: int, draw: int = 0) -> list[dict[str, Any]]:
        """Lines that the model offers for line `index`, at most seven; another `draw` gives others.

        Raises
        ------
        UserError
            There is no such line, or the model finds none.
        """
        before = [known for _, known in self._written()[: index + 1]][:-1]
        self._position(index)
        found = self.words.offered(self._song().number, self.plan, before, draw)
        return [{"text": one.line, "syllables": one.syllables} for one in found]

    def take(self, index: int, text: str, author: str) -> None:
        """Put a line in its place; all lines of the song are kept from now on.

        Parameters
        ----------
        index
            Its number among the lines that are written, from 0.
        text
            What it says.
        author
            One of `AUTHORS`.

        Raises
        ------
        UserError
            There is no such line, it has no word or is too long, or nobody has such a part in it.
        """
        if author not in AUTHORS:
            raise UserError(f"A line is by one of {', '.join(AUTHORS)}, not {author}.")
        command = parse_command(f"w {text}", 0)
        if command.kind is not CommandKind.WRITE:
            raise UserError(command.text if text.strip() else "A line needs a word in it.")
        kind, section, number = self._position(index)
        with self.words.lock:
            offered = self.words.spelling(text) if author == "model" else None
            line = SessionLine(
                kind,
                section,
                number,
                command.text if offered is None else offered.line,
                author,
                len(syllables_of(command.text, self.words.english)) if offered is None else offered.syllables,
                None if offered is None else offered.spelt,
            )
            known = self.words.known_lines(self._song().number)
            self.words.keep_lines(self._song().number, self.plan, [*(known | {line.position: line}).values()])

    def pin(self) -> None:
        """Keep all lines that the song shows, so that the lyrics stage takes those that fit."""
        known = self.words.known_lines(self._song().number)
        if known:
            self.words.keep_lines(self._song().number, self.plan, [*known.values()])

    def _written(self) -> list[tuple[Position, SessionLine | None]]:
        """All places of lines that are written, and what stands there."""
        known = self.words.known_lines(self._song().number)
        return [(position, known.get(position)) for position, _, _ in positions_of(self.plan)]

    def _position(self, index: int) -> Position:
        """The place of line `index`. Raises `UserError` where there is none."""
        written = self._written()
        if not 0 <= index < len(written):
            raise UserError(f"There is no line {index}; the song has {len(written)} lines.")
        if index == 0 and self.words.settings.prompt is not None:
            raise UserError("lyrics.prompt gives the first line; drop it to write another.")
        return written[index][0]

    def _shown(
        self, place: PlacedLine, line: SessionLine | None, sung: Sequence[SungSyllable], count: int
    ) -> dict[str, Any]:
        """One line as plain values, one of `count` in its section."""
        song = self._song()
        section = song.sections[place.section]
        bar = song.spec.steps_per_bar
        share = section.num_bars * bar / count
        first = section.first_bar * bar + round(place.line * share)
        last = section.first_bar * bar + round((place.line + 1) * share)
        if sung:
            first, last = sung[0].onset, sung[-1].onset + sung[-1].length
        starts = [at for at, one in enumerate(sung) if at == 0 or one.word != sung[at - 1].word]
        return {
            "index": place.index,
            "section": place.section,
            "text": "" if line is None else line.text,
            "author": "model" if line is None else line.author,
            "rhyme": place.rhyme,
            "syllables": 0 if line is None else line.syllables,
            "asked_syllables": place.plan.syllables,
            "first_step": first,
            "last_step": last,
            "words": [
                {
                    "text": "".join(one.text for one in sung[start:end]),
                    "step": sung[start].onset,
                    "syllables": [
                        {"text": one.text, "step": one.onset, "length": one.length} for one in sung[start:end]
                    ],
                }
                for start, end in pairwise([*starts, len(sung)])
            ],
        }


def _draw_lines(draft: LyricDraft) -> list[LineCandidate]:
    """`SHOWN` candidates for the next line, fewer where the model finds no more; `UserError` where it finds none."""
    found = draft.candidates()
    for _ in range(MORE_DRAWS):
        if len(found) >= SHOWN:
            break
        with suppress(UserError):
            found += draft.candidates()
    return varied(found)[:SHOWN]


def placed_lines(plan: LyricPlan) -> list[PlacedLine]:
    """The lines of a plan in the order they are sung, without those of words that nothing is sung to."""
    firsts = np.cumsum([0, *(len(section.lines) for section in plan.written)]).tolist()
    kinds = [section.kind for section in plan.written]
    letters = [_letters(section) for section in plan.written]
    found = []
    for place, section in enumerate(plan.sections):
        source = plan.source(place)
        number = 1 + kinds[:source].count(section.kind)
        for line, asked in enumerate(section.lines if section.index is not None else ()):
            position = (section.kind, number, line + 1)
            letter = letters[source][line]
            found.append(PlacedLine(firsts[source] + line, section.index or 0, line, position, asked, letter))
    return found


def _notes_of(song: Song, tracks: Sequence[int]) -> bytes:
    """The notes of some tracks, one track after the other."""
    return b"".join(song.notes[song.notes["track"] == track].tobytes() for track in tracks)


def _letters(section: SectionPlan) -> list[str]:
    """The rhyme scheme of a section: a letter for each line, empty for one that rhymes with none."""
    letters: list[str] = []
    opened = 0
    for line in section.lines:
        if line.rhymes_with is not None:
            letters.append(letters[line.rhymes_with])
        elif line.rhymes_later:
            letters.append(chr(ord("A") + opened % 26))
            opened += 1
        else:
            letters.append("")
    return letters


def _lyrics_by_number(path: Path) -> dict[int, Any]:
    return {int(lyric["number"]): lyric for lyric in written_lyrics(path)}
