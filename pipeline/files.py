"""Artefacts on disk: manifests, fingerprints, atomic writes, locks and room for them.

A stage's directory is finished when its `manifest.json` is there; it is written last, and every file in it
is written under a temporary name and renamed.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipeline.errors import UserError

AT_FDCWD, RENAME_EXCHANGE = -100, 2
"""Of the system calls `renameat2` (Linux) and `renamex_np` (macOS): paths start here; the two change places."""
MANIFEST = "manifest.json"
SET_ASIDE = ".manifest.before.json"
"""The manifest of an artefact that is being changed where it lies, until it is finished again."""


def fingerprint(values: Any) -> str:
    """SHA-256 in hex of `values` (plain JSON types) in a canonical form."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def file_hash(path: Path) -> str:
    """SHA-256 in hex of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class Manifest:
    """What a finished stage says of itself.

    `settings` holds dotted keys of the configuration and `inputs` the fingerprints of what was read; together with
    `facts` (what came of it and matters downstream, such as the steps reached) and the `format` number they make the
    fingerprint. `seconds`, `files` (path to size in bytes) and `notes` (for people) do not count.
    """

    stage: str
    format: int
    settings: dict[str, Any]
    inputs: dict[str, str]
    facts: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    files: dict[str, int] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Changes exactly when the result of the stage may have changed."""
        return fingerprint([self.stage, self.format, self.settings, self.inputs, self.facts])


