"""The house rules that a machine can check: which way imports point."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted(path for package in ("gan", "pipeline") for path in (ROOT / package).rglob("*.py"))


def imports_of(source: str) -> set[str]:
    """Dotted names of everything that a module imports, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def tops(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports_of(path.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("path", [p for p in MODULES if "gan" in p.relative_to(ROOT).parts], ids=lambda p: p.name)
def test_gan_imports_torch_and_the_standard_library_only(path: Path) -> None:
    assert tops(path) <= {"torch", "gan", *sys.stdlib_module_names}


@pytest.mark.parametrize("path", sorted((ROOT / "pipeline" / "stages").glob("*.py")), ids=lambda p: p.name)
def test_stages_never_import_one_another(path: Path) -> None:
    assert not {name for name in imports_of(path.read_text(encoding="utf-8")) if name.startswith("pipeline.stages")}


def test_rooms_never_import_stages() -> None:
    rooms = [
        path for path in MODULES if "pipeline" in path.parts and path.parent.parts[-1] not in ("pipeline", "stages")
    ]
    assert rooms
    for path in rooms:
        names = imports_of(path.read_text(encoding="utf-8"))
        assert not {name for name in names if name.startswith(("pipeline.stages", "pipeline.build"))}, path


def test_hydra_and_omegaconf_stay_at_the_door() -> None:
    users = {str(path.relative_to(ROOT)) for path in MODULES if tops(path) & {"hydra", "omegaconf"}}
    assert users == {"pipeline/__main__.py", "pipeline/config.py"}


def test_settings_are_light() -> None:
    for path in MODULES:
        if path.name == "settings.py":
            assert tops(path) <= {"gan", "pipeline", *sys.stdlib_module_names}, path


def test_every_settings_file_says_what_it_is_for() -> None:
    for path in (ROOT / "conf").rglob("*.yaml"):
        text = path.read_text(encoding="utf-8").removeprefix("# @package _global_\n")
        assert text.startswith("# "), path


def test_the_walk_sees_imports_inside_functions() -> None:
    assert "hydra" in {name.split(".")[0] for name in imports_of("def f():\n    from hydra.core import x\n")}
