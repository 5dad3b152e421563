"""A trained GAN to fine-tune: `train.init=CHECKPOINT`."""

from __future__ import annotations

from pathlib import Path

from gan.networks.checkpoint import load_discriminator, load_generator
from gan.training.trainer import Trainer
from pipeline.devices import load_checkpoint
from pipeline.errors import UserError
from pipeline.files import file_hash
from pipeline.progress import say


def pretrained_file(init: str) -> Path:
    """The file that `train.init` names: a checkpoint, the one in a run's folder, or that of a run by its name.

    Raises
    ------
    UserError
        When there is no such file.
    """
    place = Path(init).expanduser()
    run = Path("outputs") / init / "train" / "checkpoint.pt"
    for file in (place, place / "checkpoint.pt", place / "train" / "checkpoint.pt", run):
        if file.is_file():
            return file
    raise UserError(
        f"train.init={init}: there is no such checkpoint; give a checkpoint.pt that the stage train has made, its "
        "folder, or the name= of a run."
    )


def pretrained_hash(init: str | None) -> dict[str, str]:
    """What the file of `train.init` adds to the fingerprint of the inputs; nothing without one."""
    return {} if init is None else {"init": file_hash(pretrained_file(init))}


def begin_with_pretrained(trainer: Trainer, init: str) -> None:
    """Begin with the weights of `train.init`, and say which tracks it does not know.

    Raises
    ------
    UserError
        When the file is missing, damaged, of another version, or does not fit the trainer's networks.
    """
    file = pretrained_file(init)
    state = load_checkpoint(file)
    try:
        source = state["trainer"] | {"average": state["chosen"]["average"]}
        networks = load_generator(source, trainer.device), load_discriminator(source, trainer.device)
    except (ValueError, TypeError, KeyError, AttributeError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"train.init={init}: {file} is damaged or of another version ({reason}).") from error
    try:
        trainer.begin_with(networks)
    except ValueError as error:
        raise UserError(f"train.init={init} does not fit: {error}; change that, or say train.init=null.") from error
    theirs, mine = networks[0].spec.names, trainer.spec.names
    unknown = [name for name in mine if name not in theirs]
    rest = (
        f"; {', '.join(unknown)} {'has' if len(unknown) == 1 else 'have'} to be learnt from nothing" if unknown else ""
    )
    say(f"train: begins with the weights of {file} (step {int(state['chosen']['step']):,}){rest}.")
