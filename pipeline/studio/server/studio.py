"""What a studio holds while it is open: the networks, the sessions of its pages, sound and its balance."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gan.chords import QUALITIES
from pipeline.audio.mastering import resample
from pipeline.audio.synthesizers import RATE_HZ, Sound, soundfont_path
from pipeline.config import Config, stage_directory
from pipeline.files import fingerprint, read_json
from pipeline.progress import say
from pipeline.rendering.record import BASSES, RECORD, play_loops, read_loops
from pipeline.scores.instruments import DRUM_SETS, instrument_name
from pipeline.songs.request import match_track
from pipeline.songs.song import Song
from pipeline.songs.sung_syllables import with_words
from pipeline.studio.server.fields import Fields
from pipeline.studio.server.keeping_apart import keep_apart
from pipeline.studio.server.sound.balance import (
    REST_SECONDS,
    Balancer,
    Place,
    SongLoudness,
    TrackNames,
    rendered_loudness,
)
from pipeline.studio.server.sound.playing import WAV_HZ, wav_bytes
from pipeline.studio.server.sound.store import SoundStore, Workers
from pipeline.studio.server.sound.windows import LEAD_SECONDS, WINDOW_BARS, record_windows, windows_of
from pipeline.studio.server.work import GoneError, MissingError, Progress
from pipeline.studio.session.draft import SongDraft
from pipeline.studio.session.model import StudioModel
from pipeline.studio.session.selection import Selection, Version
from pipeline.studio.session.studio_session import StudioSession
from pipeline.studio.session.views import notes_view, song_view

if TYPE_CHECKING:
    from pipeline.studio.server.downloads import SongDownload

MOST_AHEAD = 4
"""Windows that are played before the page asks for them: a small edit changes no more."""
RECORDS_HELD = 4
"""Sounds of the records of songs that are kept in memory."""


@dataclass(frozen=True, eq=False)
class RecordSound:
    """What the records play in a song.

    Attributes
    ----------
    loops
        The sounds of its loops, `[samples, 2]` at `RATE_HZ`.
    sound
        What is heard of them, `[samples, 2]` at `WAV_HZ`.
    files, names
        The WAV file of each window, and its name.
    """

    loops: tuple[Sound, ...]
    sound: Sound
    files: tuple[bytes, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, song: Song, loops: Sequence[Sound]) -> RecordSound:
        """The records of a song, whose loops sound like this."""
        sound = resample(play_loops(song, loops), RATE_HZ, WAV_HZ)
        files = tuple(wav_bytes(piece) for piece in record_windows(song, sound))
        return cls(tuple(loops), sound, files, tuple(hashlib.sha256(file).hexdigest()[:32] for file in files))


class Studio:
    """One run that is worked on in the browser; safe for several threads.

    `model` loads the networks, in a thread of its own.
    """

    def __init__(
        self,
        config: Config,
        model: Callable[[], StudioModel],
        players: Workers,
        patient: Workers,
        rest_seconds: float = REST_SECONDS,
    ) -> None:
        self.config, self.patient = config, patient
        self.token = secrets.token_urlsafe(32)
        self.keeping = threading.Lock()
        self.folder = stage_directory("studio", config)
        self.store = SoundStore(players, soundfont_path(config.render.soundfont), config.render.synth)
        self.balancer = Balancer(self.store, patient, config.render, self.folder / "balance.json", rest_seconds)
        self._model: Future[StudioModel] = Future()
        self._sessions: dict[str, StudioSession] = {}
        self._heard: dict[Place, set[str]] = {}
        self._records: OrderedDict[str, RecordSound] = OrderedDict()
        self._lock = threading.Lock()
        threading.Thread(target=self._load, args=(model,), daemon=True).start()

    def _load(self, model: Callable[[], StudioModel]) -> None:
        try:
            self._model.set_result(model())
        except Exception as error:
            say(f"studio: {error}")
            self._model.set_exception(error)

    @property
    def model(self) -> StudioModel:
        """The networks; waits until they are loaded. Raises `UserError` where they can't be."""
        return self._model.result()

    def create_session(self) -> str:
        """Begin a session; its name."""
        session = StudioSession(self.model)
        with self._lock:
            self._sessions[session.name] = session
        return session.name

    def session(self, name: str) -> StudioSession:
        """The session of this name, also one begun earlier. Raises `MissingError` where there is none."""
        if not re.fullmatch("[0-9a-f]{32}", name):
            raise MissingError("There is no such session.")
        model = self.model
        with self._lock:
            if name not in self._sessions:
                if not StudioSession.exists(model, name):
                    raise MissingError("There is no such session; load the page again to begin one.")
                self._sessions[name] = StudioSession(model, name)
            return self._sessions[name]

    def draft(self, session: str, number: int) -> SongDraft:
        """A song of a session. Raises `UserError` or `MissingError` where there is none."""
        return self.session(session).draft(number)

    def stepping(self, progress: Progress, what: str) -> Callable[[int, int], None]:
        """What long work tells its steps to: the page hears of them, and others have their turns."""

        def step(done: int, total: int) -> None:
            progress(done, total, what)
            self.model.lock.pass_on()

        return step

    def overview(self, name: str) -> dict[str, Any]:
        """What the page shows beside a song: the album, its songs, what can be asked for."""
        session, spec = self.session(name), self.model.spec
        songs = self.songs(session)
        title = self.config.album.title or (songs[0]["title"] if songs else self.config.name)
        return {
            "album": {"title": title, "artist": self.config.album.artist, "name": self.config.name},
            "songs": songs,
            "model": {
                "tracks": [{"name": track.name, "is_drum": track.is_drum} for track in spec.tracks],
                "phrase_bars": spec.bars,
                "steps_per_bar": spec.steps_per_bar,
                "steps_per_beat": spec.steps_per_beat,
                "lowest_pitch": spec.lowest_pitch,
                "num_pitches": spec.num_pitches,
                "styles": list(self.model.styles),
                "can_lyrics": (stage_directory("lyrics", self.config) / "model.pt").is_file(),
            },
            "instruments": [{"program": one, "name": instrument_name(one, is_drum=False)} for one in range(128)],
            "kits": [{"program": program, "name": kit} for kit, program in DRUM_SETS.items()],
            "qualities": list(QUALITIES),
        }

    def songs(self, session: StudioSession) -> list[dict[str, Any]]:
        """The list of a session's songs."""
        return [asdict(song) for song in session.songs()]

    def view(self, session: str, draft: SongDraft) -> dict[str, Any]:
        """A song as the page gets it: what `song_view` says, and its sound."""
        song, is_changed = with_words(draft.song, draft.words.syllables()), self.session(session).is_changed(draft)
        windows = windows_of(song)
        names = {track: self.store.names(own) for track, own in windows.items()}
        self._play_ahead((session, draft.number), names)
        view, record = song_view(draft), self._record_of(song)
        balance = self.balancer.balance(
            (session, draft.number),
            song,
            windows,
            names,
            loops=() if record is None else record.loops,
            record=None if record is None else record.sound,
            rendered=None if is_changed else self._rendered(song),
        )
        for index, track in enumerate(view["tracks"]):
            track["gain"] = balance.gains.get(track["name"], 1.0)
            track["chunks"] = names[index]
        if record is not None:
            view["tracks"].append(_record_track(song, balance.gains.get(RECORD, 1.0), record.names))
        return view | {
            "changed": is_changed,
            "master": balance.master,
            "balanced": balance.is_measured,
            "chunk_bars": WINDOW_BARS,
            "chunk_lead_seconds": LEAD_SECONDS,
        }

    def _play_ahead(self, place: Place, names: TrackNames) -> None:
        """Begin to play what a small edit has changed, which the page will ask for at once."""
        now = {name for track in names.values() for name in track if name}
        with self._lock:
            before, self._heard[place] = self._heard.get(place), now
        fresh = now - before if before else set()
        for name in fresh if len(fresh) <= MOST_AHEAD else ():
            self.store.sound(name)

    def version_view(self, song: Song, selection: Selection, version: Version) -> dict[str, Any]:
        """A version of a selection of a song: its notes in the selected bars, and the windows that sound different."""
        notes = notes_view(version.song, selection.first_bar, selection.end_bar)
        before, after = (windows_of(one, selection.tracks) for one in (song, version.song))
        tracks = []
        for track in selection.tracks:
            names = [self.store.names(windows[track]) for windows in (before, after)]
            selected = range(selection.first_bar // WINDOW_BARS, -(-selection.end_bar // WINDOW_BARS))
            changed = {
                str(place): new
                for place, (old, new) in enumerate(zip(*names, strict=True))
                if old != new or place in selected
            }
            tracks.append({"name": song.spec.names[track], "notes": notes[track], "chunks": changed})
        return {"id": version.id, "seed": version.seed, "tracks": tracks}

    def keep(self, session: str, number: int, progress: Progress) -> dict[str, Any]:
        """Write a song into the album, one at a time; once begun it is finished, whether or not somebody listens."""

        def tell(sentence: str) -> None:
            with suppress(GoneError):
                progress(0, 0, sentence)

        draft = self.draft(session, number)
        with self.keeping:
            draft.words.pin()
            keep_apart(self.config, draft.song, draft.words.title, tell)
        return {"kept": True, "album": "/album/index.html", "songs": self.songs(self.session(session))}

    def asked_file(self, session: str, number: int, kind: str, query: Fields) -> SongDownload:
        """What file is asked for: `track` names a track, `tracks` several, `first` and `end` are bars."""
        from pipeline.studio.server.downloads import KINDS, SongDownload  # takes a second, which a start does without

        if kind not in KINDS:
            raise MissingError(f"There is no file {kind[:40]}; there are {', '.join(KINDS)}.")
        draft = self.draft(session, number)
        words = draft.words.syllables()
        song = with_words(draft.song, words)
        names = [query.text("track")] if kind == "track.mid" else query.words("tracks", song.spec.names)
        tracks = sorted({match_track(name, song.spec, "tracks") for name in names})
        first_bar = query.whole("first", 0, song.num_bars - 1, 0)
        end_bar = query.whole("end", first_bar + 1, song.num_bars, song.num_bars)
        artist = self.config.album.artist
        return SongDownload(kind, song, words, draft.title, artist, tuple(tracks), first_bar, end_bar)

    def write_file(self, asked: SongDownload, path: Path) -> None:
        """Write a file that takes seconds to make, by another process."""
        from pipeline.studio.server.downloads import write_download

        record = self._record_of(asked.song)
        loops = () if record is None else record.loops
        self.patient.submit(write_download, path, asked, self.config.render, self.store.soundfont, loops).result()

    def _rendered(self, song: Song) -> SongLoudness | None:
        """What was measured when the album's song of this number was rendered."""
        path = stage_directory("render", self.config) / "render.json"
        entries = read_json(path)["songs"] if path.exists() else []
        entry: dict[str, Any] = next((one for one in entries if one["number"] == song.number), {})
        return rendered_loudness(entry, song, self.config.render.loudness_lufs)

    def _record_of(self, song: Song) -> RecordSound | None:
        """What the records play in a song, and the names of its windows; None where there are none."""
        if not song.loop_events:
            return None
        key = fingerprint([song.loops, song.loop_events, song.tempo_map, song.num_bars, _bass_bars(song)])
        with self._lock:
            record = self._records.get(key)
        if record is None:
            loops = read_loops(song, stage_directory("generate", self.config) / "songs")
            record = RecordSound.of(song, loops)
        with self._lock:
            self._records[key] = record
            self._records.move_to_end(key)
            while len(self._records) > RECORDS_HELD:
                self._records.popitem(last=False)
        for name, file in zip(record.names, record.files, strict=True):
            self.store.keep(name, file)
        return record

    def stop(self) -> None:
        """Begin nothing more."""
        self.balancer.stop()


def _bass_bars(song: Song) -> list[int]:
    """The bars in which a bass plays, where records have no low end."""
    tracks = [index for index, program in enumerate(song.programs) if program in BASSES]
    notes = song.notes[np.isin(song.notes["track"], tracks)]
    steps = song.spec.steps_per_bar
    return sorted({*(notes["onset"] // steps).tolist(), *((notes["onset"] + notes["length"] - 1) // steps).tolist()})


def _record_track(song: Song, gain: float, names: Sequence[str]) -> dict[str, Any]:
    """The records of a song as a track of the page."""
    return {
        "name": RECORD,
        "is_drum": False,
        "program": 0,
        "instrument": "record",
        "volume": 1.0,
        "pan": 0.0,
        "notes": [],
        "origins": "m" * song.num_bars,
        "gain": gain,
        "chunks": list(names),
    }
