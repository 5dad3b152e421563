"""Music inside Debian packages: installed ones, or fetched with apt and unpacked without being root."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

from pipeline.artefacts import fingerprint
from pipeline.errors import UserError
from pipeline.music.scores import SUFFIXES
from pipeline.music.settings import DataSettings
from pipeline.progress import say

WAD_ENTRY = struct.Struct("<ii8s")
"""Offset, size and name of a lump in the table of a WAD file (the container of the game Doom)."""


def debian_inputs(data: DataSettings) -> dict[str, str]:
    """Names and installed versions of the packages. Raises `UserError` on a system without apt."""
    missing = [tool for tool in ("apt-get", "dpkg-query", "dpkg-deb") if shutil.which(tool) is None]
    if missing:
        raise UserError(
            f"data={data.name} takes its music out of Debian packages, and this system has no {missing[0]}: "
            "use a Debian or Ubuntu system, or data=folder data.path=DIR with MIDI files of your own."
        )
    return {"packages": fingerprint([(name, installed_version(name)) for name in data.packages])}


def installed_version(package: str) -> str:
    """The version of an installed package; empty where it is not installed."""
    words = ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", package]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    status, _, version = done.stdout.partition(" ")
    return version if done.returncode == 0 and status == "installed" else ""


def find_in_packages(data: DataSettings, directory: Path) -> list[str]:
    """Every music file of the packages; what had to be unpacked lies in `directory`, a folder a package."""
    found: list[Path] = []
    for package in data.packages:
        if installed_version(package):
            listing = subprocess.run(["dpkg-query", "-L", package], capture_output=True, text=True, check=True)
            files = [Path(line) for line in listing.stdout.splitlines()]
        else:
            files = list(unpack_package(package, directory / ".unpacked" / package).rglob("*"))
        for path in sorted(files):
            if path.is_file() and not path.is_symlink():
                found += music_in(path, directory / package)
    shutil.rmtree(directory / ".unpacked", ignore_errors=True)
    if not found:
        raise UserError(f"data.packages: there is no music in {', '.join(data.packages)}.")
    return [str(path) for path in found]


def unpack_package(package: str, place: Path) -> Path:
    """Download a package with apt and unpack it into `place`. Raises `UserError` with what apt said."""
    say(f"collect: fetching the Debian package {package}")
    place.mkdir(parents=True)
    download = ["apt-get", "download", "-q", package]
    done = subprocess.run(download, cwd=place, capture_output=True, text=True, check=False)
    archives = list(place.glob("*.deb"))
    if done.returncode != 0 or not archives:
        said = next((line for line in done.stderr.splitlines() if line.startswith("E:")), "no package came")
        raise UserError(
            f"apt-get can't fetch the package {package} ({said.removeprefix('E: ').rstrip('.')}): let the "
            "administrator run apt-get update, or use data=folder data.path=DIR with MIDI files of your own."
        )
    subprocess.run(["dpkg-deb", "-x", archives[0].name, "."], cwd=place, capture_output=True, check=True)
    archives[0].unlink()
    return place


def music_in(path: Path, place: Path) -> list[Path]:
    """The music of one file of a package, copied into `place`: the file itself, or the lumps of a WAD file."""
    if path.suffix.lower() in SUFFIXES and path.suffix.lower() != ".xml":
        copies = {path.name: path.read_bytes()}
    elif path.suffix.lower() == ".wad":
        copies = {f"{path.stem}-{name}.mid": lump for name, lump in midi_lumps(path.read_bytes()).items()}
    else:
        return []
    place.mkdir(parents=True, exist_ok=True)
    for name, content in copies.items():
        (place / name).write_bytes(content)
    return [place / name for name in copies]


def midi_lumps(wad: bytes) -> dict[str, bytes]:
    """The lumps of a WAD file that are MIDI files, by their names in lower case; nothing where the file is damaged."""
    if len(wad) < 12 or wad[:4] not in (b"IWAD", b"PWAD"):
        return {}
    count, table = struct.unpack_from("<ii", wad, 4)
    lumps = {}
    for number in range(max(count, 0)):
        offset = table + number * WAD_ENTRY.size
        if offset < 0 or offset + WAD_ENTRY.size > len(wad):
            break
        start, size, raw = WAD_ENTRY.unpack_from(wad, offset)
        name = raw.split(b"\0")[0].decode("ascii", "ignore").lower()
        lump = wad[start : start + size] if start > 0 and size > 0 else b""
        if lump.startswith(b"MThd") and name.replace("_", "").isalnum():
            lumps[name] = lump
    return lumps
