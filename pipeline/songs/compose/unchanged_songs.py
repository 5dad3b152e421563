"""Incremental generation: songs of a finished artefact that settings and checkpoint would give again, byte for byte."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.files import Manifest, fingerprint
from pipeline.songs.compose.rerolls import history_of, read_rerolls
from pipeline.songs.song import Song

MOST_SONGS = 99
NOT_OF_A_SONG = ("generate.songs", "generate.rerolls")
"""Settings that do not touch a song by themselves: how many there are, and the rerolls of others."""
KEPT = "kept."
"""How inputs begin that are songs kept in the studio; each replaces one song, and touches no other."""


def song_fingerprint(settings: Mapping[str, Any], inputs: Mapping[str, str], format_number: int, number: int) -> str:
    """Changes exactly when song `number` may: it depends on its own rerolls alone.

    `settings` are those of `generate` by dotted key, `inputs` the fingerprints of what is read.
    """
    own = {key: value for key, value in settings.items() if key not in NOT_OF_A_SONG}
    read = {key: value for key, value in inputs.items() if not key.startswith(KEPT)}
    rerolls = read_rerolls(settings.get("generate.rerolls", ()), MOST_SONGS, "generate.rerolls")
    history = history_of(rerolls, number)
    return fingerprint([format_number, own, read, history.times, history.sections])


def unchanged_songs(
    found: Manifest | None,
    directory: Path,
    settings: Mapping[str, Any],
    inputs: Mapping[str, str],
    format_number: int,
    numbers: Iterable[int],
) -> dict[int, Path]:
    """Files of the songs that would come out the same, by number.

    Parameters
    ----------
    found, directory
        The finished artefact, None where there is none, and where it lies.
    settings, inputs, format_number
        Those of the artefact to be made.
    numbers
        Of the songs that are wanted.
    """
    if found is None:
        return {}
    unchanged = {}
    for number in numbers:
        name = f"songs/{number:02d}.npz"
        new = song_fingerprint(settings, inputs, format_number, number)
        same = new == song_fingerprint(found.settings, found.inputs, found.format, number)
        was_kept = f"{KEPT}{number:02d}" in found.inputs
        if same and not was_kept and _is_whole(directory / name, found.files.get(name)):
            unchanged[number] = directory / name
    return unchanged


def _is_whole(path: Path, num_bytes: int | None) -> bool:
    """Whether a song is as its stage left it."""
    try:
        return path.stat().st_size == num_bytes and bool(Song.load(path))
    except (OSError, UserError):
        return False
