"""TensorBoard, for those who have it: training as curves, pictures and sounds.

    pip install "tensorboard==2.21.0"
    python -m pipeline +stage=train train.tensorboard=true
    tensorboard --logdir outputs

An optional extra of pyproject.toml; nothing else needs it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import UserError

if TYPE_CHECKING:
    from pipeline.audio.synthesizers import Sound

PACKAGE = "tensorboard==2.21.0"
"""As pyproject.toml's extra has it."""
HEARD_RATE_HZ = 24000
"""Of its sounds: mono and uncompressed, so that one checkpoint takes under 1 MB."""


def require_tensorboard() -> None:
    """Raise `UserError` where the package is not there, so that it is told before a training starts."""
    try:
        import torch.utils.tensorboard  # noqa: F401
    except ImportError as error:
        raise UserError(
            f'train.tensorboard=true needs a package that is not there ({error}): pip install "{PACKAGE}", or leave '
            "the setting out; metrics.jsonl and learning.png tell the same."
        ) from error


class TensorBoardLog:
    """The log of one run.

    Parameters
    ----------
    directory
        Where its event files lie; those of earlier runs are gone on with.
    step
        The step that training goes on from; what an earlier run logged after it does not count.
    records
        Lines of the metrics log up to that step. Where the run had none so far, its curves start with them.
    """

    def __init__(self, directory: Path, step: int, records: Sequence[Mapping[str, Any]]) -> None:
        from torch.utils.tensorboard import SummaryWriter

        begun = any(directory.glob("events.*"))
        self.writer = SummaryWriter(str(directory), purge_step=step + 1 if step else 0)
        for record in () if begun else records:
            self.figures(record)

    def figures(self, record: Mapping[str, Any]) -> None:
        """The numbers of one line of the metrics log, at its `step`."""
        for key, value in record.items():
            if isinstance(value, int | float) and key not in ("step", "seconds"):
                tag = key if "/" in key else f"figures/{key}"
                self.writer.add_scalar(tag, value, record["step"])

    def samples(self, step: int, picture: Path, sound: Sound | None, rate_hz: int) -> None:
        """The sample picture (a PNG) and sound (`[samples, 2]`, where there is one) of a step."""
        from matplotlib.image import imread

        from pipeline.audio.mastering import resample

        self.writer.add_image("samples", imread(picture), step, dataformats="HWC")
        if sound is not None:
            mono = resample(sound.mean(axis=1, keepdims=True), rate_hz, HEARD_RATE_HZ)
            self.writer.add_audio("samples", mono.T.clip(-1, 1), step, sample_rate=HEARD_RATE_HZ)
        self.writer.flush()

    def close(self) -> None:
        """Write what is left."""
        self.writer.close()
