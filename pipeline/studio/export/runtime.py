"""onnxruntime-web: from the npm package where it is there, else from a pinned address with hashes."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import UserError

PACKAGE = "onnxruntime-web"
PINNED = "1.30.0"
"""The version of the pinned address."""
ADDRESS = f"https://cdn.jsdelivr.net/npm/{PACKAGE}@{PINNED}/dist/"
SCRIPT, BINARY = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
"""The smallest of its files that run models on WebAssembly: the library, and what it loads."""
HASHES = {
    SCRIPT: "sha384-PLWz+nHEVHpjwBsO0YVdvQj6n5814Iv8E3b8FG0Rp/uIAtjFMCKOpP66iPzedrIG",
    BINARY: "sha384-vjBJ1z7qrhkTyYsNqKeF6c7N+nOJSU94czEo+tvZcu8G75JparGq9kB+kTnEUNVM",
}
"""Subresource integrity of the pinned version."""
FOLDER = "runtime"


@dataclass(frozen=True)
class RuntimeFile:
    """Where the page finds a file; `integrity` is the hash that it must have, None where nothing is pinned."""

    url: str
    integrity: str | None


@dataclass(frozen=True)
class Runtime:
    """What the page loads onnxruntime-web from, and what it says of that."""

    script: RuntimeFile
    binary: RuntimeFile
    version: str
    is_local: bool

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def find_package(given: str | None) -> Path | None:
    """The npm package in a given folder, in `node_modules` here or above, or among the global ones; else None.

    Raises `UserError` where a folder is given that holds no package.
    """
    if given is not None:
        place = Path(given).expanduser()
        for folder in (place, place / PACKAGE, place / "node_modules" / PACKAGE):
            if _is_package(folder):
                return folder
        raise UserError(
            f"studio.runtime={given} holds no {PACKAGE}: give the folder that npm install {PACKAGE}@{PINNED} wrote, "
            "or leave it out."
        )
    here = Path.cwd()
    roots = [folder / "node_modules" for folder in (here, *here.parents)]
    for root in (*roots, *_global_roots()):
        if _is_package(root / PACKAGE):
            return root / PACKAGE
    return None


def bring_runtime(package: Path | None, directory: Path) -> Runtime:
    """Copy what the page needs of the package below `directory`; without a package point to the pinned address."""
    if package is None:
        script, binary = (RuntimeFile(ADDRESS + name, HASHES[name]) for name in (SCRIPT, BINARY))
        return Runtime(script, binary, PINNED, is_local=False)
    version = str(json.loads((package / "package.json").read_text(encoding="utf-8"))["version"])
    (directory / FOLDER).mkdir(parents=True, exist_ok=True)
    for name in (SCRIPT, BINARY):
        shutil.copyfile(package / "dist" / name, directory / FOLDER / name)
    hashes = HASHES if version == PINNED else {}
    script, binary = (RuntimeFile(f"{FOLDER}/{name}", hashes.get(name)) for name in (SCRIPT, BINARY))
    return Runtime(script, binary, version, is_local=True)


def _is_package(folder: Path) -> bool:
    return all((folder / "dist" / name).is_file() for name in (SCRIPT, BINARY)) and (folder / "package.json").is_file()


def _global_roots() -> list[Path]:
    """Where npm keeps what is installed for all; empty without npm."""
    npm = shutil.which("npm")
    if npm is None:
        return []
    done = subprocess.run([npm, "root", "-g"], capture_output=True, text=True, check=False)
    return [Path(done.stdout.strip())] if done.returncode == 0 and done.stdout.strip() else []
