"""Where tensors live: one place that knows about torch's devices, threads and files."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch

from pipeline.config import Config
from pipeline.errors import UserError


def choose_device(config: Config) -> str:
    """The device that the settings name, `auto` resolved. Raises `UserError` where there is no such device."""
    if config.device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=config.device)
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"device={config.device} is not to be had here; device=auto takes what is there.") from error
    return config.device


def prepare_torch(config: Config) -> None:
    """Set threads; flush subnormal numbers to zero, which otherwise slow training down."""
    torch.set_num_threads(config.threads)
    torch.set_flush_denormal(True)


def load_tensors(path: Path) -> Any:
    """What `torch.save` wrote, onto the CPU; a missing or damaged file raises `UserError` that names it."""
    try:
        return torch.load(path, weights_only=True, map_location="cpu")
    except FileNotFoundError as error:
        raise UserError(f"{path} is missing; run the stage that writes it again with force=true.") from error
    except (RuntimeError, EOFError, ValueError, KeyError, OSError, pickle.UnpicklingError) as error:
        raise UserError(
            f"{path} is damaged or no checkpoint; give force=true to make it again, or another name=."
        ) from error


def load_checkpoint(path: Path) -> dict[str, Any]:
    """The checkpoint of the train stage.

    `trainer` is its state, `chosen` the averaged weights to generate with (`average`, `step`, `overlap`); `reference`
    (figures of real phrases), `spec`, `settings` and `music` (statistics of the prepared set) are plain values.
    """
    state = load_tensors(path)
    if not isinstance(state, dict) or not {"trainer", "chosen", "reference", "spec", "settings", "music"} <= set(state):
        raise UserError(f"{path} is no checkpoint of the train stage; give another name=, or force=true to replace it.")
    return state
