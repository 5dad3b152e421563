"""Music inside Debian packages: installed ones, or fetched with apt and unpacked without being root."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import unquote

from pipeline.errors import UserError
from pipeline.files import fingerprint, replaced_directory
from pipeline.formats import SCORES
from pipeline.progress import say
from pipeline.settings.data import CollectSettings, DataSettings
from pipeline.sources.archives import FoundFile
from pipeline.sources.catalog import CatalogRow, describe_file
from pipeline.sources.content_store import COLLECTED
from pipeline.sources.folders import scan

PACKAGES = COLLECTED / "packages"
"""The music of each version of a package, shared by all data sets."""
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
    status, _, version = done.stdout.strip().partition(" ")
    return version if done.returncode == 0 and status == "installed" else ""


def find_in_packages(data: DataSettings, settings: CollectSettings, ask_again: bool) -> list[CatalogRow]:
    """Every music file of the packages; where their system keeps none of them, they are fetched, once a version."""
    installed = {package: installed_version(package) for package in data.packages}
    offered = offered_versions([package for package, version in installed.items() if not version])
    found: list[Path] = []
    for package, version in installed.items():
        place = installed_package(package, version) if version else fetched_package(package, offered.get(package, ""))
        found += [place / name for name, _ in scan(place)]
    if not found:
        raise UserError(f"data.packages: there is no music in {', '.join(data.packages)}.")
    return [describe_file(FoundFile(str(path), str(path)), data.licence, settings) for path in found]


def installed_package(package: str, version: str) -> Path:
    """The folder with the music of an installed package."""
    place = PACKAGES / package_folder(package, version)
    if not place.is_dir():
        listing = subprocess.run(["dpkg-query", "-L", package], capture_output=True, text=True, check=True)
        with replaced_directory(place) as fresh:
            gather_music([Path(line) for line in listing.stdout.splitlines()], fresh)
    return place


def offered_versions(packages: Sequence[str]) -> dict[str, str]:
    """The versions that apt would fetch; packages that it does not know are left out."""
    if not packages:
        return {}
    words = ["apt-get", "download", "--print-uris", "-q", *packages]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0 and len(packages) > 1:  # one that it does not know keeps it from naming the others
        return {name: version for package in packages for name, version in offered_versions([package]).items()}
    found = re.findall(r"'[^']*/([^/'_]+)_([^/'_]+)_[^/'_]+\.deb'", done.stdout)
    return {name: unquote(version) for name, version in found}


def fetched_package(package: str, version: str) -> Path:
    """The folder with the music of a package that is not installed, fetched where this version is not there yet.

    Without a version (apt knows none, as before its first update) what was fetched last serves.
    """
    earlier = sorted(PACKAGES.glob(f"{package}_*"), key=lambda path: path.stat().st_mtime)
    place = PACKAGES / package_folder(package, version)
    if not version and earlier:
        return earlier[-1]
    if not place.is_dir():
        with replaced_directory(place) as fresh:
            aside = fresh / ".unpacked"
            gather_music(unpack_package(package, aside).rglob("*"), fresh)
            shutil.rmtree(aside)
    return place


def package_folder(package: str, version: str) -> str:
    """The name of the folder that one version of a package is kept in."""
    return f"{package}_{re.sub(r'[^A-Za-z0-9.+~-]', '-', version)}"


def unpack_package(package: str, place: Path) -> Path:
    """Download a package with apt and unpack it into `place`. Raises `UserError` with what apt said."""
    say(f"collect: fetching the Debian package {package}")
    place.mkdir()
    download = ["apt-get", "download", "-q", package]
    done = subprocess.run(download, cwd=place, capture_output=True, text=True, check=False)
    archives = list(place.glob("*.deb"))
    if done.returncode != 0 or not archives:
        said = next((line for line in done.stderr.splitlines() if line.startswith("E:")), "no package came")
        raise UserError(
            f"apt-get can't fetch the package {package} ({said.removeprefix('E: ').rstrip('.')}): let the "
            "administrator run apt-get update, or use data=folder data.path=DIR with MIDI files of your own."
        )
    unpacked = subprocess.run(["dpkg-deb", "-x", archives[0].name, "."], cwd=place, capture_output=True, check=False)
    if unpacked.returncode != 0:
        raise UserError(f"dpkg-deb can't unpack the package {package}: run the same command again.")
    archives[0].unlink()
    return place


def gather_music(files: Iterable[Path], place: Path) -> None:
    """Copy the music among a package's files into `place`: files as they are, and the lumps of WAD files."""
    for path in sorted(files):
        if not path.is_file() or path.is_symlink():
            continue
        if path.suffix.lower() in SCORES and path.suffix.lower() != ".xml":
            copies = {path.name: path.read_bytes()}
        elif path.suffix.lower() == ".wad":
            copies = {f"{path.stem}-{name}.mid": lump for name, lump in midi_lumps(path.read_bytes()).items()}
        else:
            continue
        for name, content in copies.items():
            target = place / name
            if target.exists():  # the same name in two folders of the package
                target = place / f"{path.parent.name}-{name}"
            target.write_bytes(content)


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
