"""HTTP downloads: files behind links, fetched once, resumed where they broke off, and never more than was allowed."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import UnusableError
from pipeline.files import write_json
from pipeline.formats import HEAD_BYTES, is_page, other_format, printable
from pipeline.progress import ByteMeter, byte_meter
from pipeline.settings.data import CollectSettings
from pipeline.sources.content_store import DOWNLOADS, adopt, is_kept
from pipeline.sources.file_types import name_of, suffix_of


@dataclass(frozen=True)
class Download:
    """What is known of a link that was fetched; kept as JSON beside the downloads."""

    url: str
    path: str
    """In the store of kept files."""
    name: str
    """What the server calls the file."""
    bytes: int
    tag: str
    """The server's mark of this version of the file (ETag, else the date of its last change); empty without."""

    @property
    def sha256(self) -> str:
        """The hash of the content, which the store names its files by."""
        return Path(self.path).stem


def known_download(url: str) -> Download | None:
    """The record of a link that was fetched before and whose file is still there."""
    values = read_object(record_path(url))
    try:
        known = Download(**values)
    except TypeError:
        return None
    return known if known.url == url and is_kept(Path(known.path), known.bytes) else None


def part_path(url: str) -> Path:
    """Where a download grows."""
    return DOWNLOADS / f"{hashlib.sha256(url.encode()).hexdigest()[:32]}.part"


def record_path(url: str) -> Path:
    """Where the record of a link lies."""
    return part_path(url).with_suffix(".json")


def read_object(path: Path) -> dict[str, Any]:
    """A small JSON object; empty where it is not there or damaged."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def mark_of(headers: Mapping[str, str]) -> str:
    """The mark by which a server knows a version of a file again; weak marks don't promise the same bytes."""
    tag = headers.get("ETag", "")
    return tag if tag.startswith('"') else headers.get("Last-Modified", "")


AT_ONCE = 4
"""Downloads that run side by side."""
MOST_REDIRECTS = 10
SLOWEST_BYTES = 1000
"""A server that sends less in `collect.timeout_seconds` stalls."""
PROGRESS_BYTES = 1_000_000
"""A connection that brought so much before it broke off does not count as a failed try."""
FIRST_PAUSE_SECONDS = 0.5
"""Before the second try; it doubles with each."""
REFUSALS = {401: "asks for a password", 403: "refuses it", 404: "has no such file", 410: "has no such file any more"}


class _BrokenOffError(Exception):
    """A download that may come if it is tried again."""


