"""The command line: `python -m pipeline +stage=STAGE [data=SET] [name=NAME] [key=value ...]`, `-m` for sweeps."""

from __future__ import annotations

import atexit
import difflib
import os
import re
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.build import Builder
from pipeline.command_line.overrides import (
    complaint,
    is_run_name,
    meant_stage,
    no_choice,
    no_run_name,
    no_setting,
    quoted,
)
from pipeline.config import PROGRAM, is_setting, read_config, register_schema
from pipeline.errors import UserError
from pipeline.parallel import num_processes
from pipeline.stage_table import STAGES, upstream_of
from pipeline.training.torchrun import is_first_process, run_first_process, run_other_process

if TYPE_CHECKING:
    from omegaconf import DictConfig

EXAMPLES = """Examples:
  python -m pipeline +stage=album                                          an album after Bach, from nothing
  python -m pipeline +stage=album data=folder data.path=~/Music name=mine  an album after your own songs
  python -m pipeline -m +stage=train train.gamma=1,2.5 name=sweep          one run for each value, one after the other
  python -m pipeline +stage=evaluate name=sweep                            the runs ranked, beside real songs"""

BUDGET = ("train.steps", "train.minutes", "lyrics.model.steps", "generate.songs")
"""What a choice of `budget` sets."""

failures: list[str] = []
"""What went wrong in the jobs of this process, a sentence each."""


def overview() -> str:
    """The page of stages: what each reads and writes, and examples."""
    lines = ["AlbumGAN: the album that was never made.", "", "python -m pipeline +stage=STAGE [key=value ...]", ""]
    for stage in STAGES.values():
        lines += [f"  {stage.name:<11}reads  {stage.reads}", f"  {'':<11}writes {stage.writes}"]
    lines += [
        "",
        "A stage whose input is missing first runs the stage that makes it. Settings and their values: conf/,",
        "and `python -m pipeline +stage=train --cfg job` prints them all.",
        "",
        EXAMPLES,
    ]
    return "\n".join(lines)


def run_job(tree: DictConfig) -> None:
    """One job: read its settings, build its stage, and turn what goes wrong into one sentence."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode
    from omegaconf.errors import OmegaConfBaseException

    hydra = HydraConfig.get()
    sweep = hydra.mode == RunMode.MULTIRUN
    name = f"{tree.name}/{hydra.job.num}" if sweep else str(tree.name)
    try:
        build(tree, name, tuple(hydra.overrides.task))
    except UserError as error:
        sentence = str(error)
    except OmegaConfBaseException as error:
        sentence = describe_config_error(error)
    except OSError as error:
        sentence = describe_os_error(error)
    else:
        if tree.album.runs is not None:
            remove_untouched(Path(hydra.runtime.output_dir))
        return
    if not sweep:
        remove_untouched(Path(hydra.runtime.output_dir))
    failures.append(f"job {hydra.job.num} ({hydra.job.override_dirname}): {sentence}" if sweep else sentence)
    if sweep:
        print(f"Job {hydra.job.num} failed: {sentence} The sweep goes on.", file=sys.stderr, flush=True)


def remove_untouched(directory: Path) -> None:
    """Remove the folder of a stage that was refused before it left anything there but Hydra's notes."""
    if any(path.name != ".hydra" for path in directory.glob("*")):
        return
    shutil.rmtree(directory, ignore_errors=True)
    with suppress(OSError):  # other stages of the run are there
        directory.parent.rmdir()


def build(tree: DictConfig, name: str, overrides: tuple[str, ...]) -> None:
    """Build the stage that `tree` names, under the run name `name`."""
    stage = str(tree.stage)
    if stage not in STAGES:
        raise UserError(f"there is no stage {stage}; the stages are {', '.join(STAGES)}.")
    if not is_run_name(name):
        raise UserError(no_run_name(name))
    explicit = tuple(override.split("=")[0].lstrip("+~") for override in overrides)
    for key in explicit:
        if not is_setting(key):
            raise UserError(no_setting(key))
    if any(override.startswith("data=") for override in overrides):
        explicit += ("tracks",)
    if "budget" in explicit:
        explicit += BUDGET
    if tree.album.runs is not None:
        show_gallery(stage, tree.album.runs)
        return
    if stage == "evaluate":
        tree, name, explicit = evaluate_each(tree, name, explicit)
    build_one(tree, name, explicit)
    if stage == "album":
        show_gallery(stage)


def show_gallery(stage: str, listed: Any = None) -> None:
    """Write the page of all runs, or of those that `album.runs` lists, and say where it is."""
    from pipeline.pages.gallery.page import write_gallery
    from pipeline.progress import say

    if stage != "album":
        raise UserError("album.runs belongs to +stage=album.")
    runs = [listed] if isinstance(listed, str) else listed and [str(run) for run in listed]
    page = write_gallery(Path("outputs"), runs)
    say(f"album: the gallery of all that was made here: {page.resolve().as_uri()}")


def build_one(tree: DictConfig, name: str, explicit: tuple[str, ...]) -> None:
    """Build the stage of `tree` for one run."""
    stage = str(tree.stage)
    upstream = upstream_of(stage)
    if stage == "evaluate":
        from pipeline.evaluation.runs import is_trained

        upstream += () if is_trained(name) else ("evaluate",)  # a folder that was scored is known by its own manifest
    config = read_config(tree, explicit, upstream, name)
    if (
        stage in ("evaluate", "generate", "render")
        and "name" in explicit
        and not {"data", "evaluate.path"} & {*explicit}
    ):
        hint_at_name(stage, name)
    if config.album.reroll is not None:
        if stage != "album":
            raise UserError("album.reroll belongs to +stage=album.")
        from pipeline.pages.album.rerolling import ask_again

        ask_again(config)
    os.environ.update(OMP_NUM_THREADS=str(config.threads), OMP_WAIT_POLICY="PASSIVE")
    builder = Builder(config, explicit)
    if STAGES[stage].is_open:
        builder.open(stage)
    else:
        builder.build(stage)


