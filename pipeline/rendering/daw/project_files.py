"""The projects of one song beside its other files, as `render.daw` asks for them."""

from __future__ import annotations

from pathlib import Path

from pipeline.audio.files import Tags
from pipeline.rendering.daw.dawproject import write_dawproject
from pipeline.rendering.daw.rpp import write_rpp_zip
from pipeline.rendering.mix import Mix
from pipeline.settings.render import RenderSettings


def write_projects(directory: Path, name: str, mix: Mix, tags: Tags, settings: RenderSettings) -> dict[str, str]:
    """Write them; `name` is how the song's files begin. Returns the files by kind, relative to the directory."""
    files = {}
    for kind in settings.projects:
        if kind == "dawproject":
            files[kind] = f"{name}.dawproject"
            write_dawproject(
                directory / files[kind], mix.song, tags.title, mix.stems, settings.sample_rate_hz, tags.artist
            )
        else:
            files[kind] = f"{name}.rpp.zip"
            write_rpp_zip(directory / files[kind], mix.song, tags.title, mix.stems, settings.sample_rate_hz)
    return files
