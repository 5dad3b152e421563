"""The studio's requests and what answers them: a Starlette application."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Awaitable, Callable
from concurrent.futures import BrokenExecutor, CancelledError
from functools import wraps
from pathlib import Path, PurePosixPath
from typing import Any

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from pipeline.config import stage_directory
from pipeline.errors import UnusableError, UserError
from pipeline.lyrics.song.lyric import AUTHORS
from pipeline.studio.server.fields import FieldError, Fields
from pipeline.studio.server.files_of_pages import PAGE, file_within, studio_page
from pipeline.studio.server.guard import Guard, TooLargeError, refused, too_large
from pipeline.studio.server.readings import (
    SONG_FIELDS,
    VERSION_FIELDS,
    edit,
    selection_of,
    song_request_of,
    version_request_of,
)
from pipeline.studio.server.studio import Studio
from pipeline.studio.server.work import MissingError, Progress, event_stream, sentence_of, told

Handler = Callable[["StudioApi", HttpRequest], Awaitable[Response]]
MOST_LINES = 1000
"""Of a lyric."""
MOST_MORE_BARS = 64
"""Bars that a song goes on for at once."""
MAX_NAME = 100
"""Characters of a file's name."""


def studio_app(studio: Studio, hosts: tuple[str, ...]) -> ASGIApp:
    """The application of a studio whose page is at one of `hosts`, such as `127.0.0.1:8765`."""
    api = StudioApi(studio)
    session, song = "/api/sessions/{session}", "/api/sessions/{session}/songs/{number}"
    routes = [
        Route("/", api.page),
        Route("/static/{path:path}", api.static),
        Route("/album/{path:path}", api.album),
        Route("/api/sound/{name}.wav", api.sound),
        Route("/api/sessions", api.open_session, methods=["POST"]),
        Route(session, api.show_session),
        Route(f"{session}/songs", api.make_song, methods=["POST"]),
        Route(f"{session}/files", api.take_file, methods=["POST"]),
        Route(song, api.show_song),
        Route(f"{song}/versions", api.make_versions, methods=["POST"]),
        Route(f"{song}/edits", api.edit_song, methods=["POST"]),
        Route(f"{song}/continue", api.continue_song, methods=["POST"]),
        Route(f"{song}/keep", api.keep_song, methods=["POST"]),
        Route(f"{song}/words", api.take_line, methods=["POST"]),
        Route(f"{song}/words/{{line}}/candidates", api.suggest_lines),
        Route(f"{song}/title", api.name_song, methods=["POST"]),
        Route(f"{song}/files/{{kind}}", api.download),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _plainly})
    return Guard(app, studio.token, hosts)


async def _plainly(request: HttpRequest, error: Exception) -> Response:
    """The answer to an address or a method that there is not."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    return refused(status, "There is nothing here." if status == 404 else "That can't be done with this address.")


def answered(handler: Handler) -> Handler:
    """A handler that answers with a sentence where something can't be done."""

    @wraps(handler)
    async def answer(api: StudioApi, request: HttpRequest) -> Response:
        try:
            return await handler(api, request)
        except MissingError as error:
            return refused(404, str(error))
        except (UserError, UnusableError) as error:
            return refused(400, sentence_of(error))
        except TooLargeError:
            return too_large(request.url.path)
        except ClientDisconnect:
            return refused(400, "The request broke off.")
        except (BrokenExecutor, CancelledError):
            return refused(503, "What plays has stopped: ask again, or start the studio anew.")
        except HTTPException:
            raise
        except Exception as error:
            return refused(500, told(error))

    return answer


