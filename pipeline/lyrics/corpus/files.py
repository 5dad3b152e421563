"""Which files `lyrics.path` names, how large they are, and what they hold in one number."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import UserError
from pipeline.files import file_hash, fingerprint
from pipeline.lyrics.corpus.packages import PREFIX, package_files
from pipeline.places import PROGRAM
from pipeline.settings.lyrics import LyricsSettings

OWN_LYRICS = PROGRAM / "data" / "lyrics"
"""The lyrics written for this project."""
SUFFIXES = (".txt", ".md", ".csv")
"""Files of a folder that are read."""


def text_files(path: str | None) -> list[Path]:
    """The files that `lyrics.path` names, sorted; a folder is searched to the bottom for .txt, .md and .csv.

    Raises
    ------
    UserError
        When there is no such path, or no text file in it.
    """
    if path is not None and path.startswith(PREFIX):
        return package_files(path, SUFFIXES)
    place = OWN_LYRICS if path is None else Path(path).expanduser()
    try:
        if place.is_dir():
            files = sorted(file for file in place.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
        else:
            place.stat()
            files = [place]
    except FileNotFoundError:
        raise UserError(
            f"lyrics.path={place} does not exist; give a text file, or a folder of .txt, .md or .csv files."
        ) from None
    except OSError as error:
        raise UserError(f"lyrics.path={place} can't be read ({error.strerror}); give another, or allow it.") from error
    if not files:
        raise UserError(
            f"lyrics.path={place} holds no .txt, .md or .csv file; give a folder of texts, or one text file."
        )
    return files


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
