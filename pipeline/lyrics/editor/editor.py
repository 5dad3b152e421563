"""The editor of one song: a person and the model write it line by line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from pipeline.errors import UserError
from pipeline.lyrics.corpus.song_lyrics import WORD, capitalised
from pipeline.lyrics.editor.commands import HELP, Command, CommandKind, cleaned, parse_command
from pipeline.lyrics.editor.screen import LINES_SHOWN, next_line_text, rule, song_text
from pipeline.lyrics.editor.session import Session, SessionLine, SessionSong, last_word, plan_fingerprint
from pipeline.lyrics.phonetics.rhyme import rhymes
from pipeline.lyrics.phonetics.syllables import syllables_of
from pipeline.lyrics.song.line_sampling import LineCandidate
from pipeline.lyrics.song.lyric import NextLine
from pipeline.lyrics.song.plan import LyricPlan
from pipeline.lyrics.song.writer import LyricDraft, LyricWriter

SHOWN = 7
"""Candidates on the screen: the best ones of those drawn."""
PROMPT = "a number, your own line, Enter for other lines, ? for help > "
END_PROMPT = "Enter goes on, b goes back, t My Title names it > "


class SongEditor:
    """Offers lines for one song, asks for commands, and keeps what is taken.

    Parameters
    ----------
    writer, number, plan
        Make the song's `LyricDraft`, which reads the model, when the song is come to.
    session
        Keeps what is taken.
    read, show
        Ask for a line after a prompt, and print.
    """

    def __init__(
        self,
        writer: LyricWriter,
        number: int,
        plan: LyricPlan,
        session: Session,
        read: Callable[[str], str],
        show: Callable[[str], None],
    ) -> None:
        self.writer, self.number, self.plan, self.session = writer, number, plan, session
        self.read, self.show = read, show
        self.kept = session.songs.setdefault(number, SessionSong())
        self.lines: list[SessionLine] = []
        """Those that were taken, of all that are kept."""
        self.offers: list[list[LineCandidate]] = []
        """What the model offered for the next line, the latest at the end."""
        self.begun: LyricDraft | None = None

    @property
    def song(self) -> LyricDraft:
        """The song as far as its lines are taken; those that are kept are taken first."""
        if self.begun is None:
            self.begun = self.writer.begin(self.number, self.plan)
            if self.kept.lines and self.kept.plan != plan_fingerprint(self.plan):
                self.show(f"Song {self.number} has another plan than its lines were written for; those that fit stay.")
            self._tell_left_out(self.kept.refit(self.plan))
            self._fill(self.begun)
            self.session.save()
        return self.begun

    def write(self) -> bool:
        """Write the song to its end; False where the person went back before its beginning."""
        while self.song.next_line is not None or not self.kept.done:
            place = self.song.next_line
            if not (self._end() if place is None else self._next(place)):
                return False
        return True

    def take_back(self) -> bool:
        """Take the last line away; False where there is none that was not given."""
        song = self.song
        if not self.lines:
            return False
        song.back()
        line = self.lines.pop()
        self.kept.lines.remove(line)
        self.kept.done, self.kept.num_redraws, self.offers = False, 0, []
        self.session.save()
        self.show(f'  taken away: "{line.text}"')
        return True

    def _fill(self, song: LyricDraft) -> None:
        """Take the lines that are kept of the places that come next, until one is missing."""
        later = {line.position: line for line in self.kept.lines if line not in self.lines}
        while (place := song.next_line) is not None:
            line = later.pop((place.kind, place.number, place.line + 1), None)
            if line is None:
                break
            song.take(line.text if line.spelt is None else LineCandidate(line.spelt, line.syllables, 0.0), line.author)
            self.lines.append(line)
        if song.next_line is None and later:  # lyrics.prompt took its place
            self._tell_left_out(later.values())
            later.clear()
        self.kept.lines = [*self.lines, *later.values()]
        self.kept.done = self.kept.done and song.next_line is None

    def _tell_left_out(self, lines: Iterable[SessionLine]) -> None:
        for line in lines:
            self.show(f'  has no place in it any more: "{line.text}"')

    def _next(self, place: NextLine) -> bool:
        """Ask for the next line; False where the person went back before the first one."""
        offered = self._offered()
        total = sum(len(section.lines) for section in self.plan.written)
        self.show(rule(self._name(), f"line {len(self.song.taken) + 1} of {total}"))
        if lines := self._so_far():
            self.show(song_text(lines, LINES_SHOWN))
        self.show(next_line_text(place, offered))
        while True:
            command = self._next_command(PROMPT, len(offered))
            if command.kind is CommandKind.PICK:
                one = offered[command.number - 1]
                return self._take(place, one.line, "model", one)
            if command.kind is CommandKind.WRITE:
                return self._take(place, command.text, "person")
            if command.kind is CommandKind.EDIT and self._edit(place, offered[command.number - 1]):
                return True
            if command.kind is CommandKind.AGAIN:
                self.kept.num_redraws += 1
                self.session.save()
                return True
            if command.kind is CommandKind.BACK:
                return self.take_back()
            if command.kind is CommandKind.FINISH:
                return self._finish()

    def _end(self) -> bool:
        """Show the whole song; False where the person went back from a song that has no line of its own."""
        lyric = self.song.lyric()
        authors = [one.author for one in self.song.taken]
        parts = [("by the model", authors.count("model")), ("by you", authors.count("person"))]
        parts += [("changed by you", authors.count("edited"))]
        self.show(rule(self._name(lyric.title), "all lines are written"))
        self.show(song_text(self._so_far()))
        self.show(f"\n  Lines {', '.join(f'{what}: {number}' for what, number in parts if number)}.\n")
        while True:
            command = self._next_command(END_PROMPT, 0)
            if command.kind is CommandKind.BACK:
                return self.take_back()
            if command.kind in (CommandKind.AGAIN, CommandKind.FINISH):
                self.kept.done = True
                self.session.save()
                return True
            if command.kind not in (CommandKind.HELP, CommandKind.TITLE, CommandKind.UNCLEAR):
                self.show("All lines are written: b takes the last one away.")

    def _name(self, otherwise: str = "") -> str:
        """The song's number, and its title where it has one."""
        title = self.kept.title or otherwise
        return f"song {self.number}: {title[:40]}" if title else f"song {self.number}"

    def _so_far(self) -> list[SessionLine]:
        """The lines of the song, with the one that `lyrics.prompt` gave."""
        given = [one.line for one in self.song.taken if one.given]
        kind = self.plan.written[0].kind
        return [*(SessionLine(kind, 1, 1, line, "person", self._syllables(line)) for line in given), *self.lines]

    def _offered(self) -> list[LineCandidate]:
        """The best candidates for the next line; none where the model finds none."""
        try:
            while len(self.offers) <= self.kept.num_redraws:
                self.offers.append(self.song.candidates())
        except UserError as error:
            if not self.offers:
                self.show(capitalised(f"{error} Or write this line yourself."))
                return []
            self.show("There are no others.")
            self.kept.num_redraws = len(self.offers) - 1
        return varied(self.offers[-1])[:SHOWN]

    def _next_command(self, prompt: str, num_candidates: int) -> Command:
        """What the person does next; help, a title and what can't be done are answered here, too."""
        try:
            command = parse_command(self.read(prompt), num_candidates)
        except EOFError:
            self.show("")
            command = Command(CommandKind.LEAVE)
        except UnicodeError:
            command = Command(CommandKind.UNCLEAR, text="That could not be read as text.")
        if command.kind is CommandKind.HELP:
            self.show(HELP)
        elif command.kind is CommandKind.UNCLEAR:
            self.show(command.text)
        elif command.kind is CommandKind.TITLE:
            self.kept.title = command.text
            self.session.save()
            self.show(f"This song is called {command.text}.")
        elif command.kind is CommandKind.LEAVE:
            self.session.save()
            self.show(f"All lines are in {self.session.path}.")
            raise KeyboardInterrupt
        return command

    def _edit(self, place: NextLine, candidate: LineCandidate) -> bool:
        """Let the person change a candidate; whether the outcome was taken."""
        with offered_for_editing(candidate.line) as is_filled_in:
            if not is_filled_in:
                self.show(f"How should it be? {candidate.line}")
            try:
                answer = cleaned(self.read("> "))
            except (EOFError, UnicodeError):
                answer = ""
        if not answer:
            self.show("Nothing is taken.")
            return False
        if answer == cleaned(candidate.line):
            return self._take(place, candidate.line, "model", candidate)
        command = parse_command(f"w {answer}", 0)
        if command.kind is not CommandKind.WRITE:
            self.show(command.text)
            return False
        return self._take(place, command.text, "edited")

    def _finish(self) -> bool:
        """The model's best line for each place that is left."""
        while (place := self.song.next_line) is not None and (offered := self._offered()):
            self.show(f"  {offered[0].line}")
            self._take(place, offered[0].line, "model", offered[0])
        return True

    def _take(self, place: NextLine, text: str, author: str, candidate: LineCandidate | None = None) -> bool:
        """Put a line in its place, save, and say kindly what it misses where it is a person's."""
        song = self.song
        song.take(text if candidate is None else candidate, author)
        syllables, spelt = (
            (self._syllables(text), None) if candidate is None else (candidate.syllables, candidate.spelt)
        )
        later = self.kept.lines[len(self.lines) :]
        self.lines.append(SessionLine(place.kind, place.number, place.line + 1, text, author, syllables, spelt))
        self.kept.lines = [*self.lines, *later]
        self.kept.num_redraws, self.offers = 0, []
        self._fill(song)
        self.session.save()
        if candidate is None and (remarks := list(self._remarks(place, text, syllables))):
            self.show(f"  Taken as it is: {'; '.join(remarks)}.")
        return True

    def _remarks(self, place: NextLine, text: str, syllables: int) -> Iterator[str]:
        """What a person may like to know of a line of theirs."""
        if syllables != place.plan.syllables:
            yield f"{syllables} {'syllable' if syllables == 1 else 'syllables'}, not {place.plan.syllables}"
        last, partner = last_word(text), last_word(place.rhyme or "")
        if partner and not rhymes(last, partner):
            yield f'"{last}" again' if last == partner else f'"{last}" does not rhyme with "{partner}"'
        avoided = dict.fromkeys(word.lower() for word in WORD.findall(text) if self.writer.lexicon.avoids(word))
        if avoided:
            yield f"with {' and '.join(avoided)}, which lyrics.avoid names"

    def _syllables(self, text: str) -> int:
        return len(syllables_of(text, self.writer.lexicon.english))


def varied(candidates: Sequence[LineCandidate]) -> list[LineCandidate]:
    """The best line of each last word, then the second best of each, and so on; in their order otherwise."""
    seen: Counter[str] = Counter()
    ranks = []
    for one in candidates:
        last = last_word(one.line)
        ranks.append(seen[last])
        seen[last] += 1
    return [one for _, one in sorted(zip(ranks, candidates, strict=True), key=lambda pair: pair[0])]


@contextmanager
def offered_for_editing(text: str) -> Iterator[bool]:
    """The next line that is read at the terminal has `text` in it already; whether it can be so on this machine."""
    try:
        import readline
    except ImportError:
        yield False
        return
    readline.set_startup_hook(lambda: readline.insert_text(text))
    try:
        yield True
    finally:
        readline.set_startup_hook(None)
