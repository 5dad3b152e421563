"""A session of the studio: one person's drafts of the album's songs and of further ones, on disk after every edit."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import RLock

from pipeline.config import Config, stage_directory
from pipeline.errors import UserError
from pipeline.files import file_hash, lock, write_json
from pipeline.settings.song_requests import run_directory
from pipeline.songs.compose.song_composer import SongComposer
from pipeline.songs.form import FORMS
from pipeline.songs.song import Song
from pipeline.studio.kept.kept_songs import kept_path
from pipeline.studio.session.draft import SongDraft, untitled
from pipeline.studio.session.given_song_file import song_of_file
from pipeline.studio.session.history import HISTORY, SongHistory
from pipeline.studio.session.model import StudioModel
from pipeline.studio.session.version_making import LARGEST_SEED

MOST_SONGS = 99
"""Numbers that an album has."""
SESSION = "session.json"


@dataclass(frozen=True)
class SongRequest:
    """What a whole further song is to be like; None leaves it to chance, or to the settings of the run."""

    chords: str | None = None
    key: str | None = None
    tempo_bpm: float | None = None
    form: str | None = None
    density: dict[str, float] | None = None
    temperature: float = 1.0
    condition_strength: float = 1.0
    seed: int | None = None


@dataclass(frozen=True)
class SongSummary:
    """What a list of songs says of one.

    Attributes
    ----------
    kept
        Whether it was kept for the album.
    changed
        Whether the session's song is another than the album's.
    """

    number: int
    title: str
    key: str
    tempo_bpm: float
    seconds: float
    bars: int
    kept: bool
    changed: bool


class StudioSession:
    """The drafts of one person; safe for several threads.

    Parameters
    ----------
    model
        Makes music and words.
    name
        32 hexadecimal digits; a session that is on disk is gone on with, another begins. None draws one.

    Raises
    ------
    UserError
        The name is none.
    """

    def __init__(self, model: StudioModel, name: str | None = None) -> None:
        self.model, self.name = model, secrets.token_hex(16) if name is None else name
        self.directory = session_directory(model.config, self.name)
        self._lock = RLock()
        self._drafts: dict[int, SongDraft] = {}
        if not (self.directory / SESSION).exists():
            write_json(self.directory / SESSION, {"run": model.config.name})

    @classmethod
    def exists(cls, model: StudioModel, name: str) -> bool:
        """Whether a session of this name is on disk."""
        return (session_directory(model.config, name) / SESSION).exists()

    def songs(self) -> list[SongSummary]:
        """The album's songs as they are in this session, and its further ones, by number."""
        with self._lock:
            sources, mine = album_songs(self.model.config), set(self._further())
            return [
                self._summary(number, self.draft(number).song if number in mine else Song.load(sources[number]))
                for number in sorted({*sources, *mine})
            ]

    def draft(self, number: int) -> SongDraft:
        """Song `number` as it is in this session. Raises `UserError` where there is none."""
        with self._lock:
            if number not in self._drafts:
                self._drafts[number] = SongDraft(self.model, self._opened(number))
            else:
                self._renew(number)
            return self._drafts[number]

    def add_file(self, path: Path, name: str) -> SongDraft:
        """A file of the person's as a further song, all of whose cells are given.

        Raises
        ------
        UserError
            One sentence on what is wrong with the file.
        """
        number = self._new_number()
        try:
            song, remarks = song_of_file(path, name, number, self.model)
        except UserError as error:
            self._give_up(number)
            raise UserError(str(error).replace(f"file={path}", name)) from error
        return self._begin(song, {"name": Path(name).stem, "remarks": list(remarks)}, "file")

    def make_song(self, request: SongRequest, progress: Callable[[int, int], None]) -> SongDraft:
        """A whole further song; `progress` is told how many of its sections are made, of how many.

        Raises
        ------
        UserError
            What is requested makes no sense.
        """
        if request.form is not None and request.form not in FORMS:
            raise UserError(f"There is no form {request.form}; there are {', '.join(sorted(FORMS))}.")
        number = self._new_number()
        seed = secrets.randbelow(LARGEST_SEED) if request.seed is None else request.seed
        try:  # with networks of its own, so that others need not wait
            config = composing(self.model.config, request, number, seed)
            song = SongComposer(config, self.model.checkpoint, progress).make(number)
        except UserError as error:
            self._give_up(number)
            raise UserError(str(error).replace("generate.", "")) from error
        except BaseException:
            self._give_up(number)
            raise
        return self._begin(song, {}, "composed", seed)

    def _begin(self, song: Song, facts: dict[str, object], action: str, seed: int | None = None) -> SongDraft:
        with self._lock:
            history = SongHistory(self._folder(song.number))
            history.facts = dict(facts)
            history.add(song, action, seed)
            self._drafts[song.number] = SongDraft(self.model, history)
            return self._drafts[song.number]

    def _summary(self, number: int, song: Song) -> SongSummary:
        config, draft = self.model.config, self._drafts.get(number)
        return SongSummary(
            number=number,
            title=draft.title if draft is not None else self.model.words.title(number) or untitled(number),
            key=song.key,
            tempo_bpm=song.tempo_bpm,
            seconds=song.seconds,
            bars=song.num_bars,
            kept=kept_path(config, number).exists(),
            changed=draft is not None and self.is_changed(draft),
        )

    def is_changed(self, draft: SongDraft) -> bool:
        """Whether a draft is another song than the album's, or there is none of its number."""
        source = album_songs(self.model.config).get(draft.number)
        return source is None or file_hash(source) != file_hash(draft.history.directory / draft.history.now.file)

    def _folder(self, number: int) -> Path:
        return self.directory / "songs" / f"{number:02d}"

    def _further(self) -> list[int]:
        """Numbers of the songs that are on disk in this session."""
        return [int(path.parent.name) for path in self.directory.glob(f"songs/[0-9]*/{HISTORY}")]

    def _opened(self, number: int) -> SongHistory:
        """The history of a song, which begins with the album's."""
        history = SongHistory(self._folder(number))
        if history.entries:
            return history
        source = album_songs(self.model.config).get(number)
        if source is None:
            raise UserError(f"There is no song {number}.")
        song = Song.load(source)
        self.model.check_song(song)
        history.facts = {"base": file_hash(source)}
        history.add(song, "opened")
        return history

    def _renew(self, number: int) -> None:
        """Take the album's song again where it was made anew meanwhile and nothing was edited here."""
        history, source = self._drafts[number].history, album_songs(self.model.config).get(number)
        base = history.facts.get("base")
        if source is not None and base is not None and len(history.entries) == 1 and file_hash(source) != base:
            song = Song.load(source)
            self.model.check_song(song)
            history.entries, history.position, history.facts = [], -1, {"base": file_hash(source)}
            history.add(song, "opened")
            self._drafts[number] = SongDraft(self.model, history)

    def _new_number(self) -> int:
        """A number that no song of the album or of any session has; its folder is there from now on."""
        config = self.model.config
        sessions = run_directory("studio", config.name) / "sessions"
        with lock(sessions / "numbers"):
            taken = {int(path.name) for path in sessions.glob("*/songs/[0-9]*") if path.name.isdigit()}
            number = 1 + max({0, *taken, *album_songs(config)})
            if number > MOST_SONGS:
                raise UserError(f"An album has at most {MOST_SONGS} songs; delete sessions in {sessions}.")
            self._folder(number).mkdir(parents=True)
        return number

    def _give_up(self, number: int) -> None:
        """Free a number that nothing came of."""
        self._folder(number).rmdir()


def session_directory(config: Config, name: str) -> Path:
    """Where a session lies. Raises `UserError` for a name that is none."""
    if not re.fullmatch("[0-9a-f]{32}", name):
        raise UserError("A session is named by 32 hexadecimal digits.")
    return run_directory("studio", config.name) / "sessions" / name


def album_songs(config: Config) -> dict[int, Path]:
    """The files of the album's songs by number; of one that was kept the kept one."""
    folders = (stage_directory("generate", config) / "songs", kept_path(config, 0).parent)
    return {int(path.stem): path for folder in folders for path in sorted(folder.glob("[0-9]*.npz"))}


def composing(config: Config, request: SongRequest, number: int, seed: int) -> Config:
    """The settings that compose a further song."""
    generate = replace(
        config.generate,
        songs=number,
        seed=seed,
        rerolls=[],
        chords=request.chords,
        key=request.key,
        tempo_bpm=request.tempo_bpm,
        tempo_range_bpm=None if request.tempo_bpm is not None else config.generate.tempo_range_bpm,
        form=request.form,
        density=request.density,
        temperature=request.temperature,
        condition_strength=request.condition_strength,
        given=None,
        flip=None,
        like=None,
        interpolate=None,
    )
    return replace(config, generate=generate)
