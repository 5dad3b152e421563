"""The house rules that a machine can check: which way imports point, and that they never come round."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

Arrows = dict[str, set[str]]
"""For each file or room the ones that it imports."""


def name_of(path: Path, root: Path = ROOT) -> str:
    """`gan.training.losses` for its file, `gan.training` for the package's own."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def files_below(root: Path = ROOT) -> dict[str, Path]:
    """All modules of the two packages by name."""
    return {name_of(path, root): path for top in ("gan", "pipeline") for path in sorted((root / top).rglob("*.py"))}


FILES = files_below()


@cache
def imports_of(source: str) -> set[str]:
    """Dotted names of all that a module imports: at its head, inside functions and for type checking only."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name their whole path"
            names |= {str(node.module)} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def tops(path: Path) -> set[str]:
    """The packages that a file imports from."""
    return {name.split(".")[0] for name in imports_of(path.read_text(encoding="utf-8"))}


def arrows_of(files: Mapping[str, Path]) -> Arrows:
    """From each file to the files that it imports."""
    return {
        name: (imports_of(path.read_text(encoding="utf-8")) & set(files)) - {name} - parents(name)
        for name, path in files.items()
    }


def parents(name: str) -> set[str]:
    """The packages that a module lies in: `from gan.metrics import features` names the package on the way."""
    parts = name.split(".")
    return {".".join(parts[:count]) for count in range(1, len(parts))}


def room_of(name: str, files: Mapping[str, Path]) -> str:
    """The package of a file; each file at the root of `pipeline` is a room of its own."""
    if files[name].name == "__init__.py":
        return name
    package, _, _ = name.rpartition(".")
    return name if package == "pipeline" else package


def rooms_of(arrows: Arrows, files: Mapping[str, Path]) -> Arrows:
    """From each room to the rooms that its files import from."""
    rooms: Arrows = {room_of(name, files): set() for name in arrows}
    for name, imported in arrows.items():
        rooms[room_of(name, files)] |= {room_of(other, files) for other in imported if not is_package(other, files)}
    return {room: others - {room} for room, others in rooms.items()}


def is_package(name: str, files: Mapping[str, Path]) -> bool:
    """Whether a name is that of a package: its own file holds no code."""
    return files[name].name == "__init__.py"


def circle_in(arrows: Arrows) -> list[str]:
    """The names on a circle of arrows in order, the first one again at the end; empty where there is none."""
    done: set[str] = set()

    def walk(name: str, way: list[str]) -> list[str]:
        if name in way:
            return [*way[way.index(name) :], name]
        if name in done:
            return []
        for other in sorted(arrows.get(name, ())):
            if found := walk(other, [*way, name]):
                return found
        done.add(name)
        return []

    return next((found for name in sorted(arrows) if (found := walk(name, []))), [])


def test_no_circle_of_files() -> None:
    circle = circle_in(arrows_of(FILES))
    assert not circle, " imports ".join(circle)


def test_no_circle_of_rooms() -> None:
    circle = circle_in(rooms_of(arrows_of(FILES), FILES))
    assert not circle, " imports ".join(circle)


@pytest.mark.parametrize(
    "head",
    [
        "from pipeline.upper import b",
        "def f():\n    import pipeline.upper",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pipeline.upper import B",
        "from pipeline import upper",
    ],
)
def test_the_search_sees_a_circle_however_it_is_closed(tmp_path: Path, head: str) -> None:
    (tmp_path / "pipeline").mkdir()
    for name, text in {"__init__": "", "lower": head, "upper": "from pipeline.lower import a"}.items():
        (tmp_path / "pipeline" / f"{name}.py").write_text(text, encoding="utf-8")
    files = files_below(tmp_path)
    for arrows in (arrows_of(files), rooms_of(arrows_of(files), files)):
        assert circle_in(arrows) == ["pipeline.lower", "pipeline.upper", "pipeline.lower"]


def test_gan_imports_torch_and_the_standard_library_only() -> None:
    strangers = {name: tops(path) - {"torch", "gan", *sys.stdlib_module_names} for name, path in FILES.items()}
    assert not {name: found for name, found in strangers.items() if found and name.startswith("gan")}


def users_of(packages: Iterable[str]) -> set[str]:
    """The modules that import one of these packages."""
    return {name for name, path in FILES.items() if tops(path) & set(packages)}


def test_hydra_and_omegaconf_stay_at_the_door() -> None:
    assert users_of(["hydra", "omegaconf"]) == {"pipeline.__main__", "pipeline.config"}


def test_only_the_stage_table_imports_by_name() -> None:
    by_name = {name for name, path in FILES.items() if "import_module(" in path.read_text(encoding="utf-8")}
    assert by_name == {"pipeline.stage_table"}


def test_stages_never_import_one_another_nor_what_builds_them() -> None:
    for name, imported in arrows_of(FILES).items():
        if name.startswith("pipeline.stages."):
            assert not {other for other in imported if other.startswith("pipeline.stages.")}, name
            assert "pipeline.build" not in imported, name


def test_no_room_imports_a_stage() -> None:
    for name, imported in arrows_of(FILES).items():
        assert not {other for other in imported if other.startswith("pipeline.stages")}, name


def test_settings_are_light() -> None:
    for name in FILES:
        if name == "gan.settings" or name.startswith("pipeline.settings"):
            assert tops(FILES[name]) <= {"gan", "pipeline", *sys.stdlib_module_names}, name


def test_every_room_says_what_it_is_for() -> None:
    for name, path in FILES.items():
        if is_package(name, FILES):
            assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), name


def test_no_room_is_crowded() -> None:
    for name in FILES:
        if is_package(name, FILES):
            files = [path for path in FILES[name].parent.glob("*.py") if path.name != "__init__.py"]
            assert len(files) <= 14, f"{name} has {len(files)} files: part it"


def test_no_two_classes_share_a_name() -> None:
    places: dict[str, list[str]] = {}
    for name, path in FILES.items():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(name)
    assert not {one: found for one, found in places.items() if len(found) > 1}


def test_every_settings_file_says_what_it_is_for() -> None:
    for path in (ROOT / "conf").rglob("*.yaml"):
        text = path.read_text(encoding="utf-8").removeprefix("# @package _global_\n")
        assert text.startswith("# "), path