class StudioApi:
    """Answers to the requests of a studio's page; what takes time is done in threads."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    @answered
    async def page(self, request: HttpRequest) -> Response:
        """`GET /`."""
        return studio_page(self.studio.token)

    @answered
    async def static(self, request: HttpRequest) -> Response:
        """`GET /static/PATH`: the page's scripts and styles."""
        return file_within(PAGE, request.path_params["path"])

    @answered
    async def album(self, request: HttpRequest) -> Response:
        """`GET /album/PATH`: the album as it was built."""
        return file_within(stage_directory("album", self.studio.config), request.path_params["path"])

    @answered
    async def sound(self, request: HttpRequest) -> Response:
        """`GET /api/sound/HASH.wav`: the sound of a window; always the same for a name."""
        coming = self.studio.store.sound(request.path_params["name"])
        if coming is None:
            raise MissingError("This sound is not known any more: load the song again.")
        sound = await asyncio.shield(asyncio.wrap_future(coming))
        return Response(sound, media_type="audio/wav", headers={"Cache-Control": "private, max-age=604800, immutable"})

    @answered
    async def open_session(self, request: HttpRequest) -> Response:
        """`POST /api/sessions`: begin a session, or go on with one."""
        fields = await _fields(request, "session")
        name = fields.optional_text("session")
        if name is None:
            return JSONResponse({"session": await run_in_threadpool(self.studio.create_session)})
        await run_in_threadpool(self.studio.session, name)
        return JSONResponse({"session": name})

    @answered
    async def show_session(self, request: HttpRequest) -> Response:
        """`GET /api/sessions/S`: the album, its songs, what the networks can do."""
        return JSONResponse(await run_in_threadpool(self.studio.overview, request.path_params["session"]))

    @answered
    async def show_song(self, request: HttpRequest) -> Response:
        """`GET .../songs/N`."""
        name, number = _place(request)
        return JSONResponse(await run_in_threadpool(lambda: self.studio.view(name, self.studio.draft(name, number))))

    @answered
    async def make_versions(self, request: HttpRequest) -> Response:
        """`POST .../versions`: a selection made anew, several times."""
        fields = await _fields(request, "tracks", "bars", *VERSION_FIELDS)
        place, wanted = _place(request), version_request_of(fields)

        def work() -> dict[str, Any]:
            draft = self.studio.draft(*place)
            song = draft.song
            selection = selection_of(fields, song.spec)
            found = draft.versions(selection, wanted)
            return {"versions": [self.studio.version_view(song, selection, version) for version in found]}

        return JSONResponse(await run_in_threadpool(work))

    @answered
    async def edit_song(self, request: HttpRequest) -> Response:
        """`POST .../edits`: one change, and the song that came of it."""
        fields, place = await _fields(request), _place(request)

        def work() -> dict[str, Any]:
            draft = self.studio.draft(*place)
            edit(draft, fields)
            return self.studio.view(place[0], draft)

        return JSONResponse(await run_in_threadpool(work))

    @answered
    async def continue_song(self, request: HttpRequest) -> Response:
        """`POST .../continue`: more bars of all tracks."""
        fields = await _fields(request, "bars", *VERSION_FIELDS)
        place, bars = _place(request), fields.whole("bars", 1, MOST_MORE_BARS)
        wanted = version_request_of(fields)

        def work(progress: Progress) -> dict[str, Any]:
            draft = self.studio.draft(*place)
            draft.go_on(bars, wanted, self.studio.stepping(progress, "bars"))
            return self.studio.view(place[0], draft)

        return event_stream(work)

    @answered
    async def make_song(self, request: HttpRequest) -> Response:
        """`POST /api/sessions/S/songs`: a whole further song."""
        fields = await _fields(request, *SONG_FIELDS)
        name, wanted = request.path_params["session"], song_request_of(fields)

        def work(progress: Progress) -> dict[str, Any]:
            session = self.studio.session(name)
            draft = session.make_song(wanted, self.studio.stepping(progress, "sections"))
            return self.studio.view(name, draft)

        return event_stream(work)

    @answered
    async def take_file(self, request: HttpRequest) -> Response:
        """`POST /api/sessions/S/files?name=my.mid`: a file of the person's becomes a further song."""
        name, session_name = _file_name(request), request.path_params["session"]
        session = await run_in_threadpool(self.studio.session, session_name)
        folder = tempfile.TemporaryDirectory(prefix="studio-")
        path = Path(folder.name) / name
        try:
            with path.open("wb") as file:
                async for piece in request.stream():
                    file.write(piece)
        except BaseException:
            folder.cleanup()
            raise

        def work(progress: Progress) -> dict[str, Any]:
            with folder:
                progress(0, 1, f"reading {name}")
                return self.studio.view(session_name, session.add_file(path, name))

        return event_stream(work)

    @answered
    async def keep_song(self, request: HttpRequest) -> Response:
        """`POST .../keep`: write the song into the album; goes on also where the page is closed meanwhile."""
        await _fields(request, "title")
        place = _place(request)
        return event_stream(lambda progress: self.studio.keep(*place, progress))

    @answered
    async def download(self, request: HttpRequest) -> Response:
        """`GET .../files/KIND`: a file of the song as it stands."""
        place, kind = _place(request), request.path_params["kind"]
        query = Fields.of_query(request.query_params.items())
        asked = await run_in_threadpool(self.studio.asked_file, *place, kind, query)
        midi = await run_in_threadpool(asked.midi)
        if midi is not None:
            saved = {"Content-Disposition": f'attachment; filename="{asked.file_name}"'}
            return Response(midi, media_type=asked.media_type, headers=saved)
        folder = tempfile.TemporaryDirectory(prefix="studio-")
        path = Path(folder.name) / kind
        try:
            await run_in_threadpool(self.studio.write_file, asked, path)
        except BaseException:
            folder.cleanup()
            raise
        cleanup = BackgroundTask(folder.cleanup)
        return FileResponse(path, media_type=asked.media_type, filename=asked.file_name, background=cleanup)

    @answered
    async def suggest_lines(self, request: HttpRequest) -> Response:
        """`GET .../words/L/candidates?draw=0`: lines that the language model offers for a place."""
        place = _place(request)
        line, draw = request.path_params["line"], request.query_params.get("draw", "0")
        if not re.fullmatch("[0-9]{1,4}", line) or not re.fullmatch("[0-9]{1,4}", draw):
            raise FieldError("Give the number of a line, and of the draw.")

        def work() -> dict[str, Any]:
            draft = self.studio.draft(*place)
            return {"candidates": draft.words.candidates(int(line), int(draw))}

        return JSONResponse(await run_in_threadpool(work))

    @answered
    async def take_line(self, request: HttpRequest) -> Response:
        """`POST .../words`: a line is put in its place."""
        fields, place = await _fields(request, "line", "text", "author"), _place(request)
        line, text = fields.whole("line", 0, MOST_LINES), fields.text("text")
        author = fields.choice("author", AUTHORS, "person")

        def work() -> dict[str, Any]:
            draft = self.studio.draft(*place)
            draft.words.take(line, text, author)
            return self.studio.view(place[0], draft)

        return JSONResponse(await run_in_threadpool(work))

    @answered
    async def name_song(self, request: HttpRequest) -> Response:
        """`POST .../title`."""
        fields, place = await _fields(request, "title"), _place(request)
        title = fields.text("title")

        def work() -> dict[str, Any]:
            draft = self.studio.draft(*place)
            draft.words.set_title(title)
            return self.studio.view(place[0], draft)

        return JSONResponse(await run_in_threadpool(work))


def _place(request: HttpRequest) -> tuple[str, int]:
    """The session and the number of the song that a request is about."""
    number = request.path_params["number"]
    if not re.fullmatch("[1-9][0-9]{0,3}", number):
        raise MissingError("There is no such song.")
    return request.path_params["session"], int(number)


async def _fields(request: HttpRequest, *names: str) -> Fields:
    """The JSON fields of a request; where names are given there may be no others."""
    fields = Fields.parse(await request.body())
    if names:
        fields.allow(*names)
    return fields


def _file_name(request: HttpRequest) -> str:
    """The name of a file that is given, without folders."""
    name = PurePosixPath(request.query_params.get("name", "").replace("\\", "/")).name
    if not name or name in (".", "..") or len(name) > MAX_NAME or not name.isprintable():
        raise FieldError("Give the name of the file, such as ?name=my.mid.")
    return name
