"""Zip archives, unpacked into the content store without trusting what they say of themselves."""

from __future__ import annotations

import errno
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path, PurePosixPath

from pipeline.errors import UnusableError
from pipeline.formats import PROJECT_FOLDERS, is_recording, other_format, printable
from pipeline.settings.data import CollectSettings
from pipeline.sources.content_store import keep

MOST_RATIO = 200
"""What a real file shrinks to is more than 1/200 of it; music seldom goes below 1/20."""
SMALL_BYTES = 1_000_000
"""A file may shrink as it likes where it is not larger than that."""
BYTES_A_NAME = 1_000
"""Of the table of contents, for one file, at most."""
ENCRYPTED = 1
"""The flag of a member with a password."""


@dataclass(frozen=True)
class FoundFile:
    """A file that belongs to a data set, or the reason why there is none."""

    where: str
    """Its path; empty where nothing came of it."""
    source: str
    """What it is called: a path, a link, an archive and the name in it."""
    problem: str = ""
    name: str = ""
    """The file's own name, where that is not the end of `source`."""
    remark: str = ""
    """What else is to be said of it."""


def is_zip(name: str) -> bool:
    """Whether a file of this name is a zip archive (`.mxl`, a packed MusicXML score, is read as it is)."""
    return name.lower().endswith(".zip")


def max_bytes_of(name: str, settings: CollectSettings) -> int:
    """How large a file of this name may be."""
    megabytes = settings.max_recording_megabytes if is_recording(name) else settings.max_file_megabytes
    return int(megabytes * 1e6)


def too_large(name: str, settings: CollectSettings) -> str:
    """Why a file of this name that is larger than it may be is not taken."""
    return f"too large: more than {max_bytes_of(name, settings) / 1e6:g} MB"


def unpack_archive(
    archive: Path, source: str, pattern: str, wanted: Callable[[str], bool], settings: CollectSettings
) -> Iterator[FoundFile]:
    """Keep the members of an archive that are `wanted` by their names and lie below or match `pattern` (empty: all).

    Music in formats that are not read comes with that as its problem.

    Raises
    ------
    UnusableError
        The archive can't be read, or is not what it seems; members before that have been given.
    """
    try:
        check_contents(archive, settings)
        with zipfile.ZipFile(archive) as file:
            found = [one for one in file.infolist() if _matches(one, pattern)]
            members = [one for one in found if wanted(one.filename) or is_zip(one.filename)]
            members = [one for one in members if not project_around(one.filename)]
            total = sum(one.file_size for one in members)
            if total > settings.max_archive_megabytes * 1e6:
                raise UnusableError(
                    f"the archive unpacks to {total / 1e6:,.0f} MB, more than "
                    f"collect.max_archive_megabytes={settings.max_archive_megabytes:g}"
                )
            for member in members:
                yield _take(file, member, f"{source}/{printable(member.filename)}", settings)
            taken = set(map(id, members))
            others = [project_around(one.filename) or one.filename for one in found if id(one) not in taken]
            for name in dict.fromkeys(others):
                if other_format(name):
                    yield FoundFile("", f"{source}/{printable(name)}", other_format(name))
    except PermissionError as error:
        raise UnusableError("can't be read: permission denied") from error
    except UnusableError:
        raise
    except Exception as error:  # a damaged archive makes the library raise all kinds
        raise UnusableError(f"broken archive: {printable(str(error))[:100]}") from error


def project_around(name: str) -> str:
    """The project folder, such as `demos/One.band`, that a file of this path lies in; empty where in none."""
    around = (str(place) for place in PurePosixPath(name).parents if place.suffix.lower() in PROJECT_FOLDERS)
    return next(around, "")


def _matches(member: zipfile.ZipInfo, pattern: str) -> bool:
    """Whether a member is a file that the pattern asks for; what a Mac adds beside each file is not."""
    path = PurePosixPath(member.filename)
    mode = member.external_attr >> 16
    if member.is_dir() or stat.S_ISLNK(mode) or path.name.startswith("._") or "__MACOSX" in path.parts:
        return False
    name, pattern = member.filename.lstrip("/"), pattern.strip("/")
    return not pattern or name == pattern or name.startswith(f"{pattern}/") or fnmatchcase(name, pattern)


def _take(file: zipfile.ZipFile, member: zipfile.ZipInfo, source: str, settings: CollectSettings) -> FoundFile:
    """Keep one member, or say why not."""
    limit = max_bytes_of(member.filename, settings)
    problem = ""
    if is_zip(member.filename):
        problem = "an archive inside an archive: unpack it first"
    elif member.flag_bits & ENCRYPTED:
        problem = "has a password: unpack the archive yourself and list the files"
    elif member.file_size > limit:
        problem = too_large(member.filename, settings)
    elif member.file_size > max(SMALL_BYTES, MOST_RATIO * member.compress_size):
        problem = "a zip bomb: unpacks to more than 200 times its size"
    else:
        try:
            path = keep(partial(file.open, member), PurePosixPath(member.filename).suffix.lower(), limit)  # type: ignore[arg-type]
            return FoundFile(str(path), source)
        except NotImplementedError:
            problem = "packed in a way that can't be read here: pack it as an ordinary zip archive"
        except Exception as error:  # a damaged archive makes the library raise all kinds
            # OSError without a number of its own or with this one comes of a wrong place in the table of contents
            if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
                problem = f"can't be unpacked: {printable(str(error))[:100]}"
            else:
                problem = "broken archive: this file in it is damaged"
    return FoundFile("", source, problem)


def check_contents(archive: Path, settings: CollectSettings) -> None:
    """Raise `UnusableError` for a table of contents that is too long to be read into memory."""
    with archive.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 70_000))  # the end record, after which a comment may have 65,535 bytes
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + 22 > len(tail):
        raise UnusableError("broken archive: it has no table of contents; perhaps only a part of it is there")
    num_files, num_bytes = struct.unpack_from("<HI", tail, at + 10)
    wide = tail.rfind(b"PK\x06\x06")
    if 0xFFFF in (num_files, num_bytes >> 16) and 0 <= wide <= len(tail) - 48:
        num_files, num_bytes = struct.unpack_from("<QQ", tail, wide + 32)
    most = settings.max_archive_files
    if num_files > most or num_bytes > most * BYTES_A_NAME:
        raise UnusableError(f"the archive holds more than collect.max_archive_files={most} files")
