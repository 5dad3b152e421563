"""The settings of the whole program: one schema, read once.

Each group's dataclass lives beside what it configures; the values live in `conf/`.
"""

from __future__ import annotations

import difflib
from dataclasses import asdict, dataclass, field, fields, is_dataclass, make_dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, cast, get_type_hints

from omegaconf import DictConfig, OmegaConf

from gan.settings import DESIGNS, AlbumGANSettings, ModelSettings, check_together
from pipeline.errors import UserError
from pipeline.files import LEFT_OUT, SET_ASIDE, Manifest, fingerprint, read_manifest, settings_of
from pipeline.settings.album import AlbumSettings
from pipeline.settings.data import (
    CollectSettings,
    DataSettings,
    ExecutorSettings,
    PrepareSettings,
    RollSettings,
    TracksSettings,
    roll_spec,
    steps_of,
)
from pipeline.settings.evaluate import EvaluateSettings
from pipeline.settings.generate import ALBUM, GenerateSettings
from pipeline.settings.lyrics import LyricsSettings
from pipeline.settings.metre import read_metre
from pipeline.settings.render import RenderSettings
from pipeline.settings.song_requests import run_directory, settle_request
from pipeline.settings.studio import StudioSettings
from pipeline.settings.train import AUTO, BASE, FINE_TUNING, TrainStageSettings, suits_base
from pipeline.settings.transcribe import TranscribeSettings

ENVIRONMENT_THREADS: Any = "${oc.decode:${oc.env:OMP_NUM_THREADS,1}}"


@dataclass
class Config:
    """Every setting of the program; the defaults stand here and in the dataclasses of the groups."""

    data: DataSettings
    tracks: TracksSettings
    stage: str
    """What is to be made; said as `+stage=STAGE`."""
    name: str = "${data.name}"
    """The run: artefacts go to `outputs/NAME/STAGE`."""
    seed: int = 1
    """All chance follows from it; groups have a `seed` of their own where reproducing a part needs it."""
    device: str = "auto"
    """`cpu`, `cuda`, `cuda:1`, or `auto`: a GPU where there is one."""
    threads: int = ENVIRONMENT_THREADS
    """Threads of tensor operations; the result is repeatable to the byte with 1. Follows OMP_NUM_THREADS."""
    force: bool = False
    """Make the stage again, also over a finished checkpoint."""
    upstream: str = "run"
    """`run` makes what is missing; `refuse` never runs another stage."""
    roll: RollSettings = field(default_factory=RollSettings)
    collect: CollectSettings = field(default_factory=CollectSettings)
    transcribe: TranscribeSettings = field(default_factory=TranscribeSettings)
    prepare: PrepareSettings = field(default_factory=PrepareSettings)
    model: ModelSettings = field(default_factory=AlbumGANSettings)
    train: TrainStageSettings = field(default_factory=TrainStageSettings)
    evaluate: EvaluateSettings = field(default_factory=EvaluateSettings)
    generate: GenerateSettings = field(default_factory=GenerateSettings)
    render: RenderSettings = field(default_factory=RenderSettings)
    lyrics: LyricsSettings = field(default_factory=LyricsSettings)
    album: AlbumSettings = field(default_factory=AlbumSettings)
    studio: StudioSettings = field(default_factory=StudioSettings)
    executor: ExecutorSettings = field(default_factory=ExecutorSettings)


def _any_design() -> Any:
    """A dataclass of the settings of all designs of a model; null is the default of the design that is chosen."""
    kinds = {key: kind for design in DESIGNS.values() for key, kind in get_type_hints(design).items()}
    unset = [(key, kind | None, None) for key, kind in kinds.items() if key != "design"]
    return make_dataclass("AnyDesign", [("design", str, ModelSettings.design), *unset])


def _any_training() -> Any:
    """A dataclass of the settings of `train`; null is the default that the checkpoint to begin with decides on."""
    kinds = get_type_hints(TrainStageSettings)
    unset = [(key, kinds[key] | None, None) for key in FINE_TUNING]
    return make_dataclass("AnyTraining", unset, bases=(TrainStageSettings,))


AnyDesign: Any = _any_design()
AnyTraining: Any = _any_training()
CommandLine: Any = make_dataclass(
    "CommandLine",
    [
        ("model", AnyDesign, field(default_factory=AnyDesign)),
        ("train", AnyTraining, field(default_factory=AnyTraining)),
    ],
    bases=(Config,),
)
"""What can be said: `Config` before `model.design` has chosen the class of the model's settings, and `train.init` the
defaults of its training."""


UNCOUNTED = {
    "album.reroll",  # counts in `generate.rerolls`
    "album.runs",  # for the gallery alone
    "generate.request",  # names a folder
    "render.request",
    "executor.kind",
    "executor.workers",
    "executor.address",
    "train.report_steps",
    "train.tensorboard",
    "train.compile",
}
"""Settings that never change a result, so no fingerprint holds them."""


