"""The settings of the whole program: one schema, read once.

Each group's dataclass lives beside what it configures; the values live in `conf/`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

from omegaconf import DictConfig, OmegaConf

from gan.settings import ModelSettings, check_together
from pipeline.errors import UserError
from pipeline.files import Manifest, fingerprint, read_manifest, settings_of
from pipeline.settings.album import AlbumSettings
from pipeline.settings.audio import RenderSettings, TranscribeSettings
from pipeline.settings.evaluation import EvaluateSettings
from pipeline.settings.lyrics import LyricsSettings
from pipeline.settings.music import (
    CollectSettings,
    DataSettings,
    ExecutorSettings,
    PrepareSettings,
    RollSettings,
    TracksSettings,
    roll_spec,
)
from pipeline.settings.songs import GenerateSettings
from pipeline.settings.training import TrainStageSettings


@dataclass
class Config:
    """Every setting of the program."""

    stage: str
    name: str
    """The run: artefacts go to `outputs/NAME/STAGE`."""
    seed: int
    device: str
    """`cpu`, `cuda`, `cuda:1`, or `auto`: a GPU where there is one."""
    threads: int
    """Threads of tensor operations; the result is repeatable with 1."""
    force: bool
    """Make the stage again, also over a finished checkpoint."""
    upstream: str
    """`run` makes what is missing; `refuse` never runs another stage."""
    data: DataSettings
    tracks: TracksSettings
    roll: RollSettings
    collect: CollectSettings
    transcribe: TranscribeSettings
    prepare: PrepareSettings
    model: ModelSettings
    train: TrainStageSettings
    evaluate: EvaluateSettings
    generate: GenerateSettings
    render: RenderSettings
    lyrics: LyricsSettings
    album: AlbumSettings
    executor: ExecutorSettings


UNCOUNTED = {
    "album.reroll",  # counts in `generate.rerolls`
    "executor.kind",
    "executor.workers",
    "executor.address",
    "train.report_steps",
    "train.tensorboard",
    "train.compile",
}
"""Settings that never change a result, so no fingerprint holds them."""


def flatten(config: Config) -> dict[str, Any]:
    """All settings as dotted keys, lists and dictionaries as leaves."""

    def walk(group: Any, values: dict[str, Any], prefix: str) -> dict[str, Any]:
        flat: dict[str, Any] = {}
        for key, value in values.items():
            if is_dataclass(getattr(group, key)):
                flat |= walk(getattr(group, key), value, f"{prefix}{key}.")
            elif prefix + key not in UNCOUNTED:
                flat[prefix + key] = value
        return flat

    return walk(config, asdict(config), "")


def read_config(tree: DictConfig, explicit: tuple[str, ...], upstream: tuple[str, ...], name: str) -> Config:
    """The settings of one job.

    `upstream` names the stages below the one asked for, nearest last. What a finished one of them in `outputs/NAME`
    was made with is taken over, except for the keys in `explicit` (those the user gave on the command line).
    """
    schema = OmegaConf.structured(Config)
    tree = OmegaConf.merge(tree, {"name": name})  # type: ignore[assignment]
    for stage in upstream:
        manifest = read_manifest(Path("outputs") / name / stage)
        if manifest is not None:
            tree = _take_over(tree, manifest, explicit)
    config = OmegaConf.to_object(OmegaConf.merge(schema, tree))
    assert isinstance(config, Config)
    _check(config)
    return config


def compose(*words: str) -> Config:
    """The settings that the command line would read from these words, such as `model=musegan_hybrid`."""
    import hydra
    from hydra.core.global_hydra import GlobalHydra

    world = GlobalHydra.instance()
    running, world.hydra = world.hydra, None  # within a job there is a Hydra already, and it allows no other
    try:
        with hydra.initialize_config_dir(str(PROGRAM / "conf"), version_base="1.3"):
            tree = hydra.compose("config", ["+stage=train", *words])
    finally:
        GlobalHydra.instance().hydra = running
    return read_config(tree, (), (), str(tree.name))


def _take_over(tree: DictConfig, manifest: Manifest, explicit: tuple[str, ...]) -> DictConfig:
    """`tree` with the settings of a finished stage, save those the user set."""
    missing = object()  # a setting of another version of the program
    if "model" in explicit and manifest.settings.get("model.design") != tree.model.design:
        explicit += ("train",)  # which came with the design that was asked for
    for key, value in manifest.settings.items():
        given = any(key == one or key.startswith(f"{one}.") or one.startswith(f"{key}.") for one in explicit)
        given = given or (key.endswith(".seed") and "seed" in explicit)
        if not given and OmegaConf.select(tree, key, default=missing) is not missing:
            OmegaConf.update(tree, key, value, merge=False)
    return tree


def _check(config: Config) -> None:
    """Refuse values that no stage could use, naming the key."""
    if config.upstream not in ("run", "refuse"):
        raise UserError(f"upstream must be run or refuse, not {config.upstream}.")
    if config.threads < 1:
        raise UserError(f"threads must be at least 1, not {config.threads}.")
    if config.tracks.assign not in ("program", "register", "name"):
        raise UserError(f"tracks.assign must be program, register or name, not {config.tracks.assign}.")
    if config.prepare.key not in ("common", "original"):
        raise UserError(f"prepare.key must be common or original, not {config.prepare.key}.")
    if config.prepare.cut not in ("structure", "grid"):
        raise UserError(f"prepare.cut must be structure or grid, not {config.prepare.cut}.")
    if config.executor.kind not in ("local", "dask", "ray"):
        raise UserError(f"executor.kind must be local, dask or ray, not {config.executor.kind}.")
    if config.executor.workers is not None and config.executor.workers < 1:
        raise UserError(f"executor.workers must be at least 1, not {config.executor.workers}.")
    if config.data.source in ("folder", "catalog", "lpd5") and config.data.path is None:
        example = "~/songs.xlsx" if config.data.source == "catalog" else "~/Music"
        raise UserError(f"data.path is not set: say where the music is, such as data.path={example}.")
    config.transcribe.check()
    for arrangement in config.tracks.arrangements:
        if len(arrangement.programs) != len(config.tracks.tracks):
            raise UserError(
                f"tracks.arrangements: {arrangement.name} names {len(arrangement.programs)} programs "
                f"for {len(config.tracks.tracks)} tracks."
            )
    roll_spec(config.roll, config.tracks, config.data.metre)
    try:
        check_together(config.model, config.train)
    except ValueError as error:
        raise UserError(f"{error}.") from error


def setting_names() -> list[str]:
    """Every key there is, dotted: for hints after a misspelt one."""

    def walk(schema: Any, prefix: str) -> list[str]:
        names: list[str] = []
        for field in fields(schema):
            names.append(prefix + field.name)
            kind = get_type_hints(schema)[field.name]
            if is_dataclass(kind):
                names += walk(kind, f"{prefix}{field.name}.")
        return names

    return walk(Config, "")


def group_choices(group: str) -> list[str]:
    """The names of the files in `conf/GROUP/`."""
    return sorted(path.stem for path in (PROGRAM / "conf" / group).glob("*.yaml"))


PROGRAM = Path(__file__).resolve().parent.parent
"""The clone: `conf/` and the committed `data/lyrics/` lie here."""

MUSIC = ("data", "tracks", "roll", "collect", "transcribe.rest", "transcribe.max_minutes", "prepare")
"""Settings groups and keys that say what a prepared set is."""

SET_STAGES = {"collect": "collected", "prepare": "prepared"}


def set_name(config: Config) -> str:
    """`<data.name>-<8 hex>` of the settings in `MUSIC`."""
    from pipeline.config import flatten

    settings = settings_of(flatten(config), MUSIC)
    return f"{config.data.name}-{fingerprint(settings)[:8]}"


def stage_directory(stage: str, config: Config) -> Path:
    """The directory that holds the artefact of `stage`."""
    if stage in SET_STAGES:
        return Path("data") / SET_STAGES[stage] / set_name(config)
    return Path("outputs") / config.name / stage