def read_manifest(directory: Path, name: str = MANIFEST) -> Manifest | None:
    """The manifest of a finished stage, or None where there is none. A damaged one raises `UserError`."""
    path = (directory if directory.exists() else _moved_away(directory)) / name
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return Manifest(**values)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is damaged ({error}); delete {directory} and run the stage again.") from error


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """Write the manifest atomically, with the sizes of all files that lie in `directory` now."""
    files = {
        str(path.relative_to(directory)): path.stat().st_size
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.name not in (MANIFEST, SET_ASIDE) and ".hydra" not in path.parts
    }
    write_json(directory / MANIFEST, asdict(manifest) | {"files": files})


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` (same suffix) that becomes `path` when the block ends well, and goes if not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".", suffix=f".partial{path.suffix}", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, values: Any) -> None:
    """Write JSON atomically, readable by people."""
    write_text(path, json.dumps(values, indent=1, ensure_ascii=False, default=str) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON; a missing or damaged file raises `UserError`."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path} is missing; run the stage that writes it again with force=true.") from error
    except ValueError as error:
        raise UserError(f"{path} is damaged ({error}); run the stage that writes it again with force=true.") from error


@contextmanager
def lock(directory: Path) -> Iterator[None]:
    """Hold the artefact: a second process that wants it waits, and says so.

    The lock's file goes with the last who held it. It is removed while it is held: whoever waits for it learns that
    the file is gone and begins anew with a fresh one, so no two ever hold the lock.
    """
    from filelock import FileLock, Timeout

    directory.parent.mkdir(parents=True, exist_ok=True)
    guard = FileLock(directory.parent / f".{directory.name}.lock")
    try:
        guard.acquire(timeout=0)
    except Timeout:
        print(f"Another process is working on {directory}; waiting for it.", flush=True)
        guard.acquire()
    try:
        _put_back(directory)
        yield
    finally:
        with suppress(OSError):  # where an open file can't be removed it stays
            Path(guard.lock_file).unlink()
        guard.release()


def remove_abandoned(folder: Path) -> None:
    """Remove what killed processes left in a folder of artefacts: locks that nobody holds, and what they guarded."""
    from filelock import FileLock, Timeout

    for path in folder.glob(".*.lock"):
        guard = FileLock(path)
        with suppress(Timeout, OSError):
            guard.acquire(timeout=0)
            shutil.rmtree(path.with_suffix(".partial"), ignore_errors=True)
            path.unlink()
            guard.release()


@contextmanager
def replaced_directory(directory: Path) -> Iterator[Path]:
    """A fresh directory that takes the place of `directory` when the block ends well; else the old one stays.

    Whenever the process is killed one of the two is there: they change places at once, or, where the system can't do
    that, the old one is put back by the next `lock`. Hydra's own `.hydra` folder moves along.
    """
    fresh = directory.parent / f".{directory.name}.partial"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        yield fresh
        if (directory / ".hydra").is_dir():
            shutil.copytree(directory / ".hydra", fresh / ".hydra")
        if not directory.exists():
            fresh.replace(directory)
        elif not exchange(fresh, directory):
            old = _moved_away(directory)
            shutil.rmtree(old, ignore_errors=True)
            directory.replace(old)
            fresh.replace(directory)
            shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def exchange(one: Path, other: Path) -> bool:
    """Let two files or directories change places at once; False where the system or its disk has no such rename."""
    libc: Any = ctypes.CDLL(None) if os.name == "posix" else None
    paths = os.fsencode(one), os.fsencode(other)
    if hasattr(libc, "renameat2"):
        return bool(libc.renameat2(AT_FDCWD, paths[0], AT_FDCWD, paths[1], RENAME_EXCHANGE) == 0)
    if hasattr(libc, "renamex_np"):
        return bool(libc.renamex_np(*paths, RENAME_EXCHANGE) == 0)
    return False


def _moved_away(directory: Path) -> Path:
    """Where a directory lies while another takes its place, in two steps."""
    return directory.parent / f".{directory.name}.old"


def _put_back(directory: Path) -> None:
    """Mend what a process left that was killed: before its work was done, or between two steps of a replacement.

    Whoever calls holds the lock.
    """
    shutil.rmtree(directory.parent / f".{directory.name}.partial", ignore_errors=True)
    old = _moved_away(directory)
    if old.is_dir() and directory.exists():
        shutil.rmtree(old, ignore_errors=True)
    elif old.is_dir():
        old.replace(directory)


def require_space(directory: Path, num_bytes: int, what: str) -> None:
    """Raise `UserError` when the disk under `directory` can't hold `num_bytes` more, with a tenth to spare."""
    place = directory.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    needed = int(num_bytes * 1.1)
    if free < needed:
        raise UserError(
            f"{what} needs about {megabytes(needed)} on the disk of {place}, which has {megabytes(free)} free: "
            "make room, or run from another disk."
        )


def megabytes(num_bytes: float) -> str:
    """A size for people: `3.2 MB`."""
    return f"{num_bytes / 1e6:,.1f} MB"


def settings_of(values: Mapping[str, Any], groups: tuple[str, ...]) -> dict[str, Any]:
    """The entries of a flat `values` (dotted keys) that lie in one of `groups`, or are one of them."""
    return {key: value for key, value in values.items() if key.split(".")[0] in groups or key in groups}


def bring(source: Path, target: Path) -> None:
    """Put a file at `target`: a hard link where the disk allows it, else a copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


LEFT_OUT: dict[str, Any] = {
    "data.pair_bars": False,
    "generate.flip": None,
    "generate.loop": None,
    "generate.loop_kind": "melodic",
    "generate.flip_speed": "song",
    "render.daw": None,
    "train.style_balance": 0.0,
    "train.patience": 0,
    "transcribe.notes": None,
    "transcribe.beats": None,
    "transcribe.stems": None,
}
"""Settings that stand in no manifest and no fingerprint while they have these values: what was made before there were
such settings keeps its name."""


def refuse_change(stage: str, directory: Path, keys: list[str], new: dict[str, Any], old: dict[str, Any]) -> None:
    """Raise `UserError`: a checkpoint would be replaced because of `keys`."""
    new, old = LEFT_OUT | new, LEFT_OUT | old
    if not keys or any(key not in new or key not in old for key in keys):
        raise UserError(
            f"{directory} was written by another version of the program; "
            "give force=true to replace it, or another name= to keep it."
        )
    key = min(keys, key=lambda one: (not one.endswith(".name"), one))  # a group's name says more than its parts
    raise UserError(
        f"{directory} was made with {key}={show_setting(old.get(key))}, not {show_setting(new.get(key))}: "
        f"give force=true to replace it, or another name= to keep it."
    )


def show_setting(value: Any) -> str:
    """A setting's value in a sentence, as it is typed; a long one is cut."""
    words = {"None": "null", "True": "true", "False": "false", "": "''"}
    text = value if isinstance(value, str) else repr(value)
    text = words.get(text, text)
    return text if len(text) <= 60 else f"{text[:57]}..."
