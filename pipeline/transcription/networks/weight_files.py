"""Files of weights of small networks: NumPy archives (.npz) in half precision, with arrays that belong to them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pipeline.errors import UserError


def save_weights(path: Path, network: nn.Module, beside: dict[str, NDArray[np.floating]]) -> None:
    """Write the weights in half precision, and the arrays `beside` them as they are."""
    arrays = {name: value.numpy().astype(np.float16) for name, value in network.state_dict().items() if value.ndim}
    with path.open("wb") as file:
        np.savez_compressed(file, **beside, **arrays)  # type: ignore[arg-type]


def load_weights(path: Path, network: nn.Module, beside: tuple[str, ...], called: str) -> list[NDArray[np.float32]]:
    """Read weights into a network, and what was written beside them.

    Parameters
    ----------
    path
        The file.
    network
        Gets the weights, and is to be used for inference afterwards.
    beside
        Names of the arrays that are returned, in this order.
    called
        What the network is called in the error.

    Raises
    ------
    UserError
        The file is missing or holds something else.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name].astype(np.float32) for name in file.files}
        found = [arrays.pop(name) for name in beside]
        counters = {name: value for name, value in network.state_dict().items() if not value.ndim}
        network.load_state_dict({name: torch.from_numpy(value) for name, value in arrays.items()} | counters)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise UserError(f"{path} holds no weights of the {called}: get the program's own copy again.") from error
    network.eval()
    return found
