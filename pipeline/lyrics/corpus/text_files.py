"""The files that `lyrics.path` names, in folders or installed packages: their sizes and fingerprint."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from importlib import metadata
from pathlib import Path, PurePosixPath

from pipeline.config import PROGRAM
from pipeline.errors import UserError
from pipeline.files import file_hash, fingerprint
from pipeline.formats import TEXTS
from pipeline.settings.lyrics import LyricsSettings

PREFIX = "package:"
"""How a `lyrics.path` begins that names a package."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""What a package may be called."""
ABOUT = ("readme", "license", "licence", "copying", "notice", "authors", "changelog", "changes", "requirements")
"""How files begin that tell about a package and are no texts of it."""
SHOWN_FOLDERS = 5
"""Folders that a message names."""


def package_files(path: str, suffixes: Collection[str]) -> list[Path]:
    """The texts inside an installed package, sorted.

    Parameters
    ----------
    path
        `package:NAME` for all of them, `package:NAME/inner/path` for one folder or one file, as `pip show -f NAME`
        lists it. A file that is named outright is taken whatever its suffix.
    suffixes
        What texts end with, in small letters: `.txt`.

    Raises
    ------
    UserError
        When there is no such package, no such path in it, or no text at that path.
    """
    name, _, inner = path.removeprefix(PREFIX).rstrip("/").partition("/")
    if not NAME.fullmatch(name):
        raise UserError(f"lyrics.path={path} names no package; give package:NAME, or package:NAME/inner/path.")
    try:
        members = metadata.files(name) or []
    except metadata.PackageNotFoundError:
        raise UserError(
            f"lyrics.path={path}: the package {name} is not installed; `pip install {name}` installs it."
        ) from None
    within = [member for member in members if PurePosixPath(inner) in (member, *member.parents)]
    if inner and not within:
        raise UserError(f"lyrics.path={path}: {name} holds no {inner}; {_whereabouts(name, members, suffixes)}.")
    texts = [member for member in within if member == PurePosixPath(inner) or _is_text(member, suffixes)]
    files = sorted(file for member in texts if (file := Path(str(member.locate()))).is_file())
    if not files:
        kinds = ", ".join(sorted(suffixes))
        raise UserError(
            f"lyrics.path={path} holds no text ({kinds}); {_whereabouts(name, members, suffixes)}; give another "
            "package, or a folder of texts."
        )
    return files


def _is_text(member: PurePosixPath, suffixes: Collection[str]) -> bool:
    """Whether a file is a text for people that is not about the package."""
    described = member.parts[0].endswith((".dist-info", ".egg-info")) or member.name.lower().startswith(ABOUT)
    return member.suffix.lower() in suffixes and not described


def _whereabouts(name: str, members: Collection[PurePosixPath], suffixes: Collection[str]) -> str:
    """Says which folders of a package hold texts."""
    folders = sorted({str(member.parent) for member in members if _is_text(member, suffixes)})
    if not folders:
        return f"`pip show -f {name}` lists its files"
    rest = f" and {len(folders) - SHOWN_FOLDERS} more" if len(folders) > SHOWN_FOLDERS else ""
    return f"its texts lie in {', '.join(folders[:SHOWN_FOLDERS])}{rest}"


OWN_LYRICS = PROGRAM / "data" / "lyrics"
"""The lyrics written for this project."""
TEXT_SUFFIXES = (*TEXTS, ".csv")
"""Files of a folder that are read."""
PASSED_OVER = {
    **dict.fromkeys((".html", ".htm"), "give one as lyrics.path, or save its text as .txt"),
    **dict.fromkeys((".doc", ".docx", ".odt", ".rtf", ".pages", ".pdf", ".epub"), "save the text as .txt"),
    **dict.fromkeys((".json", ".tsv", ".xlsx", ".ods"), "save the texts as .txt, or as a table in .csv"),
    **dict.fromkeys((".cho", ".crd", ".chordpro", ".chopro"), "name them .txt, and chords are taken out"),
    **dict.fromkeys((".ass", ".ssa", ".sub", ".ttml"), "save the subtitles as .srt"),
}
"""Files of a folder that hold texts in a form that is not read, and what to do."""


def text_files(path: str | None) -> list[Path]:
    """The files that `lyrics.path` names, sorted; a folder is searched to the bottom for the `TEXT_SUFFIXES`.

    Raises
    ------
    UserError
        When there is no such path, or no text file in it.
    """
    if path is not None and path.startswith(PREFIX):
        return package_files(path, TEXT_SUFFIXES)
    place = OWN_LYRICS if path is None else Path(path).expanduser()
    try:
        if place.is_dir():
            files = sorted(file for file in place.rglob("*") if file.suffix.lower() in TEXT_SUFFIXES and file.is_file())
        else:
            place.stat()
            files = [place]
    except FileNotFoundError:
        raise UserError(
            f"lyrics.path={place} does not exist; give a text file ({', '.join(TEXT_SUFFIXES)}), or a folder of such."
        ) from None
    except OSError as error:
        raise UserError(f"lyrics.path={place} can't be read ({error.strerror}); give another, or allow it.") from error
    if not files:
        raise UserError(
            f"lyrics.path={place} holds no {', '.join(TEXT_SUFFIXES[:-1])} or {TEXT_SUFFIXES[-1]} file; give a folder "
            "of texts, or one text file."
        )
    return files


def passed_over(path: str | None) -> dict[str, int]:
    """How many files of each suffix in `PASSED_OVER` lie in the folder that `lyrics.path` names."""
    if path is None or path.startswith(PREFIX):
        return {}
    suffixes = (file.suffix.lower() for file in Path(path).expanduser().rglob("*"))
    return dict(sorted(Counter(suffix for suffix in suffixes if suffix in PASSED_OVER).items()))


def text_size(settings: LyricsSettings) -> tuple[int, int]:
    """How many files there are to read, and their bytes; none of them is opened."""
    files = text_files(settings.path)
    return len(files), sum(map(file_size, files))


def file_size(path: Path) -> int:
    """Bytes of a file; 0 where it is gone or out of reach, which reading it will say."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def files_fingerprint(settings: LyricsSettings) -> str:
    """Fingerprint of the bytes of all files in their order, wherever they lie and whatever they are called."""
    return fingerprint([_hash(file) for file in text_files(settings.path)])


def _hash(path: Path) -> str:
    try:
        return file_hash(path)
    except OSError:
        return "out of reach"
