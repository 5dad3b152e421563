"""Where the exported page finds onnxruntime-web."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.studio.export.runtime import BINARY, HASHES, PINNED, SCRIPT, bring_runtime, find_package


def write_package(folder: Path, version: str = PINNED) -> Path:
    """What npm install leaves, as far as the page needs it."""
    (folder / "dist").mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps({"version": version}))
    for name in (SCRIPT, BINARY):
        (folder / "dist" / name).write_bytes(name.encode())
    return folder


def test_a_package_in_a_folder_above_is_found_and_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = write_package(tmp_path / "node_modules" / "onnxruntime-web")
    (tmp_path / "deep" / "down").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep" / "down")
    assert find_package(None) == package
    assert find_package(str(tmp_path)) == package
    runtime = bring_runtime(package, tmp_path / "page")
    assert runtime.is_local and runtime.version == PINNED
    for file, name in ((runtime.script, SCRIPT), (runtime.binary, BINARY)):
        assert (tmp_path / "page" / file.url).read_bytes() == name.encode()


def test_a_folder_without_the_package_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"studio\.runtime=.* holds no onnxruntime-web"):
        find_package(str(tmp_path))


def test_without_the_package_the_page_points_to_a_pinned_address(tmp_path: Path) -> None:
    runtime = bring_runtime(None, tmp_path)
    assert not runtime.is_local and not list(tmp_path.iterdir())
    for file in (runtime.script, runtime.binary):
        assert f"onnxruntime-web@{PINNED}/" in file.url and str(file.integrity).startswith("sha384-")


def test_the_pinned_hashes_are_those_of_the_package(runtime_package: Path) -> None:
    if json.loads((runtime_package / "package.json").read_text())["version"] != PINNED:
        pytest.skip("another version is installed")
    for name, expected in HASHES.items():
        digest = hashlib.sha384((runtime_package / "dist" / name).read_bytes()).digest()
        assert expected == f"sha384-{base64.b64encode(digest).decode()}"