@cache
def register_schema() -> None:
    """Tell Hydra the settings that there are, their types and defaults: `schema` in the list of `conf/config.yaml`."""
    from hydra.core.config_store import ConfigStore

    ConfigStore.instance().store("schema", CommandLine)


@cache
def _schema() -> DictConfig:
    """Of `CommandLine`, which takes longer to read than to copy; merging leaves it as it is."""
    schema: DictConfig = OmegaConf.structured(CommandLine)
    return schema


def flatten(config: Config) -> dict[str, Any]:
    """All settings that count as dotted keys, lists and dictionaries as leaves."""
    missing = object()

    def walk(group: Any, values: dict[str, Any], prefix: str) -> dict[str, Any]:
        flat: dict[str, Any] = {}
        for key, value in values.items():
            if is_dataclass(getattr(group, key)):
                flat |= walk(getattr(group, key), value, f"{prefix}{key}.")
            elif prefix + key not in UNCOUNTED and LEFT_OUT.get(prefix + key, missing) != value:
                flat[prefix + key] = value
        return flat

    return walk(config, asdict(config), "")


def read_config(tree: DictConfig, explicit: tuple[str, ...], upstream: tuple[str, ...], name: str) -> Config:
    """The settings of one job.

    `upstream` names the stages below the one asked for, nearest last. What a finished one of them in `outputs/NAME`
    was made with is taken over, except for the keys in `explicit` (those the user gave on the command line); of one
    that was interrupted when it was made again, what it was made with before.
    """
    request = str(tree.render.request) if tree.stage == "render" else ALBUM
    directories = [run_directory(stage, name, request) for stage in upstream]
    manifests = [read_manifest(one) or read_manifest(one, SET_ASIDE) for one in directories]
    if any(manifests):
        plain: Any = OmegaConf.to_container(tree, resolve=False)  # without types, which lists of a manifest lack
        tree = OmegaConf.create(plain)
        for manifest in manifests:
            if manifest is not None:
                tree = _take_over(tree, manifest, explicit)
        tree = cast(DictConfig, OmegaConf.merge(_schema(), tree))
    said: Any = OmegaConf.to_object(tree)
    said.name = name
    try:
        model = ModelSettings.of({key: value for key, value in asdict(said.model).items() if value is not None})
    except ValueError as error:
        raise UserError(f"{error}.") from error
    config = Config(**{one.name: getattr(said, one.name) for one in fields(Config)} | {"model": model})
    spec = roll_spec(config.roll, config.tracks, config.data.metre)
    training = {one.name: getattr(said.train, one.name) for one in fields(TrainStageSettings)}
    if training["init"] == AUTO:
        training["init"] = BASE if suits_base(spec, config.prepare.key, model) else None
    config.train = TrainStageSettings.of(training)
    config.roll.steps_per_beat = steps_of(config.roll, config.data.metre)
    _check(config)
    settle_request(config.stage, config.name, config.generate, config.render.request, explicit)
    return config


def as_made(config: Config, stage: str, upstream: tuple[str, ...]) -> Config:
    """The settings of `+stage=STAGE` in the run of `config` with no others given: those of its finished stages.

    `upstream` names the stages below it, nearest last. Where and on how many cores it runs stays as in `config`.
    """
    tree = _composed(()).copy()
    tree.stage = stage
    made = read_config(tree, (), upstream, config.name)
    made.device, made.threads, made.executor = config.device, config.threads, config.executor
    return made


def compose(*words: str) -> Config:
    """The settings that the command line would read from these words, such as `model=musegan_hybrid`."""
    tree = _composed(words)
    return read_config(tree, (), (), str(tree.name))


def compose_run(name: str, *stages: str) -> Config:
    """The settings of the run `outputs/NAME`, taken over from those of its `stages` that are finished."""
    return read_config(_composed(()), (), stages, name)


@lru_cache(maxsize=16)
def _composed(words: tuple[str, ...]) -> DictConfig:
    """What Hydra makes of these words, for reading only."""
    import hydra
    from hydra.core.global_hydra import GlobalHydra

    register_schema()
    world = GlobalHydra.instance()
    running, world.hydra = world.hydra, None  # within a job there is a Hydra already, and it allows no other
    try:
        with hydra.initialize_config_dir(str(PROGRAM / "conf"), version_base="1.3"):
            return hydra.compose("config", ["+stage=train", *words])
    finally:
        GlobalHydra.instance().hydra = running


