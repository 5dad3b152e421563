"""Incremental builds of stages: what is up to date is not made again, like make.

It knows which stage needs which.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

from pipeline.config import Config, flatten, stage_directory
from pipeline.errors import UserError
from pipeline.files import (
    MANIFEST,
    SET_ASIDE,
    Manifest,
    lock,
    megabytes,
    read_manifest,
    refuse_change,
    replaced_directory,
    require_space,
    settings_of,
    show_setting,
    write_manifest,
)
from pipeline.progress import say
from pipeline.settings.generate import ALBUM
from pipeline.stage_table import STAGES, Stage, StageModule

PAGES = ("index.html", "report.md")
"""What people open first."""


class Builder:
    """Builds artefacts for one configuration.

    `explicit` holds the dotted keys that the user gave on the command line.
    """

    def __init__(self, config: Config, explicit: tuple[str, ...] = ()) -> None:

        self.config = config
        self.explicit = explicit
        self.settings = flatten(config)

    def build(self, name: str, wanted_by: str | None = None) -> Manifest:
        """Make the artefact of stage `name` unless it is up to date, and everything it needs before it."""
        stage = STAGES[name]
        directory = stage_directory(name, self.config)
        with lock(directory):
            found = read_manifest(directory)
            if found is not None and wanted_by and stage.stands_alone and self._takes_as_is(stage, found, directory):
                return found
            module = stage.module()
            inputs = module.inputs(self.config)
            inputs |= self._build_inputs(stage)
            reason = self._why_run(stage, found, inputs, directory, requested=wanted_by is None)
            if reason is None and found is not None:
                say(f"{name}: up to date ({page_of(directory)})")
                return found
            if wanted_by and self.config.upstream == "refuse":
                raise UserError(
                    f"{wanted_by} needs {name}, which is {reason}; run +stage={name} first or drop upstream=refuse."
                )
            needed = f" (needed by {wanted_by})" if wanted_by else ""
            say(f"{name}: {reason}{needed}")
            return self._run(stage, module, directory, inputs, found)

    def open(self, name: str) -> None:
        """Run a stage that a person works with, once what it needs is made; under upstream=refuse on what there is."""
        stage = STAGES[name]
        module = stage.module()
        module.inputs(self.config)
        if self.config.upstream != "refuse":
            self._build_inputs(stage)
        say(f"{name}: {module.plan(self.config).text}")
        module.run(self.config, stage_directory(name, self.config))

    def _build_inputs(self, stage: Stage) -> dict[str, str]:
        """Fingerprints of the artefacts that the stage reads, made first where they are missing."""
        needs = [need for need in stage.needs if not any(self.settings[key] for key in stage.replaced_by.get(need, ()))]
        inputs = {need: self.build(need, wanted_by=stage.name).fingerprint for need in needs}
        for use in stage.uses if self.config.generate.request == ALBUM else ():
            manifest = read_manifest(stage_directory(use, self.config))
            if manifest is not None:
                inputs[use] = manifest.fingerprint
        return inputs

    def _takes_as_is(self, stage: Stage, found: Manifest, directory: Path) -> bool:
        """Whether a finished stage serves downstream as it is; a contradicting override is an error."""
        settings = settings_of(self.settings, stage.groups)
        changed = _changed(settings, found.settings)
        if not changed and found.format == stage.format:
            return True
        if self.config.force:
            return False
        if all(key in stage.extendable and settings[key] > found.settings[key] for key in changed):
            return False
        refuse_change(stage.name, directory, changed, settings, found.settings)
        return False

    def _why_run(
        self, stage: Stage, found: Manifest | None, inputs: dict[str, str], directory: Path, requested: bool
    ) -> str | None:
        """Why the stage must run, in words, or None when its artefact is up to date."""
        settings = settings_of(self.settings, stage.groups)
        if found is None:
            begun = any(path.name != ".hydra" for path in directory.glob("*"))
            return "unfinished" if begun else "not made yet"
        if self.config.force and requested:
            return "made again (force=true)"
        changed = [
            key
            for key in _changed(settings, found.settings)
            if not (key in stage.extendable and key not in self.explicit and settings[key] < found.settings[key])
        ]
        raised = [key for key in changed if key in stage.extendable and settings[key] > found.settings.get(key, 0)]
        held = [key for key in changed if key not in raised and _covers(stage.protected, key)]
        moved = sorted(key for key in {*inputs, *found.inputs} if inputs.get(key) != found.inputs.get(key))
        if not self.config.force:
            if held:
                refuse_change(stage.name, directory, held, settings, found.settings)
            if (stage.stands_alone and moved) or any(key in stage.protected for key in moved):
                raise UserError(
                    f"{directory} was made from another {moved[0]} than there is now; "
                    "give force=true to replace it, or another name= to keep it."
                )
        if changed:
            key = changed[0]
            return f"{key} was {show_setting(found.settings.get(key))}, is {show_setting(settings.get(key))}"
        if moved:
            return f"its input {moved[0]} changed"
        if found.format != stage.format:
            return "written by another version of the program"
        return None

    def _run(
        self, stage: Stage, module: StageModule, directory: Path, inputs: dict[str, str], found: Manifest | None
    ) -> Manifest:
        """Run the stage and write its manifest last."""
        plan = module.plan(self.config)
        say(f"{stage.name}: {plan.text} Writes about {megabytes(plan.num_bytes)} to {directory}.")
        require_space(directory, plan.num_bytes, stage.name)
        start = time.monotonic()
        settings = settings_of(self.settings, stage.groups)

        def finish(place: Path) -> Manifest:
            outcome = module.run(self.config, place)
            manifest = Manifest(
                stage.name,
                stage.format,
                settings,
                inputs,
                outcome.facts,
                outcome.notes,
                round(time.monotonic() - start, 1),
            )
            write_manifest(place, manifest)
            return manifest

        if stage.in_place:
            if found is not None:
                (directory / MANIFEST).replace(directory / SET_ASIDE)
            if self.config.force:
                _clear(directory, (*stage.keeps, SET_ASIDE))
            directory.mkdir(parents=True, exist_ok=True)
            for partial in directory.rglob(".*.partial*"):
                partial.unlink(missing_ok=True)
            manifest = finish(directory)
            (directory / SET_ASIDE).unlink(missing_ok=True)
        else:
            with replaced_directory(directory) as place:
                manifest = finish(place)
        if directory.parent.parent == Path("data"):
            _link(directory, self.config.data.name)
        return manifest


def page_of(directory: Path) -> Path:
    """The page of a stage's artefact, where it has one, else its directory."""
    return next((directory / page for page in PAGES if (directory / page).is_file()), directory)


def _changed(new: dict[str, Any], old: dict[str, Any]) -> list[str]:
    return sorted(key for key in {*new, *old} if new.get(key) != old.get(key))


def _covers(prefixes: tuple[str, ...], key: str) -> bool:
    return any(key == prefix or key.startswith(f"{prefix}.") for prefix in prefixes)


def _clear(directory: Path, keeps: tuple[str, ...]) -> None:
    """Remove what a stage left, but not Hydra's own files, nor those it `keeps`."""
    for path in directory.glob("*"):
        if path.name not in (".hydra", *keeps):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _link(directory: Path, name: str) -> None:
    """Point the readable link at the set that was just made."""
    link = directory.parent / name
    try:
        link.unlink(missing_ok=True)
        link.symlink_to(directory.name)
    except OSError:
        say(f"(no link {link}: this file system has none)")
