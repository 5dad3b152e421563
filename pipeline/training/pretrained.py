"""A trained GAN to fine-tune: `train.init=CHECKPOINT`, or `base`, which comes along."""

from __future__ import annotations

import io
import lzma
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from gan.networks.checkpoint import check_format, load_discriminator, load_generator
from gan.spec import RollSpec
from gan.statistics import DataStatistics
from gan.training.trainer import Trainer
from pipeline.devices import load_checkpoint
from pipeline.errors import UserError
from pipeline.files import file_hash
from pipeline.progress import say
from pipeline.settings.train import BASE

SHIPPED = {BASE: Path(__file__).with_name("base.pt.xz")}
"""Models that come with the program, by the word that names them in `train.init`."""
NETWORKS = ("average", "discriminator")
"""The weights that are kept of a checkpoint to begin with."""
EVERY = 16
"""One of so many examples of conditions is kept: a run has those of its own data."""
FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9, "lc": 0, "lp": 1, "pb": 1}]
"""LZMA2 for numbers of two bytes."""


def pretrained_file(init: str) -> Path:
    """The file that `train.init` names: a shipped model, a checkpoint, the one in a run's folder, or a run's by name.

    Raises
    ------
    UserError
        When there is no such file.
    """
    if init in SHIPPED:
        return SHIPPED[init]
    place = Path(init).expanduser()
    run = Path("outputs") / init / "train" / "checkpoint.pt"
    for file in (place, place / "checkpoint.pt", place / "train" / "checkpoint.pt", run):
        if file.is_file():
            return file
    raise UserError(
        f"train.init={init}: there is no such checkpoint; give a checkpoint.pt that the stage train has made, its "
        f"folder, the name= of a run, or {' or '.join(SHIPPED)}."
    )


def pretrained_hash(init: str | None) -> dict[str, str]:
    """What the file of `train.init` adds to the fingerprint of the inputs; nothing without one."""
    return {} if init is None else {"init": file_hash(pretrained_file(init))}


def write_compact(checkpoint: Path, file: Path) -> None:
    """Write what a run can begin with of a checkpoint: both networks, weights as bfloat16, compressed (xz)."""
    state = load_checkpoint(checkpoint)
    trainer = state["trainer"] | {"average": state["chosen"]["average"]}
    kept = {name: trainer[name] for name in ("format", "spec", "statistics", "model_settings")}
    kept["statistics"] |= {"examples": kept["statistics"]["examples"][::EVERY]}
    for name in NETWORKS:
        kept[name] = {key: _compact(values) for key, values in trainer[name].items()}
    buffer = io.BytesIO()
    torch.save(kept | {"step": state["chosen"]["step"]}, buffer)
    file.write_bytes(lzma.compress(buffer.getvalue(), lzma.FORMAT_XZ, filters=FILTERS))


def _compact(values: torch.Tensor) -> torch.Tensor:
    return values.bfloat16() if values.is_floating_point() else values


def read_pretrained(file: Path) -> dict[str, Any]:
    """The state of two networks, and `step`, from a compact file (`.xz`) or a checkpoint. Raises `UserError`."""
    if file.suffix == ".xz":
        try:
            state: dict[str, Any] = torch.load(io.BytesIO(lzma.decompress(file.read_bytes())), weights_only=True)
        except (OSError, lzma.LZMAError) as error:
            raise UserError(f"{file} is damaged or missing ({error}); get it again with git checkout.") from error
        return state
    checkpoint = load_checkpoint(file)
    chosen = {name: checkpoint["chosen"][name] for name in ("average", "step")}
    return dict(checkpoint["trainer"]) | chosen


@contextmanager
def _readable(init: str, file: Path) -> Iterator[None]:
    """Within the block what a file lacks is a `UserError`."""
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"train.init={init}: {file} is damaged or of another version ({reason}).") from error


def pretrained_statistics(init: str) -> tuple[RollSpec, DataStatistics]:
    """The tracks of the checkpoint that `train.init` names, and the statistics of its data.

    Raises
    ------
    UserError
        When the file is missing, damaged or of another version.
    """
    file = pretrained_file(init)
    with _readable(init, file):
        state = read_pretrained(file)
        check_format(state)
        return RollSpec.from_dict(state["spec"]), DataStatistics.from_dict(state["statistics"])


def begin_with_pretrained(trainer: Trainer, init: str) -> None:
    """Begin with the weights of `train.init`, and say which tracks it does not know.

    Raises
    ------
    UserError
        When the file is missing, damaged, of another version, or does not fit the trainer's networks.
    """
    file = pretrained_file(init)
    with _readable(init, file):
        state = read_pretrained(file)
        networks = load_generator(state, trainer.device), load_discriminator(state, trainer.device)
    try:
        trainer.begin_with(networks)
    except ValueError as error:
        raise UserError(f"train.init={init} does not fit: {error}; change that, or say train.init=null.") from error
    theirs, mine = networks[0].spec.names, trainer.spec.names
    unknown = [name for name in mine if name not in theirs]
    rest = (
        f"; {', '.join(unknown)} {'has' if len(unknown) == 1 else 'have'} to be learnt from nothing" if unknown else ""
    )
    name = "the base model" if init == BASE else file
    say(f"train: begins with the weights of {name} (step {int(state['step']):,}){rest}.")