def _take_over(tree: DictConfig, manifest: Manifest, explicit: tuple[str, ...]) -> DictConfig:
    """`tree` with the settings of a finished stage, save those the user set."""
    missing = object()  # a setting of another version of the program
    if manifest.settings.get("model.design", tree.model.design) != tree.model.design:
        if "model" in explicit:
            explicit += ("train",)  # which came with the design that was chosen
        elif "model.design" in explicit:
            explicit += ("model",)  # whose other settings are of another design
    if "data.metre" in manifest.settings and ("data" in explicit or "data.metre" in explicit):
        metres = [read_metre(str(one)) for one in (manifest.settings["data.metre"], tree.data.metre)]
        if metres[0].usual_steps != metres[1].usual_steps:
            explicit += ("roll.steps_per_beat",)  # which is of another beat
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
    if config.tracks.assign not in ("program", "register", "name", "melody"):
        raise UserError(f"tracks.assign must be program, register, name or melody, not {config.tracks.assign}.")
    if config.prepare.key not in ("common", "original"):
        raise UserError(f"prepare.key must be common or original, not {config.prepare.key}.")
    if config.prepare.cut not in ("structure", "grid"):
        raise UserError(f"prepare.cut must be structure or grid, not {config.prepare.cut}.")
    if config.executor.kind not in ("local", "dask", "ray"):
        raise UserError(f"executor.kind must be local, dask or ray, not {config.executor.kind}.")
    if config.executor.workers is not None and config.executor.workers < 1:
        raise UserError(f"executor.workers must be at least 1, not {config.executor.workers}.")
    if config.data.source in ("folder", "catalog", "lpd5") and not config.data.path:
        example = "~/songs.xlsx" if config.data.source == "catalog" else "~/Music"
        raise UserError(f"data.path is not set: say where the music is, such as data.path={example}.")
    for key, table, kind in (
        ("data.columns", config.data.columns, str),
        ("generate.density", config.generate.density, float),
        ("generate.instruments", config.generate.instruments, str),
    ):
        # without a type of their own in the schema, since Hydra can't put a table where None was
        if table is not None and not (
            isinstance(table, dict) and all(isinstance(one, kind | int) for one in table.values())
        ):
            raise UserError(f"{key} takes values by name, such as {{NAME: VALUE}}, not {table}.")
    config.transcribe.check()
    for arrangement in config.tracks.arrangements:
        if len(arrangement.programs) != len(config.tracks.tracks):
            raise UserError(
                f"tracks.arrangements: {arrangement.name} names {len(arrangement.programs)} programs "
                f"for {len(config.tracks.tracks)} tracks."
            )
        if arrangement.volumes and len(arrangement.volumes) != len(config.tracks.tracks):
            raise UserError(
                f"tracks.arrangements: {arrangement.name} names {len(arrangement.volumes)} volumes "
                f"for {len(config.tracks.tracks)} tracks."
            )
    roll_spec(config.roll, config.tracks, config.data.metre)
    if config.train.steps == 0 and config.train.init is None:
        raise UserError("train.steps must be at least 1, not 0, where training begins with nothing (train.init=null).")
    try:
        check_together(config.model, config.train)
    except ValueError as error:
        raise UserError(f"{error}.") from error


@cache
def setting_types() -> dict[str, Any]:
    """The type of every setting by its dotted key, groups among them."""

    def walk(schema: Any, prefix: str) -> dict[str, Any]:
        types: dict[str, Any] = {}
        for key, kind in get_type_hints(schema).items():
            types[prefix + key] = kind
            if is_dataclass(kind):
                types |= walk(kind, f"{prefix}{key}.")
        return types

    return walk(CommandLine, "")


def text_settings() -> set[str]:
    """Settings whose values are paths or words: they may hold anything, also what means something to Hydra."""
    return {key for key, kind in setting_types().items() if kind in (str, str | None)}


def is_setting(key: str) -> bool:
    """Whether a dotted key is a setting, an entry of one that is a dictionary, or a group of `conf/`."""
    types = setting_types()
    parents = [key[:at] for at, letter in enumerate(key) if letter == "."]
    inside = any(one in types and not is_dataclass(types[one]) for one in parents)
    return key in types or inside or (PROGRAM / "conf" / key).is_dir() or key.startswith("hydra")


ABBREVIATIONS = {
    "lr": "learning_rate",
    "bs": "batch_size",
    "epochs": "steps",
    "iterations": "steps",
    "bpm": "tempo_bpm",
}
"""What people type for the last part of a key."""


def nearest_setting(key: str) -> str | None:
    """The setting that a misspelt key most likely means: by usual abbreviations, else by edit distance."""
    group, dot, last = key.rpartition(".")
    names = list(setting_types())
    full = f"{group}{dot}{ABBREVIATIONS.get(last, last)}"
    if full in names:
        return full
    return next(iter(difflib.get_close_matches(key, names, n=1, cutoff=0.5)), None)


def group_choices(group: str) -> list[str]:
    """The names of the files in `conf/GROUP/`."""
    return sorted(path.stem for path in (PROGRAM / "conf" / group).glob("*.yaml"))


PROGRAM = Path(__file__).resolve().parent.parent
"""The clone: `conf/` and the committed `data/lyrics/` lie here."""

RECORDINGS = ("transcribe.rest", "transcribe.max_minutes", "transcribe.recognise_metre", "transcribe.stems")
MUSIC = ("data", "tracks", "roll", "collect", *RECORDINGS, "prepare")
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
    return run_directory(stage, config.name, config.generate.request or ALBUM)
