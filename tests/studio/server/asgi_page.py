"""A page's requests to the studio's application, without a network: for tests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message

HOST = "127.0.0.1:8765"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[tuple[str, Any]]:
        """The events of a stream: (kind, data)."""
        blocks = [block.split("\n") for block in self.body.decode().split("\n\n") if block.startswith("event")]
        return [(kind.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for kind, data in blocks]


async def ask(
    app: ASGIApp,
    method: str,
    path: str,
    headers: Mapping[str, str] | list[tuple[bytes, bytes]],
    body: bytes | list[bytes] = b"",
    leaves_after: int | None = None,
) -> Answer:
    """What the application answers; `leaves_after` so many pieces of the answer the page is gone."""
    path, _, query = path.partition("?")
    pieces = list(body) if isinstance(body, list) else [body]
    raw = headers if isinstance(headers, list) else [(k.lower().encode(), v.encode()) for k, v in headers.items()]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("utf-8", "replace"),
        "query_string": query.encode("utf-8", "replace"),
        "root_path": "",
        "headers": raw,
        "client": ("127.0.0.1", 40000),
        "server": ("127.0.0.1", 8765),
    }
    sent: list[Message] = []
    gone = asyncio.Event()

    async def receive() -> Message:
        if pieces:
            return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)
        if leaves_after is not None and len(sent) > leaves_after:
            gone.set()

    await app(scope, receive, send)
    start = sent[0]
    shown = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
    return Answer(start["status"], shown, b"".join(one.get("body", b"") for one in sent[1:]))


class Page:
    """Asks as the studio's page does."""

    def __init__(self, app: ASGIApp, token: str, runner: asyncio.Runner) -> None:
        self.app, self.runner = app, runner
        self.headers = {"Host": HOST, "X-Studio-Token": token, "Origin": f"http://{HOST}"}

    def get(self, path: str) -> Answer:
        return self.runner.run(ask(self.app, "GET", path, self.headers))

    def post(self, path: str, values: Any) -> Answer:
        return self.runner.run(self.posting(path, values))

    async def posting(self, path: str, values: Any) -> Answer:
        body = values if isinstance(values, bytes) else json.dumps(values).encode()
        return await ask(self.app, "POST", path, self.headers, body)
