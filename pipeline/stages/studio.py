"""Songs composed, changed and kept in the browser: `python -m pipeline +stage=studio name=mine`.

Serves a page on 127.0.0.1 until Ctrl-C; what is done there lies in `outputs/NAME/studio` at once. With
`studio.export=DIR` it writes a page that needs no server, see `pipeline.studio.export`.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.audio.synthesizers import check_synth, soundfont_path
from pipeline.config import Config, stage_directory
from pipeline.devices import prepare_torch
from pipeline.errors import UserError
from pipeline.stage_table import Outcome, Plan
from pipeline.studio.export.static_page import export_page
from pipeline.studio.server.serving import serve

EXPORT_BYTES = 100_000_000
"""Most bytes of a page to give away."""


def inputs(config: Config) -> dict[str, str]:
    """Nothing besides the artefacts of other stages; also checks what can be checked before anything runs."""
    config.studio.check()
    config.render.check()
    check_synth(config.render.synth)
    soundfont_path(config.render.soundfont)
    return {}


def plan(config: Config) -> Plan:
    """What will be opened. Raises `UserError` where there are no networks."""
    checkpoint = stage_directory("train", config) / "checkpoint.pt"
    if not checkpoint.is_file():
        raise UserError(
            f"{checkpoint} is missing, and without networks no music can be made: run +stage=album name={config.name} "
            "first, or leave out upstream=refuse."
        )
    if config.studio.export is not None:
        return Plan("writes a page with the networks and the songs, a minute or so.", EXPORT_BYTES)
    return Plan(f"opens {config.name}; what is changed lies in {stage_directory('studio', config)} at once.", 1_000_000)


def run(config: Config, directory: Path) -> Outcome:
    """Serve until Ctrl-C, or write the page to give away."""
    prepare_torch(config)
    if config.studio.export is not None:
        export_page(config, Path(config.studio.export).expanduser())
        return Outcome()
    serve(config, stage_directory("train", config) / "checkpoint.pt")
    return Outcome()