class Downloader:
    """HTTP client that resumes by ranges and keeps limits; one for each run of the program.

    Parameters
    ----------
    settings : CollectSettings
        Limits, patience and tries.
    meter : ByteMeter
        Told of every byte.
    """

    def __init__(self, settings: CollectSettings, meter: ByteMeter) -> None:
        import requests

        self.settings = settings
        self.meter = meter
        self.stopped = threading.Event()
        self.limit = int(settings.max_recording_megabytes * 1e6)
        self.session = requests.Session()  # its adapters know http and https only
        self.session.max_redirects = MOST_REDIRECTS
        self.session.headers.update({"Accept-Encoding": "identity", "User-Agent": "AlbumGAN"})

    def fetch(self, url: str) -> Download:
        """The file behind a link; what was fetched before serves where it did not change, or is gone.

        Raises
        ------
        UnusableError
            It can't be had, with one plain reason.
        """
        known = known_download(url)
        failures = 0
        while True:
            before = self._part_bytes(url)
            try:
                return self._try(url, known)
            except UnusableError:
                if known:
                    return known
                raise
            except _BrokenOffError as error:
                failures += self._part_bytes(url) - before < PROGRESS_BYTES
                if failures > self.settings.retries or self.stopped.is_set():
                    if known:
                        return known
                    raise UnusableError(str(error)) from error
            self.stopped.wait(FIRST_PAUSE_SECONDS * 2 ** max(0, failures - 1))

    @staticmethod
    def _part_bytes(url: str) -> int:
        part = part_path(url)
        return part.stat().st_size if part.exists() else 0

    def _try(self, url: str, known: Download | None) -> Download:
        """One request, and all that it brings."""
        import requests
        import urllib3

        part, begun = part_path(url), part_path(url).with_suffix(".begun.json")
        tag = read_object(begun).get("tag", "") if part.exists() else ""
        offset = self._part_bytes(url) if tag else 0
        headers = {}
        if offset:
            headers = {"Range": f"bytes={offset}-", "If-Range": tag}
        elif known and known.tag:
            headers = {"If-None-Match" if '"' in known.tag else "If-Modified-Since": known.tag}
        patience = self.settings.timeout_seconds
        try:
            with self.session.get(url, headers=headers, stream=True, timeout=patience) as answer:
                if answer.status_code == 304 and known:
                    return known
                if answer.status_code == 416:  # what is there of it is more than there is
                    part.unlink(missing_ok=True)
                    raise _BrokenOffError("the link breaks off")
                offset = self._check(url, answer, offset)
                if not offset:
                    part.parent.mkdir(parents=True, exist_ok=True)
                    part.unlink(missing_ok=True)
                    write_json(
                        begun,
                        {"url": url, "tag": "" if "Content-Encoding" in answer.headers else mark_of(answer.headers)},
                    )
                self._receive(answer, part, offset)
                return self._finish(url, answer, part, begun)
        except requests.TooManyRedirects as error:
            raise UnusableError(f"the link is passed on more than {MOST_REDIRECTS} times") from error
        except (requests.exceptions.InvalidSchema, requests.exceptions.InvalidURL, UnicodeError) as error:
            raise UnusableError("the link leads to what is no http(s) address") from error
        except requests.exceptions.SSLError as error:
            raise UnusableError("the link's server has no valid certificate") from error
        except requests.Timeout as error:
            raise _BrokenOffError(f"the link's server says nothing for {patience:g} s") from error
        except (requests.ConnectionError, urllib3.exceptions.ReadTimeoutError, urllib3.exceptions.HTTPError) as error:
            raise _BrokenOffError(_connection_reason(error, patience)) from error
        except requests.RequestException as error:
            raise UnusableError(f"the link makes no sense: {type(error).__name__}") from error
        except OSError as error:
            raise UnusableError(f"can't be written: {error.strerror or error}".lower()) from error

    def _check(self, url: str, answer: Any, offset: int) -> int:
        """Where in the file the answer goes on: at `offset`, or 0 for a server that starts anew. Raises."""
        status = answer.status_code
        if status >= 500 or status in (408, 425, 429):
            raise _BrokenOffError(f"the link's server has an error ({status} {printable(answer.reason or '')})".strip())
        if status not in (200, 206):
            what = REFUSALS.get(status, "gives no file")
            raise UnusableError(f"the link is dead: its server {what} ({status})")
        resumed = status == 206
        length = answer.headers.get("Content-Length", "")
        total = int(length) if length.isdigit() else 0
        if resumed:
            place = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", "").strip())
            if not place or int(place[1]) != offset:
                part_path(url).unlink(missing_ok=True)
                raise _BrokenOffError("the link's server sends another part of the file than was asked for")
            total = int(place[2]) if place[2] != "*" else offset + total
        start = offset if resumed else 0
        if total > self.limit:
            raise UnusableError(self._too_large(f"{total / 1e6:,.0f} MB"))
        self.meter.expect(total - start if total else 0)
        return start

    def _too_large(self, size: str) -> str:
        megabytes = self.settings.max_recording_megabytes
        return f"too large: the link gives {size}, more than collect.max_recording_megabytes={megabytes:g}"

    def _receive(self, answer: Any, part: Path, offset: int) -> None:
        """Append what comes to the part; whoever sends next to nothing, or too much, is stopped."""
        packed = "Content-Encoding" in answer.headers
        since, came = time.monotonic(), 0
        with part.open("ab" if offset else "wb") as file:
            while chunk := answer.raw.read1(1 << 16, decode_content=packed):
                file.write(chunk)
                offset += len(chunk)
                came += len(chunk)
                self.meter.came(len(chunk))
                if offset > self.limit:
                    file.close()
                    part.unlink()
                    raise UnusableError(self._too_large("more"))
                if self.stopped.is_set():
                    raise _BrokenOffError("stopped")
                now = time.monotonic()
                if now - since > self.settings.timeout_seconds:
                    if came < SLOWEST_BYTES:
                        raise _BrokenOffError("the link's server sends almost nothing")
                    since, came = now, 0
        length = answer.headers.get("Content-Range", "").rpartition("/")[2] or answer.headers.get("Content-Length", "")
        if not packed and length.isdigit() and offset < int(length):
            raise _BrokenOffError(f"the link breaks off after {offset:,} of {int(length):,} bytes")

    def _finish(self, url: str, answer: Any, part: Path, begun: Path) -> Download:
        """A whole file into the store, and a record of its link."""
        with part.open("rb") as file:
            head = file.read(HEAD_BYTES)
        name = name_of(url, answer.headers)
        suffix = suffix_of(name, answer.headers, head)
        num_bytes = part.stat().st_size
        problem = ""
        if not head:
            problem = "the link gives an empty file"
        elif is_page(head):
            problem = "the link gives a web page, not a file: give the direct link, for a cloud drive its download link"
        elif not suffix and other_format(name):
            problem = f"the link gives a {other_format(name)}"
        elif not suffix:
            problem = "the link gives a file that is no music, text or zip archive"
        if problem:
            part.unlink()
            begun.unlink(missing_ok=True)
            raise UnusableError(problem)
        path = adopt(part, suffix)
        download = Download(url, str(path), name, num_bytes, mark_of(answer.headers))
        write_json(record_path(url), asdict(download))
        begun.unlink(missing_ok=True)
        return download


def fetch_all(hashes: Mapping[str, str], settings: CollectSettings, ask_again: bool) -> dict[str, Download | str]:
    """What came of each link: the download, or the reason why there is none. A bar shows how much is there.

    `hashes` holds the SHA-256 that each link should give, or nothing. What was fetched before is taken as it is, unless
    that was something else or `ask_again` is set: then its server is asked whether it changed.
    """
    found: dict[str, Download | str] = {}
    for url, expected in hashes.items():
        known = known_download(url)
        if known and not ask_again and expected in ("", known.sha256):
            found[url] = known
    wanted = [url for url in hashes if url not in found]
    if not wanted:
        return found
    with byte_meter("download") as meter:
        downloader = Downloader(settings, meter)

        def fetch(url: str) -> Download | str:
            try:
                return downloader.fetch(url)
            except UnusableError as error:
                return str(error)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            try:
                found.update(zip(wanted, pool.map(fetch, wanted), strict=True))
            except KeyboardInterrupt:
                downloader.stopped.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
            finally:
                downloader.session.close()
    return found


def _connection_reason(error: Exception, patience: float) -> str:
    """Why a connection failed, in words."""
    text = f"{type(error).__name__} {error}"
    if "NameResolution" in text or "getaddrinfo" in text:
        return "the link names a server that is not to be found"
    if "timed out" in text or "Timeout" in text:
        return f"the link's server says nothing for {patience:g} s"
    if "IncompleteRead" in text:
        return "the link breaks off before its end"
    if "refused" in text:
        return "the link's server refuses the connection"
    return "the link's server breaks the connection off"
