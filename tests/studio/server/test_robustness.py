"""Malformed requests, broken files and ten pages at once: no crash, no traceback, no song in another's session.

`STUDIO_REQUESTS=10000 STUDIO_FILES=200 python -m pytest tests/studio/server/test_robustness.py` tries more of them.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import random
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from starlette.types import ASGIApp

from pipeline.studio.server.studio import Studio
from tests.song_makers import write_quartet
from tests.studio.server.asgi_page import Answer, Page, ask
from tests.xml_makers import write_parts, xml_note

NUM_REQUESTS = int(os.environ.get("STUDIO_REQUESTS", "1000"))
NUM_FILES = int(os.environ.get("STUDIO_FILES", "8"))
WORDS: tuple[Any, ...] = (
    None, True, 0, -1, 3.5, 1e308, -1e999, 2**70, "", "Bass", "\x00", "x" * 900, "../../etc/passwd", "\ud800", [], {},
    [1], [[1]], [[0, 4, 60, 90]], [2, 4], [-4, 2], [4, 2], [0, 10**9], ["Bass"], ["Nobody"], {"Bass": 6}, {"Bass": "x"},
    "Am F C G", "Q7", "E minor", "anew", "undo", [[-1, 1, 1, 1]], [["a"]], [None], {"a": {"b": [1]}},
)  # fmt: skip
FIELDS = (
    "tracks", "bars", "mode", "count", "seed", "chords", "key", "density", "temperature", "condition_strength",
    "tempo_bpm", "kind", "version", "track", "add", "remove", "program", "swing", "volume", "session", "line", "text",
    "author", "title", "form", "nonsense",
)  # fmt: skip
KINDS = ("choose", "notes", "instrument", "tempo", "swing", "volume", "key", "undo", "redo", "burn")
PLACES = (
    "", "/songs/1", "/songs/1/edits", "/songs/1/versions", "/songs/1/words", "/songs/1/title", "/songs/1/continue",
    "/songs/1/words/0/candidates?draw=0", "/songs/1/words/x/candidates", "/songs/99", "/songs/0", "/songs/-1",
    "/songs/" + "9" * 5000, "/songs/1/files/song.mid", "/songs/1/files/track.mid?track=x",
    "/songs/1/files/selection.mid?first=-1&end=x", "/songs/1/files/loops.zip?first=9&end=1", "/files?name=",
    "/files?name=../../x.mid", "/songs/1/%2e%2e/2", "/songs/1/files/..%2f..%2fx", "/songs//1", "/words",
)  # fmt: skip
ELSEWHERE = (
    "/", "/static/../app.py", "/album/%2e%2e/train/checkpoint.pt", "/album/..%5c..%5cx", "/api", "/api/sound/x.wav",
    "/api/sound/../../x.wav", "/api/sessions", "/api/sessions/" + "0" * 32, "/api/sessions/../x", "//", "*", "/\udcff",
    "/api/sessions/" + "f" * 400, "/album/\x00",
)  # fmt: skip
METHODS = (*("GET",) * 5, *("POST",) * 12, "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "BREW", "")


def malformed(chance: random.Random, session: str, headers: dict[str, str]) -> tuple[str, str, Any, bytes]:
    """A request that is wrong in some way, or happens to be right."""
    path = session + chance.choice(PLACES) if chance.random() < 0.8 else chance.choice(ELSEWHERE)
    sent = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    if chance.random() < 0.2:
        sent[chance.randrange(len(sent))] = (
            chance.choice((b"host", b"origin", b"x-studio-token")),
            chance.randbytes(9),
        )
    if chance.random() < 0.1:
        sent.append((b"content-length", chance.choice((b"-1", b"x", b"9" * 40, b"\xb2"))))
    values = {chance.choice(FIELDS): chance.choice(WORDS) for _ in range(chance.randrange(6))}
    if chance.random() < 0.4:
        values["kind"] = chance.choice(KINDS)
    body = json.dumps(values).encode()
    if chance.random() < 0.2:
        place = chance.randrange(len(body) + 1)
        body = body[:place] + chance.randbytes(chance.randrange(4)) + body[place + chance.randrange(2) :]
    if chance.random() < 0.05:
        body = chance.choice((b"[" * 50_000, b'{"a":' * 9_000, b"9" * 9_000, b"\xff" * 100, b"null", b'"x"', b"NaN"))
    return chance.choice(METHODS), path, sent, body


def test_malformed_requests_get_a_sentence(page: Page, session: str, capfd: pytest.CaptureFixture[str]) -> None:
    chance, statuses = random.Random(19), Counter[int]()

    async def all_of_them() -> None:
        for _ in range(NUM_REQUESTS):
            method, path, headers, body = malformed(chance, session, page.headers)
            answer = await ask(page.app, method, path, headers, body)
            statuses[answer.status] += 1
            assert answer.status < 500, (method, path, body, answer.body)
            if answer.status >= 400 and method != "HEAD":
                assert answer.json["error"].endswith("."), (method, path, body, answer.body)

    page.runner.run(all_of_them())
    assert {400, 401, 403, 404, 405} <= set(statuses), statuses
    assert "Traceback" not in capfd.readouterr().err


def whole_files(folder: Path) -> dict[str, bytes]:
    """A right file of each kind."""
    write_quartet(folder / "a.mid", bars=4)
    write_parts(folder / "a.musicxml", ("Piano", [xml_note(step, 4, 4) * 4 for step in "CDEFGABC"]))
    tone = np.sin(np.arange(44100) / 20).astype(np.float32)
    soundfile.write(folder / "a.wav", tone, 44100)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    files["a.abc"] = b"X:1\nT:A\nM:4/4\nL:1/4\nK:C\n" + b"CDEF|GABc|" * 4 + b"\n"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "META-INF/container.xml", '<container><rootfiles><rootfile full-path="a.xml"/></rootfiles></container>'
        )
        archive.writestr("a.xml", files["a.musicxml"])
    return files | {"a.mxl": packed.getvalue(), "a.zip": packed.getvalue()}


def mutated(chance: random.Random, whole: bytes) -> bytes:
    """A file with some bytes changed, or cut off."""
    broken = bytearray(whole)
    for _ in range(chance.randrange(1, 12)):
        broken[chance.randrange(len(broken))] = chance.randrange(256)
    return bytes(broken[: chance.randrange(len(broken))] if chance.random() < 0.3 else broken)


def test_mutated_files_are_taken_or_refused_in_a_sentence(page: Page, session: str, tmp_path: Path) -> None:
    chance, files = random.Random(7), whole_files(tmp_path)
    outcomes = Counter[str]()
    for _ in range(NUM_FILES):
        name = chance.choice(sorted(files))
        answer = page.post(f"{session}/files?name={name}", mutated(chance, files[name]))
        if answer.status == 200:
            kind, told = answer.events[-1]
            outcomes[kind] += 1
            assert kind == "result" or told["error"].endswith("."), (name, told)
            assert "mistake" not in str(told.get("error")), (name, told)
        else:
            assert answer.status == 400
    assert outcomes["error"]


def test_ten_pages_at_once_do_not_mix_their_songs(page: Page, studio: Studio, app: ASGIApp) -> None:
    async def work(number: int) -> Answer:
        session = f"/api/sessions/{(await page.posting('/api/sessions', {})).json['session']}"
        for step in range(2):
            edit = {"kind": "notes", "track": "Bass", "add": [[16 * step, 1 + number, 40 + number, 60 + number]]}
            assert (await page.posting(f"{session}/songs/1/edits", edit)).status == 200
            asked = {"tracks": ["Alto"], "bars": [4, 6], "count": 1, "seed": number}
            found = (await page.posting(f"{session}/songs/1/versions", asked)).json["versions"]
            if found:
                choice = {"kind": "choose", "version": found[0]["id"]}
                assert (await page.posting(f"{session}/songs/1/edits", choice)).status == 200
        return await ask(page.app, "GET", f"{session}/songs/1", page.headers)

    async def together() -> list[Answer]:
        return await asyncio.gather(*(work(number) for number in range(10)))

    for number, answer in enumerate(page.runner.run(together())):
        drawn = [note for note in answer.json["tracks"][3]["notes"] if note[2:] == [40 + number, 60 + number]]
        assert drawn == [[16 * step, 1 + number, 40 + number, 60 + number] for step in range(2)]
        heard = Counter(tuple(note[2:]) for note in answer.json["tracks"][3]["notes"])
        assert not {(40 + other, 60 + other) for other in range(10) if other != number} & set(heard)
