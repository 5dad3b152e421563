"""Tables in READMEs that the code makes, of all settings and of the stages: `python -m pipeline.readme_tables`."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, get_type_hints

from gan.settings import DESIGNS, ModelSettings
from pipeline.config import PROGRAM, Config
from pipeline.files import write_text
from pipeline.markdown import markdown_table
from pipeline.stage_table import STAGES


def field_docs(schema: type) -> dict[str, str]:
    """What each field of a dataclass and of its bases means, in one line each.

    Read from the string below a field, or from the `Attributes` of the class's docstring (numpydoc); the last field of
    several that stand before one string, or share one entry, says it for all of them.
    """
    docs: dict[str, str] = {}
    for base in reversed(schema.__mro__):
        if not is_dataclass(base):
            continue
        docs |= _attributes(inspect.getdoc(base) or "")
        tree = ast.parse(inspect.getsource(base))
        waiting: list[str] = []
        for node in next(one for one in ast.walk(tree) if isinstance(one, ast.ClassDef)).body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                waiting.append(node.target.id)
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and waiting:
                docs |= dict.fromkeys(waiting, " ".join(str(node.value.value).split()))
                waiting = []
            elif isinstance(node, ast.FunctionDef):
                break
    return docs


def _attributes(docstring: str) -> dict[str, str]:
    """The entries of a numpydoc section `Attributes`."""
    _, _, section = docstring.partition("Attributes\n----------\n")
    entries = re.findall(r"^(\w[\w, ]*)\n((?:    .*\n?|\n(?=    ))+)", section, re.MULTILINE)
    return {name: " ".join(text.split()) for names, text in entries for name in names.split(", ")}


def settings_reference() -> str:
    """A heading and a table for each group of settings, those without a group first, as Markdown."""
    parts: list[str] = []

    def add(schema: type, prefix: str) -> None:
        docs, kinds = field_docs(schema), get_type_hints(schema)
        rows = [
            (f"`{prefix}{one.name}`", default_of(one), docs.get(one.name, "").replace("|", "\\|"))
            for one in fields(schema)
            if not is_dataclass(kinds[one.name])
        ]
        title = f"`{prefix.rstrip('.')}`" if prefix else "For all stages"
        summary = (inspect.getdoc(schema) or "").split("\n\n")[0].replace("\n", " ")
        if schema in DESIGNS.values():
            common = {one.name for one in fields(ModelSettings)}  # stand above
            title += ": " + ", ".join(f"`design={design}`" for design, kind in DESIGNS.items() if kind is schema)
            rows = [row for row, one in zip(rows, fields(schema), strict=True) if one.name not in common]
        table = re.sub(r" +\|", " |", markdown_table(("setting", "default", "meaning"), rows))
        parts.append(f"### {title}\n\n{summary}\n\n{re.sub('-{4,}', '---', table)}")
        for one in fields(schema):
            kind: Any = kinds[one.name]
            if is_dataclass(kind) and isinstance(kind, type):
                designs = dict.fromkeys(DESIGNS.values()) if kind is ModelSettings else {}
                for each in (kind, *designs):
                    add(each, f"{prefix}{one.name}.")

    add(Config, "")
    return "\n\n".join(parts)


def default_of(setting: Field[Any]) -> str:
    """A default as one would type it; empty where a preset or the user has to say it."""
    factory = setting.default_factory
    value = setting.default if factory is MISSING else factory()
    if value is MISSING:
        return ""
    words = {None: "null", True: "true", False: "false"}
    return f"`{words[value] if value is None or isinstance(value, bool) else value}`"


def stage_reference() -> str:
    """The table of stages, as Markdown."""
    rows = [
        (f"`{stage.name}`", stage.reads, re.sub(r"(\S+/\S*)", r"`\1`", stage.writes, count=1).replace(":`", "`:"))
        for stage in STAGES.values()
    ]
    return re.sub("-{4,}", "---", re.sub(r" +\|", " |", markdown_table(("stage", "reads", "writes"), rows)))


REFERENCES: dict[str, Callable[[], str]] = {"conf/README.md": settings_reference, "pipeline/README.md": stage_reference}
"""By file what makes its table, which stands between two marks."""
BEGIN, END = "<!-- made by python -m pipeline.readme_tables -->", "<!-- end -->"


def with_reference(text: str, table: str) -> str:
    """A text with a table between its two marks in place of what stands there."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"


def main() -> int:
    """Bring the tables up to date; the exit code."""
    for name, make in REFERENCES.items():
        path = PROGRAM / name
        write_text(path, with_reference(path.read_text(encoding="utf-8"), make()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
