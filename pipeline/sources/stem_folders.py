"""Stems as source separation programs (Demucs, Spleeter, Open-Unmix) write them: a folder a song, a file a source."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import Path, PurePath

from pipeline.errors import UserError
from pipeline.files import fingerprint
from pipeline.formats import is_recording

STEMS = ("drums", "bass", "vocals", "other", "guitar", "piano")
"""Names of their files, whatever the format; the last two are written by models of six stems."""


def stem_of(name: str) -> str:
    """The stem that a file is by its name, such as `drums`; empty where it is none."""
    stem = PurePath(name).stem.lower()
    return stem if stem in STEMS and is_recording(name) else ""


def is_separated(names: Iterable[str]) -> bool:
    """Whether files of these names in one folder are the stems of a song: drums, bass, and the voice or the rest."""
    stems = {stem_of(name) for name in names}
    return {"drums", "bass"} <= stems and not stems.isdisjoint(("vocals", "other"))


def stems_in(folder: Path) -> dict[str, Path]:
    """The stems that lie in a folder, by name; nothing where it can't be read."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("._"))
    except OSError:
        return {}
    return {stem: path for path in reversed(paths) if (stem := stem_of(path.name))}


def stem_folders(setting: str) -> dict[str, dict[str, Path]]:
    """The stems of each song below the folder that `transcribe.stems` names, by the plain name of the song's folder.

    Songs lie in it or one folder further down, as Demucs has a folder for each model; of several models the one that
    separated the most stems counts.

    Raises
    ------
    UserError
        There is no such folder, or no stem in it.
    """
    root = Path(setting).expanduser()
    if not root.is_dir():
        raise UserError(f"transcribe.stems={setting} is no folder: give the one that holds a folder of stems a song.")
    songs: dict[str, dict[str, Path]] = {}
    for folder in (root, *_folders(root), *(inner for one in _folders(root) for inner in _folders(one))):
        stems = stems_in(folder)
        if len(stems) > len(songs.get(plain_name(folder.absolute().name), ())):
            songs[plain_name(folder.absolute().name)] = stems
    if not songs:
        raise UserError(
            f"transcribe.stems={setting} holds no stems: its folders, one a song, have drums.wav, bass.wav, vocals.wav "
            "and other.wav, as Demucs, Spleeter and Open-Unmix write them."
        )
    return songs


def stems_fingerprint(setting: str) -> str:
    """Fingerprint of the stems below the folder that `transcribe.stems` names, by size and time; raises `UserError`."""
    paths = sorted(path for stems in stem_folders(setting).values() for path in stems.values())
    return fingerprint([(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in paths])


def plain_name(name: str) -> str:
    """A name without capitals, its letters composed."""
    return unicodedata.normalize("NFC", name).casefold()


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError:
        return []
