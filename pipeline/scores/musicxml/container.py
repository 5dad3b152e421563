"""The XML of a MusicXML file: out of the `.mxl` container by its table of contents, in whatever encoding."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ElementTree
import zipfile
import zlib
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from pipeline.errors import UnusableError
from pipeline.formats import printable

SCORE_ROOTS = ("score-partwise", "score-timewise")
UTF16_MARKS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"))
"""How text in two bytes a letter begins."""
SNIFFED = 4096
"""Bytes of a file in a container that are looked at to tell whether it is a score."""


def read_root(content: bytes, limit: int) -> tuple[Element, tuple[str, ...]]:
    """The root element of a score, and what was mended on the way.

    Parameters
    ----------
    content
        The bytes of a `.musicxml`, `.xml` or `.mxl` file, whatever its name says.
    limit
        Bytes at most when unzipped.

    Raises
    ------
    UnusableError
        There is no MusicXML in it, with one plain reason.
    """
    if content[:2] == b"PK":
        content = _unzip(content, limit)
    root, remarks = _parse(content)
    if root.tag.startswith("{"):  # an XML namespace, which MusicXML has none of
        for element in root.iter():
            if isinstance(element.tag, str):
                element.tag = element.tag.rpartition("}")[2]
    if root.tag not in SCORE_ROOTS:
        if root.tag == "opus":
            raise UnusableError("a list of MusicXML files (opus), no score: give the files themselves")
        raise UnusableError(f"XML, but no MusicXML (its root is {printable(root.tag)[:40]})")
    return root, remarks


def _parse(content: bytes) -> tuple[Element, tuple[str, ...]]:
    """The root element; text in another encoding than the file says is read all the same."""
    try:
        return ElementTree.parse(io.BytesIO(content)).getroot(), ()
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        try:
            text = _decode(content)
            if text is None:
                raise error
            return ElementTree.fromstring(text), ("its text is not in the encoding that it names",)
        except (ElementTree.ParseError, ValueError, LookupError) as again:
            raise UnusableError(f"broken file: no XML ({printable(str(again))[:100]})") from again


def _decode(content: bytes) -> str | None:
    """The text of an XML file without its declaration, by signs of its own; None where there is nothing to mend."""
    for mark, encoding in UTF16_MARKS:
        if content.startswith(mark):
            text = content.decode(encoding, "replace")
            break
    else:
        named = re.search(rb"encoding\s*=\s*[\"']([\w.:-]+)", content[:200])
        text = _try_decodings(content, [named[1].decode("ascii")] if named else [])
    bare = re.sub(r"^[\s\ufeff]*(<\?xml.*?\?>)?", "", text, count=1, flags=re.DOTALL)
    bare = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", " ", bare)
    return bare if bare[:1] == "<" else None


def _try_decodings(content: bytes, encodings: list[str]) -> str:
    """Text by the first of some encodings that fits; by Windows-1252 where none does."""
    for encoding in ("utf-8-sig", *encodings):
        try:
            return content.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return content.decode("cp1252", "replace")


def _unzip(content: bytes, limit: int) -> bytes:
    """The score inside a `.mxl` file. Raises `UnusableError`, also when it would be larger than `limit` bytes."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            name = _root_file(archive, limit) or _likely_score(archive)
            if name is None:
                raise UnusableError("a zip file without MusicXML in it")
            return _read(archive, name, limit)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise UnusableError("broken file: a damaged zip file") from error


def _read(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    with archive.open(name) as file:
        inside = file.read(limit + 1)
    if len(inside) > limit:
        raise UnusableError(f"too large: more than {limit / 1e6:g} MB when unzipped")
    return inside


def _plain(name: str) -> str:
    """The path of a file in a container, for comparison."""
    return name.replace("\\", "/").removeprefix("./").lstrip("/").casefold()


def _root_file(archive: zipfile.ZipFile, limit: int) -> str | None:
    """The file that the container names as its score (`META-INF/container.xml`), if it is there."""
    members = {_plain(name): name for name in archive.namelist()}
    if "meta-inf/container.xml" not in members:
        return None
    try:
        table, _ = _parse(_read(archive, members["meta-inf/container.xml"], limit))
    except UnusableError:
        return None
    files = [one for one in table.iter() if isinstance(one.tag, str) and one.tag.rpartition("}")[2] == "rootfile"]
    files.sort(key=lambda one: "musicxml" not in one.get("media-type", "musicxml"))  # the first, unless it is another's
    paths = [_plain(path) for one in files for name in [one.get("full-path", "")] for path in (name, unquote(name))]
    return next((members[path] for path in paths if path in members), None)


def _likely_score(archive: zipfile.ZipFile) -> str | None:
    """Of the files that look like MusicXML the longest: excerpts and parts lie beside the full score."""
    scores = []
    for info in archive.infolist():
        path = _plain(info.filename)
        if info.is_dir() or path.startswith(("meta-inf/", "__macosx/")) or path.rpartition("/")[2].startswith("."):
            continue
        with archive.open(info) as file:
            head = file.read(SNIFFED).replace(b"\0", b"")
        if any(root.encode() in head for root in SCORE_ROOTS) or path.endswith((".musicxml", ".xml")):
            scores.append((any(root.encode() in head for root in SCORE_ROOTS), info.file_size, info.filename))
    return max(scores)[2] if scores else None