def hint_at_name(stage: str, name: str) -> None:
    """Say which trained run a name may mean that none has, before much is made for it."""
    from pipeline.progress import say

    trained = [path.parent.parent.name for path in Path("outputs").glob("*/train/manifest.json")]
    near = difflib.get_close_matches(name, trained, n=1)
    if near and name not in trained and not Path("outputs", name, "train").exists():
        say(f"{stage}: there is no trained run {name} yet; did you mean name={near[0]}? Ctrl-C stops this one.")


def evaluate_each(tree: DictConfig, name: str, explicit: tuple[str, ...]) -> tuple[DictConfig, str, tuple[str, ...]]:
    """Evaluate each of several runs, where `name` or `evaluate.runs` stands for several.

    What comes back are the settings and the name under which those that could be evaluated are ranked.
    """
    from omegaconf import OmegaConf

    from pipeline.evaluation.runs import RANKING, is_trained, runs_to_rank
    from pipeline.progress import say

    listed = tree.evaluate.runs
    if listed is not None:
        listed = [listed] if isinstance(listed, str) else [str(run) for run in listed]
        for run in listed:
            if not is_run_name(run):
                raise UserError(no_run_name(run))
        name = name if "name" in explicit else RANKING
        if name in listed or is_trained(name):
            raise UserError(f"the ranking would replace what {name} says of itself: give it a name= of its own.")
    runs = runs_to_rank(name, listed)
    if not runs:
        return tree, name, explicit
    alone: Any = OmegaConf.merge(tree, {"evaluate": {"runs": None}})
    evaluated = []
    for run in runs:
        try:
            build_one(alone, run, (*explicit, "evaluate.runs"))
            evaluated.append(run)
        except UserError as error:
            say(f"evaluate: {run} is left out: {error}")
    if not evaluated:
        raise UserError(f"none of the runs {', '.join(runs)} could be evaluated.")
    ranked: Any = OmegaConf.merge(tree, {"evaluate": {"runs": evaluated}})
    return ranked, name, (*explicit, "evaluate.runs")


def describe_os_error(error: OSError) -> str:
    """One sentence for a file system that refused."""
    import errno

    where = f" ({error.filename})" if error.filename else ""
    if error.errno == errno.ENOSPC:
        return f"the disk is full{where}: make room and run the same command again, it goes on where it stopped."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"no permission to write or read{where}: run from a folder of your own."
    if error.errno in (errno.ENOTDIR, errno.EEXIST) and error.filename:
        path = Path(os.fsdecode(error.filename))
        for place in (*reversed(path.parents), path):
            if place.is_file():
                return f"{place} is a file where a folder is needed: move it, or run from another folder."
    return f"{error.strerror or error}{where}."


def describe_config_error(error: Exception) -> str:
    """One sentence for a setting that Hydra or OmegaConf refused, with the nearest key there is."""
    text = f"{error}\n{error.__cause__ or ''}"
    missing = re.search(r"Could not override '([^']+)'", text)
    if missing:
        return no_setting(missing[1])
    group = re.search(r"Could not find '([^']+)/([^']+)'", text)
    if group:
        return no_choice(group[1], group[2])
    key = re.search(r"full_key: (\S+)", text)
    first = str(error.__cause__ if key and error.__cause__ else error).splitlines()[0].rstrip(".")
    return f"{key[1]}: {first}." if key else f"{first}."


def main() -> int:
    """Run the program; the exit code."""
    words = sys.argv[1:]
    staged = not is_first_process() or any(re.match(r"\+?stage=", word) for word in words)
    if not staged:
        print(overview())
        if words and words not in (["-h"], ["--help"]):
            stage = meant_stage(words)
            hint = f"did you mean +stage={stage}?" if stage else "add +stage=STAGE."
            print(f"\nNothing was run: {' '.join(words)} names no stage; {hint}", file=sys.stderr)
            return 2
        return 0
    sweep = bool({"-m", "--multirun"} & set(words))
    if is_first_process() and (sentence := complaint(words, sweep)):
        print(f"Error: {sentence}", file=sys.stderr)
        return 1
    sys.argv[1:] = [quoted(re.sub(r"^stage=", "+stage=", word), sweep) for word in words]
    os.environ["HYDRA_FULL_ERROR"] = "1"
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return run_first_process(launch_and_tell) if is_first_process() else run_other_process(train_along)


def train_along(*job: Any) -> None:
    """Train as one of the other processes that torchrun started; the heavy imports happen here."""
    stage: Any = STAGES["train"].module()
    stage.train_along(*job)


def launch_and_tell() -> int:
    """Do what the command line says, and tell what went wrong; the exit code."""
    try:
        launch()
    except KeyboardInterrupt:
        print("\nStopped. What was finished is kept, and the same command goes on from there.", file=sys.stderr)
        return 130
    for failure in failures:
        print(f"Error: {failure}", file=sys.stderr)
    return 1 if failures else 0


def launch() -> None:
    """Hand over to Hydra, and turn its own complaints into one sentence."""
    import hydra
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    register_schema()
    try:
        hydra.main(version_base="1.3", config_path=str(PROGRAM / "conf"), config_name="config")(run_job)()
    except (HydraException, OmegaConfBaseException) as error:
        failures.append(describe_config_error(error))
    except OSError as error:
        failures.append(describe_os_error(error))


if __name__ == "__main__":
    exit_code = main()
    if num_processes() > 1:  # threads that torch leaves behind can crash an interpreter that is taken down around them
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(exit_code)
    sys.exit(exit_code)
