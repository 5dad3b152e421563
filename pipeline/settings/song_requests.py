"""Requests of a run side by side: the album's songs, those around given notes, explorations, and what the user names.

Songs lie in `outputs/NAME/generate/REQUEST`, what is rendered of them in `outputs/NAME/render/REQUEST`, so that no
request replaces another. Words and the page belong to the request `album`.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from pipeline.errors import UserError
from pipeline.files import MANIFEST, read_manifest
from pipeline.settings.generate import ALBUM, EXPLORE, FLIP, GIVEN, GenerateSettings, request_kind, request_name

REQUEST_STAGES = ("generate", "render")
"""Stages with a folder for each request."""
STAGES_OF_THE_ALBUM = ("lyrics", "album")
"""Stages that read songs, and those of the request `album` alone."""
MEANT = {
    ALBUM: "songs from nothing",
    GIVEN: "songs around generate.given",
    EXPLORE: "phrases of generate.like or generate.interpolate",
    FLIP: "songs on records of generate.flip",
}
"""What the requests that are not named by the user are for."""
ASKS = ("request", "given", "flip", "like", "interpolate")
"""Settings of `generate` that choose the request."""


def run_directory(stage: str, name: str, request: str = ALBUM) -> Path:
    """The directory of a stage whose artefact belongs to the run `name`: `outputs/NAME/STAGE`, or a request's in it."""
    place = Path("outputs") / name / stage
    return place / request if stage in REQUEST_STAGES else place


def render_command(name: str, request: str) -> str:
    """The command line that renders a request's songs."""
    words = ["python", "-m", "pipeline", "+stage=render", f"name={name}"]
    return shlex.join(words if request == ALBUM else [*words, f"render.request={request}"])


def settle_request(stage: str, name: str, generate: GenerateSettings, rendered: str, explicit: tuple[str, ...]) -> None:
    """Let `generate.request` name the folder of the songs that a stage makes or reads.

    Parameters
    ----------
    stage, name
        What is to be made, and the run.
    generate
        Settings, those of finished songs taken over; its `request` is changed.
    rendered
        `render.request`.
    explicit
        Keys that the user gave.

    Raises
    ------
    UserError
        The settings ask for songs of one request, and the stage would make or read those of another.
    """
    request = request_name(generate)
    if generate.request is None and request == FLIP and stage in STAGES_OF_THE_ALBUM:
        request = ALBUM
    typed = next((f"generate.{key}={getattr(generate, key)}" for key in ASKS if f"generate.{key}" in explicit), None)
    for key, value in (("generate.request", request), ("render.request", rendered)):
        if not re.fullmatch(r"[\w-]+", value):
            raise UserError(f"{key}={value} can't be a folder: use letters, digits, - and _.")
    if stage in ("generate", *STAGES_OF_THE_ALBUM) and rendered != ALBUM:
        raise UserError("render.request belongs to +stage=render; generate.request names what +stage=generate makes.")
    if stage == "generate":
        _check_kind(request, request_kind(generate))
    elif stage == "render":
        if request != rendered and typed:
            raise UserError(f"{typed} is for the request {request}, not {rendered}: give render.request={request} too.")
        if typed:
            _check_kind(request, request_kind(generate))
        if request != rendered and read_manifest(run_directory("generate", name, rendered)) is None:
            raise _not_made(name, rendered)
        request = rendered
    elif request != ALBUM and stage in STAGES_OF_THE_ALBUM:
        raise UserError(
            f"{typed}: +stage={stage} takes the songs of the album. +stage=generate makes these, and "
            f"+stage=render render.request={request} plays them."
        )
    else:
        request = ALBUM
    generate.request = request


def _check_kind(request: str, kind: str) -> None:
    """Refuse a name that stands for another kind of songs, in whatever case, as some file systems ignore it."""
    on_records = request == ALBUM and kind == FLIP  # an album may be one on records
    if request.casefold() in MEANT and request != kind and not on_records:
        raise UserError(
            f"generate.request={request} is for {MEANT[request.casefold()]}, and these are {MEANT[kind]}: "
            "take another name."
        )


def _not_made(name: str, rendered: str) -> UserError:
    """Says which requests there are."""
    place = Path("outputs") / name / "generate"
    there = sorted(path.parent.name for path in place.glob(f"*/{MANIFEST}") if not path.parent.name.startswith("."))
    listed = f"; there are {', '.join(there)}" if len(there) > 1 else f"; there is {there[0]}" if there else ""
    return UserError(
        f"render.request={rendered}: {place} has no finished songs of that name{listed}. +stage=generate makes them."
    )
