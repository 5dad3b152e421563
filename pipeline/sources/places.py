"""Places in the cells of a spreadsheet: the path or link that people mean by what they write there."""

from __future__ import annotations

import glob
import os
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath
from urllib.parse import SplitResult, parse_qs, unquote, urlencode, urlsplit, urlunsplit

from pipeline.errors import UnusableError
from pipeline.sources.archives import is_zip

LINK = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
"""Begins a link."""
QUOTES = ('""', "''", "\u201c\u201d", "\u201e\u201c", "\u2018\u2019", "\u00ab\u00bb", "<>", "``")
WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\|//")
"""Begins a path with a drive's letter, or one of a network."""
SEPARATORS = re.compile(r"\s*[\n;|]\s*|,\s+")
"""Between several files in one cell."""
NO_PLACE = ("-", "--", "\u2013", "\u2014", "?", "n/a", "na", "none", "null", "tbd", "missing", "todo")
"""What people write where there is no file."""
PLAYERS = {
    "youtube.com": "YouTube",
    "youtu.be": "YouTube",
    "spotify.com": "Spotify",
    "soundcloud.com": "SoundCloud",
    "music.apple.com": "Apple Music",
    "itunes.apple.com": "Apple Music",
    "deezer.com": "Deezer",
    "tidal.com": "Tidal",
    "vimeo.com": "Vimeo",
    "mixcloud.com": "Mixcloud",
    "audiomack.com": "Audiomack",
    "tiktok.com": "TikTok",
    "instagram.com": "Instagram",
    "facebook.com": "Facebook",
}
"""Servers whose pages play music and give no file."""
PLAYER_SCHEMES = {"spotify": "Spotify", "deezer": "Deezer", "tidal": "Tidal", "itms": "Apple Music"}
DRIVES = {
    "drive.google.com": "Google Drive",
    "docs.google.com": "Google Drive",
    "dropbox.com": "Dropbox",
    "onedrive.live.com": "OneDrive",
    "1drv.ms": "OneDrive",
    "sharepoint.com": "SharePoint",
    "icloud.com": "iCloud",
    "mega.nz": "Mega",
    "wetransfer.com": "WeTransfer",
    "we.tl": "WeTransfer",
    "box.com": "Box",
    "mediafire.com": "MediaFire",
}
"""Servers that often show a page instead of the file."""


def settle(text: str, link: str, folder: Path) -> str:
    """The place that a cell means: its text, or the `link` behind it where the text names neither a link nor a file.

    Quotes are taken off, `www.` becomes a link and a `file://` link a path.
    """
    text = bare(text)
    if link and not is_link(text) and not (text and _is_there(text, folder)):
        text = bare(link)
    if text.lower().startswith("www."):
        return f"https://{text}"
    if text.lower().startswith("file:"):
        rest = unquote(text[5:])
        host, slash, path = rest[2:].partition("/") if rest.startswith("//") else ("", "", rest)
        path = f"{slash}{path}"
        if host not in ("", "localhost", "127.0.0.1") and not re.fullmatch("[A-Za-z]:", host):
            return f"//{host}{path}"  # of a network
        path = f"{host}{path}" if host.endswith(":") else path
        return path[1:] if WINDOWS.match(path[1:]) else path
    return text


def bare(text: str) -> str:
    """A cell without spaces and pairs of quotes around it."""
    text = text.replace("\u00a0", " ").replace("\u200b", "").strip(" \n\t\ufeff")
    for pair in QUOTES:
        if len(text) > 2 and text[0] == pair[0] and text[-1] == pair[1]:
            return bare(text[1:-1])
    return text


def is_link(where: str) -> bool:
    """Whether a cell holds a link of any kind."""
    return LINK.match(where) is not None or where.lower().startswith(("www.", "file:"))


def is_web(where: str) -> bool:
    """Whether a cell holds a link that is fetched."""
    return where.lower().startswith(("http://", "https://")) and not player_of(where)


def player_of(where: str) -> str:
    """The service whose page or name for a recording this is, such as `YouTube`; empty for what may be a file."""
    scheme = re.match(r"([a-z]+):", where.lower())
    if scheme and scheme[1] in PLAYER_SCHEMES:
        return PLAYER_SCHEMES[scheme[1]]
    address = _address(where)
    if address is None:
        return ""
    host = (address.hostname or "").lower()
    if host.endswith(".bandcamp.com") and re.match(r"/(track|album)/", address.path):
        return "Bandcamp"
    return _by_host(host, PLAYERS)


def drive_of(url: str) -> str:
    """The cloud drive that a link leads to, such as `Dropbox`; else empty."""
    address = _address(url)
    return _by_host((address.hostname or "").lower(), DRIVES) if address else ""


def direct_link(url: str) -> str:
    """The link to the file itself where a drive's link shows a page about it: of Dropbox, Google Drive and GitHub."""
    address = _address(url)
    if address is None:
        return url
    host, query = (address.hostname or "").lower(), parse_qs(address.query, keep_blank_values=True)
    if _by_host(host, {"dropbox.com": "Dropbox"}) and address.path.startswith(("/s/", "/scl/fi/")):
        return urlunsplit(address._replace(query=urlencode(query | {"dl": ["1"]}, doseq=True)))
    if host == "drive.google.com":
        found = re.match(r"/file/(?:u/\d+/)?d/([\w-]+)", address.path)
        name = found[1] if found else query.get("id", [""])[0] if address.path in ("/open", "/uc") else ""
        return f"https://drive.google.com/uc?export=download&id={name}" if name else url
    if host == "github.com" and re.match(r"/[^/]+/[^/]+/blob/", address.path):
        return urlunsplit(address._replace(path=address.path.replace("/blob/", "/raw/", 1), query=""))
    return url


