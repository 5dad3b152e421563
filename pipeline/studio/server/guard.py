"""The studio's door: an ASGI layer that lets in only what the studio's own page asks for, and limits what is sent.

A page of another site can send requests to a server on this machine, and by a name of its own that leads here even
read the answers (DNS rebinding). So the name in `Host` must be this machine's, `Origin` and `Sec-Fetch-Site` must be
the page's own, and whatever reads or changes songs needs the token that stands in the page.
"""

from __future__ import annotations

import hmac
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN_HEADER = "x-studio-token"
OWN_SITES = ("same-origin", "none")
"""Values of `Sec-Fetch-Site`: the page itself, and an address that a person typed or a file dragged out."""
MAX_BYTES = 1_000_000
"""Of a request's body."""
MAX_FILE_BYTES = 32_000_000
"""Of a file that is given."""
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' data: blob:; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
ALBUM_POLICY = (
    "default-src 'self' data: blob:; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "connect-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Of the album's pages, whose scripts stand in them."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class TooLargeError(Exception):
    """More bytes came than are taken."""


class Guard:
    """Refuses requests that do not come from the studio's page, then hands them on to `app`.

    Attributes
    ----------
    token
        What the page knows.
    hosts
        What a request may call this server, such as `127.0.0.1:8765`.
    """

    def __init__(self, app: ASGIApp, token: str, hosts: tuple[str, ...]) -> None:
        self.app, self.token, self.hosts = app, token, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return  # the server speaks neither of lifespans nor through web sockets
        path = scope["path"]
        policy = ALBUM_POLICY if path.startswith("/album/") else POLICY

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = policy
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send_guarded)
            return
        await self.app(scope, _limited(receive, path), send_guarded)

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        """Why a request is not let in, or None."""
        headers = Headers(scope=scope)
        if headers.getlist("host") not in [[host] for host in self.hosts]:
            return refused(403, f"This server answers at http://{self.hosts[0]}/ only.")
        origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
        is_api = scope["path"].startswith("/api/")
        is_visit = headers.get("sec-fetch-mode") == "navigate" and not is_api
        if origin not in (None, *(f"http://{host}" for host in self.hosts)) or (site not in OWN_SITES and not is_visit):
            return refused(403, "Only the studio's own page may ask for this.")
        if is_api and not self._has_token(scope, headers):
            return refused(401, "The token is missing or of another start of the studio: load the page again.")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > _most(scope["path"]):
            return too_large(scope["path"])
        return None

    def _has_token(self, scope: Scope, headers: Headers) -> bool:
        """Whether the request has the token: in its header, or in the address where something is read."""
        given = headers.get(TOKEN_HEADER)
        if given is None and scope["method"] in ("GET", "HEAD"):
            query = parse_qs(scope["query_string"].decode("latin-1"), errors="replace")
            given = query.get("token", [""])[0]
        return hmac.compare_digest((given or "").encode("utf-8", "replace"), self.token.encode())


def _most(path: str) -> int:
    return MAX_FILE_BYTES if path.endswith("/files") else MAX_BYTES


def _limited(receive: Receive, path: str) -> Receive:
    """`receive`, which raises `TooLargeError` where more comes than is taken."""
    most, total = _most(path), 0

    async def receive_limited() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > most:
            raise TooLargeError
        return message

    return receive_limited


def refused(status: int, sentence: str) -> JSONResponse:
    """An answer that says in a sentence why there is no other."""
    return JSONResponse({"error": sentence}, status)


def too_large(path: str) -> JSONResponse:
    """The answer to what is larger than is taken."""
    return refused(413, f"That is more than the {_most(path) // 1_000_000} MB that are taken.")
