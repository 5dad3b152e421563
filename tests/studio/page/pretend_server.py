"""A server for the tests of the studio's page: it answers as the studio's own does, from one song, without a model.

Sounds are sines and noise, versions are drawn by chance, and everything lives in memory.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import threading
import time
from collections.abc import AsyncIterator, Callable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import uvicorn
from numpy.typing import NDArray
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from pipeline.scores.instruments import DRUM_SETS, GENERAL_MIDI
from pipeline.songs.song import Song

PAGE = Path(__file__).resolve().parents[3] / "pipeline" / "studio" / "page"
TOKEN = "a token of the tests"
RATE_HZ = 44100
CHUNK_BARS = 2
LEAD_SECONDS = 0.05
POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'"
PROGRAMS = [name.strip() for name in GENERAL_MIDI.replace("\n", " ").split(",")]
Answer = dict[str, Any]


@dataclass
class PretendStudio:
    """One session of songs as the page sees them; each is a history of views and a place in it."""

    songs: dict[int, list[Answer]] = field(default_factory=dict)
    places: dict[int, int] = field(default_factory=dict)
    offered: dict[str, Answer] = field(default_factory=dict)
    sounds: dict[str, Callable[[], bytes]] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)
    """Paths and bodies of what was posted, in order."""
    held: bool = False
    """Whether versions are held back."""
    kept: set[int] = field(default_factory=set)
    count: int = 0

    def add(self, view: Answer) -> Answer:
        """A further song."""
        number = max(self.songs, default=0) + 1
        self.songs[number], self.places[number] = [view | {"number": number}], 0
        return self.view(number)

    def view(self, number: int) -> Answer:
        """The song as it is, with hashes of its sounds."""
        history, place = self.songs[number], self.places[number]
        view = deepcopy(history[place])
        for track in view["tracks"]:
            windows = range(-(-view["bars"] // CHUNK_BARS))
            track["chunks"] = [self.chunk(view, track, window) for window in windows]
        return view | {"version": place, "can_undo": place > 0, "can_redo": place + 1 < len(history)}

    def chunk(self, view: Answer, track: Answer, window: int) -> str | None:
        """The hash of a window of a track, None where nothing begins in it."""
        steps = view["steps_per_bar"] * CHUNK_BARS
        notes = [note for note in track["notes"] if window * steps <= note[0] < (window + 1) * steps]
        if not notes:
            return None
        seconds = view["step_seconds"]
        said = json.dumps([notes, track["program"], track["is_drum"], seconds[notes[0][0]], seconds[-1]])
        name = hashlib.sha256(said.encode()).hexdigest()[:24]
        self.sounds[name] = lambda: wav_of(
            notes, seconds, seconds[window * steps] - LEAD_SECONDS, track["is_drum"], track["program"]
        )
        return name

    def change(self, number: int, **changes: Any) -> Answer:
        """A further entry of a song's history."""
        place = self.places[number]
        entry = deepcopy(self.songs[number][place]) | changes | {"changed": True}
        self.songs[number] = [*self.songs[number][: place + 1], entry]
        self.places[number] = place + 1
        return self.view(number)

    def changed_track(self, number: int, name: str, act: Callable[[Answer], None]) -> Answer:
        """A further entry in which one track is another."""
        tracks = deepcopy(self.songs[number][self.places[number]]["tracks"])
        act(next(track for track in tracks if track["name"] == name))
        return self.change(number, tracks=tracks)

    def listed(self) -> list[Answer]:
        """The songs of the album."""
        rows = []
        for number in self.songs:
            view = self.view(number)
            row = {name: view[name] for name in ("number", "title", "key", "tempo_bpm", "bars", "changed")}
            rows.append(row | {"seconds": view["step_seconds"][-1], "kept": number in self.kept})
        return rows

    def versions(self, number: int, body: Answer) -> Answer:
        """Notes by chance in the bars and tracks that were asked for."""
        view = self.view(number)
        first, end = (bar * view["steps_per_bar"] for bar in body["bars"])
        made = []
        for index in range(body["count"]):
            seed = body["seed"] or 100 * self.count + index
            random, tracks, parts = np.random.default_rng(seed + index), deepcopy(view["tracks"]), []
            for track in tracks:
                if track["name"] not in body["tracks"]:
                    continue
                known = [note[2] for note in track["notes"]] or [60]
                each = round((body["density"] or {}).get(track["name"], 6) * (body["bars"][1] - body["bars"][0]))
                steps = sorted(set(random.integers(first, end, each).tolist()))
                notes = [[step, 1, int(random.choice(known)), 90] for step in steps]
                track["notes"] = sorted([note for note in track["notes"] if not first <= note[0] < end] + notes)
                windows = range(body["bars"][0] // CHUNK_BARS, -(-body["bars"][1] // CHUNK_BARS))
                chunks = {str(window): self.chunk(view, track, window) for window in windows}
                parts.append({"name": track["name"], "notes": notes, "chunks": chunks})
            self.count += 1
            name = f"v{self.count}"
            self.offered[name] = {"tracks": tracks}
            made.append({"id": name, "seed": seed, "tracks": parts})
        return {"versions": made}

    def edit(self, number: int, body: Answer) -> Answer:
        """What the page's edits do."""
        kind = body["kind"]
        if kind in ("undo", "redo"):
            self.places[number] += 1 if kind == "redo" else -1
            return self.view(number)
        if kind == "choose":
            return self.change(number, **self.offered[body["version"]])
        if kind == "notes":
            return self.changed_track(number, body["track"], lambda track: draw(track, body))
        if kind == "instrument":
            program = body["program"]
            named = {"program": program, "instrument": PROGRAMS[program]}
            return self.changed_track(number, body["track"], lambda track: track.update(named))
        if kind == "volume":
            return self.changed_track(number, body["track"], lambda track: turn(track, body["volume"]))
        if kind == "tempo":
            view = self.view(number)
            slower = view["tempo_bpm"] / body["tempo_bpm"]
            seconds = {name: [slower * one for one in view[name]] for name in ("step_seconds", "bar_seconds")}
            return self.change(number, tempo_bpm=body["tempo_bpm"], **seconds)
        return self.change(number, **{kind: body[kind]})


def turn(track: Answer, volume: float) -> None:
    """Another volume of a track, and the gain that follows from it."""
    track.update(volume=volume, gain=volume / 2)


def draw(track: Answer, body: Answer) -> None:
    """Adds and removes notes, and marks their bars as drawn."""
    gone = {tuple(one) for one in body["remove"]}
    track["notes"] = sorted([note for note in track["notes"] if (note[0], note[2]) not in gone] + body["add"])
    origins = list(track["origins"])
    for step in [note[0] for note in body["add"]] + [one[0] for one in body["remove"]]:
        origins[step // 16] = "d"
    track["origins"] = "".join(origins)


def view_of(song: Song, title: str) -> Answer:
    """A song as the page is told of it, without hashes."""
    spec, steps = song.spec, np.arange(song.num_steps + 1)
    seconds = [round(float(one), 6) for one in song.seconds_at(steps)]
    tracks = []
    for index, name in enumerate(spec.names):
        mine = song.notes["track"] == index
        columns = (song.notes["onset"], song.notes["length"], song.notes["pitch"], song.velocities)
        notes = [list(map(int, row)) for row in zip(*(column[mine] for column in columns), strict=True)]
        program, is_drum = song.programs[index], spec.tracks[index].is_drum
        track = {"name": name, "is_drum": is_drum, "program": program, "volume": 0.8, "gain": 0.4}
        track |= {"instrument": "standard" if is_drum else PROGRAMS[program], "pan": song.pans[index]}
        tracks.append(track | {"notes": notes, "origins": "m" * song.num_bars})
    per_bar = spec.steps_per_bar
    lines = [
        {"index": index, "section": 0, "text": text, "author": "model", "rhyme": "AB"[index % 2], "syllables": 6}
        | {
            "asked_syllables": 6 + index % 2,
            "first_step": 2 * index * per_bar,
            "last_step": (2 * index + 2) * per_bar - 2,
        }
        | {"words": [{"text": word, "step": 2 * index * per_bar + 4 * at} for at, word in enumerate(text.split())]}
        for index, text in enumerate(
            ["the harbour keeps the light", "a letter in the rain", "we hold the morning still"]
        )
        if 2 * index + 2 <= song.num_bars
    ]
    return {
        "title": title,
        "changed": False,
        "key": song.key,
        "tempo_bpm": song.tempo_bpm,
        "swing": song.swing,
        "seed": song.seed,
        "bars": song.num_bars,
        "steps_per_bar": per_bar,
        "bar_seconds": seconds[::per_bar],
        "step_seconds": seconds,
        "tracks": tracks,
        "sections": [
            {"name": one.name, "role": one.role, "first_bar": one.first_bar, "num_bars": one.num_bars}
            for one in song.sections
        ],
        "chords": song.chord_changes(),
        "lines": lines,
        "master": 0.9,
        "chunk_bars": CHUNK_BARS,
        "chunk_lead_seconds": LEAD_SECONDS,
    }


def wav_of(notes: list[list[int]], seconds: list[float], start: float, is_drum: bool, program: int) -> bytes:
    """Notes as decaying sines (or noise), from `start` on."""
    ends = [seconds[min(note[0] + note[1], len(seconds) - 1)] - start for note in notes]
    sound = np.zeros(int((max(ends) + 0.5) * RATE_HZ), np.float32)
    random = np.random.default_rng(0)
    for (step, _, pitch, velocity), end in zip(notes, ends, strict=True):
        begin = seconds[step] - start
        times = np.arange(int((0.15 if is_drum else end - begin + 0.3) * RATE_HZ)) / RATE_HZ
        wave: NDArray[Any] = np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * times)
        wave = random.standard_normal(len(times)) * 0.3 if is_drum else wave + 0.2 * np.sin(program + 9000 * times)
        wave = wave * np.exp(-times * (30 if is_drum else 4)) * np.minimum(times / 0.004, 1) * velocity / 400
        at = int(begin * RATE_HZ)
        piece = sound[at : at + len(wave)]
        piece += wave[: len(piece)].astype(np.float32)
    file = io.BytesIO()
    soundfile.write(file, np.stack([sound, sound], 1), RATE_HZ, format="WAV", subtype="PCM_16")
    return file.getvalue()


def application(studio: PretendStudio) -> Starlette:
    """The page and its answers."""

    async def page(request: Request) -> Response:
        text = (PAGE / "studio.html").read_text(encoding="utf-8").replace("{{ token }}", TOKEN)
        return HTMLResponse(text, headers={"Content-Security-Policy": POLICY})

    async def sessions(request: Request) -> Response:
        return JSONResponse({"session": "0" * 32})

    async def session(request: Request) -> Response:
        tracks = next(iter(studio.songs.values()))[0]["tracks"]
        model = {"tracks": [{"name": track["name"], "is_drum": track["is_drum"]} for track in tracks]}
        model |= {"phrase_bars": 4, "steps_per_bar": 16, "steps_per_beat": 4, "lowest_pitch": 24, "num_pitches": 84}
        instruments = [{"program": program, "name": name} for program, name in enumerate(PROGRAMS)]
        kits = [{"program": program, "name": name} for name, program in DRUM_SETS.items()]
        album = {"title": "Salt on the Window", "artist": "AlbumGAN", "name": "mine"}
        return JSONResponse(
            {"album": album, "songs": studio.listed(), "model": model | {"styles": [], "can_lyrics": True}}
            | {"instruments": instruments, "kits": kits, "qualities": ["maj", "min"]}
        )

    def number_of(request: Request) -> int:
        return int(request.path_params["number"])

    async def song(request: Request) -> Response:
        return JSONResponse(studio.view(number_of(request)))

    async def versions(request: Request) -> Response:
        body = await note(request)
        if "X" in (body["chords"] or ""):
            return JSONResponse({"error": "X is no chord."}, status_code=400)
        while studio.held:
            await asyncio.sleep(0.01)
        return JSONResponse(studio.versions(number_of(request), body))

    async def edits(request: Request) -> Response:
        return JSONResponse(studio.edit(number_of(request), await note(request)))

    async def further(request: Request) -> Response:
        await note(request)
        return stream(lambda: studio.add(studio.songs[1][0] | {"title": "A further song"}), "bars")

    async def go_on(request: Request) -> Response:
        body = await note(request)
        number = number_of(request)
        return stream(lambda: studio.change(number, **longer(studio.view(number), body["bars"])), "bars")

    async def keep(request: Request) -> Response:
        number = number_of(request)
        await note(request)
        studio.kept.add(number)
        result = {"kept": True, "album": "/album/index.html", "songs": studio.listed()}
        return stream(lambda: result, "Song 1 is being rendered")

    async def files(request: Request) -> Response:
        content, name = await request.body(), request.query_params["name"]
        studio.asked.append((f"files {name}", len(content)))
        given = deepcopy(studio.songs[1][0]) | {"title": Path(name).stem}
        for track in given["tracks"]:
            track["origins"] = "g" * given["bars"]
        if not content.startswith(b"MThd"):
            return stream(lambda: {"error": f"{name} is neither MIDI nor sound."}, "files", "error")
        return stream(lambda: studio.add(given), "files")

    async def candidates(request: Request) -> Response:
        drawn = request.query_params["draw"]
        texts = [f"line {one} of draw {drawn}" for one in range(7)]
        return JSONResponse({"candidates": [{"text": text, "syllables": 6} for text in texts]})

    async def words(request: Request) -> Response:
        body = await note(request)
        lines = studio.view(number_of(request))["lines"]
        lines[body["line"]].update(text=body["text"], author=body["author"])
        lines[body["line"]]["words"] = [{"text": body["text"], "step": lines[body["line"]]["first_step"]}]
        return JSONResponse(studio.change(number_of(request), lines=lines))

    async def title(request: Request) -> Response:
        return JSONResponse(studio.change(number_of(request), title=(await note(request))["title"]))

    async def sound(request: Request) -> Response:
        if request.headers.get("X-Studio-Token") != TOKEN:
            return JSONResponse({"error": "This request is not the page's."}, status_code=403)
        content = await asyncio.to_thread(studio.sounds[request.path_params["name"]])
        return Response(content, media_type="audio/wav", headers={"Cache-Control": "max-age=31536000, immutable"})

    async def download(request: Request) -> Response:
        right = request.query_params.get("token") == TOKEN
        headers = {"Content-Disposition": "attachment"}
        return Response(b"MThd" if right else b"", status_code=200 if right else 403, headers=headers)

    async def note(request: Request) -> Any:
        body = await request.json()
        studio.asked.append((request.url.path.rpartition("/")[2], body))
        return body

    one = "/api/sessions/{session}/songs/{number:int}"
    posted = {"versions": versions, "edits": edits, "continue": go_on, "keep": keep, "words": words, "title": title}
    return Starlette(
        routes=[
            Route("/", page),
            Route("/api/sessions", sessions, methods=["POST"]),
            Route("/api/sessions/{session}", session),
            Route("/api/sessions/{session}/songs", further, methods=["POST"]),
            Route("/api/sessions/{session}/files", files, methods=["POST"]),
            Route(one, song),
            *[Route(f"{one}/{name}", act, methods=["POST"]) for name, act in posted.items()],
            Route(one + "/words/{line:int}/candidates", candidates),
            Route(one + "/files/{name}", download),
            Route("/api/sound/{name}.wav", sound),
            Mount("/static", StaticFiles(directory=PAGE)),
        ]
    )


def longer(view: Answer, bars: int) -> Answer:
    """A song with so many bars more, silent."""
    step = view["step_seconds"][-1] - view["step_seconds"][-2]
    more = [view["step_seconds"][-1] + step * (index + 1) for index in range(bars * view["steps_per_bar"])]
    seconds = view["step_seconds"] + more
    sections = [*view["sections"], {"name": "more", "role": "verse", "first_bar": view["bars"], "num_bars": bars}]
    tracks = [track | {"origins": track["origins"] + "m" * bars} for track in view["tracks"]]
    grid = {"step_seconds": seconds, "bar_seconds": seconds[:: view["steps_per_bar"]], "bars": view["bars"] + bars}
    return grid | {"sections": sections, "tracks": tracks}


def stream(result: Callable[[], Answer], what: str, kind: str = "result") -> Response:
    """Two events of progress, then the result."""

    async def events() -> AsyncIterator[str]:
        for done in (1, 2):
            yield f"event: progress\ndata: {json.dumps({'done': done, 'total': 2, 'what': what})}\n\n"
            await asyncio.sleep(0.05)
        yield f"event: {kind}\ndata: {json.dumps(result())}\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


class PretendServer:
    """Serves a studio on a free port, in a thread."""

    def __init__(self, studio: PretendStudio, port: int = 0) -> None:
        settings = uvicorn.Config(
            application(studio), port=port, log_level="warning", lifespan="off", ws="none", loop="asyncio", http="h11"
        )
        self.server = uvicorn.Server(settings)
        self.thread = threading.Thread(target=self.server.run, daemon=True)

    def __enter__(self) -> str:
        """The address, once it answers."""
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        port = self.server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(10)