def _address(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _by_host(host: str, names: dict[str, str]) -> str:
    return next((name for server, name in names.items() if host == server or host.endswith(f".{server}")), "")


def places_on_disk(where: str, folder: Path) -> tuple[list[tuple[str, str]], str]:
    """Paths of what a cell names on this machine, each with the pattern of what is meant in an archive; and a remark.

    A path may be written for another system: backslashes, `%20`, other case, composed or decomposed letters. Of an
    absolute path of another machine its end is looked for below `folder`, where relative paths begin; then the remark
    says so. Nothing where nothing is there. Raises OSError, ValueError or RuntimeError for what is no path.
    """
    spellings = list(dict.fromkeys(_spellings(where)))
    for text in spellings:
        if found := _places(text, folder):
            return found, ""
    for text in spellings:
        if path := _whatever_case(_path(text, folder)):
            return [(str(path), "")], ""
    tail = _tail_below(spellings[-1], folder)
    if tail is None:
        several = [_places(one, folder) for one in SEPARATORS.split(where)]
        return [place for places in several for place in places] if len(several) > 1 and all(several) else [], ""
    return [(str(tail), "")], f"taken from beside the list: {where} is not there"


def explain_absence(where: str) -> str:
    """Why a cell names nothing on this machine."""
    player = player_of(where)
    if player:
        return f"a {player} page: it plays music and gives no file; list a file of your own"
    link = LINK.match(where)
    if link:
        return f"{link[1].lower()} links are not followed: give a path or an http(s) link"
    if where.lower() in NO_PLACE:
        return "the row does not say where the file is"
    if WINDOWS.match(where):
        return "a path of another machine: put the file beside the list, or list where it lies on this one"
    return "nothing matches" if glob.has_magic(where) else "not there"


def _spellings(where: str) -> Iterator[str]:
    """What is written, and what may be meant by it."""
    yield where
    if re.search("%[0-9A-Fa-f]{2}", where):
        where = unquote(where)
        yield where
    for form in ("NFC", "NFD"):
        yield unicodedata.normalize(form, where)
    if "\\" in where:
        where = where.replace("\\", "/")
        yield where


def _path(text: str, folder: Path) -> Path:
    path = Path(text).expanduser()
    return path if path.is_absolute() else folder / path


def _is_there(text: str, folder: Path) -> bool:
    """Whether a text names a file, or several."""
    try:
        return any(not Path(path).is_dir() for path, _ in places_on_disk(text, folder)[0])
    except (OSError, ValueError, RuntimeError):
        return False


def _places(text: str, folder: Path) -> list[tuple[str, str]]:
    """What lies at a path as it is written: a file, a folder, a part of an archive, or what a pattern matches."""
    path = _path(text, folder)
    if path.exists() or path.is_symlink():
        return [(str(path), "")]
    return _in_archive(path) or _matching(text, folder)


def _in_archive(path: Path) -> list[tuple[str, str]]:
    """The archive that a path such as `songs.zip/folder/*.mid` leads into, and the rest of the path."""
    for place in path.parents:
        if is_zip(place.name) and place.is_file():
            return [(str(place), path.relative_to(place).as_posix())]
    return []


def _matching(pattern: str, folder: Path) -> list[tuple[str, str]]:
    """The files that `*`, `?` or `[...]` in a path mean, in order; `**` goes through all folders below."""
    if not glob.has_magic(pattern):
        return []
    pattern = os.path.expanduser(pattern)  # noqa: PTH111 - a Path would drop what ends the pattern
    names = glob.glob(pattern, root_dir=folder, recursive=True)  # noqa: PTH207 - a folder's own name may hold brackets
    paths = [folder / name for name in sorted(names, key=os.fsencode)]
    return [(str(path), "") for path in paths if path.is_file()]


def _whatever_case(path: Path) -> Path | None:
    """The one file whose path differs from this in capitals only, or in the form of its letters; None for several."""
    found = [Path(path.anchor)] if path.is_absolute() else [Path()]
    for part in path.parts[1:] if path.is_absolute() else path.parts:
        whole = [place / part for place in found if (place / part).exists()]
        found = whole or [
            place / name
            for place in found
            if place.is_dir()
            for name in _names_in(place, place.stat().st_mtime_ns).get(_plain(part), ())
        ]
        if not found:
            return None
    return found[0] if len(found) == 1 else None


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


@lru_cache(maxsize=64)
def _names_in(folder: Path, changed: int) -> dict[str, list[str]]:
    """The names in a folder, which was last `changed` then, by what is left of them without capitals."""
    names: dict[str, list[str]] = {}
    for path in folder.iterdir():
        names.setdefault(_plain(path.name), []).append(path.name)
    return names


def _tail_below(text: str, folder: Path) -> Path | None:
    """Of an absolute path that is not there: what lies at the longest end of it below the folder; None for nothing."""
    if not (text.startswith(("/", "~")) or WINDOWS.match(text)):
        return None
    parts = [part for part in PurePosixPath(text).parts[1:] if part not in ("..", "/")]
    for begin in range(len(parts)):
        path = _whatever_case(folder.joinpath(*parts[begin:]))
        if path and path.is_file():
            return path
    return None


def check_place(where: str) -> None:
    """Raise `UnusableError` for a cell that names no place on this machine, whatever lies on it."""
    if not where:
        raise UnusableError("the row does not say where the file is")
    if player_of(where) or LINK.match(where):
        raise UnusableError(explain_absence(where))
